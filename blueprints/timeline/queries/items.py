"""What the timeline says of each event, in words. Takes what the sources found and adds what belongs to it: the categories of
this student's part in an incident, the questions that a response answers. Decides nothing about who sees it."""

from typing import NamedTuple

from blueprints.cases.queries import SECTIONS
from blueprints.forms import queries as forms
from blueprints.incidents.queries import ROLES
from blueprints.kit import prepared
from blueprints.kit.days import parse_day, show_day
from blueprints.kit.presentation import written_day
from blueprints.plans.queries import DECISIONS, number
from blueprints.timeline.queries.sources import SOURCES
from models import Category, PartCategory

AT_ONCE = 500
SHORT = 320  # characters of a text that the page shows; the record and the chronology have all of it
KIND_WORDS = {
    "incident": "Incident",
    "case": "Case",
    "task": "Task",
    "meeting": "Meeting",
    "plan": "Plan",
    "form": "Form",
    "file": "File",
    "milestone": "Milestone",
    "student": "Student",
}
ENDED = {"completed": "Completed", "cancelled": "Cancelled", "waived": "Waived"}
ATTENDED = {"yes": "Attended", "no": "Did not attend"}
PAGES = {"incident": "incidents", "case": "cases", "task": "tasks", "meeting": "meetings", "plan": "plans", "form": "responses"}


class Item(NamedTuple):
    """One event. `what` is said first, `facts` are short words to it, `text` what was written, `categories` (name, colour),
    `file` (name, bytes) if a file came with it, `ref` the number that people know the record by."""

    at: object
    source: str
    kind: str
    what: str
    ref: str
    address: str
    who: str
    facts: list
    text: str
    categories: list
    file: tuple | None

    @property
    def kind_word(self):
        """What it is, in a word."""
        return KIND_WORDS[self.kind]

    @property
    def short(self):
        """The beginning of the text."""
        return self.text if len(self.text) <= SHORT else self.text[:SHORT].rsplit(None, 1)[0] + " …"

    @property
    def everything_written(self):
        """Every word of it, for a search."""
        names = [name for name, _ in self.categories] + ([self.file[0]] if self.file else [])
        return "\n".join([self.kind_word, self.what, self.ref, *self.facts, *names, self.text])


def items(user, student, rows, zone):
    """The Items of Rows that the sources gave, in their order; moments in words are those of `zone`."""
    categories = _categories([int(row.number) for row in rows if row.source == "incident"])
    answered = [row for row in rows if row.source == "response"]
    texts = forms.in_lines(user, [(row.detail, int(row.number), row.text) for row in answered])
    written = dict(zip([row.id for row in answered], texts, strict=True))
    return [_item(student, row, zone, categories, written) for row in rows]


def _item(student, row, zone, categories, written):
    kind = SOURCES[row.source][0]
    what, facts = WORDS[row.source](row, zone)
    file = (row.detail, int(row.number)) if row.source.endswith("file") else None
    return Item(
        at=row.at, source=row.source, kind=kind, what=what, ref=row.ref if kind in ("incident", "case") else "",
        address=_address(student, row, kind), who=row.who or "", facts=[fact for fact in facts if fact],
        text=written[row.id] if row.source == "response" else _lines(row.text),
        categories=categories.get(int(row.number), []) if row.source == "incident" else [], file=file,
    )  # fmt: skip


def _address(student, row, kind):
    if kind in PAGES:
        return f"/{PAGES[kind]}/{row.ref}"
    return f"/students/{student.ref}" + {"file": "/files", "milestone": "/milestones", "student": ""}[kind]


def _lines(text):
    """Without the empty lines that stand where a part of the text is missing."""
    return text.strip() if "\n" not in text else "\n".join(line for line in text.splitlines() if line.strip())


def _categories(parts):
    """{part: [(name, colour)]} of incidents' parts (ids) that the reader sees."""
    found = {}
    for start in range(0, len(parts), AT_ONCE):
        for part, name, colour in prepared.rows(_categories_of, parts=parts[start : start + AT_ONCE]):
            found.setdefault(part, []).append((name, colour))
    return found


def _categories_of(parts):
    return (
        PartCategory.select(PartCategory.part, Category.name, Category.colour)
        .join(Category)
        .where(PartCategory.part.in_(parts))
        .order_by(PartCategory.id)
    )


# --- Words: of a Row, what is said first and the facts to it -----------------------------------------------------------


def _day(text):
    return show_day(parse_day(text)) if text else ""


def _moment(value, zone):
    local = value.astimezone(zone)
    return f"{written_day(local)}, {local:%H:%M}"


def _with(word, value):
    return f"{word} {value}" if value else ""


def _incident(row, zone):
    entered = row.moment.astimezone(zone)
    late = entered.date() != row.at.astimezone(zone).date()
    role = ROLES.get(row.detail, row.detail) if row.detail != "subject" else ""
    return "Incident", [role, row.title, f"entered {_moment(entered, zone)}" if late else ""]


def _plan(row, zone):
    return f"Plan created, tier {int(row.number)}", [row.title, _with("led by", row.other)]


def _point(row, zone):
    return f"Progress point: {number(row.number)}", [row.title, _with("measured on", _day(row.detail))]


def _review(row, zone):
    return f"Plan reviewed: {DECISIONS.get(row.detail, row.detail)}", [_with("on", _day(row.title))]


def _task(row, zone):
    return f"Task set: {row.title}", [_with("for", row.other), _with("due", _day(row.detail))]


def _meeting(row, zone):
    return f"{row.title} planned for {_moment(row.moment, zone)}", [row.detail]


def _milestone(row, zone):
    return f"Milestone {ENDED[row.detail].lower()}: {row.title}", []


WORDS = {
    "student": lambda row, zone: ("Left the school" if row.detail == "student.left" else "Returned to the school", []),
    "incident": _incident,
    "incident_file": lambda row, zone: ("File added to an incident", []),
    "incident_action": lambda row, zone: ("Action on an incident", [_with("for", row.other), _with("due", _day(row.detail))]),
    "incident_action_done": lambda row, zone: ("Action on an incident done", []),
    "incident_closed": lambda row, zone: ("Incident closed", []),
    "incident_reopened": lambda row, zone: ("Incident made Active again", []),
    "case_opened": lambda row, zone: ("Case opened" if row.who else "Case opened by itself", [row.title, row.detail]),
    "case_presenting": lambda row, zone: ("Presenting saved", [row.title, _with("referral date", _day(row.detail))]),
    "case_agency": lambda row, zone: (f"Agency added to {SECTIONS.get(row.detail, row.detail)}", [row.title]),
    "case_entry": lambda row, zone: ("Case entry", [row.title]),
    "case_file": lambda row, zone: ("File added to a case", [row.title]),
    "case_closed": lambda row, zone: (f"Case closed: {row.detail}", [row.title]),
    "case_reopened": lambda row, zone: ("Case reopened", [row.title]),
    "plan": _plan,
    "plan_intervention": lambda row, zone: ("Intervention added to a plan", [row.detail]),
    "plan_point": _point,
    "plan_review": _review,
    "plan_ended": lambda row, zone: ("Plan ended", []),
    "task": _task,
    "task_note": lambda row, zone: (f"Note on a task: {row.title}", []),
    "task_ended": lambda row, zone: (f"Task {ENDED[row.detail].lower()}: {row.title}", []),
    "meeting": _meeting,
    "meeting_moved": lambda row, zone: (f"{row.title} moved", []),
    "meeting_held": lambda row, zone: (f"{row.title} held", [ATTENDED.get(row.detail, "")]),
    "meeting_cancelled": lambda row, zone: (f"{row.title} cancelled", [f"was planned for {_moment(row.moment, zone)}"]),
    "response": lambda row, zone: (f"Form response: {row.title}", []),
    "response_file": lambda row, zone: (f"File sent with a form response: {row.title}", []),
    "file": lambda row, zone: ("File submitted", [row.title]),
    "milestone": _milestone,
}
