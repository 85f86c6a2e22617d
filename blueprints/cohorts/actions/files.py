"""Files of milestones and of their templates. Bytes are written before the transaction and discarded if it does not come to
pass (see blueprints/incidents/actions/files.py); removing a file keeps its bytes."""

from contextlib import contextmanager

import events
import permissions
from blueprints.cohorts.actions.base import hold_milestone
from blueprints.incidents.actions.files import save_stored
from blueprints.incidents.queries import room_for_files
from blueprints.kit import uploads
from blueprints.kit.text import human_size
from extensions import clock, db
from models import MilestoneTemplate, StoredFile


@contextmanager
def copied(folder, files):
    """`with copied(folder, files) as copies:` writes the bytes of these StoredFiles once more and gives {id of a file: Stored}
    for save_copies(); an exception discards them all. A file whose bytes are gone is left out. Raises UploadProblem when the
    quota has no room for them."""
    size, room = sum(file.size for file in files), room_for_files()
    if size > room:
        raise uploads.UploadProblem(f"The files are {human_size(size)}, and there is room for {human_size(max(room, 0))} only. "
                                    "Ask your Admin Key Holder.")  # fmt: skip
    copies = {}
    try:
        for file in files:
            try:
                copies[file.id] = uploads.copy(folder, file.path_name, file.media_type, file.name)
            except FileNotFoundError:
                continue
        yield copies
    except BaseException:
        for one in copies.values():
            uploads.discard(folder, one.path_name)
        raise


def save_copies(files, copies, actor, **record):
    """Rows for the copies of `files` on another record (milestone=… or milestone_template=…), in the open transaction."""
    return save_stored([copies[file.id] for file in files if file.id in copies], actor, **record)


def remove_file(milestone, file, *, actor):
    """Take a file of this milestone off it; one that is off already stays so. Raises Denied, NotVisible for a milestone that is
    removed, or Refused while its cohort is archived."""
    permissions.require("cohort.manage", actor)
    with db.atomic():
        hold_milestone(milestone, "files")
        if _removed(file, actor, StoredFile.milestone == milestone.id):
            events.record("milestone.file_removed", actor=actor, target=milestone.ref, file=file.ref)


def remove_template_file(template, file, *, actor):
    """Take a file of this template off it. Raises Denied, or NotVisible for a template that is removed."""
    permissions.require("cohort.manage", actor)
    with db.atomic():
        kept = (MilestoneTemplate.id == template.id) & MilestoneTemplate.removed_at.is_null()
        if not MilestoneTemplate.select().where(kept).exists():
            raise permissions.NotVisible(template.ref)
        if _removed(file, actor, StoredFile.milestone_template == template.id):
            events.record("milestone.file_removed", actor=actor, target=template.ref, file=file.ref)


def _removed(file, actor, of_this):
    there = (StoredFile.id == file.id) & of_this & StoredFile.removed_at.is_null()
    return StoredFile.update(removed_at=clock.now(), removed_by=actor).where(there).execute()
