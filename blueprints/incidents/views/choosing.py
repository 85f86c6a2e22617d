"""Reads the students, categories and people of a form: what the picker's chips carry, and names that were typed
without a script. Used for a sent form, a draft and the preview alike; changes nothing."""

import re
from dataclasses import dataclass, field

from flask import g

from blueprints.incidents import queries
from blueprints.incidents.actions import NewPart
from blueprints.incidents.queries.choices import ROLES
from blueprints.students import queries as students


@dataclass
class Picked:
    """What a picker stands at: rows that were chosen, the chips that show them, and what is still to be chosen from."""

    chips: list = field(default_factory=list)
    choices: list = field(default_factory=list)
    asked: str = ""
    problem: str | None = None


@dataclass
class PickedStudents(Picked):
    """`parts` are complete only when there is neither a problem nor a category_problem."""

    parts: list = field(default_factory=list)
    roles: dict = field(default_factory=dict)
    own: dict = field(default_factory=dict)
    category_problem: str | None = None


@dataclass
class PickedPeople(Picked):
    accounts: list = field(default_factory=list)
    groups: list = field(default_factory=list)


def _refs(values, name):
    return list(dict.fromkeys(values.getlist(f"{name}_ref") + values.getlist(f"{name}_choice")))


def _typed(values, name):
    """What was typed and not chosen; nothing once one of the choices that were offered for it was ticked."""
    typed = values.get(name, "").strip()
    answered = values.getlist(f"{name}_choice") and values.get(f"{name}_asked", "").strip() == typed
    return "" if answered else typed


# --- Students and what it counts as ----------------------------------------------------------------------------------


def pick_students(values, tree, present=None):
    """PickedStudents of these values (a MultiDict). With `present` nobody has to be chosen."""
    refs = _refs(values, "students")
    rows = students.pick(g.user, refs)
    picked = PickedStudents()
    if len(rows) < len(refs):
        picked.problem = "Somebody you chose is not known. Choose again."
    if typed := _typed(values, "students"):
        found, problem = students.resolve_typed(g.user, typed)
        rows += [row for row in found if row not in rows]
        if problem:
            picked.problem, picked.asked = problem, typed
            picked.choices = _students_to_choose(typed, rows)
    picked.chips = [students.chip(row) for row in rows]
    if not rows and present is None:
        picked.problem = picked.problem or f"Say which {g.school.student_word.lower()} this is about."
        if not values.get("category"):
            picked.category_problem = "Choose a category."
    _read_parts(picked, rows, values, tree)
    return picked


def _students_to_choose(typed, rows):
    known = {row.ref for row in rows}
    found = {}
    for part in re.split(r"[;,\n]", typed):
        found |= {chip["ref"]: chip for chip in students.suggest(g.user, part, limit=20) if chip["ref"] not in known}
    return list(found.values())


def _read_parts(picked, rows, values, tree):
    main, main_unknown = queries.pick_categories(tree, [values.get("category", "")])
    further, further_unknown = queries.pick_categories(tree, values.getlist("further"))
    for row in rows:
        own, own_unknown = queries.pick_categories(tree, values.getlist(f"categories-{row.ref}"))
        role = values.get(f"role-{row.ref}", "subject")
        if role not in ROLES:
            picked.problem, role = "Choose each role from its list.", "subject"
        picked.roles[row.ref] = role
        picked.own[row.ref] = [category.ref for category in own]
        picks = own or [*main, *further]
        if own_unknown or (not own and (main_unknown or further_unknown)):
            picked.category_problem = "One of these categories can't be chosen any more. Choose again."
        elif not picks or not (own or main):
            picked.category_problem = picked.category_problem or "Choose a category."
        picked.parts.append(NewPart(row, role, [category.id for category in picks]))


@dataclass
class Present:
    """The parts an incident has already, as a form shows and changes them; `roles` and `own` by the student's ref."""

    shown: list
    roles: dict
    own: dict
    parts: list = field(default_factory=list)
    problem: str | None = None


def read_present(values, tree, shown):
    """Present: as they stand, or as `values` (a sent form) has them."""
    roles = {part.student_ref: part.role for part in shown}
    own = {part.student_ref: [ref for ref, _, _ in part.categories] for part in shown}
    present = Present(shown, roles, own)
    if values is None:
        return present
    rows = {row.ref: row for row in students.pick(g.user, list(roles))}
    for ref, row in rows.items():
        if f"role-{ref}" not in values:
            continue  # added by somebody else since the form was opened
        before = set(own[ref])
        roles[ref] = values.get(f"role-{ref}", "")
        picks, unknown = queries.pick_categories(tree, values.getlist(f"categories-{ref}"))
        own[ref] = [pick.ref for pick in picks]
        if unknown or any(pick.is_retired and pick.ref not in before for pick in picks):
            present.problem = f"A category of {row.name} can't be chosen any more. Choose again."
        elif not picks or roles[ref] not in ROLES:
            present.problem = f"{row.name} needs a role and at least one category."
        present.parts.append(NewPart(row, roles[ref], [pick.id for pick in picks]))
    return present


def asked_parts(picked, values, tree):
    """[(student id, [category ids])] for a preview; nobody in particular stands in while no student is chosen."""
    if picked.parts:
        return [(part.student.id, part.category_ids) for part in picked.parts]
    found, _ = queries.pick_categories(tree, [values.get("category", ""), *values.getlist("further")])
    return [(-1, [category.id for category in found])]


# --- People ----------------------------------------------------------------------------------------------------------


def pick_people(values, name="alert"):
    """PickedPeople of the picker `name`: staff accounts and groups."""
    return _pick_people(values, name, True)


def pick_person(values, name="person"):
    """PickedPeople with at most one account."""
    picked = _pick_people(values, name, False)
    if picked.groups or len(picked.accounts) > 1:
        picked.problem = "Choose one person."
    return picked


def _pick_people(values, name, with_groups):
    accounts, groups, unknown = queries.pick_alerted(_refs(values, name))
    picked = PickedPeople()
    if unknown:
        picked.problem = "Somebody you chose is not there any more. Choose again."
    if typed := _typed(values, name):
        found, choices, problem = queries.resolve_alerted(g.user, typed, groups=with_groups)
        more_accounts, more_groups, _ = queries.pick_alerted([choice.ref for choice in found])
        accounts += [row for row in more_accounts if row not in accounts]
        groups += [row for row in more_groups if row not in groups]
        if problem:
            picked.problem, picked.choices, picked.asked = problem, choices, typed
    picked.accounts, picked.groups = accounts, groups
    picked.chips = queries.choices_of(accounts, groups)
    return picked


def settle(field, picked):
    """Put the picker's problem at its field; typed names that became chips need not be typed again."""
    if picked.problem:
        field.errors = [*field.errors, picked.problem]
    if not picked.asked:
        field.data, field.raw_data = "", None
