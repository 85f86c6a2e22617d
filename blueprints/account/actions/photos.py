"""The photo of a staff card. Its bytes lie below instance/files, written before the transaction that names them."""

from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from werkzeug.datastructures import FileStorage

from blueprints.account.actions.base import Refused
from blueprints.kit import uploads


class Photo(NamedTuple):
    """What a form says about the photo: a new one, or that there is to be none."""

    folder: Path
    file: FileStorage | None = None
    remove: bool = False


@contextmanager
def photo_fields(account, photo):
    """`with photo_fields(account, photo) as fields:` gives the field to save, if any. A new file that did not come to be
    saved is removed from disk, and so is the old one after it was replaced: a photo is its owner's to take back."""
    fields = _written(photo) if photo else {}
    old = account.photo_path
    try:
        yield fields
    except BaseException:
        if fields.get("photo_path"):
            uploads.discard(photo.folder, fields["photo_path"])
        raise
    if old and fields:
        uploads.discard(photo.folder, old)


def _written(photo):
    if photo.file:
        try:
            return {"photo_path": uploads.store_portrait(photo.folder, photo.file)}
        except uploads.UploadProblem as problem:
            raise Refused(problem.sentence, "photo") from None
    return {"photo_path": ""} if photo.remove else {}
