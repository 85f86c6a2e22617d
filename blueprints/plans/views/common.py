"""What the pages about plans share: loading the plan a page is about, the way back to it, students and staff of a form."""

from flask import g, redirect, request, url_for

import permissions
from blueprints.kit import tables_out
from blueprints.kit.attempt import blame
from blueprints.kit.picking import pick_one
from blueprints.plans import queries
from blueprints.students import queries as students

FORMATS = {"csv": tables_out.csv_response, "xlsx": tables_out.xlsx_response}


def loaded(ref):
    """The plan for this request, or 404. A GET records the read; a POST leaves that to its action."""
    return queries.plan(g.user, ref, audit=request.method in ("GET", "HEAD"))


def managed(ref):
    """The same for a page that only those may open who work on the plan (403 for other readers)."""
    plan = loaded(ref)
    if not queries.may_manage(plan):
        raise permissions.Denied("plan.manage")
    return plan


def to_plan(ref, anchor=None):
    """After saving: back to the plan, unless the change has closed it to whoever made it."""
    try:
        queries.plan(g.user, ref, audit=False)
    except permissions.NotVisible:
        return redirect(url_for("plans.index"), 303)
    return redirect(url_for("plans.plan", ref=ref, _anchor=anchor), 303)


# --- The student -----------------------------------------------------------------------------------------------------


def pick_student(values):
    """Picked of the field Student of these values (a MultiDict), chosen from the list or typed without a script."""
    word = g.school.student_word.lower()
    several, missing = f"A plan is about one {word}. Choose one.", f"Say which {word} this plan is about."
    return pick_one(values, "student", students.picker(g.user), several=several, missing=missing)


# --- Staff -----------------------------------------------------------------------------------------------------------


def pick_people(values, form, student=None):
    """{"lead": account or None, "staff": [accounts]} of these values, chosen or typed; what is not known, and a lead that
    is none or several, stands as an error at the field of `form`, where one is given."""
    lead, staff = (_chosen(values, name, form, student) for name in ("lead", "staff"))
    if form is not None and not form["lead"].errors and len(lead) != 1:
        blame(form, "lead", "A plan has one lead. Choose one person." if lead else "Say who leads the plan.")
    return {"lead": lead, "staff": staff}


def _chosen(values, name, form, student):
    """A name that is typed takes the place of the lead who stood there."""
    found, problem = queries.pick(values.getlist(f"{name}_ref"))
    if form is not None:
        blame(form, name, problem)
    if typed := values.get(name, "").strip():
        more, problem = queries.resolve(typed, student)
        if form is not None:
            blame(form, name, problem)
        if not problem:
            found = more if name == "lead" else found + [one for one in more if one not in found]
            if form is not None:
                form[name].data, form[name].raw_data = "", None  # it stands among the chips now
    return found


def people_chips(people):
    """{field: the chips of its picker}."""
    return {name: queries.chips(accounts) for name, accounts in people.items()}
