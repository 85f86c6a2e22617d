"""Inviting students while Case Management System Student Visibility is on: an account and an email for each who has none.

The minutely job's; nobody presses a button for it. Must not send anything: the outbox row is written with the account.
"""

import logging

from peewee import IntegrityError

import events
from blueprints.account import actions as account_actions
from blueprints.cohorts.queries.visibility import students_to_invite
from extensions import db
from models import Account, School, Student

log = logging.getLogger("caseward.invitations")

MOST = 200  # a run; the next one is a minute away


def invite_students(most=MOST):
    """Invite the students of cohorts who have an email and no account, at most so many; returns how many were.

    Each is a transaction of its own, and the unique email of an account lets one be made once only: a run that is killed, or
    two at a time, leave nobody out and invite nobody twice. An address that can't be signed in with is passed over.
    """
    if not School.get().student_visibility:
        return 0
    invited = 0
    for student_id, account_id in students_to_invite():
        if invited == most:
            break
        invited += _invite(student_id, account_id)
    return invited


def _invite(student_id, account_id):
    student = Student.get_by_id(student_id)
    account = account_id and Account.get_by_id(account_id)
    try:
        with db.atomic():
            account = account_actions.invite_student(student.name, student.email, account)
            events.record("student.invited", actor=None, target=student.ref, account=account.ref)
    except account_actions.Refused:
        log.info("the student %s can't be invited: the email fits no account", student.ref)
        return False
    except IntegrityError:
        return False  # another worker was faster
    return True
