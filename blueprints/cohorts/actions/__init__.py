"""Writes about cohorts and milestones; one module a subject. Other parts import from here, never from the modules."""

from blueprints.cohorts.actions.adding import add_by_file, add_student, forget_results, move_student, remove_student
from blueprints.cohorts.actions.cohorts import (
    add_category,
    add_cohort,
    archive_cohort,
    change_category,
    change_cohort,
    restore_cohort,
)
from blueprints.cohorts.actions.copying import copy_cohort
from blueprints.cohorts.actions.files import copied, remove_file, remove_template_file
from blueprints.cohorts.actions.groups import attach_group, detach_group
from blueprints.cohorts.actions.invitations import invite_students
from blueprints.cohorts.actions.marking import AlreadyMoved, mark, mark_many
from blueprints.cohorts.actions.milestones import add_milestone, order_milestones, remove_milestone, save_milestone
from blueprints.cohorts.actions.own import ask, take_back
from blueprints.cohorts.actions.reminders import queue_due
from blueprints.cohorts.actions.requests import answer
from blueprints.cohorts.actions.templates import add_template, remove_template, save_template
from blueprints.kit.refusing import Refused

__all__ = [
    "AlreadyMoved",
    "Refused",
    "add_by_file",
    "add_category",
    "add_cohort",
    "add_milestone",
    "add_student",
    "add_template",
    "answer",
    "archive_cohort",
    "ask",
    "attach_group",
    "change_category",
    "change_cohort",
    "copied",
    "copy_cohort",
    "forget_results",
    "detach_group",
    "invite_students",
    "mark",
    "mark_many",
    "move_student",
    "order_milestones",
    "queue_due",
    "remove_file",
    "remove_milestone",
    "remove_student",
    "remove_template",
    "remove_template_file",
    "restore_cohort",
    "save_milestone",
    "save_template",
    "take_back",
]
