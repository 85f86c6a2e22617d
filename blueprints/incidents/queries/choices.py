"""What a form about an incident offers, how typed names are understood, and who would see what it is about to save."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from peewee import JOIN, SQL, fn

import permissions
from blueprints.kit import prepared
from blueprints.kit.refusing import confirmation_of
from blueprints.kit.text import fold, plural
from models import (
    Account,
    Category,
    CategoryGroup,
    Group,
    GroupMember,
    IncidentAlert,
    IncidentStudent,
    PartCategory,
    StoredFile,
)

STATUSES = ("Active", "Closed")
ROLES = {"subject": "Subject", "affected": "Affected", "involved": "Involved", "witness": "Witness"}
QUOTA = 5 * 1024**3  # bytes of all files together


# --- Categories ------------------------------------------------------------------------------------------------------


class CategoryRow(NamedTuple):
    """A category to choose; `whole_name` begins with its parent's, `is_need_to_know` minds the parent's groups too."""

    id: int
    ref: str
    parent_id: int | None
    name: str
    colour: str
    guidance: str
    is_retired: bool
    is_need_to_know: bool
    whole_name: str


def category_tree(user, retired=False):
    """[(CategoryRow, [its children])] in the school's order; `retired=True` has those that can't be chosen any more too
    (lists and reports filter by them)."""
    rows = prepared.rows(_categories, user)
    tree = {row[0]: (CategoryRow(*row, row[3]), []) for row in rows if row[2] is None}
    for row in rows:
        if row[2] in tree:
            above, children = tree[row[2]]
            children.append(CategoryRow(*row, f"{above.name}: {row[3]}"))
    return list(tree.values()) if retired else without_retired(tree.values())


def _categories(user):
    restricted = fn.EXISTS(
        CategoryGroup.select(SQL("1")).where(
            (CategoryGroup.category == Category.id) | (CategoryGroup.category == Category.parent)
        )
    )
    return Category.select(
        Category.id,
        Category.ref,
        Category.parent,
        Category.name,
        Category.colour,
        Category.guidance,
        Category.is_retired,
        restricted,
    ).order_by(Category.position, Category.name, Category.id)


def without_retired(tree):
    """The part of the tree that can be chosen; a retired parent takes its children with it."""
    return [
        (top, [child for child in children if not child.is_retired]) for top, children in tree if not top.is_retired
    ]


def with_guidance(tree):
    """The CategoryRows of the tree that have guidance."""
    return [row for top, children in tree for row in (top, *children) if row.guidance]


def pick_categories(tree, refs):
    """(the CategoryRows of these references in their order, whether one of them is not in the tree)."""
    known = {row.ref: row for top, children in tree for row in (top, *children)}
    wanted = list(dict.fromkeys(ref for ref in refs if ref))
    return [known[ref] for ref in wanted if ref in known], any(ref not in known for ref in wanted)


# --- People ----------------------------------------------------------------------------------------------------------


class Choice(NamedTuple):
    """Somebody or a group to choose: what the picker shows and sends."""

    ref: str
    label: str
    hint: str


def assignable(user):
    """(ref, name) of everybody an incident can be assigned to."""
    return prepared.rows(_assignable, user)


def _assignable(user):
    return permissions.assignable(Account.ref, Account.name)


def pick_assignee(ref):
    """(the account or None for Nobody, a sentence why not or None); a deactivated account comes with its sentence."""
    if not ref:
        return None, None
    account = Account.get_or_none(Account.ref == ref.replace("\0", ""))
    if account is None or account.role not in permissions.KEY_ROLES:
        return None, "Incidents can be assigned to Key Users only. Choose one from the list."
    if not account.is_active:
        return account, f"{account.name} was deactivated and can't be assigned. Choose somebody else."
    return account, None


def suggest_alerted(user, text, limit=12, groups=True):
    """Staff and (unless `groups` is off) groups that fit what was typed, as Choices; groups first, they are few."""
    words = fold(text[:100]).split()
    if not words or not permissions.can(user, "incident.read"):
        return []
    found = [group for group in _group_choices() if all(word in fold(group.label) for word in words)] if groups else []
    query = permissions.staff(Account.ref, Account.name, Account.role)
    for word in words:
        query = query.where(Account.search_text.contains(word))
    people = [Choice(f"a:{ref}", name, permissions.ROLES[role]) for ref, name, role in query.limit(limit).tuples()]
    return (found + people)[:limit]


def _group_choices():
    members = GroupMember.select(fn.COUNT(GroupMember.id)).where(GroupMember.group == Group.id)
    query = Group.select(Group.ref, Group.name, members).where(Group.is_active).order_by(Group.name).tuples()
    return [Choice(f"g:{ref}", name, f"Group, {plural(count, 'member')}") for ref, name, count in query]


def pick_alerted(refs):
    """(accounts, groups, whether a reference is not one of a staff account or an active group)."""
    accounts = {ref[2:] for ref in refs if ref.startswith("a:")}
    groups = {ref[2:] for ref in refs if ref.startswith("g:")}
    people = list(permissions.staff().where(Account.ref.in_(sorted(accounts)))) if accounts else []
    teams = list(Group.select().where(Group.is_active & Group.ref.in_(sorted(groups)))) if groups else []
    return people, teams, len(people) + len(teams) < len(set(refs))


def resolve_alerted(user, text, groups=True):
    """Names typed without a script, separated by commas, semicolons or lines: (Choices found, Choices to choose from,
    sentence or None). A name has to fit one person or group; where it fits several the reader chooses."""
    found, unclear, problems = [], [], []
    for typed in filter(None, (part.strip() for part in re.split(r"[,;\n]", text))):
        candidates = suggest_alerted(user, typed, limit=20, groups=groups)
        exact = [choice for choice in candidates if fold(choice.label) == fold(typed)]
        candidates = exact or candidates
        if len(candidates) == 1:
            found.append(candidates[0])
        elif candidates:
            unclear += candidates
            whom = "people or groups" if groups else "people"
            problems.append(f"{typed} fits {len(candidates)} {whom}: choose below.")
        else:
            problems.append(f"{typed} is not known. Check the spelling.")
    return found, unclear, " ".join(problems) or None


def choices_of(accounts, groups):
    """The Choices under which these rows stand in a picker."""
    return [Choice(f"a:{row.ref}", row.name, permissions.ROLES[row.role]) for row in accounts] + [
        Choice(f"g:{row.ref}", row.name, "Group") for row in groups
    ]


# --- Who would see it ------------------------------------------------------------------------------------------------


@dataclass
class Audience:
    """Who would see an incident once a form is saved: `readers` (account, reasons) by name; `new`, the accounts that do
    not see it now; `outside`, those whom a choice in the form lets into a part that they don't see now, as they are outside a
    need-to-know group."""

    readers: list
    new: list = field(default_factory=list)
    outside: list = field(default_factory=list)

    @property
    def confirmation(self):
        """What a confirmation has to carry: it fits exactly these people."""
        return confirmation_of(self.outside)

    def reads(self, account):
        return any(reader.id == account.id for reader, _ in self.readers)


def form_audience(user, *, parts, accounts=(), groups=(), assigned_to=None):
    """The Audience of an incident that `user` is about to add; `parts` is [(student id, [category ids])]."""
    readers = permissions.who_would_see(
        author_id=user.id,
        assigned_to_id=assigned_to.id if assigned_to else None,
        parts=parts,
        alerted=[(account.id, None) for account in accounts] + [(None, group.id) for group in groups],
    )
    chosen = [*accounts, *_members(groups), *([assigned_to] if assigned_to else [])]
    categories = {category for _, categories in parts for category in categories}
    return _audience(readers, [(user, ["wrote_it"])], chosen, categories)


def incident_audience(incident, *, accounts=(), groups=(), parts=None, **assigned):
    """The Audience of an incident after a change: more accounts and groups alerted, other `parts` (all of them, as
    [(student id, [category ids])]), or `assigned_to` another account or None. For the action, which knows every part; what a
    page shows of it is preview()'s."""
    now = permissions.who_can_see_incident(incident)
    parts = _parts_now(incident) if parts is None else parts
    alerted = list(
        IncidentAlert.select(IncidentAlert.account_id, IncidentAlert.group_id)
        .where(IncidentAlert.incident == incident.id)
        .tuples()
    )
    alerted += [(account.id, None) for account in accounts] + [(None, group.id) for group in groups]
    assigned_to = assigned.get("assigned_to", incident.assigned_to)
    readers = permissions.who_would_see(
        incident_id=incident.id,
        author_id=incident.author_id,
        assigned_to_id=assigned_to.id if assigned_to else None,
        parts=parts,
        alerted=alerted,
    )
    chosen = [*accounts, *_members(groups)]
    if assigned.get("assigned_to"):
        chosen.append(assigned_to)
    return _audience(readers, now, chosen, {pick for _, picks in parts for pick in picks})


def preview(user, incident, *, accounts=(), groups=()):
    """The Audience once these are alerted as well, for a reader's page: who sees only some parts is not told by it that
    somebody is outside the need-to-know group of another."""
    audience = incident_audience(incident, accounts=accounts, groups=groups)
    if audience.outside and not permissions.sees_every_part(user, incident):
        audience.outside = []
    return audience


def _audience(readers, before, chosen, category_ids):
    """`before`: (account, reasons) of those who see it now. Some of them see a part of it alone, and would see the rest."""
    known = {person.id for person, _ in before}
    see_all = {person.id for person, reasons in before if not permissions.WHOLE_INCIDENT.keys().isdisjoint(reasons)}
    new = [person for person, _ in readers if person.id not in known]
    let_in = ({person.id for person, _ in readers} - see_all) & {account.id for account in chosen}
    outside = permissions.would_see_because_of([account for account in chosen if account.id in let_in], category_ids)
    return Audience(readers, new, outside)


def _members(groups):
    """The members of these groups who can sign in, as they stand now."""
    if not groups:
        return []
    members = GroupMember.select(GroupMember.account).where(GroupMember.group.in_([group.id for group in groups]))
    return list(permissions.staff().where(Account.id.in_(members)))


def _parts_now(incident):
    rows = (
        IncidentStudent.select(IncidentStudent.student_id, PartCategory.category_id)
        .join(PartCategory, JOIN.LEFT_OUTER)
        .where(IncidentStudent.incident == incident.id)
        .tuples()
    )
    parts = {}
    for student, category in rows:
        parts.setdefault(student, []).extend([category] if category else [])
    return list(parts.items())


# --- Files -----------------------------------------------------------------------------------------------------------


def room_for_files():
    """How many bytes the quota has left."""
    return QUOTA - (StoredFile.select(fn.SUM(StoredFile.size)).scalar() or 0)
