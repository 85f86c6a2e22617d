"""The Custom Report: which incidents fit the filters, and how many of them fall into each month, category, year group
and status. Which of them `user` may see decides blueprints.incidents; nothing here counts anything else."""

from collections import Counter, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from peewee import JOIN, SQL, Case, Expression, Join, Select, Value, fn

import events
import permissions
from blueprints.cohorts import queries as cohorts
from blueprints.incidents import queries as incidents
from blueprints.kit import prepared
from blueprints.kit.charts import months
from blueprints.kit.listing import paginate
from blueprints.students import queries as students
from extensions import clock
from models import Account, Cohort, Incident, IncidentStudent, PartCategory, Student

Person = namedtuple("Person", "id ref label is_assignable")
# Persons by reference, and the (reference, label) of a drop-down of all of them and of those who can be assigned.
CohortChoice = namedtuple("CohortChoice", "id ref name")
Everybody = namedtuple("Everybody", "by_ref authors assignable")
Counts = namedtuple("Counts", "total by_status by_month by_category by_year first last")
PER_PAGE = 25  # rows of seven columns, of which many need two lines
MOST_COUNTED = 100  # that a list says how many; longer ones are "more than 100"
COHORT = "cohort"  # where the rows of _choices() have a role
MOST_VALUES = 24  # filters, and the months of at most a year or so


@dataclass
class Choices:
    """What the filters offer: the category tree, the year groups, the cohorts that the reader supports, and everybody who can
    have written an incident."""

    tree: list
    years: list
    people: Everybody
    cohorts: list
    oldest: datetime | None = None


@dataclass
class Filters:
    """What was chosen, as rows (`author` and `assigned_to` are Persons)."""

    from_day: date | None = None
    to_day: date | None = None
    categories: list = field(default_factory=list)
    student: object = None
    year_group: str | None = None
    cohort: CohortChoice | None = None
    author: object = None
    text: str | None = None
    status: str | None = None
    assigned_to: object = None
    unassigned: bool = False

    def words(self):
        """The filters that are set, for the event: references and words of ours, never what was typed as text."""
        words = {
            "from": self.from_day and self.from_day.isoformat(),
            "to": self.to_day and self.to_day.isoformat(),
            "category": ", ".join(row.ref for row in self.categories),
            "student": self.student and self.student.ref,
            "year_group": self.year_group,
            "cohort": self.cohort and self.cohort.ref,
            "author": self.author and self.author.ref,
            "text": bool(self.text),
            "status": self.status,
            "assigned_to": self.assigned_to and self.assigned_to.ref,
            "unassigned": self.unassigned,
        }
        return {name: value for name, value in words.items() if value}


def choices(user):
    """The Choices of the filters, in two queries."""
    permissions.require("report.run", user)
    everybody, years, mine, oldest = _sorted_out(tuple(prepared.rows(_choices, user)))
    return Choices(
        incidents.category_tree(user, retired=True), years, everybody, mine, Incident.happened_at.python_value(oldest)
    )


@lru_cache(8)
def _sorted_out(rows):
    """(Everybody, year groups, CohortChoices, when the oldest incident happened as it is stored) of these rows of _choices().
    Read anew for each page; but the same three hundred people are sorted and named once."""
    writers = sorted((row for row in rows if row[3] not in ("", COHORT)), key=lambda row: (row[2], row[0]))
    people = [
        Person(row_id, ref, name if is_active else f"{name} (deactivated)", role in permissions.KEY_ROLES)
        for row_id, ref, name, role, is_active, _ in writers
    ]
    years = students.in_order({row[2] for row in rows if row[3] == ""})
    mine = sorted((CohortChoice(*row[:3]) for row in rows if row[3] == COHORT), key=lambda cohort: (cohort.name, cohort.id))
    everybody = Everybody(
        {person.ref: person for person in people},
        (("", "Anybody"), *((person.ref, person.label) for person in people)),
        (("", "Anybody or nobody"), *((person.ref, person.label) for person in people if person.is_assignable)),
    )
    return everybody, years, mine, writers[0][5] if writers else None


def _choices(user):
    """Everybody who can have written an incident, also those who left, beside each when the oldest one happened; where the
    role stands, nothing marks a year group and COHORT a cohort. One statement, because a page has ten."""
    oldest = Incident.select(fn.MIN(Incident.happened_at))
    # A number, because three hundred truth values would be converted one by one.
    query = Account.select(Account.id, Account.ref, Account.name, Account.role, Account.is_active.cast("integer"), oldest)
    writers = query.where(Account.role.in_(permissions.STAFF_ROLES))
    nobody, nothing, never = Value(None).cast("integer"), Value("").cast("text"), Value(None).cast("timestamp")
    # Within a query of their own SQLite takes the few year groups from an index, without a look at each student.
    years = permissions.visible_students(user, Student.year_group).distinct().alias("years")
    mine = cohorts.supported_cohorts(
        user, Cohort.id, Cohort.ref, cohorts.whole_name(), Value(COHORT).cast("text"), Value(0).cast("integer"), never
    )
    every_year = Select([years], [nobody, nothing, years.c.year_group, nothing, Value(0).cast("integer"), never])
    return writers.union_all(every_year).union_all(mine)


def filters_of(user, form, choices, student_refs):
    """(Filters, chips of the chosen students, sentence about the student or None) of a ReportForm that validates."""
    people = choices.people.by_ref
    chosen, problem = _student(user, form.student.data, student_refs)
    picked, _ = incidents.pick_categories(choices.tree, [form.category.data])
    filters = Filters(
        from_day=form.from_day.data,
        to_day=form.to_day.data,
        categories=picked,
        student=chosen[0] if chosen else None,
        year_group=form.year_group.data or None,
        cohort=next((each for each in choices.cohorts if each.ref == form.cohort.data), None),
        author=people.get(form.author.data),
        text=form.text.data or None,
    )
    if "status" in form:
        filters.status = form.status.data or None
        filters.assigned_to = people.get(form.assigned_to.data)
        filters.unassigned = form.unassigned.data
    return filters, [students.chip(row) for row in chosen], problem


def _student(user, typed, refs):
    """([the one student], sentence or None): chosen from the list, or typed."""
    refs = [ref for ref in refs if ref]
    if typed:
        found, problem = students.resolve_typed(user, typed)
        if problem:
            return [], problem
        refs = [*refs, *(row.ref for row in found)]
    found = students.pick(user, refs)
    if len(found) < len(set(refs)):
        return found[:1], "This student is not known. Choose one from the list."
    if len(found) > 1:
        return found[:1], "Choose one student only."
    return found, None


# --- Running ---------------------------------------------------------------------------------------------------------


def run(user, filters, page, zone):
    """A page of incidents.Summary, newest first. Its total stops at MOST_COUNTED: to count what fits costs more than to show
    a page of it, and whoever asks how many there are asks counted(). The reading is recorded before it answers."""
    permissions.require("report.run", user)
    given = _given(filters, zone)
    page = paginate(
        lambda limit, offset: _rows(_page, user, filters, given, limit=limit, offset=offset),
        page,
        PER_PAGE,
        cap=MOST_COUNTED,
        count=lambda limit: _rows(_many, user, filters, given, limit=limit)[0][0],
    )
    page.items = incidents.summaries(user, page.items)
    more = {"and_more": True} if page.total_is_capped else {}
    events.record_alone("report.run", actor=user, count=page.total, filters=filters.words(), **more)
    return page


def counted(user, filters, choices, zone):
    """The Counts of what fits. The reading is recorded before it answers."""
    permissions.require("report.run", user)
    numbers = counts(user, filters, choices, zone)
    events.record_alone("report.run", actor=user, count=numbers.total, filters=filters.words(), shown="counts")
    return numbers


def export(user, filters, zone, kind):
    """Every Summary that fits, newest first, fetched in blocks. The export is recorded first."""
    permissions.require("report.run", user)
    found = _found(user, _given(filters, zone), filters.unassigned)
    events.record_alone("report.exported", actor=user, count=found.count(), format=kind, filters=filters.words())
    return incidents.export_rows(user, _newest_first(found))


def _given(filters, zone):
    """The filters that are set as plain values: ids, texts, moments."""
    given = {
        "since": filters.from_day and _midnight(filters.from_day, zone),
        "before": filters.to_day and _midnight(filters.to_day + timedelta(days=1), zone),
        "category": filters.categories[0].id if filters.categories else None,
        "student": filters.student and filters.student.id,
        "year_group": filters.year_group,
        "cohort": filters.cohort and filters.cohort.id,
        "author": filters.author and filters.author.id,
        "text": filters.text,
        "status": filters.status,
        "assigned_to": filters.assigned_to and filters.assigned_to.id,
    }
    return {name: value for name, value in given.items() if value is not None}


def _midnight(day, zone):
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _rows(build, user, filters, given, **more):
    """The rows of build(user, whether only unassigned ones fit, **given, **more). The SQL is kept for the next time, unless there
    are too many kinds of it."""
    values = given | more
    if "text" in given or len(values) > MOST_VALUES:
        return list(build(user, filters.unassigned, **values).tuples())
    return prepared.rows(build, user, filters.unassigned, **values)


def _found(user, given, unassigned):
    """The incidents that fit, as a query on Incident."""
    query = incidents.filtered(
        user,
        categories=[given["category"]] if "category" in given else (),
        unassigned=unassigned,
        **{name: given.get(name) for name in ("student", "year_group", "cohort", "author", "text", "status", "assigned_to")},
    )
    if "since" in given:
        query = query.where(Incident.happened_at >= given["since"])
    if "before" in given:
        query = query.where(Incident.happened_at < given["before"])
    return query


def _newest_first(query):
    return query.order_by(Incident.happened_at.desc(), Incident.id.desc())


def _page(user, unassigned, limit, offset, **given):
    return _newest_first(incidents.listed(_found(user, given, unassigned))).limit(limit).offset(offset)


def _many(user, unassigned, limit, **given):
    some = _found(user, given, unassigned).select(Incident.id).limit(limit).alias("some")
    return Incident.select(fn.COUNT(SQL("1"))).from_(some)


# --- Counting --------------------------------------------------------------------------------------------------------


def counts(user, filters, choices, zone):
    """The Counts of what these filters find, all from one statement that finds the incidents once."""
    first, last = _span(filters, choices, zone)
    starts = months(first, last)
    bounds = {f"month_{place}": _midnight(day, zone) for place, day in enumerate(starts[1:], start=1)}
    by_status, by_month, by_category, by_year = Counter(), Counter(), {}, {}
    for table, number, word, count in _rows(_tally, user, filters, _given(filters, zone), **bounds):
        if table == "year":
            by_year[word] = count
        elif table == "category":
            by_category[number] = count
        else:  # one month of a status
            by_status[word] += count
            by_month[starts[number]] += count
    if by_month and not filters.from_day:
        first = min(by_month)
    if by_month and not filters.to_day:
        last = max(by_month)
    return Counts(sum(by_status.values()), dict(by_status), dict(by_month), by_category, by_year, first, last)


def _span(filters, choices, zone):
    """The first and the last day that can have an incident in the report."""
    today = clock.now().astimezone(zone).date()
    oldest = choices.oldest.astimezone(zone).date() if choices.oldest else today
    first = max(filters.from_day or oldest, oldest)
    last = min(filters.to_day or today, today)
    return min(first, last), last


def _tally(user, unassigned, **given):
    """("month", number of the month, status, how many), ("category", id, "", …) and ("year", 0, year group, …) as one
    query. `month_1`, `month_2` … are when the second month begins, the third, and so on."""
    bounds = [given.pop(f"month_{place}") for place in range(1, 1 + sum(name.startswith("month_") for name in given))]
    month = _number_of_month(Incident.happened_at, bounds).alias("month")
    matching = _found(user, given, unassigned).select(Incident.id, Incident.status, month).cte("matching", materialized=True)
    shown = _shown_parts(user, matching).cte("shown", materialized=True)
    pick, student = PartCategory.alias("shown_pick"), Student.alias("shown_student")
    incident_count = fn.COUNT(shown.c.incident_id.distinct())
    # CROSS holds SQLite to this order: from the parts that are shown to what stands beside them.
    return (
        Incident.select(Value("month"), matching.c.month, matching.c.status, fn.COUNT(matching.c.id))
        .from_(matching)
        .group_by(SQL("2"), SQL("3"))
        .union_all(
            pick.select(Value("category"), pick.category_id, Value(""), incident_count)
            .from_(Join(shown, pick, JOIN.CROSS))
            .where(pick.part_id == shown.c.id)
            .group_by(SQL("2"))
        )
        .union_all(
            student.select(Value("year"), SQL("0"), student.year_group, incident_count)
            .from_(Join(shown, student, JOIN.CROSS))
            .where(student.id == shown.c.student_id)
            .group_by(SQL("3"))
        )
        .with_cte(matching, shown)
    )


def _shown_parts(user, matching):
    """The students' parts of the matching incidents that the reader may see: those that are open to everybody are found
    first, the reasons that show a whole incident are only asked for the rest."""
    part = IncidentStudent.alias("shown_part")
    # A condition instead of a join: for the join SQLite first reads all parts there are into a filter.
    those = Expression(part.incident_id, "in", matching.select(matching.c.id))
    query = part.select(part.id, part.incident_id, part.student_id).where(those)
    if permissions.sees_all_parts(user):
        return query
    whole = Incident.select(SQL("1")).where((Incident.id == part.incident_id) & permissions.sees_whole(user))
    return query.where(permissions.open_part(user, part) | fn.EXISTS(whole))


def _number_of_month(moment, bounds):
    """Expression: how many of `bounds`, which rise, a moment has reached; found by halving them."""

    def between(low, high):
        if low == high:
            return SQL(str(low))
        middle = (low + high) // 2
        bound = Incident.happened_at.to_value(bounds[middle])
        return Case(None, [(moment < bound, between(low, middle))], between(middle + 1, high))

    return between(0, len(bounds))
