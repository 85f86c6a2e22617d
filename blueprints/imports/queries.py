"""Reads about imports for the pages. Nobody sees another's, whose file may name students closed to them."""

import json

import permissions
from blueprints.imports.kinds import KINDS
from models import Exclusion, ImportRun, Student

_OURS = ImportRun.kind.in_(list(KINDS))


def runs(user, limit=20):
    """This person's latest imports of every kind."""
    fields = (ImportRun.ref, ImportRun.kind, ImportRun.file_name, ImportRun.state, ImportRun.total, ImportRun.created_at)
    query = ImportRun.select(*fields).where(_OURS, ImportRun.account == user)
    return list(query.order_by(ImportRun.created_at.desc(), ImportRun.id.desc()).limit(limit))


def run(user, ref):
    """One import of this person; raises NotVisible."""
    row = ImportRun.get_or_none(_OURS, ImportRun.ref == ref, ImportRun.account == user)
    if row is None:
        raise permissions.NotVisible(ref)
    return row


STUDENT = ""


def shown(user, run):
    """(counts, rows) of a run for its owner: rows as (line, outcome, sentence, name, ref, what `ref` names).

    A student who was closed to them since is in neither.
    """
    counts = json.loads(run.counts)
    rows = [(*row, STUDENT)[:6] for row in json.loads(run.result)]
    closed = {
        ref
        for (ref,) in Exclusion.select(Student.ref)
        .join(Student)
        .where((Exclusion.account == user) & Exclusion.ended_at.is_null())
        .tuples()
    }
    if closed:
        dropped = [row for row in rows if row[5] == STUDENT and row[4] in closed]
        rows = [row for row in rows if row[5] != STUDENT or row[4] not in closed]
        for row in dropped:
            counts[row[1]] -= 1
    return counts, rows
