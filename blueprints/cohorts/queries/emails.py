"""What the email to staff about a student's request may still say when it is sent: whether the account supports the student, and
whether something waits, is asked again then. The context is a reference; never a name, a title or a text.
"""

import permissions
from models import Cohort, Milestone, MilestoneRequest, Student


def email_milestone_asked(row, account):
    """`row.target_id` is the student: only for who supports them in a cohort where something still waits for an answer."""
    student = Student.get_or_none(Student.id == row.target_id)
    if student is None or not permissions.milestone_reasons(account, student):
        return "this account does not see the student's milestones any more"
    waiting = (
        MilestoneRequest.select(Cohort)
        .join(Milestone)
        .join(Cohort)
        .where((MilestoneRequest.student == student) & (MilestoneRequest.outcome == ""))
        .where(Milestone.removed_at.is_null() & Cohort.archived_at.is_null())
        .objects(Cohort)
    )
    if not any(permissions.milestone_reasons(account, student, cohort) for cohort in waiting):
        return "nothing waits for an answer any more"
    return {"ref": student.ref}
