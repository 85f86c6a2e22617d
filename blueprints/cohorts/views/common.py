"""What the pages about cohorts and milestones share: loading the cohort a page is about, what is searched for, trying a form."""

from flask import g, request

from blueprints.cohorts import queries
from blueprints.kit import tables_out
from blueprints.kit.attempt import Attempt, attempt
from blueprints.kit.text import one_line

FORMATS = {"csv": tables_out.csv_response, "xlsx": tables_out.xlsx_response}


def loaded(ref):
    """The cohort for this request, or 404. A GET records the read; a POST leaves that to its action."""
    return queries.cohort(g.user, ref, audit=request.method in ("GET", "HEAD"))


def searched():
    """What the address searches for."""
    return one_line(request.args.get("q", ""))[:100]


def sent(form, work):
    """The same for a form that may not have been sent at all, or may not be valid."""
    return attempt(form, work) if form.validate_on_submit() else Attempt(form)
