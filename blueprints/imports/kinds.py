"""The kinds of import there are: what file each takes, what can be chosen, and who plans and saves it.

runs.py (the browser) and commands.py (the command line) are the same for all of them. Must not know the request.
"""

from typing import NamedTuple

import events
from blueprints.imports import oneroster, people, staff_rows
from blueprints.kit import csvread
from blueprints.students.actions import import_rows
from blueprints.students.actions import imports as students


class Option(NamedTuple):
    """A tick box beside an import; `usual` is how it stands at first."""

    name: str
    label: str
    help: str = ""
    usual: bool = False


class Kind:
    """What an import is about. Beside what stands here, each has parse(source, mapping, progress), hold() to keep others off
    what it writes, resolve(parsed, actor, **options), which writes nothing and gives a plan with `counts`, `rows`, `notes`,
    `active`, `empties_school` and `result()`, and apply(plan, actor, run_ref), which writes it in the open transaction."""

    name = title = ""
    requires = ()  # capabilities
    options = ()
    fields = ()  # columns to be mapped; none when the file names its own
    leavers = ""  # of whom the number is asked
    changed_meanwhile = ""
    exported = "student.exported"  # the event of having the result as a file

    def read(self, data):
        """What the bytes of a file hold, with len() rows. Raises CsvProblem."""
        raise NotImplementedError

    def guess(self, _source):
        """{field name: column or None}."""
        return {}

    def mapping_problems(self, _source, _mapping):
        """{field name: sentence} for a mapping that can't be used."""
        return {}

    def record_upload(self, ref, rows, *, actor):
        """The audit row of an upload, in the open transaction."""
        events.record("import.uploaded", actor=actor, target=ref, kind=self.name, rows=rows)

    def record_check(self, ref, *, actor):
        """The audit row of a check, in the open transaction."""
        events.record("import.checked", actor=actor, target=ref, kind=self.name)

    def record_saved(self, plan, run_ref, *, actor):
        """The audit row of a saved import, in the open transaction."""
        events.record("import.saved", actor=actor, target=run_ref, kind=self.name, counts=plan.counts)


class Students(Kind):
    """A class list: students and nothing else."""

    name, title = "students", "Students from a CSV file"
    requires = ("student.import",)
    options = (
        Option("deactivate", "Mark students who are not in the file as left",
               "They stay on record as left; nothing of theirs is deleted. Choose this only for a file that lists the whole "
               "school."),
    )  # fmt: skip
    fields = import_rows.FIELDS
    required = import_rows.REQUIRED
    leavers = "students who would be marked as left"
    changed_meanwhile = (
        "The students changed after this was checked, so nothing was imported. This is what it would do now: look at it "
        "and confirm again."
    )

    def read(self, data):
        sheet = csvread.read(data)
        if problem := import_rows.size_problem(sheet):
            raise csvread.CsvProblem(problem)
        return sheet

    def guess(self, source):
        return import_rows.guess(source.header)

    def mapping_problems(self, source, mapping):
        return import_rows.mapping_problems(source.header, mapping)

    def parse(self, source, mapping, progress=None):
        return import_rows.parse(source, mapping, progress)

    def hold(self):
        import_rows.hold_students()

    def resolve(self, parsed, *, actor, deactivate=False):
        return import_rows.resolve(parsed, actor=actor, deactivate=deactivate)

    def apply(self, plan, *, actor, run_ref):
        students.apply(plan, actor=actor, run_ref=run_ref)

    def record_upload(self, ref, rows, *, actor):
        events.record("student.import_uploaded", actor=actor, target=ref, rows=rows)

    def record_check(self, ref, *, actor):
        events.record("student.import_checked", actor=actor, target=ref, run=ref)


INVITE = Option("invite", "Email an invitation to everybody who is added",
                "A link to set the password, good for an hour. Without it, invite them later under Admin > Users.")  # fmt: skip
REACTIVATE = Option("reactivate", "Reactivate deactivated accounts that are in the file",
                    "Without it they stay deactivated, and nothing of theirs is changed.")  # fmt: skip


class Staff(Kind):
    """A list of staff: accounts, found again by their email, and the groups they are in."""

    name, title = "staff", "Staff from a CSV file"
    requires = ("admin.users", "admin.groups")
    options = (
        INVITE,
        Option("make_groups", "Make groups that are not there yet"),
        REACTIVATE,
        Option("deactivate", "Deactivate staff who are not in the file",
               "They are signed out and can't sign in any more; nothing of theirs is deleted. Choose this only for a file that "
               "lists all staff. Referral Users, students and profiles without a role are left alone."),
    )  # fmt: skip
    fields = staff_rows.FIELDS
    required = (*staff_rows.REQUIRED, "first_name", "last_name", "name")  # two of the names, or the third
    leavers = "accounts that would be deactivated"
    changed_meanwhile = (
        "Accounts or groups changed after this was checked, so nothing was imported. This is what it would do now: look at it "
        "and confirm again."
    )
    exported = "account.exported"

    def read(self, data):
        sheet = csvread.read(data)
        if problem := staff_rows.size_problem(sheet):
            raise csvread.CsvProblem(problem)
        return sheet

    def guess(self, source):
        return import_rows.guess(source.header, staff_rows.FIELDS)

    def mapping_problems(self, source, mapping):
        return staff_rows.mapping_problems(source.header, mapping)

    def parse(self, source, mapping, progress=None):
        return staff_rows.parse(source, mapping, progress)

    def hold(self):
        people.hold()

    def resolve(self, parsed, *, actor, **options):
        return staff_rows.resolve(parsed, actor=actor, **options)

    def apply(self, plan, *, actor, run_ref):
        people.save(plan, actor=actor)
        self.record_saved(plan, run_ref, actor=actor)


class OneRoster(Kind):
    """A OneRoster set, 1.1 or 1.2: students, staff, departments, staff groups."""

    name, title = "oneroster", "OneRoster 1.1 or 1.2"
    requires = ("student.import", "admin.users", "admin.groups")
    options = (
        Option("groups", "Make staff groups",
               "One for each department, and one for the tutors of each year. What is added by hand stays.", True),
        INVITE,
        REACTIVATE,
        Option("deactivate", "Mark students who are not there any more as left, and deactivate such staff",
               "Those who are disabled or to be deleted in the files or, where the files are complete, not in them. Of the staff "
               "only those who came from such files."),
    )  # fmt: skip
    leavers = "students and staff who would leave"
    changed_meanwhile = (
        "Students, accounts or groups changed after this was checked, so nothing was imported. This is what it would do now: "
        "look at it and confirm again."
    )

    def read(self, data):
        return oneroster.read_zip(data)

    def parse(self, source, _mapping, progress=None):
        return oneroster.parse(source, progress)

    def hold(self):
        import_rows.hold_students()
        people.hold()

    def resolve(self, parsed, *, actor, **options):
        return oneroster.resolve(parsed, actor=actor, **options)

    def apply(self, plan, *, actor, run_ref):
        oneroster.save(plan, actor=actor, run_ref=run_ref)
        self.record_saved(plan, run_ref, actor=actor)


KINDS = {kind.name: kind for kind in (Students(), Staff(), OneRoster())}
