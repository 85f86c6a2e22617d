"""Responses to a form: the list with its filters and files, one response, what somebody sent themselves."""

from urllib.parse import parse_qsl, urlencode

from flask import flash, g, redirect, render_template, request, url_for

import events
import permissions
from blueprints.forms import actions, queries
from blueprints.forms import fields as definition
from blueprints.forms.forms.referrals import SaveFiltersForm
from blueprints.forms.queries import answers as said
from blueprints.forms.queries import responses
from blueprints.forms.views import bp
from blueprints.kit import listing, tables_out
from blueprints.kit.attempt import download
from blueprints.kit.days import DayProblem, parse_day
from blueprints.kit.forms import school_zone
from blueprints.kit.text import one_line

COUNTED = 1_000  # beyond this the list says "more than"
MOST_OFFERED = 40  # fields by whose answers the page offers to filter; any other one works in the address


# --- The list --------------------------------------------------------------------------------------------------------


@bp.route("/forms/<ref>/responses")
@permissions.policy("response.read", record=True)
def responses_to(ref):
    return _list(queries.known_form(g.user, ref), SaveFiltersForm(formdata=None))


def _list(form, saving):
    versions = queries.all_fields(form)
    fields = [field for field in queries.columns(versions) if field.type in queries.FILTERED]
    typed, filters = _filters(fields)
    page = listing.paginate(*_paging(form, filters, versions))
    events.record_alone("response.listed", actor=g.user, count=len(page), form=form.ref)
    asked = [field for field in fields if field.key in typed["answers"]]
    names = queries.names(g.user, [row.answers for row in page])
    saving.query.data = urlencode([(name, value) for name, value in request.args.items(multi=True) if value and name != "page"])
    return render_template(
        "forms/responses.html", form=form, page=page, typed=typed, fields=fields, filter_name=definition.filter_name,
        offered=_offered(fields, asked),
        listed=definition.LISTED, chips=_chips(typed, fields), saving=saving, saved=queries.saved_filters(g.user, form),
        columns=[(field, [_words(versions, row, field, names) for row in page]) for field in asked],
        exports=[listing.with_args(url_for("forms.responses_export", ref=form.ref, kind=kind), request.args, page=None)
                 for kind in ("csv", "xlsx")],
    ), 422 if saving.errors else 200  # fmt: skip


def _offered(fields, asked):
    """The fields that the page offers to filter by: of very many those with answers to choose from come first, in the order
    of the form, and those that are asked for in any case."""
    if len(fields) <= MOST_OFFERED:
        return fields
    first = sorted(fields, key=lambda field: field.type not in definition.LISTED)[:MOST_OFFERED]
    return [field for field in fields if field in first or field in asked]


def _paging(form, filters, versions):
    fetch, count = responses.paging(g.user, form, filters, versions)
    return fetch, request.args.get("page"), 50, COUNTED, None, count


def _words(versions, row, field, names):
    """The answer of a row to a field, as the version that it answers asked it."""
    asked = versions.get(row.number, {}).get(field.key)
    return said.in_words(asked, row.answers.get(field.key), names) if asked else ""


def _filters(fields):
    """(what the address asks for as text, the same as Filters). A day that is none counts as not asked for."""
    typed = {name: one_line(request.args.get(name, ""))[:100] for name in ("from", "to", "q", "by")}
    days = {name: _day(typed[name]) for name in ("from", "to")}
    typed |= {name: day.isoformat() if day else "" for name, day in days.items()}
    wanted = {field.key: one_line(request.args.get(definition.filter_name(field.key), ""))[:200] for field in fields}
    typed["answers"] = {key: text for key, text in wanted.items() if text}
    return typed, responses.Filters(days["from"], days["to"], school_zone(), typed["q"], typed["by"], typed["answers"])


def _day(text):
    try:
        return parse_day(text) if text else None
    except DayProblem:
        return None


def _chips(typed, fields):
    """The filters that are on, each with the address without it."""
    words = {"from": "From: {}", "to": "To: {}", "q": f"{g.school.student_word}: {{}}", "by": "Sent by: {}"}
    chips = [(words[name].format(typed[name]), name) for name in words if typed[name]]
    for field in fields:
        if text := typed["answers"].get(field.key):
            label = dict(field.answers()).get(text, text)
            chips.append((f"{field.label}: {label}", definition.filter_name(field.key)))
    return [(label, listing.with_args(request.path, request.args, page=None, **{name: None})) for label, name in chips]


@bp.route("/forms/<ref>/responses.<any(csv, xlsx):kind>")
@permissions.policy("response.read", record=True)
def responses_export(ref, kind):
    form = queries.known_form(g.user, ref)
    versions = queries.all_fields(form)
    columns = queries.columns(versions)
    _, filters = _filters([field for field in columns if field.type in queries.FILTERED])
    rows = responses.export_rows(g.user, form, filters, versions)
    files = [(file_ref, name) for _, _, file_ref, name in queries.files_of([row.id for row in rows])]
    names = queries.names(g.user, [row.answers for row in rows], files)
    events.record_alone("response.exported", actor=g.user, count=len(rows), format=kind, form=form.ref)
    header = ["Response", "Sent", g.school.student_word, "Sent by", "Version", "Referred as", "Referral"]
    cells = (
        (row.ref, row.submitted_at, row.student, row.author, row.number, row.referred_as, row.state,
         *(_cell(versions, row, field, names) for field in columns))
        for row in rows
    )  # fmt: skip
    return tables_out.table_response(kind, "responses", header + [field.label for field in columns], cells, tz=school_zone())


def _cell(versions, row, field, names):
    value = row.answers.get(field.key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return _words(versions, row, field, names)


# --- Saved filters ---------------------------------------------------------------------------------------------------


@bp.route("/forms/<ref>/responses/saved", methods=["POST"])
@permissions.policy("response.read", record=True)
def save_filters(ref):
    form = queries.known_form(g.user, ref)
    saving = SaveFiltersForm()
    if not saving.validate_on_submit():
        return _list(form, saving)
    query = urlencode([pair for pair in parse_qsl(saving.query.data) if pair[0] != "page"])
    actions.save_filters(form, saving.name.data, query, saving.is_shared.data, actor=g.user)
    flash("The filters were saved.", "ok")
    return redirect(f"{url_for('forms.responses_to', ref=form.ref)}?{query}", 303)


@bp.route("/forms/<ref>/responses/saved/<saved_ref>/removal", methods=["POST"])
@permissions.policy("response.read", record=True)
def remove_filters(ref, saved_ref):
    form = queries.known_form(g.user, ref)
    actions.remove_filters(queries.own_filters(g.user, form, saved_ref), actor=g.user)
    flash("The saved filters were removed.", "ok")
    return redirect(url_for("forms.responses_to", ref=form.ref), 303)


# --- One -------------------------------------------------------------------------------------------------------------


@bp.route("/responses/<ref>")
@permissions.policy("form.fill", record=True)
def response(ref):
    if not permissions.can(g.user, "response.read"):
        return own_page(queries.own_response(g.user, ref))
    row = queries.response(g.user, ref)
    readers = queries.who_can_see(g.user, row)
    return render_template("forms/response.html", response=row, shown=queries.shown(g.user, row), readers=readers)


def own_page(row):
    """What a Referral User or a student sent, for themselves. Everything on it is their own but one word."""
    return render_template("forms/own_response.html", response=row, shown=queries.shown(g.user, row))


@bp.route("/responses/<ref>/files/<file_ref>")
@permissions.policy("form.fill", record=True)
def response_file(ref, file_ref):
    return download(queries.file(g.user, ref, file_ref), f"{ref}/{file_ref}")


@bp.route("/responses/<ref>/access")
@permissions.policy("response.read", record=True)
def response_access(ref):
    row = queries.response(g.user, ref, audit=False)
    events.record_alone("response.access_read", actor=g.user, target=row.ref, reasons=row.reasons)
    return render_template("forms/access.html", response=row, readers=queries.who_can_see(g.user, row))


# --- One's own -------------------------------------------------------------------------------------------------------


@bp.route("/responses")
@permissions.policy("form.fill", record=True)
def sent():
    fetch, count = queries.own_paging(g.user)
    page = listing.paginate(fetch, request.args.get("page"), count=count)
    events.record_alone("response.listed", actor=g.user, count=len(page), form="own")
    exports = [url_for("forms.sent_export", kind=kind) for kind in ("csv", "xlsx")]
    return render_template("forms/sent.html", page=page, exports=exports, referrals=False)


@bp.route("/responses.<any(csv, xlsx):kind>")
@permissions.policy("form.fill", record=True)
def sent_export(kind):
    return own_export(kind, "sent")


def own_export(kind, name, referrals=False):
    """What a Referral User or a student sent, as a file."""
    fetch, _ = queries.own_paging(g.user, referrals=referrals)
    rows = fetch(None, 0)
    events.record_alone("response.exported", actor=g.user, count=len(rows), format=kind, form="own")
    cells = ((row.ref, row.submitted_at, row.form, row.name, row.state) for row in rows)
    return tables_out.table_response(kind, name, ["Reference", "Sent", "Form", "About", "State"], cells, tz=school_zone())
