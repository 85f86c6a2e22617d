"""What happened to a case, step by step, from the audit log and the rows of its closings. Words and names only: what was
written stays where it was written. A linked incident is named to those alone who see it; nobody is told of exclusions, nor of a
meeting that is closed to them by one."""

import json
from typing import NamedTuple

from peewee import JOIN

import permissions
from blueprints.cases.queries.sections import SECTIONS
from blueprints.cases.queries.triggers import HAPPENED
from blueprints.kit import prepared
from models import Account, CaseClosure, CloseReason, Event, Group, Incident, Meeting

FIELDS = {"title": "the title", "case_type": "the case type"}
RECORDS = {
    "form": "a form response", "plan": "a plan", "task": "a task", "meeting": "a meeting", "review": "a plan review",
    "file": "a file",
}  # fmt: skip
# Nobody did these: who is behind what happened is told by the record, to those who see it.
BY_ITSELF = ("case.opened_itself", "case.record_joined")
LINKS = ("case.incident_linked", "case.incident_unlinked")
# verb: what was done, in words, of the event's data and the names of the people and groups in it.
WORDS = {
    "case.changed": lambda data, names: f"changed {_joined([FIELDS.get(name, name) for name in data['fields']])}.",
    "case.entry_added": lambda data, names: "added an entry.",
    "case.entry_changed": lambda data, names: f"changed an entry (version {data['number']}).",
    "case.presenting_saved": lambda data, names: f"saved Presenting (version {data['number']}).",
    "case.agency_added": lambda data, names: f"added an agency to {SECTIONS.get(data['section'], data['section'])}.",
    "case.agency_changed": lambda data, names: "changed an agency.",
    "case.agency_removed": lambda data, names: "removed an agency.",
    "case.people_saved": lambda data, names: _people(data, names),
    "case.attached": lambda data, names: f"attached {_named(data, names)}.",
    "case.detached": lambda data, names: f"detached {_named(data, names)}.",
    "case.incident_linked": lambda data, names: "linked the incident",
    "case.incident_unlinked": lambda data, names: "took off the incident",
    "case.file_added": lambda data, names: "added a file.",
    "case.file_removed": lambda data, names: "removed a file.",
    "case.opened_itself": lambda data, names: f"It opened by itself: {HAPPENED[data['kind']]}.",
    "case.record_joined": lambda data, names: f"It joined by itself: {HAPPENED[data['kind']]}.",
    "case.record_linked": lambda data, names: f"put {RECORDS[data['kind']]} onto the case.",
    "case.record_unlinked": lambda data, names: f"took {RECORDS[data['kind']]} off the case.",
}


class Step(NamedTuple):
    """One step: when, who (None: it happened by itself), what, and the incident that the words end with."""

    at: object
    who: str | None
    words: str
    incident: str = ""


def history(user, case):
    """Every Step of the case, the newest first."""
    rows = _without_closed(user, [(*row[:3], json.loads(row[3])) for row in prepared.rows(_events, ref=case.ref)])
    names, seen = _names(rows), _seen(user, rows)
    opener = case.opened_by.name if case.opened_by else None
    steps = []
    if all(verb != "case.opened_itself" for verb, *_ in rows):
        steps = [Step(case.opened_at, opener, "opened the case." if opener else "It opened by itself.")]
    for verb, at, who, data in rows:
        if verb not in LINKS:
            steps.append(Step(at, None if verb in BY_ITSELF else who, WORDS[verb](data, names)))
        elif data["incident"] in seen:
            steps.append(Step(at, who, WORDS[verb](data, names), data["incident"]))
    steps += _closings(case)
    # Of two steps of one moment the one that was recorded later stands above.
    return sorted(steps, key=lambda step: step.at)[::-1]


def _events(ref):
    return (
        Event.select(Event.verb, Event.at, Account.name, Event.data)
        .join(Account)
        .where((Event.target == ref) & Event.verb.in_(list(WORDS)))
        .order_by(Event.id)
    )


def _closings(case):
    closer, reopener = Account.alias("closed_by"), Account.alias("reopened_by")
    rows = (
        CaseClosure.select(
            CaseClosure.closed_at,
            closer.name,
            CloseReason.name,
            CaseClosure.outcome,
            CaseClosure.reopened_at,
            reopener.name,
            CaseClosure.reopen_reason,
        )
        .join_from(CaseClosure, closer, on=(CaseClosure.closed_by == closer.id))
        .join_from(CaseClosure, CloseReason)
        .join_from(CaseClosure, reopener, JOIN.LEFT_OUTER, on=(CaseClosure.reopened_by == reopener.id))
        .where(CaseClosure.case == case.id)
        .order_by(CaseClosure.id)
    )
    for closed_at, who, reason, outcome, reopened_at, reopened_by, why in rows.tuples():
        yield Step(closed_at, who, f"closed the case: {reason}.{' Outcome: ' if outcome else ''}{outcome}")
        if reopened_at:
            yield Step(reopened_at, reopened_by, f"reopened the case: {why}")


# --- The names behind references -------------------------------------------------------------------------------------


def _refs(value):
    """The references in a value of an event's data: one, a list of them, or none."""
    return [value] if isinstance(value, str) else list(value or ())


def _names(rows):
    """{reference: name} of the people and groups that the events name."""
    fields = ("accounts", "groups", "primary_advocate", "coordinator", "following")
    refs = {ref for *_, data in rows for field in fields for ref in _refs(data.get(field))}
    if not refs:
        return {}
    people = Account.select(Account.ref, Account.name).where(Account.ref.in_(list(refs)))
    groups = Group.select(Group.ref, Group.name).where(Group.ref.in_(list(refs)))
    return dict(people.union_all(groups).tuples())


def _seen(user, rows):
    """The references of the linked incidents that `user` sees."""
    refs = {data["incident"] for verb, *_, data in rows if verb in LINKS}
    if not refs:
        return set()
    visible = permissions.visible_incidents(user, Incident.ref, among=[Incident.ref.in_(list(refs))])
    return {ref for (ref,) in visible.tuples()}


def _without_closed(user, rows):
    """The rows, without what happened to a meeting from which `user` is kept."""
    refs = {data["record"] for *_, data in rows if data.get("kind") == "meeting"}
    if not refs:
        return rows
    seen = Meeting.select(Meeting.ref).where(Meeting.ref.in_(list(refs)) & permissions.not_kept_from("meeting", user))
    closed = refs - {ref for (ref,) in seen.tuples()}
    return [row for row in rows if row[3].get("record") not in closed]


def _joined(words):
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _named(data, names):
    refs = _refs(data.get("groups")) + _refs(data.get("accounts"))
    return _joined([names.get(ref, "somebody") for ref in refs])


def _people(data, names):
    told = [
        f"{label}: {', '.join(names.get(ref, 'somebody') for ref in _refs(data.get(field))) or 'nobody'}"
        for field, label in (
            ("primary_advocate", "Primary Advocate"),
            ("coordinator", "Coordinator"),
            ("following", "Following Case"),
        )
    ]
    return f"saved {'; '.join(told)}."
