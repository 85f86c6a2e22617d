"""The six things that may open a case, done for real: by the actions of the parts, as somebody of the staff would."""

from datetime import timedelta

from blueprints.cases import actions as cases
from blueprints.forms import actions as forms
from blueprints.kit.uploads import Stored
from blueprints.plans import actions as plans
from extensions import clock
from models import Form, FormResponse, Meeting, MeetingType, Plan, PlanReview, StoredFile, Task, new_ref
from tests import factories

# {kind: the table of its records}
TABLES = {"form": FormResponse, "plan": Plan, "task": Task, "meeting": Meeting, "review": PlanReview, "file": StoredFile}


def happen(kind, student, actor):
    """One of them happens to the student now; returns its record. A form of any name has to be published for "form", an active
    plan of the student that the actor leads to be there for "review"."""
    return _DONE[kind](student, actor)


def task(student, actor):
    return cases.set_task(actor=actor, student=student, title="Ring the family", assigned_to=actor)


def meeting(student, actor, students=()):
    starts_at = clock.now() + timedelta(days=1)
    times = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1)}
    kind = MeetingType.select().order_by(MeetingType.position).first().id
    return cases.schedule_meeting(actor=actor, students=[student, *students], staff=[actor], meeting_type=kind, **times)


def plan(student, actor):
    said = {"tier": 2, "goal": "Be on time", "concern": "", "measure": "", "baseline": None, "target": None}
    return plans.create_plan(student, lead=actor, actor=actor, starts_on=factories.today(), review_by=None, **said)


def review(student, actor):
    here = (Plan.student == student.id) & (Plan.state == "active") & (Plan.lead == actor.id)
    row = Plan.select().where(here).order_by(Plan.id).first()
    return plans.review_plan(row, day=factories.today(), decision="continue", number=row.version, actor=actor)


def form(student, actor):
    row = Form.select().where(Form.published > 0, Form.retired_at.is_null()).order_by(Form.id).first()
    return forms.submit(actor=actor, form=row, number=row.published, answers={}, student=student)


def file(student, actor):
    stored = Stored(new_ref(), 1, "application/pdf", "0", "letter.pdf")
    return cases.submit_files(student, [stored], actor=actor, shown_to="related")[0]


_DONE = {"form": form, "plan": plan, "task": task, "meeting": meeting, "review": review, "file": file}


def ready(student, actor):
    """What has to be there before each of them can happen to the student."""
    if not Form.select().exists():
        factories.form("Worry")
    factories.plan(student, actor, starts_on=factories.today() - timedelta(days=7))
