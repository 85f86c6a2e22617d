"""The set-up checklist of Case Management (DOMAIN.md, ruling 12): ten lines, each read from the real state. The six about one
cohort are those of the cohort that has got furthest. A student who is closed to the reader counts for none of them. Writes
nothing but the audit row of the read."""

from typing import NamedTuple

from peewee import SQL, fn

import events
import permissions
from blueprints.kit.presentation import WORDS
from models import (
    Account,
    Cohort,
    CohortCategory,
    CohortGroup,
    CohortStudent,
    Group,
    GroupMember,
    Milestone,
    School,
    Student,
)

NEW = "New Milestone"


class Step(NamedTuple):
    """A line of the list: `steps`, the numbers of the ten steps that it stands for ("" for a pre-setup task), what is to be
    done and how, whether it is done, and the page that does it."""

    steps: str
    label: str
    help: str
    done: bool
    url: str


class Checklist(NamedTuple):
    """The pre-setup tasks, and what the ten steps bring about."""

    before: list
    steps: list

    @property
    def missing(self):
        return [step for step in (*self.before, *self.steps) if not step.done]

    @property
    def total(self):
        return len(self.before) + len(self.steps)


def checklist(user):
    """The Checklist as it stands; records the read. Raises Denied for everybody but staff."""
    permissions.require("set_up.read", user)
    events.record_alone("set_up.read", actor=user)
    school = School.get()
    has_card, has_email, has_category = _before(user)
    cohort = _furthest_cohort(user)
    one, many = school.student_word, WORDS.get(school.student_word, f"{school.student_word}s")
    there = f"/cohorts/{cohort.ref}" if cohort else "/cohorts"
    milestone = f"{there}/milestones/{cohort.milestone}" if cohort and cohort.milestone else _below(cohort, "/milestones")
    before = [
        Step("", "Groups and group members with staff cards", "At least one group with at least one member: attached to a "
             "cohort, it is a support network. Every member has a staff card.", has_card, "/admin/groups"),
        Step("", f"{one} email addresses", f"{many} are assigned to cohorts by the email address of their record: import them, "
             "or enter it by hand.", has_email, "/students/import"),
    ]  # fmt: skip
    steps = [
        Step("1–2", "Create Category", f"Name the category, for example First-Year {many}.", has_category, "/cohorts"),
        Step("2", "+Add Cohort", "On the category, then name the cohort, for example Fall 21.", cohort is not None, "/cohorts"),
        Step("3–5", f"Add {many}", "Upload a CSV of email addresses, or add one at a time.", _has(cohort, "student"),
             _below(cohort, "/add-students")),
        Step("6–7", "Custom Milestone", f"It puts a {NEW} into Assigned Milestones: click it, give it a title and save it.",
             _has(cohort, "titled"), _below(cohort, "/milestones")),
        Step("8", "Due date of the milestone", "Description and files are welcome too.", _has(cohort, "dated"), milestone),
        Step("8", "Reminders of the milestone", "One day, two days, one week, two weeks or 30 days before the due date.",
             _has(cohort, "reminded"), milestone),
        Step("9", f"Attach {one} Support Groups", "Choose a group and attach it to the cohort.", _has(cohort, "group"),
             _below(cohort, "/attach-support-groups")),
        Step("10", "Case Management System Student Visibility", f"Select Enabled and click Update: then {many.lower()} see their "
             "dashboard.", school.student_visibility, "/admin/settings"),
    ]  # fmt: skip
    return Checklist(before, steps)


def _has(cohort, what):
    return bool(cohort and getattr(cohort, what))


def _below(cohort, path):
    return f"/cohorts/{cohort.ref}{path}" if cohort else "/cohorts"


def _before(user):
    """Whether there is a group with a member, a student with an email address, a category."""
    members = GroupMember.select(SQL("1")).join(Group).switch(GroupMember).join(Account, on=GroupMember.account)
    members = members.where(Group.is_active & Account.is_active)
    students = permissions.visible_students(user, SQL("1")).where(Student.is_active & Student.email_folded.is_null(False))
    asked = [fn.EXISTS(members), fn.EXISTS(students), fn.EXISTS(CohortCategory.select(SQL("1")))]
    return [bool(each) for each in School.select(*asked).tuples().get()]


def _furthest_cohort(user):
    """Of the cohorts that are not archived the one with most of its lines done, the newest of several; None without any.
    `milestone` is the reference of its furthest milestone."""
    students = permissions.visible_students(user, SQL("1")).join(CohortStudent, on=(CohortStudent.student == Student.id))
    groups = CohortGroup.select(SQL("1")).join(Group).where(Group.is_active & (CohortGroup.cohort == Cohort.id))
    saved = Milestone.saved_at.is_null(False) & Milestone.removed_at.is_null() & (Milestone.cohort == Cohort.id)
    titled = Milestone.select(SQL("1")).where(saved & ~Milestone.title.in_(("", NEW)))
    dated = titled.where(Milestone.due_on.is_null(False))
    has = {
        "student": students.where(Student.is_active & (CohortStudent.cohort == Cohort.id)),
        "titled": titled,
        "dated": dated,
        "reminded": dated.where(Milestone.reminders != ""),
        "group": groups,
    }
    columns = [fn.EXISTS(query).alias(name) for name, query in has.items()]
    rows = Cohort.select(Cohort.id, Cohort.ref, *columns).where(Cohort.archived_at.is_null()).order_by(Cohort.id).objects()
    best = max(rows, key=lambda row: (sum(bool(getattr(row, name)) for name in has), row.id), default=None)
    if best is not None:
        found = Milestone.select(Milestone.ref).where(
            (Milestone.cohort == best.id) & Milestone.saved_at.is_null(False) & Milestone.removed_at.is_null()
        )
        least_done = (Milestone.title.in_(("", NEW)), Milestone.due_on.is_null(), Milestone.reminders == "")
        best.milestone = found.order_by(*least_done, Milestone.id).limit(1).scalar()
    return best
