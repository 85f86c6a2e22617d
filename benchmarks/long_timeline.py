"""`python -m benchmarks.long_timeline STUDENT`: gives one student of a demo instance a timeline of five thousand events.

Tasks, meetings, plans with points, responses and case entries of several years, as rows: what a school would have written
about a student in a whole school life, ten times over. Prints how many events that are.
"""

import json
import random
import sys
from datetime import UTC, timedelta

import config
from app import create_app
from blueprints.admin import demo_work_words as words
from blueprints.admin.demo_tables import Table
from extensions import clock, db
from models import (
    Account,
    Case,
    CaseEntry,
    CaseEntryVersion,
    Form,
    FormResponse,
    Meeting,
    MeetingStaff,
    MeetingStudent,
    MeetingType,
    Plan,
    PlanPoint,
    PlanReview,
    Student,
    Task,
    TaskNote,
    new_ref,
)

TASKS, MEETINGS, PLANS, POINTS, RESPONSES, ENTRIES = 800, 400, 32, 25, 400, 500


def main(ref):
    with create_app(config.load()).app_context():
        db.connect(reuse_if_open=True)
        with db.atomic():
            print(_Events(Student.get(Student.ref == ref)).add())
        db.execute_sql("ANALYZE")


class _Events:
    def __init__(self, student):
        self.student, self.rng, self.count = student, random.Random(5), 0  # noqa: S311  no secrets
        self.now = clock.now().astimezone(UTC).replace(tzinfo=None)
        self.staff = [id for (id,) in Account.select(Account.id).where(Account.role == "staff").order_by(Account.id).tuples()]

    def moment(self):
        return self.now - timedelta(minutes=self.rng.randrange(60 * 24, 60 * 24 * 1500))

    def add(self):
        for step in (self.tasks, self.meetings, self.plans, self.responses, self.entries):
            step()
        return self.count

    def tasks(self):
        tasks = Table(Task, "ref", "title", "assigned_to", "set_by", "set_at", "due_on", "ended_at", "ended_by", "noted_at",
                      student=self.student.id, state="completed")  # fmt: skip
        notes = Table(TaskNote, "ref", "task", "author", "at", "text")
        for _ in range(TASKS):
            at, who, by = self.moment(), self.rng.choice(self.staff), self.rng.choice(self.staff)
            noted, done = at + timedelta(hours=3), at + timedelta(hours=20)
            row = tasks.add(new_ref(), self.rng.choice(words.TASKS)[0], who, by, at, done.date(), done, who, noted)
            notes.add(new_ref(), row, who, noted, self.rng.choice(words.TASK_NOTES))
        self.write(tasks, notes)
        self.count += 3 * TASKS  # set, noted, completed

    def meetings(self):
        kind = MeetingType.get().id
        meetings = Table(Meeting, "ref", "starts_at", "ends_at", "agenda", "scheduled_by", "scheduled_at", "changed_at",
                         "outcome", "ended_by", "ended_at", meeting_type=kind, state="held")  # fmt: skip
        students = Table(MeetingStudent, "meeting", "added_by", "at", student=self.student.id)
        staff = Table(MeetingStaff, "meeting", "account", "added_by", "at")
        for _ in range(MEETINGS):
            at, by = self.moment(), self.rng.choice(self.staff)
            starts = at + timedelta(hours=12)
            over = starts + timedelta(hours=1)
            row = meetings.add(new_ref(), starts, over, words.AGENDAS[0], by, at, at, words.OUTCOMES[0], by, over)
            students.add(row, by, at)
            staff.add(row, by, by, at)
        self.write(meetings, students, staff)
        self.count += 2 * MEETINGS  # scheduled, held

    def plans(self):
        plans = Table(Plan, "ref", "concern", "goal", "measure", "starts_on", "lead", "created_by", "created_at", "ended_at",
                      "ended_by", student=self.student.id, tier=2, state="ended", end_reason="Target reached")  # fmt: skip
        points = Table(PlanPoint, "ref", "plan", "day", "value", "author", "at")
        reviews = Table(PlanReview, "ref", "plan", "day", "author", "at", decision="continue")
        for _ in range(PLANS):
            at, who = self.moment() - timedelta(days=60), self.rng.choice(self.staff)
            concern, goal, measure, *_rest = self.rng.choice(words.PLANS)
            row = plans.add(new_ref(), concern, goal, measure, at.date(), who, who, at, at + timedelta(days=50), who)
            for number in range(POINTS):
                when = at + timedelta(days=1 + number)
                points.add(new_ref(), row, when.date(), number, who, when)
            reviews.add(new_ref(), row, at.date() + timedelta(days=30), who, at + timedelta(days=30))
        self.write(plans, points, reviews)
        self.count += (POINTS + 3) * PLANS

    def responses(self):
        form = Form.get(Form.name == words.WORRY[0]).id
        table = Table(FormResponse, "ref", "author", "submitted_at", form=form, number=1, student=self.student.id,
                      answers=json.dumps({"how_much": 2, "what": words.WORRIES[0], "where": ["At break"]}))  # fmt: skip
        for _ in range(RESPONSES):
            table.add(new_ref(), self.rng.choice(self.staff), self.moment())
        self.write(table)
        self.count += RESPONSES

    def entries(self):
        case = Case.select(Case.id).where(Case.student == self.student.id).order_by(Case.id).first()
        entries = Table(CaseEntry, "ref", "author", "at", "text", case=case.id)
        versions = Table(CaseEntryVersion, "entry", "author", "at", "text", number=1)
        for _ in range(ENTRIES):
            at, by, text = self.moment(), self.rng.choice(self.staff), self.rng.choice(words.TASK_NOTES)
            versions.add(entries.add(new_ref(), by, at, text), by, at, text)
        self.write(entries, versions)
        self.count += ENTRIES

    def write(self, *tables):
        for table in tables:
            table.close()


if __name__ == "__main__":
    main(sys.argv[1])
