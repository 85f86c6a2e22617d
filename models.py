"""The tables, and nothing else: no rule about who may see or do what (permissions.py), no business step (actions).

Contents
    1. Ground      fields, references, compare-and-set, the school
    2. Accounts    accounts, sessions, links, sign-in attempts
    3. Groups      departments, groups, members, managers
    4. Students    students, contacts, imports
    5. Incidents   categories, incidents, parts, alerts, actions, closing, marks
    6. Cases       types, cases, who is on them, entries, sections, closing, linked incidents
    7. Work        tasks, meetings, intervention groups, plans, forms, referrals, triggers, what belongs to a case
    8. Cohorts     categories, cohorts, who is in them, milestones, requests, reminders, calendar feeds, files
    9. Access      exclusions
    10. Reporting  saved reports
    11. Telling    notifications, choices, announcements
    12. Trust      events, seals, outbox, drafts, one-time keys, heartbeat

Every table whose rows are named in a URL or a form has a random `ref`; integer ids never leave the server.
"""

import datetime
import secrets

from peewee import (
    AutoField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    PostgresqlDatabase,
    TextField,
)

from extensions import clock, db

# --- 1. Ground -------------------------------------------------------------------------------------------------------

# Crockford's base 32: no I, L, O or U, so that a reference can be read out over the phone.
REF_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_ref(prefix="", length=10):
    """A random reference; ten characters are 50 bits, the six of an incident 30 (checked on insert)."""
    return prefix + "".join(secrets.choice(REF_ALPHABET) for _ in range(length))


def is_postgres():
    """Whether the database behind `db` is Postgres; SQLite is the only other one."""
    return isinstance(db.obj, PostgresqlDatabase)


class Conflict(Exception):
    """Somebody else changed the row first. `row` is the row as it stands now."""

    def __init__(self, row):
        super().__init__(f"{type(row).__name__} was changed by somebody else")
        self.row = row


class UtcDateTimeField(DateTimeField):
    """Aware datetimes in, aware UTC datetimes out; stored as naive UTC, so that both databases agree."""

    def db_value(self, value):
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        return value.astimezone(datetime.UTC).replace(tzinfo=None)

    def python_value(self, value):
        if value is None:
            return None
        if isinstance(value, str):
            value = datetime.datetime.fromisoformat(value)
        return value.replace(tzinfo=datetime.UTC)


class RefField(CharField):
    """The public, random name of a row."""

    def __init__(self, **options):
        options.setdefault("default", new_ref)
        super().__init__(max_length=16, unique=True, **options)


class BaseModel(Model):
    id = AutoField()

    class Meta:
        database = db
        legacy_table_names = False
        only_save_dirty = True

    def change(self, version, **fields):
        """Save named fields if the row still has `version`, else raise Conflict with the row as it is now."""
        model = type(self)
        # A forged form may carry no number, or one that no column holds.
        changed = isinstance(version, int) and 0 <= version < 2**31 and (
            model.update(version=model.version + 1, **fields).where((model.id == self.id) & (model.version == version)).execute()
        )
        if not changed:
            raise Conflict(model.get_by_id(self.id))
        for name, value in fields.items():
            setattr(self, name, value)
        self.version = version + 1
        return self


class School(BaseModel):
    """One row: what Admin > Settings decides."""

    name = CharField(default="")
    timezone = CharField(default="Europe/London")
    student_word = CharField(default="Student")
    cases_module = BooleanField(default=True)
    session_idle_minutes = IntegerField(default=30)
    session_absolute_hours = IntegerField(default=12)
    alert_hour = IntegerField(default=7)  # school time; when "action due" emails go out
    demo = BooleanField(default=False)
    set_up_at = UtcDateTimeField(null=True)
    version = IntegerField(default=1)
    student_visibility_at = UtcDateTimeField(null=True)  # since when students see their dashboard; null while they don't

    @property
    def student_visibility(self):
        """Case Management System Student Visibility: whether it is Enabled."""
        return self.student_visibility_at is not None


# --- 2. Accounts -----------------------------------------------------------------------------------------------------


class Account(BaseModel):
    ref = RefField()
    email = CharField()
    email_folded = CharField(unique=True)
    name = CharField()
    search_text = CharField(default="")
    title = CharField(default="")
    phone = CharField(default="")
    role = CharField(index=True)  # "" until an Admin Key Holder gives one: a profile that can't sign in yet
    is_active = BooleanField(default=True)
    password_hash = CharField(null=True)
    totp_secret = CharField(null=True)
    totp_last_timecode = IntegerField(default=0)
    two_step_at = UtcDateTimeField(null=True)
    created_at = UtcDateTimeField(default=clock.now)
    last_sign_in_at = UtcDateTimeField(null=True)
    version = IntegerField(default=1)
    booking_url = CharField(default="")
    photo_path = CharField(default="")  # below instance/files; "" without a photo
    source_id = CharField(null=True, unique=True)  # the sourcedId of the school information system it came from
    closed_with_student = BooleanField(default=False)  # deactivated because its student left: coming back undoes that


class RecoveryCode(BaseModel):
    account = ForeignKeyField(Account, backref="recovery_codes")
    code_hash = CharField()
    used_at = UtcDateTimeField(null=True)


class Session(BaseModel):
    """One signed-in browser. The cookie holds a token; the table only its SHA-256."""

    ref = RefField()
    account = ForeignKeyField(Account, backref="sessions")
    token_hash = CharField(unique=True)
    created_at = UtcDateTimeField(default=clock.now)
    seen_at = UtcDateTimeField(default=clock.now)
    address = CharField(default="")
    browser = CharField(default="")
    two_step = BooleanField(default=False)
    revoked_at = UtcDateTimeField(null=True)


class PasswordLink(BaseModel):
    """A set-password link: single use, one hour. The email derives its token from `nonce` and the instance's key."""

    account = ForeignKeyField(Account, backref="password_links")
    kind = CharField()  # invite | reset
    nonce = CharField(unique=True)
    created_at = UtcDateTimeField(default=clock.now)
    expires_at = UtcDateTimeField()
    used_at = UtcDateTimeField(null=True)


class SignInAttempt(BaseModel):
    """What throttling counts. `subject` is a keyed hash of an email or an address, so unknown accounts count alike."""

    subject = CharField()
    kind = CharField()
    at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("subject", "kind", "at"), False),)


# --- 3. Groups -------------------------------------------------------------------------------------------------------


class Department(BaseModel):
    ref = RefField()
    name = CharField(unique=True)
    version = IntegerField(default=1)


class DepartmentDirector(BaseModel):
    department = ForeignKeyField(Department, backref="directors")
    account = ForeignKeyField(Account, backref="directs")

    class Meta:
        indexes = ((("department", "account"), True),)


class Group(BaseModel):
    ref = RefField()
    name = CharField(unique=True)
    department = ForeignKeyField(Department, null=True, backref="groups")
    is_active = BooleanField(default=True)
    version = IntegerField(default=1)

    source_id = CharField(null=True, unique=True)  # as for an account

    class Meta:
        table_name = "staff_group"


class GroupMember(BaseModel):
    group = ForeignKeyField(Group, backref="members")
    account = ForeignKeyField(Account, backref="memberships")
    added_by = ForeignKeyField(Account, null=True)
    added_at = UtcDateTimeField(default=clock.now)
    from_import = BooleanField(default=False)  # an import put it there, and only an import takes it away again

    class Meta:
        indexes = ((("group", "account"), True),)


class GroupManager(BaseModel):
    group = ForeignKeyField(Group, backref="managers")
    account = ForeignKeyField(Account, backref="manages")
    added_by = ForeignKeyField(Account, null=True)
    added_at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("group", "account"), True),)


# --- 4. Students -----------------------------------------------------------------------------------------------------


class Student(BaseModel):
    ref = RefField()
    first_name = CharField()
    last_name = CharField()
    preferred_name = CharField(default="")
    sort_name = CharField(index=True)  # folded "last first"
    search_text = TextField(default="")  # folded: every name | admission number, email
    email = CharField(default="")
    email_folded = CharField(null=True, unique=True)
    date_of_birth = DateField(null=True)
    year_group = CharField(default="", index=True)
    tutor_group = CharField(default="")
    admission_number = CharField(null=True, unique=True)
    upn = CharField(null=True, unique=True)
    address = TextField(default="")
    is_active = BooleanField(default=True)
    left_at = UtcDateTimeField(null=True)
    created_at = UtcDateTimeField(default=clock.now)
    version = IntegerField(default=1)
    source_id = CharField(null=True, unique=True)  # as for an account

    @property
    def name(self):
        """The name staff say: preferred name if there is one, then the family name."""
        return f"{self.preferred_name or self.first_name} {self.last_name}"


class StudentContact(BaseModel):
    ref = RefField()
    student = ForeignKeyField(Student, backref="contacts")
    name = CharField()
    relationship = CharField(default="")
    phone = CharField(default="")
    email = CharField(default="")
    notes = TextField(default="")
    removed_at = UtcDateTimeField(null=True)
    removed_by = ForeignKeyField(Account, null=True)
    version = IntegerField(default=1)


class ImportRun(BaseModel):
    """One CSV on its way in: uploaded → waiting → checking → checked → queued → saving → done | withdrawn | failed."""

    ref = RefField()
    kind = CharField(default="students")
    account = ForeignKeyField(Account, null=True, backref="imports")
    file_name = CharField()
    path_name = CharField()  # below instance/files
    mapping = TextField(default="{}")
    options = TextField(default="{}")
    state = CharField(default="uploaded", index=True)
    progress = IntegerField(default=0)
    total = IntegerField(default=0)
    counts = TextField(default="{}")
    result = TextField(default="[]")  # JSON: a list of [line, outcome, sentence, name, student's ref]
    problem = TextField(default="")
    created_at = UtcDateTimeField(default=clock.now)
    changed_at = UtcDateTimeField(default=clock.now)
    version = IntegerField(default=1)


# --- 5. Incidents ----------------------------------------------------------------------------------------------------


class Category(BaseModel):
    """Two levels. Need-to-know groups of a parent hold for its children as well."""

    ref = RefField()
    parent = ForeignKeyField("self", null=True, backref="children")
    name = CharField()
    colour = CharField(default="#5b6b7a")
    guidance = TextField(default="")
    position = IntegerField(default=0)
    is_retired = BooleanField(default=False)
    version = IntegerField(default=1)


class CategoryGroup(BaseModel):
    """A need-to-know group: only its members read incidents of the category because of their role or membership."""

    category = ForeignKeyField(Category, backref="need_to_know")
    group = ForeignKeyField(Group)

    class Meta:
        indexes = ((("category", "group"), True),)


class BulkClosing(BaseModel):
    """The record of one bulk closing: who closed how many incidents of which days (school time, both included)."""

    ref = RefField()
    closed_by = ForeignKeyField(Account)
    closed_at = UtcDateTimeField(default=clock.now)
    from_day = DateField()
    to_day = DateField()
    count = IntegerField()


class Incident(BaseModel):
    """What happened. `text` is the newest IncidentVersion's; `status` and `assigned_to` stand here for the lists,
    their history is in IncidentClosure and IncidentAssignment."""

    ref = RefField(default=lambda: new_ref("I-", 6))
    text = TextField()
    text_version = IntegerField(default=1)
    happened_at = UtcDateTimeField()
    entered_at = UtcDateTimeField(default=clock.now, index=True)
    place = CharField(default="")
    author = ForeignKeyField(Account, backref="incidents")
    status = CharField(default="Active")
    assigned_to = ForeignKeyField(Account, null=True, backref="assigned_incidents")
    version = IntegerField(default=1)

    class Meta:
        indexes = (
            (("status", "happened_at"), False),
            (("assigned_to", "status", "entered_at"), False),
            (("happened_at",), False),
        )


class IncidentVersion(BaseModel):
    """One wording of the text; rows are only ever added."""

    incident = ForeignKeyField(Incident, backref="versions")
    number = IntegerField()
    text = TextField()
    author = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)
    reason = CharField(default="")

    class Meta:
        indexes = ((("incident", "number"), True),)


class IncidentStudent(BaseModel):
    """A student's part in an incident: subject, affected, involved or witness."""

    incident = ForeignKeyField(Incident, backref="parts")
    student = ForeignKeyField(Student, backref="parts")
    role = CharField(default="subject")

    class Meta:
        indexes = ((("incident", "student"), True),)


class IncidentRemoval(BaseModel):
    """A student who was taken off an incident, with the part as it was: the part itself is gone, so that no list, count
    or timeline of theirs has it. `categories` are references, with spaces between them."""

    incident = ForeignKeyField(Incident, backref="removals")
    student = ForeignKeyField(Student)
    role = CharField()
    categories = TextField(default="")
    removed_by = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)
    reason = CharField()


class PartCategory(BaseModel):
    part = ForeignKeyField(IncidentStudent, backref="categories")
    category = ForeignKeyField(Category, backref="parts")

    class Meta:
        indexes = ((("part", "category"), True),)


class IncidentAlert(BaseModel):
    """Somebody, or a group as its membership stands, was alerted; exactly one of `account` and `group` is set."""

    incident = ForeignKeyField(Incident, backref="alerts")
    account = ForeignKeyField(Account, null=True, backref="alerts")
    group = ForeignKeyField(Group, null=True, backref="alerts")
    alerted_by = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("incident", "account"), True), (("incident", "group"), True))


class IncidentAssignment(BaseModel):
    """Who an incident was assigned to, when and by whom; `to` null is Nobody."""

    incident = ForeignKeyField(Incident, backref="assignments")
    to = ForeignKeyField(Account, null=True)
    assigned_by = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)


class IncidentClosure(BaseModel):
    """One closing of an incident, and its reopening if there was one."""

    incident = ForeignKeyField(Incident, backref="closures")
    closed_by = ForeignKeyField(Account)
    closed_at = UtcDateTimeField(default=clock.now)
    bulk_closing = ForeignKeyField(BulkClosing, null=True, backref="closures")
    reopened_by = ForeignKeyField(Account, null=True)
    reopened_at = UtcDateTimeField(null=True)
    reopen_reason = CharField(default="")


class BulkClosingNotice(BaseModel):
    """Tells an assignee on the next dashboard visit how many of their incidents a bulk closing closed."""

    bulk_closing = ForeignKeyField(BulkClosing, backref="notices")
    account = ForeignKeyField(Account)
    count = IntegerField()
    seen_at = UtcDateTimeField(null=True)

    class Meta:
        indexes = ((("account", "seen_at"), False),)


class IncidentAction(BaseModel):
    """What was done, or is to be done, about an incident; `person` and `due_on` are optional."""

    ref = RefField()
    incident = ForeignKeyField(Incident, backref="actions")
    text = TextField()
    author = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)
    person = ForeignKeyField(Account, null=True, backref="incident_actions")
    due_on = DateField(null=True, index=True)
    done_at = UtcDateTimeField(null=True)
    done_by = ForeignKeyField(Account, null=True)
    version = IntegerField(default=1)

    class Meta:
        indexes = ((("person", "done_at", "due_on"), False),)


class BodyMark(BaseModel):
    """A mark on the body map, in the outline's units (200 wide, 440 high). Removing keeps the row."""

    ref = RefField()
    incident = ForeignKeyField(Incident, backref="marks")
    number = IntegerField()
    view = CharField()  # front | back
    x = FloatField()
    y = FloatField()
    region = CharField(default="")
    note = CharField(default="", max_length=500)
    author = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)
    removed_at = UtcDateTimeField(null=True)
    removed_by = ForeignKeyField(Account, null=True)
    version = IntegerField(default=1)


# --- 6. Cases --------------------------------------------------------------------------------------------------------


class CaseType(BaseModel):
    ref = RefField()
    name = CharField(unique=True)
    position = IntegerField(default=0)
    is_retired = BooleanField(default=False)
    version = IntegerField(default=1)


class CloseReason(BaseModel):
    ref = RefField()
    name = CharField(unique=True)
    position = IntegerField(default=0)
    is_retired = BooleanField(default=False)
    version = IntegerField(default=1)


class Case(BaseModel):
    """A case about one student. Seen only by whoever has a reason (permissions.READ_CASE); `last_activity_at` orders
    the lists. `opened_by` is who opened it by hand; null when it opened by itself."""

    ref = RefField(default=lambda: new_ref("C-", 6))
    student = ForeignKeyField(Student, backref="cases")
    case_type = ForeignKeyField(CaseType, backref="cases")
    title = CharField()
    status = CharField(default="Open")  # Open | Closed
    opened_by = ForeignKeyField(Account, null=True, backref="opened_cases")
    opened_at = UtcDateTimeField(default=clock.now)
    last_activity_at = UtcDateTimeField(default=clock.now, index=True)
    primary_advocate = ForeignKeyField(Account, null=True, backref="primary_cases")
    coordinator = ForeignKeyField(Account, null=True, backref="coordinated_cases")
    version = IntegerField(default=1)

    class Meta:
        table_name = "student_case"
        indexes = ((("status", "last_activity_at"), False),)


class CaseFollower(BaseModel):
    """Following Case: any number of people."""

    case = ForeignKeyField(Case, backref="followers")
    account = ForeignKeyField(Account, backref="following")
    added_by = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("case", "account"), True),)


class CaseStaff(BaseModel):
    """Assigned Staff: an individual, however they were chosen; `from_group` says in which group they were ticked."""

    case = ForeignKeyField(Case, backref="staff")
    account = ForeignKeyField(Account, backref="assigned_cases")
    from_group = ForeignKeyField(Group, null=True)
    attached_by = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("case", "account"), True),)


class CaseGroup(BaseModel):
    """A whole group on a case: access follows its membership as that stands at each request."""

    case = ForeignKeyField(Case, backref="groups")
    group = ForeignKeyField(Group, backref="cases")
    attached_by = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("case", "group"), True),)


class CaseEntry(BaseModel):
    """A note on a case. `text` is the newest CaseEntryVersion's."""

    ref = RefField()
    case = ForeignKeyField(Case, backref="entries")
    author = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)
    text = TextField()
    text_version = IntegerField(default=1)

    class Meta:
        indexes = ((("case", "at"), False),)


class CaseEntryVersion(BaseModel):
    """One wording of an entry; rows are only ever added."""

    entry = ForeignKeyField(CaseEntry, backref="versions")
    number = IntegerField()
    text = TextField()
    author = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)
    reason = CharField(default="")

    class Meta:
        indexes = ((("entry", "number"), True),)


class CasePresenting(BaseModel):
    """The section Presenting as it was saved once: the highest number holds, rows are only ever added."""

    case = ForeignKeyField(Case, backref="presenting")
    number = IntegerField()
    referral_date = DateField(null=True)
    source = CharField(default="")
    concern = TextField(default="")
    narrative = TextField(default="")
    author = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("case", "number"), True),)


class CaseAgency(BaseModel):
    """A row of the sections Law Enforcement, Child Protection Services and Prosecution; earlier wordings are in
    CaseAgencyVersion."""

    ref = RefField()
    case = ForeignKeyField(Case, backref="agencies")
    section = CharField()  # law_enforcement | child_protection | prosecution
    agency = CharField(default="")
    person = CharField(default="")
    phone = CharField(default="")
    reference = CharField(default="")
    status = CharField(default="")
    started_on = DateField(null=True)
    ended_on = DateField(null=True)
    notes = TextField(default="")
    author = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)
    removed_at = UtcDateTimeField(null=True)
    removed_by = ForeignKeyField(Account, null=True)
    version = IntegerField(default=1)


class CaseAgencyVersion(BaseModel):
    """What a row of an agency said before it was changed, as JSON; rows are only ever added."""

    agency = ForeignKeyField(CaseAgency, backref="versions")
    number = IntegerField()
    fields = TextField()
    author = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("agency", "number"), True),)


class CaseClosure(BaseModel):
    """One closing of a case, and its reopening if there was one."""

    case = ForeignKeyField(Case, backref="closures")
    closed_by = ForeignKeyField(Account)
    closed_at = UtcDateTimeField(default=clock.now)
    reason = ForeignKeyField(CloseReason)
    outcome = TextField(default="")
    reopened_by = ForeignKeyField(Account, null=True)
    reopened_at = UtcDateTimeField(null=True)
    reopen_reason = CharField(default="")


class CaseIncident(BaseModel):
    """An incident linked to a case: the link alone, so that each reader of the case sees the incidents they may see."""

    case = ForeignKeyField(Case, backref="linked_incidents")
    incident = ForeignKeyField(Incident, backref="linked_cases")
    linked_by = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("case", "incident"), True),)


# --- 7. Work ---------------------------------------------------------------------------------------------------------


class MeetingType(BaseModel):
    ref = RefField()
    name = CharField(unique=True)
    position = IntegerField(default=0)
    is_retired = BooleanField(default=False)
    version = IntegerField(default=1)


class FileCategory(BaseModel):
    """What a file on a student's profile is, for example Consent."""

    ref = RefField()
    name = CharField(unique=True)
    position = IntegerField(default=0)
    is_retired = BooleanField(default=False)
    version = IntegerField(default=1)


class Task(BaseModel):
    """Something a staff member is to do about a student. One that repeats makes its successor when it is completed."""

    ref = RefField()
    student = ForeignKeyField(Student, backref="tasks")
    title = CharField()
    notes = TextField(default="")
    assigned_to = ForeignKeyField(Account, backref="tasks")
    set_by = ForeignKeyField(Account, backref="set_tasks")
    set_at = UtcDateTimeField(default=clock.now)
    due_on = DateField(null=True)  # a school day; null for no date
    repeats = CharField(default="")  # "" | weekly | fortnightly | monthly
    follows = ForeignKeyField("self", null=True, unique=True)  # the task of a series before this one
    state = CharField(default="open")  # open | completed | cancelled
    ended_at = UtcDateTimeField(null=True)
    ended_by = ForeignKeyField(Account, null=True)
    noted_at = UtcDateTimeField(null=True)  # when the newest TaskNote was written, to find it without looking at each task's
    version = IntegerField(default=1)

    class Meta:
        indexes = (
            (("assigned_to", "state", "due_on"), False),
            (("student", "set_at"), False),
            (("student", "ended_at", "noted_at"), False),
            (("state", "due_on"), False),
        )


class TaskNote(BaseModel):
    """What was done about a task so far; rows are only ever added."""

    ref = RefField()
    task = ForeignKeyField(Task, backref="progress")
    author = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)
    text = TextField()

    class Meta:
        indexes = ((("task", "at"), False),)


class Meeting(BaseModel):
    """A student meeting. `sequence` counts its moves for calendar programs (RFC 5545, 3.8.7.4)."""

    ref = RefField()
    meeting_type = ForeignKeyField(MeetingType, backref="meetings")
    starts_at = UtcDateTimeField(index=True)
    ends_at = UtcDateTimeField()
    place = CharField(default="")
    agenda = TextField(default="")
    scheduled_by = ForeignKeyField(Account, backref="scheduled_meetings")
    scheduled_at = UtcDateTimeField(default=clock.now)
    changed_at = UtcDateTimeField(default=clock.now)
    sequence = IntegerField(default=0)
    state = CharField(default="planned")  # planned | held | cancelled
    outcome = TextField(default="")
    ended_by = ForeignKeyField(Account, null=True)  # who recorded the outcome, or cancelled it
    ended_at = UtcDateTimeField(null=True)
    cancel_reason = CharField(default="")
    version = IntegerField(default=1)


class MeetingVersion(BaseModel):
    """What was written about a meeting before it was changed (agenda, outcome, and what it came to for each student), as
    JSON; rows are only ever added."""

    meeting = ForeignKeyField(Meeting, backref="versions")
    number = IntegerField()
    fields = TextField()
    author = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("meeting", "number"), True),)


class MeetingStudent(BaseModel):
    """A student whom a meeting is about, with what it came to for them."""

    meeting = ForeignKeyField(Meeting, backref="students")
    student = ForeignKeyField(Student, backref="meetings")
    added_by = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)
    attended = CharField(default="")  # "" | yes | no
    outcome = TextField(default="")
    removed_at = UtcDateTimeField(null=True)
    removed_by = ForeignKeyField(Account, null=True)

    class Meta:
        indexes = ((("meeting", "student"), True),)


class MeetingStaff(BaseModel):
    """Somebody who is to be there."""

    meeting = ForeignKeyField(Meeting, backref="staff")
    account = ForeignKeyField(Account, backref="meetings")
    added_by = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)
    removed_at = UtcDateTimeField(null=True)
    removed_by = ForeignKeyField(Account, null=True)

    class Meta:
        indexes = ((("meeting", "account"), True),)


class InterventionGroup(BaseModel):
    """Students who get the same intervention. Its own fields are the template of the plans that it generates."""

    ref = RefField()
    name = CharField(unique=True)
    description = TextField(default="")
    tier = IntegerField(default=2)
    concern = TextField(default="")
    goal = TextField(default="")
    measure = CharField(default="")
    baseline = FloatField(null=True)
    target = FloatField(null=True)
    review_weeks = IntegerField(null=True)  # from the start of a plan to its review; null for no review
    group = ForeignKeyField(Group, null=True, backref="intervention_groups")  # the staff who run it, as membership stands
    lead = ForeignKeyField(Account, backref="led_interventions")
    created_by = ForeignKeyField(Account)
    created_at = UtcDateTimeField(default=clock.now)
    archived_at = UtcDateTimeField(null=True)
    archived_by = ForeignKeyField(Account, null=True)
    version = IntegerField(default=1)


class InterventionStep(BaseModel):
    """An intervention of the template."""

    ref = RefField()
    group = ForeignKeyField(InterventionGroup, backref="steps")
    text = TextField()
    how_often = CharField(default="")
    position = IntegerField(default=0)


class Plan(BaseModel):
    """A plan for one student (MTSS). As it reads now; earlier wordings are in PlanVersion."""

    ref = RefField()
    student = ForeignKeyField(Student, backref="plans")
    tier = IntegerField()  # 1, 2 or 3
    concern = TextField(default="")
    goal = TextField(default="")
    measure = CharField(default="")
    baseline = FloatField(null=True)
    target = FloatField(null=True)
    starts_on = DateField()
    review_by = DateField(null=True)
    lead = ForeignKeyField(Account, backref="led_plans")
    intervention_group = ForeignKeyField(InterventionGroup, null=True, backref="plans")
    state = CharField(default="active")  # active | ended
    created_by = ForeignKeyField(Account, backref="created_plans")
    created_at = UtcDateTimeField(default=clock.now)
    ended_at = UtcDateTimeField(null=True)
    ended_by = ForeignKeyField(Account, null=True)
    end_reason = CharField(default="")
    version = IntegerField(default=1)

    class Meta:
        indexes = ((("student", "created_at"), False), (("state", "review_by"), False))


class PlanVersion(BaseModel):
    """What a plan said before it was changed, as JSON; rows are only ever added."""

    plan = ForeignKeyField(Plan, backref="versions")
    number = IntegerField()
    fields = TextField()
    author = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("plan", "number"), True),)


class PlanStaff(BaseModel):
    """Somebody who works on a plan beside its lead."""

    plan = ForeignKeyField(Plan, backref="staff")
    account = ForeignKeyField(Account, backref="plans")
    added_by = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("plan", "account"), True),)


class PlanIntervention(BaseModel):
    """What is done for the student. One that ended stays."""

    ref = RefField()
    plan = ForeignKeyField(Plan, backref="interventions")
    text = TextField()
    how_often = CharField(default="")
    started_on = DateField()
    ended_on = DateField(null=True)
    author = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)
    version = IntegerField(default=1)


class PlanPoint(BaseModel):
    """A progress point: what was measured on a day. Removing keeps the row."""

    ref = RefField()
    plan = ForeignKeyField(Plan, backref="points")
    day = DateField()
    value = FloatField()
    note = CharField(default="", max_length=500)
    author = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)
    removed_at = UtcDateTimeField(null=True)
    removed_by = ForeignKeyField(Account, null=True)

    class Meta:
        indexes = ((("plan", "removed_at", "at"), False),)


class PlanReview(BaseModel):
    """A review with its decision; rows are only ever added."""

    ref = RefField()
    plan = ForeignKeyField(Plan, backref="reviews")
    day = DateField()
    decision = CharField()  # continue | change | step_up | step_down | end
    notes = TextField(default="")
    next_on = DateField(null=True)
    author = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)


class InterventionMember(BaseModel):
    """A student in an intervention group, with the plan that came of it; leaving keeps the row."""

    group = ForeignKeyField(InterventionGroup, backref="members")
    student = ForeignKeyField(Student, backref="interventions")
    plan = ForeignKeyField(Plan, unique=True)
    added_by = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)
    left_at = UtcDateTimeField(null=True)
    left_by = ForeignKeyField(Account, null=True)

    class Meta:
        indexes = ((("group", "left_at"), False),)


class Form(BaseModel):
    """A form of the builder. `published` is the number of the version that people fill in; 0 while there is none."""

    ref = RefField()
    name = CharField(unique=True)
    description = TextField(default="")
    for_staff = BooleanField(default=True)
    for_referral_users = BooleanField(default=False)
    for_students = BooleanField(default=False)
    names_student = BooleanField(default=True)  # whether a response is about a student
    published = IntegerField(default=0)
    created_by = ForeignKeyField(Account)
    created_at = UtcDateTimeField(default=clock.now)
    retired_at = UtcDateTimeField(null=True)
    retired_by = ForeignKeyField(Account, null=True)
    version = IntegerField(default=1)


class FormVersion(BaseModel):
    """The fields of a form, as JSON. Once published it never changes; the one version that is not is being edited."""

    form = ForeignKeyField(Form, backref="versions")
    number = IntegerField()
    fields = TextField(default="[]")
    published_at = UtcDateTimeField(null=True)
    published_by = ForeignKeyField(Account, null=True)
    version = IntegerField(default=1)

    class Meta:
        indexes = ((("form", "number"), True),)


class FormGroup(BaseModel):
    """A group whose members read the responses to a form; with one, Key Users read them no longer because of their role."""

    form = ForeignKeyField(Form, backref="readers")
    group = ForeignKeyField(Group)

    class Meta:
        indexes = ((("form", "group"), True),)


class FormResponse(BaseModel):
    """What somebody sent: the answers as JSON by the keys of the version's fields. Never changed, but for the student of a
    referral, who is known when it is accepted."""

    ref = RefField()
    form = ForeignKeyField(Form, backref="responses")
    number = IntegerField()  # of the version it answers
    student = ForeignKeyField(Student, null=True, backref="responses")
    author = ForeignKeyField(Account, backref="responses")
    submitted_at = UtcDateTimeField(default=clock.now)
    answers = TextField()

    class Meta:
        indexes = ((("form", "submitted_at"), False), (("student", "submitted_at"), False), (("author", "submitted_at"), False))


class Referral(BaseModel):
    """A response of a Referral User on its way to a student, whom they name as they know them."""

    ref = RefField()
    response = ForeignKeyField(FormResponse, unique=True, backref="referral")
    first_name = CharField()
    last_name = CharField()
    sort_name = CharField(index=True)  # as of a student
    date_of_birth = DateField(null=True)
    about = CharField(default="")  # school year, address or what else helps to tell who it is
    state = CharField(default="received", index=True)  # received | accepted | declined
    how = CharField(default="")  # how it was accepted: known | new | merged
    merged_into = ForeignKeyField("self", null=True)
    decided_by = ForeignKeyField(Account, null=True)
    decided_at = UtcDateTimeField(null=True)
    reason = CharField(default="")  # why it was declined
    version = IntegerField(default=1)


class Trigger(BaseModel):
    """What opens a case by itself. `form` null: a trigger of the dictionary. With a form: what is different for that form
    alone; `field` and `answer` then bind it to one answer."""

    kind = CharField()  # form | plan | task | meeting | review | file
    form = ForeignKeyField(Form, null=True, backref="triggers")
    is_on = BooleanField(default=False)
    case_type = ForeignKeyField(CaseType, null=True)  # null: the first one in use
    title = CharField(default="")
    email_staff = BooleanField(default=False)
    field = CharField(default="")  # the key of a field of the form
    answer = CharField(default="")
    changed_by = ForeignKeyField(Account, null=True)
    changed_at = UtcDateTimeField(default=clock.now)
    version = IntegerField(default=1)

    class Meta:
        indexes = ((("kind", "form"), True),)


class TriggerGroup(BaseModel):
    """A whole group that the cases of a trigger are opened with."""

    trigger = ForeignKeyField(Trigger, backref="groups")
    group = ForeignKeyField(Group)

    class Meta:
        indexes = ((("trigger", "group"), True),)


class TriggerStaff(BaseModel):
    """An individual whom the cases of a trigger are opened with."""

    trigger = ForeignKeyField(Trigger, backref="staff")
    account = ForeignKeyField(Account)

    class Meta:
        indexes = ((("trigger", "account"), True),)


class CaseRecord(BaseModel):
    """A task, meeting, plan, review, response or file that belongs to a case: it opened the case by itself, joined it, or
    was put onto it. `record_id` is the row's id, `record` what the address of its page ends with."""

    case = ForeignKeyField(Case, backref="records")
    kind = CharField()  # as of a trigger
    record_id = IntegerField()
    record = CharField()
    how = CharField()  # opened | joined | linked
    by = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("case", "kind", "record_id"), True), (("kind", "record_id"), False))


# --- 8. Cohorts ------------------------------------------------------------------------------------------------------


class CohortCategory(BaseModel):
    """A heading that cohorts stand under, for example First-Year Students."""

    ref = RefField()
    name = CharField(unique=True)
    created_by = ForeignKeyField(Account)
    created_at = UtcDateTimeField(default=clock.now)
    version = IntegerField(default=1)


class Cohort(BaseModel):
    """Students who share milestones and support groups, for example Fall 21. An archived one shows students and support
    groups nothing any more, and its reminders rest."""

    ref = RefField()
    category = ForeignKeyField(CohortCategory, backref="cohorts")
    name = CharField()
    created_by = ForeignKeyField(Account)
    created_at = UtcDateTimeField(default=clock.now)
    archived_at = UtcDateTimeField(null=True)
    archived_by = ForeignKeyField(Account, null=True)
    version = IntegerField(default=1)

    class Meta:
        indexes = ((("category", "name"), True),)


class CohortStudent(BaseModel):
    """A student in a cohort, as long as the row is there; what was marked and sent stays when it goes."""

    cohort = ForeignKeyField(Cohort, backref="students")
    student = ForeignKeyField(Student, backref="cohorts")
    added_by = ForeignKeyField(Account)
    added_at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("cohort", "student"), True),)


class CohortGroup(BaseModel):
    """A Student Support Group of a cohort: its members, as membership stands, are the support network of the students."""

    cohort = ForeignKeyField(Cohort, backref="groups")
    group = ForeignKeyField(Group, backref="cohorts")
    attached_by = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("cohort", "group"), True),)


class Milestone(BaseModel):
    """What every student of a cohort is to reach. Nobody but Admin Key Holders sees it before `saved_at`."""

    ref = RefField()
    cohort = ForeignKeyField(Cohort, backref="milestones")
    title = CharField(default="New Milestone")
    due_on = DateField(null=True)  # a school day; null for no date
    description = TextField(default="")
    reminders = CharField(default="")  # days before the due date, rising: "1,7,30"
    position = IntegerField(default=0)
    created_by = ForeignKeyField(Account)
    created_at = UtcDateTimeField(default=clock.now)
    saved_at = UtcDateTimeField(null=True)  # when Save Milestone was first pressed
    scheduled_at = UtcDateTimeField(null=True)  # when due date or reminders last changed: earlier moments are not sent
    removed_at = UtcDateTimeField(null=True)
    removed_by = ForeignKeyField(Account, null=True)
    version = IntegerField(default=1)

    class Meta:
        indexes = ((("cohort", "position"), False),)

    @property
    def reminder_days(self):
        """The reminders as whole days before the due date, rising."""
        return [int(days) for days in self.reminders.split(",") if days]


class StudentMilestone(BaseModel):
    """How far a student is with a milestone; no row, or `open`, is open. Its changes are events."""

    milestone = ForeignKeyField(Milestone, backref="states")
    student = ForeignKeyField(Student, backref="milestones")
    state = CharField()  # open | completed | waived
    marked_by = ForeignKeyField(Account)
    marked_at = UtcDateTimeField(default=clock.now)
    version = IntegerField(default=1)

    class Meta:
        indexes = ((("milestone", "student"), True),)


class MilestoneRequest(BaseModel):
    """A student asks to have a milestone marked as completed; staff of the support groups answer."""

    ref = RefField()
    milestone = ForeignKeyField(Milestone, backref="requests")
    student = ForeignKeyField(Student, backref="requests")
    note = TextField(default="")
    asked_at = UtcDateTimeField(default=clock.now)
    outcome = CharField(default="")  # "" until it is answered | confirmed | declined | withdrawn
    answer = TextField(default="")
    decided_by = ForeignKeyField(Account, null=True)
    decided_at = UtcDateTimeField(null=True)
    version = IntegerField(default=1)

    class Meta:
        indexes = ((("milestone", "student", "outcome"), False),)


class MilestoneReminder(BaseModel):
    """A reminder that went to the queue: once for each student, milestone and interval, whatever becomes of the date."""

    milestone = ForeignKeyField(Milestone, backref="sent_reminders")
    student = ForeignKeyField(Student, backref="reminders")
    days = IntegerField()  # before the due date
    due_on = DateField()  # the due date as it was then
    at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("milestone", "student", "days"), True),)


class MilestoneTemplate(BaseModel):
    """A milestone to use again in other cohorts: without a due date, with files of its own."""

    ref = RefField()
    title = CharField()
    description = TextField(default="")
    reminders = CharField(default="")
    created_by = ForeignKeyField(Account)
    created_at = UtcDateTimeField(default=clock.now)
    removed_at = UtcDateTimeField(null=True)
    removed_by = ForeignKeyField(Account, null=True)
    version = IntegerField(default=1)


class CalendarFeed(BaseModel):
    """A secret address that a calendar program reads. The address derives from `nonce` and the instance's key."""

    account = ForeignKeyField(Account, backref="feeds")
    nonce = CharField(unique=True)
    created_at = UtcDateTimeField(default=clock.now)
    revoked_at = UtcDateTimeField(null=True)
    read_at = UtcDateTimeField(null=True)


class StoredFile(BaseModel):
    """An uploaded file of an incident, a case, a milestone, a template, a request, a student's profile or a form response:
    exactly one of these is set. The bytes lie under a random name below instance/files."""

    ref = RefField()
    incident = ForeignKeyField(Incident, null=True, backref="files")
    name = CharField()
    path_name = CharField(unique=True)
    media_type = CharField()
    size = IntegerField()
    sha256 = CharField()
    uploaded_by = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)
    removed_at = UtcDateTimeField(null=True)
    removed_by = ForeignKeyField(Account, null=True)
    case = ForeignKeyField(Case, null=True, backref="files")
    milestone = ForeignKeyField(Milestone, null=True, backref="files")
    milestone_template = ForeignKeyField(MilestoneTemplate, null=True, backref="files")
    milestone_request = ForeignKeyField(MilestoneRequest, null=True, backref="files")
    student = ForeignKeyField(Student, null=True, backref="files")
    form_response = ForeignKeyField(FormResponse, null=True, backref="files")
    form_field = CharField(default="")  # the key of the field that it answers
    file_category = ForeignKeyField(FileCategory, null=True)
    shown_to = CharField(default="")  # of a student's file: related | groups
    version = IntegerField(default=1)


class StudentFileGroup(BaseModel):
    """A group whose members see a file on a student's profile that is shown to groups."""

    file = ForeignKeyField(StoredFile, backref="groups")
    group = ForeignKeyField(Group)

    class Meta:
        indexes = ((("file", "group"), True),)


# --- 9. Access -------------------------------------------------------------------------------------------------------


class Exclusion(BaseModel):
    """A conflict of interest: `account` is kept out of one incident, one case, or of everything about one student."""

    ref = RefField()
    account = ForeignKeyField(Account, backref="exclusions")
    incident = ForeignKeyField(Incident, null=True, backref="exclusions")
    student = ForeignKeyField(Student, null=True, backref="exclusions")
    reason = CharField()
    excluded_by = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)
    ended_by = ForeignKeyField(Account, null=True)
    ended_at = UtcDateTimeField(null=True)
    case = ForeignKeyField(Case, null=True, backref="exclusions")


# --- 10. Reporting ---------------------------------------------------------------------------------------------------


class SavedReport(BaseModel):
    """A named set of filters; whoever opens it sees what they themselves may see."""

    ref = RefField()
    owner = ForeignKeyField(Account, backref="saved_reports")
    name = CharField()
    query = TextField()
    is_shared = BooleanField(default=False)
    created_at = UtcDateTimeField(default=clock.now)
    version = IntegerField(default=1)
    form = ForeignKeyField(Form, null=True, backref="saved_reports")  # filters of this form's responses


# --- 11. Telling -----------------------------------------------------------------------------------------------------


class Notification(BaseModel):
    """Somebody is told that something happened to a record: which kind of thing (events.NOTIFICATIONS), never what.
    Shown only while they see the record; `digest_on` is the school day whose digest email carries it, null for none."""

    ref = RefField()
    account = ForeignKeyField(Account, backref="notifications")
    kind = CharField()
    target = CharField(default="")  # the record's reference
    target_id = IntegerField(null=True)
    detail = CharField(default="")  # a word of ours, for example which part of a profile changed
    at = UtcDateTimeField(default=clock.now)
    read_at = UtcDateTimeField(null=True)
    digest_on = DateField(null=True)
    digested_at = UtcDateTimeField(null=True)

    class Meta:
        indexes = (
            (("account", "read_at", "at"), False),
            (("account", "at"), False),
            (("digested_at", "digest_on"), False),
        )


class NotificationChoice(BaseModel):
    """How somebody wants the email of one kind: at_once, daily or never."""

    account = ForeignKeyField(Account, backref="notification_choices")
    kind = CharField()
    choice = CharField()

    class Meta:
        indexes = ((("account", "kind"), True),)


class Announcement(BaseModel):
    """What an Admin Key Holder tells all staff on the dashboard, up to and including the day `ends_on`."""

    ref = RefField()
    title = CharField()
    text = TextField()
    author = ForeignKeyField(Account)
    at = UtcDateTimeField(default=clock.now)
    ends_on = DateField(index=True)
    removed_at = UtcDateTimeField(null=True)
    removed_by = ForeignKeyField(Account, null=True)
    version = IntegerField(default=1)


# --- 12. Trust -------------------------------------------------------------------------------------------------------


class Event(BaseModel):
    """The audit log: append-only (a trigger refuses change and deletion). `target` is a reference, never a name."""

    at = UtcDateTimeField(default=clock.now, index=True)
    actor = ForeignKeyField(Account, null=True)
    verb = CharField(index=True)
    target = CharField(default="", index=True)
    reasons = CharField(default="")
    data = TextField(default="{}")
    address = CharField(default="")

    class Meta:
        indexes = ((("actor", "at"), False),)


class AuditSeal(BaseModel):
    """A link of the hash chain over all events up to and including `last_event`; append-only."""

    sealed_at = UtcDateTimeField(default=clock.now)
    first_event = IntegerField()
    last_event = IntegerField(unique=True)
    events = IntegerField()
    digest = CharField()
    previous = CharField()
    head = CharField()


class OutboxEmail(BaseModel):
    """The queue of email: written with the business data, claimed by lease, sent, marked. `kind` names the template."""

    kind = CharField()
    account = ForeignKeyField(Account, backref="outbox")
    target = CharField(default="")
    target_id = IntegerField(null=True)
    once = CharField(null=True, unique=True)
    message_id = CharField(unique=True)
    created_at = UtcDateTimeField(default=clock.now)
    next_try_at = UtcDateTimeField(default=clock.now)
    attempts = IntegerField(default=0)
    sent_at = UtcDateTimeField(null=True)
    dropped_at = UtcDateTimeField(null=True)
    dropped_why = CharField(default="")
    failed_at = UtcDateTimeField(null=True)
    last_error = CharField(default="")
    is_waiting = BooleanField(default=True)

    class Meta:
        indexes = ((("is_waiting", "next_try_at"), False),)


class Draft(BaseModel):
    """What somebody has typed into a long form and not sent yet."""

    account = ForeignKeyField(Account, backref="drafts")
    key = CharField(max_length=80)
    body = TextField()
    changed_at = UtcDateTimeField(default=clock.now)

    class Meta:
        indexes = ((("account", "key"), True),)


class OneTimeKey(BaseModel):
    """A form that took effect: sent again, it answers with the same redirect and does nothing."""

    key = CharField(unique=True)
    account = ForeignKeyField(Account, null=True)
    created_at = UtcDateTimeField(default=clock.now, index=True)
    location = CharField(max_length=500, default="")
    message = TextField(default="")


class Heartbeat(BaseModel):
    """When a nightly or minutely job last ran."""

    name = CharField(unique=True)
    at = UtcDateTimeField()


def tables():
    """Every table, in an order in which they can be created."""
    return [
        School, Account, RecoveryCode, Session, PasswordLink, SignInAttempt,
        Department, DepartmentDirector, Group, GroupMember, GroupManager,
        Student, StudentContact, ImportRun,
        Category, CategoryGroup, BulkClosing, Incident, IncidentVersion, IncidentStudent, PartCategory, IncidentAlert,
        IncidentAssignment, IncidentClosure, BulkClosingNotice, IncidentAction, BodyMark,
        CaseType, CloseReason, Case, CaseFollower, CaseStaff, CaseGroup, CaseEntry, CaseEntryVersion, CasePresenting,
        CaseAgency, CaseAgencyVersion, CaseClosure, CaseIncident,
        MeetingType, FileCategory, Task, TaskNote, Meeting, MeetingVersion, MeetingStudent, MeetingStaff,
        InterventionGroup, InterventionStep, Plan, PlanVersion, PlanStaff, PlanIntervention, PlanPoint, PlanReview,
        InterventionMember, Form, FormVersion, FormGroup, FormResponse, Referral,
        Trigger, TriggerGroup, TriggerStaff, CaseRecord,
        CohortCategory, Cohort, CohortStudent, CohortGroup, Milestone, StudentMilestone, MilestoneRequest,
        MilestoneReminder, MilestoneTemplate, CalendarFeed, StoredFile, StudentFileGroup,
        Exclusion, SavedReport, Notification, NotificationChoice, Announcement,
        Event, AuditSeal, OutboxEmail, Draft, OneTimeKey, Heartbeat,
    ]  # fmt: skip
