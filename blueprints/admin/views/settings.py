"""Admin > Settings."""

from flask import flash, g, redirect, render_template, url_for

import permissions
from blueprints.admin import actions
from blueprints.admin.forms import SettingsForm
from blueprints.admin.views import bp
from blueprints.cohorts import queries as cohorts
from models import Conflict

SAVED = ("name", "timezone", "student_word", "cases_module", "session_idle_minutes", "session_absolute_hours", "alert_hour",
         "student_visibility")  # fmt: skip


@bp.route("/admin/settings", methods=["GET", "POST"])
@permissions.policy("admin.settings")
def settings():
    form = SettingsForm(obj=g.school)
    if not form.is_submitted():
        return _page(form)
    if not form.validate():
        return _page(form), 422
    try:
        actions.change_settings(form.read_version, actor=g.user, **_values(form))
    except Conflict as conflict:
        form.version.data = str(conflict.row.version)
        return _page(form, _differences(form, conflict.row)), 409
    flash("The settings were saved.", "ok")
    return redirect(url_for("admin.settings"), 303)


def _values(form):
    values = {name: form[name].data for name in SAVED}
    return values | {"student_visibility": values["student_visibility"] == "Enabled"}


def _page(form, differences=()):
    effect = cohorts.visibility_effect(g.user)
    return render_template("admin/settings.html", form=form, differences=differences, effect=effect)


def _differences(form, row):
    """[(label, what stands there now, what was typed)] of every field that differs."""
    return [
        (form[name].label.text, _words(getattr(row, name)), _words(typed))
        for name, typed in _values(form).items()
        if getattr(row, name) != typed
    ]


def _words(value):
    return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value
