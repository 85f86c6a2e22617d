"""Intervention groups: adding and changing them, bringing students in (each gets a plan from the template) and letting them
leave (the plan ends and is kept), the archive. Changing the template changes no plan that is there."""

from peewee import IntegrityError, fn

import events
import permissions
from blueprints.account import actions as account_actions
from blueprints.kit.refusing import Refused, confirm
from blueprints.plans.actions.generating import generate
from blueprints.plans.actions.plans import end_each
from blueprints.plans.queries.interventions import newly_running, seen_in
from extensions import clock, db
from models import Conflict, InterventionGroup, InterventionMember, InterventionStep, Plan, Student, is_postgres

MANAGE = "intervention.manage"
TAKEN = "There is an intervention group of this name already. It may be archived."
LEFT = "Left the group"
MOST_AT_ONCE = 200  # students that one transaction brings in
# What can be said of a group; `steps` stands beside it.
SAID = ("name", "description", "tier", "concern", "goal", "measure", "baseline", "target", "review_weeks")


def add_intervention_group(*, lead, group, steps, actor, draft=None, **said):
    """Create a group without students. `said`: the fields of SAID; `steps`: (text, how often) each; `group`: the staff Group
    that runs it, or None; `draft`: (key, once) of the form's draft. Raises Denied or Refused."""
    permissions.require(MANAGE, actor)
    with db.atomic():
        _check(said, lead)
        row = _saved(InterventionGroup.create, lead=lead, group=group, created_by=actor, created_at=clock.now(), **said)
        _write_steps(row, steps)
        events.record("intervention.added", actor=actor, target=row.ref)
        if draft:
            account_actions.clear_draft(draft[0], actor=actor, once=draft[1])
    return row


def change_intervention_group(row, *, lead, group, steps, number, confirmed, actor, draft=None, **said):
    """Say something else; unchanged is no edit. `confirmed` is the confirmation_of() those who come to see the plans of the
    group by its new lead or staff group. Raises NotVisible, Denied, Refused, Unconfirmed or Conflict."""
    permissions.require_intervention(actor, row, template=True)
    with db.atomic():
        _check(said, lead, row)
        wanted = said | {"lead_id": lead.id, "group_id": group and group.id}
        changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
        new_steps = steps != _steps_of(row)
        confirm(newly_running(row, lead, group), confirmed)
        if changed or new_steps:
            _saved(row.change, number, **changed)
            fields = sorted([name.removesuffix("_id") for name in changed] + ["steps"] * new_steps)
            events.record("intervention.changed", actor=actor, target=row.ref, fields=fields)
        if new_steps:
            _write_steps(row, steps)
        if draft:
            account_actions.clear_draft(draft[0], actor=actor, once=draft[1])
    return row


def _check(said, lead, row=None):
    same = InterventionGroup.select().where(fn.LOWER(InterventionGroup.name) == said["name"].lower())
    if (same if row is None else same.where(InterventionGroup.id != row.id)).exists():
        raise Refused("name", TAKEN)
    if (row is None or row.lead_id != lead.id) and not (lead.is_active and lead.role in permissions.STAFF_ROLES):
        raise Refused("lead", f"{lead.name} can't be given this. Choose somebody else.")
    for name in ("baseline", "target"):
        if said[name] is not None and not said["measure"]:
            raise Refused("measure", f"Say what is measured: without that the {name} means nothing.")


def _saved(save, *values, **fields):
    """Two people who choose the same name at the same moment: the second is told, like anybody who comes later."""
    try:
        return save(*values, **fields)
    except IntegrityError:
        raise Refused("name", TAKEN) from None


def _steps_of(row):
    query = InterventionStep.select(InterventionStep.text, InterventionStep.how_often).where(InterventionStep.group == row.id)
    return list(query.order_by(InterventionStep.position, InterventionStep.id).tuples())


def _write_steps(row, steps):
    InterventionStep.delete().where(InterventionStep.group == row.id).execute()
    for position, (text, how_often) in enumerate(steps):
        InterventionStep.create(group=row, text=text, how_often=how_often, position=position)


# --- Students --------------------------------------------------------------------------------------------------------


def add_students(group, students, *, actor):
    """Bring students in: each who is not in the group yet, as far as the actor sees that, gets a plan from the template; all
    of them or none. Returns how many those are. Cases open as the dictionary says.

    Raises NotVisible, or Refused (field "students").
    """
    permissions.require_intervention(actor, group)
    if len(students) > MOST_AT_ONCE:
        raise Refused("students", f"Add at most {MOST_AT_ONCE} at once: choose fewer, and the rest afterwards.")
    _refuse_closed(students, actor)
    with db.atomic():
        group = _held(group)
        known = seen_in(actor, group)
        new = [student for student in {one.id: one for one in students}.values() if student.id not in known]
        plans = generate(group, new, actor=actor) if new else []
        if plans:
            fields = {"group": group.id, "added_by": actor.id, "at": clock.now()}
            InterventionMember.insert_many([{"student": plan.student.id, "plan": plan.id, **fields} for plan in plans]).execute()
            events.record("intervention.students_added", actor=actor, target=group.ref, count=len(plans))
    return len(new)


def _refuse_closed(students, actor):
    ids = {student.id for student in students}
    if permissions.visible_students(actor, Student.id).where(Student.id.in_(sorted(ids))).count() < len(ids):
        raise permissions.NotVisible("student")


def _held(group):
    """The group as it is now. Two who add students at the same moment do it one after the other; nobody is added to an
    archived group."""
    query = InterventionGroup.select().where(InterventionGroup.id == group.id)
    row = (query.for_update() if is_postgres() else query).get()
    if row.archived_at is not None:
        raise Refused("students", "This group is archived. Restore it first.")
    return row


def leave_group(group, plan_refs, *, actor):
    """The students of these plans leave the group: their plans end and are kept. All of them or none; who has left already
    makes no difference. Returns how many left. Raises NotVisible where the actor sees one of the plans not at all."""
    permissions.require_intervention(actor, group)
    refs = sorted(set(plan_refs))
    with db.atomic():
        query = permissions.visible_plans(actor, Plan).where(Plan.ref.in_(refs), Plan.intervention_group == group.id)
        plans = list(query.order_by(Plan.id))
        if len(plans) < len(refs):
            raise permissions.NotVisible(group.ref)
        here = InterventionMember.plan.in_([plan.id for plan in plans]) & InterventionMember.left_at.is_null()
        here &= InterventionMember.group == group.id
        gone = InterventionMember.update(left_at=clock.now(), left_by=actor).where(here).returning(InterventionMember.plan)
        ids = {row.plan_id for row in gone.execute()}
        left = [plan for plan in plans if plan.id in ids]
        events.record_each("intervention.student_left", [(plan.ref, {}) for plan in left], actor=actor, group=group.ref)
        end_each(left, LEFT, actor=actor)
    return len(left)


# --- The archive -----------------------------------------------------------------------------------------------------


def archive_intervention(group, *, version, actor):
    """No more students come in; the plans go on. Raises NotVisible, Denied or Conflict."""
    permissions.require_intervention(actor, group, template=True)
    with db.atomic():
        if group.archived_at is not None:
            raise Conflict(group)
        group.change(version, archived_at=clock.now(), archived_by=actor)
        events.record("intervention.archived", actor=actor, target=group.ref)
    return group


def restore_intervention(group, *, version, actor):
    """Take a group out of the archive. Raises NotVisible, Denied or Conflict."""
    permissions.require_intervention(actor, group, template=True)
    with db.atomic():
        if group.archived_at is None:
            raise Conflict(group)
        group.change(version, archived_at=None, archived_by=None)
        events.record("intervention.restored", actor=actor, target=group.ref)
    return group
