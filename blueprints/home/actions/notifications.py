"""Notifications that were seen, how each kind reaches somebody, and the daily digest. Nothing here tells anybody of a
record: that is events.notify(), in the transaction of what happened."""

import events
import permissions
from extensions import clock, db
from models import Account, Notification, NotificationChoice, OutboxEmail


def see(notification, *, actor):
    """`actor` has opened one of their own notifications."""
    permissions.require("incident.read", actor)
    if notification.account_id != actor.id:
        raise permissions.NotVisible(notification.ref)
    unseen = (Notification.id == notification.id) & Notification.read_at.is_null()
    Notification.update(read_at=clock.now()).where(unseen).execute()


def see_all(ref, *, actor):
    """Mark as read what `actor` still sees of their notifications, up to the one of this reference: what came in after
    the page was shown stays unread. Returns how many."""
    permissions.require("incident.read", actor)
    newest = Notification.get_or_none((Notification.ref == ref) & (Notification.account == actor))
    if newest is None:
        raise permissions.NotVisible(ref)
    unread = (Notification.account == actor) & Notification.read_at.is_null() & (Notification.at <= newest.at)
    seen = Notification.select(Notification.id).where(unread & permissions.sees_notified(actor))
    with db.atomic():
        return Notification.update(read_at=clock.now()).where(Notification.id.in_(seen)).execute()


def save_choices(choices, *, actor):
    """Save how kinds of notifications reach `actor`: {kind: AT_ONCE, DAILY or NEVER}, only kinds that can be chosen."""
    permissions.require("incident.read", actor)
    for kind, choice in choices.items():
        if not events.NOTIFICATIONS[kind][2] or choice not in (events.AT_ONCE, events.DAILY, events.NEVER):
            raise ValueError(f"{kind} can't be chosen as {choice}")
    with db.atomic():
        changed = [kind for kind, choice in choices.items() if _save_choice(actor, kind, choice)]
        events.record("notification.choices_saved", actor=actor, fields=changed)
    return changed


def _save_choice(actor, kind, choice):
    """Whether this changes anything; what waits for a digest is not emailed any more once somebody said never."""
    mine = (NotificationChoice.account == actor) & (NotificationChoice.kind == kind)
    before = NotificationChoice.get_or_none(mine)
    if choice == (before.choice if before else events.NOTIFICATIONS[kind][1]):
        return False
    NotificationChoice.insert(account=actor, kind=kind, choice=choice).on_conflict(
        conflict_target=[NotificationChoice.account, NotificationChoice.kind], update={NotificationChoice.choice: choice}
    ).execute()
    if choice == events.NEVER:
        waiting = (Notification.account == actor) & (Notification.kind == kind) & Notification.digested_at.is_null()
        Notification.update(digest_on=None).where(waiting).execute()
    return True


def queue_digests(today):
    """Queue one digest email for everybody with something that waits for the digest of this school day, or of one that
    was missed. Returns how many were queued.

    Once for a person and day, however often this is called; what comes in afterwards waits for the next day. Whoever was
    deactivated is sent nothing, and finds it in their list when they are back.
    """
    due = Notification.digested_at.is_null() & (Notification.digest_on <= today)
    with db.atomic():
        waiting = Notification.select(Notification.account_id, Account.is_active).join(Account).where(due).distinct()
        people = dict(waiting.tuples())
        if not people:
            return 0
        keys = {_key(account, today): account for account in people}
        queued = OutboxEmail.select(OutboxEmail.once).where(OutboxEmail.once.in_(list(keys)))
        for (once,) in queued.tuples():
            del people[keys[once]]
        gathered = Notification.update(digest_on=today, digested_at=clock.now()).where(due)
        gathered.where(Notification.account.in_(list(people))).execute()
        sent = [account for account, is_active in people.items() if is_active]
        for account in sent:
            events.email("digest", Account(id=account), target=today.isoformat(), once=_key(account, today))
    return len(sent)


def _key(account, today):
    return f"digest:{account}:{today}"
