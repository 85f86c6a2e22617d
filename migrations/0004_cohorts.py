"""Cohorts with milestones, their states, requests and reminders, templates, calendar feeds; where imported rows came from.
Frozen like 0001."""

from peewee import CharField, DateField, DateTimeField, ForeignKeyField, IntegerField, Model, PostgresqlDatabase, TextField

FILES_OF = ("milestone", "milestone_template", "milestone_request")
SOURCES = (("account", "account"), ("student", "student"), ("staff_group", "group"))
FLAGS = (("group_member", "from_import"), ("account", "closed_with_student"))
MOMENT = ("DATETIME", "TIMESTAMP")


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

    class CohortCategory(Model):
        ref = CharField(unique=True, max_length=16)
        name = CharField(unique=True)
        created_by = ForeignKeyField(Account)
        created_at = DateTimeField()
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "cohort_category"

    class Cohort(Model):
        ref = CharField(unique=True, max_length=16)
        category = ForeignKeyField(CohortCategory)
        name = CharField()
        created_by = ForeignKeyField(Account)
        created_at = DateTimeField()
        archived_at = DateTimeField(null=True)
        archived_by = ForeignKeyField(Account, null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "cohort"
            indexes = ((("category", "name"), True),)

    class CohortStudent(Model):
        cohort = ForeignKeyField(Cohort)
        student = ForeignKeyField(Student)
        added_by = ForeignKeyField(Account)
        added_at = DateTimeField()

        class Meta:
            database = db
            table_name = "cohort_student"
            indexes = ((("cohort", "student"), True),)

    class CohortGroup(Model):
        cohort = ForeignKeyField(Cohort)
        group = ForeignKeyField(Group)
        attached_by = ForeignKeyField(Account)
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "cohort_group"
            indexes = ((("cohort", "group"), True),)

    class Milestone(Model):
        ref = CharField(unique=True, max_length=16)
        cohort = ForeignKeyField(Cohort)
        title = CharField(default="New Milestone")
        due_on = DateField(null=True)
        description = TextField(default="")
        reminders = CharField(default="")
        position = IntegerField(default=0)
        created_by = ForeignKeyField(Account)
        created_at = DateTimeField()
        saved_at = DateTimeField(null=True)
        scheduled_at = DateTimeField(null=True)
        removed_at = DateTimeField(null=True)
        removed_by = ForeignKeyField(Account, null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "milestone"
            indexes = ((("cohort", "position"), False),)

    class StudentMilestone(Model):
        milestone = ForeignKeyField(Milestone)
        student = ForeignKeyField(Student)
        state = CharField()
        marked_by = ForeignKeyField(Account)
        marked_at = DateTimeField()
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "student_milestone"
            indexes = ((("milestone", "student"), True),)

    class MilestoneRequest(Model):
        ref = CharField(unique=True, max_length=16)
        milestone = ForeignKeyField(Milestone)
        student = ForeignKeyField(Student)
        note = TextField(default="")
        asked_at = DateTimeField()
        outcome = CharField(default="")
        answer = TextField(default="")
        decided_by = ForeignKeyField(Account, null=True)
        decided_at = DateTimeField(null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "milestone_request"
            indexes = ((("milestone", "student", "outcome"), False),)

    class MilestoneReminder(Model):
        milestone = ForeignKeyField(Milestone)
        student = ForeignKeyField(Student)
        days = IntegerField()
        due_on = DateField()
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "milestone_reminder"
            indexes = ((("milestone", "student", "days"), True),)

    class MilestoneTemplate(Model):
        ref = CharField(unique=True, max_length=16)
        title = CharField()
        description = TextField(default="")
        reminders = CharField(default="")
        created_by = ForeignKeyField(Account)
        created_at = DateTimeField()
        removed_at = DateTimeField(null=True)
        removed_by = ForeignKeyField(Account, null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "milestone_template"

    class CalendarFeed(Model):
        account = ForeignKeyField(Account)
        nonce = CharField(unique=True)
        created_at = DateTimeField()
        revoked_at = DateTimeField(null=True)
        read_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "calendar_feed"

    db.create_tables(
        [
            CohortCategory,
            Cohort,
            CohortStudent,
            CohortGroup,
            Milestone,
            StudentMilestone,
            MilestoneRequest,
            MilestoneReminder,
            MilestoneTemplate,
            CalendarFeed,
        ]
    )
    # Written out: Peewee's add_column() makes SQLite build the whole table anew, with every row that points to it.
    for table in FILES_OF:
        db.execute_sql(f"ALTER TABLE stored_file ADD COLUMN {table}_id INTEGER REFERENCES {table} (id)")
        db.execute_sql(f"CREATE INDEX storedfile_{table}_id ON stored_file ({table}_id)")
    for table, name in SOURCES:
        db.execute_sql(f"ALTER TABLE {table} ADD COLUMN source_id VARCHAR(255)")
        db.execute_sql(f"CREATE UNIQUE INDEX {name}_source_id ON {table} (source_id)")
    for table, name in FLAGS:
        db.execute_sql(f"ALTER TABLE {table} ADD COLUMN {name} BOOLEAN DEFAULT FALSE NOT NULL")
    db.execute_sql(f"ALTER TABLE school ADD COLUMN student_visibility_at {MOMENT[isinstance(db, PostgresqlDatabase)]}")


def down(migrator, db):
    db.execute_sql("ALTER TABLE school DROP COLUMN student_visibility_at")
    for table, name in FLAGS:
        db.execute_sql(f"ALTER TABLE {table} DROP COLUMN {name}")
    for table, name in SOURCES:
        db.execute_sql(f"DROP INDEX {name}_source_id")
        db.execute_sql(f"ALTER TABLE {table} DROP COLUMN source_id")
    for table in FILES_OF:
        db.execute_sql(f"DROP INDEX storedfile_{table}_id")
        db.execute_sql(f"ALTER TABLE stored_file DROP COLUMN {table}_id")
    for table in (
        "calendar_feed",
        "milestone_template",
        "milestone_reminder",
        "milestone_request",
        "student_milestone",
        "milestone",
        "cohort_group",
        "cohort_student",
        "cohort",
        "cohort_category",
    ):
        db.execute_sql(f'DROP TABLE "{table}"')
