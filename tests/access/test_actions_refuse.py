"""Every action, called directly by each member of the cast who may not do it, refuses and changes nothing.

Views are not the only callers: commands, bulk work and nightly jobs come here as well, so the check has to sit here.
"""

import importlib
import inspect
import io
from datetime import timedelta

import pytest
from werkzeug.datastructures import FileStorage

from blueprints.account import actions as account
from blueprints.admin import actions as admin
from blueprints.cases import actions as cases
from blueprints.cohorts import actions as cohorts
from blueprints.forms import actions as forms
from blueprints.forms.fields import Field
from blueprints.home import actions as home
from blueprints.imports import runs as imports
from blueprints.incidents import actions as incidents
from blueprints.kit import csvread
from blueprints.plans import actions as plans
from blueprints.reports import actions as reports
from blueprints.students import actions as students
from extensions import clock, db
from models import Account, CloseReason, Session
from permissions import Denied, NotVisible
from tests import factories
from tests.access.routes import (
    ADMIN,
    DECIDES_REFERRAL,
    KEY,
    MANAGES_CASE,
    MANAGES_FILE,
    MANAGES_INTERVENTIONS,
    MANAGES_MEETING,
    MANAGES_PLAN,
    MANAGES_TASK,
    ON_CASE,
    PUTS_ONTO_CASE,
    READS,
    READS_PLAN,
    READS_TASK,
    RUNS_INTERVENTION,
    STAFF,
    SUPPORTS,
)
from tests.access.test_csrf_and_methods import business, changed
from tests.access.visitor import undone
from tests.imports.files import RosterSet

SEES = READS.may
WRITES = {"ada", "ken", "sam"}
ON_IT, MANAGES = ON_CASE.may, MANAGES_CASE.may
NOBODY_ELSE, NOBODY = {"ken"}, set()
STU = {"stu"}
SUPPORT = SUPPORTS.may
WORKS = MANAGES_PLAN.may
SAID = {"tier": 2, "goal": "x", "concern": "", "measure": "", "baseline": None, "target": None,
        "starts_on": factories.today(), "review_by": None}  # fmt: skip
RUNS, MANAGES_ALL = RUNS_INTERVENTION.may, MANAGES_INTERVENTIONS.may
TEMPLATE = {"name": "Phonics", "description": "", "tier": 2, "concern": "", "goal": "x", "measure": "", "baseline": None,
            "target": None, "review_weeks": None}  # fmt: skip
MEETS = MANAGES_MEETING.may
LATER = {"starts_at": clock.now() + timedelta(days=9), "ends_at": clock.now() + timedelta(days=9, hours=1)}
DECIDES = DECIDES_REFERRAL.may
REFERRED = {"first_name": "Eve", "last_name": "Egret", "date_of_birth": None, "about": ""}
ASKED = Field("", "text", "Asked")
ITS_OWN = None  # about the actor alone: there is nothing to refuse

VALUES = {"first_name": "Eve", "last_name": "Egret"}


def new_part(w):
    return incidents.NewPart(w.ann, "subject", [w.open_category.id])


# action: (who of the cast may, how it is called). `w` is the world of world.py, `who` the actor.
ACTIONS = {
    "incidents.add": (STAFF, lambda w, who: incidents.add(
        actor=who, text="x", happened_at=clock.now(), parts=[new_part(w)])),
    "incidents.add, with a status": (KEY, lambda w, who: incidents.add(
        actor=who, text="x", happened_at=clock.now(), parts=[new_part(w)], status="Active")),
    "incidents.add, assigned": (KEY, lambda w, who: incidents.add(
        actor=who, text="x", happened_at=clock.now(), parts=[new_part(w)], assigned_to=w.cast.ken)),
    "incidents.assign": (KEY & SEES, lambda w, who: incidents.assign(w.secret, None, actor=who, version=1)),
    "incidents.set_status": (KEY & SEES, lambda w, who: incidents.set_status(w.secret, "Closed", actor=who, version=1)),
    "incidents.alert": (WRITES, lambda w, who: incidents.alert(w.secret, [w.cast.ada], [], actor=who)),
    "incidents.edit_text": (WRITES, lambda w, who: incidents.edit_text(w.secret, "y", "z", actor=who, number=2)),
    "incidents.change_details": (WRITES, lambda w, who: incidents.change_details(
        w.secret, happened_at=clock.now(), place="", actor=who, version=1)),
    "incidents.change_students": (WRITES, lambda w, who: incidents.change_students(
        w.secret, [new_part(w)], actor=who, version=1)),
    "incidents.take_off": (WRITES, lambda w, who: incidents.take_off(
        w.secret, w.student.ref, "x", actor=who, version=1)),
    "incidents.add_action": (SEES, lambda w, who: incidents.add_action(w.secret, text="x", actor=who)),
    "incidents.set_done": (SEES, lambda w, who: incidents.set_done(w.secret, w.action, True, actor=who, version=1)),
    "incidents.add_mark": (SEES, lambda w, who: incidents.add_mark(w.secret, view="front", x=1, y=1, actor=who)),
    "incidents.change_mark": (WRITES, lambda w, who: incidents.change_mark(
        w.secret, w.mark, note="y", actor=who, version=1)),
    "incidents.remove_mark": (WRITES, lambda w, who: incidents.remove_mark(w.secret, w.mark, actor=who)),
    "incidents.add_files": (SEES, lambda w, who: incidents.add_files(w.secret, [], actor=who)),
    "incidents.remove_file": (WRITES, lambda w, who: incidents.remove_file(w.secret, w.file, actor=who)),
    "incidents.see_bulk_notices": ITS_OWN,
    "cases.open_case": (KEY, lambda w, who: cases.open_case(
        actor=who, student=w.ann, title="x", case_type=w.case.case_type_id)),
    "cases.open_case, from an incident": (KEY & SEES, lambda w, who: cases.open_case(
        actor=who, student=w.student, title="x", case_type=w.case.case_type_id, incident=w.secret)),
    "cases.change_case": (MANAGES, lambda w, who: cases.change_case(
        w.case, title="x", case_type=w.case.case_type_id, actor=who, version=1)),
    "cases.close_case": (MANAGES, lambda w, who: cases.close_case(
        w.case, reason=w.reason.id, outcome="", actor=who, version=1)),
    "cases.reopen_case": (MANAGES, lambda w, who: cases.reopen_case(w.case, reason="x", actor=who, version=1)),
    "cases.add_entry": (ON_IT, lambda w, who: cases.add_entry(w.case, "x", actor=who)),
    "cases.edit_entry": (ON_IT, lambda w, who: cases.edit_entry(w.case, w.entry, "y", "z", actor=who, number=2)),
    "cases.edit_entry, of somebody else": (MANAGES, lambda w, who: cases.edit_entry(
        w.case, w.others_entry, "y", "z", actor=who, number=1)),
    "cases.edit_entry, of another case": (NOBODY, lambda w, who: cases.edit_entry(
        w.open_case, w.entry, "y", "z", actor=who, number=2)),
    "cases.save_presenting": (ON_IT, lambda w, who: cases.save_presenting(
        w.case, {"concern": "x"}, actor=who, number=2)),
    "cases.add_agency": (ON_IT, lambda w, who: cases.add_agency(w.case, "prosecution", {"agency": "x"}, actor=who)),
    "cases.change_agency": (ON_IT, lambda w, who: cases.change_agency(
        w.case, w.agency, {"agency": "x"}, actor=who, number=2)),
    "cases.change_agency, of another case": (NOBODY, lambda w, who: cases.change_agency(
        w.open_case, w.agency, {"agency": "x"}, actor=who, number=2)),
    "cases.remove_agency": (ON_IT, lambda w, who: cases.remove_agency(w.case, w.agency, actor=who)),
    "cases.remove_agency, of another case": (NOBODY, lambda w, who: cases.remove_agency(w.open_case, w.agency, actor=who)),
    "cases.add_files": (ON_IT, lambda w, who: cases.add_files(w.case, [], actor=who)),
    "cases.remove_file": (MANAGES, lambda w, who: cases.remove_file(w.case, w.case_file, actor=who)),
    "cases.link_incident": (ON_IT & SEES, lambda w, who: cases.link_incident(w.case, w.secret, actor=who)),
    "cases.link_incident, that they see alone": (ON_IT & SEES, lambda w, who: cases.link_incident(
        w.case, w.incident, actor=who)),
    "cases.unlink_incident": (MANAGES & SEES, lambda w, who: cases.unlink_incident(w.case, w.secret, actor=who)),
    "cases.save_people": (MANAGES, lambda w, who: cases.save_people(
        w.case, primary_advocate=who, coordinator=who, following=[who], actor=who, version=1)),
    "cases.attach_group": (MANAGES, lambda w, who: cases.attach_group(w.case, w.other_group, actor=who, confirmed="")),
    "cases.attach_staff": (MANAGES, lambda w, who: cases.attach_staff(w.case, w.other_group, [w.cast.oli], actor=who)),
    "cases.detach_group": (MANAGES, lambda w, who: cases.detach_group(w.case, w.cast.counselling.ref, actor=who)),
    "cases.detach_staff": (MANAGES, lambda w, who: cases.detach_staff(w.case, w.ida.ref, actor=who)),
    "cases.change_dictionary": (ADMIN, lambda w, who: cases.change_dictionary({}, {}, confirmed="", actor=who)),
    "cases.change_form_trigger": (ADMIN, lambda w, who: cases.change_form_trigger(
        w.form, None, None, 0, confirmed="", actor=who)),
    "cases.open_suggested": (ADMIN, lambda w, who: cases.open_suggested(
        "task", clock.now(), [w.ann.ref], confirmed="", actor=who)),
    "cases.add_list_entry": (ADMIN, lambda w, who: cases.add_list_entry("case-types", "x", actor=who)),
    "cases.change_list_entry": (ADMIN, lambda w, who: cases.change_list_entry(
        "case-types", w.case.case_type.ref, name="x", is_retired=False, version=1, actor=who)),
    "cases.move_list_entry": (ADMIN, lambda w, who: cases.move_list_entry(
        "case-types", w.case.case_type.ref, True, actor=who)),
    "cases.remove_list_entry": (ADMIN, lambda w, who: cases.remove_list_entry(
        "case-types", w.case.case_type.ref, actor=who)),
    "cases.put_record": (PUTS_ONTO_CASE.may, lambda w, who: cases.put_record(
        w.case, "task", w.task.ref, confirmed="", actor=who)),
    "cases.take_record_off": (MANAGES, lambda w, who: cases.take_record_off(w.case, "task", w.task.ref, actor=who)),
    "cases.schedule_meeting": (STAFF, lambda w, who: cases.schedule_meeting(
        actor=who, students=[w.student], staff=[], meeting_type=w.meeting.meeting_type_id, **LATER)),
    "cases.move_meeting": (MEETS, lambda w, who: cases.move_meeting(w.meeting, place="", actor=who, version=1, **LATER)),
    "cases.change_meeting": (MEETS, lambda w, who: cases.change_meeting(
        w.meeting, meeting_type=w.meeting.meeting_type_id, agenda="x", actor=who, version=1)),
    "cases.add_meeting_students": (MEETS, lambda w, who: cases.add_meeting_students(w.meeting, [w.ann], actor=who)),
    "cases.remove_meeting_student": (MEETS, lambda w, who: cases.remove_meeting_student(w.meeting, w.student.ref, actor=who)),
    "cases.add_meeting_staff": (MEETS, lambda w, who: cases.add_meeting_staff(w.meeting, [w.cast.ken], actor=who)),
    "cases.remove_meeting_staff": (MEETS, lambda w, who: cases.remove_meeting_staff(w.meeting, w.cast.gil.ref, actor=who)),
    "cases.record_outcome": (MEETS, lambda w, who: cases.record_outcome(w.meeting, outcome="x", parts={}, actor=who, version=1)),
    "cases.cancel_meeting": (MEETS, lambda w, who: cases.cancel_meeting(w.meeting, reason="x", actor=who, version=1)),
    "cases.set_task": (STAFF, lambda w, who: cases.set_task(actor=who, student=w.ann, title="x", assigned_to=w.cast.ken)),
    "cases.set_task, of a case": (ON_IT, lambda w, who: cases.set_task(
        actor=who, student=w.student, title="x", assigned_to=w.cast.ken, case=w.case)),
    "cases.change_task": (MANAGES_TASK.may, lambda w, who: cases.change_task(
        w.task, title="x", assigned_to=w.cast.gil, due_on=None, repeats="", actor=who, version=1)),
    "cases.add_task_note": (READS_TASK.may, lambda w, who: cases.add_task_note(w.task, "x", actor=who)),
    "cases.complete_task": (MANAGES_TASK.may, lambda w, who: cases.complete_task(
        w.task, today=factories.today(), actor=who, version=1)),
    "cases.cancel_task": (MANAGES_TASK.may, lambda w, who: cases.cancel_task(w.task, actor=who, version=1)),
    "cases.reopen_task": (MANAGES_TASK.may, lambda w, who: cases.reopen_task(w.task, actor=who, version=1)),
    "cases.submit_files": (STAFF, lambda w, who: cases.submit_files(w.student, [], shown_to="related", actor=who)),
    "cases.change_student_file": (MANAGES_FILE.may, lambda w, who: cases.change_student_file(
        w.student, w.student_file, category=None, shown_to="related", actor=who, version=1)),
    "cases.change_student_file, of another student": (NOBODY, lambda w, who: cases.change_student_file(
        w.ann, w.student_file, category=None, shown_to="related", actor=who, version=1)),
    "cases.remove_student_file": (MANAGES_FILE.may, lambda w, who: cases.remove_student_file(
        w.student, w.student_file, actor=who)),
    "home.add_announcement": (ADMIN, lambda w, who: home.add_announcement(
        title="x", text="y", ends_on=w.announcement.ends_on, actor=who)),
    "home.change_announcement": (ADMIN, lambda w, who: home.change_announcement(
        w.announcement, 1, title="x", text="y", ends_on=w.announcement.ends_on, actor=who)),
    "home.remove_announcement": (ADMIN, lambda w, who: home.remove_announcement(w.announcement, actor=who)),
    "home.see": (NOBODY_ELSE, lambda w, who: home.see(w.notification, actor=who)),
    "home.see_all": (NOBODY_ELSE, lambda w, who: home.see_all(w.notification.ref, actor=who)),
    "home.save_choices": (STAFF, lambda w, who: home.save_choices({"case_changed": "never"}, actor=who)),
    "students.add_student": (KEY, lambda w, who: students.add_student(dict(VALUES), actor=who)),
    "students.change_student": (KEY, lambda w, who: students.change_student(
        w.student, dict(VALUES), version=1, actor=who)),
    "students.leave": (KEY, lambda w, who: students.leave(w.student, actor=who)),
    "students.take_back": (KEY, lambda w, who: students.take_back(w.gone_student, actor=who)),
    "students.add_contact": (KEY, lambda w, who: students.add_contact(w.student, {"name": "x"}, actor=who)),
    "students.change_contact": (KEY, lambda w, who: students.change_contact(
        w.contact, {"name": "x"}, version=1, actor=who)),
    "students.remove_contact": (KEY, lambda w, who: students.remove_contact(w.contact, actor=who)),
    "students.exclude": (ADMIN, lambda w, who: students.exclude(
        w.cast.oli, student=w.student, reason="x", actor=who)),
    "students.exclude, from an incident": (ADMIN, lambda w, who: students.exclude(
        w.cast.oli, incident=w.secret, reason="x", actor=who)),
    "students.exclude, from a case": (ADMIN, lambda w, who: students.exclude(
        w.cast.oli, case=w.case, reason="x", actor=who)),
    "students.end_exclusion": (ADMIN, lambda w, who: students.end_exclusion(w.exclusion, actor=who)),
    "students.end_exclusion, from a case": (ADMIN, lambda w, who: students.end_exclusion(w.case_exclusion, actor=who)),
    "imports.upload": (ADMIN, lambda w, who: imports.upload(
        b"First name,Last name\nA,B\n", "a.csv", actor=who, folder=w.settings.files)),
    "imports.set_mapping": (ADMIN, lambda w, who: imports.set_mapping(w.import_run, {}, deactivate=False, actor=who)),
    "imports.confirm": (ADMIN, lambda w, who: imports.confirm(w.import_run, "", version=1, actor=who)),
    "imports.upload, of staff": (ADMIN, lambda w, who: imports.upload(
        b"Name,Email\nA,a@x.org\n", "a.csv", actor=who, folder=w.settings.files, kind="staff")),
    "imports.upload, of a set": (ADMIN, lambda w, who: imports.upload(
        RosterSet().user("s1", identifier="A1").zip(), "a.zip", actor=who, folder=w.settings.files, kind="oneroster")),
    "imports.withdraw": (ADMIN, lambda w, who: imports.withdraw(w.import_run, actor=who, folder=w.settings.files)),
    "reports.save_report": (KEY, lambda w, who: reports.save_report("x", "", False, actor=who)),
    "reports.change_report": (NOBODY_ELSE, lambda w, who: reports.change_report(
        w.report, 1, name="x", is_shared=True, actor=who)),
    "reports.remove_report": (NOBODY_ELSE, lambda w, who: reports.remove_report(w.report, actor=who)),
    "admin.close_between": (ADMIN, lambda w, who: admin.close_between(
        w.bulk.from_day, w.bulk.to_day, 1, "", actor=who)),
    "admin.add_category": (ADMIN, lambda w, who: admin.add_category(name="x", parent=None, actor=who)),
    "admin.change_category": (ADMIN, lambda w, who: admin.change_category(
        w.secret_category, 1, name="x", parent=None, actor=who)),
    "admin.add_department": (ADMIN, lambda w, who: admin.add_department("x", actor=who)),
    "admin.change_department": (ADMIN, lambda w, who: admin.change_department(w.department, 1, name="x", actor=who)),
    "admin.add_director": (ADMIN, lambda w, who: admin.add_director(w.department, w.cast.mo, actor=who)),
    "admin.remove_director": (ADMIN, lambda w, who: admin.remove_director(w.department, w.lou, actor=who)),
    "admin.add_group": (ADMIN, lambda w, who: admin.add_group(name="x", department=None, actor=who)),
    "admin.change_group": (ADMIN, lambda w, who: admin.change_group(
        w.other_group, 1, name="x", department=None, is_active=True, actor=who)),
    "admin.add_person": ({"ada", "mo"}, lambda w, who: admin.add_person(w.cast.counselling, who, "member", actor=who)),
    "admin.add_person, to a group of others": (ADMIN, lambda w, who: admin.add_person(
        w.third_group, who, "member", actor=who)),
    "admin.add_person, as a manager": (ADMIN, lambda w, who: admin.add_person(
        w.cast.counselling, who, "manager", actor=who)),
    "admin.remove_person": ({"ada", "mo"}, lambda w, who: admin.remove_person(
        w.cast.counselling, w.cast.gil, "member", actor=who)),
    "admin.remove_person, from a group of others": (ADMIN, lambda w, who: admin.remove_person(
        w.third_group, w.fay, "member", actor=who)),
    "admin.remove_person, a manager": (ADMIN, lambda w, who: admin.remove_person(
        w.cast.counselling, w.cast.mo, "manager", actor=who)),
    "admin.save_groups": (ADMIN, lambda w, who: admin.save_groups(
        joins=[(w.third_group.id, w.cast.oli.id, w.cast.oli.ref)], actor=who)),
    "admin.change_settings": (ADMIN, lambda w, who: admin.change_settings(1, name="x", actor=who)),
    "admin.retry_email": (ADMIN, lambda w, who: admin.retry_email(w.email.message_id, actor=who)),
    "account.add_account": (ADMIN, lambda w, who: account.add_account(
        name="x", email="x@school.example.org", role="admin", actor=who)),
    "account.change_account": (ADMIN, lambda w, who: account.change_account(w.cast.kay, version=1, role="admin", actor=who)),
    "account.deactivate": (ADMIN, lambda w, who: account.deactivate(w.lou, actor=who)),
    "account.reactivate": (ADMIN, lambda w, who: account.reactivate(w.left, actor=who)),
    "account.invite": (ADMIN, lambda w, who: account.invite(w.lou, actor=who)),
    "account.reset_two_step": (ADMIN, lambda w, who: account.reset_two_step(w.lou, actor=who)),
    "account.save_people": (ADMIN, lambda w, who: account.save_people(
        [{"name": "x", "email": "x@school.example.org", "role": "admin"}], [], invite=False, actor=who)),
    "account.revoke_session": (ADMIN, lambda w, who: account.revoke_session(w.lou, w.lous_session.ref, actor=who)),
    "account.revoke_all": (ADMIN, lambda w, who: account.revoke_all(w.lou, actor=who)),
    "cohorts.add_category": (ADMIN, lambda w, who: cohorts.add_category("x", actor=who)),
    "cohorts.change_category": (ADMIN, lambda w, who: cohorts.change_category(
        w.cohort.category, "x", version=1, actor=who)),
    "cohorts.add_cohort": (ADMIN, lambda w, who: cohorts.add_cohort(w.cohort.category, "x", actor=who)),
    "cohorts.change_cohort": (ADMIN, lambda w, who: cohorts.change_cohort(
        w.cohort, name="x", category=w.cohort.category, version=1, actor=who)),
    "cohorts.archive_cohort": (ADMIN, lambda w, who: cohorts.archive_cohort(w.cohort, version=1, actor=who)),
    "cohorts.restore_cohort": (ADMIN, lambda w, who: cohorts.restore_cohort(w.cohort, confirmed="", version=1, actor=who)),
    "cohorts.copy_cohort": (ADMIN, lambda w, who: cohorts.copy_cohort(
        w.cohort, "x", w.cohort.category, shift=None, groups=True, folder=w.settings.files, actor=who)),
    "cohorts.add_by_file": (ADMIN, lambda w, who: cohorts.add_by_file(
        w.cohort, csvread.read(b"ann@pupils.example.org\n"), "a.csv", actor=who)),
    "cohorts.add_student": (ADMIN, lambda w, who: cohorts.add_student(w.cohort, "ann@pupils.example.org", actor=who)),
    "cohorts.remove_student": (ADMIN, lambda w, who: cohorts.remove_student(w.cohort, w.student, actor=who)),
    "cohorts.move_student": (ADMIN, lambda w, who: cohorts.move_student(
        w.cohort, w.student, w.cohort, confirmed="", actor=who)),
    "cohorts.attach_group": (ADMIN, lambda w, who: cohorts.attach_group(
        w.cohort, w.other_group, confirmed="", actor=who)),
    "cohorts.detach_group": (ADMIN, lambda w, who: cohorts.detach_group(w.cohort, w.cast.counselling, actor=who)),
    "cohorts.add_milestone": (ADMIN, lambda w, who: cohorts.add_milestone(w.cohort, actor=who)),
    "cohorts.save_milestone": (ADMIN, lambda w, who: cohorts.save_milestone(
        w.milestone, actor=who, version=1, title="x", due_on=None, description="", reminders=[])),
    "cohorts.remove_milestone": (ADMIN, lambda w, who: cohorts.remove_milestone(w.milestone, actor=who)),
    "cohorts.order_milestones": (ADMIN, lambda w, who: cohorts.order_milestones(w.cohort, "date", actor=who)),
    "cohorts.remove_file": (ADMIN, lambda w, who: cohorts.remove_file(w.milestone, w.milestone_file, actor=who)),
    "cohorts.add_template": (ADMIN, lambda w, who: cohorts.add_template(w.milestone, actor=who)),
    "cohorts.save_template": (ADMIN, lambda w, who: cohorts.save_template(
        w.template, actor=who, version=1, title="x", description="", reminders=[])),
    "cohorts.remove_template": (ADMIN, lambda w, who: cohorts.remove_template(w.template, actor=who)),
    "cohorts.remove_template_file": (ADMIN, lambda w, who: cohorts.remove_template_file(
        w.template, w.template_file, actor=who)),
    "cohorts.mark": (SUPPORT, lambda w, who: cohorts.mark(w.milestone, [w.student], "completed", actor=who)),
    "cohorts.mark, of somebody who is not in the cohort": (NOBODY, lambda w, who: cohorts.mark(
        w.milestone, [w.ann], "completed", actor=who)),
    "plans.create_plan": (STAFF, lambda w, who: plans.create_plan(w.ann, lead=who, actor=who, **SAID)),
    "plans.change_plan": (WORKS, lambda w, who: plans.change_plan(w.plan, number=1, actor=who, **SAID)),
    "plans.set_people": (WORKS, lambda w, who: plans.set_people(w.plan, lead=w.cast.ken, staff=[], actor=who, version=1)),
    "plans.end_plan": (WORKS, lambda w, who: plans.end_plan(w.plan, reason="x", actor=who, version=1)),
    "plans.resume_plan": (WORKS, lambda w, who: plans.resume_plan(w.plan, actor=who, version=1)),
    "plans.add_intervention": (WORKS, lambda w, who: plans.add_intervention(
        w.plan, text="x", how_often="", started_on=w.plan.starts_on, actor=who)),
    "plans.change_intervention": (WORKS, lambda w, who: plans.change_intervention(
        w.plan, w.plan_step, text="x", how_often="", started_on=w.plan.starts_on, ended_on=None, actor=who, version=1)),
    "plans.add_point": (WORKS, lambda w, who: plans.add_point(w.plan, day=w.plan.starts_on, value=1, actor=who)),
    "plans.remove_point": (WORKS, lambda w, who: plans.remove_point(w.plan, w.plan_point, actor=who)),
    "plans.review_plan": (WORKS, lambda w, who: plans.review_plan(
        w.plan, day=w.plan.starts_on, decision="continue", number=1, actor=who)),
    "plans.add_intervention_group": (MANAGES_ALL, lambda w, who: plans.add_intervention_group(
        lead=who, group=None, steps=[], actor=who, **TEMPLATE)),
    "plans.change_intervention_group": (RUNS, lambda w, who: plans.change_intervention_group(
        w.intervention, lead=w.intervention.lead, group=None, steps=[], number=1, confirmed="", actor=who, **TEMPLATE)),
    "plans.add_students": (RUNS, lambda w, who: plans.add_students(w.intervention, [w.ann], actor=who)),
    "plans.leave_group": (RUNS & READS_PLAN.may, lambda w, who: plans.leave_group(w.intervention, [w.plan.ref], actor=who)),
    "plans.archive_intervention": (RUNS, lambda w, who: plans.archive_intervention(w.intervention, version=1, actor=who)),
    "plans.restore_intervention": (RUNS, lambda w, who: plans.restore_intervention(w.intervention, version=1, actor=who)),
    "forms.submit": (STAFF | {"rae", "stu"}, lambda w, who: forms.submit(
        actor=who, form=w.form, number=1, answers={}, student=w.ann, referral=REFERRED)),
    "forms.accept": (DECIDES, lambda w, who: forms.accept(w.referral, w.ann, version=1, actor=who)),
    "forms.accept_as_new": (ADMIN, lambda w, who: forms.accept_as_new(w.referral, dict(VALUES), version=1, actor=who)),
    "forms.merge": (DECIDES, lambda w, who: forms.merge(w.referral, w.referral, version=1, actor=who)),
    "forms.decline": (DECIDES, lambda w, who: forms.decline(w.referral, "x", version=1, actor=who)),
    "forms.save_filters": (STAFF, lambda w, who: forms.save_filters(w.form, "x", "", False, actor=who)),
    "forms.remove_filters": (NOBODY_ELSE, lambda w, who: forms.remove_filters(w.filters, actor=who)),
    "cohorts.mark_many": (SUPPORT, lambda w, who: cohorts.mark_many([(w.milestone, [w.student])], "waived", actor=who)),
    "cohorts.answer": (SUPPORT, lambda w, who: cohorts.answer(w.request, "confirmed", "", actor=who)),
    "cohorts.ask": (STU, lambda w, who: cohorts.ask(w.own_milestone, "x", actor=who)),
    "account.make_feed": (STAFF | STU, lambda w, who: account.make_feed(actor=who)),
    "account.note_feed_read": (STAFF, lambda w, who: account.note_feed_read(who, actor=who)),
    "account.note_feed_read, of a student": (STU, lambda w, who: account.note_feed_read(w.cast.student, actor=who)),
    "account.revoke_feed": (STAFF | STU, lambda w, who: account.revoke_feed(actor=who)),
    "cohorts.take_back": (STU, lambda w, who: cohorts.take_back(w.own_milestone, w.own_request.ref, actor=who)),
    "forms.add_form": (ADMIN, lambda w, who: forms.add_form(
        "x", "", audience=["for_staff"], names_student=True, actor=who)),
    "forms.add_field": (ADMIN, lambda w, who: forms.add_field(w.form, ASKED, actor=who)),
    "forms.change_field": (ADMIN, lambda w, who: forms.change_field(w.form, "f1", ASKED, before="", actor=who)),
    "forms.copy_field": (ADMIN, lambda w, who: forms.copy_field(w.form, "f1", actor=who)),
    "forms.move_field": (ADMIN, lambda w, who: forms.move_field(w.form, "f1", "down", actor=who)),
    "forms.remove_field": (ADMIN, lambda w, who: forms.remove_field(w.form, "f1", actor=who)),
    "forms.publish": (ADMIN, lambda w, who: forms.publish(w.form, version=1, actor=who)),
    "forms.discard_draft": (ADMIN, lambda w, who: forms.discard_draft(w.form, version=1, actor=who)),
    "forms.change_form": (ADMIN, lambda w, who: forms.change_form(
        w.form, version=1, actor=who, name="x", description="", audience=["for_staff"], names_student=True)),
    "forms.set_readers": (ADMIN, lambda w, who: forms.set_readers(w.form, [], version=1, confirmed="", actor=who)),
    "forms.retire_form": (ADMIN, lambda w, who: forms.retire_form(w.form, version=1, actor=who)),
    "forms.restore_form": (ADMIN, lambda w, who: forms.restore_form(w.form, version=1, actor=who)),
    "forms.export_form": (ADMIN, lambda w, who: forms.export_form(w.form, actor=who)),
    "forms.import_form": (ADMIN, lambda w, who: forms.import_form("{}", actor=who)),
    "account.keep_in_step": (KEY, lambda w, who: account.keep_in_step(w.cast.stu, actor=who, name="x")),
    "account.change_own_details": ITS_OWN,
    "account.change_password": ITS_OWN,
    "account.clear_draft": ITS_OWN,
    "account.confirm_two_step": ITS_OWN,
    "account.make_recovery_codes": ITS_OWN,
    "account.save_draft": ITS_OWN,
    "account.sign_out": ITS_OWN,
}  # fmt: skip

MODULES = {"cases": cases, "forms": forms, "plans": plans, "cohorts": cohorts, "home": home, "incidents": incidents, "students": students, "imports": imports, "reports": reports, "admin": admin, "account": account}

# Of the cases' part: what is not about the secret student.
OF_NO_RECORD = {
    "cases.open_case", "cases.set_task", "cases.change_dictionary", "cases.change_form_trigger", "cases.open_suggested",
    "cases.add_list_entry", "cases.change_list_entry", "cases.move_list_entry", "cases.remove_list_entry",
}  # fmt: skip


def test_every_action_is_in_the_table():
    declared, there = {name.partition(",")[0] for name in ACTIONS}, set()
    for part, module in MODULES.items():
        for name, function in inspect.getmembers(importlib.import_module(module.__name__), inspect.isfunction):
            parameter = inspect.signature(function).parameters.get("actor")
            ours = function.__module__.startswith("blueprints.")
            if ours and not name.startswith("_") and parameter and parameter.kind is parameter.KEYWORD_ONLY:
                there.add(f"{part}.{name}")
    # what works out a plan or writes one inside a transaction that asked before
    helpers = {"imports.check", "imports.apply", "students.tell", "plans.generate", "plans.end_each", "cases.happened",
               "cases.happened_to_each"}  # fmt: skip
    assert there - helpers - declared == set(), "add to ACTIONS in tests/access/test_actions_refuse.py who may call these"
    assert declared - there == set(), "ACTIONS names actions that are not there"


def refusals(app, school, people=("kay", "gil", "mo", "sam", "rae", "stu", "oli"), names=ACTIONS):
    """Sentences about actions that did not refuse somebody who may not, or did something although they refused."""
    wrong = []
    with undone(), app.app_context():
        prepare(school)
        before = business()
        for name in names:
            if ACTIONS[name] is ITS_OWN:
                continue
            may, call = ACTIONS[name]
            for person in people:
                if person in may:
                    continue
                wrong += refused(school, name, call, getattr(school.cast, person), person)
        if touched := changed(before, business()):
            wrong.append(f"something that was refused changed {', '.join(touched)}")
    return wrong


def refused(school, name, call, who, person):
    try:
        with db.atomic():
            done = call(school, who)
        getattr(done, "close", lambda: None)()
    except (Denied, NotVisible):
        return []
    except Exception as problem:
        return [f"{name} by {person}: {type(problem).__name__} {problem}, expected Denied or NotVisible"]
    return [f"{name} by {person} was not refused"]


def prepare(school):
    """A few more things to be refused about; taken back with all that the actions do."""
    school.lous_session = Session.create(account=school.lou, token_hash="a" * 64)
    school.others_entry = factories.entry(school.case, school.fay)
    school.reason = CloseReason.select().order_by(CloseReason.id).first()


def test_whoever_may_not_is_refused_by_the_action_itself(app, school, full, figure):
    people = ("kay", "gil", "mo", "sam", "rae", "stu", "oli") if full else ("kay", "gil", "sam", "stu", "oli")
    wrong = refusals(app, school, people)
    assert not wrong, "\n".join(wrong)
    figure("actions", f"{len(ACTIONS)} actions × {len(people)} people who may not: all refused")


def test_exclusion_beats_every_right_in_the_actions_too(app, school):
    """Ada may do everything, until she is excluded from the student."""
    factories.exclusion(school.cast.ada, school.ada2, student=school.student)
    about_it = [name for name in ACTIONS if name.startswith("incidents.") and ", " not in name and name != "incidents.add"]
    about_it += [name for name in ACTIONS if name.startswith("cases.") and name not in OF_NO_RECORD]
    about_it += ["students.change_student", "students.leave", "students.add_contact", "students.change_contact",
                 "students.remove_contact", "students.exclude", "students.end_exclusion"]  # fmt: skip
    about_it += ["cohorts.remove_student", "cohorts.move_student"]
    about_it += ["plans.change_plan", "plans.set_people", "plans.end_plan", "plans.resume_plan", "plans.add_intervention",
                 "plans.change_intervention", "plans.add_point", "plans.remove_point", "plans.review_plan"]  # fmt: skip
    wrong = []
    with undone(), app.app_context():
        prepare(school)
        for name in about_it:
            if ACTIONS[name] is not ITS_OWN:
                wrong += refused(school, name, ACTIONS[name][1], school.cast.ada, "ada, excluded")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("change", ["deactivated", "became a student"])
def test_a_right_that_was_lost_is_lost_at_once(app, school, change):
    """The actor is the row as the request loaded it: once the account changed, the next request's row may nothing."""
    fields = {"is_active": False} if change == "deactivated" else {"role": "student"}
    Account.update(**fields).where(Account.id.in_([school.cast.ada.id, school.cast.ken.id])).execute()
    wrong = []
    with undone(), app.app_context():
        prepare(school)
        for person in ("ada", "ken"):
            who = Account.get_by_id(getattr(school.cast, person).id)
            for name, entry in ACTIONS.items():
                if entry is not ITS_OWN and person in entry[0]:
                    wrong += refused(school, name, entry[1], who, f"{person}, {change}")
    assert not wrong, "\n".join(wrong)


def test_files_of_a_refused_person_are_not_kept(app, school, visitors):
    folder = school.settings.files
    before = sorted(path.name for path in folder.rglob("*"))
    file = FileStorage(io.BytesIO(b"%PDF-1.4\n%%EOF\n"), "a.pdf", content_type="application/pdf")
    answer = visitors["oli"].post(f"/incidents/{school.secret.ref}/files", {"files": (file.stream, "a.pdf")})
    assert answer.status == 404
    assert sorted(path.name for path in folder.rglob("*")) == before
