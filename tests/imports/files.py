"""Lists of staff and OneRoster sets, made by the rules of the specifications, for the tests of the imports."""

import csv
import io
import json
import zipfile

from blueprints.imports import kinds, runs
from models import ImportRun

HEADING = "First name,Last name,Email,Title,Phone,Booking link,Role,Groups"


def staff(*lines, heading=HEADING):
    """The bytes of a list of staff."""
    return "\r\n".join([heading, *lines, ""]).encode()


def start(app, actor, data, kind="staff", **options):
    """An import uploaded and mapped as guessed, waiting to be checked."""
    run = runs.upload(data, "list.csv", actor=actor, folder=app.settings.files, kind=kind)
    chosen = {option.name: option.usual for option in kinds.KINDS[kind].options} | options
    mapping = kinds.KINDS[kind].guess(runs.sheet_of(run, app.settings.files))
    runs.set_mapping(run, mapping, actor=actor, **chosen)
    return run


def work(app):
    """What the worker does when it is nudged."""
    with app.app_context():
        return runs.run_waiting()


def now(run):
    return ImportRun.get_by_id(run.id)


def checked(app, actor, data, kind="staff", **options):
    """An import that was checked; returns the run as it is then."""
    run = start(app, actor, data, kind, **options)
    work(app)
    run = now(run)
    assert run.state == "checked", run.problem
    return run


def whole(app, actor, data, kind="staff", typed="", **options):
    """An import from upload to saved; returns the run as it is then."""
    run = checked(app, actor, data, kind, **options)
    runs.confirm(run, typed, version=run.version, actor=actor)
    work(app)
    run = now(run)
    assert run.state == "done", run.problem
    return run


def rows(run, outcome=None):
    """(line, outcome, sentence, name) of a run's rows, or (line, sentence, name) of those with one outcome."""
    found = [tuple(row[:4]) for row in json.loads(run.result)]
    return found if outcome is None else [(line, sentence, name) for line, was, sentence, name in found if was == outcome]


def counts(run):
    """The counts of a run that are not nought, and its notes."""
    found = json.loads(run.counts)
    return {name: found[name] for name in ("left", "added", "changed", "same", "refused") if found[name]}


# --- OneRoster -------------------------------------------------------------------------------------------------------

# The headings of the CSV bindings, all of them and in their order.
HEADINGS = {
    "1.1": {
        "users": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,"
                 "middleName,identifier,email,sms,phone,agentSourcedIds,grades,password",
        "orgs": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
        "classes": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,"
                   "schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods",
        "enrollments": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,"
                       "beginDate,endDate",
        "academicSessions": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
        "demographics": "sourcedId,status,dateLastModified,birthDate,sex",
        "courses": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,"
                   "subjectCodes",
    },
}  # fmt: skip
HEADINGS["1.2"] = HEADINGS["1.1"] | {
    "users": "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,"
             "sms,phone,agentSourcedIds,grades,password,userMasterIdentifier,resourceSourcedIds,preferredGivenName,"
             "preferredMiddleName,preferredFamilyName,primaryOrgSourcedId,pronouns",
    "roles": "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,"
             "userProfileSourcedId",
    "userProfiles": "sourcedId,status,dateLastModified,userSourcedId,profileType,vendorId,applicationId,description,"
                    "credentialType,username,password",
}  # fmt: skip
FILES = {
    "1.1": ("academicSessions", "categories", "classes", "classResources", "courses", "courseResources", "demographics",
            "enrollments", "lineItems", "orgs", "resources", "results", "users"),
    "1.2": ("academicSessions", "categories", "classes", "classResources", "courses", "courseResources", "demographics",
            "enrollments", "lineItemLearningObjectiveIds", "lineItems", "lineItemScoreScales", "orgs", "resources",
            "resultLearningObjectiveIds", "results", "resultScoreScales", "roles", "scoreScales", "userProfiles",
            "userResources", "users"),
}  # fmt: skip


class RosterSet:
    """A set under construction: rows as dicts by file; what is not given of a row is empty."""

    def __init__(self, version="1.1", mode="bulk"):
        self.version, self.mode = version, mode
        self.tables, self.modes, self.headings = {}, {}, {}

    def add(self, file, **cells):
        """A row of a file, which the set has from then on."""
        if self.mode == "delta":
            cells = {"status": "active", "dateLastModified": "2026-01-05T09:00:00.000Z"} | cells
        self.tables.setdefault(file, []).append(cells)
        return self

    def user(self, sourced_id, role="student", given="Ann", family="Finch", org="school", **cells):
        """A user with one role, wherever the version keeps it."""
        known = {"sourcedId": sourced_id, "enabledUser": "true", "username": sourced_id, "givenName": given, "familyName": family}
        if self.version == "1.1":
            return self.add("users", **known | {"role": role, "orgSourcedIds": org} | cells)
        self.add("users", **known | cells)
        return self.role(sourced_id, role, org)

    def role(self, user, role, org="school", **cells):
        number = len(self.tables.get("roles", ()))
        known = {"sourcedId": f"r{number}", "userSourcedId": user, "roleType": "primary", "role": role, "orgSourcedId": org}
        return self.add("roles", **known | cells)

    def org(self, sourced_id, name, kind="school"):
        return self.add("orgs", sourcedId=sourced_id, name=name, type=kind)

    def homeroom(self, sourced_id, title, grades="07", **cells):
        known = {"sourcedId": sourced_id, "title": title, "grades": grades, "courseSourcedId": "c", "classType": "homeroom",
                 "schoolSourcedId": "school", "termSourcedIds": "year"}  # fmt: skip
        return self.add("classes", **known | cells)

    def enroll(self, user, into, role="student", **cells):
        number = len(self.tables.get("enrollments", ()))
        known = {"sourcedId": f"e{number}", "classSourcedId": into, "schoolSourcedId": "school", "userSourcedId": user, "role": role}
        return self.add("enrollments", **known | cells)

    def files(self):
        """{file name: its bytes}, manifest.csv among them."""
        made = {f"{name}.csv": self._table(name) for name in self.tables}
        modes = {name: self.mode if name in self.tables else "absent" for name in FILES[self.version]} | self.modes
        said = [("manifest.version", "1.0"), ("oneroster.version", self.version)]
        said += [(f"file.{name}", mode) for name, mode in modes.items()]
        said += [("source.systemName", "Kestrel SIS"), ("source.systemCode", "")]
        made["manifest.csv"] = _csv(["propertyName", "value"], said)
        return made

    def _table(self, name):
        heading = (self.headings.get(name) or HEADINGS[self.version][name]).split(",")
        return _csv(heading, [[row.get(column, "") for column in heading] for row in self.tables[name]])

    def zip(self, folder="", **others):
        """The bytes of the set as a zip; `others`: {file name without ending: bytes} in place of what would be there."""
        files = self.files() | {f"{name}.csv": data for name, data in others.items()}
        return packed({folder + name: data for name, data in files.items() if data is not None})


def packed(files):
    """The bytes of a zip of {name: bytes}."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def _csv(heading, lines):
    made = io.StringIO()
    csv.writer(made).writerows([heading, *lines])
    return made.getvalue().encode()


def school(version="1.1", mode="bulk"):
    """A small school: two students in 7A and 8B, a teacher of science who is tutor of 7A, a principal, a parent."""
    made = RosterSet(version, mode)
    made.org("school", "Kestrel Hill").org("science", "Science", "department").org("office", "Office", "department")
    made.add("academicSessions", sourcedId="year", title="2026", type="schoolYear", startDate="2000-09-01", endDate="2099-08-31",
             schoolYear="2026")  # fmt: skip
    made.user("s1", given="Ann", family="Finch", grades="07", identifier="A1", email="ann@pupils.example.org")
    made.user("s2", given="Bo", family="Wren", grades="08,09", identifier="A2")
    made.user("t1", "teacher", "Tom", "Tern", "science", email="tom@school.example.org", phone="0123")
    made.user("p1", "administrator" if version == "1.1" else "principal", "Pat", "Plover", "office", email="pat@school.example.org")
    made.user("g1", "parent", "Gus", "Finch", agentSourcedIds="s1")
    made.homeroom("7a", "7A").homeroom("8b", "8B", "08")
    made.homeroom("maths", "Mathematics 7", classType="scheduled")
    made.enroll("s1", "7a").enroll("s2", "8b").enroll("s1", "maths")
    made.enroll("t1", "7a", "teacher").enroll("p1", "maths", "teacher")
    return made
