"""`python -m benchmarks [--quick] [--database sqlite|postgres] [--only WORD]`: what the real server costs.

Starts `python app.py` on a school of 100,000 incidents, 10,000 cases and 2,000 students, and the floor beside it, measures
both in turns in one run, prints each figure with its target, and writes benchmarks/RESULTS.md. Only ratios are worth comparing
between machines.
"""

import argparse
import contextlib
import sys
import time
from datetime import date, timedelta
from functools import partial
from urllib.parse import urlencode

from benchmarks import instances, measure
from benchmarks.browser import Browser, timed
from benchmarks.results import (
    COMMON_TARGET,
    EVERY_CASE_TARGET,
    GRID_TARGET,
    MY_CASES_TARGET,
    OWN_TARGET,
    RARE_TARGET,
    SUGGEST_TARGET,
    TIMELINE_TARGET,
    Figures,
)
from tests.services import ROOT, LiveServer
from tests.web import forms

DOMAIN = "demo.example.org"
CLIENTS = 4
BENCHES = ("pages", "cases", "cohorts", "searches", "add", "hanging", "bulk", "work", "processes")
COUNTS = "Counts of the filtered report"
# A word of some seventy texts (blueprints/admin/demo_words.py), and one of a third of all.
RARE, COMMON = "lighthouse", "week"


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a small school and few requests: does it run at all?")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--only", default="", help=", ".join(BENCHES))
    options = parser.parse_args(arguments)
    size = instances.Size(5_000, 300, 60, 30, 500) if options.quick else instances.Size()
    figures = Figures(options.database, size, options.quick)
    with instances.world(options.database, size) as world:
        if world.seconds_to_fill:
            figures.add("flask demo, the school itself", f"{world.seconds_to_fill:.0f} s", "at most 120 s",
                        world.seconds_to_fill <= 120)
        bench = Bench(world, figures, options.quick)
        for name in BENCHES:
            if options.only in ("", name):
                getattr(bench, name)()
    print(figures.text())
    if not options.only and not options.quick:
        figures.write(ROOT / "benchmarks" / "RESULTS.md")
    return 0 if figures.all_met else 1


class Bench:
    """The measurements, one method each; every one starts the servers it needs and ends them."""

    def __init__(self, world, figures, quick):
        self.world, self.figures, self.quick = world, figures, quick
        self.rounds = 2 if quick else 8
        self.requests = 10 if quick else 25
        self.seconds = 1.5 if quick else 5

    # --- Servers ---

    @contextlib.contextmanager
    def caseward(self, args=("app.py",), **environ):
        server = LiveServer(self.world.environ | environ, args=args, seconds=60)
        try:
            yield server
        finally:
            server.stop()

    @contextlib.contextmanager
    def floor(self, **environ):
        server = LiveServer(environ, args=("-m", "benchmarks.floor", "serve", self.world.floor))
        try:
            yield server
        finally:
            server.kill()

    def signed_in(self, server, key):
        return Browser(server.url).sign_in(f"{key}@{DOMAIN}", instances.PASSWORD)

    def floor_user(self, server):
        made = Browser(server.url)
        made.get("/in/5")
        return made

    def warm(self, browser, *paths):
        """Every process has compiled its templates and filled its caches before anything is measured."""
        for _ in range(CLIENTS * 2):
            one = browser.another()
            for path in paths * 3:
                one.get(path)
            one.close()

    # --- Pages ---

    def pages(self):
        ((ref,),) = self.world.ask(
            "SELECT incident.ref FROM incident JOIN account ON account.id = incident.assigned_to_id "
            "JOIN incident_action ON incident_action.incident_id = incident.id "
            "WHERE account.email = ? AND incident.status = 'Active' ORDER BY incident.id DESC LIMIT 1",
            f"kay@{DOMAIN}",
        )
        paths = {
            "My Assigned (dashboard)": ("kay", "/"),
            "Incidents list": ("kay", "/incidents"),
            "An incident": ("kay", f"/incidents/{ref}"),
            "Filtered report": ("kay", "/reports/incidents?" + urlencode(self.filters())),
            COUNTS: ("kay", "/reports/incidents/counts?" + urlencode(self.filters())),
            "Dashboard of an Admin Key Holder": ("ada", "/"),
        }
        self.figures.pages("One answer", *self.in_turns(paths), [(COUNTS, None)])

    def in_turns(self, paths):
        """(the floor's Series, {name: Series}) of these pages, {name: (who, path)}."""
        with self.caseward() as server, self.floor() as floor:
            people = {key: self.signed_in(server, key) for key in {key for key, _ in paths.values()}}
            user = self.floor_user(floor)
            for key, path in paths.values():
                self.warm(people[key], path)
            self.warm(user, "/")
            found, base = {name: measure.Series() for name in paths}, measure.Series()
            ours, theirs = measure.tree(server.pid), measure.tree(floor.pid)
            for _ in range(self.rounds):
                measure.take(base, theirs, user.another(), "/", self.requests)
                for name, (key, path) in paths.items():
                    measure.take(found[name], ours, people[key].another(), path, self.requests)
        return base, found

    def filters(self):
        """Two months of Active incidents of one category, as somebody would ask for them."""
        ((category,),) = self.world.ask("SELECT ref FROM category WHERE name = 'Wellbeing' AND parent_id IS NULL")
        ((newest,),) = self.world.ask("SELECT MAX(happened_at) FROM incident")
        to_day = date.fromisoformat(str(newest)[:10])
        return {"from": to_day - timedelta(days=60), "to": to_day, "category": category, "status": "Active"}

    # --- Cases and search ---

    def cases(self):
        ((case, student, name),) = self.world.ask(
            "SELECT student_case.ref, student.ref, student.last_name FROM student_case "
            "JOIN account ON account.id = student_case.coordinator_id "
            "JOIN student ON student.id = student_case.student_id "
            "JOIN case_entry ON case_entry.case_id = student_case.id "
            "WHERE account.email = ? AND student_case.status = 'Open' "
            "GROUP BY student_case.id, student.id ORDER BY COUNT(*) DESC, student_case.id LIMIT 1",
            f"ken@{DOMAIN}",
        )
        searched = urlencode({"q": name})
        paths = {
            "My Cases": ("ken", "/cases/mine"),
            "My Cases of somebody in a group": ("gil", "/cases/mine"),
            "Cases list of an Admin Key Holder": ("ada", "/cases"),
            "A student's page": ("ken", f"/students/{student}"),
            "A student's page, Case tab": ("ken", f"/students/{student}/cases"),
            "A case": ("ken", f"/cases/{case}"),
            "Search for a name": ("ken", f"/search?{searched}"),
            "Suggestions while typing": ("ken", f"/search/suggest?q={name[:3]}"),
            "Dashboard of plain Staff": ("sam", "/"),
        }
        base, found = self.in_turns(paths)
        self.figures.pages("Cases and search", base, found, [("Suggestions while typing", SUGGEST_TARGET)])

    # --- Cohorts ---

    def cohorts(self):
        """The cohort of everybody, with its twelve milestones, and what a student of two cohorts sees."""
        ((cohort, students, milestones),) = self.world.ask(
            "SELECT cohort.ref, COUNT(*), "
            "(SELECT COUNT(*) FROM milestone WHERE milestone.cohort_id = cohort.id) "
            "FROM cohort JOIN cohort_student ON cohort_student.cohort_id = cohort.id "
            "GROUP BY cohort.id, cohort.ref ORDER BY COUNT(*) DESC LIMIT 1"
        )
        ((student,),) = self.world.ask("SELECT ref FROM student WHERE email = ?", f"stu@{DOMAIN}")
        grid, own = f"Progress of {students:,} students × {milestones} milestones", "A student's own dashboard"
        paths = {
            grid: ("ada", f"/cohorts/{cohort}/progress"),
            own: ("stu", "/"),
            "Students of a cohort": ("ada", f"/cohorts/{cohort}"),
            "A student's page, Milestones tab": ("gil", f"/students/{student}/milestones"),
        }
        self.figures.pages("Cohorts", *self.in_turns(paths), [(grid, GRID_TARGET), (own, OWN_TARGET)])

    # --- Timeline and Case Management Dashboard ---

    def work(self):
        """The timeline of a student with five thousand events, and the dashboard over all cases."""
        ((student,),) = self.world.ask("SELECT ref FROM student WHERE email = ?", f"stu@{DOMAIN}")
        events = int(instances.run(["-m", "benchmarks.long_timeline", student], self.world.environ))
        timeline, narrow = f"Timeline of {events:,} events", "The same, of a Key User"
        every, mine = (f"Case Management Dashboard of {who}" for who in ("an Admin Key Holder, over 10,000 cases", "a Key User"))
        paths = {
            timeline: ("ada", f"/students/{student}/timeline"),
            narrow: ("ken", f"/students/{student}/timeline"),
            every: ("ada", "/case-management/dashboard"),
            mine: ("ken", "/case-management/dashboard"),
            "Tasks": ("ken", "/tasks"),
            "Student Meetings": ("ken", "/meetings"),
            "Plans": ("ken", "/plans"),
        }
        targets = [(timeline, TIMELINE_TARGET), (narrow, TIMELINE_TARGET), (every, EVERY_CASE_TARGET), (mine, MY_CASES_TARGET)]
        self.figures.pages("Work", *self.in_turns(paths), targets)

    def searches(self):
        words = (("rare", RARE, RARE_TARGET), ("very common", COMMON, COMMON_TARGET))
        people = (("ken", "a Key User"), ("sam", "plain Staff"))
        found = {}
        with self.caseward() as server:
            for key, who in people:
                browser, ours = self.signed_in(server, key), measure.tree(server.pid)
                for kind, word, target in words:
                    self.warm(browser, f"/search?q={word}")
                    series, _ = found[kind, who] = measure.Series(), target
                    measure.take(series, ours, browser.another(), f"/search?q={word}", self.requests * self.rounds // 2)
        self.figures.searches(found)

    # --- Add incident ---

    def add(self):
        with self.caseward() as server, self.floor() as floor:
            kay, user = self.signed_in(server, "kay"), self.floor_user(floor)
            ours, theirs = measure.tree(server.pid), measure.tree(floor.pid)
            steps = [self.adding(kay.another()) for _ in range(CLIENTS)]
            floor_steps = [self.adding_to_floor(user.another()) for _ in range(CLIENTS)]
            for step in (*steps, *floor_steps) * 5:
                step()
            base, rates = [], []
            for _ in range(1 if self.quick else 3):
                base.append(measure.rate(floor_steps, theirs, self.seconds))
                rates.append(measure.rate(steps, ours, self.seconds))
            problems = [line for line in server.lines if "locked" in line or "Traceback" in line]
        self.figures.add_incident(base, rates, problems)

    def adding(self, browser):
        """A function that opens Add incident and sends it, as a Key User."""
        students = [ref for (ref,) in self.world.ask("SELECT ref FROM student ORDER BY id LIMIT 40")]
        ((category,),) = self.world.ask("SELECT ref FROM category WHERE name = 'Low mood'")
        page = browser.get("/incidents/new")
        form = max(forms(page.body), key=lambda each: len(each.controls))
        typed = {name: values for name, values in form.values.items() if name not in ("csrf_token", "once")}
        typed |= {"category": category, "text": "Was quiet in the morning and better after lunch.", "place": "Library"}
        number = 0

        def step():
            nonlocal number
            number += 1
            page = browser.get("/incidents/new")
            tokens = {"csrf_token": page.hidden("csrf_token"), "once": page.hidden("once")}
            answer = browser.post("/incidents/new", typed | tokens | {"students_ref": students[number % len(students)]})
            if answer.status != 303:
                raise RuntimeError(f"adding answered {answer.status}")

        return step

    def adding_to_floor(self, browser):
        def step():
            token = browser.get("/new").hidden("csrf_token")
            fields = {"csrf_token": token, "person": 7, "place": "Library", "text": "Was quiet in the morning."}
            answer = browser.post("/new", fields)
            if answer.status != 303:
                raise RuntimeError(f"the floor answered {answer.status}")

        return step

    # --- Connections that hang ---

    def hanging(self):
        with self.caseward() as server:
            kay = self.signed_in(server, "kay")
            self.warm(kay, "/incidents")
            ours = measure.tree(server.pid)
            steps = [partial(kay.another().get, "/incidents") for _ in range(CLIENTS)]
            free = [measure.rate(steps, ours, self.seconds)]
            with measure.hanging(kay.address, 200):
                time.sleep(1)
                held = measure.rate(steps, ours, self.seconds)
            free.append(measure.rate(steps, ours, self.seconds))
        usual = sum(each.per_second for each in free) / len(free)
        share = held.per_second / usual
        self.figures.add("Throughput with 200 slow or idle connections", f"{share:.2f} of the usual",
                         "at least 0.50", share >= 0.5 and not held.errors)
        self.figures.note(f"Held open: {held.per_second:.0f} answers a second, {len(held.errors)} errors; "
                          f"without them {usual:.0f}.")

    # --- Bulk closing ---

    def bulk(self):
        wanted = 1_000 if self.quick else 20_000
        oldest = "SELECT happened_at FROM incident WHERE status = 'Active' ORDER BY happened_at LIMIT ?"
        days = self.world.ask(oldest, wanted)
        first, last = (date.fromisoformat(str(row[0])[:10]) for row in (days[0], days[-1]))
        with self.caseward() as server:
            ada = self.signed_in(server, "ada")
            address = "/admin/bulk-closing?" + urlencode({"from": first, "to": last})
            page, looking = timed(lambda: ada.get(address))
            form = next(each for each in forms(page.body) if "number" in each.controls)
            closed_before = self.closed()
            number = self.previewed(page.text)
            fields = form.values | {"number": str(number)}
            answer, closing = timed(lambda: ada.post("/admin/bulk-closing", fields))
            if answer.status != 303:
                raise RuntimeError(f"bulk closing answered {answer.status}")
        closed = self.closed() - closed_before
        limit = 2 if self.figures.database == "sqlite" else None
        self.figures.add(f"Bulk closing of {closed:,} incidents", f"{closing:.2f} s",
                         f"at most {limit} s" if limit else "(no target)", limit is None or closing <= limit)
        self.figures.add("Preview equal to what closes", f"{number:,} and {closed:,}", "equal", number == closed)
        self.figures.note(f"The preview of the bulk closing took {looking:.2f} s.")

    def closed(self):
        return self.world.ask("SELECT COUNT(*) FROM incident WHERE status = 'Closed'")[0][0]

    def previewed(self, html):
        """The number the preview shows in large type."""
        return int(html.partition('class="big-number">')[2].partition("<")[0].replace(",", ""))

    # --- Processes and threads ---

    def processes(self):
        rows = []
        for processes, threads in ((1, 1), (1, 2), (1, 4), (2, 1), (2, 2), (2, 4)):
            args = ("-m", "benchmarks.serve", str(threads))
            with self.caseward(args, CASEWARD_WEB_PROCESSES=str(processes)) as server:
                kay = self.signed_in(server, "kay")
                self.warm(kay, "/incidents", "/")
                steps = [partial(kay.another().get, path) for path in ("/incidents", "/") * (CLIENTS // 2)]
                found = measure.rate(steps, measure.tree(server.pid), self.seconds)
                rows.append((processes, threads, found))
        self.figures.processes(rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
