"""Bringing students into a cohort, by a file of addresses or one address, moving them to another and taking them out. What
was marked for them stays when they go."""

import json

import events
import permissions
from blueprints.cohorts.actions.base import hold_cohort
from blueprints.cohorts.queries.adding import BATCH, FORGOTTEN, KEEP, KIND, judge, options_of
from blueprints.cohorts.queries.groups import changed_by_moving
from blueprints.kit import addresses
from blueprints.kit.refusing import Refused, Unconfirmed, confirmation_of
from blueprints.kit.text import email_problem, safe_name
from extensions import clock, db
from models import CohortStudent, ImportRun

MANAGE = "cohort.manage"


def add_by_file(cohort, sheet, file_name, *, actor):
    """Add the students whose addresses are in a csvread.Sheet: the good rows all together, the rest is told. Returns the
    ImportRun, which is done and holds the result row by row. Raises Denied, CsvProblem, or Refused for an archived cohort."""
    permissions.require(MANAGE, actor)
    rows = addresses.read(sheet)
    with db.atomic():
        hold_cohort(cohort, "file")
        _add(cohort, judge(actor, cohort, rows), actor)
        run = _result(cohort, rows, file_name, actor)
        _record(cohort, rows, actor, run=run.ref)
    return run


def _add(cohort, student_ids, actor):
    now = clock.now()
    for start in range(0, len(student_ids), BATCH):
        batch = student_ids[start : start + BATCH]
        CohortStudent.insert_many(
            [{"cohort": cohort.id, "student": number, "added_by": actor.id, "added_at": now} for number in batch]
        ).execute()


def _result(cohort, rows, file_name, actor):
    result = [row.as_list() for row in rows]
    return ImportRun.create(
        kind=KIND, account=actor, file_name=safe_name(file_name), path_name="", state="done", progress=len(rows),
        total=len(rows), options=options_of(cohort), counts=json.dumps(addresses.counted(result)),
        result=json.dumps(result, ensure_ascii=False, separators=(",", ":")),
    )  # fmt: skip


def forget_results():
    """Every night: addresses and sentences of results that are older than KEEP go; which row was what stays."""
    old = (ImportRun.kind == KIND) & (ImportRun.created_at < clock.now() - KEEP) & (ImportRun.mapping != FORGOTTEN)
    for run in ImportRun.select(ImportRun.id, ImportRun.result).where(old).limit(200):
        bare = [[line, outcome, "", "", ref] for line, outcome, _, _, ref in json.loads(run.result)]
        ImportRun.update(result=json.dumps(bare), mapping=FORGOTTEN).where(ImportRun.id == run.id).execute()


def _record(cohort, rows, actor, **more):
    counts = addresses.counted([row.as_list() for row in rows])
    refused = sum(counts[outcome] for outcome in addresses.REFUSED)
    numbers = {"added": counts["added"], "already_in": counts["already"], "refused": refused}
    events.record("cohort.students_added", actor=actor, target=cohort.ref, **numbers, **more)


def add_student(cohort, email, *, actor):
    """Add the student with this address; returns their reference. Raises Denied, or Refused with the sentence why not."""
    permissions.require(MANAGE, actor)
    if problem := email_problem(email):
        raise Refused("email", problem)
    row = addresses.Row(1, email)
    with db.atomic():
        hold_cohort(cohort, "email")
        added = judge(actor, cohort, [row])
        if not added:
            raise Refused("email", row.sentence)
        _add(cohort, added, actor)
        _record(cohort, [row], actor)
    return row.ref


# --- Going -----------------------------------------------------------------------------------------------------------


def remove_student(cohort, student, *, actor):
    """Take a student out of the cohort, archived or not. Raises Denied, or NotVisible where they are not in it or closed to
    the actor."""
    permissions.require(MANAGE, actor, student=student)
    with db.atomic():
        _take_out(cohort, student)
        events.record("cohort.student_removed", actor=actor, target=student.ref, cohort=cohort.ref)


def move_student(cohort, student, to, *, confirmed, actor):
    """Move a student to another cohort; if they are in that one already, they only leave this one. `confirmed` is the
    confirmation_of() those who come to see the student's milestones by it. Raises Denied, NotVisible, Refused, Unconfirmed."""
    permissions.require(MANAGE, actor, student=student)
    with db.atomic():
        hold_cohort(to, "to")
        _refuse_moving(cohort, student, to)
        people, _ = changed_by_moving(actor, student, cohort, to)
        if confirmed != confirmation_of(people):
            raise Unconfirmed(people)
        _take_out(cohort, student)
        fields = {"cohort": to, "student": student, "added_by": actor, "added_at": clock.now()}
        CohortStudent.insert(**fields).on_conflict_ignore().execute()
        events.record("cohort.student_moved", actor=actor, target=student.ref, cohort=cohort.ref, to=to.ref)


def _refuse_moving(cohort, student, to):
    if to.id == cohort.id:
        raise Refused("to", f"{student.name} is in this cohort already. Choose another one.")
    if not student.is_active:
        raise Refused("to", f"{student.name} has left the school and can't be added to a cohort.")


def _take_out(cohort, student):
    link = (CohortStudent.cohort == cohort.id) & (CohortStudent.student == student.id)
    if not CohortStudent.delete().where(link).execute():
        raise permissions.NotVisible(student.ref)
