"""What may be read about cases. The first argument is the user; nothing here returns what that user may not see.

record.py: one case; lists.py: many; opening.py: what the forms offer; linked.py: linked incidents; history.py: its steps;
people.py: who is on it; sections.py: what is written on it; words.py: the search in it; emails.py: what an email may say;
triggers.py, dictionary.py: what opens cases by itself; meeting.py, meetings.py: one student meeting and many; calendar.py:
meetings and tasks in calendars.
Nothing is written here but the audit row of a read.
"""

from blueprints.cases.queries.calendar import (
    email_meeting_cancelled,
    email_meeting_changed,
    email_meeting_invited,
    staff_calendar,
)
from blueprints.cases.queries.calendar import invitation as meeting_invitation
from blueprints.cases.queries.dictionary import answers as trigger_answers
from blueprints.cases.queries.dictionary import effects as trigger_effects
from blueprints.cases.queries.dictionary import form_effects as form_trigger_effects
from blueprints.cases.queries.dictionary import pick_groups as pick_trigger_groups
from blueprints.cases.queries.dictionary import pick_people as pick_trigger_people
from blueprints.cases.queries.dictionary import suggest_groups as suggest_trigger_groups
from blueprints.cases.queries.dictionary import suggest_people as suggest_trigger_people
from blueprints.cases.queries.dictionary import suggestion_readers, trigger_form, trigger_forms
from blueprints.cases.queries.dictionary_lists import LISTS, list_entries, list_entry
from blueprints.cases.queries.emails import email_case_added, email_case_changed, email_task_assigned, email_task_overdue
from blueprints.cases.queries.history import history
from blueprints.cases.queries.linked import linked_incident, linked_incidents, linked_summaries
from blueprints.cases.queries.lists import STATUSES, export_rows, filtered, paging
from blueprints.cases.queries.meeting import (
    meeting,
    meeting_history,
    meeting_staff,
    meeting_students,
    meeting_wordings,
    resolve_meeting_staff,
    suggest_meeting_staff,
    who_can_see_meeting,
)
from blueprints.cases.queries.meetings import STATES as MEETING_STATES
from blueprints.cases.queries.meetings import WHEN as MEETING_WHEN
from blueprints.cases.queries.meetings import clashes as meeting_clashes
from blueprints.cases.queries.meetings import meeting_types, meetings_export, meetings_paging, next_meetings
from blueprints.cases.queries.opening import case_types, close_reasons
from blueprints.cases.queries.people import (
    all_groups,
    confirmation_of,
    my_students,
    new_readers,
    pick_group,
    pick_staff,
    resolve_among,
    resolve_staff,
    suggest_among,
    suggest_staff,
)
from blueprints.cases.queries.people import members as group_members
from blueprints.cases.queries.people import page as people_page
from blueprints.cases.queries.record import REFERENCE, case, may_manage, who_can_see
from blueprints.cases.queries.records import KINDS as RECORD_KINDS
from blueprints.cases.queries.records import (
    candidates,
    new_record_readers,
    open_tasks,
    opened_by_itself,
    require_own_reason,
)
from blueprints.cases.queries.records import record as record_about
from blueprints.cases.queries.records import records as records_of
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
from blueprints.cases.queries.student_files import (
    file_audience,
    file_categories,
    file_category,
    files_of_student,
    may_manage_student_file,
    pick_file_groups,
    student_file,
    student_file_export,
    student_file_groups,
    who_can_see_student_file,
)
from blueprints.cases.queries.suggestions import beginning, school_year, suggested, suggestion_counts
from blueprints.cases.queries.tasks import (
    TASK_STATES,
    may_manage_task,
    my_tasks,
    note_draft_key,
    state_of,
    task,
    task_assignees,
    task_export,
    task_history,
    task_paging,
    task_parts,
    task_repeats,
    who_can_see_task,
)
from blueprints.cases.queries.triggers import LABELS as TRIGGER_LABELS
from blueprints.cases.queries.triggers import NO_SETTING, all_settings, form_settings
from blueprints.cases.queries.triggers import settings as trigger_settings
from blueprints.cases.queries.words import with_words

__all__ = [
    "LISTS",
    "MEETING_STATES",
    "MEETING_WHEN",
    "NO_SETTING",
    "RECORD_KINDS",
    "REFERENCE",
    "SECTIONS",
    "STATUSES",
    "TASK_STATES",
    "TRIGGER_LABELS",
    "Wording",
    "agency",
    "agency_wordings",
    "all_groups",
    "all_settings",
    "anchor",
    "beginning",
    "candidates",
    "case",
    "case_types",
    "close_reasons",
    "confirmation_of",
    "draft_keys",
    "email_case_added",
    "email_case_changed",
    "email_meeting_cancelled",
    "email_meeting_changed",
    "email_meeting_invited",
    "email_task_assigned",
    "email_task_overdue",
    "entries",
    "entry",
    "entry_wordings",
    "export_rows",
    "file",
    "file_audience",
    "file_categories",
    "file_category",
    "files_of_student",
    "filtered",
    "form_settings",
    "form_trigger_effects",
    "group_members",
    "history",
    "linked_incident",
    "linked_incidents",
    "linked_summaries",
    "list_entries",
    "list_entry",
    "may_change_entry",
    "may_manage",
    "may_manage_student_file",
    "may_manage_task",
    "meeting",
    "meeting_clashes",
    "meeting_history",
    "meeting_invitation",
    "meeting_staff",
    "meeting_students",
    "meeting_types",
    "meeting_wordings",
    "meetings_export",
    "meetings_paging",
    "my_students",
    "my_tasks",
    "new_readers",
    "new_record_readers",
    "next_meetings",
    "note_draft_key",
    "open_tasks",
    "opened_by_itself",
    "paging",
    "people_page",
    "pick_file_groups",
    "pick_group",
    "pick_staff",
    "pick_trigger_groups",
    "pick_trigger_people",
    "presenting",
    "presenting_wordings",
    "record_about",
    "records_of",
    "require_own_reason",
    "resolve_among",
    "resolve_meeting_staff",
    "resolve_staff",
    "school_year",
    "shown",
    "staff_calendar",
    "state_of",
    "student_file",
    "student_file_export",
    "student_file_groups",
    "suggest_among",
    "suggest_meeting_staff",
    "suggest_staff",
    "suggest_trigger_groups",
    "suggest_trigger_people",
    "suggested",
    "suggestion_counts",
    "suggestion_readers",
    "task",
    "task_assignees",
    "task_export",
    "task_history",
    "task_paging",
    "task_parts",
    "task_repeats",
    "trigger_answers",
    "trigger_effects",
    "trigger_form",
    "trigger_forms",
    "trigger_settings",
    "who_can_see",
    "who_can_see_meeting",
    "who_can_see_student_file",
    "who_can_see_task",
    "with_words",
    "written_page",
]
