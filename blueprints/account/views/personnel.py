"""Personnel: everybody who works here, their profiles and photos. What somebody may do is decided elsewhere, on their
user page: making a profile gives nobody access to anything."""

from flask import current_app, flash, g, redirect, render_template, request, url_for

import events
import permissions
from blueprints.account import actions, queries
from blueprints.account.actions import Refused
from blueprints.account.forms import ProfileForm
from blueprints.account.views import bp
from blueprints.kit import uploads
from blueprints.kit.listing import paginate, with_args
from blueprints.kit.tables_out import table_response
from permissions import policy

HEADER = ("Name", "Role title", "Role", "Groups", "Email", "Phone", "Booking link")


@bp.route("/personnel")
@policy("personnel.read")
def personnel():
    filters, groups = _filters(), queries.group_names(g.user)
    page = paginate(queries.personnel(g.user, **filters), request.args.get("page"), sort=filters["sort"])
    events.record_alone("personnel.listed", actor=g.user, count=len(page))
    return render_template(
        "account/personnel.html",
        page=page,
        groups_of=queries.groups_of(g.user, [row.id for row in page]),
        filters=filters,
        groups=groups,
        chips=_chips(filters, dict(groups)),
        csv_url=with_args(url_for("account.personnel_export", kind="csv"), request.args, page=None),
        xlsx_url=with_args(url_for("account.personnel_export", kind="xlsx"), request.args, page=None),
    )


@bp.route("/personnel.<any(csv, xlsx):kind>")
@policy("personnel.read")
def personnel_export(kind):
    found = list(queries.personnel(g.user, **_filters()))
    groups = queries.groups_of(g.user, [row.id for row in found])
    rows = [
        (
            row.name,
            row.title,
            permissions.ROLES.get(row.role, queries.NO_ROLE_YET),
            ", ".join(groups.get(row.id, ())),
            row.email,
            row.phone,
            row.booking_url,
        )
        for row in found
    ]
    events.record_alone("account.exported", actor=g.user, count=len(rows), format=kind, list="personnel")
    return table_response(kind, "personnel", HEADER, rows)


def _filters():
    sort = request.args.get("sort", "")
    return {
        "text": request.args.get("q", "")[:200].replace("\0", ""),
        "group": request.args.get("group", "")[:16].replace("\0", ""),
        "sort": sort if sort.removeprefix("-") in queries.PERSONNEL_SORTS else "name",
    }


def _chips(filters, groups):
    words = (
        ("q", filters["text"] and f"Search: {filters['text']}"),
        ("group", filters["group"] and f"Group: {groups.get(filters['group'], 'not known')}"),
    )
    return [
        (label, with_args(request.path, request.args, **{name: None, "page": None})) for name, label in words if label
    ]


@bp.route("/personnel/new", methods=["GET", "POST"])
@policy("admin.users")
def new_person():
    form = ProfileForm()
    if form.validate_on_submit():
        try:
            account = actions.add_account(**_profile(form), role="", actor=g.user)
        except Refused as problem:
            problem.show_on(form)
        else:
            flash(f"The profile of {account.name} is created. It has no role yet, so they can't sign in.", "ok")
            return redirect(url_for("account.person", ref=account.ref), 303)
    return render_template("account/personnel_new.html", form=form), 422 if form.is_submitted() else 200


def _profile(form):
    return {name: form[name].data or "" for name in ("name", "email", "title", "phone", "booking_url")}


@bp.route("/personnel/<ref>")
@policy("personnel.read", record=True)
def person(ref):
    account = queries.person(g.user, ref)
    events.record_alone("personnel.read", actor=g.user, target=account.ref)
    groups = queries.groups_of_person(g.user, account)
    return render_template("account/personnel_profile.html", account=account, groups=groups)


@bp.route("/personnel/<ref>/photo")
@policy("personnel.read", record=True)
def photo(ref):
    path_name = queries.photo_path(g.user, ref)
    try:
        return uploads.portrait_response(current_app.settings.instance / "files", path_name)
    except FileNotFoundError:
        raise permissions.NotVisible(f"{ref}/photo") from None
