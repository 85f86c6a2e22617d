"""Drafts: what somebody has typed and not sent. They belong to one account and nobody else ever sees them."""

import json
from datetime import timedelta

from blueprints.account.throttle import alone
from extensions import clock
from models import Draft

MOST_BYTES = 300_000
MOST_DRAFTS = 50  # of one account; the oldest make room
# A save that was under way when the form was sent arrives within this time.
_STRAGGLER = timedelta(seconds=5)
_NOT_KEPT = {"csrf_token", "once", "version"}


def save_draft(key, fields, *, actor, once=""):
    """Keep the fields (name: list of values) of the form `key`; False if that very form has been sent meanwhile.

    A sent form leaves a mark in the place of its draft: the one-time key it was sent with. A save with that key came
    too late and would bring back what is already done.
    """
    kept = {name: values for name, values in fields.items() if name not in _NOT_KEPT}
    with alone(f"draft {actor.id} {key}"):
        row = Draft.get_or_none((Draft.account == actor) & (Draft.key == key))
        if row is not None and _comes_too_late(row, once):
            return False
        _put(actor, key, {"fields": kept, "once": once})
        if row is None:
            _make_room(actor)
    return True


def _make_room(actor):
    oldest = Draft.select(Draft.id).where(Draft.account == actor).order_by(Draft.changed_at.desc()).offset(MOST_DRAFTS)
    ids = [row_id for (row_id,) in oldest.limit(MOST_DRAFTS).tuples()]
    if ids:
        Draft.delete().where(Draft.id.in_(ids)).execute()


def _comes_too_late(row, once):
    body = json.loads(row.body)
    if "sent" not in body:
        return False
    if body["sent"]:
        return once == body["sent"]
    return clock.now() - row.changed_at < _STRAGGLER


def clear_draft(key, *, actor, once=""):
    """The form was sent: forget its draft. `once` is the form's one-time key; without it, the last draft's counts."""
    with alone(f"draft {actor.id} {key}"):
        _put(actor, key, {"sent": once or _last_once(actor, key)})


def _last_once(actor, key):
    row = Draft.get_or_none((Draft.account == actor) & (Draft.key == key))
    return json.loads(row.body).get("once", "") if row else ""


def _put(actor, key, body):
    now, text = clock.now(), json.dumps(body, ensure_ascii=False)
    Draft.insert(account=actor, key=key, body=text, changed_at=now).on_conflict(
        conflict_target=[Draft.account, Draft.key], update={Draft.body: text, Draft.changed_at: now}
    ).execute()
