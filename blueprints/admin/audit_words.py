"""The verbs and fields of the audit log in plain words. Knows words only: no names, no texts of records."""

VERB_WORDS = {
    "account.signed_in": "Signed in",
    "account.sign_in_failed": "Sign-in failed",
    "account.sign_in_throttled": "Sign-in was held back after too many tries",
    "account.signed_out": "Signed out",
    "account.password_set": "Set a password",
    "account.password_link_asked": "Asked for a set-password link",
    "account.two_step_set_up": "Set up two-step sign-in",
    "account.two_step_reset": "Reset two-step sign-in",
    "account.recovery_codes_made": "Made recovery codes",
    "account.recovery_code_used": "Used a recovery code",
    "account.session_revoked": "Ended a session",
    "account.added": "Added an account",
    "account.changed": "Changed an account",
    "account.role_changed": "Changed a role",
    "account.deactivated": "Deactivated an account",
    "account.reactivated": "Reactivated an account",
    "account.invited": "Sent an invitation",
    "account.exported": "Exported accounts",
    "account.read": "Read an account",
    "account.listed": "Listed accounts",
    "student.added": "Added a student",
    "student.changed": "Changed a student",
    "student.left": "Marked a student as left",
    "student.returned": "Marked a student as returned",
    "student.read": "Read a student's page",
    "student.listed": "Listed students",
    "student.contact_changed": "Changed a student's contact",
    "student.exported": "Exported students",
    "student.imported": "Imported students",
    "student.import_uploaded": "Uploaded a student import",
    "student.import_checked": "Checked a student import",
    "incident.added": "Added an incident",
    "incident.read": "Read an incident",
    "incident.listed": "Listed incidents",
    "incident.exported": "Exported incidents",
    "incident.text_changed": "Changed an incident's text",
    "incident.details_changed": "Changed an incident's details",
    "incident.students_changed": "Changed the students of an incident",
    "incident.assigned": "Assigned an incident",
    "incident.closed": "Closed an incident",
    "incident.reopened": "Reopened an incident",
    "incident.bulk_closing_previewed": "Previewed a bulk closing",
    "incident.bulk_closed": "Closed incidents in bulk",
    "incident.alerted": "Alerted people to an incident",
    "incident.action_added": "Added an action",
    "incident.action_done": "Marked an action done",
    "incident.action_undone": "Marked an action not done",
    "incident.marked": "Marked the body map",
    "incident.mark_removed": "Removed a mark from the body map",
    "incident.file_added": "Added a file",
    "incident.file_read": "Opened a file",
    "incident.file_removed": "Removed a file",
    "incident.access_read": "Looked at who can see an incident",
    "case.opened": "Opened a case",
    "case.read": "Read a case",
    "case.listed": "Listed cases",
    "case.exported": "Exported cases",
    "case.changed": "Changed a case's title or type",
    "case.entry_added": "Added an entry to a case",
    "case.entry_changed": "Changed an entry of a case",
    "case.presenting_saved": "Saved a case's section Presenting",
    "case.agency_added": "Added an agency to a case",
    "case.agency_changed": "Changed an agency of a case",
    "case.agency_removed": "Removed an agency from a case",
    "case.people_saved": "Saved Primary Advocate, Coordinator and Following Case",
    "case.attached": "Attached groups or staff to a case",
    "case.detached": "Detached groups or staff from a case",
    "case.closed": "Closed a case",
    "case.reopened": "Reopened a case",
    "case.incident_linked": "Linked an incident to a case",
    "case.incident_unlinked": "Took an incident off a case",
    "case.file_added": "Added a file to a case",
    "case.file_read": "Read a file of a case",
    "case.file_removed": "Removed a file from a case",
    "case.access_read": "Looked at who can see a case",
    "notification.listed": "Looked at notifications",
    "notification.choices_saved": "Chose how to be told",
    "announcement.added": "Added an announcement",
    "announcement.changed": "Changed an announcement",
    "announcement.removed": "Removed an announcement",
    "personnel.listed": "Listed personnel",
    "personnel.read": "Read a staff profile",
    "account.photo_changed": "Changed a staff photo",
    "exclusion.added": "Excluded somebody for a conflict of interest",
    "exclusion.ended": "Ended an exclusion",
    "access.denied": "Was denied",
    "search.run": "Searched",
    "report.run": "Ran a report",
    "report.exported": "Exported a report",
    "report.saved": "Saved a report",
    "report.changed": "Changed a saved report",
    "report.removed": "Removed a saved report",
    "category.added": "Added a category",
    "category.changed": "Changed a category",
    "category.need_to_know_changed": "Changed the need-to-know groups of a category",
    "group.added": "Added a group",
    "group.changed": "Changed a group",
    "group.member_added": "Added a member to a group",
    "group.member_removed": "Removed a member from a group",
    "group.manager_added": "Added a manager to a group",
    "group.manager_removed": "Removed a manager from a group",
    "department.added": "Added a department",
    "department.changed": "Changed a department",
    "settings.changed": "Changed the settings",
    "audit.read": "Read the audit log",
    "audit.exported": "Exported the audit log",
    "admin.exported": "Exported an admin list",
    "email.failed": "An email failed",
    "email.retried": "Had an email tried again",
    "school.set_up": "Set up the school",
    "demo.filled": "Filled the demo school",
}

FIELD_WORDS = {
    "old": "from",
    "new": "to",
    "count": "how many",
    "how": "by",
    "asked": "asked for",
    "fields": "changed",
    "from_day": "from",
    "to_day": "to",
    "is_active": "in use",
    "happened_at": "when it happened",
}
DENIED_BY = {"GET": "opening a page", "POST": "sending a form", "HEAD": "opening a page"}


def verb_words(verb):
    """The verb as a person says it; one that has no words yet shows as it is written."""
    return VERB_WORDS.get(verb) or verb.replace(".", ": ").replace("_", " ").capitalize()


def details(data):
    """The data of an event as one line of words."""
    old_first = sorted(data, key=lambda name: (name != "old", name))
    return "; ".join(f"{_field(name)}: {_value(name, data[name])}" for name in old_first)


def _field(name):
    return FIELD_WORDS.get(name) or name.replace("_", " ")


def _value(name, value):
    if name == "how":
        return DENIED_BY.get(value, value)
    if name == "fields":
        value = [_field(one) for one in value] if isinstance(value, list) else value
    if value is None or value == "" or value == []:
        return "nobody" if name in ("old", "new", "assigned_to", "account") else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{_field(key)} {_value(key, one)}" for key, one in value.items())
    return str(value)
