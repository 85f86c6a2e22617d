"""Tasks, meetings, plans, intervention groups, forms with responses and referrals of the demo school.

What happened lies before midnight of today, what is planned after it; Oli is on none of it, and every trigger of the
dictionary is off, so that a newcomer sees what switching one on does. Must not read the clock.
"""

import json
from datetime import timedelta

from blueprints.admin import demo_work_words as words
from blueprints.admin.demo_tables import Table
from blueprints.admin.demo_words import COUNSELLING
from blueprints.kit.text import fold
from models import (
    CaseRecord,
    FileCategory,
    Form,
    FormGroup,
    FormResponse,
    FormVersion,
    InterventionGroup,
    InterventionMember,
    InterventionStep,
    Meeting,
    MeetingStaff,
    MeetingStudent,
    MeetingType,
    Plan,
    PlanIntervention,
    PlanPoint,
    PlanReview,
    Referral,
    Task,
    TaskNote,
)

BATCH = 2000  # students


class DemoWork:
    """Writes the rows. `cases`: the DemoCases, whose open ones some of the records belong to."""

    def __init__(self, school, cases):
        self.school, self.rng, self.open_cases = school, school.rng, cases.open_cases
        self.staff = [one for one in school.staff if one.key != "oli"]
        self.key_users = [one for one in self.staff if one.role in ("admin", "key_user")]
        self.types = [id for (id,) in MeetingType.select(MeetingType.id).order_by(MeetingType.position).tuples()]
        self.tasks = Table(
            Task, "ref", "student", "title", "notes", "assigned_to", "set_by", "set_at", "due_on", "state", "ended_at",
            "ended_by", "noted_at",
        )  # fmt: skip
        self.notes = Table(TaskNote, "ref", "task", "author", "at", "text")
        self.meetings = Table(
            Meeting, "ref", "meeting_type", "starts_at", "ends_at", "place", "agenda", "scheduled_by", "scheduled_at",
            "changed_at", "state", "outcome", "ended_by", "ended_at",
        )  # fmt: skip
        self.meeting_students = Table(MeetingStudent, "meeting", "student", "added_by", "at", "attended")
        self.meeting_staff = Table(MeetingStaff, "meeting", "account", "added_by", "at")
        self.interventions = Table(
            InterventionGroup, "ref", "name", "description", "concern", "goal", "measure", "baseline", "target", "review_weeks",
            "group", "lead", "created_by", "created_at",
        )  # fmt: skip
        self.steps = Table(InterventionStep, "ref", "group", "text", "how_often", "position")
        self.plans = Table(
            Plan, "ref", "student", "tier", "concern", "goal", "measure", "baseline", "target", "starts_on", "review_by", "lead",
            "intervention_group", "state", "created_by", "created_at", "ended_at", "ended_by", "end_reason",
        )  # fmt: skip
        self.done = Table(PlanIntervention, "ref", "plan", "text", "how_often", "started_on", "author", "at")
        self.points = Table(PlanPoint, "ref", "plan", "day", "value", "note", "author", "at")
        self.reviews = Table(PlanReview, "ref", "plan", "day", "decision", "notes", "next_on", "author", "at")
        self.members = Table(InterventionMember, "group", "student", "plan", "added_by", "at")
        ada = school.person("ada")
        self.form_rows = Table(
            Form, "ref", "name", "description", "for_staff", "for_referral_users", "for_students", "names_student", "created_at",
            published=1, created_by=ada.id,
        )  # fmt: skip
        self.form_versions = Table(FormVersion, "form", "fields", "published_at", number=1, published_by=ada.id)
        self.readers = Table(FormGroup, "form", "group")
        self.responses = Table(FormResponse, "ref", "form", "student", "author", "submitted_at", "answers", number=1)
        self.referrals = Table(
            Referral, "ref", "response", "first_name", "last_name", "sort_name", "about", "state", "how", "decided_by",
            "decided_at", "reason",
        )  # fmt: skip
        self.records = Table(CaseRecord, "case", "kind", "record_id", "record", "by", "at", how="linked")
        self.files = []  # (student's id and ref, name, category's id, text, person, when), for the files

    @property
    def tables(self):
        """In the order in which rows may refer to rows."""
        return (
            self.tasks, self.notes, self.meetings, self.meeting_students, self.meeting_staff, self.interventions, self.steps,
            self.plans, self.done, self.points, self.reviews, self.members, self.form_rows, self.form_versions, self.readers,
            self.responses, self.referrals, self.records,
        )  # fmt: skip

    def add(self):
        """Write all of it: something for most students, and what is promised to the cast."""
        self._promised()
        self._interventions()
        forms = self._forms()
        for number, pupil in enumerate(self.school.pupils[1:], start=1):
            self._of(pupil, forms)
            if number % BATCH == 0:
                self._write()
        self._referrals(forms[words.REFERRAL[0]])
        self._write()
        for table in self.tables:
            table.close()

    def _write(self):
        for table in self.tables:
            table.write()

    def _of(self, pupil, forms):
        """What there is about one student: nothing about some, three things about others."""
        rng = self.rng
        if rng.random() < 0.35:
            self._task(pupil, rng.choice(self.staff), rng.choice(self.staff), self._day(-40, 20))
        if rng.random() < 0.18:
            two = rng.sample(self.staff, min(2, len(self.staff)))
            self._meeting([pupil], two, rng.choice(self.key_users), self._day(-60, 25))
        if rng.random() < 0.15:
            self._plan(pupil, rng.choice(self.staff), rng.choice(words.PLANS), weeks=rng.randrange(2, 12))
        if rng.random() < 0.12:
            self._response(forms[words.WORRY[0]], pupil, rng.choice(self.staff), {
                "where": rng.sample(["In lessons", "At break", "Online", "At home"], 2), "how_much": rng.randrange(1, 6),
                "what": rng.choice(words.WORRIES), "since": (self.school.today - timedelta(days=30)).isoformat(),
            })  # fmt: skip

    # --- When ---

    def _day(self, first, last):
        """A school day so many days from today."""
        day = self.school.today + timedelta(days=self.rng.randrange(first, last))
        return day - timedelta(days=max(0, day.weekday() - 4))

    def _at(self, day, hour=None):
        return self.school.midnight_of(day) + timedelta(hours=hour or self.rng.randrange(9, 16))

    def _before(self, day, least=2):
        """A moment of school time some days before a day, and never after midnight of today."""
        earlier = min(day, self.school.today) - timedelta(days=self.rng.randrange(least, least + 9))
        return self._at(earlier)

    # --- What is promised to the cast ---

    def _promised(self):
        school, person = self.school, self.school.person
        stu, today = school.pupils[0], school.today
        kay, ken, gil, sam, mo = (person(key) for key in ("kay", "ken", "gil", "sam", "mo"))
        self._task(stu, gil, kay, today + timedelta(days=2), words.TASKS[4])
        self._task(stu, sam, ken, today - timedelta(days=3), words.TASKS[0], late=True)
        others = school.pupils[1:4]
        for pupil, who, days in zip(others, (kay, ken, mo), (-2, 1, 5), strict=False):
            self._task(pupil, who, ken if who is kay else kay, today + timedelta(days=days), late=True)
        self._meeting([stu], [gil, sam], kay, self._workday(3), agenda=words.AGENDAS[0])
        self._meeting([stu, *others[:1]], [kay, mo], ken, self._workday(-12), agenda=words.AGENDAS[2])
        self._plan(stu, sam, words.PLANS[1], weeks=9, by=kay)
        categories = dict(FileCategory.select(FileCategory.name, FileCategory.id).tuples())
        for name, category, text in words.FILES:
            self.files.append((stu, name, categories[category], text, kay, self._before(today)))

    def _workday(self, days):
        day = self.school.today + timedelta(days=days)
        return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() > 4 else day

    # --- Tasks ---

    def _task(self, pupil, who, by, due, task=None, late=False):
        rng, school = self.rng, self.school
        title, text = task or rng.choice(words.TASKS)
        at = self._before(due, 4)
        is_done = not late and due < school.today and rng.random() < 0.85
        ended = min(max(at + timedelta(hours=20), self._at(due - timedelta(days=1))), school.midnight - timedelta(hours=2))
        ref = school.ref()
        noted = at + timedelta(hours=19)
        is_noted = (is_done or rng.random() < 0.3) and noted < school.midnight
        row = self.tasks.add(
            ref, pupil.id, title, text, who.id, by.id, at, due, "completed" if is_done else "open",
            ended if is_done else None, who.id if is_done else None, noted if is_noted else None,
        )  # fmt: skip
        school.log.add(at, by, "task.set", ref, student=pupil.ref)
        if is_noted:
            note = school.ref()
            self.notes.add(note, row, who.id, noted, rng.choice(words.TASK_NOTES))
            school.log.add(noted, who, "task.note_added", ref, note=note)
        if is_done:
            school.log.add(ended, who, "task.completed", ref)
        self._belongs("task", pupil, row, ref, by, at)

    # --- Meetings ---

    def _meeting(self, pupils, staff, by, day, agenda=None):
        rng, school = self.rng, self.school
        if day == school.today:  # neither over nor ahead
            day = self._workday(1)
        starts = self._at(day)
        at = self._before(day, 5)
        is_over = day < school.today
        ended = starts + timedelta(hours=1)
        ref = school.ref()
        text = (agenda or rng.choice(words.AGENDAS)).format(name=pupils[0].name)
        row = self.meetings.add(
            ref, rng.choice(self.types), starts, starts + timedelta(minutes=30), rng.choice(words.PLACES), text, by.id, at, at,
            "held" if is_over else "planned", rng.choice(words.OUTCOMES) if is_over else "", by.id if is_over else None,
            ended if is_over else None,
        )  # fmt: skip
        for pupil in pupils:
            self.meeting_students.add(row, pupil.id, by.id, at, "yes" if is_over else "")
            self._belongs("meeting", pupil, row, ref, by, at)
        for one in staff:
            self.meeting_staff.add(row, one.id, by.id, at)
        names = {"students": [one.ref for one in pupils], "staff": [one.ref for one in staff]}
        school.log.add(at, by, "meeting.scheduled", ref, **names)
        if is_over:
            school.log.add(ended, by, "meeting.held", ref)

    # --- Plans ---

    def _plan(self, pupil, lead, plan, *, weeks, by=None, group=None):
        rng, school, by = self.rng, self.school, by or lead
        concern, goal, measure, baseline, target, interventions = plan
        starts = school.today - timedelta(weeks=weeks, days=2)
        starts -= timedelta(days=max(0, starts.weekday() - 4))
        at, is_over = self._at(starts, 10), group is None and weeks > 9 and rng.random() < 0.5
        reviewed = starts + timedelta(weeks=6) if weeks >= 7 else None
        review_by = None if is_over else (reviewed or starts) + timedelta(weeks=6)
        ended = school.midnight - timedelta(days=2, hours=9) if is_over else None
        ref = school.ref()
        row = self.plans.add(
            ref, pupil.id, 2 if group else rng.choice((1, 2, 2, 3)), concern, goal, measure, baseline, target, starts, review_by,
            lead.id, group, "ended" if is_over else "active", by.id, at, ended, by.id if is_over else None,
            rng.choice(words.END_REASONS) if is_over else "",
        )  # fmt: skip
        school.log.add(at, by, "plan.created", ref, student=pupil.ref, tier=2)
        for text, how_often in interventions:
            self.done.add(school.ref(), row, text, how_often, starts, by.id, at)
        for week in range(1, weeks + 1):
            day = starts + timedelta(weeks=week)
            if day < school.today:
                share = min(1, week / 11) * rng.uniform(0.6, 1.15)
                value = round(baseline + (target - baseline) * share)
                self.points.add(school.ref(), row, day, value, rng.choice(words.POINT_NOTES), lead.id, self._at(day, 12))
        if reviewed and reviewed < school.today:
            name = school.ref()
            when = self._at(reviewed, 11)
            notes = rng.choice(words.REVIEW_NOTES)
            self.reviews.add(name, row, reviewed, "continue", notes, review_by or reviewed + timedelta(weeks=6), lead.id, when)
            school.log.add(when, lead, "plan.reviewed", ref, review=name, decision="continue")
        if is_over:
            school.log.add(ended, by, "plan.ended", ref)
        self._belongs("plan", pupil, row, ref, by, at)
        return row, at

    def _interventions(self):
        pupils = self.school.pupils[5:]
        for number, (name, text, staff_group, key, plan, weeks) in enumerate(words.INTERVENTIONS):
            lead, ref = self.school.person(key), self.school.ref()
            concern, goal, measure, baseline, target, steps = words.PLANS[plan]
            at = self.school.midnight - timedelta(days=60, hours=-10)
            row = self.interventions.add(
                ref, name, text, concern, goal, measure, baseline, target, weeks, self.school.groups[staff_group][0], lead.id,
                lead.id, at,
            )  # fmt: skip
            self.school.log.add(at, lead, "intervention.added", ref)
            for position, (what, how_often) in enumerate(steps):
                self.steps.add(self.school.ref(), row, what, how_often, position)
            members = pupils[number * 8 : number * 8 + 8]
            for pupil in members:
                generated, when = self._plan(pupil, lead, words.PLANS[plan], weeks=5, group=row)
                self.members.add(row, pupil.id, generated, lead.id, when)
            self.school.log.add(at, lead, "intervention.students_added", ref, count=len(members))

    # --- Forms ---

    def _forms(self):
        """{name: (id, ref)} of the published forms."""
        found, ada = {}, self.school.person("ada")
        at = self.school.midnight - timedelta(days=90, hours=-10)
        for name, text, audiences, names_student, fields in words.FORMS:
            ref = self.school.ref()
            for_whom = (one in audiences for one in ("staff", "referral_users", "students"))
            form = self.form_rows.add(ref, name, text, *for_whom, names_student, at)
            self.form_versions.add(form, json.dumps(fields), at)
            if audiences == ("students",):
                self.readers.add(form, self.school.groups[COUNSELLING[0]][0])
            self.school.log.add(at, ada, "form.added", ref)
            self.school.log.add(at, ada, "form.published", ref, number=1)
            found[name] = (form, ref)
        stu = self.school.pupils[0]
        mood = {"mood": 4, "talk": False, "more": words.WELL[0]}
        self._response(found[words.HOW_ARE_YOU[0]], stu, self.school.cast["stu"], mood)
        return found

    def _response(self, form, pupil, author, answers, at=None):
        form_id, form_ref = form
        ref, at = self.school.ref(), at or self._before(self.school.today)
        row = self.responses.add(ref, form_id, pupil and pupil.id, author.id, at, json.dumps(answers))
        self.school.log.add(at, author, "response.submitted", ref, form=form_ref, number=1)
        if pupil:  # somebody on the staff put it there
            self._belongs("form", pupil, row, ref, author if author in self.staff else self.school.person("kay"), at)
        return row, ref

    def _referrals(self, form):
        """Four of Rae's: two wait, one was accepted, one declined."""
        rae, kay = self.school.cast["rae"], self.school.person("kay")
        pupils = self.school.pupils[3:7]
        for number, (pupil, (text, soon)) in enumerate(zip(pupils, words.REFERRALS, strict=False)):
            state = ("received", "received", "accepted", "declined")[number]
            first, _, last = pupil.full_name.partition(" ")
            at = self.school.midnight - timedelta(days=1 + 6 * number, hours=8)
            answers = {"worry": text, "soon": soon, "known": True, "phone": "01632 960417"}
            row, ref = self._response(form, pupil if state == "accepted" else None, rae, answers, at)
            decided = None if state == "received" else at + timedelta(hours=3)
            self.referrals.add(
                self.school.ref(), row, first, last, fold(f"{last} {first}")[:255], f"Year {pupil.year}", state,
                "known" if state == "accepted" else "", decided and kay.id, decided,
                "Not at our school" if state == "declined" else "",
            )  # fmt: skip
            if state == "accepted":
                self.school.log.add(decided, kay, "referral.accepted", ref, how="known", student=pupil.ref)
            elif state == "declined":
                self.school.log.add(decided, kay, "referral.declined", ref)

    # --- What belongs to a case ---

    def _belongs(self, kind, pupil, row, ref, by, at):
        """Half of what is about a student with an open case was put onto that case."""
        case = self.open_cases.get(pupil.id)
        if case is not None and case[2] < at and self.rng.random() < 0.5:
            self.records.add(case[0], kind, row, ref, by.id, at)
            self.school.log.add(at, by, "case.record_linked", case[1], kind=kind, record=ref)
