"""What Case Management System Student Visibility means for whom: what an Admin Key Holder reads before saving it, and whether
an invitation may still go out. Counts and never names; a student who is closed to the reader is in no count.
"""

from typing import NamedTuple

from peewee import JOIN, SQL, fn

import permissions
from blueprints.account import queries as accounts
from models import Account, Cohort, CohortStudent, OutboxEmail, School, Student


class Effect(NamedTuple):
    """How many students of cohorts that are not archived are invited by email, have no email, sign in already, or have an
    email that somebody else signs in with."""

    invited: int
    without_email: int
    with_account: int
    of_others: int


def visibility_effect(user):
    """The Effect of enabling Case Management System Student Visibility."""
    permissions.require("admin.settings", user)
    is_students = Account.role == permissions.STUDENT
    counted = (
        waits_for_invitation(),
        Student.email_folded.is_null(),
        is_students & ~waits_for_invitation(),
        ~is_students,
    )
    columns = [fn.COUNT(Student.id.distinct()).filter(condition) for condition in counted]
    query = permissions.supported_students(user, *columns).where(Student.is_active & Cohort.archived_at.is_null())
    return Effect(*query.join(Account, JOIN.LEFT_OUTER, on=_SAME_EMAIL).tuples().get())


_SAME_EMAIL = Account.email_folded == Student.email_folded


def waits_for_invitation():
    """Expression on Student left-joined with the Account of the same email: no invitation has reached the student, and none is
    on its way. One that was not sent (because visibility went off, say) counts for nothing."""
    on_its_way = OutboxEmail.select(SQL("1")).where(
        (OutboxEmail.account == Account.id) & OutboxEmail.kind.in_(("invitation", accounts.STUDENT_INVITATION))
        & OutboxEmail.dropped_at.is_null()
    )  # fmt: skip
    not_reached = (Account.role == permissions.STUDENT) & Account.is_active & Account.password_hash.is_null()
    return Student.email_folded.is_null(False) & (Account.id.is_null() | (not_reached & ~fn.EXISTS(on_its_way)))


def students_to_invite():
    """The active students in cohorts that are not archived whom no invitation has reached, as a query of (student's id,
    account's id or None), in a fixed order: for the minutely job, never for a page."""
    in_cohort = CohortStudent.select(CohortStudent.student).join(Cohort).where(Cohort.archived_at.is_null())
    query = Student.select(Student.id, Account.id).join(Account, JOIN.LEFT_OUTER, on=_SAME_EMAIL)
    return query.where(Student.is_active & Student.id.in_(in_cohort) & waits_for_invitation()).order_by(Student.id).tuples()


def email_student_invitation(row, account):
    """What an invitation says when it is sent, or why it is not sent: only to a student who sees something then."""
    student = permissions.own_student(account, School.get())
    if student is None:
        return "students see nothing yet, or this one is not at the school"
    live = CohortStudent.select().join(Cohort).where((CohortStudent.student == student) & Cohort.archived_at.is_null())
    if not live.exists():
        return "the student is in no cohort any more"
    return accounts.email_password_link(row, account, late=True)
