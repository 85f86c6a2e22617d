"""What the pages of Admin > Groups and of Case Management > Groups share: the list, a group, and adding and removing
people, which first says what it changes. `base` is the address under which a page stands, `row` a group that the query has
given to whoever asks (or a department), `kind` member, manager or director. Decides nothing about who may."""

import hashlib

from flask import flash, g, redirect, render_template, request

import events
import permissions
from blueprints.admin import actions, queries
from blueprints.admin.forms import StaffMemberForm
from blueprints.kit.listing import paginate, with_args
from blueprints.kit.tables_out import table_response

HEADER = ("Group", "Department", "In use", "Person", "Email", "Part")
# So many cases are named on one page before it says "and 120 more".
MOST_REFS = 200


def group_list(base, **more):
    """The groups that whoever asks manages."""
    text = request.args.get("q", "")[:100].replace("\0", "")
    page = paginate(queries.groups(g.user, text), request.args.get("page"))
    urls = {kind: with_args(f"{base}.{kind}") for kind in ("csv", "xlsx")}
    return render_template("admin/groups.html", page=page, text=text, base=base, urls=urls, **more)


def export(kind):
    """Everybody in those groups, as a file."""
    rows = queries.export_list(g.user, "groups", kind, queries.membership_rows(g.user))
    return table_response(kind, "groups", HEADER, rows)


def group_page(base, row, changeable):
    """A group with its people and cases; those of the kinds in `changeable` can be added and removed."""
    cases = paginate(queries.attached_cases(g.user, row), request.args.get("page"), per_page=25)
    events.record_alone("case.listed", actor=g.user, target=row.ref, count=len(cases), list="group")
    return render_template(
        "admin/group.html",
        base=base,
        row=row,
        members=queries.people(g.user, row, "member"),
        managers=queries.people(g.user, row, "manager"),
        opened=queries.opened_categories(g.user, row),
        cases=cases,
        changeable=changeable,
        manager_roles=permissions.MANAGER_ROLES,
    )


def adding(base, row, kind):
    """The form that chooses who is to be added."""
    form, _ = _staff_form(row, kind)
    return _adding(base, row, kind, form)


def effect_of_adding(base, row, kind):
    """What adding the chosen person changes, with the button that does it: a part of the page before."""
    _, people = _staff_form(row, kind)
    person = people.get(request.args.get("staff_member", ""))
    effect = _effect(row, kind, person, joins=True) if person else None
    return render_template("admin/_effect.html", base=base, row=row, effect=effect)


def added(base, row, kind):
    """Add the person, if the form carries what was shown and that still holds; else say what it changes."""
    form, people = _staff_form(row, kind)
    if not form.validate():
        return _adding(base, row, kind, form), 422
    person = people[form.staff_member.data]
    effect = _effect(row, kind, person, joins=True)
    if request.form.get("shown") != effect["shown"]:
        return _adding(base, row, kind, form, effect)
    _add(row, person, kind)
    flash(f"{person.name} is a {kind} of {row.name} now.", "ok")
    return redirect(f"{base}/{row.ref}", 303)


def removal(base, row, kind, person_ref):
    """The same for removing."""
    person = _person_in(row, kind, person_ref)
    effect = _effect(row, kind, person, joins=False)
    if request.method != "POST" or request.form.get("shown") != effect["shown"]:
        return render_template("admin/removal.html", base=base, row=row, effect=effect)
    _remove(row, person, kind)
    flash(f"{person.name} is not a {kind} of {row.name} any more.", "ok")
    return redirect(f"{base}/{row.ref}", 303)


def _person_in(row, kind, ref):
    return queries.director(g.user, row, ref) if kind == "director" else queries.person_in(g.user, row, kind, ref)


def _add(row, person, kind):
    if kind == "director":
        actions.add_director(row, person, actor=g.user)
    else:
        actions.add_person(row, person, kind, actor=g.user)


def _remove(row, person, kind):
    if kind == "director":
        actions.remove_director(row, person, actor=g.user)
    else:
        actions.remove_person(row, person, kind, actor=g.user)


def _adding(base, row, kind, form, effect=None):
    return render_template("admin/adding.html", base=base, row=row, kind=kind, form=form, effect=effect)


def _staff_form(row, kind):
    """The form with everybody who can be added, and those people by ref."""
    people = {account.ref: account for account in queries.addable(g.user, row, kind)}
    form = StaffMemberForm()
    form.staff_member.choices = [("", "")] + [(ref, account.name) for ref, account in people.items()]
    return form, people


def _effect(row, kind, person, joins):
    """What the page says before it saves; `shown` names exactly that and goes back with the confirmation."""
    cases = queries.cases_changed(g.user, row, person, kind, joins)
    if cases.refs:
        events.record_alone("case.listed", actor=g.user, target=row.ref, count=len(cases.refs), list="membership")
    incidents = queries.incidents_changed(g.user, row, person, joins) if kind == "member" else 0
    opened = queries.opened_categories(g.user, row) if kind == "member" else []
    shown = ":".join(map(str, (person.ref, incidents, len(opened), cases.count, cases.students, *cases.refs)))
    return {
        "person": person,
        "kind": kind,
        "joins": joins,
        "incidents": incidents,
        "opened": opened,
        "cases": cases,
        "refs": cases.refs[:MOST_REFS],
        "shown": hashlib.sha256(shown.encode()).hexdigest()[:32],
        "changed": request.method == "POST" and bool(request.form.get("shown")),
    }
