"""Cohorts and their categories, and who is in a cohort. Loading is authorising: cohort() comes first on every page under
/cohorts/<ref>. They are there for Admin Key Holders only, and a student who is closed to the reader by a conflict of
interest is in no list and no count here. Writes nothing but the audit row of a read."""

from collections import namedtuple

from peewee import fn

import events
import permissions
from blueprints.kit import prepared
from blueprints.students import queries as students_queries
from models import Cohort, CohortCategory, CohortGroup, CohortStudent, Milestone, Student

MANAGE = "cohort.manage"
CohortRow = namedtuple("CohortRow", "ref name category_id category archived_at created_at milestones groups id students")
STUDENT_COLUMNS = (
    ("First name", Student.first_name),
    ("Last name", Student.last_name),
    ("Preferred name", Student.preferred_name),
    ("Email", Student.email),
    ("Year group", Student.year_group),
    ("Tutor group", Student.tutor_group),
    ("Active", Student.is_active),
    ("Added", CohortStudent.added_at),
)


# --- One -------------------------------------------------------------------------------------------------------------


def cohort(user, ref, audit=True):
    """The cohort with `.category`, archived or not; NotVisible when it is missing or the reader does not manage cohorts.

    Records the read; `audit=False` is for the side that records an event of its own.
    """
    found = prepared.records(_loaded, Cohort, CohortCategory, ref=ref) if permissions.can(user, MANAGE) else []
    if not found:
        raise permissions.NotVisible(ref)
    ((row, row.category),) = found
    row._dirty.clear()
    if audit:
        events.record_alone("cohort.read", actor=user, target=row.ref, reasons=(user.role,))
    return row


def _loaded(ref):
    return Cohort.select(Cohort, CohortCategory).join(CohortCategory).where(Cohort.ref == ref)


def category(user, ref):
    """One category of cohorts; NotVisible as for a cohort."""
    row = CohortCategory.get_or_none(CohortCategory.ref == ref) if permissions.can(user, MANAGE) else None
    if row is None:
        raise permissions.NotVisible(ref)
    return row


# --- Many ------------------------------------------------------------------------------------------------------------


def categories(user):
    """Every category by name."""
    permissions.require(MANAGE, user)
    return list(CohortCategory.select().order_by(fn.LOWER(CohortCategory.name), CohortCategory.id))


def live_cohorts(user, text=""):
    """The CohortRows that are not archived, by category and name; `text`: of those with it in their or the category's name."""
    return _with_students(user, list(_rows(text).where(Cohort.archived_at.is_null()).tuples()))


def archived_cohorts(user, text=""):
    """The same for archived ones, the latest first, as a pair for listing.paginate(): (fetch, count)."""
    query = _rows(text).where(Cohort.archived_at.is_null(False)).order_by(Cohort.archived_at.desc(), Cohort.id.desc())

    def fetch(limit, offset):
        return _with_students(user, list(query.limit(limit).offset(offset).tuples()))

    return fetch, lambda limit: query.limit(limit).count()


def every_cohort(user):
    """All CohortRows, for the export."""
    return _with_students(user, list(_rows("").tuples()))


def _rows(text):
    saved = Milestone.saved_at.is_null(False) & Milestone.removed_at.is_null()
    query = (
        Cohort.select(
            Cohort.ref,
            Cohort.name,
            Cohort.category_id,
            CohortCategory.name.alias("category"),
            Cohort.archived_at,
            Cohort.created_at,
            Milestone.select(fn.COUNT(Milestone.id)).where((Milestone.cohort == Cohort.id) & saved).alias("milestones"),
            CohortGroup.select(fn.COUNT(CohortGroup.id)).where(CohortGroup.cohort == Cohort.id).alias("groups"),
            Cohort.id,
        )
        .join(CohortCategory)
        .order_by(fn.LOWER(CohortCategory.name), CohortCategory.id, fn.LOWER(Cohort.name), Cohort.id)
    )
    if text:
        query = query.where(Cohort.name.contains(text) | CohortCategory.name.contains(text))
    return query


def _with_students(user, rows):
    permissions.require(MANAGE, user)
    ids = [row[-1] for row in rows]
    counts = permissions.supported_students(user, CohortStudent.cohort, fn.COUNT(CohortStudent.id))
    counts = counts.where(CohortStudent.cohort.in_(ids)).group_by(CohortStudent.cohort)
    found = dict(counts.tuples()) if ids else {}
    return [CohortRow(*row, found.get(row[-1], 0)) for row in rows]


def cohort_choices(user, but=None):
    """[(ref, "Category: name")] of the cohorts that are not archived, without one, by category and name."""
    permissions.require(MANAGE, user)
    query = Cohort.select(Cohort.ref, CohortCategory.name, Cohort.name).join(CohortCategory).where(Cohort.archived_at.is_null())
    if but is not None:
        query = query.where(Cohort.id != but.id)
    rows = query.order_by(fn.LOWER(CohortCategory.name), CohortCategory.id, fn.LOWER(Cohort.name), Cohort.id).tuples()
    return [(ref, f"{category}: {name}") for ref, category, name in rows]


# --- Who is in it ----------------------------------------------------------------------------------------------------


def in_cohort(user, cohort, text="", *fields):
    """The students in the cohort whom this person sees, by name, as a query of named tuples; `text` narrows it as in the list
    of students."""
    if not fields:
        fields = (Student.ref, Student.first_name, Student.last_name, Student.preferred_name, Student.year_group,
                  Student.tutor_group, Student.email, Student.is_active, CohortStudent.added_at)  # fmt: skip
    query = permissions.supported_students(user, *fields).where(CohortStudent.cohort == cohort.id)
    for condition in students_queries.matching(user, text):
        query = query.where(condition)
    return query.order_by(Student.sort_name, Student.id).namedtuples()


def count_students(user, cohort):
    """How many students of the cohort this person sees, those who left the school among them."""
    return permissions.supported_students(user).where(CohortStudent.cohort == cohort.id).count()


def students_export(user, cohort, text=""):
    """(headings, rows) of in_cohort() for a file."""
    query = in_cohort(user, cohort, text, *(field for _, field in STUDENT_COLUMNS))
    return [heading for heading, _ in STUDENT_COLUMNS], list(query.tuples())


def student_in(user, cohort, ref):
    """One student of the cohort; NotVisible when they are not in it, or closed to this person."""
    row = permissions.supported_students(user, Student).where((CohortStudent.cohort == cohort.id) & (Student.ref == ref))
    found = row.objects(Student).first()
    if found is None:
        raise permissions.NotVisible(ref)
    return found
