"""Reads about cohorts and milestones; one module a subject. Other parts import from here, never from the modules."""

from blueprints.cohorts.queries.adding import FORGOTTEN, adding_result, adding_results
from blueprints.cohorts.queries.cohorts import (
    archived_cohorts,
    categories,
    category,
    cohort,
    cohort_choices,
    count_students,
    every_cohort,
    in_cohort,
    live_cohorts,
    student_in,
    students_export,
)
from blueprints.cohorts.queries.emails import email_milestone_asked
from blueprints.cohorts.queries.groups import (
    attached_group,
    available_groups,
    changed_by_moving,
    gained_by_attaching,
    lost_by_detaching,
    pick_group,
    support_groups,
    supporters,
)
from blueprints.cohorts.queries.milestones import file as milestone_file
from blueprints.cohorts.queries.milestones import files as milestone_files
from blueprints.cohorts.queries.milestones import milestone, milestones, stored_files, template, templates
from blueprints.cohorts.queries.own import (
    dated,
    own_dashboard,
    own_feed,
    own_file,
    own_milestone,
    own_photo,
    own_request,
    room_for_own_files,
)
from blueprints.cohorts.queries.progress import columns as progress_columns
from blueprints.cohorts.queries.progress import counts as progress_counts
from blueprints.cohorts.queries.progress import export_rows as progress_export
from blueprints.cohorts.queries.progress import grid as progress_grid
from blueprints.cohorts.queries.progress import milestones_by_ref, open_students, states_now, students_by_ref
from blueprints.cohorts.queries.reminders import (
    due_reminders,
    due_students,
    email_milestone_reminder,
    once_of,
    reminders_page,
)
from blueprints.cohorts.queries.set_up import checklist
from blueprints.cohorts.queries.states import WORDS as STATE_WORDS
from blueprints.cohorts.queries.support import (
    email_milestone_answered,
    history,
    milestone_request,
    student_file,
    student_milestone,
    student_milestones,
    told_of_request,
    who_sees_milestones,
)
from blueprints.cohorts.queries.supported import LISTS, my_cohorts, supported, supported_cohorts, whole_name
from blueprints.cohorts.queries.supported import export_rows as supported_export
from blueprints.cohorts.queries.visibility import email_student_invitation, visibility_effect

__all__ = [
    "FORGOTTEN",
    "LISTS",
    "STATE_WORDS",
    "archived_cohorts",
    "attached_group",
    "available_groups",
    "categories",
    "category",
    "changed_by_moving",
    "checklist",
    "cohort",
    "cohort_choices",
    "count_students",
    "dated",
    "due_reminders",
    "due_students",
    "email_milestone_answered",
    "email_milestone_asked",
    "email_milestone_reminder",
    "email_student_invitation",
    "every_cohort",
    "gained_by_attaching",
    "history",
    "in_cohort",
    "live_cohorts",
    "lost_by_detaching",
    "milestone",
    "milestone_file",
    "milestone_files",
    "milestone_request",
    "milestones",
    "milestones_by_ref",
    "my_cohorts",
    "open_students",
    "once_of",
    "own_dashboard",
    "own_feed",
    "own_file",
    "own_milestone",
    "own_photo",
    "own_request",
    "pick_group",
    "progress_columns",
    "progress_counts",
    "progress_export",
    "progress_grid",
    "reminders_page",
    "adding_result",
    "adding_results",
    "room_for_own_files",
    "states_now",
    "stored_files",
    "student_file",
    "student_in",
    "student_milestone",
    "student_milestones",
    "students_by_ref",
    "students_export",
    "support_groups",
    "supported",
    "supported_cohorts",
    "supported_export",
    "supporters",
    "template",
    "templates",
    "told_of_request",
    "visibility_effect",
    "who_sees_milestones",
    "whole_name",
]
