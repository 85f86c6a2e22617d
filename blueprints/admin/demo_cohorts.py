"""The cohorts of the demo school: four of this school year and an archived one, with milestones, how far everybody is, what
students asked, and the reminders that went out.

Like the incidents they lie before midnight of today. Stu is in two of them and waits for an answer. Must not read the
clock.
"""

from datetime import UTC, timedelta

import permissions
from blueprints.admin import demo_cohort_words as words
from blueprints.admin.demo_tables import Table
from blueprints.cohorts.queries import once_of
from blueprints.kit.text import fold
from models import (
    Account,
    Cohort,
    CohortCategory,
    CohortGroup,
    CohortStudent,
    Milestone,
    MilestoneReminder,
    MilestoneRequest,
    MilestoneTemplate,
    OutboxEmail,
    School,
    StudentMilestone,
)

BATCH = 2000  # students


class DemoCohorts:
    """Writes categories, cohorts and everything in them; every student of a cohort who has an email gets an account."""

    def __init__(self, school):
        self.school, self.rng, self.ada = school, school.rng, school.person("ada")
        start = school.today.year - (school.today.month < 9)
        self.year, self.year_before = (f"{year}/{(year + 1) % 100:02}" for year in (start, start - 1))
        self.file_for = None  # (milestone's id, its ref, when), for a file
        at = school.midnight - timedelta(days=95, hours=-10)
        self.created = {"created_by": self.ada.id, "created_at": at}
        self.at = at
        self.categories = Table(CohortCategory, "ref", "name", **self.created)
        self.cohorts = Table(
            Cohort, "ref", "category", "name", "created_at", "archived_at", "archived_by", created_by=self.ada.id
        )
        self.students = Table(CohortStudent, "cohort", "student", "added_at", added_by=self.ada.id)
        self.groups = Table(CohortGroup, "cohort", "group", "at", attached_by=self.ada.id)
        self.milestones = Table(
            Milestone, "ref", "cohort", "title", "due_on", "description", "reminders", "position", "created_at", "saved_at",
            "scheduled_at", created_by=self.ada.id,
        )  # fmt: skip
        self.states = Table(StudentMilestone, "milestone", "student", "state", "marked_by", "marked_at")
        self.requests = Table(MilestoneRequest, "ref", "milestone", "student", "note", "asked_at")
        self.reminders = Table(MilestoneReminder, "milestone", "student", "days", "due_on", "at")
        self.emails = Table(
            OutboxEmail, "account", "target", "target_id", "once", "message_id", "created_at", "next_try_at", "sent_at",
            kind="milestone_reminder", attempts=1, is_waiting=False,
        )  # fmt: skip
        self.templates = Table(MilestoneTemplate, "ref", "title", "description", "reminders", **self.created)

    @property
    def tables(self):
        """In the order in which rows may refer to rows."""
        return (
            self.categories, self.cohorts, self.students, self.groups, self.milestones, self.states, self.requests,
            self.reminders, self.emails, self.templates,
        )  # fmt: skip

    def add(self):
        """Write all of it, and let students see their dashboards."""
        self._accounts()
        houses = {}
        for category in dict.fromkeys(one[0] for one in words.COHORTS):
            ref = self.school.ref()
            houses[category] = self.categories.add(ref, category)
            self.school.log.add(self.at, self.ada, "cohort.category_added", ref)
        for category, name, year, milestones, groups in words.COHORTS:
            pupils = [one for one in self.school.pupils if year in (None, one.year)]
            self._cohort(houses[category], f"{name} {self.year}", pupils, milestones, groups, self.at)
        self._archived(houses)
        for title, text, reminders in words.TEMPLATES:
            ref = self.school.ref()
            self.templates.add(ref, title, text, reminders)
            self.school.log.add(self.at, self.ada, "milestone.template_added", ref)
        for table in self.tables:
            table.close()
        School.update(student_visibility_at=self.at.replace(tzinfo=UTC)).execute()
        self.school.log.add(self.at, self.ada, "settings.changed", "", fields=["student_visibility"])

    def _cohort(self, category, name, pupils, milestones, groups, at, archived_at=None):
        ref = self.school.ref()
        cohort = self.cohorts.add(ref, category, name, at, archived_at, archived_at and self.ada.id)
        self.school.log.add(at, self.ada, "cohort.added", ref, category=name)
        for pupil in pupils:
            self.students.add(cohort, pupil.id, at)
        self.school.log.add(at, self.ada, "cohort.students_added", ref, added=len(pupils), already_in=0, refused=0)
        for group in groups:
            group_id, group_ref = self.school.groups[group]
            self.groups.add(cohort, group_id, at)
            self.school.log.add(at, self.ada, "cohort.group_attached", ref, group=group_ref)
        markers = [one for group in groups for one in self.school.members[group]] or [self.ada]
        for position, milestone in enumerate(milestones):
            self._milestone(cohort, ref, position, milestone, pupils, markers, at)
        for table in self.tables:
            table.write()
        return ref

    def _milestone(self, cohort, cohort_ref, position, milestone, pupils, markers, at):
        title, text, days, reminders = milestone
        due = None if days is None else self.school.today + timedelta(days=days)
        ref = self.school.ref()
        row = self.milestones.add(
            ref, cohort, title, due, text, ",".join(str(day) for day in sorted(reminders)), position, at, at, at
        )
        self.school.log.add(at, self.ada, "milestone.added", ref, cohort=cohort_ref)
        if title == words.WITH_FILE and self.file_for is None:
            self.file_for = (row, ref, at)
        if title == words.ASKED_ABOUT and at == self.at:
            self._ask(row, ref)
        for pupil in pupils:
            state, when = self._state(pupil, title, due, at)
            if state:
                marker = self.rng.choice(markers)
                self.states.add(row, pupil.id, state, marker.id, when)
                self.school.log.add(when, marker, "milestone.marked", pupil.ref, milestone=ref, state=state)
            if due is not None:
                self._reminded(row, ref, pupil, due, reminders, when, at)

    def _state(self, pupil, title, due, at):
        """(state or None, when it was marked) for a student and a milestone."""
        is_stu, is_over = pupil is self.school.pupils[0], due is not None and due <= self.school.today
        if (is_stu and title == words.ASKED_ABOUT) or due is None:
            return None, None
        likely = (1 if is_over else 0) if is_stu else (0.86 if is_over else 0.06)
        if self.rng.random() >= likely:
            return None, None
        day = min(due, self.school.today - timedelta(days=1)) - timedelta(days=self.rng.randrange(0, 9))
        when = self.school.midnight_of(day) + timedelta(hours=self.rng.randrange(9, 16))
        return ("waived" if not is_stu and self.rng.random() < 0.04 else "completed"), max(when, at + timedelta(hours=1))

    def _reminded(self, milestone, ref, pupil, due, reminders, done, at):
        account = self.accounts.get(pupil.id)
        if account is None:
            return
        for days in sorted(reminders, reverse=True):
            moment = self.school.midnight_of(due - timedelta(days=days)) + timedelta(hours=7)
            if at < moment < self.school.midnight and (done is None or moment < done):
                row = self.reminders.add(milestone, pupil.id, days, due, moment)
                once = once_of(milestone, pupil.id, days)
                self.emails.add(account, ref, row, once, f"{self.rng.getrandbits(128):032x}", moment, moment, moment)

    def _archived(self, houses):
        """Last year's: nobody but Admin Key Holders finds it."""
        category, name, milestones = words.ARCHIVED
        before = self.at - timedelta(days=365)
        pupils = [one for one in self.school.pupils if one.year == "10"]
        shifted = [(title, text, days - 365, ()) for title, text, days, _ in milestones]
        ref = self._cohort(
            houses[category], f"{name} {self.year_before}", pupils, shifted, (), before, archived_at=self.at - timedelta(days=30)
        )
        self.school.log.add(self.at - timedelta(days=30), self.ada, "cohort.archived", ref)

    def _ask(self, milestone, ref):
        """Stu has asked to have this one marked as completed, and waits."""
        stu, at, name = self.school.pupils[0], self.school.midnight - timedelta(hours=9), self.school.ref()
        self.requests.add(name, milestone, stu.id, words.NOTE, at)
        self.school.log.add(at, self.school.cast["stu"], "milestone.asked", stu.ref, milestone=ref, request=name)

    def _accounts(self):
        """Every student with an email can sign in, with the password of the demo."""
        table = Table(
            Account, "ref", "email", "email_folded", "name", "search_text", role=permissions.STUDENT, created_at=self.at,
            password_hash=self.school.password_hash,
        )  # fmt: skip
        self.accounts = {self.school.pupils[0].id: self.school.cast["stu"].id}  # by the student's id
        for number, pupil in enumerate(self.school.pupils[1:], start=1):
            if pupil.email:
                ref = self.school.ref()
                self.accounts[pupil.id] = table.add(
                    ref, pupil.email, pupil.email, pupil.full_name, fold(f"{pupil.full_name} {pupil.email}")
                )
                self.school.log.add(self.at, self.ada, "student.invited", pupil.ref, account=ref)
            if number % BATCH == 0:
                table.write()
        table.close()
