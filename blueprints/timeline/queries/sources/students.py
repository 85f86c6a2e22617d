"""What the profile itself tells: leaving and returning, and the milestones of the cohorts whose students the reader supports."""

import permissions
from blueprints.timeline.queries.sources.base import Arms
from models import Account, CohortStudent, Event, Milestone, Student, StudentMilestone

VERBS = ("student.left", "student.returned")


def add(arms: Arms, user: Account) -> None:
    """The sources about the student and their milestones."""
    student = arms.student
    seen = arms.seen(permissions.visible_students(user, Student.id, Student.ref).where(Student.id == student), "ref")
    arms.add(
        "student", seen, [Event], (Event.target == seen.c.ref) & Event.verb.in_(VERBS),
        at=Event.at, row=Event.id, who=Event.actor, ref=seen.c.ref, detail=Event.verb,
    )  # fmt: skip
    cohorts = permissions.supported_students(user, CohortStudent.cohort).where(CohortStudent.student == student)
    seen = arms.seen(cohorts)
    is_done = StudentMilestone.state.in_(("completed", "waived"))
    is_there = Milestone.saved_at.is_null(False) & Milestone.removed_at.is_null()
    arms.add(
        "milestone", seen, [Milestone, StudentMilestone],
        (Milestone.cohort == seen.c.id) & is_there,
        (StudentMilestone.milestone == Milestone.id) & (StudentMilestone.student == student) & is_done,
        at=StudentMilestone.marked_at, row=StudentMilestone.id, who=StudentMilestone.marked_by, title=Milestone.title,
        detail=StudentMilestone.state,
    )  # fmt: skip
