"""What every template may use: filters for times and sizes, the navigation, and a few globals.

Must not query anything: the guard in app.py has put the account and the school on `g`.
"""

import hashlib
import secrets
from functools import cache, lru_cache, partial
from pathlib import Path

import flask.templating
from flask import current_app, g, request, url_for
from markupsafe import Markup

import permissions
from blueprints.kit.forms import options, school_zone
from blueprints.kit.text import human_size
from extensions import clock
from models import Account

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
TIME = Markup('<time datetime="{}">{}</time>')


class Environment(flask.templating.Environment):
    """Flask's, where a template has its globals in one dictionary and not in two in a chain: asking the chain, for each template
    that a page imports, took a twentieth of the page. Globals have to be there before the first template is loaded."""

    def make_globals(self, d):
        return {**self.globals, **(d or {})}


def register(app):
    """Give the application's templates their filters and globals."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(day=day, moment=moment, ago=ago, filesize=human_size, thousands=thousands, options=options)
    app.jinja_env.globals.update(
        can=lambda capability: permissions.can(g.get("user"), capability),
        navigation=navigation,
        one_time_key=lambda: secrets.token_urlsafe(12),
        asset=partial(_asset, _asset_version(Path(app.static_folder))),
        student_word=lambda: g.school.student_word,
        student_words=student_words,
        ROLES=permissions.ROLES,
        now=clock.now,
    )


WORDS = {"Student": "Students", "Pupil": "Pupils", "Client": "Clients", "Young person": "Young people"}


def student_words():
    """What the school calls several students."""
    return WORDS.get(g.school.student_word, g.school.student_word + "s")


def nudge(name="deliver"):
    """Ask the worker to look at once at what was just committed (see tasks.py; views may not import it)."""
    current_app.extensions["caseward_nudge"](name)


def written_day(value):
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def day(value, zone=None):
    """A date, or the school day of a moment, as "14 Nov 2026" in a <time>; nothing for None. `zone` as for moment()."""
    if value is None:
        return ""
    return _day(value, (zone or school_zone()) if hasattr(value, "hour") else None)


@lru_cache(4096)
def _day(value, place):
    """Kept, as a moment is."""
    on = value.astimezone(place).date() if place else value
    return TIME.format(on.isoformat(), written_day(on))


def moment(value, zone=None):
    """A moment in school time as "14 Nov 2026, 09:40" in a <time>; nothing for None. Who writes many knows the `zone`."""
    if value is None:
        return ""
    return _moment(value, zone or school_zone())


@lru_cache(4096)
def _moment(value, place):
    """Kept, because a list writes fifty of them and the next list the same fifty."""
    local = value.astimezone(place)
    machine = local.isoformat(timespec="minutes")
    return TIME.format(machine, f"{written_day(local)}, {local:%H:%M}")


def thousands(number):
    """A number as people read it: 1,204."""
    return f"{number:,}"


def ago(value):
    """How long ago a moment was, in whole minutes, hours or days: "3 days"."""
    minutes = max(0, int((clock.now() - value).total_seconds() // 60))
    for size, word in ((1440, "day"), (60, "hour")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {word}{'' if count == 1 else 's'}"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


# --- Navigation: only what the account may use (DOMAIN.md, ruling 23) ---------------------------------------------------

# Who fills in forms without being staff has them as an entry of their own: there is nothing else for them under Tools.
OWN_FORMS = "form.fill, not as staff"

MENU = (
    ("Dashboard", "home.dashboard", None, ()),
    ("Students", "students.index", "student.search", ()),
    ("Incidents", "incidents.index", "incident.read", ()),
    ("Cases", "cases.index", "case.read", (("My Cases", "cases.mine", "case.read"),)),
    (
        "Case Management",  # leads to what is still missing, as the reference's ten steps begin there
        "cohorts.set_up",
        "set_up.read",
        (
            ("Dashboard", "timeline.dashboard", "case.read"),
            ("Set-up checklist", "cohorts.set_up", "set_up.read"),
            ("Milestones", "cohorts.supported", "milestone.support"),
            ("Groups", "admin.own_groups", "group.manage"),
            ("Cohorts", "cohorts.index", "cohort.manage"),
            ("Dictionary", "cases.dictionary", "dictionary"),
        ),
    ),
    (
        "Tools",
        "forms.index",
        "response.read",
        (
            ("Forms", "forms.index", "form.fill"),
            ("Student Meetings", "cases.meetings", "meeting.read"),
            ("Tasks", "cases.tasks", "task.read"),
            ("Plans", "plans.index", "plan.read"),
            ("Intervention groups", "plans.interventions", "plan.read"),
            ("Referrals", "forms.referrals", "response.read"),
        ),
    ),
    ("Forms", "forms.index", OWN_FORMS, ()),
    ("Referrals", "forms.referrals", "own.referrals", ()),
    ("Personnel", "account.personnel", "personnel.read", ()),
    ("Reporting", "reports.index", "report.run", (("Custom Report", "reports.incidents", "report.run"),)),
    (
        "Admin",
        "admin.index",
        "admin.settings",
        (
            ("Users", "admin.users", "admin.users"),
            ("Groups", "admin.groups", "admin.groups"),
            ("Categories", "admin.categories", "admin.categories"),
            ("Bulk Management", "admin.bulk_closing", "bulk_closing"),
            ("Import", "imports.index", "student.import"),
            ("Announcements", "home.announcements", "announcement"),
            ("Settings", "admin.settings", "admin.settings"),
            ("Email", "admin.email", "admin.email"),
            ("Audit log", "admin.audit", "admin.audit"),
        ),
    ),
)


def navigation():
    """[{label, url, current, children}] of the menu; a section shows its pages while one of them is open. Not to be changed: the
    same lists serve every page of the same place for everybody of the same role."""
    school, role = g.school, g.user and g.user.role
    return _menu(_nearest(), role, school.cases_module, school.student_visibility, student_words(), request.script_root)


@lru_cache(1024)
def _menu(here, role, cases_module, student_visibility, students, root):
    somebody = Account(role=role, is_active=True)

    def is_allowed(capability):
        if capability in permissions.CASES_MODULE and not cases_module:
            return False
        if capability == OWN_FORMS:
            return _has_own_forms(somebody, student_visibility)
        return capability is None or permissions.can(somebody, capability)

    def entry(label, endpoint, children):
        shown = [
            {"label": name, "url": _path(page, root), "current": page == here, "children": []}
            for name, page, capability in children
            if is_allowed(capability)
        ]
        # A section whose address is that of its first page leaves being the present one to that page.
        is_here = endpoint == here and not any(child["current"] for child in shown)
        name = students if label == "Students" else label
        return {"label": name, "url": _path(endpoint, root), "current": is_here, "children": shown}

    return [entry(label, endpoint, children) for label, endpoint, capability, children in MENU if is_allowed(capability)]


def _has_own_forms(user, student_visibility):
    if permissions.can(user, "response.read") or not permissions.can(user, "form.fill"):
        return False
    return user.role != permissions.STUDENT or student_visibility


@cache
def _path(endpoint, _root):
    """The address of a menu entry, which never changes below the same root; every page needs some thirty."""
    return url_for(endpoint)


def _nearest():
    """The menu's page that the present address is, or lies below; the nearest one of several; None elsewhere."""
    path = request.script_root + request.path
    places = _places(request.script_root)
    return next((page for there, page in places if path == there or there != "/" and path.startswith(there + "/")), None)


@cache
def _places(root):
    """[(address, endpoint)] of the menu's pages, the longest address first; of two pages with one address the first."""
    pages = [page for _, section, _, children in MENU for page in (section, *(child[1] for child in children))]
    return sorted(((_path(page, root), page) for page in pages), key=lambda place: len(place[0]), reverse=True)


def _asset(version, name):
    """The address of a static file; every icon of a page asks for one."""
    return _asset_url(name, version, request.script_root)


@cache
def _asset_url(name, version, _root):
    return url_for("static", filename=name, v=version)


def _asset_version(folder):
    """Changes whenever a static file does, so that browsers may keep them for a year."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
