"""Queueing the reminders of milestones that are due: a row that says so and an email each, in one transaction."""

import events
from blueprints.cohorts import queries
from blueprints.cohorts.queries.reminders import KIND, once_of
from extensions import db
from models import Cohort, Milestone, MilestoneReminder, School

AT_A_TIME = 500


def queue_due(now):
    """Queue every reminder that is due at this moment; returns how many that were.

    Each goes out once for a student, milestone and interval, however often and by however many workers this is called. Every
    milestone is a transaction of its own.
    """
    return sum(_queue(milestone.id, now) for milestone, _ in queries.due_reminders(now))


def _queue(milestone_id, now):
    with db.atomic():
        # Holds the row: nobody moves the date, and no other worker is here, before this transaction has ended.
        if not Milestone.update(version=Milestone.version).where(Milestone.id == milestone_id).execute():
            return 0
        milestone = Milestone.select(Milestone, Cohort).join(Cohort).where(Milestone.id == milestone_id).get()
        found = queries.due_students(milestone, School.get(), now)
        for start in range(0, len(found), AT_A_TIME):
            _save(milestone, found[start : start + AT_A_TIME], now)
    return len(found)


def _save(milestone, found, now):
    rows = [
        {"milestone": milestone, "student": each.student_id, "days": each.days, "due_on": milestone.due_on, "at": now}
        for each in found
    ]
    made = MilestoneReminder.insert_many(rows).returning(MilestoneReminder.id, MilestoneReminder.student)
    ids = {student: id_ for id_, student in made.tuples().execute()}
    events.emails(KIND, [
        (each.account_id, ids[each.student_id], once_of(milestone.id, each.student_id, each.days))
        for each in found
    ], target=milestone.ref)  # fmt: skip
    about = [(each.student_ref, {"days": each.days}) for each in found]
    events.record_each("milestone.reminded", about, actor=None, milestone=milestone.ref)
