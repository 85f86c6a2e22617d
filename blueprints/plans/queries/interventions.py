"""Intervention groups: the list, one group with its template, the students in it, and who can be brought in.

A student is in a group by a plan: whoever does not see the plan is not told that the student is there, in no row, no count
and no refusal. intervention() comes first on every page of a group. Must not write anything but the audit row of a read.
"""

import re
from datetime import date
from typing import NamedTuple

from peewee import JOIN, fn

import events
import permissions
from blueprints.kit import prepared
from blueprints.kit.text import one_line
from blueprints.plans.queries.plans import title_of
from blueprints.plans.queries.words import number
from blueprints.students import queries as students
from models import (
    Account,
    Cohort,
    CohortStudent,
    Group,
    InterventionGroup,
    InterventionMember,
    InterventionStep,
    Plan,
    PlanPoint,
    Student,
)

REFERENCE = re.compile(r"[0-9A-HJKMNP-TV-Z]{10}")
MANAGE = "intervention.manage"
MOST_OFFERED = 400  # students on one page with tick boxes


# --- The list --------------------------------------------------------------------------------------------------------


class InterventionRow(NamedTuple):
    """A row of the list; `students` counts those in it whose plan the reader sees."""

    ref: str
    name: str
    tier: int
    lead: str
    group: str
    is_archived: bool
    students: int


def intervention_groups(user, *, text="", archived=False, mine=False):
    """The groups this person may see, by name. `mine`: only those they run."""
    counts = dict(prepared.rows(_counts, user))
    words = one_line(text).casefold().split()
    rows = prepared.rows(_running if mine else _groups, user)
    return [
        InterventionRow(ref, name, tier, lead, group or "", at is not None, counts.get(id_, 0))
        for id_, ref, name, tier, lead, group, at in rows
        if (at is not None) == archived and all(word in name.casefold() for word in words)
    ]


def _groups(user):
    lead = Account.alias("lead")
    fields = (InterventionGroup.id, InterventionGroup.ref, InterventionGroup.name, InterventionGroup.tier, lead.name, Group.name,
              InterventionGroup.archived_at)  # fmt: skip
    query = permissions.visible_interventions(user, *fields).join(lead, on=(lead.id == InterventionGroup.lead))
    query = query.join_from(InterventionGroup, Group, JOIN.LEFT_OUTER, on=(Group.id == InterventionGroup.group))
    return query.order_by(fn.LOWER(InterventionGroup.name), InterventionGroup.id)


def _running(user):
    return _groups(user).where(permissions.runs_intervention(user))


def _counts(user):
    query = permissions.visible_plans(user, InterventionMember.group, fn.COUNT(InterventionMember.student.distinct()))
    query = query.join(InterventionMember, on=(InterventionMember.plan == Plan.id))
    return query.where(InterventionMember.left_at.is_null()).group_by(InterventionMember.group)


# --- One group -------------------------------------------------------------------------------------------------------


def intervention(user, ref, audit=True):
    """The InterventionGroup with `.lead`, `.group` and `.may_change` (whether this person may change its template),
    or NotVisible. Records the read; `audit=False` is for the side that records an event of its own."""
    query = permissions.visible_interventions(user, InterventionGroup, Account, Group)
    query = query.join(Account, on=(InterventionGroup.lead == Account.id))
    query = query.join_from(InterventionGroup, Group, JOIN.LEFT_OUTER, on=(InterventionGroup.group == Group.id))
    row = query.where(InterventionGroup.ref == ref).first() if REFERENCE.fullmatch(ref) else None
    if row is None:
        raise permissions.NotVisible(ref)
    row.may_change = row.lead_id == user.id or permissions.can(user, MANAGE)
    if audit:
        events.record_alone("intervention.read", actor=user, target=ref)
    return row


def may_open(user, group):
    """Whether this person sees the page of `group`, an InterventionGroup or None."""
    return group is not None and bool(prepared.rows(_opened, user, group=group.id))


def _opened(user, group):
    return permissions.visible_interventions(user, InterventionGroup.id).where(InterventionGroup.id == group)


class Step(NamedTuple):
    """An intervention of the template."""

    text: str
    how_often: str


def template_steps(user, group):
    """The interventions of the template, in their order."""
    return [Step(*row) for row in prepared.rows(_steps, group=group.id)]


def _steps(group):
    query = InterventionStep.select(InterventionStep.text, InterventionStep.how_often)
    return query.where(InterventionStep.group == group).order_by(InterventionStep.position, InterventionStep.id)


class Member(NamedTuple):
    """A student in a group (or who left it), with the plan that came of it. `latest`: the newest progress point in words."""

    student_id: int
    student_ref: str
    student_name: str
    year_group: str
    tutor_group: str
    plan_ref: str
    plan_title: str
    state: str
    starts_on: date
    review_by: date | None
    at: object
    left_at: object
    latest: str
    measured_on: date | None


def members(user, group, *, left=False):
    """The Members of a group whose plan this person sees, by name; with `left` those who left it, the latest first."""
    points = {plan: (value, day) for plan, value, day in prepared.rows(_latest, user, group=group.id)}
    return [_member(row, points) for row in prepared.rows(_left if left else _present, user, group=group.id)]


def _member(row, points):
    id_, ref, preferred, first, last, year, tutor, plan, plan_ref, goal, tier, *rest = row
    value, day = points.get(plan, (None, None))
    name, title = f"{preferred or first} {last}", title_of(goal, tier)
    return Member(id_, ref, name, year, tutor, plan_ref, title, *rest, number(value), day)


def _members(user, group):
    fields = (
        Student.id, Student.ref, Student.preferred_name, Student.first_name, Student.last_name, Student.year_group,
        Student.tutor_group, Plan.id, Plan.ref, Plan.goal, Plan.tier, Plan.state, Plan.starts_on, Plan.review_by,
        InterventionMember.at, InterventionMember.left_at,
    )  # fmt: skip
    query = permissions.visible_plans(user, *fields).join(InterventionMember, on=(InterventionMember.plan == Plan.id))
    return query.join_from(Plan, Student).where(InterventionMember.group == group)


def _present(user, group):
    return _members(user, group).where(InterventionMember.left_at.is_null()).order_by(Student.sort_name, InterventionMember.id)


def _left(user, group):
    query = _members(user, group).where(InterventionMember.left_at.is_null(False))
    return query.order_by(InterventionMember.left_at.desc(), InterventionMember.id.desc())


def _latest(user, group):
    """(plan, value, day) of the progress points, the newest of a plan last."""
    query = permissions.visible_plans(user, Plan.id, PlanPoint.value, PlanPoint.day).join(PlanPoint)
    query = query.where((Plan.intervention_group == group) & PlanPoint.removed_at.is_null())
    return query.order_by(PlanPoint.day, PlanPoint.id)


def staff_group(user, ref):
    """The staff group that a form names, or None where there is none of this reference."""
    return Group.get_or_none(Group.ref == ref.replace("\0", ""))


def who_runs(user, group):
    """Active accounts that run the group and so see the plans that come from it, by name."""
    return permissions.who_would_run(group.lead_id, group.group_id)


def newly_running(row, lead, group):
    """Who would run the group with this lead and staff group and does not now: accounts, by name; Admin Key Holders see its
    plans anyway."""
    now = {one.id for one in permissions.who_would_run(row.lead_id, row.group_id)}
    then = permissions.who_would_run(lead.id, group and group.id)
    return [one for one in then if one.id not in now and one.role != permissions.ADMIN]


# --- Bringing students in --------------------------------------------------------------------------------------------


class Offered(NamedTuple):
    """What the list with tick boxes can be narrowed by: years and tutor groups, and (ref, name) of the cohorts."""

    years: list
    tutors: list
    cohorts: list


def offered(user):
    """What there is to choose among: the cohorts are those whose students' milestones this person sees."""
    years, tutors = students.groups(user)
    return Offered(years, tutors, prepared.rows(_cohorts, user))


def _cohorts(user):
    query = permissions.supported_students(user, Cohort.ref, Cohort.name).where(Cohort.archived_at.is_null())
    return query.distinct().order_by(Cohort.name, Cohort.ref)


def candidates(user, group, *, year="", tutor="", cohort=""):
    """([students at the school who fit and are not in the group, by name], how many more there are), as far as this person
    sees that. Nobody where nothing is asked for."""
    if not (year or tutor or cohort):
        return [], 0
    query = permissions.visible_students(user, *students.SHORT_FIELDS).where(Student.is_active)
    if year:
        query = query.where(Student.year_group == year)
    if tutor:
        query = query.where(Student.tutor_group == tutor)
    if cohort:
        inside = permissions.supported_students(user, CohortStudent.student).where(Cohort.ref == cohort)
        query = query.where(Student.id.in_(inside))
    query = query.where(Student.id.not_in(_seen_in(user, group.id)))
    rows = list(query.order_by(Student.sort_name, Student.id).limit(MOST_OFFERED + 1))
    return rows[:MOST_OFFERED], len(rows) > MOST_OFFERED


def _seen_in(user, group):
    """Ids of the students whom this person sees to be in the group."""
    query = permissions.visible_plans(user, InterventionMember.student)
    query = query.join(InterventionMember, on=(InterventionMember.plan == Plan.id))
    return query.where((InterventionMember.group == group) & InterventionMember.left_at.is_null())


def seen_in(user, group):
    """The same as a set."""
    return {id_ for (id_,) in prepared.rows(_seen_in, user, group=group.id)}


def by_addresses(user, rows):
    """The students whom the good ones of these kit.addresses.Rows lead to; each row gets its outcome."""
    good = [row for row in rows if not row.outcome]
    found = {}
    for start in range(0, len(good), 500):
        folded = [row.address.casefold() for row in good[start : start + 500]]
        query = permissions.visible_students(user, *students.SHORT_FIELDS, Student.email_folded)
        found |= {student.email_folded: student for student in query.where(Student.email_folded.in_(folded))}
    for row in good:
        student = found.get(row.address.casefold())
        if student is None:
            row.refuse("unknown", "No student has this email address.")
        elif not student.is_active:
            row.refuse("left", "This student has left the school.")
    return [found[row.address.casefold()] for row in good if not row.outcome]
