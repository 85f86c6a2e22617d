"""Students who were taken off an incident. Frozen like 0001."""

from peewee import CharField, DateTimeField, ForeignKeyField, Model, TextField


def up(migrator, db):
    class Account(Model):
        class Meta:
            database = db
            table_name = "account"

    class Student(Model):
        class Meta:
            database = db
            table_name = "student"

    class Incident(Model):
        class Meta:
            database = db
            table_name = "incident"

    class IncidentRemoval(Model):
        incident = ForeignKeyField(Incident)
        student = ForeignKeyField(Student)
        role = CharField()
        categories = TextField(default="")
        removed_by = ForeignKeyField(Account)
        at = DateTimeField()
        reason = CharField()

        class Meta:
            database = db
            table_name = "incident_removal"

    db.create_tables([IncidentRemoval])


def down(migrator, db):
    db.execute_sql('DROP TABLE "incident_removal"')
