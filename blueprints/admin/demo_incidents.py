"""The incidents of the demo school: a few to look at, or a hundred thousand to measure with.

Everything lies on school days before `midnight`, nothing later. Oli wrote none and was alerted to none: the outsider
sees an empty list. Must not read the clock.
"""

from collections import defaultdict
from datetime import timedelta
from operator import itemgetter

import permissions
from blueprints.admin import demo_words as words
from blueprints.admin.demo_tables import Table
from blueprints.kit import bodymap
from models import (
    BodyMark,
    Incident,
    IncidentAction,
    IncidentAlert,
    IncidentAssignment,
    IncidentClosure,
    IncidentStudent,
    IncidentVersion,
    PartCategory,
)

BATCH = 2000  # incidents
ROLES = ("subject", "affected", "involved", "witness")
# Up to how many days old, how many of a hundred are still Active, and of those how many are assigned to somebody.
STILL_ACTIVE = ((14, 78, 70), (60, 45, 65), (365, 32, 55), (10_000, 26, 12))


class DemoIncidents:
    """Writes incidents with everything that hangs on them; their events go into the school's log."""

    def __init__(self, school):
        self.school, self.rng, self.midnight = school, school.rng, school.midnight
        self.recent = []  # (id, author's id, when) of the newest ones, for files
        self.of_pupil = defaultdict(list)  # pupil's id: (id, ref, when) of what cases may link to
        self.assigned = []  # (assignee, id, ref, when, author) of the newest ones, for notifications
        staff = [one for one in school.staff if one.key != "oli"]
        self.authors = staff
        self.author_weights = [{"sam": 6, "kay": 3, "ken": 3}.get(one.key, 2) for one in staff]
        self.key_users = [one for one in staff if one.role in permissions.KEY_ROLES]
        self.key_weights = [{"kay": 5, "ken": 4, "ada": 1}.get(one.key, 2) for one in self.key_users]
        self.leaf_weights = [leaf[3] for leaf in school.categories]
        self.counselling = school.groups[words.COUNSELLING[0]][0]
        self.ada = school.person("ada")
        self.incidents = Table(
            Incident, "ref", "text", "text_version", "happened_at", "entered_at", "place", "author", "status",
            "assigned_to",
        )  # fmt: skip
        self.versions = Table(IncidentVersion, "incident", "number", "text", "author", "at", "reason")
        self.parts = Table(IncidentStudent, "incident", "student", "role")
        self.picks = Table(PartCategory, "part", "category")
        self.alerts = Table(IncidentAlert, "incident", "account", "group", "alerted_by", "at")
        self.assignments = Table(IncidentAssignment, "incident", "to", "assigned_by", "at")
        self.closures = Table(
            IncidentClosure, "incident", "closed_by", "closed_at", "reopened_by", "reopened_at", "reopen_reason"
        )
        self.actions = Table(
            IncidentAction, "ref", "incident", "text", "author", "at", "person", "due_on", "done_at", "done_by"
        )
        self.marks = Table(BodyMark, "ref", "incident", "number", "view", "x", "y", "region", "note", "author", "at")

    @property
    def tables(self):
        """In the order in which rows may refer to rows."""
        return (
            self.incidents, self.versions, self.parts, self.picks, self.alerts, self.assignments, self.closures,
            self.actions, self.marks,
        )  # fmt: skip

    # --- When ---

    def moments(self, count):
        """`count` pairs (happened, entered) on school days, the first entered first."""
        span = min(2190, max(60, round(count * 0.75)))
        mornings = [self.school.today - timedelta(days=back) for back in range(1, span + 1)]
        mornings = [self.school.midnight_of(day) for day in mornings if day.weekday() < 5]
        found = []
        for _ in range(count):
            back = min(int(self.rng.random() ** 1.15 * len(mornings)), len(mornings) - 1)
            happened = mornings[back] + timedelta(minutes=self.rng.randrange(8 * 60 + 30, 15 * 60 + 30))
            if back and self.rng.random() < 0.1:
                entered = mornings[back - 1] + timedelta(minutes=self.rng.randrange(8 * 60, 9 * 60))
            else:
                entered = happened + timedelta(minutes=self.rng.randrange(10, 150))
            found.append((happened, entered))
        found.sort(key=itemgetter(1))
        return found

    # --- What ---

    def add(self, count):
        """Write `count` incidents. The last two are Active and assigned to Kay and to Ken, whatever the seed; Kay's is
        about Stu."""
        promised = {count: self.school.person("kay"), count - 1: self.school.person("ken")}
        for number, (happened, entered) in enumerate(self.moments(count), start=1):
            seldom = number % words.SELDOM_EVERY == 0
            self._incident(happened, max(happened, entered), promised.get(number), number > count - 40, seldom)
            if number % BATCH == 0:
                self._write()
        self._write()
        for table in self.tables:
            table.close()

    def _write(self):
        for table in self.tables:
            table.write()

    def _incident(self, happened, entered, promised, newest, seldom):
        rng, school = self.rng, self.school
        leaf, child, top, _weight = rng.choices(school.categories, self.leaf_weights)[0]
        if promised and child == words.NEED_TO_KNOW:
            leaf, child, top, _weight = school.categories[0]
        private = child == words.NEED_TO_KNOW
        (author,) = rng.choices(self.authors, self.author_weights)
        pupils = rng.sample(school.pupils, min(len(school.pupils), rng.choices((1, 2, 3, 4), (76, 17, 5, 2))[0]))
        if promised and promised.key == "kay":
            pupils = [school.pupils[0], *(one for one in pupils if one is not school.pupils[0])]
        text = self._text(top, pupils)
        if seldom:
            text = f"{text} {words.SELDOM}"
        status, assignee = self._state(entered, private)
        if promised:
            status, assignee = "Active", promised
        edited = rng.random() < 0.04
        second = f"{text} {rng.choice(words.ENDS[:-1])}".format(**self.school.fill_ins(pupils)) if edited else text
        ref = school.ref("I-", 6)
        place = rng.choice(words.PLACES)
        incident = self.incidents.add(
            ref, second, 1 + edited, happened, entered, place, author.id, status, assignee and assignee.id
        )
        self.versions.add(incident, 1, text, author.id, entered, "")
        if edited:
            at = self.school.later(entered, 3)
            self.versions.add(incident, 2, second, author.id, at, rng.choice(words.EDIT_REASONS))
            self.school.log.add(at, author, "incident.text_changed", ref, number=2)
        self._parts(incident, pupils, leaf, private)
        self.school.log.add(
            entered, author, "incident.added", ref,
            students=[one.ref for one in pupils], status="Active", assigned_to=assignee.ref if assignee else None,
        )  # fmt: skip
        if assignee:
            self.assignments.add(incident, assignee.id, author.id, entered)
        told = self._alerts(incident, author, pupils[0], private, entered)
        if child == "Injury in school" and rng.random() < 0.6:
            self._marks(incident, author, entered)
        closed_at = self._closing(incident, ref, status, assignee, private, entered)
        if rng.random() < 0.45:
            self._actions(incident, ref, author, [assignee or author, *told], pupils, entered, closed_at)
        if newest:
            self.recent.append((incident, author.id, entered))
            if assignee and status == "Active":
                self.assigned.append((assignee, incident, ref, entered, author))
        if not private:
            self.of_pupil[pupils[0].id].append((incident, ref, entered))

    def _text(self, top, pupils):
        rng = self.rng
        middles = words.MIDDLES + (words.CLASSROOM if top in words.CLASSROOM_CATEGORIES else ())
        middles = rng.sample(middles, rng.choice((1, 2, 2, 3, 5)))
        text = " ".join([rng.choice(words.OPENINGS[top]), *middles[:3]])
        if middles[3:]:
            text += "\n\n" + " ".join(middles[3:])
        text = f"{text} {rng.choice(words.ENDS)}".strip().format(**self.school.fill_ins(pupils))
        # "another student" opens a sentence now and then.
        return text.replace(". another student", ". Another student").replace("\nanother", "\nAnother")

    def _state(self, entered, private):
        age = (self.midnight - entered).days
        active, assigned = next((a, b) for days, a, b in STILL_ACTIVE if age < days)
        status = "Active" if self.rng.random() * 100 < active else "Closed"
        if self.rng.random() * 100 >= (assigned if status == "Active" else 50):
            return status, None
        return status, self.ada if private else self.rng.choices(self.key_users, self.key_weights)[0]

    def _parts(self, incident, pupils, leaf, private):
        rng = self.rng
        for number, pupil in enumerate(pupils):
            part = self.parts.add(incident, pupil.id, ROLES[0] if number == 0 else rng.choice(ROLES))
            self.picks.add(part, leaf)
            if rng.random() < 0.3 and not private:
                other = rng.choices(self.school.categories, self.leaf_weights)[0]
                if other[0] != leaf and other[1] != words.NEED_TO_KNOW:
                    self.picks.add(part, other[0])

    def _alerts(self, incident, author, pupil, private, at):
        """Alert colleagues or a group; returns the people who were alerted by name."""
        rng = self.rng
        if private:
            self.alerts.add(incident, None, self.counselling, author.id, at)
            return []
        if rng.random() < 0.3:
            self.alerts.add(incident, None, self.school.groups[f"Year {pupil.year} tutors"][0], author.id, at)
        told = []
        if rng.random() < 0.35:
            told = [one for one in rng.sample(self.authors, rng.choice((1, 1, 2))) if one is not author]
        for person in told:
            self.alerts.add(incident, person.id, None, author.id, at)
        return told

    def _closing(self, incident, ref, status, assignee, private, entered):
        """Close what is Closed, and reopen a few of the Active ones; returns when it was closed."""
        rng = self.rng
        if status == "Active" and rng.random() >= 0.03:
            return None
        person = assignee or (self.ada if private else rng.choices(self.key_users, self.key_weights)[0])
        at = self.school.later(entered, 30)
        self.school.log.add(at, person, "incident.closed", ref)
        if status == "Closed":
            self.closures.add(incident, person.id, at, None, None, "")
            return at
        again = self.school.later(at, 10)
        self.closures.add(incident, person.id, at, person.id, max(at, again), rng.choice(words.REOPEN_REASONS))
        self.school.log.add(max(at, again), person, "incident.reopened", ref)
        return None

    def _actions(self, incident, ref, author, people, pupils, entered, closed_at):
        rng = self.rng
        for _ in range(rng.choice((1, 1, 2))):
            name = self.school.ref()
            at = self.school.later(entered, 2)
            text = rng.choice(words.ACTIONS).format(**self.school.fill_ins(pupils))
            person = rng.choice(people) if rng.random() < 0.75 else None
            due = done = None
            if closed_at:
                done = max(at, closed_at)
                due = (at + timedelta(days=rng.randrange(1, 8))).date() if person else None
            elif person and self.midnight - entered < timedelta(days=60) and rng.random() < 0.7:
                due = (self.midnight + timedelta(days=rng.randrange(-6, 14))).date()
            else:
                done = at
            doer = person or author
            self.actions.add(
                name, incident, text, author.id, at, person and person.id, due, done, doer.id if done else None
            )
            self.school.log.add(at, author, "incident.action_added", ref, action=name)

    def _marks(self, incident, author, at):
        rng = self.rng
        for number in range(1, rng.choice((2, 2, 3))):
            region = rng.choice(bodymap.REGIONS)
            self.marks.add(
                self.school.ref(), incident, number, region.view, float(region.x), float(region.y), region.key,
                rng.choice(words.MARK_NOTES), author.id, at,
            )  # fmt: skip
