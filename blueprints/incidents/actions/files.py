"""Files of an incident. Bytes are written before the transaction and discarded if it does not come to pass; removing a
file keeps its bytes."""

from contextlib import contextmanager

import events
import permissions
from blueprints.incidents.queries.choices import room_for_files
from blueprints.kit import uploads
from extensions import clock, db
from models import StoredFile


@contextmanager
def taken(folder, files, room=None):
    """`with taken(folder, files) as stored:` writes uploaded files below `folder`; an exception discards them all. `room`:
    bytes that there is room for; what the school's quota leaves unless given.

    Raises UploadProblem for a file that can't be taken, or when the quota is used up.
    """
    stored = uploads.store_all(folder, files, room=room_for_files() if room is None else room) if files else []
    try:
        yield stored
    except BaseException:
        for one in stored:
            uploads.discard(folder, one.path_name)
        raise


def save_stored(stored, actor, **record):
    """Rows for files that are written, in the open transaction; `record` is incident=… or case=…."""
    return [
        StoredFile.create(
            **record,
            name=one.original_name,
            path_name=one.path_name,
            media_type=one.media_type,
            size=one.size,
            sha256=one.sha256,
            uploaded_by=actor,
        )
        for one in stored
    ]


def add_files(incident, stored, *, actor):
    """Add files that are written already to the incident; everybody who reads it may."""
    permissions.require("incident.read", actor, incident)
    with db.atomic():
        rows = save_stored(stored, actor, incident=incident)
        for row in rows:
            events.record("incident.file_added", actor=actor, target=incident.ref, file=row.ref, size=row.size)
    return rows


def remove_file(incident, file, *, actor):
    """Take a file off the incident: whoever added it, or may change the incident."""
    permissions.require("incident.read", actor, incident)
    if file.uploaded_by_id != actor.id and not permissions.may_change_incident(actor, incident):
        raise permissions.Denied("incident.change")
    with db.atomic():
        removed = (
            StoredFile.update(removed_at=clock.now(), removed_by=actor)
            .where((StoredFile.id == file.id) & StoredFile.removed_at.is_null())
            .execute()
        )
        if removed:
            events.record("incident.file_removed", actor=actor, target=incident.ref, file=file.ref)
