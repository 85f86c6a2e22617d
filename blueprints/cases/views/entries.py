"""Entries of a case: all of them with the form for another one, changing one as a new version, reading every version."""

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

import permissions
from blueprints.account import actions as account_actions
from blueprints.account import queries as accounts
from blueprints.cases import actions, queries
from blueprints.cases.forms.written import EditEntryForm, EntryForm
from blueprints.cases.views import bp
from blueprints.cases.views.common import compared, loaded, to_case
from blueprints.kit import listing, presentation
from blueprints.kit.attempt import attempt, sent_from


@bp.route("/cases/<ref>/entries", methods=["GET", "POST"])
@permissions.policy("case.read", record=True)
def add_entry(ref):
    case = loaded(ref)
    key = queries.draft_keys(case)["entry"]
    draft = accounts.draft(g.user, key) if request.method == "GET" else None
    form = EntryForm(formdata=MultiDict(draft)) if draft else EntryForm()
    if form.validate_on_submit():
        given = {"actor": g.user, "draft": (key, form.once.data)}
        if attempt(form, lambda: actions.add_entry(case, form.text.data, **given)).saved:
            presentation.nudge()
            flash("The entry was added.", "ok")
            return to_case(ref, "entries")
    fetch, count = queries.entries(g.user, case)
    page = {"case": case, "may_manage": queries.may_manage(case), "form": form, "draft": draft, "draft_key": key}
    page["page"] = listing.paginate(fetch, request.args.get("page"), count=count)
    return render_template("cases/entries.html", **page), 422 if form.errors else 200


@bp.route("/cases/<ref>/entries/draft-removal", methods=["POST"])
@permissions.policy("case.read", record=True)
def entry_draft_removal(ref):
    account_actions.clear_draft(queries.draft_keys(loaded(ref))["entry"], actor=g.user)
    flash("The draft was discarded.", "ok")
    return to_case(ref, "entries")


@bp.route("/cases/<ref>/entries/<entry_ref>", methods=["GET", "POST"])
@permissions.policy("case.read", record=True)
def entry(ref, entry_ref):
    case = loaded(ref)
    row = _changeable(case, entry_ref)
    key = _draft_of(row)
    draft = accounts.draft(g.user, key) if request.method == "GET" else None
    now = {"text": row.text, "number": sent_from(row.text_version)}
    form = EditEntryForm(formdata=MultiDict(draft)) if draft else EditEntryForm(data=now)
    tried = None
    if form.validate_on_submit():
        tried = attempt(form, lambda: _edit(case, row, form))
        if tried.saved:
            presentation.nudge()
            flash("The entry was saved as a new version.", "ok")
            return to_case(ref, "entries")
    code = tried.status if tried else 422 if form.errors else 200
    page = {"case": case, "entry": row, "form": form, "tried": tried, "draft": draft, "draft_key": key}
    return render_template("cases/entry.html", **page), code


def _changeable(case, entry_ref):
    """The entry, for a page that only those may open who may change it (403 for other readers)."""
    row = queries.entry(g.user, case, entry_ref)
    if not queries.may_change_entry(g.user, case, row):
        raise permissions.Denied("case.entry")
    return row


def _draft_of(entry):
    return f"case-entry-text:{entry.ref.lower()}"


def _edit(case, row, form):
    given = {"number": form.number.data, "draft": (_draft_of(row), form.once.data)}
    return actions.edit_entry(case, row, form.text.data, form.reason.data, actor=g.user, **given)


@bp.route("/cases/<ref>/entries/<entry_ref>/draft-removal", methods=["POST"])
@permissions.policy("case.read", record=True)
def entry_text_draft_removal(ref, entry_ref):
    row = _changeable(loaded(ref), entry_ref)
    account_actions.clear_draft(_draft_of(row), actor=g.user)
    flash("The draft was discarded.", "ok")
    return redirect(url_for("cases.entry", ref=ref, entry_ref=row.ref), 303)


@bp.route("/cases/<ref>/entries/<entry_ref>/versions")
@permissions.policy("case.read", record=True)
def entry_versions(ref, entry_ref):
    case = loaded(ref)
    wordings = compared(queries.entry_wordings(g.user, queries.entry(g.user, case, entry_ref)))
    return render_template("cases/versions.html", case=case, title="Versions of an entry", wordings=wordings)
