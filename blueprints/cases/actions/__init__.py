"""What may be done to cases. Every function takes `actor`, checks, owns its transaction and records its event."""

from blueprints.cases.actions.attaching import attach_group, attach_staff, detach_group, detach_staff
from blueprints.cases.actions.closing import close_case, reopen_case
from blueprints.cases.actions.dictionary import Wanted, change_dictionary, change_form_trigger
from blueprints.cases.actions.dictionary_lists import (
    add_list_entry,
    change_list_entry,
    move_list_entry,
    remove_list_entry,
)
from blueprints.cases.actions.entries import add_entry, edit_entry
from blueprints.cases.actions.files import add_files, remove_file
from blueprints.cases.actions.linking import link_incident, unlink_incident
from blueprints.cases.actions.meetings import (
    add_meeting_staff,
    add_meeting_students,
    cancel_meeting,
    change_meeting,
    move_meeting,
    record_outcome,
    remove_meeting_staff,
    remove_meeting_student,
    schedule_meeting,
)
from blueprints.cases.actions.opening import change_case, open_case
from blueprints.cases.actions.people import save_people
from blueprints.cases.actions.records import put_record, take_record_off
from blueprints.cases.actions.sections import add_agency, change_agency, remove_agency, save_presenting
from blueprints.cases.actions.student_files import change_student_file, remove_student_file, submit_files
from blueprints.cases.actions.suggestions import open_suggested
from blueprints.cases.actions.tasks import (
    add_task_note,
    cancel_task,
    change_task,
    complete_task,
    queue_overdue_tasks,
    reopen_task,
    set_task,
)
from blueprints.cases.actions.triggering import happened, happened_to_each
from blueprints.kit.refusing import Refused, Unconfirmed

__all__ = [
    "Refused",
    "Unconfirmed",
    "Wanted",
    "add_agency",
    "add_entry",
    "add_files",
    "add_list_entry",
    "add_meeting_staff",
    "add_meeting_students",
    "add_task_note",
    "attach_group",
    "attach_staff",
    "cancel_meeting",
    "cancel_task",
    "change_agency",
    "change_case",
    "change_dictionary",
    "change_form_trigger",
    "change_list_entry",
    "change_meeting",
    "change_student_file",
    "change_task",
    "close_case",
    "complete_task",
    "detach_group",
    "detach_staff",
    "edit_entry",
    "happened",
    "happened_to_each",
    "link_incident",
    "move_list_entry",
    "move_meeting",
    "open_case",
    "open_suggested",
    "put_record",
    "queue_overdue_tasks",
    "record_outcome",
    "remove_agency",
    "remove_file",
    "remove_list_entry",
    "remove_meeting_staff",
    "remove_meeting_student",
    "remove_student_file",
    "reopen_case",
    "reopen_task",
    "save_people",
    "save_presenting",
    "schedule_meeting",
    "set_task",
    "submit_files",
    "take_record_off",
    "unlink_incident",
]
