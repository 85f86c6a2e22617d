"""The sections of a case: Presenting, and the agencies of Law Enforcement, Child Protection Services and Prosecution."""

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

import permissions
from blueprints.account import actions as account_actions
from blueprints.account import queries as accounts
from blueprints.cases import actions, queries
from blueprints.cases.forms.written import AgencyForm, PresentingForm
from blueprints.cases.views import bp
from blueprints.cases.views.common import compared, loaded, to_case
from blueprints.kit import presentation
from blueprints.kit.attempt import attempt, sent_from


def _form(kind, key, now):
    """(the form, the draft it was filled from or None): as it was sent, else from the draft, else from `now`."""
    draft = accounts.draft(g.user, key) if request.method == "GET" else None
    return (kind(formdata=MultiDict(draft)) if draft else kind(data=now)), draft


def _both(form, tried):
    """[(label, what was typed, what stands now)] where they differ; nothing without a conflict."""
    if tried is None or tried.theirs is None:
        return []
    mine = queries.shown(form.values(), form.labels)
    theirs = queries.shown({name: getattr(tried.theirs, name) for name in form.labels}, form.labels)
    return [(label, typed, stored) for (label, typed), (_, stored) in zip(mine, theirs, strict=True) if typed != stored]


def _page(template, form, tried, **page):
    code = tried.status if tried else 422 if form.errors else 200
    return render_template(template, form=form, theirs=_both(form, tried), **page), code


def _discarded(key):
    account_actions.clear_draft(key, actor=g.user)
    flash("The draft was discarded.", "ok")


# --- Presenting ------------------------------------------------------------------------------------------------------


@bp.route("/cases/<ref>/presenting", methods=["GET", "POST"])
@permissions.policy("case.read", record=True)
def presenting(ref):
    case = loaded(ref)
    row = queries.presenting(g.user, case)
    key = queries.draft_keys(case)["presenting"]
    now = {name: getattr(row, name) for name in PresentingForm.labels} | {"number": sent_from(row.number)} if row else {}
    form, draft = _form(PresentingForm, key, now)
    tried = None
    if form.validate_on_submit():
        given = {"number": form.number.data or 0, "draft": (key, form.once.data)}
        tried = attempt(form, lambda: actions.save_presenting(case, form.values(), actor=g.user, **given))
        if tried.saved:
            presentation.nudge()
            flash("The section Presenting was saved.", "ok")
            return to_case(ref, "presenting")
    return _page("cases/presenting.html", form, tried, case=case, draft=draft, draft_key=key)


@bp.route("/cases/<ref>/presenting/draft-removal", methods=["POST"])
@permissions.policy("case.read", record=True)
def presenting_draft_removal(ref):
    _discarded(queries.draft_keys(loaded(ref))["presenting"])
    return redirect(url_for("cases.presenting", ref=ref), 303)


@bp.route("/cases/<ref>/presenting/versions")
@permissions.policy("case.read", record=True)
def presenting_versions(ref):
    case = loaded(ref)
    wordings = compared(queries.presenting_wordings(g.user, case))
    return render_template("cases/versions.html", case=case, title="Versions of Presenting", wordings=wordings)


# --- Agencies --------------------------------------------------------------------------------------------------------


def _section():
    """The section that the address names, or 404."""
    section = request.args.get("section", "")
    if section not in queries.SECTIONS:
        raise permissions.NotVisible(section)
    return section


@bp.route("/cases/<ref>/agencies/new", methods=["GET", "POST"])
@permissions.policy("case.read", record=True)
def add_agency(ref):
    case = loaded(ref)
    section = _section()
    key = queries.draft_keys(case)[section]
    form, draft = _form(AgencyForm, key, {})
    tried = None
    if form.validate_on_submit():
        given = {"actor": g.user, "draft": (key, form.once.data)}
        tried = attempt(form, lambda: actions.add_agency(case, section, form.values(), **given))
        if tried.saved:
            presentation.nudge()
            flash(f"It was added to {queries.SECTIONS[section]}.", "ok")
            return to_case(ref, queries.anchor(section))
    discard = url_for("cases.agency_draft_removal", ref=ref, section=section)
    page = {"case": case, "agency": None, "section": section, "draft": draft, "draft_key": key, "discard": discard}
    return _page("cases/agency.html", form, tried, sections=queries.SECTIONS, **page)


@bp.route("/cases/<ref>/agencies/draft-removal", methods=["POST"])
@permissions.policy("case.read", record=True)
def agency_draft_removal(ref):
    case, section = loaded(ref), _section()
    _discarded(queries.draft_keys(case)[section])
    return redirect(url_for("cases.add_agency", ref=ref, section=section), 303)


@bp.route("/cases/<ref>/agencies/<agency_ref>", methods=["GET", "POST"])
@permissions.policy("case.read", record=True)
def agency(ref, agency_ref):
    case = loaded(ref)
    # What was typed about one that is removed meanwhile comes back with a sentence, not as a missing page.
    row = queries.agency(g.user, case, agency_ref, removed=request.method == "POST")
    key = _draft_of(row)
    now = {name: getattr(row, name) for name in AgencyForm.labels} | {"number": sent_from(row.version)}
    form, draft = _form(AgencyForm, key, now)
    tried = None
    if form.validate_on_submit():
        given = {"number": form.number.data, "draft": (key, form.once.data)}
        tried = attempt(form, lambda: actions.change_agency(case, row, form.values(), actor=g.user, **given))
        if tried.saved:
            presentation.nudge()
            flash(f"The change in {queries.SECTIONS[row.section]} was saved.", "ok")
            return to_case(ref, queries.anchor(row.section))
    discard = url_for("cases.agency_change_draft_removal", ref=ref, agency_ref=row.ref)
    page = {"case": case, "agency": row, "section": row.section, "draft": draft, "draft_key": key, "discard": discard}
    return _page("cases/agency.html", form, tried, sections=queries.SECTIONS, **page)


def _draft_of(agency):
    return f"case-agency-change:{agency.ref.lower()}"


@bp.route("/cases/<ref>/agencies/<agency_ref>/draft-removal", methods=["POST"])
@permissions.policy("case.read", record=True)
def agency_change_draft_removal(ref, agency_ref):
    row = queries.agency(g.user, loaded(ref), agency_ref)
    _discarded(_draft_of(row))
    return redirect(url_for("cases.agency", ref=ref, agency_ref=row.ref), 303)


@bp.route("/cases/<ref>/agencies/<agency_ref>/removal", methods=["POST"])
@permissions.policy("case.read", record=True)
def agency_removal(ref, agency_ref):
    case = loaded(ref)
    row = queries.agency(g.user, case, agency_ref)
    try:
        actions.remove_agency(case, row, actor=g.user)
    except actions.Refused as problem:
        flash(problem.sentence, "warn")
    else:
        presentation.nudge()
        flash(f"It was removed from {queries.SECTIONS[row.section]}.", "ok")
    return to_case(ref, queries.anchor(row.section))


@bp.route("/cases/<ref>/agencies/<agency_ref>/versions")
@permissions.policy("case.read", record=True)
def agency_versions(ref, agency_ref):
    case = loaded(ref)
    row = queries.agency(g.user, case, agency_ref, removed=True)
    wordings = compared(queries.agency_wordings(g.user, row))
    title = f"Versions in {queries.SECTIONS[row.section]}"
    removed = row if row.removed_at else None
    return render_template("cases/versions.html", case=case, title=title, wordings=wordings, removed=removed)
