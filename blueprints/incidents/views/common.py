"""What the pages share: loading the incident a page is about, and the way back to it."""

from flask import g, redirect, request, url_for

import permissions
from blueprints.incidents import queries
from blueprints.kit import presentation


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


def confirmed():
    """The confirmation that this form carries, if somebody ticked it."""
    return request.form.get("confirmed", "")
