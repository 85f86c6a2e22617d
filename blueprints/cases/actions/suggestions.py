"""Opening the cases that a trigger would have opened, for the students who were chosen by name. The trigger need not be on;
everything else is as if it had been: one case for each student and type, or the newest open one that is joined."""

import events
import permissions
from blueprints.cases.actions.triggering import case_type_of, open_or_join
from blueprints.cases.queries.dictionary import suggestion_readers
from blueprints.cases.queries.suggestions import happenings
from blueprints.cases.queries.triggers import all_settings
from blueprints.kit.refusing import Refused, confirm
from extensions import db
from models import Form, Student, Trigger


def open_suggested(kind, since, students, *, confirmed, actor):
    """For these students (references): what happened to them since that moment and belongs to no case of theirs opens one, or
    joins. Returns how many students that was. `confirmed` is the confirmation_of() those who will see the cases beside the
    Admin Key Holders. Raises Denied, Refused or Unconfirmed."""
    permissions.require("dictionary", actor)
    with db.atomic():
        settings = all_settings(actor)
        confirm(suggestion_readers(actor, kind, settings), confirmed)
        rows = happenings(actor, kind, since, settings, students)
        if not rows:
            raise Refused("students", "Choose at least one. Whoever is not in the list any more has a case by now.")
        events.record("dictionary.opened", actor=actor, kind=kind, count=len({row.student_id for row in rows}))
        _open(kind, rows, actor)
    return len({row.student_id for row in rows})


def _open(kind, rows, actor):
    """In one order for everybody, as triggering.happened_to_each()."""
    triggers = _triggers(kind)
    known = {row.id: row for row in Student.select().where(Student.id.in_([row.student_id for row in rows]))}
    for row in sorted(rows, key=lambda row: (row.student_id, row.at, row.record_id)):
        trigger = triggers.get(row.form, triggers[None])
        case_type = case_type_of(trigger)
        if case_type is None:
            raise Refused("students", "No case type is in use, so no case can be opened. Add one first.")
        open_or_join(trigger, case_type, known[row.student_id], row.record_id, row.record, actor=actor)


def _triggers(kind):
    """{reference of a form, None for the dictionary's own: Trigger}"""
    triggers = {row.form_id: row for row in Trigger.select().where(Trigger.kind == kind)}
    forms = Form.select(Form.id, Form.ref).where(Form.id.in_([number for number in triggers if number]))
    return {None: triggers[None]} | {form.ref: triggers[form.id] for form in forms}
