"""What a trigger of the dictionary would have opened since a day, by name, and opening those cases for whom one ticks."""

from datetime import date

from flask import flash, g, redirect, render_template, request, url_for

import events
import permissions
from blueprints.cases import actions, queries
from blueprints.cases.forms.dictionary import OpenTheseForm, SinceForm
from blueprints.cases.views import bp
from blueprints.kit import listing, presentation
from blueprints.kit.attempt import attempt
from blueprints.kit.forms import school_day, school_zone
from blueprints.kit.refusing import confirmation_of
from blueprints.kit.text import plural

A_PAGE = 100


def looked_back():
    """(the form in which the day stands, the day, the moment it begins): the day of the address, or the first of the school
    year where it has none that can be read."""
    form = SinceForm(request.args)
    is_read = form.validate() and form.since.data
    today = school_day()
    day = form.since.data if is_read else queries.school_year(today)
    if not form.since.errors:
        form.since.data = day
    return form, day, queries.beginning(day, school_zone())


@bp.route("/dictionary/suggestions/<any(form, plan, task, meeting, review, file):trigger>", methods=["GET", "POST"])
@permissions.policy("dictionary", record=True)
def suggestions(trigger):
    since, day, moment = looked_back()
    form, tried = OpenTheseForm(), None
    ticked = request.form.getlist("students")
    if form.validate_on_submit():
        tried = attempt(form, lambda: _open(trigger, moment, ticked, form.confirmed.data))
        if tried.saved:
            return _said(trigger, day, tried.result)
    settings = queries.all_settings(g.user)
    rows = queries.suggested(g.user, trigger, moment, settings)
    page = listing.paginate(rows, request.args.get("page"), per_page=A_PAGE, cap=len(rows) + 1)
    if request.method == "GET":
        events.record_alone("dictionary.suggested", actor=g.user, kind=trigger, count=len(page))
    readers = queries.suggestion_readers(g.user, trigger, settings)
    form.confirmed.data = confirmation_of(readers) if readers else ""
    label = queries.TRIGGER_LABELS[trigger]
    words = {"kind": trigger, "label": label, "since": since, "day": day, "readers": readers, "ticked": set(ticked)}
    found = render_template("cases/suggestions.html", form=form, page=page, tried=tried, **words)
    return found, tried.status if tried else 422 if form.errors else 200


def _open(kind, moment, ticked, confirmed):
    refs = [ref.replace("\0", "") for ref in ticked]
    return actions.open_suggested(kind, moment, refs, confirmed=confirmed or "", actor=g.user)


def _said(kind, day: date, count):
    presentation.nudge()
    who = plural(count, g.school.student_word.lower(), presentation.WORDS.get(g.school.student_word, "").lower() or None)
    flash(f"Done for {who}: each has a case now.", "ok")
    return redirect(url_for("cases.suggestions", trigger=kind, since=day.isoformat()), 303)
