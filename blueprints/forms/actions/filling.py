"""Sending a form that was filled in: one transaction for the response, its files, the referral that it may be, the case that it
may open and who is told. A response is never changed afterwards."""

import json

import events
import permissions
from blueprints.account import actions as account_actions
from blueprints.cases import actions as cases
from blueprints.forms import queries
from blueprints.incidents.actions.files import save_stored
from blueprints.kit.refusing import Refused
from blueprints.students.queries import search_keys
from extensions import db
from models import Conflict, FormResponse, Referral, School, Student, new_ref

RETIRED = "This form was taken out of use while you were filling it in, so it can't be sent. Copy what you want to keep."
UNKNOWN = "Somebody you chose is not known. Choose again."
# Whom a new referral is told to; Admin Key Holders only where there is nobody else.
DECIDES = {"form_group", "key_user"}


def submit(*, actor, form, number, answers, student=None, referral=None, stored=None, draft=None):
    """Send what was filled in; returns the FormResponse, with `.referral_ref` where it is a referral.

    `number`: the version that was on the page. `answers` {key: value} as FormResponse.answers has them, without files.
    `student`: whom a staff member's response is about. `referral`: a Referral User's own words about a student (first_name,
    last_name, date_of_birth, about). `stored` {key: [kit.uploads.Stored]}: files that were written already; the caller discards
    them if this raises. `draft` is (key, once). Raises NotVisible, Refused, or Conflict when the form was changed meanwhile.
    """
    asked = queries.to_fill(actor, form.ref, retired=True)
    if asked.form.retired_at is not None:
        raise Refused("number", RETIRED)
    if number != asked.number:
        raise Conflict(asked.form)
    with db.atomic():
        student = _student(actor, asked, student)
        _check_students(actor, asked.fields, answers)
        files, answers = _with_files(answers, stored or {})
        response = FormResponse.create(
            form=asked.form, number=number, student=student, author=actor, answers=json.dumps(answers, ensure_ascii=False)
        )
        said = {"form": asked.form.ref, "number": number, "files": len(files)}
        events.record("response.submitted", actor=actor, target=response.ref, **said)
        for key, ref, one in files:
            save_stored([one], actor, ref=ref, form_response=response, form_field=key)
        response.referral_ref = _refer(actor, asked, response, referral)
        if student is not None:
            cases.happened("form", student, response, actor=actor, form=asked.form, answers=response.answers)
        if draft:
            account_actions.clear_draft(draft[0], actor=actor, once=draft[1])
    return response


def _student(actor, asked, student):
    """The row of the student whom the response is about, or None."""
    if asked.about == queries.OWN:
        return permissions.own_student(actor, School.get())
    if asked.about != queries.PICKED:
        return None
    if student is None or not permissions.visible_students(actor, Student.id).where(Student.id == student.id).exists():
        raise Refused("student", UNKNOWN)
    return student


def _check_students(actor, fields, answers):
    """Every student whom an answer names by reference is one that the actor may know."""
    named = [field.key for field in fields if field.type == "student" and (answers.get(field.key) or {}).get("ref")]
    refs = {answers[key]["ref"] for key in named}
    if not refs:
        return
    known = {ref for (ref,) in permissions.visible_students(actor, Student.ref).where(Student.ref.in_(list(refs))).tuples()}
    for key in named:
        if answers[key]["ref"] not in known:
            raise Refused(f"answer_{key}", UNKNOWN)


def _with_files(answers, stored):
    """([(key, new reference, Stored)], the answers with these references in them)."""
    files = [(key, new_ref(), one) for key, several in stored.items() for one in several]
    named = {}
    for key, ref, _ in files:
        named.setdefault(key, []).append(ref)
    return files, answers | named


def _refer(actor, asked, response, given):
    """The reference of the referral that a Referral User's response about a student is, or None."""
    if asked.about != queries.TYPED:
        return None
    keys = search_keys(given["first_name"], given["last_name"])
    referral = Referral.create(response=response, sort_name=keys["sort_name"], **given)
    _tell(actor, response)
    return referral.ref


def _tell(actor, response):
    readers = permissions.who_can_see_record("form", response)
    people = [account for account, reasons in readers if DECIDES & set(reasons)]
    people = people or [account for account, reasons in readers if "admin" in reasons]
    events.notify("referral_received", people, actor=actor, target=response.ref, target_id=response.id)
