"""What it changes when somebody comes into a group or leaves it, a group comes under another department, or somebody is given
another role, asked before it is done. Writes nothing.

Cases and incidents that are closed to whoever asks by a conflict of interest are neither named nor counted.
"""

from collections import namedtuple

from peewee import fn

import permissions
from models import Account, Case, CaseGroup, DepartmentDirector, Group, GroupManager, GroupMember, Incident

# How many cases come or go and of how many students; `refs` names those that whoever asks may see.
CasesChanged = namedtuple("CasesChanged", "count students refs")
# Somebody who comes to see these cases (CasesChanged), and so many incidents.
Gained = namedtuple("Gained", "person cases incidents")
# kind: the table, its field, and how permissions.cases_seen_with() calls such rows.
KINDS = {
    "member": (GroupMember, GroupMember.group, "member_of"),
    "manager": (GroupManager, GroupManager.group, "manages"),
    "director": (DepartmentDirector, DepartmentDirector.department, "directs"),
}


def cases_changed(user, of, account, kind, joins):
    """Which cases the account sees more as a member or manager of the group `of`, or director of the department, or
    fewer afterwards, as CasesChanged."""
    permissions.require("group.manage" if kind == "member" else "admin.groups", user)
    if kind != "director":
        permissions.require_group(user, of)
    then = _with(_now(account, kind), of, joins)
    before, after = permissions.cases_seen_with(account), permissions.cases_seen_with(account, **{KINDS[kind][2]: then})
    changed = after - before if joins else before - after
    return _changed([row for row in _attached(user, of, kind) if row[0] in changed])


def _changed(rows):
    """CasesChanged of rows (id, ref, student id, whether whoever asks sees it)."""
    refs = [ref for _, ref, _, is_seen in rows if is_seen]
    return CasesChanged(len(rows), len({student for _, _, student, _ in rows}), refs)


def incidents_changed(user, of, account, joins):
    """How many incidents this person sees more after joining the group, or fewer after leaving it. None unless an Admin
    Key Holder asks: nobody else reads every incident, and a count would tell of those that they don't."""
    permissions.require("group.manage", user)
    if not permissions.can(user, "admin.groups"):
        return None
    now = _now(account, "member")
    before, after = (
        permissions.count_seen_as_member(account, groups, reader=user) for groups in (now, _with(now, of, joins))
    )
    return abs(after - before)


def gained_by_department(user, row, department):
    """[Gained] of the directors of this department who come to see cases once the group is in it, by name."""
    permissions.require("admin.groups", user)
    if department is None or department.id == row.department_id:
        return []
    directors = (
        Account.select()
        .join(DepartmentDirector, on=(DepartmentDirector.account == Account.id))
        .where((DepartmentDirector.department == department.id) & Account.is_active)
        .where(Account.role.in_(permissions.DIRECTOR_ROLES))
        .order_by(Account.name, Account.id)
    )
    attached, found = list(_attached(user, row, "manager")), []
    for person in directors if attached else ():
        # What other groups of their departments show them, they see already.
        then = permissions.cases_seen_with(person, departments=[(row.id, department.id)])
        gained = then - permissions.cases_seen_with(person)
        found.append(Gained(person, _changed([case for case in attached if case[0] in gained]), 0))
    return [one for one in found if one.cases.count]


def gained_by_role(user, account, role):
    """[Gained] of this person if another role shows them anything that they don't see now, else an empty list."""
    permissions.require("admin.users", user)
    if role == account.role:
        return []
    then = Account(id=account.id, role=role, is_active=account.is_active)
    columns = (Case.id, Case.ref, Case.student_id, permissions.sees_case(user))
    cases = permissions.visible_cases(then, *columns).where(Case.id.not_in(permissions.visible_cases(account, Case.id)))
    cases = cases.where(permissions.not_excluded_from_case(user)).order_by(Case.ref)
    known = permissions.visible_incidents(account, Incident.id)
    incidents = permissions.visible_incidents(then, fn.COUNT(Incident.id)).where(Incident.id.not_in(known))
    found = Gained(account, _changed(list(cases.tuples())), incidents.where(permissions.not_excluded(user)).scalar())
    return [found] if found.cases.count or found.incidents else []


def _now(account, kind):
    """Ids of all that the account is in."""
    link, field, _ = KINDS[kind]
    return {one for (one,) in link.select(field).where(link.account == account.id).tuples()}


def _with(ids, of, joins):
    return ids | {of.id} if joins else ids - {of.id}


def _attached(user, of, kind):
    """(id, ref, student id, whether `user` sees it) of every case that this group, or one of the department's, is
    attached to and that is not closed to `user`."""
    attached = CaseGroup.alias("attached")
    theirs = attached.select(attached.case)
    if kind == "director":
        theirs = theirs.join(Group, on=(Group.id == attached.group)).where(Group.department == of.id)
    else:
        theirs = theirs.where(attached.group == of.id)
    query = Case.select(Case.id, Case.ref, Case.student_id, permissions.sees_case(user))
    query = query.where(Case.id.in_(theirs) & permissions.not_excluded_from_case(user))
    return query.order_by(Case.ref).tuples()
