"""Where the events of a student's timeline lie, one module a subject. Each asks permissions.py; none widens what it says."""

from blueprints.timeline.queries.sources import cases, incidents, plans, sent, students, work
from blueprints.timeline.queries.sources.base import KINDS, NAMES, OF_CASES_MODULE, SOURCES, Arms, Row

__all__ = ["KINDS", "NAMES", "OF_CASES_MODULE", "SOURCES", "SUBJECTS", "Row"]


def _sent(user, **asked):
    arms = Arms(**asked)
    students.add(arms, user)
    sent.add(arms, user)
    return arms.statement()


def _plans(user, **asked):
    return _of(plans.add, user, asked)


def _tasks(user, **asked):
    return _of(work.add_tasks, user, asked)


def _meetings(user, **asked):
    return _of(work.add_meetings, user, asked)


def _incidents(user, **asked):
    return _of(incidents.add, user, asked)


def _cases(user, **asked):
    return _of(cases.add, user, asked)


def _of(add, user, asked):
    arms = Arms(**asked)
    add(arms, user)
    return arms.statement()


# A statement for each subject with the sources that are in it. First what an index gives newest first, last those that ask most
# about access: what was found bounds what is looked at next. One statement for all of them costs SQLite half as much again,
# because each question about access inside it gets slower the more tables the statement has opened.
SUBJECTS = {
    _sent: ("student", "milestone", "response", "response_file", "file"),
    _plans: ("plan", "plan_intervention", "plan_point", "plan_review", "plan_ended"),
    _tasks: ("task", "task_note", "task_ended"),
    _cases: ("case_opened", "case_presenting", "case_agency", "case_entry", "case_file", "case_closed", "case_reopened"),
    _meetings: ("meeting", "meeting_moved", "meeting_held", "meeting_cancelled"),
    _incidents: (
        "incident", "incident_file", "incident_action", "incident_action_done", "incident_closed", "incident_reopened",
    ),
}  # fmt: skip
