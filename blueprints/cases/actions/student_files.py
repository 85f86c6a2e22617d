"""Files on a student's profile: submitting them, changing what they are and who sees them, taking one off.

Bytes are written before the transaction and discarded if it does not come to pass (blueprints/incidents/actions/files.py);
removing a file keeps its bytes.
"""

import events
import permissions
from blueprints.cases.actions.base import Refused
from blueprints.cases.actions.triggering import happened_to_each
from blueprints.incidents.actions.files import save_stored
from extensions import clock, db
from models import Group, StoredFile, StudentFileGroup

MANAGE = permissions.MANAGE_FILE
RELATED, GROUPS = "related", "groups"


def submit_files(student, stored, *, actor, shown_to, groups=(), category=None):
    """Put files that are written already onto the student's profile. `shown_to`: "related", whoever works with the student, or
    "groups", members of `groups`. Raises NotVisible, Denied or Refused."""
    permissions.require("file.submit", actor, student=student)
    with db.atomic():
        _refuse_audience(shown_to, groups)
        _refuse_category(category)
        rows = save_stored(stored, actor, student=student, file_category=category, shown_to=shown_to)
        for row in rows:
            _show_to(row, groups)
            events.record("student.file_added", actor=actor, target=student.ref, file=row.ref, size=row.size)
        happened_to_each("file", [(student, row) for row in rows], actor=actor)
    return rows


def change_student_file(student, file, *, category, shown_to, groups=(), actor, version):
    """Another category, or others who see it: for whoever submitted it and Admin Key Holders. Raises NotVisible, Denied,
    Refused or Conflict."""
    _require_managing(student, file, actor)
    with db.atomic():
        _refuse_audience(shown_to, groups)
        now = _there(student, file)
        if category and category.id != now.file_category_id:
            _refuse_category(category)
        before = {group for (group,) in StudentFileGroup.select(StudentFileGroup.group).where(_of(now)).tuples()}
        given = {"file_category": category and category.id, "shown_to": shown_to}
        was = {"file_category": now.file_category_id, "shown_to": now.shown_to}
        fields = {name: value for name, value in given.items() if value != was[name]}
        groups_changed = {group.id for group in groups} != before
        if not fields and not groups_changed and version == now.version:
            return now
        now.change(version, **fields)
        if groups_changed:
            StudentFileGroup.delete().where(_of(now)).execute()
            _show_to(now, groups)
        changed = sorted([*fields, *(["groups"] if groups_changed else [])])
        events.record("student.file_changed", actor=actor, target=student.ref, file=now.ref, fields=changed,
                      groups=sorted(group.ref for group in groups))  # fmt: skip
    return now


def remove_student_file(student, file, *, actor):
    """Take a file off the profile: for whoever submitted it and Admin Key Holders. Raises NotVisible or Denied."""
    _require_managing(student, file, actor)
    with db.atomic():
        there = (StoredFile.id == file.id) & StoredFile.removed_at.is_null()
        if StoredFile.update(removed_at=clock.now(), removed_by=actor).where(there).execute():
            events.record("student.file_removed", actor=actor, target=student.ref, file=file.ref)


def _require_managing(student, file, actor):
    permissions.require("file.submit", actor, student=student)
    if file.student_id != student.id:
        raise permissions.NotVisible(f"{student.ref}/{file.ref}")
    permissions.require_record("file", actor, file, MANAGE)


def _there(student, file):
    now = StoredFile.get_by_id(file.id)
    if now.removed_at is not None:
        raise permissions.NotVisible(f"{student.ref}/{file.ref}")
    return now


def _of(file):
    return StudentFileGroup.file == file.id


def _show_to(file, groups):
    for group in groups:
        StudentFileGroup.create(file=file, group=group)


def _refuse_audience(shown_to, groups):
    if shown_to not in (RELATED, GROUPS):
        raise Refused("shown_to", "Say who may see it.")
    if shown_to == GROUPS and not groups:
        raise Refused("groups", "Tick at least one group.")
    if shown_to == RELATED and groups:
        raise Refused("groups", "Groups are ticked: choose to show it to them alone, or untick them.")
    ids = [group.id for group in groups]
    if Group.select().where(Group.id.in_(ids) & Group.is_active).count() != len(ids):
        raise Refused("groups", "A group you ticked can't be chosen any more. Choose again.")


def _refuse_category(category):
    if category is not None and category.is_retired:
        raise Refused("category", "This category can't be chosen any more. Choose another.")
