"""Tasks, meetings, plans with intervention groups, forms with responses and referrals, triggers, files on students' profiles.
Frozen like 0001."""

import datetime
import secrets

from peewee import BooleanField, CharField, DateField, DateTimeField, FloatField, ForeignKeyField, IntegerField, Model, TextField

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MEETING_TYPES = ("Student meeting", "Family meeting", "Review meeting", "Multi-agency meeting")
FILE_CATEGORIES = ("Assessment", "Consent", "Correspondence", "Health", "Report", "Other")
TRIGGERS = ("form", "plan", "task", "meeting", "review", "file")
FILES_OF = ("student", "form_response", "file_category")


def up(migrator, db):
    class Account(Model):
        class Meta:
            database = db
            table_name = "account"

    class Student(Model):
        class Meta:
            database = db
            table_name = "student"

    class Group(Model):
        class Meta:
            database = db
            table_name = "staff_group"

    class CaseType(Model):
        class Meta:
            database = db
            table_name = "case_type"

    class Case(Model):
        class Meta:
            database = db
            table_name = "student_case"

    class StoredFile(Model):
        class Meta:
            database = db
            table_name = "stored_file"

    class MeetingType(Model):
        ref = CharField(unique=True, max_length=16)
        name = CharField(unique=True)
        position = IntegerField(default=0)
        is_retired = BooleanField(default=False)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "meeting_type"

    class FileCategory(Model):
        ref = CharField(unique=True, max_length=16)
        name = CharField(unique=True)
        position = IntegerField(default=0)
        is_retired = BooleanField(default=False)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "file_category"

    class Task(Model):
        ref = CharField(unique=True, max_length=16)
        student = ForeignKeyField(Student)
        title = CharField()
        notes = TextField(default="")
        assigned_to = ForeignKeyField(Account)
        set_by = ForeignKeyField(Account)
        set_at = DateTimeField()
        due_on = DateField(null=True)
        repeats = CharField(default="")
        follows = ForeignKeyField("self", null=True, unique=True)
        state = CharField(default="open")
        ended_at = DateTimeField(null=True)
        ended_by = ForeignKeyField(Account, null=True)
        noted_at = DateTimeField(null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "task"
            indexes = (
                (("assigned_to", "state", "due_on"), False),
                (("student", "set_at"), False),
                (("student", "ended_at", "noted_at"), False),
                (("state", "due_on"), False),
            )

    class TaskNote(Model):
        ref = CharField(unique=True, max_length=16)
        task = ForeignKeyField(Task)
        author = ForeignKeyField(Account)
        at = DateTimeField()
        text = TextField()

        class Meta:
            database = db
            table_name = "task_note"
            indexes = ((("task", "at"), False),)

    class Meeting(Model):
        ref = CharField(unique=True, max_length=16)
        meeting_type = ForeignKeyField(MeetingType)
        starts_at = DateTimeField(index=True)
        ends_at = DateTimeField()
        place = CharField(default="")
        agenda = TextField(default="")
        scheduled_by = ForeignKeyField(Account)
        scheduled_at = DateTimeField()
        changed_at = DateTimeField()
        sequence = IntegerField(default=0)
        state = CharField(default="planned")
        outcome = TextField(default="")
        ended_by = ForeignKeyField(Account, null=True)
        ended_at = DateTimeField(null=True)
        cancel_reason = CharField(default="")
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "meeting"

    class MeetingVersion(Model):
        meeting = ForeignKeyField(Meeting)
        number = IntegerField()
        fields = TextField()
        author = ForeignKeyField(Account)
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "meeting_version"
            indexes = ((("meeting", "number"), True),)

    class MeetingStudent(Model):
        meeting = ForeignKeyField(Meeting)
        student = ForeignKeyField(Student)
        added_by = ForeignKeyField(Account)
        at = DateTimeField()
        attended = CharField(default="")
        outcome = TextField(default="")
        removed_at = DateTimeField(null=True)
        removed_by = ForeignKeyField(Account, null=True)

        class Meta:
            database = db
            table_name = "meeting_student"
            indexes = ((("meeting", "student"), True),)

    class MeetingStaff(Model):
        meeting = ForeignKeyField(Meeting)
        account = ForeignKeyField(Account)
        added_by = ForeignKeyField(Account)
        at = DateTimeField()
        removed_at = DateTimeField(null=True)
        removed_by = ForeignKeyField(Account, null=True)

        class Meta:
            database = db
            table_name = "meeting_staff"
            indexes = ((("meeting", "account"), True),)

    class InterventionGroup(Model):
        ref = CharField(unique=True, max_length=16)
        name = CharField(unique=True)
        description = TextField(default="")
        tier = IntegerField(default=2)
        concern = TextField(default="")
        goal = TextField(default="")
        measure = CharField(default="")
        baseline = FloatField(null=True)
        target = FloatField(null=True)
        review_weeks = IntegerField(null=True)
        group = ForeignKeyField(Group, null=True)
        lead = ForeignKeyField(Account)
        created_by = ForeignKeyField(Account)
        created_at = DateTimeField()
        archived_at = DateTimeField(null=True)
        archived_by = ForeignKeyField(Account, null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "intervention_group"

    class InterventionStep(Model):
        ref = CharField(unique=True, max_length=16)
        group = ForeignKeyField(InterventionGroup)
        text = TextField()
        how_often = CharField(default="")
        position = IntegerField(default=0)

        class Meta:
            database = db
            table_name = "intervention_step"

    class Plan(Model):
        ref = CharField(unique=True, max_length=16)
        student = ForeignKeyField(Student)
        tier = IntegerField()
        concern = TextField(default="")
        goal = TextField(default="")
        measure = CharField(default="")
        baseline = FloatField(null=True)
        target = FloatField(null=True)
        starts_on = DateField()
        review_by = DateField(null=True)
        lead = ForeignKeyField(Account)
        intervention_group = ForeignKeyField(InterventionGroup, null=True)
        state = CharField(default="active")
        created_by = ForeignKeyField(Account)
        created_at = DateTimeField()
        ended_at = DateTimeField(null=True)
        ended_by = ForeignKeyField(Account, null=True)
        end_reason = CharField(default="")
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "plan"
            indexes = ((("student", "created_at"), False), (("state", "review_by"), False))

    class PlanVersion(Model):
        plan = ForeignKeyField(Plan)
        number = IntegerField()
        fields = TextField()
        author = ForeignKeyField(Account)
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "plan_version"
            indexes = ((("plan", "number"), True),)

    class PlanStaff(Model):
        plan = ForeignKeyField(Plan)
        account = ForeignKeyField(Account)
        added_by = ForeignKeyField(Account)
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "plan_staff"
            indexes = ((("plan", "account"), True),)

    class PlanIntervention(Model):
        ref = CharField(unique=True, max_length=16)
        plan = ForeignKeyField(Plan)
        text = TextField()
        how_often = CharField(default="")
        started_on = DateField()
        ended_on = DateField(null=True)
        author = ForeignKeyField(Account)
        at = DateTimeField()
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "plan_intervention"

    class PlanPoint(Model):
        ref = CharField(unique=True, max_length=16)
        plan = ForeignKeyField(Plan)
        day = DateField()
        value = FloatField()
        note = CharField(default="", max_length=500)
        author = ForeignKeyField(Account)
        at = DateTimeField()
        removed_at = DateTimeField(null=True)
        removed_by = ForeignKeyField(Account, null=True)

        class Meta:
            database = db
            table_name = "plan_point"
            indexes = ((("plan", "removed_at", "at"), False),)

    class PlanReview(Model):
        ref = CharField(unique=True, max_length=16)
        plan = ForeignKeyField(Plan)
        day = DateField()
        decision = CharField()
        notes = TextField(default="")
        next_on = DateField(null=True)
        author = ForeignKeyField(Account)
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "plan_review"

    class InterventionMember(Model):
        group = ForeignKeyField(InterventionGroup)
        student = ForeignKeyField(Student)
        plan = ForeignKeyField(Plan, unique=True)
        added_by = ForeignKeyField(Account)
        at = DateTimeField()
        left_at = DateTimeField(null=True)
        left_by = ForeignKeyField(Account, null=True)

        class Meta:
            database = db
            table_name = "intervention_member"
            indexes = ((("group", "left_at"), False),)

    class Form(Model):
        ref = CharField(unique=True, max_length=16)
        name = CharField(unique=True)
        description = TextField(default="")
        for_staff = BooleanField(default=True)
        for_referral_users = BooleanField(default=False)
        for_students = BooleanField(default=False)
        names_student = BooleanField(default=True)
        published = IntegerField(default=0)
        created_by = ForeignKeyField(Account)
        created_at = DateTimeField()
        retired_at = DateTimeField(null=True)
        retired_by = ForeignKeyField(Account, null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "form"

    class FormVersion(Model):
        form = ForeignKeyField(Form)
        number = IntegerField()
        fields = TextField(default="[]")
        published_at = DateTimeField(null=True)
        published_by = ForeignKeyField(Account, null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "form_version"
            indexes = ((("form", "number"), True),)

    class FormGroup(Model):
        form = ForeignKeyField(Form)
        group = ForeignKeyField(Group)

        class Meta:
            database = db
            table_name = "form_group"
            indexes = ((("form", "group"), True),)

    class FormResponse(Model):
        ref = CharField(unique=True, max_length=16)
        form = ForeignKeyField(Form)
        number = IntegerField()
        student = ForeignKeyField(Student, null=True)
        author = ForeignKeyField(Account)
        submitted_at = DateTimeField()
        answers = TextField()

        class Meta:
            database = db
            table_name = "form_response"
            indexes = ((("form", "submitted_at"), False), (("student", "submitted_at"), False), (("author", "submitted_at"), False))

    class Referral(Model):
        ref = CharField(unique=True, max_length=16)
        response = ForeignKeyField(FormResponse, unique=True)
        first_name = CharField()
        last_name = CharField()
        sort_name = CharField(index=True)
        date_of_birth = DateField(null=True)
        about = CharField(default="")
        state = CharField(default="received", index=True)
        how = CharField(default="")
        merged_into = ForeignKeyField("self", null=True)
        decided_by = ForeignKeyField(Account, null=True)
        decided_at = DateTimeField(null=True)
        reason = CharField(default="")
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "referral"

    class Trigger(Model):
        kind = CharField()
        form = ForeignKeyField(Form, null=True)
        is_on = BooleanField(default=False)
        case_type = ForeignKeyField(CaseType, null=True)
        title = CharField(default="")
        email_staff = BooleanField(default=False)
        field = CharField(default="")
        answer = CharField(default="")
        changed_by = ForeignKeyField(Account, null=True)
        changed_at = DateTimeField()
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "trigger"
            indexes = ((("kind", "form"), True),)

    class TriggerGroup(Model):
        trigger = ForeignKeyField(Trigger)
        group = ForeignKeyField(Group)

        class Meta:
            database = db
            table_name = "trigger_group"
            indexes = ((("trigger", "group"), True),)

    class TriggerStaff(Model):
        trigger = ForeignKeyField(Trigger)
        account = ForeignKeyField(Account)

        class Meta:
            database = db
            table_name = "trigger_staff"
            indexes = ((("trigger", "account"), True),)

    class CaseRecord(Model):
        case = ForeignKeyField(Case)
        kind = CharField()
        record_id = IntegerField()
        record = CharField()
        how = CharField()
        by = ForeignKeyField(Account)
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "case_record"
            indexes = ((("case", "kind", "record_id"), True), (("kind", "record_id"), False))

    class StudentFileGroup(Model):
        file = ForeignKeyField(StoredFile)
        group = ForeignKeyField(Group)

        class Meta:
            database = db
            table_name = "student_file_group"
            indexes = ((("file", "group"), True),)

    db.create_tables(
        [
            MeetingType,
            FileCategory,
            Task,
            TaskNote,
            Meeting,
            MeetingVersion,
            MeetingStudent,
            MeetingStaff,
            InterventionGroup,
            InterventionStep,
            Plan,
            PlanVersion,
            PlanStaff,
            PlanIntervention,
            PlanPoint,
            PlanReview,
            InterventionMember,
            Form,
            FormVersion,
            FormGroup,
            FormResponse,
            Referral,
            Trigger,
            TriggerGroup,
            TriggerStaff,
            CaseRecord,
            StudentFileGroup,
        ]
    )
    # Written out: Peewee's add_column() makes SQLite build the whole table anew, with every row that points to it.
    for table in FILES_OF:
        db.execute_sql(f"ALTER TABLE stored_file ADD COLUMN {table}_id INTEGER REFERENCES {table} (id)")
        db.execute_sql(f"CREATE INDEX storedfile_{table}_id ON stored_file ({table}_id)")
    for column in ("form_field", "shown_to"):
        db.execute_sql(f"ALTER TABLE stored_file ADD COLUMN {column} VARCHAR(255) DEFAULT '' NOT NULL")
    db.execute_sql("ALTER TABLE stored_file ADD COLUMN version INTEGER DEFAULT 1 NOT NULL")
    db.execute_sql("ALTER TABLE saved_report ADD COLUMN form_id INTEGER REFERENCES form (id)")
    db.execute_sql("CREATE INDEX savedreport_form_id ON saved_report (form_id)")
    db.execute_sql("CREATE INDEX caseentry_case_id_at ON case_entry (case_id, at)")
    for kind in TRIGGERS:
        Trigger.create(kind=kind, changed_at=datetime.datetime.now(datetime.UTC).replace(tzinfo=None))
    for model, words in ((MeetingType, MEETING_TYPES), (FileCategory, FILE_CATEGORIES)):
        for position, name in enumerate(words):
            ref = "".join(secrets.choice(ALPHABET) for _ in range(10))
            model.create(ref=ref, name=name, position=position)


def down(migrator, db):
    db.execute_sql("DROP INDEX caseentry_case_id_at")
    db.execute_sql("DROP INDEX savedreport_form_id")
    db.execute_sql("ALTER TABLE saved_report DROP COLUMN form_id")
    db.execute_sql('DROP TABLE "student_file_group"')
    for column in ("version", "form_field", "shown_to"):
        db.execute_sql(f"ALTER TABLE stored_file DROP COLUMN {column}")
    for table in FILES_OF:
        db.execute_sql(f"DROP INDEX storedfile_{table}_id")
        db.execute_sql(f"ALTER TABLE stored_file DROP COLUMN {table}_id")
    for table in (
        "case_record",
        "trigger_staff",
        "trigger_group",
        "trigger",
        "referral",
        "form_response",
        "form_group",
        "form_version",
        "form",
        "intervention_member",
        "plan_review",
        "plan_point",
        "plan_intervention",
        "plan_staff",
        "plan_version",
        "plan",
        "intervention_step",
        "intervention_group",
        "meeting_staff",
        "meeting_student",
        "meeting_version",
        "meeting",
        "task_note",
        "task",
        "file_category",
        "meeting_type",
    ):
        db.execute_sql(f'DROP TABLE "{table}"')
