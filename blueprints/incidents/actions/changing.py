"""Text, details and students of an incident. Text is never overwritten: each edit is a version of its own."""

from peewee import JOIN

import events
import permissions
from blueprints.account import actions as account_actions
from blueprints.incidents.actions.adding import add_parts, check_students
from blueprints.incidents.actions.base import Refused, confirm, require_change
from blueprints.incidents.queries import record
from blueprints.incidents.queries.choices import incident_audience
from extensions import db
from models import Category, Conflict, Incident, IncidentRemoval, IncidentStudent, IncidentVersion, PartCategory


def edit_text(incident, text, reason, *, actor, number, draft=None):
    """Add a version of the text; `number` is the version that was edited. Raises Conflict if there is a newer one.

    Changes of other fields in the meantime don't matter: nothing of them is overwritten. `draft` is (key, once) of the
    form's draft.
    """
    require_change(actor, incident)
    with db.atomic():
        if text == incident.text and number == incident.text_version:
            return incident
        changed = (
            Incident.update(text=text, text_version=number + 1, version=Incident.version + 1)
            .where((Incident.id == incident.id) & (Incident.text_version == number))
            .execute()
        )
        if not changed:
            raise Conflict(Incident.get_by_id(incident.id))
        IncidentVersion.create(incident=incident, number=number + 1, text=text, author=actor, reason=reason)
        events.record("incident.text_changed", actor=actor, target=incident.ref, number=number + 1)
        if draft:
            account_actions.clear_draft(draft[0], actor=actor, once=draft[1])
    return Incident.get_by_id(incident.id)


def change_details(incident, *, happened_at, place, actor, version):
    """Change when it happened and the place. Raises Conflict."""
    require_change(actor, incident)
    with db.atomic():
        new = {"happened_at": happened_at, "place": place}
        fields = [name for name, value in new.items() if getattr(incident, name) != value]
        if fields:
            incident.change(version, **new)
            events.record("incident.details_changed", actor=actor, target=incident.ref, fields=fields)
    return incident


def change_students(incident, parts, *, actor, version, confirmed=""):
    """Give students (NewParts) this role and these categories; those who are not in the incident yet are added.

    Parts that the actor does not see stay as they are. Whoever would see the incident afterwards and doesn't now has
    to be confirmed. Raises Conflict, Refused or Unconfirmed.
    """
    require_change(actor, incident)
    with db.atomic():
        check_students(actor, parts)
        shown = {part.student_id: part for part in record.parts(actor, incident)}
        everybody = _all_parts(incident)
        added = [part for part in parts if part.student.id not in everybody]
        changed = [part for part in parts if part.student.id in shown and _differs(part, everybody[part.student.id])]
        _refuse_hidden(parts, shown, everybody)
        if not added and not changed:
            return incident
        after = {student: picks for student, (_, _, picks) in everybody.items()}
        after |= {part.student.id: part.category_ids for part in parts}
        confirm(incident_audience(incident, parts=list(after.items())).new, confirmed)
        incident.change(version)
        was = {part.student.ref: _in_refs(everybody[part.student.id]) for part in changed}
        add_parts(incident, added)
        for part in changed:
            _change_part(everybody[part.student.id][0], part)
        events.record(
            "incident.students_changed",
            actor=actor,
            target=incident.ref,
            added=[part.student.ref for part in added],
            changed=[part.student.ref for part in changed],
            was=was,
        )
    return incident


def take_off(incident, student_ref, reason, *, actor, version, confirmed=""):
    """Take a student off an incident that isn't about them, for a `reason`. Their part is kept as an IncidentRemoval.

    Whoever would see the incident without that part and doesn't now has to be confirmed: somebody excluded from the
    student, or kept away by the part's categories. Raises NotVisible for a part that the actor does not see, Refused for
    the last one they see, Conflict or Unconfirmed.
    """
    require_change(actor, incident)
    with db.atomic():
        shown = {part.student_ref: part for part in record.parts(actor, incident)}
        if student_ref not in shown:
            raise permissions.NotVisible(student_ref)
        if len(shown) == 1:  # others that the actor does not see don't count: an answer would tell of them
            raise Refused("students", "An incident is about somebody. Add the right person first, then take this one off.")
        gone, everybody = shown[student_ref], _all_parts(incident)
        after = [(student, picks) for student, (_, _, picks) in everybody.items() if student != gone.student_id]
        confirm(incident_audience(incident, parts=after).new, confirmed)
        incident.change(version)
        was = _in_refs(everybody[gone.student_id])
        IncidentRemoval.create(
            incident=incident,
            student=gone.student_id,
            role=was["role"],
            categories=" ".join(was["categories"]),
            removed_by=actor,
            reason=reason,
        )
        PartCategory.delete().where(PartCategory.part == gone.id).execute()
        IncidentStudent.delete().where(IncidentStudent.id == gone.id).execute()
        events.record("incident.student_removed", actor=actor, target=incident.ref, student=student_ref)
    return incident


def _in_refs(part):
    """The role and the categories that a part had: nothing else keeps them once they are changed."""
    _, role, picks = part
    refs = [ref for (ref,) in Category.select(Category.ref).where(Category.id.in_(picks)).tuples()] if picks else []
    return {"role": role, "categories": refs}


def _all_parts(incident):
    """{student id: (part id, role, [category ids])} of every part."""
    parts = {}
    query = (
        IncidentStudent.select(
            IncidentStudent.student_id, IncidentStudent.id, IncidentStudent.role, PartCategory.category_id
        )
        .join(PartCategory, JOIN.LEFT_OUTER)
        .where(IncidentStudent.incident == incident.id)
    )
    for student, part, role, category in query.tuples():
        picks = parts.setdefault(student, (part, role, []))[2]
        if category:
            picks.append(category)
    return parts


def _differs(part, now):
    _, role, picks = now
    return part.role != role or set(part.category_ids) != set(picks)


def _refuse_hidden(parts, shown, everybody):
    for part in parts:
        if part.student.id in everybody and part.student.id not in shown:
            raise Refused("students", f"{part.student.name} can't be added here. Ask your Admin Key Holder.")


def _change_part(part_id, part):
    IncidentStudent.update(role=part.role).where(IncidentStudent.id == part_id).execute()
    PartCategory.delete().where(
        (PartCategory.part == part_id) & PartCategory.category.not_in(part.category_ids)
    ).execute()
    PartCategory.insert_many(
        [(part_id, category) for category in dict.fromkeys(part.category_ids)],
        fields=[PartCategory.part, PartCategory.category],
    ).on_conflict_ignore().execute()
