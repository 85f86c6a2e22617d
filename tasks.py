"""What happens in the background: sending email, sealing the audit log, action reminders, imports, tidying up.

The only place that sends mail. The database is the queue: a Huey task is a nudge to look there at once, and the minutely
sweep looks without one, so nothing depends on a task surviving (a killed worker loses its task, never an email).
Must not decide anything: it calls queries and actions.
"""

import logging
import smtplib
import ssl
from datetime import timedelta
from zoneinfo import ZoneInfo

from flask import current_app, render_template
from flask_mail import Connection, Mail, Message
from huey import PostgresHuey, SqliteHuey, crontab
from huey.consumer import Consumer
from huey.serializer import SignedSerializer
from peewee import DatabaseError

import events
from blueprints.account import actions as account_actions
from blueprints.account import queries as accounts
from blueprints.cases import actions as case_actions
from blueprints.cases import queries as cases
from blueprints.cohorts import actions as cohort_actions
from blueprints.cohorts import queries as cohorts
from blueprints.forms import queries as forms
from blueprints.home import actions as home_actions
from blueprints.home import queries as home
from blueprints.imports import runs as imports
from blueprints.incidents import actions as incident_actions
from blueprints.incidents import queries as incidents
from blueprints.kit import ical
from blueprints.plans import actions as plan_actions
from blueprints.plans import queries as plans
from blueprints.students import queries as students
from extensions import clock, db, workers
from models import Account, Heartbeat, OutboxEmail, School, is_postgres

log = logging.getLogger("caseward.tasks")

BATCH = 20
LEASE = timedelta(seconds=90)  # longer than a batch against a hanging server may hold a row: 15 s a message, see below
SMTP_TIMEOUT = 15  # seconds
# After an outage the queue drains within five minutes because no email waits longer than this for its next try.
LONGEST_WAIT = timedelta(minutes=4)
MOST_ATTEMPTS = 1_080  # three days of one try every four minutes


# --- Huey ------------------------------------------------------------------------------------------------------------


def start(app):
    """Make this process's Huey and register the tasks on it."""
    settings = app.settings
    serializer = SignedSerializer(secret=settings.secret_key.hex(), salt="caseward-huey")
    if settings.is_postgres:
        huey = PostgresHuey("caseward", dsn=settings.database_url, table_prefix="caseward_huey", serializer=serializer)
    else:
        huey = SqliteHuey("caseward", filename=str(settings.instance / "huey.db"), serializer=serializer)
    workers.huey = huey
    app.extensions["caseward_nudge"] = nudge
    for name, work, when in JOBS:
        run = _in_app(app, name, work)
        if when is None:
            workers.__dict__[name] = huey.task(name=name)(run)
        else:
            huey.periodic_task(when, name=name)(run)
    return huey


def _in_app(app, name, work):
    def run(*arguments):
        with app.app_context():
            db.connect(reuse_if_open=True)
            try:
                return work(*arguments)
            except Exception:
                log.exception("the job %s failed; the next sweep tries again", name)
                db.close()
                raise

    run.__name__ = name
    return run


class EmbeddedConsumer(Consumer):
    """A consumer beside the web server: signals belong to the main thread."""

    def _set_signal_handlers(self):
        pass


def consumer(signals=False):
    """The worker: two threads, so that a long import does not hold up an alert."""
    kind = Consumer if signals else EmbeddedConsumer
    return kind(workers.huey, workers=2, max_delay=0.5, scheduler_interval=1, graceful_signal="TERM")


def nudge(name="deliver"):
    """Ask the worker to do a job now. A queue that can't be reached only costs the minute until the sweep."""
    try:
        workers.__dict__[name]()
    except Exception:
        log.exception("the worker could not be nudged; the sweep will do it")


# --- Email -----------------------------------------------------------------------------------------------------------

# kind: (subject, function from the outbox row to the template's context or a sentence why it is not sent any more).
# Subjects and templates name no student, writer or category. `invitation` in the context, (method, bytes), goes with the
# email as a calendar part.
EMAILS = {
    "incident_assigned": ("An incident was assigned to you", incidents.email_assigned),
    "incident_alerted": ("You were alerted to an incident", incidents.email_alerted),
    "action_due": ("An action is due today", incidents.email_action_due),
    "case_added": ("You were assigned to a case", cases.email_case_added),
    "case_changed": ("Something was added to a case you are on", cases.email_case_changed),
    "task_assigned": ("A task was assigned to you", cases.email_task_assigned),
    "task_overdue": ("A task of yours is overdue", cases.email_task_overdue),
    "plan_review_due": ("A plan is due for review", plans.email_review_due),
    "meeting_invited": ("You are to be at a student meeting", cases.email_meeting_invited),
    "meeting_changed": ("A student meeting was moved or cancelled", cases.email_meeting_changed),
    "meeting_cancelled": ("You are not to be at a student meeting any more", cases.email_meeting_cancelled),
    "referral_received": ("A referral came in", forms.email_referral_received),
    "milestone_answered": ("Your request about a milestone was answered", cohorts.email_milestone_answered),
    "milestone_asked": ("A milestone waits for your answer", cohorts.email_milestone_asked),
    "milestone_reminder": ("A milestone is due soon", cohorts.email_milestone_reminder),
    "student_changed": ("The profile of a student you look after was changed", students.email_student_changed),
    "digest": ("What is new for you in Caseward", home.email_digest),
    "student_invitation": ("Your account at school", cohorts.email_student_invitation),
    "invitation": ("Your Caseward account", accounts.email_password_link),
    "password_link": ("Set a new Caseward password", accounts.email_password_link),
}


def deliver():
    """Send every email that is due. Returns how many were sent."""
    settings = current_app.settings
    if settings.smtp is None:
        return 0
    sent = 0
    while batch := claim():
        sent += send_batch(batch, settings)
        if len(batch) < BATCH:
            break
    return sent


def claim():
    """Take up to BATCH due emails for LEASE; whoever dies with them lets them fall due again."""
    now = clock.now()
    due = (
        OutboxEmail.select(OutboxEmail.id)
        .where(OutboxEmail.is_waiting & (OutboxEmail.next_try_at <= now))
        .order_by(OutboxEmail.next_try_at)
        .limit(BATCH)
    )
    if is_postgres():
        due = due.for_update("FOR UPDATE SKIP LOCKED")
    with db.atomic():
        return list(
            OutboxEmail.update(next_try_at=now + LEASE, attempts=OutboxEmail.attempts + 1)
            .where(OutboxEmail.id.in_(due))
            .returning(OutboxEmail)
            .execute()
        )


def send_batch(batch, settings):
    """Send claimed emails over one connection, one message per recipient. Returns how many were sent."""
    sent = 0
    try:
        with MailServer(settings.smtp) as server:
            for row in batch:
                if clock.now() > row.next_try_at - timedelta(seconds=SMTP_TIMEOUT + 5):
                    break  # the lease runs out: another worker may take the rest
                sent += _send_one(server, row, settings)
    except (OSError, smtplib.SMTPException) as problem:
        # The server could not be reached, or broke off: whatever is not marked yet waits for its next try.
        for row in batch:
            _try_later(row, problem)
    return sent


def _send_one(server, row, settings):
    message = _built(row, settings)
    if message is None:
        return 0
    try:
        server.send(message)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as problem:
        code, reason = _answer_of(problem)
        if 500 <= code < 600:
            _fail(row, f"{code} {reason}")
        else:
            _try_later(row, f"{code} {reason}")
        return 0
    _mark(row, sent_at=clock.now(), is_waiting=False, last_error="")
    return 1


def _built(row, settings):
    """The message of a claimed row, or None when it must not or can't be sent: one that can't be built is failed, so
    that it neither passes for an outage of the mail server nor holds up the rows behind it."""
    try:
        subject, context_of = EMAILS[row.kind]
        account = Account.get_by_id(row.account_id)
        context = context_of(row, account) if account.is_active else "the account was deactivated"
        if isinstance(context, str):
            _mark(row, dropped_at=clock.now(), dropped_why=context[:255], is_waiting=False)
            return None
        invitation = context.pop("invitation", None)
        message = Message(
            subject=subject,
            recipients=[account.email],
            sender=settings.mail_from,
            body=render_template(f"email/{row.kind}.txt", base_url=settings.base_url, **context),
        )
        if invitation:
            method, content = invitation
            message.attach("invitation.ics", ical.content_type(method), content)
        message.msgId = f"<{row.message_id}@{settings.mail_from.rpartition('@')[2]}>"
        if message.has_bad_headers():
            raise ValueError("the address is not one line")
    except DatabaseError:
        raise
    except Exception as problem:
        log.exception("the email %s of kind %s could not be built", row.id, row.kind)
        _fail(row, f"could not be built: {type(problem).__name__}")
        return None
    return message


def _answer_of(problem):
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        code, reason = next(iter(problem.recipients.values()))
    else:
        code, reason = problem.smtp_code, problem.smtp_error
    return code, reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)


def _try_later(row, problem):
    if row.attempts >= MOST_ATTEMPTS:
        _fail(row, f"given up after {row.attempts} attempts: {problem}")
        return
    wait = min(timedelta(seconds=10 * 2 ** min(row.attempts, 10)), LONGEST_WAIT)
    _mark(row, next_try_at=clock.now() + wait, last_error=str(problem)[:255])


def _fail(row, problem):
    with db.atomic():
        _mark(row, failed_at=clock.now(), is_waiting=False, last_error=problem[:255])
        events.record("email.failed", actor=None, target=row.target, email=row.kind)


def _mark(row, **fields):
    OutboxEmail.update(**fields).where((OutboxEmail.id == row.id) & OutboxEmail.is_waiting).execute()


class MailServer(Connection):
    """Flask-Mail's connection with what it lacks: a time limit, checked certificates, and our three kinds of security."""

    def __init__(self, smtp):
        super().__init__(Mail(current_app))
        self.smtp = smtp

    def __enter__(self):
        self.host = self.configure_host()
        return self

    def __exit__(self, *problem):
        try:
            self.host.quit()
        except (OSError, smtplib.SMTPException):
            log.info("the mail server closed the connection first")

    def configure_host(self):
        smtp = self.smtp
        if smtp.security == "tls":
            host = smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=SMTP_TIMEOUT, context=ssl.create_default_context())
        else:
            host = smtplib.SMTP(smtp.host, smtp.port, timeout=SMTP_TIMEOUT)
        if smtp.security == "starttls":
            host.starttls(context=ssl.create_default_context())
        if smtp.username:
            host.login(smtp.username, smtp.password or "")
        return host


# --- Every minute, every night ---------------------------------------------------------------------------------------


def sweep():
    """Every minute: seal the audit log, send what no nudge reached, go on with imports, queue reminders that are due,
    invite students."""
    events.seal()
    remind_actions()
    remind_tasks()
    remind_reviews()
    cohort_actions.queue_due(clock.now())
    cohort_actions.invite_students()
    gather_digests()
    imports.run_waiting()
    deliver()
    beat("sweep")


def remind_actions():
    """Queue the "action due" emails of today, from the school's alert hour on; a day that was missed is caught up."""
    if today := _day_of_reminders():
        incident_actions.queue_due_actions(today=today)


def remind_tasks():
    """Queue the "task overdue" emails of today, likewise."""
    if today := _day_of_reminders():
        case_actions.queue_overdue_tasks(today=today)


def remind_reviews():
    """Queue the "plan due for review" emails of today, likewise."""
    if today := _day_of_reminders():
        plan_actions.queue_due_reviews(today=today)


def gather_digests():
    """Queue the digest emails of today, from the school's alert hour on, with what was missed; after the reminders, which
    go into it for those who want them there."""
    if today := _day_of_reminders():
        home_actions.queue_digests(today=today)


def _day_of_reminders():
    """The school's day once its alert hour has come, None before."""
    school = School.get()
    local = clock.now().astimezone(ZoneInfo(school.timezone))
    return local.date() if local.hour >= school.alert_hour else None


def tidy():
    """Every night: end what has run out (sessions, links, drafts, one-time keys, sign-in attempts, addresses of results)."""
    account_actions.tidy_up()
    cohort_actions.forget_results()
    beat("tidy")


def beat(name):
    """Note that a job ran, for /health."""
    now = clock.now()
    Heartbeat.insert(name=name, at=now).on_conflict(
        conflict_target=[Heartbeat.name], update={Heartbeat.at: now}
    ).execute()


JOBS = (
    ("deliver", deliver, None),
    ("run_imports", imports.run_waiting, None),
    ("sweep", sweep, crontab()),
    ("tidy", tidy, crontab(hour="2", minute="17")),
)
