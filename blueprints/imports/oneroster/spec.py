"""What the OneRoster CSV specifications 1.1 and 1.2 (1EdTech) say about the files Caseward reads: headings, required ones,
and the words that may stand in a cell. Knows nothing of Caseward's tables.
"""

VERSIONS = ("1.1", "1.2")
BULK, DELTA, ABSENT = "bulk", "delta", "absent"  # how manifest.csv says a file comes
# The headings that are looked at; whatever else a file has is left alone.
COLUMNS = {
    "manifest": ("propertyName", "value"),
    "users": ("sourcedId", "status", "enabledUser", "orgSourcedIds", "role", "username", "givenName", "familyName", "identifier",
              "email", "sms", "phone", "grades", "preferredGivenName"),
    "roles": ("sourcedId", "status", "userSourcedId", "roleType", "role", "beginDate", "endDate", "orgSourcedId"),
    "orgs": ("sourcedId", "status", "name", "type"),
    "classes": ("sourcedId", "status", "title", "grades", "classType", "schoolSourcedId", "termSourcedIds"),
    "enrollments": ("sourcedId", "status", "classSourcedId", "schoolSourcedId", "userSourcedId", "role", "beginDate", "endDate"),
    "academicSessions": ("sourcedId", "status", "endDate"),
    "demographics": ("sourcedId", "status", "birthDate"),
}  # fmt: skip
_REQUIRED = {
    "manifest": ("propertyName", "value"),
    "roles": ("sourcedId", "userSourcedId", "roleType", "role", "orgSourcedId"),
    "orgs": ("sourcedId", "name", "type"),
    "classes": ("sourcedId", "title", "courseSourcedId", "classType", "schoolSourcedId", "termSourcedIds"),
    "enrollments": ("sourcedId", "classSourcedId", "schoolSourcedId", "userSourcedId", "role"),
    "academicSessions": ("sourcedId", "title", "type", "startDate", "endDate", "schoolYear"),
    "demographics": ("sourcedId",),
}
_REQUIRED_USERS = {
    "1.1": ("sourcedId", "enabledUser", "orgSourcedIds", "role", "username", "givenName", "familyName"),
    "1.2": ("sourcedId", "enabledUser", "username", "givenName", "familyName"),
}
# The files without which nothing can be read; all others may be absent.
NEEDED = {"1.1": ("users",), "1.2": ("users", "roles")}

STUDENT = "student"
FAMILY = {"parent", "guardian", "relative"}
# Roles of staff, and what they are called where somebody has no role title yet. 1.2 adds those after the first four.
STAFF_TITLES = {
    "teacher": "Teacher", "administrator": "Administrator", "aide": "Aide", "proctor": "Proctor", "principal": "Principal",
    "counselor": "Counselor", "siteadministrator": "Site administrator", "districtadministrator": "District administrator",
    "systemadministrator": "System administrator",
}  # fmt: skip
ROLES = {STUDENT, *FAMILY, *STAFF_TITLES}
EXTENSION = "ext:"  # 1.2 lets vendors add words of their own so
ORG_TYPES = {"department", "school", "district", "local", "state", "national"}
CLASS_TYPES = {"homeroom", "scheduled"}
HOMEROOM, DEPARTMENT = "homeroom", "department"
STATUSES = {"": True, "active": True, "tobedeleted": False}
TRUTH = {"true": True, "false": False, "1": True, "0": False}
ROLE_TYPES = {"primary", "secondary"}


def required(version, name, mode):
    """The headings that a file must have; a delta also says which rows are gone."""
    wanted = _REQUIRED_USERS[version] if name == "users" else _REQUIRED[name]
    return (*wanted, "status", "dateLastModified") if mode == DELTA else wanted


def year_group(grade):
    """A grade (CEDS: 07, 12, KG, PK …) as the year group is written here: numbers without leading zeros."""
    grade = grade.strip()
    return str(int(grade)) if grade.isascii() and grade.isdigit() else grade
