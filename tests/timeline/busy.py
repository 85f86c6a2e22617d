"""A student about whom thousands of things are recorded, written straight into the tables, some at a time."""

import json
from datetime import timedelta
from itertools import count as count_from

from extensions import clock, db
from models import (
    CaseEntry,
    CaseRecord,
    Incident,
    IncidentAction,
    IncidentStudent,
    IncidentVersion,
    Meeting,
    MeetingStaff,
    MeetingStudent,
    MeetingType,
    PartCategory,
    Plan,
    PlanPoint,
    PlanReview,
    StoredFile,
    Task,
    TaskNote,
)
from models import FormResponse as Response
from tests import factories

_numbers = count_from(1)
TEXT = "A sentence about what happened, and another one about what was done since."
# What there is for every 5,000 events; 500 incidents come with an action each, every second one of which is done.
SHARES = {"incident": 500, "entry": 800, "task": 400, "meeting": 300, "plan": 30, "point": 600, "response": 300, "file": 200}


def busy(student, by, assigned_to, share=1.0):
    """Some 5,000 events about the student (times `share`), all by `by`, who is on the cases and scheduled, set and sent the
    rest; `assigned_to` has the tasks and is at the meetings. Every second record belongs to a case. Returns how many
    events there are."""
    made = {name: max(2, round(number * share)) for name, number in SHARES.items()}
    with db.atomic():
        cases = [factories.case(student, None, title=f"Case {number}", coordinator=by) for number in range(6)]
        total = 6 + _incidents(student, by, made["incident"]) + _entries(cases, by, made["entry"])
        total += _tasks(student, by, assigned_to, cases, made["task"])
        total += _meetings(student, by, assigned_to, cases, made["meeting"])
        total += _plans(student, by, cases, made["plan"], made["point"])
        total += _sent(student, by, cases, made["response"], made["file"])
    return total


def moments(count, offset=0):
    """So many moments, spread over three years before now."""
    now = clock.now() - timedelta(days=1, minutes=offset)
    return [now - timedelta(days=1090) * number / count for number in range(count)]


def _insert(model, rows):
    """The rows (dicts) in the table; their ids, in order."""
    before = model.select(model.id).order_by(model.id.desc()).limit(1).scalar() or 0
    for start in range(0, len(rows), 500):
        model.insert_many(rows[start : start + 500]).execute()
    return [row.id for row in model.select(model.id).where(model.id > before).order_by(model.id)]


def _belong(kind, ids, cases, by):
    rows = [
        {"case": cases[id_ % len(cases)], "kind": kind, "record_id": id_, "record": f"{kind}{id_}", "how": "joined", "by": by}
        for id_ in ids[::2]
    ]
    _insert(CaseRecord, rows)


def _incidents(student, by, count):
    open_one, closed_one = factories.category(), factories.category(need_to_know=[factories.group()])
    rows = [{"text": TEXT, "happened_at": at, "entered_at": at, "author": by, "place": "Canteen"} for at in moments(count)]
    incidents = _insert(Incident, rows)
    _insert(IncidentVersion, [{"incident": one, "number": 1, "text": TEXT, "author": by} for one in incidents])
    parts = _insert(IncidentStudent, [{"incident": one, "student": student} for one in incidents])
    _insert(PartCategory, [{"part": part, "category": open_one if part % 10 else closed_one} for part in parts])
    actions = [
        {"incident": one, "text": TEXT, "author": by, "at": at, "person": by, "done_at": at if one % 2 else None,
         "done_by": by if one % 2 else None}
        for one, at in zip(incidents, moments(count, 60), strict=True)
    ]  # fmt: skip
    _insert(IncidentAction, actions)
    _insert(StoredFile, [_file(n, by, at, incident=incidents[n]) for n, at in enumerate(moments(count // 10, 30))])
    return 2 * count + sum(one % 2 for one in incidents) + count // 10


def _file(number, by, at, **of):
    (record,) = of.values()
    name = f"{type(record).__name__}{record}-{number}-{next(_numbers)}"
    return of | {"name": f"letter {number}.pdf", "path_name": name, "media_type": "application/pdf", "size": 1000, "sha256": "0",
                 "uploaded_by": by, "at": at}  # fmt: skip


def _entries(cases, by, count):
    rows = [{"case": cases[n % len(cases)], "author": by, "at": at, "text": TEXT} for n, at in enumerate(moments(count, 120))]
    _insert(CaseEntry, rows)
    _insert(StoredFile, [_file(n, by, at, case=cases[n % len(cases)]) for n, at in enumerate(moments(count // 50, 90))])
    return count + count // 50


def _tasks(student, by, assigned_to, cases, count):
    noted = list(moments(count))
    rows = [
        {"student": student, "title": "Ring the family", "notes": TEXT, "assigned_to": assigned_to, "set_by": by, "set_at": at,
         "state": "completed", "ended_at": at + timedelta(days=1), "ended_by": assigned_to, "noted_at": late}
        for at, late in zip(moments(count, 180), noted, strict=True)
    ]  # fmt: skip
    tasks = _insert(Task, rows)
    _insert(TaskNote, [{"task": one, "author": by, "at": at, "text": TEXT} for one, at in zip(tasks, noted, strict=True)])
    _belong("task", tasks, cases, by)
    return 3 * count


def _meetings(student, by, invited, cases, count):
    kind = MeetingType.select().first()
    rows = [
        {"meeting_type": kind, "starts_at": at, "ends_at": at + timedelta(hours=1), "agenda": TEXT, "scheduled_by": by,
         "scheduled_at": at - timedelta(days=7), "state": "held", "outcome": TEXT, "ended_at": at, "ended_by": by}
        for at in moments(count, 240)
    ]  # fmt: skip
    meetings = _insert(Meeting, rows)
    _insert(MeetingStudent, [
        {"meeting": one, "student": student, "added_by": by, "at": at} for one, at in zip(meetings, moments(count, 300), strict=True)
    ])  # fmt: skip
    _insert(MeetingStaff, [{"meeting": one, "account": invited, "added_by": by} for one in meetings])
    _belong("meeting", meetings, cases, by)
    return 2 * count


def _plans(student, by, cases, count, points):
    rows = [
        {"student": student, "tier": 2, "goal": TEXT, "starts_on": at.date(), "lead": by, "created_by": by, "created_at": at}
        for at in moments(count, 300)
    ]
    plans = _insert(Plan, rows)
    measured = [
        {"plan": plans[n % count], "day": at.date(), "value": n % 5, "author": by, "at": at}
        for n, at in enumerate(moments(points, 360))
    ]
    _insert(PlanPoint, measured)
    reviews = [
        {"plan": one, "day": at.date(), "decision": "continue", "notes": TEXT, "author": by, "at": at}
        for one, at in zip(plans, moments(count, 420), strict=True)
    ]
    _insert(PlanReview, reviews)
    _belong("plan", plans, cases, by)
    return 2 * count + points


def _sent(student, by, cases, responses, files):
    form = factories.form(None, by, [{"key": "what", "type": "long_text", "label": "What is it about?"}])
    rows = [
        {"form": form, "number": 1, "student": student, "author": by, "submitted_at": at, "answers": json.dumps({"what": TEXT})}
        for at in moments(responses, 480)
    ]
    _belong("form", _insert(Response, rows), cases, by)
    stored = [_file(n, by, at, student=student) | {"shown_to": "related"} for n, at in enumerate(moments(files, 540))]
    _insert(StoredFile, stored)
    return responses + files
