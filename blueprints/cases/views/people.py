"""Primary Advocate, Coordinator and Following Case: the form on the page of a case, and on a page of its own when it was
refused or somebody else saved first. For those who manage the case."""

from flask import flash, g, jsonify, render_template, request

import permissions
from blueprints.cases import actions, queries
from blueprints.cases.forms.people import PeopleForm
from blueprints.cases.views import bp
from blueprints.cases.views.common import attempt, managed, to_case
from blueprints.kit import presentation


def people_on_page(case):
    """What the partials about people need on the page of a case, with the form for those who may change them."""
    page = queries.people_page(g.user, case)
    page["chips"] = _chips(page["following"])
    if page["may_assign"]:
        page["people_form"] = _form(case, page["all_staff"])
    return page


def _form(case, staff):
    holders = {name: getattr(case, name) for name in ("primary_advocate", "coordinator")}
    data = {name: holder.ref if holder else "" for name, holder in holders.items()}
    data["version"] = case.version if request.method == "GET" else None  # a form sent without one has none
    return PeopleForm(data=data).offer(case, staff)


def _chips(people):
    return [{"ref": row.ref, "label": row.name, "hint": permissions.ROLES.get(row.role, "")} for row in people]


@bp.route("/cases/<ref>/people", methods=["GET", "POST"])
@permissions.policy("case.read", record=True)
def people(ref):
    case = managed(ref)
    page = people_on_page(case)
    form = page["people_form"] or _form(case, [])
    tried = None
    if request.method == "POST":
        form.validate()
        chosen = _chosen(case, form)
        page["chips"] = _chips(chosen["following"])
        tried = None if form.errors else attempt(form, lambda: _save(case, chosen, form.version.data))
        if tried and tried.saved:
            presentation.nudge()
            flash("The people on this case were saved.", "ok")
            return to_case(ref, "people")
    now = queries.case(g.user, ref, audit=False) if tried and tried.theirs else None
    theirs = now and {"case": now, "following": queries.people_page(g.user, now)["following"]}
    code = tried.status if tried else 422 if form.errors else 200
    page |= {"case": case, "people_form": form, "theirs": theirs}
    return render_template("cases/people.html", **page), code


def _save(case, chosen, version):
    return actions.save_people(case, **chosen, actor=g.user, version=version)


def _chosen(case, form):
    """The accounts that were chosen; what is not known stands as an error at its field."""
    found = {}
    for name in ("primary_advocate", "coordinator"):
        accounts, problem = queries.pick_staff([form[name].data])
        found[name] = accounts[0] if accounts else None
        _blame(form[name], problem)
    refs = request.form.getlist("following_ref")
    found["following"], problem = queries.pick_staff(refs)
    _blame(form.following, problem)
    if typed := form.following.data:
        more, problem = queries.resolve_staff(case, typed)
        found["following"] += [account for account in more if account not in found["following"]]
        _blame(form.following, problem)
        if not problem:
            form.following.data, form.following.raw_data = "", None  # it stands among the chips now
    return found


def _blame(field, problem):
    if problem:
        field.errors = [*field.errors, problem]


@bp.route("/cases/<ref>/people/suggest")
@permissions.policy("case.read", record=True)
def people_suggest(ref):
    """Staff for the picker of Following Case. Part of a page whose read is on record."""
    case = queries.case(g.user, ref, audit=False)
    if not queries.may_manage(case):
        raise permissions.Denied("case.manage")
    return jsonify(queries.suggest_staff(case, request.args.get("q", "")))
