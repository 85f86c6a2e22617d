"""Answering what students ask for. Asking, and taking it back, is the student's side."""

import permissions
from blueprints.cohorts.actions.base import hold_milestone
from blueprints.cohorts.actions.marking import COMPLETED, decide, mark
from extensions import db
from models import Conflict, MilestoneRequest

CONFIRMED, DECLINED = "confirmed", "declined"


def answer(request, outcome, text, *, actor):
    """Answer a waiting request (with `.student` and `.milestone`): confirmed marks the milestone as completed, declined
    leaves it open. The student is told by email, without the answer in it.

    Raises ValueError for another outcome, NotVisible where the actor does not support the student in that cohort or the
    milestone is removed, Refused (field "answer") while the cohort is archived, Conflict (the request as it stands) where it
    has been answered or taken back.
    """
    if outcome not in (CONFIRMED, DECLINED):
        raise ValueError(f"{outcome} is not an answer")
    milestone, student = request.milestone, request.student
    permissions.require("milestone.support", actor)
    permissions.require_support(actor, student, milestone.cohort)
    with db.atomic():
        hold_milestone(milestone, "answer")
        if not decide(request, milestone, outcome, text, actor):
            raise Conflict(MilestoneRequest.get_by_id(request.id))
        if outcome == CONFIRMED:
            mark(milestone, [student], COMPLETED, actor=actor)
