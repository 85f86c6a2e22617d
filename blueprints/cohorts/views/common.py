"""What the pages about cohorts and milestones share: loading the cohort a page is about, trying to save a form, answering with
a stored file."""

from dataclasses import dataclass
from typing import Any

from flask import current_app, g, request

import permissions
from blueprints.cohorts import actions, queries
from blueprints.kit import tables_out, uploads
from blueprints.kit.text import one_line
from models import Conflict

FORMATS = {"csv": tables_out.csv_response, "xlsx": tables_out.xlsx_response}


def loaded(ref):
    """The cohort for this request, or 404. A GET records the read; a POST leaves that to its action."""
    return queries.cohort(g.user, ref, audit=request.method in ("GET", "HEAD"))


def searched():
    """What the address searches for."""
    return one_line(request.args.get("q", ""))[:100]


def upload_folder():
    return current_app.settings.instance / "files"


def download(file):
    """The answer with the bytes of a StoredFile; 404 when they are gone."""
    try:
        return uploads.download_response(upload_folder(), file.path_name, file.name, file.media_type)
    except FileNotFoundError:
        raise permissions.NotVisible(file.ref) from None


@dataclass
class Attempt:
    """What came of a form: `saved` with its `result`; or `theirs`, the row that somebody else changed first; or errors in the
    form."""

    form: Any
    result: Any = None
    saved: bool = False
    theirs: Any = None

    @property
    def status(self):
        """The HTTP status of the page that shows it."""
        if self.theirs is not None:
            return 409
        return 422 if self.form.errors else 200


def attempt(form, work):
    """Run `work` and put what stops it where the page can show it. After a conflict the form can be sent again."""
    found = Attempt(form)
    try:
        found.result = work()
        found.saved = True
    except actions.Refused as problem:
        form[problem.field].errors = [*form[problem.field].errors, problem.sentence]
    except uploads.UploadProblem as problem:
        if "files" in form:
            form["files"].errors = [*form["files"].errors, problem.sentence]
        else:
            form.form_errors.append(problem.sentence)
    except Conflict as conflict:
        found.theirs = conflict.row
        if hasattr(form, "rebase"):
            form.rebase(conflict.row)
    return found


def sent(form, work):
    """The same for a form that may not have been sent at all, or may not be valid."""
    return attempt(form, work) if form.validate_on_submit() else Attempt(form)
