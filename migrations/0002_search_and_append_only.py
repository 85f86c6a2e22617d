"""Full-text search over incident texts, and the triggers that keep the audit log append-only.

On Postgres the generated column folds the accents of Western European letters, as SQLite's tokenizer does; translate()
is immutable, unaccent() is not, and a generated column needs immutable functions.
"""

from peewee import PostgresqlDatabase

APPEND_ONLY = ("event", "audit_seal")
ACCENTED = "àáâãäåçèéêëìíîïñòóôõöøùúûüýÿÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝ"
PLAIN = "aaaaaaceeeeiiiinoooooouuuuyyAAAAAACEEEEIIIINOOOOOOUUUUY"

SQLITE = [
    """CREATE VIRTUAL TABLE incident_text USING fts5(
        text, content='incident', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2')""",
    """CREATE TRIGGER incident_text_added AFTER INSERT ON incident BEGIN
        INSERT INTO incident_text(rowid, text) VALUES (new.id, new.text); END""",
    """CREATE TRIGGER incident_text_changed AFTER UPDATE OF text ON incident BEGIN
        INSERT INTO incident_text(incident_text, rowid, text) VALUES ('delete', old.id, old.text);
        INSERT INTO incident_text(rowid, text) VALUES (new.id, new.text); END""",
    """CREATE TRIGGER incident_text_removed AFTER DELETE ON incident BEGIN
        INSERT INTO incident_text(incident_text, rowid, text) VALUES ('delete', old.id, old.text); END""",
]
for _table in APPEND_ONLY:
    for _verb in ("UPDATE", "DELETE"):
        SQLITE.append(
            f"""CREATE TRIGGER {_table}_no_{_verb.lower()} BEFORE {_verb} ON {_table} BEGIN
            SELECT RAISE(ABORT, 'the audit log is append-only'); END"""
        )

POSTGRES = [
    f"""ALTER TABLE incident ADD COLUMN text_index tsvector
        GENERATED ALWAYS AS (to_tsvector('english', translate(text, '{ACCENTED}', '{PLAIN}'))) STORED""",
    "CREATE INDEX incident_text_index ON incident USING gin (text_index)",
    # Every transaction that adds events holds this lock shared; sealing takes it alone (events.seal, docs/adr/0003). A
    # statement trigger fires before the row gets its id, so no id below a sealed one can still be on its way.
    """CREATE FUNCTION caseward_hold_seal() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN PERFORM pg_advisory_xact_lock_shared(7203001); RETURN NULL; END$$""",
    """CREATE TRIGGER event_holds_seal BEFORE INSERT ON event
        FOR EACH STATEMENT EXECUTE FUNCTION caseward_hold_seal()""",
    """CREATE FUNCTION caseward_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RAISE EXCEPTION 'the audit log is append-only'; END$$""",
]
for _table in APPEND_ONLY:
    POSTGRES.append(
        f"""CREATE TRIGGER {_table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {_table}
        FOR EACH STATEMENT EXECUTE FUNCTION caseward_append_only()"""
    )
    POSTGRES.append(f"REVOKE UPDATE, DELETE, TRUNCATE ON {_table} FROM CURRENT_USER")


def up(migrator, db):
    for statement in POSTGRES if isinstance(db, PostgresqlDatabase) else SQLITE:
        db.execute_sql(statement)


def down(migrator, db):
    if isinstance(db, PostgresqlDatabase):
        for table in APPEND_ONLY:
            db.execute_sql(f"DROP TRIGGER {table}_append_only ON {table}")
            db.execute_sql(f"GRANT UPDATE, DELETE, TRUNCATE ON {table} TO CURRENT_USER")
        db.execute_sql("DROP FUNCTION caseward_append_only()")
        db.execute_sql("DROP TRIGGER event_holds_seal ON event")
        db.execute_sql("DROP FUNCTION caseward_hold_seal()")
        db.execute_sql("ALTER TABLE incident DROP COLUMN text_index")
        return
    for table in APPEND_ONLY:
        db.execute_sql(f"DROP TRIGGER {table}_no_update")
        db.execute_sql(f"DROP TRIGGER {table}_no_delete")
    for name in ("added", "changed", "removed"):
        db.execute_sql(f"DROP TRIGGER incident_text_{name}")
    db.execute_sql("DROP TABLE incident_text")
