"""Every verb with the fields it must carry, and the functions that write what follows from a business step: record()
for the audit row, notify() for the people who are told, email() for the outbox row, all in the caller's transaction.

Must not decide who may do a thing, must not send anything, and must never be given a name or a text of a record:
`target` is a reference, `data` holds references, numbers and words of ours.
"""

import hashlib
import json
import secrets
from datetime import timedelta
from zoneinfo import ZoneInfo

from extensions import clock, db, once_key, origin
from models import AuditSeal, Event, Notification, NotificationChoice, OneTimeKey, OutboxEmail, School, is_postgres

# verb: fields that `data` must carry.
VERBS = {
    # account
    "account.signed_in": ("two_step",),
    "account.sign_in_failed": (),
    "account.sign_in_throttled": (),
    "account.signed_out": (),
    "account.password_set": ("by_link",),
    "account.password_link_asked": (),
    "account.two_step_set_up": (),
    "account.two_step_reset": (),
    "account.recovery_codes_made": (),
    "account.recovery_code_used": (),
    "account.session_revoked": ("session",),
    "account.added": ("role",),
    "account.changed": ("fields",),
    "account.role_changed": ("old", "new"),
    "account.deactivated": (),
    "account.reactivated": (),
    "account.invited": (),
    "account.read": (),
    "account.listed": ("count",),
    "account.exported": ("count", "format"),
    # students
    "student.added": (),
    "student.changed": ("fields",),
    "student.left": (),
    "student.returned": (),
    "student.read": (),
    "student.listed": ("count",),
    "student.contact_changed": ("contact",),
    "student.exported": ("count", "format"),
    "student.imported": ("run", "added", "changed", "same", "refused", "left"),
    "student.import_uploaded": ("rows",),
    "import.uploaded": ("kind", "rows"),
    "import.checked": ("kind",),
    "import.saved": ("kind", "counts"),
    "student.import_checked": ("run",),
    # incidents
    "incident.added": ("students", "status", "assigned_to"),
    "incident.read": (),
    "incident.listed": ("count", "list"),
    "incident.exported": ("count", "format"),
    "incident.text_changed": ("number",),
    "incident.details_changed": ("fields",),
    "incident.students_changed": ("added", "changed"),
    "incident.student_removed": ("student",),
    "incident.assigned": ("old", "new"),
    "incident.closed": (),
    "incident.reopened": (),
    "incident.bulk_closing_previewed": ("count", "from_day", "to_day"),
    "incident.bulk_closed": ("count", "from_day", "to_day"),
    "incident.alerted": ("accounts", "groups"),
    "incident.action_added": ("action",),
    "incident.action_done": ("action",),
    "incident.action_undone": ("action",),
    "incident.marked": ("mark",),
    "incident.mark_removed": ("mark",),
    "incident.file_added": ("file", "size"),
    "incident.file_read": ("file",),
    "incident.file_removed": ("file",),
    "incident.access_read": (),
    # cases
    "case.opened": ("student", "case_type"),
    "case.read": (),
    "case.listed": ("count", "list"),
    "case.exported": ("count", "format"),
    "case.changed": ("fields",),
    "case.entry_added": ("entry",),
    "case.entry_changed": ("entry", "number"),
    "case.presenting_saved": ("number",),
    "case.agency_added": ("agency", "section"),
    "case.agency_changed": ("agency", "fields"),
    "case.agency_removed": ("agency",),
    "case.people_saved": ("primary_advocate", "coordinator", "following"),
    "case.attached": ("accounts", "groups"),
    "case.detached": ("accounts", "groups"),
    "case.closed": ("reason",),
    "case.reopened": (),
    "case.incident_linked": ("incident",),
    "case.incident_unlinked": ("incident",),
    "case.file_added": ("file", "size"),
    "case.file_read": ("file",),
    "case.file_removed": ("file",),
    "case.access_read": (),
    # cases that open by themselves
    "case.opened_itself": ("student", "case_type", "kind", "record"),
    "case.record_joined": ("kind", "record"),
    "case.record_linked": ("kind", "record"),
    "case.record_unlinked": ("kind", "record"),
    "dictionary.read": (),
    "dictionary.changed": ("kind", "fields"),
    "dictionary.suggested": ("kind", "count"),
    "dictionary.opened": ("kind", "count"),
    "dictionary.list_changed": ("list", "entry", "fields"),
    # tasks: what is about one has its reference as target
    "task.set": ("student",),
    "task.changed": ("fields",),
    "task.note_added": ("note",),
    "task.completed": (),
    "task.reopened": (),
    "task.cancelled": (),
    "task.read": (),
    "task.listed": ("count", "list"),
    "task.exported": ("count", "format"),
    "task.access_read": (),
    # meetings
    "meeting.scheduled": ("students", "staff"),
    "meeting.moved": ("sequence",),
    "meeting.changed": ("fields",),
    "meeting.students_changed": ("added", "removed"),
    "meeting.staff_changed": ("added", "removed"),
    "meeting.held": (),
    "meeting.cancelled": (),
    "meeting.read": (),
    "meeting.listed": ("count", "list"),
    "meeting.exported": ("count", "format"),
    "meeting.access_read": (),
    "meeting.file_read": (),
    # plans and intervention groups
    "plan.created": ("student", "tier"),
    "plan.changed": ("fields",),
    "plan.staff_changed": ("added", "removed"),
    "plan.intervention_added": ("intervention",),
    "plan.intervention_changed": ("intervention", "fields"),
    "plan.point_added": ("point",),
    "plan.point_removed": ("point",),
    "plan.reviewed": ("review", "decision"),
    "plan.ended": (),
    "plan.resumed": (),
    "plan.read": (),
    "plan.listed": ("count", "list"),
    "plan.exported": ("count", "format"),
    "plan.access_read": (),
    "intervention.added": (),
    "intervention.changed": ("fields",),
    "intervention.students_added": ("count",),
    "intervention.student_left": ("group",),
    "intervention.archived": (),
    "intervention.restored": (),
    "intervention.read": (),
    "intervention.listed": ("count",),
    "intervention.exported": ("count", "format"),
    # forms, responses, referrals
    "form.added": (),
    "form.changed": ("fields",),
    "form.fields_changed": ("number",),
    "form.published": ("number",),
    "form.draft_discarded": ("number",),
    "form.retired": (),
    "form.restored": (),
    "form.readers_changed": ("groups",),
    "form.imported": (),
    "form.exported": ("format",),
    "form.read": (),
    "form.listed": ("count",),
    "response.submitted": ("form", "number"),
    "response.read": (),
    "response.listed": ("count", "form"),
    "response.exported": ("count", "format", "form"),
    "response.file_read": ("file",),
    "response.access_read": (),
    "referral.accepted": ("how", "student"),
    "referral.declined": (),
    "referral.listed": ("count",),
    "referral.exported": ("count", "format"),
    # files on a student's profile, the timeline: the student is the target
    "student.file_added": ("file", "size"),
    "student.file_read": ("file",),
    "student.file_changed": ("file", "fields"),
    "student.file_removed": ("file",),
    "student.files_listed": ("count",),
    "student.files_exported": ("count", "format"),
    "student.file_access_read": ("file",),
    "student.timeline_read": ("count",),
    "student.timeline_exported": ("count", "format"),
    "student.chronology_printed": ("count",),
    "case_management.read": ("count",),
    "case_management.exported": ("count", "format"),
    # cohorts: what is about one student has that student as its target
    "cohort.category_added": (),
    "cohort.category_changed": ("fields",),
    "cohort.added": ("category",),
    "cohort.changed": ("fields",),
    "cohort.archived": (),
    "cohort.restored": (),
    "cohort.copied": ("copied_from", "milestones", "groups"),
    "cohort.read": (),
    "cohort.listed": ("count",),
    "cohort.exported": ("count", "format", "list"),
    "cohort.students_added": ("added", "already_in", "refused"),
    "cohort.student_removed": ("cohort",),
    "cohort.student_moved": ("cohort", "to"),
    "cohort.group_attached": ("group",),
    "cohort.group_detached": ("group",),
    "milestone.added": ("cohort",),
    "milestone.changed": ("fields",),
    "milestone.removed": (),
    "milestone.file_added": ("file", "size"),
    "milestone.file_read": ("file",),
    "milestone.file_removed": ("file",),
    "milestone.marked": ("milestone", "state"),
    "milestone.asked": ("milestone", "request"),
    "milestone.request_withdrawn": ("milestone", "request"),
    "milestone.answered": ("milestone", "request", "outcome"),
    "milestone.reminded": ("milestone", "days"),
    "milestone.listed": ("count", "list"),
    "milestone.exported": ("count", "format"),
    "milestone.template_added": (),
    "milestone.template_changed": ("fields",),
    "milestone.template_removed": (),
    "student.milestones_read": (),
    "student.own_read": (),
    "student.invited": ("account",),
    "set_up.read": (),
    # calendar feeds
    "calendar.feed_made": (),
    "calendar.feed_revoked": (),
    "calendar.feed_read": (),
    # telling people
    "notification.listed": ("count",),
    "notification.choices_saved": ("fields",),
    "announcement.added": (),
    "announcement.changed": ("fields",),
    "announcement.removed": (),
    "personnel.listed": ("count",),
    "personnel.read": (),
    "account.photo_changed": (),
    # access
    "exclusion.added": ("account", "on"),
    "exclusion.ended": ("account", "on"),
    "access.denied": ("asked", "how"),
    # search and reports
    "search.run": ("count",),
    "report.run": ("count", "filters"),
    "report.exported": ("count", "format", "filters"),
    "report.saved": ("shared",),
    "report.changed": ("fields",),
    "report.removed": (),
    # admin
    "category.added": (),
    "category.changed": ("fields",),
    "category.need_to_know_changed": ("groups",),
    "group.added": (),
    "group.changed": ("fields",),
    "group.member_added": ("account",),
    "group.member_removed": ("account",),
    "group.manager_added": ("account",),
    "group.manager_removed": ("account",),
    "department.added": (),
    "department.changed": ("fields",),
    "settings.changed": ("fields",),
    "audit.read": ("count",),
    "audit.exported": ("count", "format"),
    "admin.exported": ("list", "count", "format"),
    "email.failed": ("email",),
    "email.retried": ("email",),
    "school.set_up": (),
    "demo.filled": ("students", "staff", "incidents"),
}

# Held shared by every transaction that adds events (a trigger takes it, migrations/0002), exclusively by seal(): so no
# event with a smaller id can still appear.
_SEAL_LOCK = 7_203_001


# Written out, because every page adds one and putting the statement together costs more than running it.
_ADD_EVENT = (
    "INSERT INTO event (at, actor_id, verb, target, reasons, data, address) VALUES (?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO event (at, actor_id, verb, target, reasons, data, address) VALUES (%s, %s, %s, %s, %s, %s, %s)",
)


def record(verb, *, actor, target="", reasons=(), **data):
    """Write one audit row in the open transaction.

    Raises KeyError for an unknown verb, ValueError for a missing field, RuntimeError outside a transaction.
    If the form being answered has a one-time key, it is used up here, in the same transaction: a second use fails
    with IntegrityError, and the whole business step with it.
    """
    if not db.in_transaction():
        raise RuntimeError(f"the event {verb} belongs into the transaction of what it reports")
    key = once_key.get()
    if key is not None:
        OneTimeKey.create(key=key, account=actor)
        once_key.set(None)
    _write(verb, actor, target, reasons, data)


def record_alone(verb, *, actor, target="", reasons=(), **data):
    """Write one audit row in a transaction of its own: for reads, searches, exports and denials, before the answer.

    Leaves the one-time key of a form alone: looking at a record is not what the form was sent for.
    """
    with db.atomic():
        _write(verb, actor, target, reasons, data)


def record_each(verb, about, *, actor, **data):
    """Write one audit row for each (target, its own data) of `about` in the open transaction: for bulk work."""
    if not db.in_transaction():
        raise RuntimeError(f"the event {verb} belongs into the transaction of what it reports")
    rows = [_values(verb, actor, target, (), data | own) for target, own in about]
    if rows:
        db.connection().cursor().executemany(_ADD_EVENT[is_postgres()], rows)


def _write(verb, actor, target, reasons, data):
    add_event = _ADD_EVENT[is_postgres()]
    db.execute_sql(add_event, _values(verb, actor, target, reasons, data))


def _values(verb, actor, target, reasons, data):
    missing = [field for field in VERBS[verb] if field not in data]
    if missing:
        raise ValueError(f"the event {verb} must carry {', '.join(missing)}")
    return (
        Event.at.db_value(clock.now()),
        actor and actor.id,
        verb,
        target,
        ",".join(reasons),
        json.dumps(data, sort_keys=True, ensure_ascii=False, default=str),
        origin.get() or "",
    )


def email(kind, to, *, target="", target_id=None, once=None):
    """Queue one email (template `email/<kind>.txt`) to an account in the open transaction.

    `once` names an email that must not go out twice (for example one reminder); a second call with it does nothing.
    """
    if once is not None and OutboxEmail.select().where(OutboxEmail.once == once).exists():
        return None
    return OutboxEmail.create(
        kind=kind, account=to, target=target, target_id=target_id, once=once, message_id=secrets.token_hex(16)
    )


def emails(kind, rows, *, target=""):
    """Queue an email of this kind for each of `rows` [(id of the account, target_id, once)] in the open transaction, in one
    statement; as with email(), one whose `once` is there already is left out."""
    fields = {"kind": kind, "target": target}
    queued = [
        {**fields, "account": account, "target_id": target_id, "once": once, "message_id": secrets.token_hex(16)}
        for account, target_id, once in rows
    ]
    OutboxEmail.insert_many(queued).on_conflict_ignore().execute()


# --- Telling people --------------------------------------------------------------------------------------------------

AT_ONCE, DAILY, NEVER = "at_once", "daily", "never"
# kind: (what the list and the page of choices say, how its email goes out unless somebody chose otherwise, whether that
# can be chosen). The email of a kind is `email/<kind>.txt`; daily ones are gathered in `email/digest.txt`.
NOTIFICATIONS = {
    "incident_assigned": ("An incident was assigned to you", AT_ONCE, False),
    "incident_alerted": ("You were alerted to an incident", AT_ONCE, True),
    "action_due": ("An action is due", AT_ONCE, True),
    "case_added": ("You were added to a case", AT_ONCE, False),
    "case_changed": ("Something was added to a case you are on", DAILY, True),
    "student_changed": ("The profile of a student you look after was changed", AT_ONCE, True),
    "milestone_asked": ("A student asks to have a milestone marked as completed", DAILY, True),
    "task_assigned": ("A task was assigned to you", AT_ONCE, True),
    "task_overdue": ("A task of yours is overdue", AT_ONCE, True),
    "meeting_invited": ("You are to be at a student meeting", AT_ONCE, False),
    "meeting_changed": ("A student meeting was moved or cancelled", AT_ONCE, False),
    "plan_review_due": ("A plan is due for review", DAILY, True),
    "referral_received": ("A referral came in", AT_ONCE, True),
}


def notify(kind, accounts, *, actor, target="", target_id=None, detail="", email_too=True, once=None, digest_on=None):
    """Tell these accounts, except `actor`, in the open transaction: a row in their list, and an email as they chose.

    `detail` is a word of ours (which part of a profile changed), never a text. `email_too` False leaves out the email
    whatever they chose. `once` names an email that must not go out twice, as in email(); `{account}` in it stands for
    the account's id, which it needs where several are told. `digest_on` is the school day whose digest carries it for those
    who chose that; the next one unless given.
    """
    _, usual, can_choose = NOTIFICATIONS[kind]
    people = {account.id: account for account in accounts if actor is None or account.id != actor.id}
    if not people:
        return
    if once and len(people) > 1 and "{account}" not in once:
        raise ValueError(f"{once} would reach one person only: put {{account}} into it")
    choices = {}
    if can_choose:
        chosen = NotificationChoice.select(NotificationChoice.account_id, NotificationChoice.choice)
        chosen = chosen.where((NotificationChoice.kind == kind) & NotificationChoice.account.in_(list(people)))
        choices = dict(chosen.tuples())
    now, day = clock.now(), digest_on
    for account_id, account in people.items():
        choice = choices.get(account_id, usual) if email_too else NEVER
        if choice == DAILY and day is None:
            day = _next_digest_day(now)
        Notification.create(
            account=account, kind=kind, target=target, target_id=target_id, detail=detail, at=now,
            digest_on=day if choice == DAILY else None,
        )  # fmt: skip
        if choice == AT_ONCE:
            key = once and once.replace("{account}", str(account_id))
            email(kind, account, target=target, target_id=target_id, once=key)


def _next_digest_day(now):
    """The school day on which the next digest goes out: today until the school's hour, then tomorrow."""
    school = School.get()
    local = now.astimezone(ZoneInfo(school.timezone))
    return local.date() + timedelta(days=local.hour >= school.alert_hour)


# --- The hash chain --------------------------------------------------------------------------------------------------

START_OF_CHAIN = "0" * 64
SEALED_FIELDS = ("id", "at", "actor", "verb", "target", "reasons", "data", "address")


def sealed_line(event):
    """The canonical bytes of one event: what the chain hashes and what the export of the audit log carries."""
    values = [event["id"], event["at"], event["actor"], event["verb"], event["target"], event["reasons"], event["data"]]
    return json.dumps([*values, event["address"]], ensure_ascii=False, separators=(",", ":")).encode()


def digest_of(lines):
    """The digest of a range of canonical lines."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(hashlib.sha256(line).digest())
    return digest.hexdigest()


def head_of(previous, sealed_at, first_event, last_event, events, digest):
    """Head of the chain after a seal: it binds the seal's moment, range and count to everything before."""
    parts = (previous, sealed_at.isoformat(), first_event, last_event, events, digest)
    return hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()


def sealable(after, up_to=None):
    """Events after an id as dicts with text times, in order: what seal() and the verifier read."""
    query = Event.select(
        Event.id, Event.at, Event.actor, Event.verb, Event.target, Event.reasons, Event.data, Event.address
    ).where(Event.id > after)
    if up_to is not None:
        query = query.where(Event.id <= up_to)
    for row in query.order_by(Event.id).tuples().iterator():
        event = dict(zip(SEALED_FIELDS, row, strict=True))
        event["at"] = event["at"].isoformat()
        yield event


def seal():
    """Seal every event since the last seal into the chain; returns the new AuditSeal, or None if there was none."""
    with db.atomic():
        if is_postgres():
            db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_SEAL_LOCK,))
        last = AuditSeal.select().order_by(AuditSeal.id.desc()).first()
        events = list(sealable(last.last_event if last else 0))
        if not events:
            return None
        previous = last.head if last else START_OF_CHAIN
        digest = digest_of(sealed_line(event) for event in events)
        first, newest = events[0]["id"], events[-1]["id"]
        now = clock.now()
        return AuditSeal.create(
            sealed_at=now,
            first_event=first,
            last_event=newest,
            events=len(events),
            digest=digest,
            previous=previous,
            head=head_of(previous, now, first, newest, len(events), digest),
        )
