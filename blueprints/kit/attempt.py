"""How the pages try to save a form, and the files that records have. Decides nothing: the actions do."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Response, current_app, request

import permissions
from blueprints.kit import uploads
from blueprints.kit.refusing import Refused, Unconfirmed
from models import Conflict, StoredFile


@dataclass
class Attempt:
    """What came of a form: `saved` with its `result`; or `people` who have to be confirmed; or `theirs`, the row that
    somebody else changed first; or errors in the form."""

    form: Any
    result: Any = None
    saved: bool = False
    people: tuple = ()
    confirmation: str = ""
    theirs: Any = None

    @property
    def status(self) -> int:
        """The HTTP status of the page that shows it."""
        if self.theirs is not None:
            return 409
        return 422 if self.people or self.form.errors else 200


def attempt(form: Any, work: Callable[[], Any]) -> Attempt:
    """Run `work` and put what stops it where the page can show it. After a conflict the form can be sent again."""
    found = Attempt(form)
    try:
        found.result = work()
        found.saved = True
    except Refused as problem:
        blame(form, problem.field, problem.sentence)
    except uploads.UploadProblem as problem:
        blame(form, "files", problem.sentence)
    except Unconfirmed as question:
        found.people, found.confirmation = question.people, question.confirmation
    except Conflict as conflict:
        found.theirs = conflict.row
        if hasattr(form, "rebase"):
            form.rebase(conflict.row)
    return found


def sent_from(number: int) -> int | None:
    """The number of the wording that a form is made from, for the page that offers it. None for a form that was sent: it has to
    bring its own, or it would overwrite whatever stands there."""
    return number if request.method == "GET" else None


def blame(form: Any, name: str, sentence: str | None) -> None:
    """Add a sentence, if there is one, to a field's errors; to the form's own where it has no such field."""
    if sentence and name in form:
        form[name].errors = [*form[name].errors, sentence]
    elif sentence:
        form.form_errors.append(sentence)


def upload_folder() -> Path:
    """Where the files of this instance lie."""
    return current_app.settings.instance / "files"


def download(file: StoredFile, asked: str) -> Response:
    """The answer with the bytes of a file; NotVisible with what was `asked` for when they are gone."""
    try:
        return uploads.download_response(upload_folder(), file.path_name, file.name, file.media_type)
    except FileNotFoundError:
        raise permissions.NotVisible(asked) from None
