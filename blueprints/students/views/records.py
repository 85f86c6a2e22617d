"""One student's page: what is known, changing it, contacts, leaving and returning."""

from flask import flash, g, redirect, render_template, request, url_for

import permissions
from blueprints.kit import presentation
from blueprints.students import actions, queries
from blueprints.students.forms import CONTACT_LABELS, LABELS, ContactForm, StudentForm
from blueprints.students.views import bp
from models import Conflict


def _page(student):
    return redirect(url_for("students.student", ref=student.ref), 303)


def _changed(student):
    """After a change, of which the people who look after the student may be told by email."""
    presentation.nudge()
    return _page(student)


@bp.route("/students/<ref>")
@permissions.policy("student.search", record=True)
def student(ref):
    row = queries.student(g.user, ref, whole=True)
    contacts = queries.contacts(g.user, row) if row.shows_details else []
    return render_template("students/student.html", student=row, tabs=queries.tabs(g.user, row), contacts=contacts)


@bp.route("/students/new", methods=["GET", "POST"])
@permissions.policy("student.edit")
def new():
    form = StudentForm()
    if form.validate_on_submit():
        try:
            row = actions.add_student(form.values(), actor=g.user)
        except actions.Taken as problem:
            _blame(form, problem)
        else:
            flash(f"{row.name} was added.")
            return _page(row)
    return render_template("students/new.html", form=form), 422 if form.errors else 200


@bp.route("/students/<ref>/edit", methods=["GET", "POST"])
@permissions.policy("student.edit")
def edit(ref):
    row = queries.student(g.user, ref, audit=request.method == "GET")
    form = StudentForm(obj=row)
    theirs = ()
    if form.validate_on_submit():
        try:
            row = actions.change_student(row, form.values(), version=form.version.data, actor=g.user)
        except actions.Taken as problem:
            _blame(form, problem)
        except Conflict as conflict:
            theirs = _both(form, conflict.row, LABELS)
        else:
            flash(f"{row.name} was saved.")
            return _changed(row)
    status = 409 if theirs else 422 if form.errors else 200
    return render_template("students/edit.html", form=form, student=row, theirs=theirs), status


def _blame(form, problem):
    for name, sentence in problem.problems.items():
        form[name].errors = [*form[name].errors, sentence]


def _both(form, row, labels):
    """[(label, what was typed, what is stored)] where they differ; the form can then be sent over what is stored."""
    form.version.data = row.version
    typed = form.values()
    pairs = ((label, typed[name], getattr(row, name)) for name, label in labels.items())
    return [(label, mine, theirs) for label, mine, theirs in pairs if mine != theirs]


@bp.route("/students/<ref>/departure", methods=["POST"])
@permissions.policy("student.edit")
def departure(ref):
    row = actions.leave(queries.student(g.user, ref, audit=False), actor=g.user)
    flash(f"{row.name} is marked as left.")
    return _changed(row)


@bp.route("/students/<ref>/return", methods=["POST"])
@permissions.policy("student.edit")
def comeback(ref):
    row = actions.take_back(queries.student(g.user, ref, audit=False), actor=g.user)
    flash(f"{row.name} is at the school again.")
    return _changed(row)


# --- Contacts --------------------------------------------------------------------------------------------------------


@bp.route("/students/<ref>/contacts/new", methods=["GET", "POST"])
@permissions.policy("student.edit")
def new_contact(ref):
    row = queries.student(g.user, ref, audit=False)
    form = ContactForm()
    if form.validate_on_submit():
        actions.add_contact(row, form.values(), actor=g.user)
        flash("The contact was added.")
        return _changed(row)
    page = render_template("students/contact.html", form=form, student=row, contact=None, theirs=())
    return page, 422 if form.errors else 200


@bp.route("/students/<ref>/contacts/<contact_ref>", methods=["GET", "POST"])
@permissions.policy("student.edit")
def contact(ref, contact_ref):
    row = queries.student(g.user, ref, audit=request.method == "GET")
    found = queries.contact(g.user, row, contact_ref)
    form = ContactForm(obj=found)
    theirs = ()
    if form.validate_on_submit():
        try:
            actions.change_contact(found, form.values(), version=form.version.data, actor=g.user)
        except Conflict as conflict:
            theirs = _both(form, conflict.row, CONTACT_LABELS)
        else:
            flash("The contact was saved.")
            return _changed(row)
    page = render_template("students/contact.html", form=form, student=row, contact=found, theirs=theirs)
    return page, 409 if theirs else 422 if form.errors else 200


@bp.route("/students/<ref>/contacts/<contact_ref>/removal", methods=["POST"])
@permissions.policy("student.edit")
def contact_removal(ref, contact_ref):
    row = queries.student(g.user, ref, audit=False)
    actions.remove_contact(queries.contact(g.user, row, contact_ref), actor=g.user)
    flash("The contact was removed from the page.")
    return _changed(row)
