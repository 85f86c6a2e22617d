"""Reads about accounts: who is asking, what somebody sees of their own account, and the list of people for admins.

Returns what `user` may see, and writes nothing but the last-activity time of a session.
"""

import json
from datetime import timedelta

from flask import current_app
from flask_login import UserMixin, logout_user
from peewee import JOIN, fn

import permissions
from blueprints.account import setup_code, tokens
from blueprints.kit import prepared
from blueprints.kit.text import fold
from extensions import clock
from models import Account, Draft, Event, Incident, Notification, PasswordLink, RecoveryCode, School, Session, is_postgres

TOUCH_EVERY = timedelta(minutes=1)
STUDENT_INVITATION = "student_invitation"  # the kind of its email
# What somebody reads about their own account, in words.
EVENT_WORDS = {
    "account.signed_in": "Signed in",
    "account.sign_in_failed": "A wrong password or code",
    "account.sign_in_throttled": "Too many wrong tries",
    "account.signed_out": "Signed out",
    "account.password_set": "Password set",
    "account.password_link_asked": "Link to set the password asked for",
    "account.two_step_set_up": "Two-step sign-in set up",
    "account.two_step_reset": "Two-step sign-in taken off by an Admin Key Holder",
    "account.recovery_codes_made": "New recovery codes made",
    "account.recovery_code_used": "A recovery code used",
    "account.session_revoked": "Signed out another browser",
}


# --- Who is asking ---------------------------------------------------------------------------------------------------


class SignedIn(UserMixin):
    """What Flask-Login holds for a request: the account, the row of its session, and the cookie's token."""

    def __init__(self, row, token):
        self.row = row
        self.account = row.account
        self._token = token

    def get_id(self):
        return self._token


def signed_in(token):
    """The session with this token and its account as they stand now, as a SignedIn, or None. The account has `unread_kinds`,
    the kinds of what it has unread notifications of: the header of every page wants to know."""
    return _found(token)[1] if token else None


def who_comes(token):
    """(the School, signed_in() of the token of a cookie, if there is one), both as they stand now: the first question of
    every request, in one query where somebody is signed in."""
    school, who = _found(token) if token else (None, None)
    if school is None:
        ((school,),) = prepared.records(_school, School)
    return school, who


def _found(token):
    found = prepared.records(_session, Session, Account, School, token_hash=tokens.session_hash(token))
    for row, row.account, school, kinds in found:
        row.account.unread_kinds = frozenset(kinds.split(",")) if kinds else frozenset()
        return school, SignedIn(row, token)
    return None, None


def _session(token_hash):
    """The session with this token, unless it was ended, beside its account, the school, and the kinds of the account's unread
    notifications."""
    those = (Session.token_hash == token_hash) & Session.revoked_at.is_null() & permissions.signs_in()
    kind = Notification.kind.distinct()
    joined = fn.STRING_AGG(kind, ",") if is_postgres() else fn.GROUP_CONCAT(kind)
    unread = (Notification.account == Session.account) & Notification.read_at.is_null()
    query = Session.select(Session, Account, School, Notification.select(joined).where(unread))
    return query.join(Account).join_from(Session, School, JOIN.CROSS).where(those)


def _school():
    return School.select()


def who_asks(school, who):
    """Whoever sent this request, or None: `who` came with its cookie, as long as the session is within its limits. At most once
    a minute a statement, the update of the last activity."""
    if who is None:
        return None
    if not _is_live(who.row, school):
        logout_user()
        return None
    now = clock.now()
    if now - who.row.seen_at >= TOUCH_EVERY:
        Session.update(seen_at=now).where(Session.id == who.row.id).execute()
    return who


def _is_live(row, school):
    """Within both limits: minutes since the last activity, hours since signing in."""
    idle, age = _oldest(school)
    return row.seen_at > idle and row.created_at > age


def _oldest(school):
    now = clock.now()
    return now - timedelta(minutes=school.session_idle_minutes), now - timedelta(hours=school.session_absolute_hours)


def must_set_up_two_step(account, school):
    """Whether this account may do nothing else before its second step is set up. The demo school leaves it optional."""
    return account.two_step_at is None and account.role in permissions.TWO_STEP_ROLES and not school.demo


def pending_account(token):
    """Who has given the right password and owes the code, or None: forged, too late, or changed since."""
    ref, state = tokens.pending_ref(token or "") or ("", "")
    account = Account.get_or_none((Account.ref == ref) & permissions.signs_in())
    return account if account and tokens.is_state_of(account, state) else None


# --- Before anybody is there -----------------------------------------------------------------------------------------


def needs_set_up():
    """Whether the first Admin Key Holder is still to be made."""
    return not Account.select().where(Account.role == permissions.ADMIN).exists()


def first_lines(settings):
    """What the terminal says at the start: the set-up page and its code while there is no Admin Key Holder."""
    if not needs_set_up():
        return []
    return [
        "There is no Admin Key Holder yet. Make the first one here, with the set-up code:",
        f"  {settings.base_url}/setup",
        f"  Set-up code: {setup_code.read(settings.instance)}",
    ]


def admin_names():
    """Whom to ask: the names of up to five active Admin Key Holders."""
    rows = (
        Account.select(Account.name)
        .where(Account.is_active & (Account.role == permissions.ADMIN))
        .order_by(Account.name)
        .limit(5)
    )
    return [name for (name,) in rows.tuples()]


# --- Set-password links ----------------------------------------------------------------------------------------------


def password_link(token):
    """The unused link of this token that has not run out, of an account that may sign in; None for any other token."""
    nonce = tokens.link_nonce(token)
    if nonce is None:
        return None
    return (
        PasswordLink.select(PasswordLink, Account)
        .join(Account)
        .where(
            (PasswordLink.nonce == nonce)
            & PasswordLink.used_at.is_null()
            & (PasswordLink.expires_at > clock.now())
            & permissions.signs_in()
        )
        .first()
    )


def link_url(link):
    """The address that a set-password email carries."""
    return f"{current_app.settings.base_url}/account/password/{tokens.link_token(link.nonce)}"


def newest_link_url(account):
    """The address of the last link made for an account: for the operator of a server that has no mail."""
    newest = PasswordLink.select().where(PasswordLink.account == account).order_by(PasswordLink.id.desc()).first()
    return link_url(newest)


def email_password_link(row, account, late=False):
    """What the email of an outbox row says, or the sentence why it is not sent any more. `late`: one that also says how to ask
    for a new link goes out without its `url` after the link has run out."""
    link = PasswordLink.get_or_none((PasswordLink.id == row.target_id) & (PasswordLink.account == account))
    if link is None or link.used_at is not None:
        return "the link has been used"
    if link.expires_at <= clock.now() and late:
        return {"url": None, "is_student": True}
    if link.expires_at <= clock.now():
        return "the link ran out before it could be sent"
    if not account.role:
        return "the account has no role"
    return {"url": link_url(link), "is_student": account.role == permissions.STUDENT}


# --- One's own account -----------------------------------------------------------------------------------------------


def sessions(user, account, school):
    """The browsers somebody is signed in on, last used first: one's own, or anybody's for those who manage users."""
    if user != account and not permissions.can(user, "admin.users"):
        raise permissions.NotVisible(account.ref)
    idle, age = _oldest(school)
    return list(
        Session.select(Session.ref, Session.created_at, Session.seen_at, Session.address, Session.browser)
        .where(
            (Session.account == account) & Session.revoked_at.is_null() & (Session.seen_at > idle)
            & (Session.created_at > age)
        )
        .order_by(Session.seen_at.desc())
        .namedtuples()
    )  # fmt: skip


def recovery_codes_left(user):
    """How many of the account's recovery codes are unused."""
    return RecoveryCode.select().where((RecoveryCode.account == user) & RecoveryCode.used_at.is_null()).count()


def own_events(user, limit=10):
    """What the audit log has about signing in to this account, the newest first: (at, verb, address)."""
    return list(
        Event.select(Event.at, Event.verb, Event.address)
        .where((Event.target == user.ref) & Event.verb.in_(list(EVENT_WORDS)))
        .order_by(Event.id.desc())
        .limit(limit)
        .namedtuples()
    )


class SavedDraft(dict):
    """Field name to list of values, as werkzeug's MultiDict takes it; `saved_at` says when it was saved."""

    saved_at = None


def draft(user, key):
    """What this person typed into the form `key` and has not sent yet, without its tokens; None if nothing."""
    row = Draft.get_or_none((Draft.account == user) & (Draft.key == key))
    return saved_draft(row.body, row.changed_at) if row else None


def saved_draft(body, changed_at):
    """The SavedDraft in a row of drafts, for pages that fetch it together with other rows; None if it was sent."""
    fields = json.loads(body).get("fields")
    if not fields:
        return None
    found = SavedDraft(fields)
    found.saved_at = changed_at
    return found


# --- Admin > Users ---------------------------------------------------------------------------------------------------

STATES = {"active": "Active", "invited": "Invited", "deactivated": "Deactivated"}
NO_ROLE, NO_ROLE_YET = "none", "No role yet"
SORTS = {
    "name": Account.search_text,
    "email": Account.email_folded,
    "role": Account.role,
    "last": fn.COALESCE(Account.last_sign_in_at, Account.created_at),
}


def people(user, *, text="", role="", state="", sort="name"):
    """The accounts of the school for those who manage users, as a query of named tuples; without those of students whom `user`
    is excluded from."""
    if not permissions.can(user, "admin.users"):
        raise permissions.NotVisible("users")
    query = permissions.visible_accounts(
        user, Account.ref, Account.name, Account.email, Account.role, Account.title, Account.is_active,
        Account.password_hash.is_null().alias("is_invited"), Account.two_step_at, Account.last_sign_in_at,
    )  # fmt: skip
    for word in fold(text).split():
        query = query.where(Account.search_text.contains(word))
    if role:
        query = query.where(Account.role == ("" if role == NO_ROLE else role))
    if state:
        query = query.where(_in_state(state))
    column = SORTS.get(sort.removeprefix("-"), Account.search_text)
    return query.order_by(column.desc() if sort.startswith("-") else column, Account.id).namedtuples()


def _in_state(state):
    if state == "deactivated":
        return ~Account.is_active
    return permissions.signs_in() & Account.password_hash.is_null(state == "invited")


def state_of(person):
    """"Active", "Invited" (no password yet), "Deactivated", or "No role yet", for an account or a row of people()."""
    if not person.is_active:
        return STATES["deactivated"]
    if not person.role:
        return NO_ROLE_YET
    is_invited = person.is_invited if hasattr(person, "is_invited") else person.password_hash is None
    return STATES["invited" if is_invited else "active"]


def account(user, ref):
    """One account, for those who manage users; not that of a student whom `user` is excluded from."""
    found = permissions.visible_accounts(user).where(Account.ref == ref).first()
    if found is None:
        raise permissions.NotVisible(ref)
    return found


def account_with_email(email):
    """The account that signs in with this email, or None: for commands and imports, never for a page."""
    return Account.get_or_none(Account.email_folded == email.strip().casefold())


def accounts_with(emails):
    """{folded email: account} for those of these folded emails that somebody signs in with: for what keeps the accounts of
    students in step, never for a page."""
    emails = set(emails)
    # of thousands, an import's, reading all accounts takes less than asking for some again and again
    query = Account.select().where(Account.email_folded.in_(list(emails))) if len(emails) <= 500 else Account.select()
    return {row.email_folded: row for row in query if row.email_folded in emails}


def assigned_incidents(user, account):
    """How many Active incidents that `user` may see are assigned to this account: what deactivating or demoting it
    leaves behind. One that is closed to `user` is in no count."""
    mine = (Incident.assigned_to == account) & (Incident.status == "Active")
    return permissions.visible_incidents(user).where(mine).count()
