"""What the processes of the torture tests do: the application's own actions, in a process that may die at any moment.

Each function gets `say` first. Must not check anything: the test that started it does, from outside.
"""

import random
import time
from datetime import UTC, datetime, timedelta

import app as application
import config
import permissions
import tasks
from blueprints.admin import actions as admin_actions
from blueprints.cases import actions as case_actions
from blueprints.cases import queries as cases
from blueprints.cases.actions import triggering
from blueprints.cohorts import actions as cohort_actions
from blueprints.imports import runs as imports
from blueprints.incidents import actions as incident_actions
from extensions import clock, db
from models import Account, Case, CaseGroup, CloseReason, Conflict, Group, ImportRun, Incident, Student
from tests.work import happenings


def _open():
    """The instance that the environment names; returns the application."""
    made = application.create_app(config.load())
    made.config["CHEAP_HASHES"] = True
    db.connect(reuse_if_open=True)
    return made


def _later(minutes):
    """Let this process live so many minutes ahead: leases of a worker that was killed have run out by then."""
    ahead = timedelta(minutes=minutes)
    clock.now = lambda: datetime.now(UTC) + ahead


def deliver(say, minutes):
    """A worker: sends what is due, again and again, until it is killed or nothing waits any more."""
    _later(minutes)
    app = _open()
    say("ready")
    with app.app_context():
        idle = 0
        while idle < 2:
            idle = idle + 1 if tasks.deliver() == 0 else 0
    say("idle")


def remind(say, minutes):
    """A worker's minute again and again: queues the reminders of milestones that are due and sends them."""
    _later(minutes)
    app = _open()
    say("ready")
    with app.app_context():
        idle = 0
        while idle < 2:
            queued = cohort_actions.queue_due(clock.now())
            idle = idle + 1 if queued + tasks.deliver() == 0 else 0
    say("idle")


def bulk_close(say, actor, from_day, to_day, number, digest):
    _open()
    admin = Account.get_by_id(actor)
    say("ready")
    admin_actions.close_between(from_day, to_day, number, digest, actor=admin)
    say("done")


def import_students(say, minutes):
    """A worker that takes up the import that waits, or the one whose worker was killed."""
    _later(minutes)
    app = _open()
    say("ready")
    with app.app_context():
        imports.run_waiting()
    say(ImportRun.select(ImportRun.state).order_by(ImportRun.id.desc()).scalar())


def assign_for_ever(say, actor, incident_ids, assignee_ids, seed):
    """Assigns one incident after the other to somebody, and says which was committed."""
    _open()
    chance = random.Random(seed)
    actor = Account.get_by_id(actor)
    people = {number: Account.get_by_id(number) for number in assignee_ids}
    say("ready")
    while True:
        incident = Incident.get_by_id(chance.choice(incident_ids))
        to = people[chance.choice(assignee_ids)]
        if to.id == incident.assigned_to_id:
            continue
        incident_actions.assign(incident, to, actor=actor, version=incident.version)
        say((incident.id, to.id))


def attach_for_ever(say, actor, case_ids, group_ids, seed):
    """Attaches one whole group after the other to a case, emailing its members, and detaches it when its turn comes again;
    says which was committed: (case, group, whether it is attached now)."""
    _open()
    chance = random.Random(seed)
    actor = Account.get_by_id(actor)
    say("ready")
    while True:
        case, group = Case.get_by_id(chance.choice(case_ids)), Group.get_by_id(chance.choice(group_ids))
        is_attached = CaseGroup.select().where((CaseGroup.case == case) & (CaseGroup.group == group)).exists()
        if is_attached:
            case_actions.detach_group(case, group.ref, actor=actor)
        else:
            confirmed = cases.confirmation_of(cases.new_readers(case, group))
            case_actions.attach_group(case, group, actor=actor, confirmed=confirmed, email=True)
        say((case.id, group.id, not is_attached))


def trigger_for_ever(say, kind, actor, student_ids, seed):
    """Lets the thing of this kind happen to one student after the other, and closes their case now and then, so that the next
    opens another; says which was committed: (student, the record)."""
    _open()
    chance = random.Random(seed)
    actor, reason = Account.get_by_id(actor), CloseReason.get()
    say("ready")
    while True:
        student = Student.get_by_id(chance.choice(student_ids))
        case = Case.get_or_none((Case.student == student) & (Case.status == "Open"))
        if case and chance.random() < 0.3:
            case_actions.close_case(case, reason=reason.id, outcome="", actor=actor, version=case.version)
        say((student.id, happenings.happen(kind, student, actor).id))


def trigger_and_stop(say, kind, actor, student_id, after):
    """The same once, and then no step further: says "written" once the record is in the open transaction, with `after` once
    its case is as well, and waits to be killed."""
    _open()
    open_or_join = triggering.open_or_join

    def stop(*args, **named):
        if after:
            open_or_join(*args, **named)
        say("written")
        time.sleep(600)

    triggering.open_or_join = stop
    happenings.happen(kind, Student.get_by_id(student_id), Account.get_by_id(actor))


def trigger_at_once(say, kind, actor, student_ids, count, start_at):
    """`count` times to these students in turn, beside other processes that do the same; says every problem a user would have
    seen."""
    _open()
    actor, problems = Account.get_by_id(actor), []
    students = [Student.get_by_id(one) for one in student_ids]
    time.sleep(max(0.0, start_at - time.time()))
    for turn in range(count):
        try:
            happenings.happen(kind, students[turn % len(students)], actor)
        except Conflict:
            pass
        except Exception as problem:
            problems.append(f"{kind}: {type(problem).__name__} {problem}")
    say(problems)


def write(say, number, count, incident_ids, people, start_at):
    """Mixed writes by one process; says {what: how often} and every problem a user would have seen."""
    _open()
    chance = random.Random(number)
    accounts = [Account.get_by_id(one) for one in people]
    done, problems = {}, []
    time.sleep(max(0.0, start_at - time.time()))
    for turn in range(count):
        what = chance.choice(["text", "details", "status", "assign", "action", "mark", "add"])
        actor = chance.choice(accounts)
        row = Incident.get_by_id(chance.choice(incident_ids))
        try:
            _write_one(what, row, actor, chance, accounts, f"{number}-{turn}")
        except Conflict:
            what = "conflict"
        except permissions.Denied as problem:
            problems.append(f"{what}: denied {problem}")
        except Exception as problem:
            problems.append(f"{what}: {type(problem).__name__} {problem}")
        done[what] = done.get(what, 0) + 1
    say((done, problems))


def _write_one(what, row, actor, chance, accounts, name):
    if what == "text":
        incident_actions.edit_text(row, f"{row.text} [{name}]", "More is known", actor=actor, number=row.text_version)
    elif what == "details":
        incident_actions.change_details(
            row, happened_at=row.happened_at, place=f"Room {name}", actor=actor, version=row.version
        )
    elif what == "status":
        status = "Closed" if row.status == "Active" else "Active"
        incident_actions.set_status(row, status, actor=actor, version=row.version, reason="Again")
    elif what == "assign":
        others = [one for one in [*accounts, None] if (one.id if one else None) != row.assigned_to_id]
        incident_actions.assign(row, chance.choice(others), actor=actor, version=row.version)
    elif what == "action":
        incident_actions.add_action(row, text=f"Did {name}", actor=actor)
    elif what == "mark":
        incident_actions.add_mark(row, view="front", x=50, y=60, note=name, actor=actor)
    else:
        part = row.parts.get()
        incident_actions.add(
            actor=actor, text=f"New {name}", happened_at=row.happened_at,
            parts=[incident_actions.NewPart(part.student, "subject", [pick.category_id for pick in part.categories])],
        )  # fmt: skip


def migrate(say):
    """Brings the instance's database to the newest schema."""
    say("ready")
    application.migrate(config.load())
    say("done")
