"""What a class list would do to the students: each row added, changed, the same or refused, and who would be a leaver.

parse() reads the file and asks nothing of the database; resolve() holds the rows against the students and writes
nothing; save() writes exactly what a plan says, in the caller's transaction. Knows nothing of runs, pages or commands.
Rows of other files (OneRoster) come here as parsed() makes them.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import permissions
from blueprints.kit import bulk
from blueprints.kit.csvread import CsvProblem, guess_mapping, parse_day
from blueprints.kit.days import DayProblem
from blueprints.kit.text import email_problem, fold, one_line, plural
from blueprints.students import accounts
from blueprints.students.forms import FIELDS, LABELS, LONGEST, REQUIRED
from blueprints.students.forms import Field as Field  # for the lists of other people
from blueprints.students.queries import search_keys
from extensions import clock, db
from models import Student, is_postgres, new_ref

MAX_ROWS = 20_000  # written in one transaction that keeps other writers waiting
STEP = 500  # rows between two reports of progress
IDENTITIES = ("source_id", "admission_number", "upn", "email")  # strongest first; a class list has all but the first
OUTCOMES = ("left", "added", "changed", "same", "refused")
NAMES = [one.name for one in FIELDS]
STORED = (*NAMES, "source_id")
COLUMNS = ("id", "ref", *STORED, "is_active", "version")
SAID = LABELS | {"source_id": "Source ID"}
MOST = LONGEST | {"source_id": 255}


@dataclass(slots=True)
class Parsed:
    """A row of the file: the values that were given, and what is wrong with them on their own."""

    line: int
    values: dict
    problem: str = ""
    stray: list = field(default_factory=list)  # the cells of a row that can't be laid under the headings


@dataclass(slots=True)
class Planned:
    """What becomes of a row, or (line None) of a student who is not in the file. `known` is the stored row."""

    line: int | None
    outcome: str
    sentence: str = ""
    name: str = ""
    values: dict = field(default_factory=dict)
    known: object = None
    ref: str = ""
    what: str = ""  # what `ref` names, when it is no student

    def as_list(self):
        row = [self.line, self.outcome, self.sentence, self.name, self.ref]
        return [*row, self.what] if self.what else row


@dataclass
class Plan:
    """All rows, leavers first. `active` is how many students were active when it was made."""

    rows: list
    active: int
    notes: list = field(default_factory=list)  # sentences about the whole of it

    def of(self, outcome):
        return [row for row in self.rows if row.outcome == outcome]

    @property
    def counts(self):
        found = Counter(row.outcome for row in self.rows)
        return {outcome: found[outcome] for outcome in OUTCOMES}

    @property
    def empties_school(self):
        """More than a fifth of the active students would leave: most likely it is the wrong file."""
        return self.counts["left"] * 5 > self.active

    def result(self):
        return [row.as_list() for row in self.rows]


# --- The file --------------------------------------------------------------------------------------------------------


def guess(header, fields=FIELDS):
    """{field name: number of the column that seems to hold it, or None}."""
    found = guess_mapping(header, {one.label: list(one.synonyms) for one in fields})
    return {one.name: found[one.label] for one in fields}


def mapping_problems(header, mapping, fields=FIELDS, required=REQUIRED):
    """{field name: sentence} for a mapping that can't be used."""
    problems, used = {}, {}
    for name, label, *_ in fields:
        column = mapping.get(name)
        if column is None:
            if name in required:
                problems[name] = f"Choose the column that holds the {label.lower()}: the file needs one."
        elif not 0 <= column < len(header):
            problems[name] = "This column is not in the file."
        elif column in used:
            problems[name] = f"“{header[column]}” is chosen for {used[column]} already."
        else:
            used[column] = label
    return problems


def size_problem(sheet):
    """The sentence for a sheet without rows, or with too many for one transaction; else None."""
    if not len(sheet):
        return "The file has headings but no rows under them."
    if len(sheet) > MAX_ROWS:
        return f"The file has {len(sheet):,} rows. A class list can have at most {MAX_ROWS:,}: split it."
    return None


def parse(sheet, mapping, progress=None):
    """The rows of the file as Parsed. `progress(done)` is called now and then. Raises CsvProblem."""
    columns = [(name, mapping[name]) for name in NAMES if mapping.get(name) is not None]
    today, rows = clock.now().date(), []
    for row in sheet.rows:
        rows.append(_parse_row(row, columns, today))
        if progress and len(rows) % STEP == 0:
            progress(len(rows))
        if len(rows) > MAX_ROWS:
            raise CsvProblem(size_problem(sheet))
    return rows


def _parse_row(row, columns, today):
    if row.error:
        return Parsed(row.line, {}, row.error, row.cells)
    return parsed(row.line, [(name, row.cells[column]) for name, column in columns], today)


def parsed(line, cells, today):
    """A row as Parsed from (field name, text); empty texts say nothing."""
    values, problems = {}, []
    for name, cell in cells:
        text = one_line(cell)
        if not text:
            continue
        try:
            values[name] = _value(name, text, today)
        except ValueError as problem:
            problems.append(str(problem))
            if name in IDENTITIES:
                values[name] = text[: MOST[name]]  # says whom the row is about, though it is refused
    return Parsed(line, values, " ".join(problems))


def _value(name, text, today):
    if len(text) > MOST[name]:
        raise ValueError(f"{SAID[name]} is {len(text):,} characters long. It can be at most {MOST[name]}.")
    if name == "date_of_birth":
        try:
            day = parse_day(text)
        except DayProblem as problem:
            raise ValueError(f"Date of birth: {problem}") from None
        if day > today:
            raise ValueError("Date of birth: a date in the future can't be right.")
        return day
    if name == "email" and (problem := email_problem(text)):
        raise ValueError(problem)
    return text


# --- The plan --------------------------------------------------------------------------------------------------------


class _School:
    """The students as they are now, found by identity and by name. Two queries, whatever their number."""

    def __init__(self, actor):
        fields = [getattr(Student, name) for name in COLUMNS]
        rows = list(Student.select(*fields).order_by(Student.sort_name, Student.id).namedtuples())
        if actor is None:
            self.hidden = set()
        else:
            visible = {number for (number,) in permissions.visible_students(actor, Student.id).tuples()}
            self.hidden = {row.id for row in rows if row.id not in visible}
        self.open = [row for row in rows if row.id not in self.hidden]
        self.by = {name: {} for name in IDENTITIES}
        for row in rows:
            for name in IDENTITIES:
                if value := getattr(row, name):
                    self.by[name].setdefault(value.casefold(), row)
        self._by_name = None

    def called(self, values):
        """The visible students of this first and last name."""
        if self._by_name is None:
            self._by_name = defaultdict(list)
            for row in self.open:
                self._by_name[_name_key(row.first_name, row.last_name)].append(row)
        return self._by_name.get(_name_key(values.get("first_name", ""), values.get("last_name", "")), [])


def resolve(parsed, *, actor, deactivate=False, gone=(), whole=True):
    """The Plan for parsed rows as the students stand now; `actor` None is the command line, which sees everybody.

    `deactivate`: students of `gone` rows are leavers and, where the rows are the `whole` school, so are those in no row.
    """
    school = _School(actor)
    doubles = _doubles(parsed)
    mentioned, planned = set(), []
    for row in parsed:
        matches = {name: school.by[name].get(row.values[name].casefold()) for name in IDENTITIES if name in row.values}
        found = {known.id: known for known in matches.values() if known is not None}
        mentioned.update(found or [known.id for known in _meant_by(row, school)])
        planned.append(_plan_row(row, matches, list(found.values()), school, doubles))
    _refuse_same_student(planned)
    accounts.refuse_in_import(planned)
    leaving, stay = _gone(gone, school, mentioned) if deactivate else ({}, gone)
    planned += [Planned(row.line, "same", NOT_THERE, _name_of(row.values)) for row in stay]
    leavers = [known for known in school.open if known.is_active and known.id not in mentioned and (whole or known.id in leaving)]
    rows = [
        Planned(leaving.get(known.id), "left", "", _name_of(known._asdict()), {}, known, known.ref)
        for known in (leavers if deactivate else ())
    ]
    return Plan(rows + planned, sum(known.is_active for known in school.open))


NOT_THERE = "Not at the school any more: nothing changes."


def _gone(rows, school, mentioned):
    """({student's id: line}, other rows) for rows that say that somebody is not at the school any more. A student who is
    closed to the importer, has left already or was never known is among the others, all alike."""
    leaving, stay = {}, []
    for row in rows:
        matches = [school.by[name].get(row.values[name].casefold()) for name in IDENTITIES if name in row.values]
        known = next((known for known in matches if known is not None), None)
        if known is None or not known.is_active or known.id in school.hidden or known.id in mentioned or known.id in leaving:
            stay.append(row)
        else:
            leaving[known.id] = row.line
    return leaving, stay


def _meant_by(row, school):
    """Students that a row without a matching identity may be about: they must not become leavers because of it."""
    if row.stray:
        cells = [cell.casefold() for cell in row.stray]
        return [school.by[name][cell] for name in IDENTITIES[1:] for cell in cells if cell in school.by[name]]
    return [] if any(name in row.values for name in IDENTITIES) else school.called(row.values)


def _doubles(parsed):
    """{line: sentence} for rows that share an identity with another row of the file."""
    lines = defaultdict(list)
    for row in parsed:
        for name in IDENTITIES:
            if name in row.values:
                lines[name, row.values[name].casefold()].append((row.line, row.values[name]))
        if "last_name" in row.values:
            key = _name_key(row.values.get("first_name", ""), row.values["last_name"])
            lines["name", key].append((row.line, None))
    sentences = defaultdict(list)
    for (name, _), places in lines.items():
        if name == "name" or len(places) == 1:
            continue
        for line, value in places:
            sentences[line].append(f"{lines_but(line, places)} the same {_words(name)} ({value}).")
    for row in parsed:
        if "last_name" not in row.values or any(name in row.values for name in IDENTITIES):
            continue
        places = lines["name", _name_key(row.values.get("first_name", ""), row.values["last_name"])]
        if len(places) > 1:
            why = f"{lines_but(row.line, places)} the same name, and this row has nothing to tell the two apart by."
            sentences[row.line].append(why)
    return {line: " ".join(found) for line, found in sentences.items()}


def lines_but(line, places, one="has", many="have"):
    """The words "Line 3 has" or "Lines 3, 4 and 2 others have" for all places [(line, …)] but one."""
    others = [str(other) for other, _ in places if other != line]
    if len(others) == 1:
        return f"Line {others[0]} {one}"
    more = f" and {plural(len(others) - 3, 'other')}" if len(others) > 3 else ""
    return f"Lines {', '.join(others[:3])}{more} {many}"


def _plan_row(row, matches, found, school, doubles):
    refused = " ".join(part for part in (row.problem, doubles.get(row.line)) if part)
    refused = refused or _identity_problem(row.values, matches, found, school)
    name = _name_of(row.values)
    if refused:
        return Planned(row.line, "refused", refused, name)
    known = found[0] if found else None
    if known is None and not matches:
        same_name = school.called(row.values)
        if len(same_name) == 1 and not _changes(row.values, same_name[0]):
            known = same_name[0]
        elif same_name:
            why = "A student of this name is known. Give an admission number, a UPN or an email to tell who is meant."
            return Planned(row.line, "refused", why, name)
    if known is None:
        missing = [LABELS[part].lower() for part in REQUIRED if part not in row.values]
        if missing:
            return Planned(row.line, "refused", f"The {' and the '.join(missing)} is missing.", name)
        return Planned(row.line, "added", "", name, row.values)
    changes = _changes(row.values, known)
    name = _name_of(known._asdict() | row.values)
    if not changes:
        return Planned(row.line, "same", "", name, {}, known, known.ref)
    return Planned(row.line, "changed", _told(changes, known), name, changes, known, known.ref)


def _identity_problem(values, matches, found, school):
    """The sentence for identities that don't point at one student this importer may change; else an empty text."""
    if len(found) > 1:
        first = next(name for name in matches if matches[name] is not None)
        second = next(name for name in matches if matches[name] not in (None, matches[first]))
        return f"The {_words(first)} belongs to one student and the {_words(second)} to another."
    if not found:
        return ""
    strongest = next(name for name in matches if matches[name] is not None)
    if found[0].id in school.hidden:
        return f"The {_words(strongest)} can't be used with your account. Ask another Admin Key Holder about this row."
    for name in IDENTITIES[: IDENTITIES.index(strongest)]:
        # Found by something weaker: a different number in what is stronger means a different child (a shared address).
        if name in values and getattr(found[0], name):
            return f"The {_words(strongest)} belongs to a student with another {_words(name)}."
    return ""


def _refuse_same_student(planned):
    """Two rows that lead to one student, by different identities: neither is taken."""
    rows = defaultdict(list)
    for place, row in enumerate(planned):
        if row.known is not None and row.outcome in ("changed", "same"):
            rows[row.known.id].append(place)
    for places in rows.values():
        for place in places if len(places) > 1 else ():
            row = planned[place]
            others = [(planned[other].line, None) for other in places]
            why = f"{lines_but(row.line, others, 'is', 'are')} about the same student."
            planned[place] = Planned(row.line, "refused", why, row.name)


def _changes(values, known):
    changes = {name: value for name, value in values.items() if getattr(known, name) != value}
    return changes if known.is_active else changes | {"is_active": True}


def _told(changes, known):
    parts = ["Returns to the school"] if "is_active" in changes else []
    for name, value in changes.items():
        if name != "is_active":
            old = getattr(known, name)
            parts.append(f"{SAID[name]}: {old if old not in (None, '') else 'nothing'} → {value}")
    return "; ".join(parts) + "."


def _words(name):
    return {"upn": "UPN", "source_id": "source ID"}.get(name) or SAID[name].lower()


def _name_of(values):
    first = values.get("preferred_name") or values.get("first_name", "")
    return f"{first} {values.get('last_name', '')}".strip()


def _name_key(first, last):
    return fold(first), fold(last)


# --- Writing ---------------------------------------------------------------------------------------------------------


def hold_students():
    """Keep other writers off the students until the transaction ends; SQLite writes one at a time anyway."""
    if is_postgres():
        db.execute_sql("LOCK TABLE student IN SHARE ROW EXCLUSIVE MODE")


def save(plan):
    """Write the plan in the open transaction: a few statements for many rows. Gives added rows their `ref`."""
    now = clock.now()
    bulk.insert_each(Student, [_new_row(row, now) for row in plan.of("added")])
    # students in the file are at the school, so each becomes active
    changed = [_changed_row(row) for row in plan.of("changed")]
    bulk.update_each(Student, changed, is_active=True, left_at=None, version=Student.version + 1)
    for some in bulk.batches([row.known.id for row in plan.of("left")]):
        Student.update(is_active=False, left_at=now, version=Student.version + 1).where(Student.id.in_(some)).execute()


def _new_row(row, now):
    row.ref = new_ref()
    empty = dict.fromkeys(("date_of_birth", "admission_number", "upn", "source_id"))
    values = dict.fromkeys(NAMES, "") | empty | row.values
    return values | _keys(values) | {"ref": row.ref, "created_at": now}


def _changed_row(row):
    values = {name: getattr(row.known, name) for name in STORED} | row.values
    values.pop("is_active", None)
    return values | _keys(values) | {"id": row.known.id}


def _keys(values):
    return search_keys(**{name: values[name] for name in ("first_name", "last_name", "preferred_name",
                                                          "admission_number", "email")})
