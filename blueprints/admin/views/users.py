"""Admin > Users: the list of accounts, one account, and what can be done to it."""

from flask import current_app, flash, g, redirect, render_template, request, url_for

import events
import permissions
from blueprints.account import actions
from blueprints.account import queries as accounts
from blueprints.account.actions import Refused
from blueprints.admin import queries
from blueprints.admin.user_forms import NO_ROLE, UserEditForm, UserForm
from blueprints.admin.views import bp
from blueprints.admin.views.widening import part, widening
from blueprints.kit import uploads
from blueprints.kit.forms import school_zone
from blueprints.kit.listing import paginate, with_args
from blueprints.kit.presentation import nudge
from blueprints.kit.tables_out import csv_response, xlsx_response
from blueprints.kit.text import plural
from models import Conflict
from permissions import policy

ROLE_WORDS = permissions.ROLES | {accounts.NO_ROLE: accounts.NO_ROLE_YET}
COLUMNS = ("Name", "Email", "Role", "Role title", "State", "Two-step sign-in", "Last sign-in")


@bp.route("/admin/users")
@policy("admin.users")
def users():
    filters = _filters()
    page = paginate(accounts.people(g.user, **filters), request.args.get("page"), sort=filters["sort"])
    events.record_alone("account.listed", actor=g.user, count=len(page))
    return render_template(
        "admin/users.html",
        page=page,
        filters=filters,
        chips=_chips(filters),
        roles=ROLE_WORDS,
        states=accounts.STATES,
        state_of=accounts.state_of,
        csv_url=with_args(url_for("admin.users_export", kind="csv"), request.args, page=None),
        xlsx_url=with_args(url_for("admin.users_export", kind="xlsx"), request.args, page=None),
    )


@bp.route("/admin/users.<any(csv, xlsx):kind>")
@policy("admin.users")
def users_export(kind):
    rows = [
        (
            person.name,
            person.email,
            ROLE_WORDS[person.role or accounts.NO_ROLE],
            person.title,
            accounts.state_of(person),
            person.two_step_at is not None,
            person.last_sign_in_at,
        )
        for person in accounts.people(g.user, **_filters())
    ]
    events.record_alone("account.exported", actor=g.user, count=len(rows), format=kind)
    answer = csv_response if kind == "csv" else xlsx_response
    return answer(f"users.{kind}", COLUMNS, rows, tz=school_zone())


def _filters():
    """What the address asks for; anything that is no role, state or order counts as not asked."""
    role, state, sort = (request.args.get(name, "") for name in ("role", "state", "sort"))
    return {
        "text": request.args.get("q", "")[:200],
        "role": role if role in ROLE_WORDS else "",
        "state": state if state in accounts.STATES else "",
        "sort": sort if sort.removeprefix("-") in accounts.USER_SORTS else "name",
    }


def _chips(filters):
    words = (
        ("q", filters["text"] and f"Search: {filters['text']}"),
        ("role", filters["role"] and f"Role: {ROLE_WORDS[filters['role']]}"),
        ("state", filters["state"] and f"State: {accounts.STATES[filters['state']]}"),
    )
    return [
        (label, with_args(request.path, request.args, **{name: None, "page": None})) for name, label in words if label
    ]


@bp.route("/admin/users/new", methods=["GET", "POST"])
@policy("admin.users")
def user_new():
    form = UserForm()
    if form.validate_on_submit():
        try:
            account = actions.add_account(**_details(form), actor=g.user)
        except Refused as problem:
            problem.show_on(form)
        else:
            nudge()
            invited = f"The invitation is on its way to {account.email}."
            then = invited if account.role else "They have no role yet, so they can't sign in."
            flash(f"{account.name} is added. {then}", "ok")
            return redirect(url_for("admin.user", ref=account.ref), 303)
    return render_template("admin/users_new.html", form=form), 422 if form.is_submitted() else 200


def _details(form):
    typed = {name: form[name].data or "" for name in ("name", "email", "role", "title", "phone", "booking_url")}
    return typed | {"role": "" if typed["role"] == NO_ROLE else typed["role"]}


@bp.route("/admin/users/<ref>")
@policy("admin.users", record=True)
def user(ref):
    account = accounts.account(g.user, ref)
    events.record_alone("account.read", actor=g.user, target=account.ref)
    return _user_page(account)


def _user_page(account, problem=None, status=200):
    return render_template(
        "admin/users_one.html",
        account=account,
        state=accounts.state_of(account),
        sessions=accounts.sessions(g.user, account, g.school),
        assigned=accounts.assigned_incidents(g.user, account) if g.school.cases_module else 0,
        problem=problem,
    ), status


@bp.route("/admin/users/<ref>/edit", methods=["GET", "POST"])
@policy("admin.users", record=True)
def user_edit(ref):
    account = accounts.account(g.user, ref)
    form = UserEditForm(obj=account)
    status, theirs = 422 if form.is_submitted() else 200, None
    found = _widening(account, form.role.data) if form.validate_on_submit() else None
    if found and not found.is_confirmed:
        status = 200
    elif found:
        try:
            photo = actions.Photo(current_app.settings.instance / "files", form.photo.data or None, form.remove_photo.data)
            saved = actions.change_account(
                account, version=form.version.data, photo=photo, **_details(form), actor=g.user
            )
        except Refused as problem:
            problem.show_on(form)
        except Conflict as conflict:
            status, theirs = 409, conflict.row
            form.version.data, form.version.raw_data = theirs.version, None
        else:
            nudge()
            invited = saved.role and not account.role and not saved.password_hash
            then = f" The invitation is on its way to {saved.email}." if invited else ""
            flash(f"{saved.name} is saved.{then}", "ok")
            return redirect(url_for("admin.user", ref=ref), 303)
    assigned = accounts.assigned_incidents(g.user, account) if g.school.cases_module else 0
    return render_template(
        "admin/users_edit.html",
        form=form,
        account=account,
        theirs=theirs,
        assigned=assigned,
        uploads=uploads,
        widening=found,
    ), status


@bp.route("/admin/users/<ref>/edit/effect")
@policy("admin.users", record=True)
def user_effect(ref):
    """What the person comes to see by the role that is chosen: a part of the page before."""
    account, role = accounts.account(g.user, ref), request.args.get("role", "")
    return part(_widening(account, role if role in permissions.ROLES else account.role))


def _widening(account, role):
    return widening(queries.gained_by_role(g.user, account, role), account.ref, role)


@bp.route("/admin/users/<ref>/deactivation", methods=["POST"])
@policy("admin.users", record=True)
def user_deactivation(ref):
    return _step(ref, actions.deactivate, "{} is deactivated and signed out everywhere.")


@bp.route("/admin/users/<ref>/reactivation", methods=["POST"])
@policy("admin.users", record=True)
def user_reactivation(ref):
    return _step(ref, actions.reactivate, "{} can sign in again.")


@bp.route("/admin/users/<ref>/invitation", methods=["POST"])
@policy("admin.users", record=True)
def user_invitation(ref):
    return _step(ref, actions.invite, "A link to set the password is on its way to {}.")


@bp.route("/admin/users/<ref>/two-step-reset", methods=["POST"])
@policy("admin.users", record=True)
def user_two_step_reset(ref):
    return _step(ref, actions.reset_two_step, "{} sets up two-step sign-in anew at the next sign-in.")


def _step(ref, action, sentence):
    account = accounts.account(g.user, ref)
    try:
        action(account, actor=g.user)
    except Refused as problem:
        return _user_page(account, problem=problem.sentence, status=422)
    nudge()
    flash(sentence.format(account.name), "ok")
    return redirect(url_for("admin.user", ref=ref), 303)


@bp.route("/admin/users/<ref>/sessions/<session_ref>/revocation", methods=["POST"])
@policy("admin.users", record=True)
def user_session_revocation(ref, session_ref):
    account = accounts.account(g.user, ref)
    actions.revoke_session(account, session_ref, actor=g.user)
    flash("That browser is signed out.", "ok")
    return redirect(url_for("admin.user", ref=ref), 303)


@bp.route("/admin/users/<ref>/sessions/revocation", methods=["POST"])
@policy("admin.users", record=True)
def user_sessions_revocation(ref):
    account = accounts.account(g.user, ref)
    ended = actions.revoke_all(account, actor=g.user)
    flash(f"{account.name} is signed out on {plural(ended, 'browser')}.", "ok")
    return redirect(url_for("admin.user", ref=ref), 303)
