"""What may be read about cases. The first argument is the user; nothing here returns what that user may not see.

record.py: one case; lists.py: many; opening.py: what the forms offer; linked.py: linked incidents; history.py: its steps;
people.py: who is on it; sections.py: what is written on it; words.py: the search in it; emails.py: what an email may say.
Nothing is written here but the audit row of a read.
"""

from blueprints.cases.queries.emails import email_case_added, email_case_changed
from blueprints.cases.queries.history import history
from blueprints.cases.queries.linked import linked_incident, linked_incidents, linked_summaries
from blueprints.cases.queries.lists import STATUSES, export_rows, filtered, paging
from blueprints.cases.queries.opening import case_types, close_reasons
from blueprints.cases.queries.people import (
    all_groups,
    confirmation_of,
    my_students,
    new_readers,
    pick_group,
    pick_staff,
    resolve_staff,
    suggest_staff,
)
from blueprints.cases.queries.people import members as group_members
from blueprints.cases.queries.people import page as people_page
from blueprints.cases.queries.record import REFERENCE, case, may_manage, who_can_see
from blueprints.cases.queries.sections import (
    SECTIONS,
    Wording,
    agency,
    agency_wordings,
    anchor,
    draft_keys,
    entries,
    entry,
    entry_wordings,
    file,
    may_change_entry,
    presenting,
    presenting_wordings,
    shown,
)
from blueprints.cases.queries.sections import page as written_page
from blueprints.cases.queries.words import with_words

__all__ = [
    "REFERENCE",
    "SECTIONS",
    "STATUSES",
    "Wording",
    "agency",
    "agency_wordings",
    "all_groups",
    "anchor",
    "case",
    "case_types",
    "close_reasons",
    "confirmation_of",
    "draft_keys",
    "email_case_added",
    "email_case_changed",
    "entries",
    "entry",
    "entry_wordings",
    "export_rows",
    "file",
    "filtered",
    "group_members",
    "history",
    "linked_incident",
    "linked_incidents",
    "linked_summaries",
    "may_change_entry",
    "may_manage",
    "my_students",
    "new_readers",
    "paging",
    "people_page",
    "pick_group",
    "pick_staff",
    "presenting",
    "presenting_wordings",
    "resolve_staff",
    "shown",
    "suggest_staff",
    "who_can_see",
    "written_page",
    "with_words",
]
