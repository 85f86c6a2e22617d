"""CSV files as school information systems write them, for the tests of the import."""

from blueprints.imports import runs as imports
from blueprints.students import import_rows
from models import ImportRun

HEADING = "First name,Last name,Preferred name,Email,Date of birth,Year group,Tutor group,Admission number,UPN"


def sheet(*lines, heading=HEADING):
    """The bytes of a CSV of these lines."""
    return "\r\n".join([heading, *lines, ""]).encode()


def many(count, tutor="A", first=0):
    """The bytes of a class list of `count` students."""
    return sheet(
        *(
            f"José{n},O'Brien-{n},,s{n}@school.example.org,30/09/2012,{7 + n % 7},{7 + n % 7}{tutor},{n:06},U{n:012}"
            for n in range(first, first + count)
        )
    )


def start(app, actor, data, deactivate=False):
    """An import uploaded and mapped as guessed, waiting to be checked."""
    run = imports.upload(data, "class list.csv", actor=actor, folder=app.settings.files)
    mapping = import_rows.guess(imports.sheet_of(run, app.settings.files).header)
    imports.set_mapping(run, mapping, deactivate=deactivate, actor=actor)
    return run


def work(app):
    """What the worker does when it is nudged."""
    with app.app_context():
        return imports.run_waiting()


def now(run):
    return ImportRun.get_by_id(run.id)


def whole(app, actor, data, typed="", deactivate=False):
    """An import from upload to saved; returns the run as it is then."""
    run = start(app, actor, data, deactivate)
    work(app)
    run = now(run)
    assert run.state == "checked", run.problem
    imports.confirm(run, typed, version=run.version, actor=actor)
    work(app)
    return now(run)
