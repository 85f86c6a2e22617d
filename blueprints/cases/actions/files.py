"""Files of a case. Bytes are written before the transaction and discarded if it does not come to pass (see
blueprints/incidents/actions/files.py); removing a file keeps its bytes."""

import events
import permissions
from blueprints.cases.actions.base import note_activity, refuse_closed
from blueprints.incidents.actions.files import save_stored
from extensions import clock, db
from models import StoredFile


def add_files(case, stored, *, actor):
    """Add files that are written already to the case; everybody who sees it may. Raises NotVisible or Refused."""
    permissions.require("case.read", actor, case=case)
    with db.atomic():
        refuse_closed(case, "files")
        rows = save_stored(stored, actor, case=case)
        for row in rows:
            events.record("case.file_added", actor=actor, target=case.ref, file=row.ref, size=row.size)
        note_activity(case, "file", actor=actor)
    return rows


def remove_file(case, file, *, actor):
    """Take a file of this case off it: whoever added it, or manages the case. Raises NotVisible, Denied or Refused."""
    permissions.require("case.read", actor, case=case)
    if file.uploaded_by_id != actor.id:
        permissions.require_managing(actor, case)
    with db.atomic():
        refuse_closed(case, "files")
        removed = (
            StoredFile.update(removed_at=clock.now(), removed_by=actor)
            .where((StoredFile.id == file.id) & (StoredFile.case == case.id) & StoredFile.removed_at.is_null())
            .execute()
        )
        if removed:
            events.record("case.file_removed", actor=actor, target=case.ref, file=file.ref)
            note_activity(case, "file", actor=actor)
