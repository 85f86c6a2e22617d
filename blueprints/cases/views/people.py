"""Primary Advocate, Coordinator and Following Case: the form on the page of a case, and on a page of its own when it was
refused or somebody else saved first. For those who manage the case."""

from flask import flash, g, jsonify, render_template, request

import permissions
from blueprints.cases import actions, queries
from blueprints.cases.forms.people import PeopleForm
from blueprints.cases.views import bp
from blueprints.cases.views.common import managed, to_case
from blueprints.kit import presentation
from blueprints.kit.attempt import attempt, blame

ONE_PERSON = ("primary_advocate", "coordinator")


def people_on_page(case):
    """What the partials about people need on the page of a case, with the form for those who may change them."""
    page = queries.people_page(g.user, case)
    if page["may_assign"]:
        page["people_form"] = _form(case)
        page["chips"] = _chips(_holding(case, page["following"]))
    return page


def _form(case):
    return PeopleForm(data={"version": case.version if request.method == "GET" else None})  # sent without one, it has none


def _holding(case, following):
    """{field: who stands there now}."""
    holders = {name: getattr(case, name) for name in ONE_PERSON}
    return {name: [holder] if holder else [] for name, holder in holders.items()} | {"following": following}


def _chips(people):
    """{field: the chips of its picker} of {field: accounts or people with a ref, a name and a role}."""
    hint = permissions.ROLES.get
    return {
        name: [{"ref": row.ref, "label": row.name, "hint": hint(row.role, "")} for row in rows] for name, rows in people.items()
    }


@bp.route("/cases/<ref>/people", methods=["GET", "POST"])
@permissions.policy("case.read", record=True)
def people(ref):
    case = managed(ref)
    page = people_on_page(case)
    form, chosen = page["people_form"] or _form(case), _holding(case, page["following"])
    tried = None
    if request.method == "POST":
        form.validate()
        chosen = {name: _chosen(case, form, form[name]) for name in chosen}
        tried = None if form.errors else attempt(form, lambda: _save(case, chosen, form.version.data))
        if tried and tried.saved:
            presentation.nudge()
            flash("The people on this case were saved.", "ok")
            return to_case(ref, "people")
    now = queries.case(g.user, ref, audit=False) if tried and tried.theirs else None
    theirs = now and {"case": now, "following": queries.people_page(g.user, now)["following"]}
    code = tried.status if tried else 422 if form.errors else 200
    page |= {"case": case, "people_form": form, "chips": _chips(chosen), "theirs": theirs}
    return render_template("cases/people.html", **page), code


def _save(case, chosen, version):
    one = {name: chosen[name][0] if chosen[name] else None for name in ONE_PERSON}
    return actions.save_people(case, **one, following=chosen["following"], actor=g.user, version=version)


def _chosen(case, form, field):
    """The accounts that were chosen in this field, and typed without a script: for one person, a name that is typed takes
    the place of whoever stood there. What is not known stands as an error at the field."""
    found, problem = queries.pick_staff(request.form.getlist(f"{field.name}_ref"))
    blame(form, field.name, problem)
    if field.data:
        typed, problem = queries.resolve_staff(case, field.data)
        blame(form, field.name, problem)
        if not problem:
            found = typed or found if field.name in ONE_PERSON else found + [one for one in typed if one not in found]
            field.data, field.raw_data = "", None  # it stands among the chips now
    if field.name in ONE_PERSON and len(found) > 1:
        blame(form, field.name, "Choose one person.")
    return found


@bp.route("/cases/<ref>/people/suggest")
@permissions.policy("case.read", record=True)
def people_suggest(ref):
    """Staff for the three pickers. Part of a page whose read is on record."""
    case = queries.case(g.user, ref, audit=False)
    if not queries.may_manage(case):
        raise permissions.Denied("case.manage")
    return jsonify(queries.suggest_staff(case, request.args.get("q", "")))
