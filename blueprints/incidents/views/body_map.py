"""The body map: a click on a picture places a mark without any script, and a list of body parts does it without a
pointer. The pictures are drawn here, with the marks on them; they carry numbers and no name."""

import re
from functools import cache
from pathlib import Path

from flask import Response, current_app, flash, g, redirect, render_template, request, url_for

import permissions
from blueprints.incidents import actions, queries
from blueprints.incidents.forms import MarkForm, NoteForm
from blueprints.incidents.views import bp
from blueprints.incidents.views.common import loaded
from blueprints.kit import bodymap
from blueprints.kit.attempt import attempt


@bp.route("/incidents/<ref>/body-map", methods=["GET", "POST"])
@permissions.policy("incident.read", record=True)
def body_map(ref):
    incident = loaded(ref)
    form = MarkForm()
    if request.method == "POST":
        place = _clicked() or _listed(form)
        if place:
            mark = actions.add_mark(incident, **place, actor=g.user)
            flash(f"Mark {mark.number} was added: {_label(mark)}.", "ok")
            return redirect(url_for("incidents.body_map", ref=ref, _anchor=f"mark-{mark.number}"), 303)
    return _page(incident, form, 422 if form.errors else 200)


def _page(incident, form, code, editing=None, tried=None):
    marks = queries.marks(g.user, incident)
    page = {"incident": incident, "marks": marks, "regions": bodymap.region, "views": bodymap.VIEWS}
    size = {"width": bodymap.WIDTH, "height": bodymap.HEIGHT}
    may_change = queries.may_change(g.user, incident)
    return render_template(
        "incidents/body_map.html", form=form, editing=editing, tried=tried, may_change=may_change, **page, **size
    ), code


def _clicked():
    """Where a picture was clicked; None when none was. Enter on a picture sends 0, 0, which is no place."""
    for view in bodymap.VIEWS:
        x, y = request.form.get(f"{view}.x", ""), request.form.get(f"{view}.y", "")
        if re.fullmatch(r"\d{1,4}", x) and re.fullmatch(r"\d{1,4}", y) and (x, y) != ("0", "0"):
            return {"view": view, "x": int(x), "y": int(y)}
    return None


def _listed(form):
    if not form.validate():
        return None
    region = bodymap.region(form.region.data)
    return {"view": region.view, "x": region.x, "y": region.y, "note": form.note.data}


def _label(mark):
    region = bodymap.region(mark.region)
    return region.label if region else mark.view


@bp.route("/incidents/<ref>/body-map/<mark_ref>", methods=["GET", "POST"])
@permissions.policy("incident.read", record=True)
def mark(ref, mark_ref):
    incident = loaded(ref)
    row = queries.mark(g.user, incident, mark_ref)
    form = NoteForm(data={"note": row.note, "version": row.version})
    tried = None
    if form.validate_on_submit():
        tried = attempt(form, lambda: _change(incident, row, form))
        if tried.saved:
            flash(f"The note of mark {row.number} was saved.", "ok")
            return redirect(url_for("incidents.body_map", ref=ref, _anchor=f"mark-{row.number}"), 303)
    code = tried.status if tried else 422 if form.errors else 200
    page = {"incident": incident, "mark": row, "label": _label(row), "form": form, "tried": tried}
    return render_template("incidents/mark.html", **page), code


def _change(incident, row, form):
    return actions.change_mark(incident, row, note=form.note.data, actor=g.user, version=form.version.data)


@bp.route("/incidents/<ref>/body-map/<mark_ref>/removal", methods=["POST"])
@permissions.policy("incident.read", record=True)
def mark_removal(ref, mark_ref):
    incident = loaded(ref)
    row = queries.mark(g.user, incident, mark_ref)
    actions.remove_mark(incident, row, actor=g.user)
    flash(f"Mark {row.number} was removed.", "ok")
    return redirect(url_for("incidents.body_map", ref=ref), 303)


@bp.route("/incidents/<ref>/body-map/<any(front, back):view>.svg")
@permissions.policy("incident.read", record=True)
def body_map_picture(ref, view):
    """The outline with this incident's marks. Part of a page whose reading is on record, so not recorded again."""
    incident = queries.incident(g.user, ref, audit=False)
    marks = "".join(_drawn(mark) for mark in queries.marks(g.user, incident) if mark.view == view)
    return Response(f"{_outline(current_app.static_folder, view)}{marks}</svg>", mimetype="image/svg+xml")


@cache
def _outline(folder, view):
    """The drawing of our own, open at its end so that the marks can follow."""
    drawing = (Path(folder) / "body" / f"{view}.svg").read_text(encoding="utf-8")
    return drawing.rstrip().removesuffix("</svg>")


def _drawn(mark):
    """A numbered circle. Numbers only: nothing that somebody typed goes into the picture."""
    circle = f'<circle cx="{mark.x:g}" cy="{mark.y:g}" r="9" fill="#a3262a" stroke="#fff" stroke-width="1.5"/>'
    style = 'fill="#fff" font-family="sans-serif" font-weight="700" font-size="11" text-anchor="middle"'
    return f'{circle}<text x="{mark.x:g}" y="{mark.y + 4:g}" {style}>{mark.number:d}</text>'
