"""Who is on a case: what its page shows, who may be chosen, who would come to see it, and whom one looks after.

Must not decide who may assign: the actions ask for that, and ask again whether somebody can be assigned.
"""

import re
from collections import Counter
from datetime import datetime
from typing import NamedTuple

from peewee import JOIN, SQL, Value, fn

import permissions
from blueprints.cases.queries.lists import BECAUSE
from blueprints.cases.queries.record import may_manage, who_can_see
from blueprints.kit import prepared
from blueprints.kit.refusing import confirmation_of
from blueprints.kit.text import fold
from models import Account, Case, CaseFollower, CaseGroup, CaseStaff, Group, GroupMember, Student

__all__ = [
    "AttachedGroup",
    "Assigned",
    "Member",
    "MyStudent",
    "all_groups",
    "assignable",
    "confirmation_of",
    "members",
    "my_students",
    "new_readers",
    "page",
    "pick_group",
    "pick_staff",
    "resolve_among",
    "resolve_staff",
    "suggest_among",
    "suggest_staff",
]

By = Account.alias("attached_by")


# --- The page of a case ----------------------------------------------------------------------------------------------


class AttachedGroup(NamedTuple):
    """A whole group on the case, with the names of its members as they stand now."""

    ref: str
    name: str
    at: datetime
    by: str
    members: list


class Assigned(NamedTuple):
    """Somebody who is on the case by name: assigned (`from_group` is where they were ticked), or following it."""

    ref: str
    name: str
    role: str
    is_active: bool
    at: datetime
    by: str
    from_group: str | None


def page(user, case):
    """What _people.html, _assigned.html and "Who can see this" show, in two queries.

    `people_form` is the view's to fill. `all_groups` are (ref, name) to choose from: for those who attach and detach, while
    the case is open.
    """
    may_change = case.status == "Open" and may_manage(case)
    found = {"following": [], "staff": [], "group": [], "any group": []}
    for kind, *row in prepared.rows(_on_case_and_all_groups if may_change else _on_case, case_id=case.id):
        found[kind].append(row)
    return {
        "people_form": None,
        "may_assign": may_change,
        "following": [Assigned(*row) for row in found["following"]],
        "staff": [Assigned(*row) for row in found["staff"]],
        "groups": _attached(found["group"]),
        "all_groups": [(ref, name) for ref, name, *_ in found["any group"]],
        "readers": who_can_see(user, case),
    }


def _attached(rows):
    found = {}
    for ref, name, member, _, at, by, _ in rows:
        group = found.setdefault(ref, AttachedGroup(ref, name, at, by, []))
        if member:
            group.members.append(member)
    return list(found.values())


def _on_case_and_all_groups(case_id):
    nothing = (Value(""), SQL("TRUE"), SQL("NULL"), Value(""), Value(""))
    groups = Group.select(Value("any group"), Group.ref, Group.name, *nothing).where(Group.is_active)
    return _on_case(case_id).union_all(groups).order_by(*_BY_NAME)


_BY_NAME = SQL("3"), SQL("2"), SQL("4")


def _on_case(case_id):
    """Everybody assigned by name, everybody following, and every member of the attached groups, in the columns of Assigned;
    of a group the member's name stands in the place of a role, empty for a group without members."""

    def rows(model, kind, row, detail, is_active, of_group):
        columns = (Value(kind), row.ref, row.name, detail, is_active, model.at, By.name, of_group)
        by = CaseFollower.added_by if model is CaseFollower else model.attached_by
        return model.select(*columns).join_from(model, By, on=(by == By.id)).where(model.case == case_id)

    staff = rows(CaseStaff, "staff", Account, Account.role, Account.is_active, Group.name)
    staff = staff.join_from(CaseStaff, Account, on=(CaseStaff.account == Account.id))
    staff = staff.join_from(CaseStaff, Group, JOIN.LEFT_OUTER)
    following = rows(CaseFollower, "following", Account, Account.role, Account.is_active, SQL("NULL"))
    following = following.join_from(CaseFollower, Account, on=(CaseFollower.account == Account.id))
    member = Account.alias("group_member")
    in_school = (GroupMember.account == member.id) & member.is_active & member.role.in_(permissions.STAFF_ROLES)
    groups = rows(CaseGroup, "group", Group, fn.COALESCE(member.name, ""), SQL("TRUE"), SQL("NULL"))
    groups = groups.join_from(CaseGroup, Group)
    groups = groups.join_from(CaseGroup, GroupMember, JOIN.LEFT_OUTER, on=(GroupMember.group == CaseGroup.group))
    groups = groups.join_from(GroupMember, member, JOIN.LEFT_OUTER, on=in_school)
    return staff.union_all(following).union_all(groups).order_by(*_BY_NAME)


# --- Who may be chosen -----------------------------------------------------------------------------------------------


def all_groups():
    """(ref, name) of all active groups, by name."""
    return prepared.rows(_all_groups)


def _all_groups():
    return Group.select(Group.ref, Group.name).where(Group.is_active).order_by(Group.name, Group.ref)


def assignable(case_id, *fields):
    """Staff who can be assigned to the case: active, and without a conflict of interest."""
    return (
        permissions.staff(*fields)
        .join(Case, on=(Case.id == case_id))
        .where(permissions.not_excluded_from_case(Account))
        .order_by(Account.name, Account.id)
    )


def pick_staff(refs):
    """(staff accounts of these references in their order, sentence or None). A deactivated account comes too: whoever
    assigns says why not."""
    refs = list(dict.fromkeys(ref.replace("\0", "") for ref in refs if ref))
    query = Account.select().where(Account.ref.in_(refs) & Account.role.in_(permissions.STAFF_ROLES))
    found = {row.ref: row for row in query} if refs else {}
    problem = None if len(found) == len(refs) else "Somebody you chose is not known. Choose from the list."
    return [found[ref] for ref in refs if ref in found], problem


def suggest_staff(case, text, limit=12):
    """{ref, label, hint} of the staff who can be assigned and fit what was typed, for the picker."""
    return suggest_among(assignable(case.id), text, limit)


def suggest_among(staff, text, limit=12):
    """The same of any query of staff. Two people of one name are told apart by their email."""
    rows = list(_matching(staff, text).limit(limit)) if text.strip() else []
    times = Counter(row.name for row in rows)
    labels = [f"{row.name} ({row.email})" if times[row.name] > 1 else row.name for row in rows]
    return [
        {"ref": row.ref, "label": label, "hint": permissions.ROLES[row.role]} for row, label in zip(rows, labels, strict=True)
    ]


def resolve_staff(case, text):
    """Names (or emails) typed without a script, separated by commas, semicolons or lines: (accounts, sentence or None).
    Each has to fit one person."""
    return resolve_among(assignable(case.id), text)


def resolve_among(staff, text):
    """The same of any query of staff."""
    found, problems = [], []
    for typed in filter(None, (part.strip() for part in re.split(r"[,;\n]", text))):
        candidates = list(_matching(staff, typed).limit(20))
        exact = [row for row in candidates if fold(typed) in (fold(row.name), fold(row.email))]
        if len(exact or candidates) == 1:
            found += exact or candidates
        elif candidates:
            problems.append(f"{typed} fits several people. Type the whole name, or the email address.")
        else:
            problems.append(f"{typed} is not known. Check the spelling.")
    return found, " ".join(problems) or None


def _matching(staff, text):
    for word in fold(text[:100]).split():
        staff = staff.where(Account.search_text.contains(word))
    return staff


def pick_group(case, ref):
    """(the group or None, a sentence why it can't be chosen or None); a retired group comes with its sentence. It has
    `is_attached`: whether the whole group is on the case."""
    link = (CaseGroup.group == Group.id) & (CaseGroup.case == case.id)
    found = Group.select(Group, CaseGroup.id.is_null(False).alias("is_attached")).join(CaseGroup, JOIN.LEFT_OUTER, on=link)
    group = found.where(Group.ref == (ref or "").replace("\0", "")).objects().first()
    if group is None:
        return None, "This group is not known. Choose one from the list." if ref else "Choose a group."
    if not group.is_active:
        return group, f"{group.name} was retired and can't be assigned any more. Choose another group."
    return group, None


# --- A group that is about to be attached ----------------------------------------------------------------------------


class Member(NamedTuple):
    """Somebody in the group who can be assigned; `is_assigned` as an individual already."""

    ref: str
    name: str
    title: str
    is_assigned: bool


def members(case, group):
    """The members of the group who can be assigned to the case, by name."""
    return [Member(*row[:3], bool(row[3])) for row in prepared.rows(_members, case_id=case.id, group_id=group.id)]


def _members(case_id, group_id):
    on_case = (CaseStaff.account == Account.id) & (CaseStaff.case == case_id)
    return (
        assignable(case_id, Account.ref, Account.name, Account.title, CaseStaff.id)
        .join_from(Account, GroupMember, on=(GroupMember.account == Account.id))
        .join_from(Account, CaseStaff, JOIN.LEFT_OUTER, on=on_case)
        .where(GroupMember.group == group_id)
    )


def new_readers(case, group):
    """The accounts that come to see the case once the whole group is attached: members, and who manages the group."""
    now = {account.id for account, _ in permissions.who_can_see_case(case)}
    then = permissions.who_would_see_case(case, groups=[group.id])
    return [account for account, _ in then if account.id not in now]


# --- The students one looks after ------------------------------------------------------------------------------------


class MyStudent(NamedTuple):
    """A student with the open cases on which one is Primary Advocate, Coordinator or Following: [(reference, title, [why
    in words])]."""

    ref: str
    name: str
    year_group: str
    tutor_group: str
    cases: list


def my_students(user, most):
    """MyStudents of this person, by name, with no more than `most` cases together, in one query."""
    if not permissions.can(user, "case.read"):
        return []
    found = {}
    for ref, title, *student, primary, coordinator, following in prepared.rows(_looked_after, user, most=most):
        student_ref, first, last, preferred, year_group, tutor_group = student
        name = f"{preferred or first} {last}"
        row = found.setdefault(student_ref, MyStudent(student_ref, name, year_group, tutor_group, []))
        holds = zip(permissions.LOOKING_AFTER, (primary, coordinator, following), strict=True)
        row.cases.append((ref, title, [BECAUSE[reason] for reason, is_true in holds if is_true]))
    return list(found.values())


def _looked_after(user, most):
    student = (Student.first_name, Student.last_name, Student.preferred_name, Student.year_group, Student.tutor_group)
    return (
        permissions.cases_looked_after(user, Case.ref, Case.title, Student.ref, *student)
        .join(Student)
        .where(Case.status == "Open")
        .order_by(Student.sort_name, Student.id, Case.ref)
        .limit(most)
    )
