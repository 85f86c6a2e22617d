"""Student Support Groups of a cohort, and whom attaching, detaching or moving somebody gives access or takes it from: asked
before it is done. A student who is closed to whoever asks is in no number here. Writes nothing."""

from collections import namedtuple

from peewee import JOIN, fn

import permissions
from models import Account, Cohort, CohortGroup, CohortStudent, Department, Group, GroupManager, GroupMember

Member = namedtuple("Member", "ref name title email phone booking_url has_photo role")
SupportGroup = namedtuple("SupportGroup", "ref name department is_active at by members managers")
Choice = namedtuple("Choice", "ref name department members")


def support_groups(user, cohort):
    """The SupportGroups of the cohort by name, each with its Members who work here and the names of its managers."""
    permissions.require("cohort.manage", user)
    by = Account.alias("by")
    fields = (Group.id, Group.ref, Group.name, Department.name, Group.is_active, CohortGroup.at, by.name)
    query = (
        CohortGroup.select(*fields)
        .join(Group)
        .join(Department, JOIN.LEFT_OUTER)
        .join_from(CohortGroup, by, on=(CohortGroup.attached_by == by.id))
        .where(CohortGroup.cohort == cohort.id)
        .order_by(fn.LOWER(Group.name), Group.id)
    )
    rows = list(query.tuples())
    ids = [number for number, *_ in rows]
    members = _people(GroupMember, ids, permissions.STAFF_ROLES)
    managers = _people(GroupManager, ids, permissions.MANAGER_ROLES)
    return [
        SupportGroup(*rest, members.get(number, []), [one.name for one in managers.get(number, [])]) for number, *rest in rows
    ]


def _people(link, group_ids, roles):
    """{group id: Members} with these roles, by name."""
    if not group_ids:
        return {}
    card = (Account.title, Account.email, Account.phone, Account.booking_url, Account.photo_path != "", Account.role)
    query = (
        link.select(link.group, Account.ref, Account.name, *card)
        .join(Account, on=(Account.id == link.account))
        .where(link.group.in_(group_ids) & Account.is_active & Account.role.in_(roles))
        .order_by(Account.name, Account.id)
    )
    found = {}
    for group_id, *person in query.tuples():
        found.setdefault(group_id, []).append(Member(*person))
    return found


def attached_group(user, cohort, ref):
    """One group that is attached to the cohort; NotVisible otherwise."""
    permissions.require("cohort.manage", user)
    query = Group.select().join(CohortGroup).where((CohortGroup.cohort == cohort.id) & (Group.ref == ref))
    row = query.first()
    if row is None:
        raise permissions.NotVisible(ref)
    return row


def available_groups(user, cohort):
    """The Choices that can be attached: groups in use that are not attached yet, by name, with how many of their members work
    here."""
    permissions.require("cohort.manage", user)
    mine = CohortGroup.select(CohortGroup.group).where(CohortGroup.cohort == cohort.id)
    at_work = Account.is_active & Account.role.in_(permissions.STAFF_ROLES)
    members = GroupMember.select(fn.COUNT(GroupMember.id)).join(Account, on=(Account.id == GroupMember.account))
    query = (
        Group.select(Group.ref, Group.name, Department.name, members.where((GroupMember.group == Group.id) & at_work))
        .join(Department, JOIN.LEFT_OUTER)
        .where(Group.is_active & Group.id.not_in(mine))
        .order_by(fn.LOWER(Group.name), Group.id)
    )
    return [Choice(*row) for row in query.tuples()]


def pick_group(user, cohort, ref):
    """(the group or None, a sentence why it can't be attached or None)."""
    permissions.require("cohort.manage", user)
    group = Group.get_or_none(Group.ref == (ref or "").replace("\0", ""))
    if group is None:
        return None, "This group is not known. Choose one from the list." if ref else "Choose a group."
    if not group.is_active:
        return None, f"{group.name} is not in use any more. Choose another group."
    if group.id in _attached(cohort):
        return None, f"{group.name} is attached to this cohort already."
    return group, None


# --- Who comes to see and who ceases to ------------------------------------------------------------------------------


def _attached(cohort):
    return {group_id for (group_id,) in CohortGroup.select(CohortGroup.group).where(CohortGroup.cohort == cohort.id).tuples()}


def supporters(user, cohort):
    """The staff who see the milestones of the cohort's students because of a group, by name; as soon as it is restored where
    it is archived."""
    permissions.require("cohort.manage", user)
    return permissions.who_supports([cohort.id])


def gained_by_attaching(user, cohort, group):
    """Who comes to see the milestones of the cohort's students once the group is attached, by name."""
    now = {account.id for account in supporters(user, cohort)}
    then = permissions.who_supports([cohort.id], groups=_attached(cohort) | {group.id})
    return [account for account in then if account.id not in now]


def lost_by_detaching(user, cohort, group):
    """Who ceases to."""
    then = {account.id for account in permissions.who_supports([cohort.id], groups=_attached(cohort) - {group.id})}
    return [account for account in supporters(user, cohort) if account.id not in then]


def changed_by_moving(user, student, cohort, to=None):
    """(who comes to see this student's milestones, who ceases to) when the student leaves `cohort`, for `to` or for none."""
    permissions.require("cohort.manage", user)
    now = permissions.who_supports(_live_cohorts(student), student=student)
    others = [number for number in _live_cohorts(student) if number != cohort.id] + ([to.id] if to else [])
    then = permissions.who_supports(others, student=student)
    before, after = {account.id for account in now}, {account.id for account in then}
    return [one for one in then if one.id not in before], [one for one in now if one.id not in after]


def _live_cohorts(student):
    query = CohortStudent.select(CohortStudent.cohort).join(Cohort).where(CohortStudent.student == student.id)
    return [number for (number,) in query.where(Cohort.archived_at.is_null()).tuples()]
