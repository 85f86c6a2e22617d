"""The cases of the demo school: forty to look at, or ten thousand to measure with.

Like the incidents they lie before midnight of today, and Oli is on none. A few are promised to the cast, whatever the
seed: PROMISED. Must not read the clock.
"""

import json
from datetime import timedelta
from operator import itemgetter

import permissions
from blueprints.admin import demo_case_words as words
from blueprints.admin.demo_tables import Table
from blueprints.admin.demo_words import COUNSELLING, GROUPS, SELDOM, SELDOM_EVERY
from models import (
    Announcement,
    Case,
    CaseAgency,
    CaseAgencyVersion,
    CaseClosure,
    CaseEntry,
    CaseEntryVersion,
    CaseFollower,
    CaseGroup,
    CaseIncident,
    CasePresenting,
    CaseStaff,
    CaseType,
    CloseReason,
    Notification,
)

BATCH = 2000  # cases
NEWS = timedelta(days=21)  # what is older is in nobody's list of notifications

# The newest first; `days`: how long ago it was opened. The first is about Stu: Counselling works on it.
PROMISED = (
    {"days": 24, "type": "Wellbeing", "opened_by": "kay", "primary_advocate": "sam", "coordinator": "ken",
     "following": ("kay",), "staff": (), "groups": (COUNSELLING[0],), "agencies": ("child_protection",)},
    {"days": 40, "type": "Child protection", "opened_by": "ken", "primary_advocate": "kay", "coordinator": "ken",
     "following": ("sam",), "staff": ("gil",), "groups": (GROUPS[0][0],), "agencies": tuple(words.AGENCIES)},
    {"days": 65, "type": "Attendance", "opened_by": "ada", "primary_advocate": None, "coordinator": "kay",
     "following": ("ken", "sam"), "staff": ("mo",), "groups": ("Attendance",), "agencies": ()},
)  # fmt: skip


class DemoCases:
    """Writes cases with everything that hangs on them. `of_pupil`: what they may link to, `assigned`: what else the
    notifications tell of; both as DemoIncidents gathered them."""

    def __init__(self, school, incidents):
        self.school, self.rng, self.midnight = school, school.rng, school.midnight
        self.of_pupil, self.assigned = incidents.of_pupil, incidents.assigned
        self.staff = [one for one in school.staff if one.key != "oli"]
        self.openers = incidents.key_users
        self.opener_weights = [1 if one.key == "ada" else 2 for one in self.openers]
        self.further_groups = list(school.groups)[1 + len(GROUPS) :]
        self.teams = [name for name, members in school.members.items() if len(members) > 2]
        self.types = {name: (id, ref) for id, ref, name in CaseType.select(CaseType.id, CaseType.ref, CaseType.name).tuples()}
        self.close_reasons = list(CloseReason.select(CloseReason.id, CloseReason.ref).order_by(CloseReason.position).tuples())
        self.newest = None  # (id, ref, opener's id, when), for a file
        self.open_cases = {}  # by the student's id: (id, ref, when it was opened) of one that is open
        self.cases = Table(
            Case, "ref", "student", "case_type", "title", "status", "opened_by", "opened_at", "last_activity_at",
            "primary_advocate", "coordinator",
        )  # fmt: skip
        self.followers = Table(CaseFollower, "case", "account", "added_by", "at")
        self.individuals = Table(CaseStaff, "case", "account", "from_group", "attached_by", "at")
        self.groups = Table(CaseGroup, "case", "group", "attached_by", "at")
        self.entries = Table(CaseEntry, "ref", "case", "author", "at", "text", "text_version")
        self.versions = Table(CaseEntryVersion, "entry", "number", "text", "author", "at", "reason")
        self.presenting = Table(
            CasePresenting, "case", "number", "referral_date", "source", "concern", "narrative", "author", "at"
        )
        self.agencies = Table(
            CaseAgency, "ref", "case", "section", "agency", "person", "phone", "reference", "status", "started_on", "ended_on",
            "notes", "author", "at", "version",
        )  # fmt: skip
        self.agency_versions = Table(CaseAgencyVersion, "agency", "number", "fields", "author", "at")
        self.closures = Table(
            CaseClosure, "case", "closed_by", "closed_at", "reason", "outcome", "reopened_by", "reopened_at", "reopen_reason"
        )
        self.links = Table(CaseIncident, "case", "incident", "linked_by", "at")
        self.notifications = Table(Notification, "ref", "account", "kind", "target", "target_id", "detail", "at", "read_at")

    @property
    def tables(self):
        """In the order in which rows may refer to rows."""
        return (
            self.cases, self.followers, self.individuals, self.groups, self.entries, self.versions, self.presenting,
            self.agencies, self.agency_versions, self.closures, self.links, self.notifications,
        )  # fmt: skip

    # --- When ---

    def openings(self, count):
        """`count` pairs (when it was opened, what is promised about it or None), in the order of time."""
        promised = PROMISED[:count]
        found = [(self._school_day(one["days"]), one) for one in promised]
        span = min(1100, max(200, count))
        for _ in range(count - len(promised)):
            found.append((self._school_day(2 + int(self.rng.random() ** 1.2 * span)), None))
        return sorted(found, key=itemgetter(0))

    def _school_day(self, back):
        """A moment of school time about so many days ago, and never on a weekend."""
        day = self.school.today - timedelta(days=back)
        return self._in_school_hours(day - timedelta(days=max(0, day.weekday() - 4)))

    def _next_school_day(self, moment, days):
        """The same on a later day than this moment, about so many days after it at most."""
        day = (moment + timedelta(days=self.rng.randrange(1, days + 1))).date()
        friday = day - timedelta(days=max(0, day.weekday() - 4))
        return self._in_school_hours(friday if friday > moment.date() else day + timedelta(days=7 - day.weekday()))

    def _in_school_hours(self, day):
        return self.school.midnight_of(day) + timedelta(minutes=self.rng.randrange(9 * 60, 16 * 60))

    # --- What ---

    def add(self, count):
        """Write `count` cases, what people were told of them, and the announcements."""
        for number, (opened, promised) in enumerate(self.openings(count), start=1):
            self._case(opened, promised, seldom=number % (SELDOM_EVERY // 10) == 0)
            if number % BATCH == 0:
                self._write()
        for person, incident, ref, at, author in self.assigned:
            self._tell("incident_assigned", [person], author, ref, incident, at)
        self._announce()
        self._write()
        for table in self.tables:
            table.close()

    def _write(self):
        for table in self.tables:
            table.write()

    def _case(self, opened, promised, seldom):
        rng, school = self.rng, self.school
        kind = promised["type"] if promised else rng.choices(list(words.TYPES), [w for w, _ in words.TYPES.values()])[0]
        stu, *others = school.pupils
        pupil = stu if promised is PROMISED[0] or not others else rng.choice(others)
        on = self._promised_people(promised) if promised else self._people(kind, pupil)
        case, ref, opener = self.cases.last_id + 1, school.ref("C-", 6), on["opened_by"]
        type_id, type_ref = self.types[kind]
        school.log.add(opened, opener, "case.opened", ref, student=pupil.ref, case_type=type_ref)
        self._attach(case, ref, on, opened)
        everybody = self._everybody(on)
        title, concern = rng.choice(words.ABOUT[kind])
        self._presenting(case, ref, concern, pupil, opener, opened)
        likely = {"Child protection": 0.6}.get(kind, 0.08)
        for section in promised["agencies"] if promised else [each for each in words.AGENCIES if rng.random() < likely]:
            self._agency(case, ref, section, opener, school.later(opened, 9))
        linked = self._link(case, ref, pupil, opener, opened, everybody, promised)
        last = max(linked, self._entries(case, ref, kind, pupil, opened, everybody, promised, seldom))
        status, last = self._closing(case, ref, pupil, on, opened, last, promised)
        advocate, coordinator = on["primary_advocate"], on["coordinator"]
        self.cases.add(
            ref, pupil.id, type_id, title, status, opener.id, opened, last,
            advocate and advocate.id, coordinator and coordinator.id,
        )  # fmt: skip
        if status == "Open":
            self.open_cases[pupil.id] = (case, ref, opened)
        if promised is PROMISED[0]:
            self.newest = (case, ref, opener, last)
            self._tell("student_changed", [advocate, coordinator], opener, pupil.ref, pupil.id, last, "contact")

    # --- Who ---

    def _promised_people(self, promised):
        person = self.school.person
        on = {name: promised[name] and person(promised[name]) for name in ("opened_by", "primary_advocate", "coordinator")}
        on["following"] = [person(key) for key in promised["following"]]
        on["staff"] = [(person(key), None) for key in promised["staff"]]
        on["groups"] = list(promised["groups"])
        return on

    def _people(self, kind, pupil):
        """Who is on a case: its opener always, everybody else with some luck."""
        rng = self.rng
        usual = words.TYPES[kind][1] or f"Year {pupil.year} tutors"
        groups = []
        if rng.random() < 0.6:
            groups = [rng.choice(self.further_groups) if self.further_groups and rng.random() < 0.8 else usual]
        (opener,) = rng.choices(self.openers, self.opener_weights)
        ticked, in_group = [], rng.choice(self.teams) if self.teams else None
        if in_group and in_group not in groups:
            ticked = rng.sample(self.school.members[in_group], rng.choice((0, 0, 1, 2)))
        return {
            "opened_by": opener,
            "primary_advocate": rng.choice(self.staff) if rng.random() < 0.7 else None,
            "coordinator": rng.choices(self.openers, self.opener_weights)[0] if rng.random() < 0.6 else None,
            "following": rng.sample(self.staff, min(len(self.staff), rng.choice((0, 0, 1, 1, 2, 3)))),
            "staff": [(one, self.school.groups[in_group][0]) for one in ticked],
            "groups": groups,
        }

    def _everybody(self, on):
        """Who works on the case, each once."""
        found = [on["primary_advocate"], on["coordinator"], *on["following"], *(one for one, _ in on["staff"])]
        found += [one for name in on["groups"] for one in self.school.members[name]]
        return list({one.id: one for one in found if one}.values())

    def _attach(self, case, ref, on, opened):
        opener, at = on["opened_by"], opened + timedelta(minutes=self.rng.randrange(2, 20))
        for name in on["groups"]:
            self.groups.add(case, self.school.groups[name][0], opener.id, at)
        for person, group in on["staff"]:
            self.individuals.add(case, person.id, group, opener.id, at)
        for person in on["following"]:
            self.followers.add(case, person.id, opener.id, at)
        if on["groups"] or on["staff"]:
            groups = [self.school.groups[name][1] for name in on["groups"]]
            self.school.log.add(
                at, opener, "case.attached", ref, accounts=[one.ref for one, _ in on["staff"]], groups=groups
            )
        advocate, coordinator = on["primary_advocate"], on["coordinator"]
        if advocate or coordinator or on["following"]:
            self.school.log.add(
                at, opener, "case.people_saved", ref, primary_advocate=advocate and advocate.ref,
                coordinator=coordinator and coordinator.ref, following=[one.ref for one in on["following"]],
            )  # fmt: skip
        self._tell("case_added", self._everybody(on), opener, ref, case, at)

    # --- What is written on it ---

    def _presenting(self, case, ref, concern, pupil, opener, opened):
        rng, at = self.rng, opened
        source, narrative = rng.choice(words.SOURCES), rng.sample(words.NARRATIVES, rng.choice((1, 2, 3)))
        for number in range(1, 2 + (rng.random() < 0.2)):
            at = at + timedelta(minutes=rng.randrange(10, 40)) if number == 1 else self.school.later(at, 5)
            texts = (concern, " ".join(narrative[: number + 1]))
            concern_text, narrative_text = (text.format(**self.school.fill_ins([pupil])) for text in texts)
            referred = (opened - timedelta(days=rng.randrange(0, 9))).date()
            self.presenting.add(case, number, referred, source, concern_text, narrative_text, opener.id, at)
            self.school.log.add(at, opener, "case.presenting_saved", ref, number=number)

    def _agency(self, case, ref, section, author, at):
        rng, name = self.rng, self.school.ref()
        agencies, people, statuses, notes = words.AGENCIES[section]
        row = {
            "agency": rng.choice(agencies),
            "person": rng.choice(people),
            "phone": f"01632 960{rng.randrange(1000):03}",
            "reference": f"{rng.choice('ABCDEFGH')}{rng.randrange(10_000, 99_999)}",
            "status": rng.choice(statuses),
            "started_on": at.date(),
            "ended_on": None,
            "notes": rng.choice(notes),
        }
        later = self.school.later(at, 12) if rng.random() < 0.15 else None
        agency = self.agencies.add(name, case, section, *row.values(), author.id, later or at, 2 if later else 1)
        self.school.log.add(at, author, "case.agency_added", ref, agency=name, section=section)
        if later:
            before = row | {"notes": "", "started_on": row["started_on"].isoformat()}
            self.agency_versions.add(agency, 1, json.dumps(before), author.id, at)
            self.school.log.add(later, author, "case.agency_changed", ref, agency=name, fields=["notes"])

    def _link(self, case, ref, pupil, opener, opened, everybody, promised):
        """Up to two incidents about the student from about the time the case was opened; returns when the last was."""
        until = self.midnight if promised else opened + timedelta(days=10)
        known = [each for each in self.of_pupil[pupil.id] if each[2] < until]
        at = opened
        for incident, name, entered in known[-2:] if promised else known[-1 : -1 - self.rng.choice((0, 1, 1, 2)) : -1]:
            at = max(at, opened, entered) + timedelta(minutes=self.rng.randrange(20, 90))
            self.links.add(case, incident, opener.id, at)
            self.school.log.add(at, opener, "case.incident_linked", ref, incident=name)
            key_users = [one for one in everybody if one.role in permissions.KEY_ROLES]  # they see the incident
            self._tell("case_changed", key_users, opener, ref, case, at, "incident")
        return at

    def _entries(self, case, ref, kind, pupil, opened, everybody, promised, seldom):
        """Entries by the people on the case until today or until they stop; returns when the last was written."""
        rng, last = self.rng, opened
        authors, texts = everybody or [rng.choice(self.openers)], self._texts(kind, pupil)
        for _ in range(6 if promised else rng.choices((1, 2, 3, 5, 8), (20, 25, 25, 20, 10))[0]):
            at = self._next_school_day(last, 3 if promised else 14)
            if self.midnight - at < timedelta(days=1, hours=12):
                break
            last, author = at, rng.choice(authors)
            self._entry(case, ref, author, at, next(texts) + (f" {SELDOM}" if seldom else ""))
            self._tell("case_changed", everybody, author, ref, case, at, "entry")
        if promised is PROMISED[0]:  # everybody on it has something new to read
            last, mo = max(last, self._school_day(1)), self.school.person("mo")
            self._entry(case, ref, mo, last, next(texts))
            self._tell("case_changed", everybody, mo, ref, case, last, "entry", unread=True)
        return last

    def _entry(self, case, ref, author, at, text):
        rng, name, changed = self.rng, self.school.ref(), self.rng.random() < 0.06
        entry = self.entries.add(name, case, author.id, at, text, 1 + changed)
        self.school.log.add(at, author, "case.entry_added", ref, entry=name)
        self.versions.add(entry, 1, text.rpartition(". ")[0] + "." if changed else text, author.id, at, "")
        if changed:
            again = at + timedelta(minutes=rng.randrange(5, 50))
            self.versions.add(entry, 2, text, author.id, again, rng.choice(words.EDIT_REASONS))
            self.school.log.add(again, author, "case.entry_changed", ref, entry=name, number=2)

    def _texts(self, kind, pupil):
        """What the entries of one case say, without end and with as little said twice as can be."""
        rng = self.rng
        while True:
            openings = words.OPENINGS[kind] + words.GENERAL
            middles = rng.sample(words.MIDDLES, len(words.MIDDLES))
            for number, opening in enumerate(rng.sample(openings, len(openings))):
                place = 2 * number % len(middles)
                text = " ".join([opening, *middles[place : place + rng.choice((1, 2, 2))], rng.choice(words.ENDS)])
                yield text.strip().format(**self.school.fill_ins([pupil]))

    def _closing(self, case, ref, pupil, on, opened, last, promised):
        """Close old ones, and reopen a few; returns (status, when anything happened last)."""
        rng, age = self.rng, self.midnight - opened
        if promised or rng.random() > (0.1 if age < timedelta(days=60) else 0.45 if age < timedelta(days=200) else 0.8):
            return "Open", last
        person, at = on["coordinator"] or on["opened_by"], self.school.later(last, 20)
        reason, reason_ref = rng.choices(self.close_reasons, [8, *[1] * (len(self.close_reasons) - 1)])[0]
        outcome = rng.choice(words.OUTCOMES).format(**self.school.fill_ins([pupil]))
        self.school.log.add(at, person, "case.closed", ref, reason=reason_ref)
        again = self.school.later(at, 15)
        if again > at and rng.random() < 0.08:
            self.closures.add(case, person.id, at, reason, outcome, person.id, again, rng.choice(words.REOPEN_REASONS))
            self.school.log.add(again, person, "case.reopened", ref)
            return "Open", again
        self.closures.add(case, person.id, at, reason, outcome, None, None, "")
        return "Closed", at

    # --- Telling ---

    def _tell(self, kind, people, actor, target, target_id, at, detail="", unread=False):
        """As events.notify() does, without an email. What is more than a few days old was read, unless it is `unread`."""
        if self.midnight - at > NEWS:
            return
        for person in people:
            if person is None or person.id == actor.id or person.role not in permissions.STAFF_ROLES:
                continue
            is_read = not unread and (self.midnight - at > timedelta(days=4) or self.rng.random() < 0.3)
            read = min(at + timedelta(hours=self.rng.randrange(1, 40)), self.midnight - timedelta(minutes=5))
            self.notifications.add(
                self.school.ref(), person.id, kind, target, target_id, detail, at, max(at, read) if is_read else None
            )

    def _announce(self):
        ada = self.school.person("ada")
        table = Table(Announcement, "ref", "title", "text", "author", "at", "ends_on")
        for title, text, days in words.ANNOUNCEMENTS:
            at = self.midnight - timedelta(hours=15, days=max(0, 14 - days))
            name = self.school.ref()
            table.add(name, title, text, ada.id, at, self.school.today + timedelta(days=days))
            self.school.log.add(at, ada, "announcement.added", name)
        table.close()
