"""What the search of the header finds, and what it suggests while somebody types. Every row comes from another part's
queries or through the permission helper; nothing here widens what somebody sees, and no text of a record is returned.
Must not write anything but the audit row of a search.
"""

from types import SimpleNamespace

import events
import permissions
from blueprints.cases import queries as cases
from blueprints.incidents import queries as incidents
from blueprints.kit import prepared
from blueprints.kit.listing import Page, paginate
from blueprints.kit.text import one_line, reference
from blueprints.students import queries as students
from models import Case, Incident

LONGEST = 200  # characters of a search that are looked at
A_FEW, A_PAGE = 10, 25  # rows of each group, and of one group by itself
COUNTED = 500  # beyond this a group says "more than"
SUGGESTED = 8  # students
GROUPS = ("students", "cases", "incidents")


def search(user, text, group, page):
    """What was found: `.text` as it was understood, `.records` [(kind, reference)] whose reference was typed,
    `.go_to` (the address of the one that can only be meant) and a kit.listing.Page for each of GROUPS.

    `group`: one of GROUPS to page through, anything else for the first rows of each. An empty text finds nothing and
    records nothing.
    """
    text = one_line((text or "")[: 4 * LONGEST])[:LONGEST]
    group = group if group in GROUPS else None
    found = SimpleNamespace(text=text, group=group, records=[], go_to=None, **dict.fromkeys(GROUPS))
    if not text:
        return found
    if group is None:
        found.records = _records(user, text)
    size = (A_FEW, 1) if group is None else (A_PAGE, page)
    for name, find in _FINDERS.items():
        if group in (None, name):
            setattr(found, name, find(user, text, *size))
        if name == "students" and len(found.records) == 1 and not found.students.total:
            found.go_to = "/{}s/{}".format(*found.records[0])
            break
    pages = [each for each in map(vars(found).get, GROUPS) if each is not None]
    events.record_alone("search.run", actor=user, count=len(found.records) + sum(each.total for each in pages))
    return found


def suggest(user, text):
    """[{label, hint, url, kind}] for what was typed so far: students, then a record whose reference it is."""
    text = one_line((text or "")[: 4 * LONGEST])[:LONGEST]
    chips = students.suggest(user, text, SUGGESTED) if text else []
    found = [
        {"label": chip["label"], "hint": chip["hint"], "url": f"/students/{chip['ref']}", "kind": "student"}
        for chip in chips
    ]
    for kind, ref in _records(user, text):
        found.append({"label": ref, "hint": kind.capitalize(), "url": f"/{kind}s/{ref}", "kind": kind})
    return found


def _records(user, text):
    """[(kind, reference)] of the incident and the case that were typed, as far as the reader sees them."""
    incident, case = reference(text, "I"), reference(text, "C")
    if not (incident or case):
        return []
    rows = prepared.rows(_visible_references, user, incident=incident or "", case=case or "")
    return [("case" if ref[0] == "C" else "incident", ref) for (ref,) in rows]


def _visible_references(user, incident, case):
    of_incident = Incident.select(Incident.ref).where((Incident.ref == incident) & permissions.sees_incident(user))
    return of_incident.union_all(Case.select(Case.ref).where((Case.ref == case) & permissions.sees_case(user)))


# --- Groups ----------------------------------------------------------------------------------------------------------


def _students(user, text, size, page):
    total = [0]

    def fetch(most, start):
        rows, total[0] = students.found(user, text, start, most)
        return rows

    return paginate(fetch, page, size, COUNTED, count=lambda most: min(most, total[0] or _count(fetch, total)))


def _count(fetch, total):
    fetch(1, 0)
    return total[0]


def _cases(user, text, size, page):
    fetch, count = cases.with_words(user, text)
    return paginate(fetch, page, size, COUNTED, count=count)


def _incidents(user, text, size, page) -> Page:
    fetch, count = incidents.with_words(user, text)
    found = paginate(fetch, page, size, COUNTED, count=count)
    found.items = incidents.summaries(user, found.items)
    return found


_FINDERS = {"students": _students, "cases": _cases, "incidents": _incidents}
