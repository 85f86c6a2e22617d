"""Who is meant by an email address, and the results of files of them. A student who is closed to whoever asks is as unknown
to them as one who is not there, also in a result that is older than the conflict of interest. Writes nothing."""

import json
from datetime import timedelta

from peewee import JOIN

import permissions
from blueprints.kit.addresses import counted
from models import CohortStudent, Exclusion, ImportRun, Student

KIND = "cohort_students"
KEEP = timedelta(days=30)  # how long a result says the addresses
FORGOTTEN = ""  # the mapping of a run that does not any more
BATCH = 500  # addresses of one question, well below what either database takes as parameters
UNKNOWN = "No student has this email address."
LEFT = "This student has left the school."
ALREADY = "This student is in the cohort already."


def judge(user, cohort, rows):
    """Give each good addresses.Row its outcome as the students stand now. Returns the ids of those to be added, in the order
    of the rows."""
    good = [row for row in rows if not row.outcome]
    known = {}
    for start in range(0, len(good), BATCH):
        known |= _known(user, cohort, [row.address.casefold() for row in good[start : start + BATCH]])
    return [number for row in good if (number := _judged(row, known.get(row.address.casefold())))]


def _known(user, cohort, addresses):
    """{folded address: (id, ref, is active, is in the cohort)} of the students this person sees."""
    link = CohortStudent.alias("link")
    here = (link.student == Student.id) & (link.cohort == cohort.id)
    fields = (Student.email_folded, Student.id, Student.ref, Student.is_active, link.id)
    query = permissions.visible_students(user, *fields).join(link, JOIN.LEFT_OUTER, on=here)
    return {folded: rest for folded, *rest in query.where(Student.email_folded.in_(addresses)).tuples()}


def _judged(row, known):
    """The id of the student that the row adds, or None."""
    if known is None:
        row.refuse("unknown", UNKNOWN)
        return None
    number, row.ref, is_active, is_in = known
    if is_in:
        row.refuse("already", ALREADY)
    elif not is_active:
        row.refuse("left", LEFT)
    else:
        row.outcome = "added"
        return number
    return None


# --- Results ---------------------------------------------------------------------------------------------------------


def options_of(cohort):
    """What the run of a file says about the cohort it was for."""
    return json.dumps({"cohort": cohort.ref})


def adding_results(user, cohort, limit=10):
    """This person's latest files for the cohort as (run, counts); nobody sees another's."""
    fields = (ImportRun.ref, ImportRun.file_name, ImportRun.total, ImportRun.created_at, ImportRun.result)
    rows = _of(user, cohort, *fields).order_by(ImportRun.created_at.desc(), ImportRun.id.desc()).limit(limit)
    closed = _closed(user)
    return [(run, counted(_open(run, closed))) for run in rows]


def adding_result(user, cohort, ref):
    """(run, counts, rows) of one file: rows as [line, outcome, sentence, address, student's ref]. Raises NotVisible."""
    run = _of(user, cohort).where(ImportRun.ref == ref).first()
    if run is None:
        raise permissions.NotVisible(ref)
    rows = _open(run, _closed(user))
    return run, counted(rows), rows


def _of(user, cohort, *fields):
    permissions.require("cohort.manage", user)
    mine = (ImportRun.account == user.id) & (ImportRun.kind == KIND) & (ImportRun.options == options_of(cohort))
    return ImportRun.select(*fields).where(mine)


def _open(run, closed):
    return [row for row in json.loads(run.result) if row[4] not in closed]


def _closed(user):
    """References of the students that are closed to this person now."""
    mine = (Exclusion.account == user.id) & Exclusion.ended_at.is_null()
    return {ref for (ref,) in Exclusion.select(Student.ref).join(Student).where(mine).tuples()}
