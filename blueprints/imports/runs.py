"""Imports from the browser: a file waits, is checked, shown, confirmed and saved, and survives a closed tab and a killed
worker.

The ImportRun row is the truth. A worker claims it by compare-and-set on its version and holds it by a lease that its
progress renews; saving is one transaction that also ends the run, so it happens once or not at all.
What a file is and what its rows mean is up to its kind (kinds.py); this must not answer requests. Runs of other kinds, which
other parts keep their results in, are left alone.
"""

import json
import logging
from datetime import timedelta
from pathlib import Path

from flask import current_app
from peewee import InterfaceError, OperationalError

import permissions
from blueprints.imports.kinds import KINDS
from blueprints.kit import csvread, uploads
from blueprints.kit.text import plural, safe_name
from extensions import clock, db
from models import Account, Conflict, ImportRun, new_ref

log = logging.getLogger("caseward.imports")

LEASE = timedelta(minutes=2)  # much longer than STEP rows or a saving transaction take
KEEP_NAMES = timedelta(days=30)
KEEP_FILES = timedelta(days=7)
# What a worker makes of a state when it takes the run up.
TAKEN_UP = {"waiting": "checking", "checking": "checking", "queued": "saving", "saving": "saving"}
AT_WORK = tuple(TAKEN_UP)
ENDED = ("done", "withdrawn", "failed")
OURS = ImportRun.kind.in_(list(KINDS))


class NotConfirmed(Exception):
    """The number that was typed is not the number of leavers; its text is the sentence."""


class _Lost(Exception):
    """Another worker has the run, or its owner withdrew it: what this worker did so far does not count."""


# --- What the pages ask for ------------------------------------------------------------------------------------------


def upload(data, filename, *, actor, folder, kind="students"):
    """Keep the bytes of a file that could be read, as a new run without a mapping yet. Raises CsvProblem."""
    _require(kind, actor)
    rows = len(KINDS[kind].read(data))
    path_name = uploads.store_bytes(Path(folder), data)
    try:
        with db.atomic():
            ref = new_ref()
            KINDS[kind].record_upload(ref, rows, actor=actor)
            return ImportRun.create(
                ref=ref, kind=kind, account=actor, file_name=safe_name(filename), path_name=path_name, total=rows
            )
    except BaseException:
        uploads.discard(folder, path_name)
        raise


def _require(kind, actor):
    for capability in KINDS[kind].requires:
        permissions.require(capability, actor)


def sheet_of(run, folder):
    """The run's file, read again; None when it is gone."""
    try:
        with uploads.open_stored(folder, run.path_name) as file:
            return KINDS[run.kind].read(file.read())
    except FileNotFoundError:
        return None


def set_mapping(run, mapping, *, actor, **options):
    """Say which column holds what ({field name: column or None}) and which of its kind's options hold, and have the rows
    checked."""
    _require(run.kind, actor)
    chosen = json.dumps({option.name: bool(options.get(option.name)) for option in KINDS[run.kind].options})
    _move(run, ("uploaded", "checked"), "waiting", mapping=json.dumps(mapping), options=chosen, progress=0, problem="")


def confirm(run, typed, *, version, actor):
    """Have a checked run saved as it was shown. Raises Conflict when it is not what was shown, and NotConfirmed."""
    _require(run.kind, actor)
    if run.version != version:
        raise Conflict(run)
    counts = json.loads(run.counts)
    if counts.get("empties_school") and typed.replace(",", "").strip() != str(counts["left"]):
        raise NotConfirmed(f"Type the number of {KINDS[run.kind].leavers}: {counts['left']}.")
    _move(run, ("checked",), "queued", progress=0, problem="")


def withdraw(run, *, actor, folder):
    """Give up a run that has not been saved; its file goes."""
    _require(run.kind, actor)
    _move(run, ("uploaded", "waiting", "checking", "checked"), "withdrawn", result="[]")
    _discard_file(run, folder)


def _move(run, before, state, **fields):
    """Compare-and-set from one of the states `before`; raises Conflict."""
    if run.state not in before:
        raise Conflict(run)
    run.change(run.version, state=state, changed_at=clock.now(), **fields)


# --- Work in the background ------------------------------------------------------------------------------------------


def run_waiting():
    """Check and save whatever waits: the worker's job after a nudge and every minute. Returns how many runs it took."""
    folder, taken = current_app.settings.files, 0
    while run := claim():
        work(run, folder)
        taken += 1
    _tidy_up(folder)
    return taken


def claim():
    """Take up the oldest run that waits, or whose worker has not been heard of for LEASE; None when there is none."""
    long_ago = clock.now() - LEASE
    waits = ImportRun.state.in_(("waiting", "queued"))
    abandoned = ImportRun.state.in_(("checking", "saving")) & (ImportRun.changed_at < long_ago)
    for run in ImportRun.select().where(OURS, waits | abandoned).order_by(ImportRun.id):
        try:
            return run.change(run.version, state=TAKEN_UP[run.state], changed_at=clock.now(), progress=0)
        except Conflict:
            continue  # another worker was faster
    return None


def work(run, folder):
    """Check or save a claimed run: a problem ends it with a sentence, a database that is away is tried again."""
    try:
        if run.state == "checking":
            _check(run, folder)
        else:
            _save(run, folder)
    except _Lost:
        return
    except (OperationalError, InterfaceError):
        raise
    except (csvread.CsvProblem, _Stopped) as problem:
        _fail(run, folder, str(problem))
    except Exception:
        log.exception("the import %s failed", run.ref)
        _fail(run, folder, "The import stopped because of a fault in Caseward. Nothing was changed. Try it again.")
    if run.state == "done":
        _discard_file(run, folder)


class _Stopped(Exception):
    """The run can't go on; its text says why."""


def _parsed(run, folder):
    sheet = sheet_of(run, folder)
    if sheet is None:
        raise _Stopped("The file is not there any more. Send it again.")
    kind = KINDS[run.kind]
    return kind.parse(sheet, json.loads(run.mapping), progress=lambda done: _report(run, min(done, run.total)))


def _actor(run):
    actor = Account.get_by_id(run.account_id)
    if not all(permissions.can(actor, capability) for capability in KINDS[run.kind].requires):
        raise _Stopped("The account that started this import may not import any more.")
    return actor


def _check(run, folder):
    actor = _actor(run)
    plan = _resolved(run, _parsed(run, folder), actor)
    with db.atomic():
        KINDS[run.kind].record_check(run.ref, actor=actor)
        _end_step(run, "checked", plan)


def _resolved(run, parsed, actor):
    return KINDS[run.kind].resolve(parsed, actor=actor, **json.loads(run.options))


def _save(run, folder):
    """One transaction: the rows are held once more against what there is, written, and the run ended."""
    actor = _actor(run)
    parsed = _parsed(run, folder)
    with db.atomic():
        kind = KINDS[run.kind]
        kind.hold()
        plan = _resolved(run, parsed, actor)
        if plan.result() != json.loads(run.result):
            _end_step(run, "checked", plan, problem=kind.changed_meanwhile)
            return
        kind.apply(plan, actor=actor, run_ref=run.ref)
        _end_step(run, "done", plan)


def _end_step(run, state, plan, problem=""):
    counts = plan.counts | {"active": plan.active, "empties_school": plan.empties_school, "notes": plan.notes}
    result = json.dumps(plan.result(), ensure_ascii=False, separators=(",", ":"))
    fields = {"counts": json.dumps(counts), "result": result, "progress": run.total, "problem": problem}
    _advance(run, state=state, **fields)


def _report(run, done):
    _advance(run, progress=done)


def _fail(run, folder, sentence):
    try:
        _advance(run, state="failed", problem=sentence)
    except _Lost:
        return
    _discard_file(run, folder)


def _advance(run, **fields):
    """Write to a run this worker holds; raises _Lost when it doesn't any more."""
    mine = (ImportRun.id == run.id) & (ImportRun.version == run.version)
    if "state" in fields:
        fields["version"] = run.version + 1
    if not ImportRun.update(changed_at=clock.now(), **fields).where(mine).execute():
        raise _Lost(run.ref)
    for name, value in fields.items():
        setattr(run, name, value)


# --- Files and forgetting --------------------------------------------------------------------------------------------


def _discard_file(run, folder):
    if run.path_name:
        uploads.discard(folder, run.path_name)
        ImportRun.update(path_name="").where(ImportRun.id == run.id).execute()
        run.path_name = ""


def _tidy_up(folder):
    """Files of runs that ended or that nobody confirmed go; names and sentences of old results go, counts stay."""
    now = clock.now()
    kept = ImportRun.select(ImportRun.id, ImportRun.path_name, ImportRun.state).where(OURS, ImportRun.path_name != "")
    ended = ImportRun.state.in_(ENDED)
    forgotten = ImportRun.state.in_(("uploaded", "checked")) & (ImportRun.changed_at < now - KEEP_FILES)
    for run in kept.where(ended | forgotten):
        if run.state not in ENDED:
            ImportRun.update(
                state="withdrawn", result="[]", problem=f"Nobody confirmed it for {plural(KEEP_FILES.days, 'day')}."
            ).where((ImportRun.id == run.id) & (ImportRun.state == run.state)).execute()
        _discard_file(run, folder)
    # A run whose names are forgotten has no mapping any more.
    old = OURS & (ImportRun.changed_at < now - KEEP_NAMES) & (ImportRun.state == "done") & (ImportRun.mapping != "")
    for run in ImportRun.select(ImportRun.id, ImportRun.result, ImportRun.counts).where(old).limit(20):
        bare = [[line, outcome, "", "", *rest] for line, outcome, _, _, *rest in json.loads(run.result)]
        counts = json.loads(run.counts) | {"notes": []}
        fields = {"result": json.dumps(bare), "counts": json.dumps(counts), "mapping": ""}
        ImportRun.update(**fields).where(ImportRun.id == run.id).execute()
