"""How far students are with milestones, as expressions and counts that the lists of this part share. Decides nothing about who
may see them: whoever asks has narrowed the students, see permissions.supported_students()."""

from peewee import SQL, fn

from models import Milestone, MilestoneRequest, StudentMilestone

OPEN, COMPLETED, WAIVED, ASKED, OVERDUE = "open", "completed", "waived", "asked", "overdue"
# As people say it. "asked" and "overdue" are open as well.
WORDS = {
    OPEN: "Open",
    COMPLETED: "Completed",
    WAIVED: "Waived",
    ASKED: "Asks to have it completed",
    OVERDUE: "Overdue",
}


def live():
    """Expression on Milestone: saved, and not removed."""
    return Milestone.saved_at.is_null(False) & Milestone.removed_at.is_null()


def has(state, cohort, student, *, today, only=None):
    """EXISTS: a milestone of the cohort that is in this state for the student (ids, or columns of the query around it).
    `today` is the school's day; `only` the id of the one milestone that is asked about."""
    here = (Milestone.cohort == cohort) & live()
    if only is not None:
        here &= Milestone.id == only
    if state == ASKED:
        return fn.EXISTS(_waiting(student).where(here))
    done = StudentMilestone.select(SQL("1")).where(
        (StudentMilestone.milestone == Milestone.id) & (StudentMilestone.student == student)
    )
    if state in (COMPLETED, WAIVED):
        condition = fn.EXISTS(done.where(StudentMilestone.state == state))
    else:
        condition = ~fn.EXISTS(done.where(StudentMilestone.state != OPEN))
    if state == OVERDUE:
        condition &= Milestone.due_on < today
    return fn.EXISTS(Milestone.select(SQL("1")).where(here & condition))


def _waiting(student):
    """From the request's side: there are few that wait."""
    waiting = MilestoneRequest.select(SQL("1")).join(Milestone, on=(Milestone.id == MilestoneRequest.milestone))
    return waiting.where((MilestoneRequest.student == student) & (MilestoneRequest.outcome == ""))


def shown(state, is_waiting, due_on, today):
    """The one word of WORDS for a cell: what is asked comes before what is late."""
    if state != OPEN:
        return state
    if is_waiting:
        return ASKED
    return OVERDUE if due_on and due_on < today else OPEN
