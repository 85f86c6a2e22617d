"""The tables of the first version. Frozen: later changes are migrations of their own."""

from peewee import (
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    FloatField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


def up(migrator, db):
    class School(Model):
        name = CharField(default='')
        timezone = CharField(default='Europe/London')
        student_word = CharField(default='Student')
        cases_module = BooleanField(default=True)
        session_idle_minutes = IntegerField(default=30)
        session_absolute_hours = IntegerField(default=12)
        alert_hour = IntegerField(default=7)
        demo = BooleanField(default=False)
        set_up_at = DateTimeField(null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = 'school'

    class Account(Model):
        ref = CharField(unique=True, max_length=16)
        email = CharField()
        email_folded = CharField(unique=True)
        name = CharField()
        search_text = CharField(default='')
        title = CharField(default='')
        phone = CharField(default='')
        role = CharField(index=True)
        is_active = BooleanField(default=True)
        password_hash = CharField(null=True)
        totp_secret = CharField(null=True)
        totp_last_timecode = IntegerField(default=0)
        two_step_at = DateTimeField(null=True)
        created_at = DateTimeField()
        last_sign_in_at = DateTimeField(null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = 'account'

    class RecoveryCode(Model):
        account = ForeignKeyField(Account)
        code_hash = CharField()
        used_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = 'recovery_code'

    class Session(Model):
        ref = CharField(unique=True, max_length=16)
        account = ForeignKeyField(Account)
        token_hash = CharField(unique=True)
        created_at = DateTimeField()
        seen_at = DateTimeField()
        address = CharField(default='')
        browser = CharField(default='')
        two_step = BooleanField(default=False)
        revoked_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = 'session'

    class PasswordLink(Model):
        account = ForeignKeyField(Account)
        kind = CharField()
        nonce = CharField(unique=True)
        created_at = DateTimeField()
        expires_at = DateTimeField()
        used_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = 'password_link'

    class SignInAttempt(Model):
        subject = CharField()
        kind = CharField()
        at = DateTimeField()

        class Meta:
            database = db
            table_name = 'sign_in_attempt'
            indexes = ((('subject', 'kind', 'at'), False),)

    class Department(Model):
        ref = CharField(unique=True, max_length=16)
        name = CharField(unique=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = 'department'

    class DepartmentDirector(Model):
        department = ForeignKeyField(Department)
        account = ForeignKeyField(Account)

        class Meta:
            database = db
            table_name = 'department_director'
            indexes = ((('department', 'account'), True),)

    class Group(Model):
        ref = CharField(unique=True, max_length=16)
        name = CharField(unique=True)
        department = ForeignKeyField(Department, null=True)
        is_active = BooleanField(default=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = 'staff_group'

    class GroupMember(Model):
        group = ForeignKeyField(Group)
        account = ForeignKeyField(Account)
        added_by = ForeignKeyField(Account, null=True)
        added_at = DateTimeField()

        class Meta:
            database = db
            table_name = 'group_member'
            indexes = ((('group', 'account'), True),)

    class GroupManager(Model):
        group = ForeignKeyField(Group)
        account = ForeignKeyField(Account)
        added_by = ForeignKeyField(Account, null=True)
        added_at = DateTimeField()

        class Meta:
            database = db
            table_name = 'group_manager'
            indexes = ((('group', 'account'), True),)

    class Student(Model):
        ref = CharField(unique=True, max_length=16)
        first_name = CharField()
        last_name = CharField()
        preferred_name = CharField(default='')
        sort_name = CharField(index=True)
        search_text = TextField(default='')
        email = CharField(default='')
        email_folded = CharField(unique=True, null=True)
        date_of_birth = DateField(null=True)
        year_group = CharField(index=True, default='')
        tutor_group = CharField(default='')
        admission_number = CharField(unique=True, null=True)
        upn = CharField(unique=True, null=True)
        address = TextField(default='')
        is_active = BooleanField(default=True)
        left_at = DateTimeField(null=True)
        created_at = DateTimeField()
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = 'student'

    class StudentContact(Model):
        ref = CharField(unique=True, max_length=16)
        student = ForeignKeyField(Student)
        name = CharField()
        relationship = CharField(default='')
        phone = CharField(default='')
        email = CharField(default='')
        notes = TextField(default='')
        removed_at = DateTimeField(null=True)
        removed_by = ForeignKeyField(Account, null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = 'student_contact'

    class ImportRun(Model):
        ref = CharField(unique=True, max_length=16)
        kind = CharField(default='students')
        account = ForeignKeyField(Account, null=True)
        file_name = CharField()
        path_name = CharField()
        mapping = TextField(default='{}')
        options = TextField(default='{}')
        state = CharField(index=True, default='uploaded')
        progress = IntegerField(default=0)
        total = IntegerField(default=0)
        counts = TextField(default='{}')
        result = TextField(default='[]')
        problem = TextField(default='')
        created_at = DateTimeField()
        changed_at = DateTimeField()
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = 'import_run'

    class Category(Model):
        ref = CharField(unique=True, max_length=16)
        parent = ForeignKeyField('self', null=True)
        name = CharField()
        colour = CharField(default='#5b6b7a')
        guidance = TextField(default='')
        position = IntegerField(default=0)
        is_retired = BooleanField(default=False)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = 'category'

    class CategoryGroup(Model):
        category = ForeignKeyField(Category)
        group = ForeignKeyField(Group)

        class Meta:
            database = db
            table_name = 'category_group'
            indexes = ((('category', 'group'), True),)

    class BulkClosing(Model):
        ref = CharField(unique=True, max_length=16)
        closed_by = ForeignKeyField(Account)
        closed_at = DateTimeField()
        from_day = DateField()
        to_day = DateField()
        count = IntegerField()

        class Meta:
            database = db
            table_name = 'bulk_closing'

    class Incident(Model):
        ref = CharField(unique=True, max_length=16)
        text = TextField()
        text_version = IntegerField(default=1)
        happened_at = DateTimeField()
        entered_at = DateTimeField(index=True)
        place = CharField(default='')
        author = ForeignKeyField(Account)
        status = CharField(default='Active')
        assigned_to = ForeignKeyField(Account, null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = 'incident'
            indexes = ((('status', 'happened_at'), False), (('assigned_to', 'status', 'entered_at'), False), (('happened_at',), False))

    class IncidentVersion(Model):
        incident = ForeignKeyField(Incident)
        number = IntegerField()
        text = TextField()
        author = ForeignKeyField(Account)
        at = DateTimeField()
        reason = CharField(default='')

        class Meta:
            database = db
            table_name = 'incident_version'
            indexes = ((('incident', 'number'), True),)

    class IncidentStudent(Model):
        incident = ForeignKeyField(Incident)
        student = ForeignKeyField(Student)
        role = CharField(default='subject')

        class Meta:
            database = db
            table_name = 'incident_student'
            indexes = ((('incident', 'student'), True),)

    class PartCategory(Model):
        part = ForeignKeyField(IncidentStudent)
        category = ForeignKeyField(Category)

        class Meta:
            database = db
            table_name = 'part_category'
            indexes = ((('part', 'category'), True),)

    class IncidentAlert(Model):
        incident = ForeignKeyField(Incident)
        account = ForeignKeyField(Account, null=True)
        group = ForeignKeyField(Group, null=True)
        alerted_by = ForeignKeyField(Account)
        at = DateTimeField()

        class Meta:
            database = db
            table_name = 'incident_alert'
            indexes = ((('incident', 'account'), True), (('incident', 'group'), True))

    class IncidentAssignment(Model):
        incident = ForeignKeyField(Incident)
        to = ForeignKeyField(Account, null=True)
        assigned_by = ForeignKeyField(Account)
        at = DateTimeField()

        class Meta:
            database = db
            table_name = 'incident_assignment'

    class IncidentClosure(Model):
        incident = ForeignKeyField(Incident)
        closed_by = ForeignKeyField(Account)
        closed_at = DateTimeField()
        bulk_closing = ForeignKeyField(BulkClosing, null=True)
        reopened_by = ForeignKeyField(Account, null=True)
        reopened_at = DateTimeField(null=True)
        reopen_reason = CharField(default='')

        class Meta:
            database = db
            table_name = 'incident_closure'

    class BulkClosingNotice(Model):
        bulk_closing = ForeignKeyField(BulkClosing)
        account = ForeignKeyField(Account)
        count = IntegerField()
        seen_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = 'bulk_closing_notice'
            indexes = ((('account', 'seen_at'), False),)

    class IncidentAction(Model):
        ref = CharField(unique=True, max_length=16)
        incident = ForeignKeyField(Incident)
        text = TextField()
        author = ForeignKeyField(Account)
        at = DateTimeField()
        person = ForeignKeyField(Account, null=True)
        due_on = DateField(index=True, null=True)
        done_at = DateTimeField(null=True)
        done_by = ForeignKeyField(Account, null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = 'incident_action'
            indexes = ((('person', 'done_at', 'due_on'), False),)

    class BodyMark(Model):
        ref = CharField(unique=True, max_length=16)
        incident = ForeignKeyField(Incident)
        number = IntegerField()
        view = CharField()
        x = FloatField()
        y = FloatField()
        region = CharField(default='')
        note = CharField(max_length=500, default='')
        author = ForeignKeyField(Account)
        at = DateTimeField()
        removed_at = DateTimeField(null=True)
        removed_by = ForeignKeyField(Account, null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = 'body_mark'

    class StoredFile(Model):
        ref = CharField(unique=True, max_length=16)
        incident = ForeignKeyField(Incident, null=True)
        name = CharField()
        path_name = CharField(unique=True)
        media_type = CharField()
        size = IntegerField()
        sha256 = CharField()
        uploaded_by = ForeignKeyField(Account)
        at = DateTimeField()
        removed_at = DateTimeField(null=True)
        removed_by = ForeignKeyField(Account, null=True)

        class Meta:
            database = db
            table_name = 'stored_file'

    class Exclusion(Model):
        ref = CharField(unique=True, max_length=16)
        account = ForeignKeyField(Account)
        incident = ForeignKeyField(Incident, null=True)
        student = ForeignKeyField(Student, null=True)
        reason = CharField()
        excluded_by = ForeignKeyField(Account)
        at = DateTimeField()
        ended_by = ForeignKeyField(Account, null=True)
        ended_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = 'exclusion'

    class SavedReport(Model):
        ref = CharField(unique=True, max_length=16)
        owner = ForeignKeyField(Account)
        name = CharField()
        query = TextField()
        is_shared = BooleanField(default=False)
        created_at = DateTimeField()
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = 'saved_report'

    class Event(Model):
        at = DateTimeField(index=True)
        actor = ForeignKeyField(Account, null=True)
        verb = CharField(index=True)
        target = CharField(index=True, default='')
        reasons = CharField(default='')
        data = TextField(default='{}')
        address = CharField(default='')

        class Meta:
            database = db
            table_name = 'event'
            indexes = ((('actor', 'at'), False),)

    class AuditSeal(Model):
        sealed_at = DateTimeField()
        first_event = IntegerField()
        last_event = IntegerField(unique=True)
        events = IntegerField()
        digest = CharField()
        previous = CharField()
        head = CharField()

        class Meta:
            database = db
            table_name = 'audit_seal'

    class OutboxEmail(Model):
        kind = CharField()
        account = ForeignKeyField(Account)
        target = CharField(default='')
        target_id = IntegerField(null=True)
        once = CharField(unique=True, null=True)
        message_id = CharField(unique=True)
        created_at = DateTimeField()
        next_try_at = DateTimeField()
        attempts = IntegerField(default=0)
        sent_at = DateTimeField(null=True)
        dropped_at = DateTimeField(null=True)
        dropped_why = CharField(default='')
        failed_at = DateTimeField(null=True)
        last_error = CharField(default='')
        is_waiting = BooleanField(default=True)

        class Meta:
            database = db
            table_name = 'outbox_email'
            indexes = ((('is_waiting', 'next_try_at'), False),)

    class Draft(Model):
        account = ForeignKeyField(Account)
        key = CharField(max_length=80)
        body = TextField()
        changed_at = DateTimeField()

        class Meta:
            database = db
            table_name = 'draft'
            indexes = ((('account', 'key'), True),)

    class OneTimeKey(Model):
        key = CharField(unique=True)
        account = ForeignKeyField(Account, null=True)
        created_at = DateTimeField(index=True)
        location = CharField(max_length=500, default='')
        message = TextField(default='')

        class Meta:
            database = db
            table_name = 'one_time_key'

    class Heartbeat(Model):
        name = CharField(unique=True)
        at = DateTimeField()

        class Meta:
            database = db
            table_name = 'heartbeat'

    db.create_tables([
        School,
        Account,
        RecoveryCode,
        Session,
        PasswordLink,
        SignInAttempt,
        Department,
        DepartmentDirector,
        Group,
        GroupMember,
        GroupManager,
        Student,
        StudentContact,
        ImportRun,
        Category,
        CategoryGroup,
        BulkClosing,
        Incident,
        IncidentVersion,
        IncidentStudent,
        PartCategory,
        IncidentAlert,
        IncidentAssignment,
        IncidentClosure,
        BulkClosingNotice,
        IncidentAction,
        BodyMark,
        StoredFile,
        Exclusion,
        SavedReport,
        Event,
        AuditSeal,
        OutboxEmail,
        Draft,
        OneTimeKey,
        Heartbeat,
    ])


def down(migrator, db):
    for table in (
        "heartbeat",
        "one_time_key",
        "draft",
        "outbox_email",
        "audit_seal",
        "event",
        "saved_report",
        "exclusion",
        "stored_file",
        "body_mark",
        "incident_action",
        "bulk_closing_notice",
        "incident_closure",
        "incident_assignment",
        "incident_alert",
        "part_category",
        "incident_student",
        "incident_version",
        "incident",
        "bulk_closing",
        "category_group",
        "category",
        "import_run",
        "student_contact",
        "student",
        "group_manager",
        "group_member",
        "staff_group",
        "department_director",
        "department",
        "sign_in_attempt",
        "password_link",
        "session",
        "recovery_code",
        "account",
        "school",
    ):
        db.execute_sql(f'DROP TABLE "{table}"')
