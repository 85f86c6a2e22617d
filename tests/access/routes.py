"""Who may call each address of Caseward: written down here by hand, independent of what the views declare.

A new page is added to ROUTES in the same commit; test_matrix.py fails until it is. Must not read permissions.py: it is
what this table is held against.
"""

from typing import NamedTuple

from werkzeug.routing import BuildError

STAFF = {"ada", "kay", "ken", "gil", "mo", "sam", "oli"}
KEY = {"ada", "kay", "ken"}
ADMIN = {"ada"}
EVERYBODY = STAFF | {"rae", "stu"}
PERSONAS = ("nobody", "ada", "kay", "ken", "gil", "mo", "sam", "rae", "stu", "oli")

IN, FORBIDDEN, MISSING, SIGN_IN, UNAUTHORISED = "in", "403", "404", "sign in", "401"


class Route(NamedTuple):
    """`may`: the members of the cast whom the page lets in. `rest`: what other staff get. `on`: the record the address
    names ("incident", "case", "student") when who may see it decides. `module`: gone while the Cases module is off.
    `nobody`: what a browser gets on which nobody is signed in."""

    may: set
    rest: str = FORBIDDEN
    on: str = ""
    module: bool = False
    nobody: str = SIGN_IN


PUBLIC = Route(EVERYBODY, nobody=IN)
# Lets everybody in, and ends on the sign-in page.
LEADS_TO_SIGN_IN = Route(EVERYBODY, rest=SIGN_IN)
GONE = Route(set(), rest=MISSING, nobody=MISSING)
SIGNED_IN = Route(EVERYBODY)
FOR_STAFF = Route(STAFF)
FOR_KEY_USERS = Route(KEY)
FOR_ADMINS = Route(ADMIN)
ONE_FOR_ADMINS = Route(ADMIN, rest=MISSING)
KENS = Route({"ken"}, rest=MISSING)
FOR_MANAGERS = Route({"ada", "mo"})
OWN_GROUP = Route({"ada", "mo"}, rest=MISSING)  # Counselling, which Mo manages
ADAS = Route(ADMIN)
STUS = Route({"stu"}, rest=MISSING)  # a student's own; nobody of the staff has such pages

# Pages of one incident, by what a reader of it must be. The set is that of the secret incident of world.py.
READS = Route({"ada", "ken", "sam", "gil"}, MISSING, "incident")
CHANGES = Route({"ada", "ken", "sam"}, MISSING, "incident")
SETS = Route({"ada", "ken"}, MISSING, "incident", module=True)
CONCERNED = Route({"ada", "ken", "sam", "gil"}, MISSING, "incident")
EXCLUDES = Route({"ada"}, MISSING, "incident")

OPENS_FROM = Route({"ada", "ken"}, MISSING, "incident")

# Pages of one case, likewise, for the secret case.
ON_CASE = Route({"ada", "ken", "gil", "mo"}, MISSING, "case")
MANAGES_CASE = Route({"ada", "ken", "mo"}, MISSING, "case")
# Mo manages the case and does not see the incident that is linked to it; Gil sees both and manages nothing.
UNLINKS = Route({"ada", "ken"}, MISSING, "case")
# Gil wrote the entry; of the others those who manage the case.
EDITS_ENTRY = Route({"ada", "ken", "gil", "mo"}, MISSING, "case")
CASE_EXCLUDES = Route({"ada"}, MISSING, "case")
# Pages of one plan: Sam leads the secret one, Gil works on it; Ken and Mo read it because of the secret case.
READS_PLAN = Route({"ada", "ken", "gil", "mo", "sam"}, MISSING, "plan")
MANAGES_PLAN = Route({"ada", "gil", "sam"}, MISSING, "plan")
# An intervention group, which Sam leads; the others manage all of them.
RUNS_INTERVENTION = Route({"ada", "kay", "ken", "mo", "sam"}, MISSING)
MANAGES_INTERVENTIONS = Route({"ada", "kay", "ken", "mo"})
# Pages of one meeting: Sam scheduled the secret one for Gil; Ken and Mo read it because of the secret case.
READS_MEETING = Route({"ada", "ken", "gil", "mo", "sam"}, MISSING, "meeting")
MANAGES_MEETING = Route({"ada", "gil", "sam"}, MISSING, "meeting")
# Pages of one task, for the secret task: Sam set it, Gil has it, and it belongs to the secret case.
READS_TASK = Route({"ada", "ken", "gil", "mo", "sam"}, MISSING, "task")
MANAGES_TASK = Route({"ada", "gil", "sam"}, MISSING, "task")
# Of the secret file on the student's profile, which Sam submitted for the group Counselling, in which Gil is.
READS_FILE = Route({"ada", "gil", "sam"}, MISSING, "file")
MANAGES_FILE = Route({"ada", "sam"}, MISSING, "file")
# Of the secret response, which Sam sent, Counselling reads (Gil) and the secret case has; and of Rae's referral, which waits.
READS_RESPONSE = Route({"ada", "ken", "gil", "mo", "sam"}, MISSING, "response")
READS_REFERRAL = Route({"ada", "gil", "rae"}, MISSING, "referral")
DECIDES_REFERRAL = Route({"ada", "gil"}, MISSING, "referral")
ADDS_REFERRED = Route({"ada"}, MISSING, "referral")  # Gil decides on it and adds no students
REFERS = Route(STAFF | {"rae"}, rest=MISSING)
SENT_BY_OUTSIDERS = Route({"rae", "stu"}, rest=MISSING)
# The secret task belongs to the secret case: Ken and Mo see it because of that alone.
PUTS_ONTO_CASE = Route({"ada", "gil"}, MISSING, "case")
READERS = {"meeting": READS_MEETING.may, "response": READS_RESPONSE.may, "referral": DECIDES_REFERRAL.may, "task": READS_TASK.may, "file": READS_FILE.may, "incident": READS.may, "case": ON_CASE.may, "plan": READS_PLAN.may}

STUDENT_READS = Route(STAFF, on="student")
STUDENT_CHANGES = Route(KEY, on="student")
STUDENT_EXCLUDES = Route(ADMIN, on="student")
# Counselling supports the student's cohort: Gil is a member of it, Mo manages it.
SUPPORTS = Route({"ada", "gil", "mo"}, MISSING, "student")

ROUTES = {
    "account.ask_password_link": PUBLIC,
    "account.calendar": Route(STAFF, MISSING),
    "account.calendar_address": Route(STAFF, MISSING),
    "account.calendar_address_revocation": Route(STAFF, MISSING),
    "account.change_password": SIGNED_IN,
    "account.details": Route(EVERYBODY - {"stu"}),
    "account.index": SIGNED_IN,
    "account.new_person": FOR_ADMINS,
    "account.password_link_sent": PUBLIC,
    "account.person": FOR_STAFF,
    "account.personnel": FOR_STAFF,
    "account.personnel_export": FOR_STAFF,
    "account.photo": FOR_STAFF,
    "account.recovery_codes": SIGNED_IN,
    "account.revoke_other_sessions": SIGNED_IN,
    "account.revoke_session": KENS,
    "account.save_draft": Route(EVERYBODY, nobody=UNAUTHORISED),
    "account.set_password": PUBLIC,
    "account.set_up": GONE,
    "account.sign_in": PUBLIC,
    "account.sign_out": LEADS_TO_SIGN_IN,
    "account.two_step": LEADS_TO_SIGN_IN,
    "account.two_step_setup": SIGNED_IN,
    "admin.add_category": FOR_ADMINS,
    "admin.add_department": FOR_ADMINS,
    "admin.add_director": ONE_FOR_ADMINS,
    "admin.add_group": FOR_ADMINS,
    "admin.add_own_member": OWN_GROUP,
    "admin.add_person": ONE_FOR_ADMINS,
    "admin.audit": FOR_ADMINS,
    "admin.audit_export": FOR_ADMINS,
    "admin.bulk_closing": FOR_ADMINS._replace(module=True),
    "admin.bulk_closing_export": FOR_ADMINS._replace(module=True),
    "admin.bulk_closing_record": ONE_FOR_ADMINS._replace(module=True),
    "admin.bulk_closing_record_export": ONE_FOR_ADMINS._replace(module=True),
    "admin.categories": FOR_ADMINS,
    "admin.categories_export": FOR_ADMINS,
    "admin.category": ONE_FOR_ADMINS,
    "admin.close_in_bulk": FOR_ADMINS._replace(module=True),
    "admin.department": ONE_FOR_ADMINS,
    "admin.edit_group": ONE_FOR_ADMINS,
    "admin.effect_of_adding": ONE_FOR_ADMINS,
    "admin.effect_of_editing": ONE_FOR_ADMINS,
    "admin.effect_of_director": ONE_FOR_ADMINS,
    "admin.effect_of_own_member": OWN_GROUP,
    "admin.email": FOR_ADMINS,
    "admin.email_export": FOR_ADMINS,
    "admin.group": ONE_FOR_ADMINS,
    "admin.groups": FOR_ADMINS,
    "admin.groups_export": FOR_ADMINS,
    "admin.index": FOR_ADMINS,
    "admin.new_director": ONE_FOR_ADMINS,
    "admin.remove_director": ONE_FOR_ADMINS,
    "admin.remove_person": ONE_FOR_ADMINS,
    "admin.retry_email": ONE_FOR_ADMINS,
    "admin.save_person": ONE_FOR_ADMINS,
    "admin.settings": FOR_ADMINS,
    "admin.own_group": OWN_GROUP,
    "admin.own_groups": FOR_MANAGERS,
    "admin.own_groups_export": FOR_MANAGERS,
    "admin.remove_own_member": OWN_GROUP,
    "admin.save_own_member": OWN_GROUP,
    "admin.user": ONE_FOR_ADMINS,
    "admin.user_deactivation": ONE_FOR_ADMINS,
    "admin.user_edit": ONE_FOR_ADMINS,
    "admin.user_effect": ONE_FOR_ADMINS,
    "admin.user_invitation": ONE_FOR_ADMINS,
    "admin.user_new": FOR_ADMINS,
    "admin.user_reactivation": ONE_FOR_ADMINS,
    "admin.user_session_revocation": ONE_FOR_ADMINS,
    "admin.user_sessions_revocation": ONE_FOR_ADMINS,
    "admin.user_two_step_reset": ONE_FOR_ADMINS,
    "admin.users": FOR_ADMINS,
    "admin.users_export": FOR_ADMINS,
    "cases.access": ON_CASE,
    "cases.add_agency": ON_CASE,
    "cases.add_entry": ON_CASE,
    "cases.add_files": ON_CASE,
    "cases.agency": ON_CASE,
    "cases.agency_change_draft_removal": ON_CASE,
    "cases.agency_draft_removal": ON_CASE,
    "cases.agency_removal": ON_CASE,
    "cases.agency_versions": ON_CASE,
    "cases.assignment": MANAGES_CASE,
    "cases.assignment_members": MANAGES_CASE,
    "cases.assignment_of_group": MANAGES_CASE,
    "cases.attach_group": MANAGES_CASE,
    "cases.attach_staff": MANAGES_CASE,
    "cases.case": ON_CASE,
    "cases.closure": MANAGES_CASE,
    "cases.detach_group": MANAGES_CASE,
    "cases.detach_staff": MANAGES_CASE,
    "cases.draft_removal": FOR_KEY_USERS,
    "cases.dictionary": ONE_FOR_ADMINS,
    "cases.dictionary_effect": ONE_FOR_ADMINS,
    "cases.dictionary_form": ONE_FOR_ADMINS,
    "cases.dictionary_form_effect": ONE_FOR_ADMINS,
    "cases.dictionary_list": ONE_FOR_ADMINS,
    "cases.dictionary_list_entry": ONE_FOR_ADMINS,
    "cases.dictionary_list_export": ONE_FOR_ADMINS,
    "cases.dictionary_list_order": ONE_FOR_ADMINS,
    "cases.dictionary_list_removal": ONE_FOR_ADMINS,
    "cases.dictionary_suggest": ONE_FOR_ADMINS,
    "cases.edit": MANAGES_CASE,
    "cases.entry": EDITS_ENTRY,
    "cases.entry_draft_removal": ON_CASE,
    "cases.entry_text_draft_removal": EDITS_ENTRY,
    "cases.entry_versions": ON_CASE,
    "cases.exclusion_end": CASE_EXCLUDES,
    "cases.exclusions": CASE_EXCLUDES,
    "cases.export": FOR_STAFF,
    "cases.export_mine": FOR_STAFF,
    "cases.export_of_student": STUDENT_READS,
    "cases.file": ON_CASE,
    "cases.file_removal": MANAGES_CASE,
    "cases.from_incident": OPENS_FROM,
    "cases.history": ON_CASE,
    "cases.incident_removal": UNLINKS,
    "cases.incidents": ON_CASE,
    "cases.index": FOR_STAFF,
    "cases.mine": FOR_STAFF,
    "cases.new": FOR_KEY_USERS,
    "cases.of_student": STUDENT_READS,
    "cases.people": MANAGES_CASE,
    "cases.people_suggest": MANAGES_CASE,
    "cases.presenting": ON_CASE,
    "cases.presenting_draft_removal": ON_CASE,
    "cases.presenting_versions": ON_CASE,
    "cases.cancel_meeting": MANAGES_MEETING,
    "cases.edit_meeting": MANAGES_MEETING,
    "cases.export_meetings": FOR_STAFF,
    "cases.export_meetings_of_student": STUDENT_READS,
    "cases.meeting": READS_MEETING,
    "cases.meeting_access": READS_MEETING,
    "cases.meeting_clashes": FOR_STAFF,
    "cases.meeting_draft_removal": MANAGES_MEETING,
    "cases.meeting_history": READS_MEETING,
    "cases.meeting_invitation": READS_MEETING,
    "cases.meeting_outcome": MANAGES_MEETING,
    "cases.meeting_staff": MANAGES_MEETING,
    "cases.meeting_staff_removal": MANAGES_MEETING,
    "cases.meeting_staff_suggest": FOR_STAFF,
    "cases.meeting_student_removal": MANAGES_MEETING,
    "cases.meeting_students": MANAGES_MEETING,
    "cases.meetings": FOR_STAFF,
    "cases.meetings_of_student": STUDENT_READS,
    "cases.move_meeting": MANAGES_MEETING,
    "cases.new_meeting": FOR_STAFF,
    "cases.new_meeting_draft_removal": FOR_STAFF,
    "cases.new_task": FOR_STAFF,
    "cases.new_task_draft_removal": FOR_STAFF,
    "cases.put_record": PUTS_ONTO_CASE,
    "cases.record_removal": MANAGES_CASE,
    "cases.records": ON_CASE,
    "cases.reopening": MANAGES_CASE,
    "cases.student_file": READS_FILE,
    "cases.student_file_access": READS_FILE,
    "cases.student_file_edit": MANAGES_FILE,
    "cases.student_file_removal": MANAGES_FILE,
    "cases.student_files": STUDENT_READS,
    "cases.student_files_export": STUDENT_READS,
    "cases.submit_file": STUDENT_READS,
    "cases.suggestions": ONE_FOR_ADMINS,
    "cases.task": READS_TASK,
    "cases.task_access": READS_TASK,
    "cases.task_cancellation": MANAGES_TASK,
    "cases.task_completion": MANAGES_TASK,
    "cases.task_draft_removal": READS_TASK,
    "cases.task_edit": MANAGES_TASK,
    "cases.task_reopening": MANAGES_TASK,
    "cases.tasks": FOR_STAFF,
    "cases.tasks_export": FOR_STAFF,
    "cases.tasks_export_of_student": STUDENT_READS,
    "cases.tasks_of_student": STUDENT_READS,
    "cohorts.add_milestone": ONE_FOR_ADMINS,
    "cohorts.add_students": ONE_FOR_ADMINS,
    "cohorts.add_students_file": ONE_FOR_ADMINS,
    "cohorts.add_students_result": ONE_FOR_ADMINS,
    "cohorts.answer_request": SUPPORTS,
    "cohorts.archive": ONE_FOR_ADMINS,
    "cohorts.attach_effect": ONE_FOR_ADMINS,
    "cohorts.attach_support_groups": ONE_FOR_ADMINS,
    "cohorts.cohort": ONE_FOR_ADMINS,
    "cohorts.completion": ONE_FOR_ADMINS,
    "cohorts.copy": ONE_FOR_ADMINS,
    "cohorts.detach_group": ONE_FOR_ADMINS,
    "cohorts.edit": ONE_FOR_ADMINS,
    "cohorts.edit_category": ONE_FOR_ADMINS,
    "cohorts.export": ONE_FOR_ADMINS,
    "cohorts.feed": PUBLIC,
    "cohorts.index": ONE_FOR_ADMINS,
    "cohorts.mark_everybody": ONE_FOR_ADMINS,
    "cohorts.milestone": ONE_FOR_ADMINS,
    "cohorts.milestone_as_template": ONE_FOR_ADMINS,
    "cohorts.milestone_file": ONE_FOR_ADMINS,
    "cohorts.milestone_file_removal": ONE_FOR_ADMINS,
    "cohorts.milestone_removal": ONE_FOR_ADMINS,
    "cohorts.milestones": ONE_FOR_ADMINS,
    "cohorts.milestones_export": ONE_FOR_ADMINS,
    "cohorts.milestones_order": ONE_FOR_ADMINS,
    "cohorts.move_effect": ONE_FOR_ADMINS,
    "cohorts.move_student": ONE_FOR_ADMINS,
    "cohorts.new": ONE_FOR_ADMINS,
    "cohorts.new_category": ONE_FOR_ADMINS,
    "cohorts.own_address": STUS,
    "cohorts.own_address_revocation": STUS,
    "cohorts.own_calendar": STUS,
    "cohorts.own_file": STUS,
    "cohorts.own_milestone": STUS,
    "cohorts.own_photo": STUS,
    "cohorts.own_request": STUS,
    "cohorts.own_request_withdrawal": STUS,
    "cohorts.progress": ONE_FOR_ADMINS,
    "cohorts.progress_file": ONE_FOR_ADMINS,
    "cohorts.remove_student": ONE_FOR_ADMINS,
    "cohorts.restore": ONE_FOR_ADMINS,
    "cohorts.set_up": FOR_STAFF,
    "cohorts.student_milestone_file": SUPPORTS,
    "cohorts.student_milestone_state": SUPPORTS,
    "cohorts.student_milestones": SUPPORTS,
    "cohorts.student_milestones_export": SUPPORTS,
    "cohorts.students_export": ONE_FOR_ADMINS,
    "cohorts.support_groups": ONE_FOR_ADMINS,
    "cohorts.support_groups_export": ONE_FOR_ADMINS,
    "cohorts.supported": FOR_STAFF,
    "cohorts.supported_export": FOR_STAFF,
    "cohorts.template": ONE_FOR_ADMINS,
    "cohorts.template_file": ONE_FOR_ADMINS,
    "cohorts.template_file_removal": ONE_FOR_ADMINS,
    "cohorts.template_removal": ONE_FOR_ADMINS,
    "cohorts.templates": ONE_FOR_ADMINS,
    "cohorts.templates_export": ONE_FOR_ADMINS,
    "home.add_announcement": FOR_ADMINS,
    "forms.answers": ONE_FOR_ADMINS,
    "forms.definition_file": ONE_FOR_ADMINS,
    "forms.draft_removal": ONE_FOR_ADMINS,
    "forms.edit": ONE_FOR_ADMINS,
    "forms.export": ONE_FOR_ADMINS,
    "forms.field": ONE_FOR_ADMINS,
    "forms.field_copy": ONE_FOR_ADMINS,
    "forms.field_removal": ONE_FOR_ADMINS,
    "forms.import_definition": ONE_FOR_ADMINS,
    "forms.new": ONE_FOR_ADMINS,
    "forms.order": ONE_FOR_ADMINS,
    "forms.preview": ONE_FOR_ADMINS,
    "forms.publication": ONE_FOR_ADMINS,
    "forms.readers": ONE_FOR_ADMINS,
    "forms.readers_effect": ONE_FOR_ADMINS,
    "forms.restoration": ONE_FOR_ADMINS,
    "forms.retirement": ONE_FOR_ADMINS,
    "forms.settings": ONE_FOR_ADMINS,
    "forms.version": ONE_FOR_ADMINS,
    "forms.versions": ONE_FOR_ADMINS,
    "forms.index": SIGNED_IN,
    "forms.fill": SIGNED_IN,
    "forms.fill_draft_removal": SIGNED_IN,
    "forms.referral": READS_REFERRAL,
    "forms.referral_acceptance": DECIDES_REFERRAL,
    "forms.referral_declining": DECIDES_REFERRAL,
    "forms.referral_merging": DECIDES_REFERRAL,
    "forms.referral_new_student": ADDS_REFERRED,
    "forms.referrals": REFERS,
    "forms.referrals_export": REFERS,
    "forms.remove_filters": KENS,
    "forms.response": READS_RESPONSE,
    "forms.response_access": READS_RESPONSE,
    "forms.response_file": READS_RESPONSE,
    "forms.responses_export": FOR_STAFF,
    "forms.responses_to": FOR_STAFF,
    "forms.save_filters": FOR_STAFF,
    "forms.sent": SENT_BY_OUTSIDERS,
    "forms.sent_export": SENT_BY_OUTSIDERS,
    "home.announcement": ONE_FOR_ADMINS,
    "home.announcements": FOR_ADMINS,
    "home.dashboard": SIGNED_IN,
    "home.health": PUBLIC,
    "home.notification": KENS,
    "home.notification_choices": FOR_STAFF,
    "home.notifications": FOR_STAFF,
    "home.read_notifications": FOR_STAFF,
    "home.remove_announcement": ONE_FOR_ADMINS,
    "home.search": FOR_STAFF,
    "home.suggest": FOR_STAFF,
    "imports.confirmation": ADAS,
    "imports.index": FOR_ADMINS,
    "imports.mapping": ADAS,
    "imports.oneroster": FOR_ADMINS,
    "imports.progress": ADAS,
    "imports.result": ADAS,
    "imports.run": ADAS,
    "imports.staff": FOR_ADMINS,
    "imports.students": FOR_ADMINS,
    "imports.withdrawal": ADAS,
    "incidents.access": READS,
    "incidents.access_preview": FOR_STAFF,
    "incidents.add_action": READS,
    "incidents.add_files": READS,
    "incidents.alert_suggest": FOR_STAFF,
    "incidents.alerts": CHANGES,
    "incidents.assignment": SETS,
    "incidents.body_map": READS,
    "incidents.body_map_picture": READS,
    "incidents.change_preview": CHANGES,
    "incidents.completion": CONCERNED,
    "incidents.details": CHANGES,
    "incidents.draft_removal": FOR_STAFF,
    "incidents.exclusion_end": EXCLUDES,
    "incidents.exclusions": EXCLUDES,
    "incidents.export": FOR_STAFF,
    "incidents.export_of_student": STUDENT_READS,
    "incidents.file": READS,
    "incidents.file_removal": CHANGES,
    "incidents.incident": READS,
    "incidents.index": FOR_STAFF,
    "incidents.mark": READS,
    "POST incidents.mark": CHANGES,
    "incidents.mark_removal": CHANGES,
    "incidents.new": FOR_STAFF,
    "incidents.of_student": STUDENT_READS,
    "incidents.reopening": CONCERNED,
    "incidents.staff_suggest": READS,
    "incidents.status": SETS,
    "incidents.students": CHANGES,
    "incidents.take_off": CHANGES,
    "incidents.text": CHANGES,
    "incidents.text_draft_removal": CHANGES,
    "incidents.versions": READS,
    "plans.access": READS_PLAN,
    "plans.add_to_intervention": RUNS_INTERVENTION,
    "plans.archive_intervention": RUNS_INTERVENTION,
    "plans.edit_intervention": RUNS_INTERVENTION,
    "plans.edit_intervention_draft_removal": RUNS_INTERVENTION,
    "plans.intervention": RUNS_INTERVENTION,
    "plans.intervention_effect": RUNS_INTERVENTION,
    "plans.intervention_export": RUNS_INTERVENTION,
    "plans.interventions": FOR_STAFF,
    "plans.interventions_export": FOR_STAFF,
    "plans.leave_intervention": RUNS_INTERVENTION,
    "plans.new_intervention": MANAGES_INTERVENTIONS,
    "plans.new_intervention_draft_removal": MANAGES_INTERVENTIONS,
    "plans.restore_intervention": RUNS_INTERVENTION,
    "plans.add_step": MANAGES_PLAN,
    "plans.edit": MANAGES_PLAN,
    "plans.edit_draft_removal": MANAGES_PLAN,
    "plans.ending": MANAGES_PLAN,
    "plans.export": FOR_STAFF,
    "plans.export_of_student": STUDENT_READS,
    "plans.export_points": READS_PLAN,
    "plans.history": READS_PLAN,
    "plans.index": FOR_STAFF,
    "plans.new": FOR_STAFF,
    "plans.new_draft_removal": FOR_STAFF,
    "plans.of_student": STUDENT_READS,
    "plans.people": MANAGES_PLAN,
    "plans.plan": READS_PLAN,
    "plans.points": READS_PLAN,
    "POST plans.points": MANAGES_PLAN,
    "plans.remove_point": MANAGES_PLAN,
    "plans.resumption": MANAGES_PLAN,
    "plans.review": MANAGES_PLAN,
    "plans.review_draft_removal": MANAGES_PLAN,
    "plans.staff_suggest": FOR_STAFF,
    "plans.step": MANAGES_PLAN,
    "plans.versions": READS_PLAN,
    "reports.edit_report": KENS,
    "reports.incident_counts": FOR_KEY_USERS,
    "reports.incidents": FOR_KEY_USERS,
    "reports.incidents_export": FOR_KEY_USERS,
    "reports.index": FOR_KEY_USERS,
    "reports.remove_report": KENS,
    "reports.save_report": FOR_KEY_USERS,
    "reports.saved_report": KENS,
    "static": PUBLIC,
    "students.comeback": STUDENT_CHANGES,
    "students.contact": STUDENT_CHANGES,
    "students.contact_removal": STUDENT_CHANGES,
    "students.departure": STUDENT_CHANGES,
    "students.edit": STUDENT_CHANGES,
    "students.exclusion_end": STUDENT_EXCLUDES,
    "students.exclusions": STUDENT_EXCLUDES,
    "students.export": FOR_STAFF,
    "students.index": FOR_STAFF,
    "students.new": FOR_KEY_USERS,
    "students.new_contact": STUDENT_CHANGES,
    "students.student": STUDENT_READS,
    "students.suggest": FOR_STAFF,
    "timeline.chronology": STUDENT_READS,
    "timeline.dashboard": FOR_STAFF,
    "timeline.dashboard_export": FOR_STAFF,
    "timeline.timeline": STUDENT_READS,
    "timeline.timeline_export": STUDENT_READS,
}


def route_of(endpoint, method):
    """The Route of a page; its POST may have one of its own."""
    return ROUTES.get(f"{method} {endpoint}", ROUTES[endpoint])


def expected(route, person):
    """What the cast's `person` (or "nobody") gets on the addresses that samples() makes."""
    if person == "nobody":
        return route.nobody
    if route is LEADS_TO_SIGN_IN:
        return SIGN_IN
    if person in route.may:
        return IN
    if person in ("rae", "stu"):
        return MISSING
    # seeing the record, but not being allowed this, is no secret; not seeing it is
    if route is UNLINKS and person == "mo":
        return MISSING
    if person in READERS.get(route.on, ()) and route not in (EXCLUDES, CASE_EXCLUDES):
        return FORBIDDEN
    return route.rest


def outcome(answer):
    """An answer in the words of this table; anything odd as its status line."""
    if answer.status in (302, 303) and answer.location.startswith("/account/sign-in"):
        return SIGN_IN
    if answer.status in (401, 403, 404):
        return str(answer.status)
    if answer.status in (200, 204, 302, 303, 409, 422):
        return IN
    return answer.reason


# --- Addresses --------------------------------------------------------------------------------------------------------

QUERIES = dict.fromkeys(("cases.add_agency", "cases.agency_draft_removal"), "?section=prosecution")
KINDS = {"kind": ("csv", "xlsx"), "view": ("front", "back"), "part": ("members", "managers"), "which": ("result", "refused")}


def values(world, endpoint):
    """What stands in an address of this endpoint, by the name of the part: the secret incident, its student, …"""
    part, _, name = endpoint.partition(".")
    known = {
        "account": {"ref": world.session.ref, "key": "incident-new", "token": world.link_token},
        "admin": {"ref": world.cast.counselling.ref, "person": world.cast.gil.ref, "key": world.email.message_id},
        "forms": {"ref": world.form.ref, "key": "f1", "number": 1},
        "home": {"ref": world.notification.ref if name == "notification" else world.announcement.ref},
        "incidents": {"ref": world.secret.ref, "action_ref": world.action.ref, "mark_ref": world.mark.ref,
                      "student_ref": world.student.ref, "file_ref": world.file.ref, "exclusion_ref": world.exclusion.ref},
        "cases": {"ref": world.case.ref, "incident_ref": world.secret.ref, "file_ref": world.case_file.ref,
                  "entry_ref": world.entry.ref, "agency_ref": world.agency.ref, "section": world.agency.section, "group_ref": world.cast.counselling.ref,
                  "account_ref": world.ida.ref, "staff_ref": world.ida.ref,
                  "exclusion_ref": world.case_exclusion.ref, "record_kind": "task", "record_ref": world.task.ref},
        "cohorts": {"ref": world.cohort.ref, "student_ref": world.student.ref, "group_ref": world.cast.counselling.ref,
                    "run_ref": world.cohort_run.ref, "mref": world.milestone.ref, "rref": world.request.ref,
                    "file_ref": world.milestone_file.ref},
        "plans": {"ref": world.plan.ref, "step_ref": world.plan_step.ref, "point_ref": world.plan_point.ref},
        "reports": {"ref": world.report.ref},
        "static": {"filename": "caseward.js"},
        "timeline": {"ref": world.student.ref},
        "students": {"ref": world.student.ref, "contact_ref": world.contact.ref,
                     "exclusion_ref": world.student_exclusion.ref},
    }.get(part, {})  # fmt: skip
    if part == "forms" and (name == "response" or name.startswith("response_")):
        return {"ref": world.response.ref, "file_ref": world.response_file.ref}
    if part == "forms" and (name == "referral" or name.startswith("referral_")):
        return {"ref": world.referral.ref}
    if endpoint == "forms.remove_filters":
        return {"ref": world.form.ref, "saved_ref": world.filters.ref}
    if part == "plans" and "intervention" in name:
        return {"ref": world.intervention.ref}
    if name.endswith("of_student"):
        return {"ref": world.student.ref}
    if part == "cases" and name not in ("meetings", "new_meeting") and "meeting" in name:
        return {"ref": world.meeting.ref, "student_ref": world.student.ref, "account_ref": world.cast.gil.ref, "what": "edit"}
    if part == "cases" and (name.startswith("dictionary") or name == "suggestions"):
        entry = world.form if "form" in name else world.case.case_type
        return {"ref": entry.ref, "list_name": "case-types", "way": "down", "picker": "staff", "trigger": "task"}
    if part == "cases" and (name == "task" or name.startswith("task_")):
        return {"ref": world.task.ref}
    if part == "cases" and (name == "submit_file" or name.startswith("student_file")):
        return {"ref": world.student.ref, "file_ref": world.student_file.ref}
    if part == "cohorts" and (name == "feed" or name.startswith("own_")):
        return {"ref": world.cast.gil.ref if name == "own_photo" else world.own_milestone.ref, "token": world.feed_token,
                "file_ref": world.own_file.ref, "request_ref": world.own_request.ref}  # fmt: skip
    if part == "cohorts" and name.startswith("template"):
        return {"ref": world.template.ref, "file_ref": world.template_file.ref}
    if part == "cohorts" and (name.startswith("student_") or name == "answer_request"):
        return known | {"ref": world.student.ref, "file_ref": world.request_file.ref}
    if endpoint == "cohorts.edit_category":
        return {"ref": world.cohort.category.ref}
    if name == "from_incident":
        return {"ref": world.secret.ref}
    if endpoint in ("account.person", "account.photo"):
        return {"ref": world.cast.ken.ref}
    if part == "imports":
        return {"ref": world.import_run.ref}
    if part == "admin" and name.startswith("user"):
        return {"ref": world.cast.ken.ref, "session_ref": world.session.ref}
    if part == "admin" and ("department" in name or "director" in name):
        return {"ref": world.department.ref, "person": world.director.ref}
    special = {"category": world.secret_category, "bulk_closing_record": world.bulk, "bulk_closing_record_export": world.bulk}
    return known | ({"ref": special[name].ref} if part == "admin" and name in special else {})


def samples(app, world, every=False):
    """[(endpoint, methods, address)] of the whole URL map; `every`: with each file format, view and list."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in ROUTES:
            continue  # test_matrix.py says so, once
        known = values(world, rule.endpoint)
        variants = [{}]
        for name in sorted(rule.arguments):
            choices = KINDS[name] if name in KINDS else (known.get(name),)
            assert None not in choices, f"{rule.rule}: tests/access/routes.py has no value for <{name}>"
            variants = [each | {name: value} for each in variants for value in (choices if every else choices[:1])]
        for given in variants:
            found.append((rule.endpoint, rule.methods - {"HEAD", "OPTIONS"}, address(app, rule, given)))
    return sorted(found, key=lambda each: (each[0], each[2]))


def address(app, rule, given):
    built = rule.build(given)
    if built is None:
        raise BuildError(rule.endpoint, given, None)
    return built[1] + QUERIES.get(rule.endpoint, "")
