"""Cases with everything on them, notifications, announcements, staff cards. Frozen like 0001."""

import secrets

from peewee import (
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    Model,
    PostgresqlDatabase,
    TextField,
)

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CASE_TYPES = ("Child protection", "Wellbeing", "Attendance", "Behaviour", "Early help")
CLOSE_REASONS = ("Resolved", "Passed to another agency", "Moved to another school", "Opened by mistake")
ACCENTED = "àáâãäåçèéêëìíîïñòóôõöøùúûüýÿÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝ"
PLAIN = "aaaaaaceeeeiiiinoooooouuuuyyAAAAAACEEEEIIIINOOOOOOUUUUY"
# Searched texts: table and columns. Their rows are never deleted, and those of case_presenting never change.
SEARCHED = (("case_entry", ("text",)), ("case_presenting", ("concern", "narrative")))


def search_statements(table, columns):
    """Full-text search as 0002 has it for incidents, in a table `<table>_text` or a column `text_index`."""
    names, new, old = (", ".join(prefix + column for column in columns) for prefix in ("", "new.", "old."))
    sqlite = [
        f"""CREATE VIRTUAL TABLE {table}_text USING fts5(
            {names}, content='{table}', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2')""",
        f"""CREATE TRIGGER {table}_text_added AFTER INSERT ON {table} BEGIN
            INSERT INTO {table}_text(rowid, {names}) VALUES (new.id, {new}); END""",  # noqa: S608 - names of ours
        f"""CREATE TRIGGER {table}_text_changed AFTER UPDATE OF {names} ON {table} BEGIN
            INSERT INTO {table}_text({table}_text, rowid, {names}) VALUES ('delete', old.id, {old});
            INSERT INTO {table}_text(rowid, {names}) VALUES (new.id, {new}); END""",  # noqa: S608 - names of ours
    ]
    everything = " || ' ' || ".join(columns)
    postgres = [
        f"""ALTER TABLE {table} ADD COLUMN text_index tsvector GENERATED ALWAYS AS
            (to_tsvector('english', translate({everything}, '{ACCENTED}', '{PLAIN}'))) STORED""",
        f"CREATE INDEX {table}_text_index ON {table} USING gin (text_index)",
    ]
    return sqlite, postgres


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

    class Incident(Model):
        class Meta:
            database = db
            table_name = "incident"

    class CaseType(Model):
        ref = CharField(unique=True, max_length=16)
        name = CharField(unique=True)
        position = IntegerField(default=0)
        is_retired = BooleanField(default=False)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "case_type"

    class CloseReason(Model):
        ref = CharField(unique=True, max_length=16)
        name = CharField(unique=True)
        position = IntegerField(default=0)
        is_retired = BooleanField(default=False)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "close_reason"

    class Case(Model):
        ref = CharField(unique=True, max_length=16)
        student = ForeignKeyField(Student)
        case_type = ForeignKeyField(CaseType)
        title = CharField()
        status = CharField(default="Open")
        opened_by = ForeignKeyField(Account, null=True)
        opened_at = DateTimeField()
        last_activity_at = DateTimeField(index=True)
        primary_advocate = ForeignKeyField(Account, null=True)
        coordinator = ForeignKeyField(Account, null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "student_case"
            indexes = ((("status", "last_activity_at"), False),)

    class CaseFollower(Model):
        case = ForeignKeyField(Case)
        account = ForeignKeyField(Account)
        added_by = ForeignKeyField(Account)
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "case_follower"
            indexes = ((("case", "account"), True),)

    class CaseStaff(Model):
        case = ForeignKeyField(Case)
        account = ForeignKeyField(Account)
        from_group = ForeignKeyField(Group, null=True)
        attached_by = ForeignKeyField(Account)
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "case_staff"
            indexes = ((("case", "account"), True),)

    class CaseGroup(Model):
        case = ForeignKeyField(Case)
        group = ForeignKeyField(Group)
        attached_by = ForeignKeyField(Account)
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "case_group"
            indexes = ((("case", "group"), True),)

    class CaseEntry(Model):
        ref = CharField(unique=True, max_length=16)
        case = ForeignKeyField(Case)
        author = ForeignKeyField(Account)
        at = DateTimeField()
        text = TextField()
        text_version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "case_entry"

    class CaseEntryVersion(Model):
        entry = ForeignKeyField(CaseEntry)
        number = IntegerField()
        text = TextField()
        author = ForeignKeyField(Account)
        at = DateTimeField()
        reason = CharField(default="")

        class Meta:
            database = db
            table_name = "case_entry_version"
            indexes = ((("entry", "number"), True),)

    class CasePresenting(Model):
        case = ForeignKeyField(Case)
        number = IntegerField()
        referral_date = DateField(null=True)
        source = CharField(default="")
        concern = TextField(default="")
        narrative = TextField(default="")
        author = ForeignKeyField(Account)
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "case_presenting"
            indexes = ((("case", "number"), True),)

    class CaseAgency(Model):
        ref = CharField(unique=True, max_length=16)
        case = ForeignKeyField(Case)
        section = CharField()
        agency = CharField(default="")
        person = CharField(default="")
        phone = CharField(default="")
        reference = CharField(default="")
        status = CharField(default="")
        started_on = DateField(null=True)
        ended_on = DateField(null=True)
        notes = TextField(default="")
        author = ForeignKeyField(Account)
        at = DateTimeField()
        removed_at = DateTimeField(null=True)
        removed_by = ForeignKeyField(Account, null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "case_agency"

    class CaseAgencyVersion(Model):
        agency = ForeignKeyField(CaseAgency)
        number = IntegerField()
        fields = TextField()
        author = ForeignKeyField(Account)
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "case_agency_version"
            indexes = ((("agency", "number"), True),)

    class CaseClosure(Model):
        case = ForeignKeyField(Case)
        closed_by = ForeignKeyField(Account)
        closed_at = DateTimeField()
        reason = ForeignKeyField(CloseReason)
        outcome = TextField(default="")
        reopened_by = ForeignKeyField(Account, null=True)
        reopened_at = DateTimeField(null=True)
        reopen_reason = CharField(default="")

        class Meta:
            database = db
            table_name = "case_closure"

    class CaseIncident(Model):
        case = ForeignKeyField(Case)
        incident = ForeignKeyField(Incident)
        linked_by = ForeignKeyField(Account)
        at = DateTimeField()

        class Meta:
            database = db
            table_name = "case_incident"
            indexes = ((("case", "incident"), True),)

    class Notification(Model):
        ref = CharField(unique=True, max_length=16)
        account = ForeignKeyField(Account)
        kind = CharField()
        target = CharField(default="")
        target_id = IntegerField(null=True)
        detail = CharField(default="")
        at = DateTimeField()
        read_at = DateTimeField(null=True)
        digest_on = DateField(null=True)
        digested_at = DateTimeField(null=True)

        class Meta:
            database = db
            table_name = "notification"
            indexes = (
                (("account", "read_at", "at"), False),
                (("account", "at"), False),
                (("digested_at", "digest_on"), False),
            )

    class NotificationChoice(Model):
        account = ForeignKeyField(Account)
        kind = CharField()
        choice = CharField()

        class Meta:
            database = db
            table_name = "notification_choice"
            indexes = ((("account", "kind"), True),)

    class Announcement(Model):
        ref = CharField(unique=True, max_length=16)
        title = CharField()
        text = TextField()
        author = ForeignKeyField(Account)
        at = DateTimeField()
        ends_on = DateField(index=True)
        removed_at = DateTimeField(null=True)
        removed_by = ForeignKeyField(Account, null=True)
        version = IntegerField(default=1)

        class Meta:
            database = db
            table_name = "announcement"

    db.create_tables(
        [
            CaseType,
            CloseReason,
            Case,
            CaseFollower,
            CaseStaff,
            CaseGroup,
            CaseEntry,
            CaseEntryVersion,
            CasePresenting,
            CaseAgency,
            CaseAgencyVersion,
            CaseClosure,
            CaseIncident,
            Notification,
            NotificationChoice,
            Announcement,
        ]
    )
    # Written out: Peewee's add_column() makes SQLite build the whole table anew, with every row that points to it.
    for column in ("booking_url", "photo_path"):
        db.execute_sql(f"ALTER TABLE account ADD COLUMN {column} VARCHAR(255) DEFAULT '' NOT NULL")
    for table, index in (("stored_file", "storedfile_case_id"), ("exclusion", "exclusion_case_id")):
        db.execute_sql(f"ALTER TABLE {table} ADD COLUMN case_id INTEGER REFERENCES student_case (id)")
        db.execute_sql(f"CREATE INDEX {index} ON {table} (case_id)")
    for model, words in ((CaseType, CASE_TYPES), (CloseReason, CLOSE_REASONS)):
        for position, name in enumerate(words):
            ref = "".join(secrets.choice(ALPHABET) for _ in range(10))
            model.create(ref=ref, name=name, position=position)
    for table, columns in SEARCHED:
        for statement in search_statements(table, columns)[isinstance(db, PostgresqlDatabase)]:
            db.execute_sql(statement)


def down(migrator, db):
    if not isinstance(db, PostgresqlDatabase):
        for table, _ in SEARCHED:
            for name in ("added", "changed"):
                db.execute_sql(f"DROP TRIGGER {table}_text_{name}")
            db.execute_sql(f"DROP TABLE {table}_text")
    db.execute_sql("DROP INDEX storedfile_case_id")
    db.execute_sql("DROP INDEX exclusion_case_id")
    for table, column in (
        ("account", "booking_url"),
        ("account", "photo_path"),
        ("stored_file", "case_id"),
        ("exclusion", "case_id"),
    ):
        db.execute_sql(f"ALTER TABLE {table} DROP COLUMN {column}")
    for table in (
        "announcement",
        "notification_choice",
        "notification",
        "case_incident",
        "case_closure",
        "case_agency_version",
        "case_agency",
        "case_presenting",
        "case_entry_version",
        "case_entry",
        "case_group",
        "case_staff",
        "case_follower",
        "student_case",
        "close_reason",
        "case_type",
    ):
        db.execute_sql(f'DROP TABLE "{table}"')
