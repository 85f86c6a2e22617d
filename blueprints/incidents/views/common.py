"""What the pages share: loading the incident a page is about, and trying to save a form."""

from dataclasses import dataclass
from typing import Any

from flask import current_app, g, redirect, request, url_for

import permissions
from blueprints.incidents import actions, queries
from blueprints.kit import presentation, uploads
from models import Conflict


def loaded(ref):
    """The incident for this request, or 404. A GET records the read; a POST leaves that to its action."""
    return queries.incident(g.user, ref, audit=request.method in ("GET", "HEAD"))


def changeable(ref):
    """The same for a page that only those may open who may change the incident."""
    incident = loaded(ref)
    if not queries.may_change(g.user, incident):
        raise permissions.Denied("incident.change")
    return incident


def need(capability):
    """Raise Denied unless the reader of this incident has the capability."""
    if not permissions.can(g.user, capability):
        raise permissions.Denied(capability)


def to_incident(ref):
    """After saving: back to the incident, unless the change has closed it to whoever made it."""
    try:
        queries.incident(g.user, ref, audit=False)
    except permissions.NotVisible:
        return redirect(url_for("incidents.index"), 303)
    return redirect(url_for("incidents.incident", ref=ref), 303)


def in_school_words(form):
    """The form with the school's own word for students in the label of its field Students."""
    form.students.label.text = student_words()
    return form


def student_words():
    """What the school calls students, in the plural."""
    word = g.school.student_word
    return presentation.WORDS.get(word, f"{word}s")


def upload_folder():
    return current_app.settings.instance / "files"


@dataclass
class Attempt:
    """What came of a form: `saved`; or `people` who have to be confirmed; or `theirs`, the row that somebody else
    changed first; or errors in the form."""

    form: Any
    result: Any = None
    saved: bool = False
    people: tuple = ()
    confirmation: str = ""
    theirs: Any = None

    @property
    def status(self):
        """The HTTP status of the page that shows it."""
        if self.theirs is not None:
            return 409
        return 422 if self.people or self.form.errors else 200


def attempt(form, work):
    """Run `work` and put what stops it where the page can show it. After a conflict the form can be sent again."""
    found = Attempt(form)
    try:
        found.result = work()
        found.saved = True
    except actions.Refused as problem:
        blame(form, problem.field, problem.sentence)
    except uploads.UploadProblem as problem:
        blame(form, "files", problem.sentence)
    except actions.Unconfirmed as question:
        found.people, found.confirmation = question.people, question.confirmation
    except Conflict as conflict:
        found.theirs = conflict.row
        form.rebase(conflict.row)
    return found


def blame(form, name, sentence):
    """Add a sentence to a field's errors, if there is one."""
    if sentence:
        form[name].errors = [*form[name].errors, sentence]


def confirmed():
    """The confirmation that this form carries, if somebody ticked it."""
    return request.form.get("confirmed", "")
