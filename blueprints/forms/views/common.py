"""What the pages about forms share: loading the form that a page builds, trying what was sent."""

from flask import g, request

from blueprints.forms import queries
from blueprints.kit.attempt import Attempt, attempt


def loaded(ref):
    """The form for this request of somebody who builds forms, or 404. A GET records the read; a POST leaves that to its
    action."""
    return queries.built_form(g.user, ref, audit=request.method in ("GET", "HEAD"))


def sent(form, work):
    """Try `work`, if the form was sent and is valid."""
    return attempt(form, work) if form.validate_on_submit() else Attempt(form)
