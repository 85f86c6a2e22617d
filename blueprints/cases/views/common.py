"""What the pages share: loading the case a page is about, and trying to save a form."""

from dataclasses import dataclass
from typing import Any

from flask import current_app, g, redirect, request, url_for

import permissions
from blueprints.cases import actions, queries
from blueprints.kit import uploads
from blueprints.kit.wording import compare
from models import Conflict


def loaded(ref):
    """The case for this request, or 404. A GET records the read; a POST leaves that to its action."""
    return queries.case(g.user, ref, audit=request.method in ("GET", "HEAD"))


def managed(ref):
    """The same for a page that only those may open who attach, detach, close and reopen (403 for other readers)."""
    case = loaded(ref)
    if not queries.may_manage(case):
        raise permissions.Denied("case.manage")
    return case


def to_case(ref, anchor=None):
    """After saving: back to the case, unless the change has closed it to whoever made it."""
    try:
        queries.case(g.user, ref, audit=False)
    except permissions.NotVisible:
        return redirect(url_for("cases.mine"), 303)
    return redirect(url_for("cases.case", ref=ref, _anchor=anchor), 303)


def upload_folder():
    return current_app.settings.instance / "files"


@dataclass
class Attempt:
    """What came of a form: `saved`; or `theirs`, the row that somebody else changed first; or errors in the form."""

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
        form["files"].errors = [*form["files"].errors, problem.sentence]
    except Conflict as conflict:
        found.theirs = conflict.row
        form.rebase(conflict.row)
    return found


def compared(wordings):
    """[(wording, [(label, text, pieces)])] of queries.Wordings, the newest first: what is filled in, or was in the
    wording before; `pieces` say what changed (kit/wording.py), None where nothing did or it is too long to compare."""
    before = [dict(wording.fields) for wording in wordings[1:]] + [None]
    return [(new, _changes(new.fields, old)) for new, old in zip(wordings, before, strict=True)]


def _changes(fields, old):
    was = old or {}
    shown = [(label, text) for label, text in fields if text or was.get(label)]
    return [(label, text, compare(was[label], text) if old and was[label] != text else None) for label, text in shown]
