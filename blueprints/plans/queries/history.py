"""What happened to a plan, step by step, from the audit log. Words and names only: what was written stays where it was
written."""

import json
from typing import NamedTuple

from blueprints.kit import prepared
from blueprints.plans.queries.words import DECISIONS, LABELS
from models import Account, Event

# verb: what was done, in words, of the event's data and the names of the people in it.
WORDS = {
    "plan.created": lambda data, names: f"created the plan (tier {data['tier']}).",
    "plan.changed": lambda data, names: f"changed {_joined([_label(name) for name in data['fields']])}.",
    "plan.staff_changed": lambda data, names: _staff(data, names),
    "plan.intervention_added": lambda data, names: "added an intervention.",
    "plan.intervention_changed": lambda data, names: "changed an intervention.",
    "plan.point_added": lambda data, names: "added a progress point.",
    "plan.point_removed": lambda data, names: "removed a progress point.",
    "plan.reviewed": lambda data, names: f"reviewed the plan: {DECISIONS[data['decision']]}.",
    "plan.ended": lambda data, names: "ended the plan.",
    "plan.resumed": lambda data, names: "resumed the plan.",
}


class Step(NamedTuple):
    """One step: when, who, what."""

    at: object
    who: str
    words: str


def history(user, plan):
    """Every Step of the plan, the newest first."""
    rows = [(verb, at, who, json.loads(data)) for verb, at, who, data in prepared.rows(_events, ref=plan.ref)]
    names = _names(rows)
    return [Step(at, who, WORDS[verb](data, names)) for verb, at, who, data in rows]


def _events(ref):
    query = Event.select(Event.verb, Event.at, Account.name, Event.data).join(Account)
    return query.where((Event.target == ref) & Event.verb.in_(list(WORDS))).order_by(Event.id.desc())


def _names(rows):
    """{reference: name} of the people that the events name."""
    refs = {ref for *_, data in rows for name in ("added", "removed") for ref in data.get(name, ())}
    return dict(Account.select(Account.ref, Account.name).where(Account.ref.in_(sorted(refs))).tuples()) if refs else {}


def _label(name):
    return {"lead": "the lead"}.get(name) or LABELS[name].lower()


def _staff(data, names):
    told = [
        f"{word} {_joined([names.get(ref, 'somebody') for ref in data[name]])}"
        for name, word in (("added", "put on the plan:"), ("removed", "took off:"))
        if data[name]
    ]
    return f"{'; '.join(told)}."


def _joined(words):
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
