"""What is written on a case: entries, the four sections, files, and the drafts of whoever asks.

Takes a case that record.case() returned: its read is on record. Only a file's bytes are a read of their own.
"""

import json
from typing import NamedTuple

from peewee import DateField, Value, fn

import events
from blueprints.account import queries as accounts
from blueprints.cases.queries.record import may_manage
from blueprints.kit import prepared
from blueprints.kit.days import show_day
from blueprints.kit.records import one_of
from models import (
    Account,
    CaseAgency,
    CaseAgencyVersion,
    CaseEntry,
    CaseEntryVersion,
    CasePresenting,
    Draft,
    StoredFile,
    UtcDateTimeField,
)

SECTIONS = {
    "law_enforcement": "Law Enforcement",
    "child_protection": "Child Protection Services",
    "prosecution": "Prosecution",
}
PRESENTING_LABELS = {
    "referral_date": "Referral date",
    "source": "Source",
    "concern": "Concern",
    "narrative": "Narrative",
}
AGENCY_LABELS = {
    "agency": "Agency",
    "person": "Person",
    "phone": "Phone",
    "reference": "Reference",
    "status": "Status",
    "started_on": "Started",
    "ended_on": "Ended",
    "notes": "Notes",
}
TEXTS = 8  # columns for texts in _written()
ON_THE_PAGE = 50  # entries that stand on the case's own page
LONGEST_SHOWN = 4_000  # characters of an entry in a list; the whole of it is one link away

_day, _moment = DateField().python_value, UtcDateTimeField().python_value


# --- The case's page -------------------------------------------------------------------------------------------------


class PresentingRow(NamedTuple):
    """The section Presenting as it stands now."""

    number: int
    referral_date: object
    source: str
    concern: str
    narrative: str
    author: str
    at: object


class AgencyRow(NamedTuple):
    """One agency; `number` is its version, `removed_at` None while it is there."""

    ref: str
    number: int
    agency: str
    person: str
    phone: str
    reference: str
    status: str
    started_on: object
    ended_on: object
    notes: str
    author: str
    at: object
    removed_at: object

    @property
    def title(self):
        """What it can be called in a sentence."""
        return self.agency or self.person or self.reference or "row"


class Section(NamedTuple):
    """One of SECTIONS with its rows in the order of entry; `anchor` is its id on the page."""

    key: str
    anchor: str
    title: str
    agencies: list
    removed: list


class EntryRow(NamedTuple):
    """An entry in a list: `text` is cut after LONGEST_SHOWN characters, and `is_cut` says so."""

    ref: str
    text: str
    number: int
    at: object
    author: str
    author_id: int
    is_cut: bool


class FileRow(NamedTuple):
    """A file that was not removed."""

    ref: str
    name: str
    size: int
    who: str
    uploaded_by_id: int
    at: object


def page(user, case):
    """What the case's page shows of it: presenting, sections, entries (the newest), entry_count, files, and `drafts`:
    what this person has typed and not saved, by "entry", "presenting" or the key of a section."""
    keys = draft_keys(case)
    given = {f"key_{name}": key for name, key in keys.items()}
    found = {kind: [] for kind in ("presenting", "agency", "file", "draft")}
    for row in sorted(map(_read, prepared.rows(_written, user, case_id=case.id, **given)), key=lambda row: row.id):
        found[row.kind].append(row)
    entries = prepared.rows(_newest_entries, user, case_id=case.id)
    return {
        "presenting": _presenting(found["presenting"][0]) if found["presenting"] else None,
        "sections": [_section(key, found["agency"]) for key in SECTIONS],
        "entries": [_entry(row) for row in entries],
        "entry_count": entries[0][-1] if entries else 0,
        "files": [FileRow(*row.texts[:2], row.number, row.who, row.by, row.at) for row in found["file"]],
        "drafts": _drafts(found["draft"], keys),
    }


def draft_keys(case):
    """The key of the draft of each form that adds to the case; each person has their own."""
    ref = case.ref.lower()
    keys = {"entry": f"case-entry:{ref}", "presenting": f"case-presenting:{ref}"}
    return keys | {key: f"case-agency:{ref}:{key.replace('_', '-')}" for key in SECTIONS}


def _written(user, case_id, **keys):
    """Presenting, agencies, files and drafts in one query, whose columns are those that _read() takes apart."""
    no_day, no_number = Value(None).cast("date"), Value(0).cast("integer")
    nothing, no_moment = Value("").cast("text"), Value(None).cast("timestamp")

    def rows(kind, model, number, texts, who, by=no_number, days=(no_day, no_day), removed=no_moment, at=None):
        texts = [*texts, *[nothing] * (TEXTS - len(texts))]
        return model.select(
            Value(kind).cast("text"), model.id, number, *texts, *days, who, by, at if at is not None else model.at, removed
        )

    newest, agency, file = CasePresenting.alias("newest"), CaseAgency, StoredFile
    presenting = rows(
        "presenting",
        CasePresenting,
        CasePresenting.number,
        [CasePresenting.source, CasePresenting.concern, CasePresenting.narrative],
        Account.name,
        days=(CasePresenting.referral_date, no_day),
    )
    presenting = presenting.join_from(CasePresenting, Account).where(
        (CasePresenting.case == case_id)
        & (CasePresenting.number == newest.select(fn.MAX(newest.number)).where(newest.case == case_id))
    )
    texts = [agency.agency, agency.person, agency.phone, agency.reference, agency.status, agency.notes]
    agencies = rows(
        "agency",
        agency,
        agency.version,
        [agency.section, agency.ref, *texts],
        Account.name,
        days=(agency.started_on, agency.ended_on),
        removed=agency.removed_at,
    )
    agencies = agencies.join_from(agency, Account, on=(agency.author == Account.id)).where(agency.case == case_id)
    files = rows("file", file, file.size, [file.ref, file.name], Account.name, by=file.uploaded_by)
    files = files.join_from(file, Account, on=(file.uploaded_by == Account.id)).where(
        (file.case == case_id) & file.removed_at.is_null()
    )
    drafts = rows("draft", Draft, no_number, [Draft.key, Draft.body], nothing, at=Draft.changed_at)
    drafts = drafts.where((Draft.account == user.id) & Draft.key.in_(list(keys.values())))
    return presenting.union_all(agencies).union_all(files).union_all(drafts)


class _Written(NamedTuple):
    kind: str
    id: int
    number: int
    texts: tuple
    days: tuple
    who: str
    by: int
    at: object
    removed_at: object


def _read(row):
    kind, row_id, number, *texts = row[: 3 + TEXTS]
    first, last, who, by, at, removed_at = row[3 + TEXTS :]
    return _Written(kind, row_id, number, texts, (_day(first), _day(last)), who, by, _moment(at), _moment(removed_at))


def _presenting(row):
    return PresentingRow(row.number, row.days[0], *row.texts[:3], row.who, row.at)


def _section(key, agencies):
    mine = [_agency(row) for row in agencies if row.texts[0] == key]
    there, gone = [row for row in mine if not row.removed_at], [row for row in mine if row.removed_at]
    return Section(key, anchor(key), SECTIONS[key], there, gone)


def _agency(row):
    ref, *texts, notes = row.texts[1:8]
    return AgencyRow(ref, row.number, *texts, *row.days, notes, row.who, row.at, row.removed_at)


def anchor(section):
    """The id of a section on the case's page."""
    return section.replace("_", "-")


def _drafts(rows, keys):
    found = {row.texts[0]: accounts.saved_draft(row.texts[1], row.at) for row in rows}
    return {name: found[key] for name, key in keys.items() if found.get(key)}


# --- Entries ---------------------------------------------------------------------------------------------------------


def _newest_entries(user, case_id):
    return _entries(case_id).select_extend(fn.COUNT(CaseEntry.id).over()).limit(ON_THE_PAGE)


def _entries(case_id):
    return (
        CaseEntry.select(
            CaseEntry.ref,
            fn.SUBSTR(CaseEntry.text, 1, LONGEST_SHOWN + 1),
            CaseEntry.text_version,
            CaseEntry.at,
            Account.name,
            CaseEntry.author,
        )
        .join(Account)
        .where(CaseEntry.case == case_id)
        .order_by(CaseEntry.id.desc())
    )


def _entry(row):
    ref, text, number, at, author, author_id = row[:6]
    return EntryRow(ref, text[:LONGEST_SHOWN], number, at, author, author_id, len(text) > LONGEST_SHOWN)


def entries(user, case):
    """(fetch, count) of all entries of the case for kit.listing.paginate(), as EntryRows, the newest first."""
    query = _entries(case.id).tuples()
    return (
        lambda most, start: [_entry(row) for row in query.limit(most).offset(start)],
        lambda most: CaseEntry.select().where(CaseEntry.case == case.id).limit(most).count(),
    )


def entry(user, case, ref):
    """One entry of this case, or NotVisible."""
    return one_of(case, CaseEntry.case, ref)


def may_change_entry(user, case, entry):
    """Whether `user`, who sees the case, may change this entry: whoever wrote it, and whoever manages the case."""
    return entry.author_id == user.id or may_manage(case)


# --- Sections --------------------------------------------------------------------------------------------------------


def presenting(user, case):
    """The section Presenting as it stands now (a CasePresenting), or None while it was never filled in."""
    newest = CasePresenting.number.desc()
    return CasePresenting.select().where(CasePresenting.case == case.id).order_by(newest).first()


def agency(user, case, ref, removed=False):
    """One agency of this case, or NotVisible; one that was removed only with `removed=True`."""
    return one_of(case, CaseAgency.case, ref, removed)


# --- Files -----------------------------------------------------------------------------------------------------------


def file(user, case, ref, audit=True):
    """One file of this case that was not removed, or NotVisible; its reading is on record before it leaves."""
    row = one_of(case, StoredFile.case, ref)
    if audit:
        events.record_alone("case.file_read", actor=user, target=case.ref, reasons=case.reasons, file=row.ref)
    return row


# --- Earlier wordings ------------------------------------------------------------------------------------------------


class Wording(NamedTuple):
    """One wording of something; `fields` is [(label, text)]."""

    number: int
    author: str
    at: object
    reason: str
    fields: list


def entry_wordings(user, entry):
    """Every wording of an entry, the newest first."""
    version = CaseEntryVersion
    query = version.select(version.number, Account.name, version.at, version.reason, version.text).join(Account)
    query = query.where(version.entry == entry.id).order_by(version.number.desc()).tuples()
    return [Wording(*row[:4], [("Entry", row[4])]) for row in query]


def presenting_wordings(user, case):
    """Every wording of the section Presenting, the newest first."""
    query = CasePresenting.select(CasePresenting, Account.name.alias("who")).join(Account).objects()
    query = query.where(CasePresenting.case == case.id).order_by(CasePresenting.number.desc())
    return [Wording(row.number, row.who, row.at, "", shown(row.__data__, PRESENTING_LABELS)) for row in query]


def agency_wordings(user, agency):
    """Every wording of an agency, the newest first."""
    now = {name: getattr(agency, name) for name in AGENCY_LABELS}
    newest = Wording(agency.version, agency.author.name, agency.at, "", shown(now, AGENCY_LABELS))
    version = CaseAgencyVersion
    query = version.select(version.number, Account.name, version.at, version.fields).join(Account)
    query = query.where(version.agency == agency.id).order_by(version.number.desc()).tuples()
    return [newest, *(Wording(*row[:3], "", shown(_thawed(row[3]), AGENCY_LABELS)) for row in query)]


def _thawed(fields):
    """The fields of a CaseAgencyVersion with its days as days."""
    values = json.loads(fields)
    return {name: _day(value) if name.endswith("_on") else value for name, value in values.items()}


def shown(values, labels):
    """[(label, text)] of these fields, days written out, in the order of the labels."""
    return [(label, _written_out(values.get(name))) for name, label in labels.items()]


def _written_out(value):
    return show_day(value) if hasattr(value, "year") else value or ""
