"""One plan: loading it is authorising. plan() comes first on every page; the rest takes what it returned."""

import json
import re
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from peewee import JOIN

import events
import permissions
from blueprints.kit import prepared, records
from blueprints.plans.queries.words import LABELS, said
from extensions import clock
from models import Account, InterventionGroup, Plan, PlanIntervention, PlanReview, PlanStaff, PlanVersion, School, Student

REFERENCE = re.compile(r"[0-9A-HJKMNP-TV-Z]{10}")

Lead, Creator, Ender = (Account.alias(name) for name in ("plan_lead", "plan_creator", "plan_ender"))
PLAN_FIELDS = Plan._meta.sorted_fields
PERSON = ("id", "ref", "name", "role", "is_active")
STUDENT = ("id", "ref", "first_name", "last_name", "preferred_name", "year_group", "tutor_group", "is_active")
GROUP = ("id", "ref", "name")


def today():
    """The day it is at the school."""
    return clock.now().astimezone(ZoneInfo(School.get().timezone)).date()


def plan(user, ref, audit=True):
    """The plan with `.student`, `.lead`, `.created_by`, `.ended_by`, `.intervention_group` (the last two None where there is
    none) and `.reasons` (why this person sees it), or NotVisible.

    Records the read; `audit=False` is for the side that records an event of its own.
    """
    reasons = permissions.reason_names("plan", user.role, user.is_active)
    found = prepared.rows(_loaded, user, ref=ref) if reasons and REFERENCE.fullmatch(ref) else []
    row = _plan(found[0], reasons) if found else None
    if row is None or not row.reasons:
        raise permissions.NotVisible(ref)
    if audit:
        events.record_alone("plan.read", actor=user, target=ref, reasons=row.reasons)
    return row


def _loaded(user, ref):
    columns = [getattr(Student, name) for name in STUDENT]
    columns += [getattr(person, name) for person in (Lead, Creator, Ender) for name in PERSON]
    columns += [getattr(InterventionGroup, name) for name in GROUP]
    return (
        permissions.visible_plans(user, *PLAN_FIELDS, *columns, *permissions.record_reason_columns("plan", user))
        .join_from(Plan, Student)
        .join_from(Plan, Lead, on=(Plan.lead == Lead.id))
        .join_from(Plan, Creator, on=(Plan.created_by == Creator.id))
        .join_from(Plan, Ender, JOIN.LEFT_OUTER, on=(Plan.ended_by == Ender.id))
        .join_from(Plan, InterventionGroup, JOIN.LEFT_OUTER)
        .where(Plan.ref == ref)
    )


def _plan(values, reasons):
    values = list(values)
    take = records.taking(values)
    fields = take([field.name for field in PLAN_FIELDS])
    fields["student"] = Student(**take(STUDENT))
    for name in ("lead", "created_by", "ended_by"):
        person = take(PERSON)
        fields[name] = Account(**person) if person["id"] else None
    group = take(GROUP)
    fields["intervention_group"] = InterventionGroup(**group) if group["id"] else None
    row = Plan(**fields)
    row._dirty.clear()
    row.reasons = [name for name, holds in zip(reasons, values, strict=True) if holds]
    return row


def may_manage(plan):
    """Whether whoever loaded this plan may also change, measure, review and end it."""
    return bool(permissions.MANAGE_PLAN & set(plan.reasons))


def title_of(goal, tier):
    """What a plan is called in a list: the first words of its goal."""
    line = goal.strip().partition("\n")[0].strip()
    if not line:
        return f"Tier {tier} plan"
    return line if len(line) <= 80 else f"{line[:79]}…"


# --- What stands on its page -----------------------------------------------------------------------------------------


def staff(user, plan):
    """Who works on the plan beside its lead, by name: accounts."""
    query = Account.select(Account.id, Account.ref, Account.name, Account.role, Account.is_active)
    return list(query.join(PlanStaff, on=(PlanStaff.account == Account.id)).where(PlanStaff.plan == plan.id).order_by(
        Account.name, Account.id
    ))


class Step(NamedTuple):
    """An intervention with the name of who wrote it down."""

    ref: str
    text: str
    how_often: str
    started_on: date
    ended_on: date | None
    author: str


def steps(user, plan):
    """Every intervention of the plan as a Step: those that go on first, then by their start."""
    row = PlanIntervention
    query = row.select(row.ref, row.text, row.how_often, row.started_on, row.ended_on, Account.name).join(Account)
    query = query.where(row.plan == plan.id)
    return [Step(*each) for each in query.order_by(row.ended_on.is_null(False), row.started_on, row.id).tuples()]


def step(user, plan, ref):
    """One intervention of this plan, or NotVisible."""
    return records.one_of(plan, PlanIntervention.plan, ref)


class Review(NamedTuple):
    """A review with the name of who conducted it."""

    ref: str
    day: date
    decision: str
    notes: str
    next_on: date | None
    author: str
    at: object


def reviews(user, plan):
    """Every Review of the plan, the newest first."""
    row = PlanReview
    query = row.select(row.ref, row.day, row.decision, row.notes, row.next_on, Account.name, row.at).join(Account)
    return [Review(*each) for each in query.where(row.plan == plan.id).order_by(row.day.desc(), row.id.desc()).tuples()]


def who_can_see(user, plan):
    """[(name, role, [reason in words])] of everybody who sees the plan, as far as `user`, who sees it, may know why."""
    return records.readers("plan", user, plan)


# --- What it said before ---------------------------------------------------------------------------------------------


class Wording(NamedTuple):
    """What a plan said; `fields` is [(label, text)]."""

    number: int
    author: str
    at: object
    reason: str
    fields: list


def wordings(user, plan):
    """Every Wording of the plan, the newest first. A PlanVersion holds what was said before, and who changed it then."""
    rows = PlanVersion.select(PlanVersion.fields, Account.name, PlanVersion.at).join(Account)
    rows = list(rows.where(PlanVersion.plan == plan.id).order_by(PlanVersion.number).tuples())
    texts = [_thawed(fields) for fields, *_ in rows] + [{name: getattr(plan, name) for name in LABELS}]
    written = [(plan.created_by.name, plan.created_at), *((who, at) for _, who, at in rows)]
    found = [
        Wording(place + 1, who, at, "", [(label, said(name, text.get(name))) for name, label in LABELS.items()])
        for place, (text, (who, at)) in enumerate(zip(texts, written, strict=True))
    ]
    return found[::-1]


def _thawed(fields):
    values = json.loads(fields)
    return {name: date.fromisoformat(value) if value and name in ("starts_on", "review_by") else value
            for name, value in values.items()}  # fmt: skip
