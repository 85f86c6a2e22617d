"""What the pages share: loading the case a page is about, the way back to it, and its wordings side by side."""

from flask import g, redirect, request, url_for

import permissions
from blueprints.cases import queries
from blueprints.kit.wording import compare


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


def compared(wordings):
    """[(wording, [(label, text, pieces)])] of queries.Wordings, the newest first: what is filled in, or was in the
    wording before; `pieces` say what changed (kit/wording.py), None where nothing did or it is too long to compare."""
    before = [dict(wording.fields) for wording in wordings[1:]] + [None]
    return [(new, _changes(new.fields, old)) for new, old in zip(wordings, before, strict=False)]  # none has none before


def _changes(fields, old):
    was = old or {}
    shown = [(label, text) for label, text in fields if text or was.get(label)]
    return [(label, text, compare(was[label], text) if old and was[label] != text else None) for label, text in shown]
