"""The one page that says who may see and do what.

Roles carry capabilities (CAPABILITIES). Records are seen because of a reason: each reason is one query expression, and
the same expression serves a list, a count, a search, an export, one record, and the list of who can see it. Exclusions
beat every reason. Must not fetch rows for pages and must not know the request.

The functions of a reason take `u`: either one Account (then the expression asks about that person), or the Account
table itself (then it asks about every account at once, for "Who can see this").
"""

from functools import reduce
from operator import and_, or_

from peewee import CTE, JOIN, SQL, Expression, Select, Value, fn

from models import (
    Account,
    Category,
    CategoryGroup,
    Exclusion,
    GroupMember,
    Incident,
    IncidentAlert,
    IncidentStudent,
    PartCategory,
    School,
    Student,
    is_postgres,
)

# --- Roles -----------------------------------------------------------------------------------------------------------

ADMIN, DIRECTOR, GROUP_MANAGER, KEY_USER = "admin", "director", "group_manager", "key_user"
STAFF, REFERRAL_USER, STUDENT = "staff", "referral_user", "student"

ROLES = {
    ADMIN: "Admin Key Holder",
    DIRECTOR: "Director",
    GROUP_MANAGER: "Group Manager",
    KEY_USER: "Key User",
    STAFF: "Staff",
    REFERRAL_USER: "Referral User",
    STUDENT: "Student",
}
KEY_ROLES = (ADMIN, KEY_USER)
STAFF_ROLES = (ADMIN, DIRECTOR, GROUP_MANAGER, KEY_USER, STAFF)
# Every role that can read what others wrote signs in with two steps (TRUST.md, rule 10).
TWO_STEP_ROLES = STAFF_ROLES

_STAFF = {"search", "student.search", "incident.add", "incident.read"}
_KEY = _STAFF | {
    "student.details",
    "student.edit",
    "incident.change",
    "incident.assign",
    "incident.status",
    "incident.be_assigned",
    "report.run",
}
_ADMIN = _KEY | {
    "student.import",
    "bulk_closing",
    "exclusion",
    "admin.users",
    "admin.groups",
    "admin.categories",
    "admin.settings",
    "admin.audit",
    "admin.email",
}
CAPABILITIES = {
    ADMIN: _ADMIN,
    DIRECTOR: _STAFF,
    GROUP_MANAGER: _STAFF,
    KEY_USER: _KEY,
    STAFF: _STAFF,
    REFERRAL_USER: set(),
    STUDENT: set(),
}

# Capabilities that exist only while the Cases module is on.
CASES_MODULE = {"incident.assign", "incident.status", "incident.be_assigned", "bulk_closing"}


class Denied(Exception):
    """Visible but not allowed: answered with 403 and whom to ask."""


class NotVisible(Exception):
    """Missing, or not for this person: both are answered with the same 404. `asked` is what was asked for."""

    def __init__(self, asked=""):
        super().__init__(asked)
        self.asked = asked


def can(user, capability):
    """Whether the role of this active account carries the capability. Says nothing about a single record."""
    return bool(user and user.is_active and capability in CAPABILITIES.get(user.role, ()))


def require(capability, actor, incident=None, student=None):
    """Raise NotVisible or Denied unless `actor` has the capability and, where one is given, sees the record."""
    if incident is not None and not incident_reasons(actor, incident):
        raise NotVisible(incident.ref)
    if student is not None and not visible_students(actor).where(Student.id == student.id).exists():
        raise NotVisible(student.ref)
    if not can(actor, capability):
        raise Denied(capability)
    if capability in CASES_MODULE and not School.get().cases_module:
        raise NotVisible(capability)


# --- Routes: deny by default -----------------------------------------------------------------------------------------

PUBLIC, SIGNED_IN = "public", "signed in"


def policy(capability, *, module=None, record=False):
    """Declare who may call a view. app.py refuses to start while one view has no policy.

    `module="cases"` answers 404 while the Cases module is off. `record=True` marks a page about one record: whoever
    lacks the capability gets the 404 of a missing record instead of a 403.
    """

    def declare(view):
        view.policy = (capability, module, record)
        return view

    return declare


# --- Reasons to see an incident --------------------------------------------------------------------------------------


_ALWAYS = SQL("1 = 1")


def _has_role(u, roles):
    """Expression for the Account table; for one account _ALWAYS, or None when the role rules the reason out."""
    if isinstance(u, Account):
        return _ALWAYS if u.is_active and u.role in roles else None
    return u.role.in_(roles)


def _all(*parts):
    """AND that is None as soon as one part is; what always holds is left out."""
    if any(part is None for part in parts):
        return None
    parts = [part for part in parts if part is not _ALWAYS]
    return reduce(and_, parts) if parts else _ALWAYS


def _apart(query):
    """A subquery that Postgres asks row by row through an index. Without OFFSET 0 it reads whole tables into a hash first,
    which made a list of fifty rows cost a hundred milliseconds; SQLite needs no telling."""
    return query.offset(0) if is_postgres() else query


def _exists(query):
    return fn.EXISTS(_apart(query))


def _in(field, query):
    """`field IN (query)`. Peewee's own in_() compiles a query twice to see whether it is empty, and each nesting
    doubles that again: on the pages with these expressions it was most of the work."""
    return Expression(field, "in", query)


def _not_in(field, query):
    return Expression(field, "not in", query)


def _closed_categories(u):
    """Ids of the need-to-know categories that `u` is outside of; a parent's groups bind its children."""
    restricted = CategoryGroup.alias("restricted")
    return _apart(
        Category.select(Category.id)
        .join(restricted, on=((restricted.category == Category.id) | (restricted.category == Category.parent)))
        .where(_not_in(restricted.category, _my_categories(u)))
    )


def _my_categories(u):
    """Ids of the need-to-know categories whose groups `u` is a member of, as membership stands now."""
    return (
        CategoryGroup.select(CategoryGroup.category)
        .join(GroupMember, on=(GroupMember.group == CategoryGroup.group))
        .where(GroupMember.account == u.id)
    )


def open_part(u, part=IncidentStudent):
    """Expression: no category of this student's part is need-to-know outside the groups of `u`."""
    closed = PartCategory.select(SQL("1")).where(
        (PartCategory.part == part.id) & _in(PartCategory.category, _closed_categories(u))
    )
    return ~_exists(closed)


def _parts(*conditions):
    part = IncidentStudent.alias("reason_part")
    query = part.select(SQL("1")).where(part.incident == Incident.id)
    for condition in conditions:
        query = query.where(condition(part))
    return _exists(query)


def _admin(u):
    return _has_role(u, (ADMIN,))


def _key_user(u, shown=()):
    return _all(_has_role(u, (KEY_USER,)), _parts(lambda part: open_part(u, part), *shown))


def _wrote_it(u):
    return _all(_has_role(u, STAFF_ROLES), Incident.author == u.id)


def _assigned(u):
    module_is_on = _exists(School.select(SQL("1")).where(School.cases_module))
    return _all(_has_role(u, KEY_ROLES), Incident.assigned_to == u.id, module_is_on)


def _alerted(u):
    mine = GroupMember.alias("alert_member")
    in_group = (
        IncidentAlert.select(SQL("1"))
        .join(mine, on=(mine.group == IncidentAlert.group))
        .where((IncidentAlert.incident == Incident.id) & (mine.account == u.id))
    )
    by_name = IncidentAlert.alias("alert_by_name")
    named = by_name.select(SQL("1")).where((by_name.incident == Incident.id) & (by_name.account == u.id))
    return _all(_has_role(u, STAFF_ROLES), _exists(named) | _exists(in_group))


def _category_group(u, shown=()):
    def mine(part):
        pick = PartCategory.alias("mine_pick")
        category = Category.alias("mine_category")
        return _exists(
            pick.select(SQL("1"))
            .join(category, on=(category.id == pick.category))
            .where(
                (pick.part == part.id)
                & (_in(category.id, _my_categories(u)) | _in(category.parent, _my_categories(u)))
            )
        )

    return _all(_has_role(u, STAFF_ROLES), _parts(mine, lambda part: open_part(u, part), *shown))


# Reasons that show the whole incident, and reasons that show the parts which are open to the reader. The latter take
# `shown`, further conditions on a part: "Who can see this" tells nobody of parts that they do not see themselves.
WHOLE_INCIDENT = {"assigned": _assigned, "alerted": _alerted, "wrote_it": _wrote_it, "admin": _admin}
OPEN_PARTS = {"key_user": _key_user, "category_group": _category_group}
READ_INCIDENT = WHOLE_INCIDENT | OPEN_PARTS

REASON_WORDS = {
    "assigned": "is assigned this incident",
    "alerted": "was alerted to it, alone or as a member of a group",
    "wrote_it": "wrote it",
    "key_user": "is a Key User",
    "category_group": "is in a need-to-know group of its category",
    "admin": "is an Admin Key Holder",
}


def _excluded_incidents(u):
    """Expression: `u` is excluded from the incident, or from a student in it."""
    by_incident = Exclusion.alias("ex_incident")
    by_student = Exclusion.alias("ex_student")
    part = IncidentStudent.alias("ex_part")
    return _in(
        Incident.id,
        by_incident.select(by_incident.incident).where(
            (by_incident.account == u.id) & by_incident.incident.is_null(False) & by_incident.ended_at.is_null()
        ),
    ) | _in(
        Incident.id,
        part.select(part.incident)
        .join(by_student, on=(by_student.student == part.student))
        .where((by_student.account == u.id) & by_student.ended_at.is_null()),
    )


# The database asks them in this order and stops at the first that holds. A Key User sees most incidents by role, which
# indexes alone can tell; the author and the assignee need a look at the row.
_LIKELY_FIRST = ("admin", "key_user", "wrote_it", "assigned", "alerted", "category_group")


def _any_reason(u, reasons):
    """OR of the reasons. For one account, those that another one of its role implies are left out: the same rows, and
    a shorter question to ask of a hundred thousand incidents."""
    expressions = {name: reasons[name](u) for name in _LIKELY_FIRST if name in reasons}
    expressions = {name: expression for name, expression in expressions.items() if expression is not None}
    if isinstance(u, Account):
        if "admin" in expressions:
            return expressions["admin"]
        if "key_user" in expressions:
            expressions.pop("category_group", None)
    return reduce(or_, expressions.values()) if expressions else SQL("1 = 0")


def sees_incident(u):
    """Expression on Incident: `u` has at least one reason and is not excluded. The only one that lists may use."""
    return _any_reason(u, READ_INCIDENT) & ~_excluded_incidents(u)


def visible_incidents(user, *fields, among=()):
    """The incidents this person may see, as a query to narrow further. `among`: expressions that narrow it and are
    asked before the reasons; worth it where they leave few."""
    query = Incident.select(*fields).where(*among, sees_incident(user))
    return query if user.role in KEY_ROLES else query.where(_in(Incident.id, _within_reach(user)))


def _within_reach(user):
    """Ids of all that a personal reason could be about, found from the person's side: some hundred of a hundred
    thousand incidents. It decides nothing, it spares asking the reasons about the rest."""
    written, by_name, by_group = Incident.alias("written"), IncidentAlert.alias("to_me"), IncidentAlert.alias("to_us")
    member, part, pick = GroupMember.alias("us"), IncidentStudent.alias("our_part"), PartCategory.alias("our_pick")
    ours = Category.alias("our_category")
    in_our_categories = (
        # CROSS holds SQLite to this order: from the few categories to what is filed under them.
        ours.select(part.incident)
        .join(pick, JOIN.CROSS)
        .join(part, JOIN.CROSS)
        .where(_in(ours.id, _my_categories(user)) | _in(ours.parent, _my_categories(user)))
        .where((pick.category == ours.id) & (part.id == pick.part))
    )
    return (
        written.select(written.id)
        .where(written.author == user.id)
        .union_all(by_name.select(by_name.incident).where(by_name.account == user.id))
        .union_all(
            by_group.select(by_group.incident)
            .join(member, on=(member.group == by_group.group))
            .where(member.account == user.id)
        )
        .union_all(in_our_categories)
    )


def sees_whole(u):
    """Expression on Incident: `u` sees every student's part, whatever its categories."""
    return _any_reason(u, WHOLE_INCIDENT)


def sees_all_parts(user):
    """Whether this person's role alone shows them every part of every incident they see."""
    return sees_whole(user) is _ALWAYS


def sees_part(u):
    """Expression on IncidentStudent joined with Incident: whether this student's part is shown to `u`."""
    return _ALWAYS if sees_all_parts(u) else open_part(u) | sees_whole(u)


def reason_columns(user):
    """Each reason that this person's role admits, as a column of its name: selected with an incident, they say why."""
    columns = [(name, reason(user)) for name, reason in READ_INCIDENT.items()]
    return [expression.alias(name) for name, expression in columns if expression is not None]


def not_excluded(user):
    """Expression on Incident: no conflict of interest. Only for a query that also checks the reasons it selects."""
    return ~_excluded_incidents(user)


def incident_reasons(user, incident):
    """Why this person sees the incident: a list of reason names, empty if they do not."""
    columns = reason_columns(user)
    if not columns:
        return []
    row = Incident.select(*columns).where((Incident.id == incident.id) & not_excluded(user)).dicts().first()
    return [name for name, holds in row.items() if holds] if row else []


def who_can_see_incident(incident):
    """[(account, [reason, …])] for every active account that sees the incident, by name. Never lists exclusions."""
    return _readers(readers_query(incident.id))


def who_would_see(*, author_id, assigned_to_id=None, parts=(), alerted=(), incident_id=-1):
    """The same for an incident as a form would save it: `parts` [(student id, [category ids])], `alerted`
    [(account id or None, group id or None)]. Asks the very same expressions: rows made up for this one query stand in
    front of the tables."""
    made_up = [
        _made_up(Incident, ("id", "author_id", "assigned_to_id"), [(incident_id, author_id, assigned_to_id)]),
        _made_up(
            IncidentStudent,
            ("id", "incident_id", "student_id"),
            [(place, incident_id, student) for place, (student, _) in enumerate(parts)],
        ),
        _made_up(
            PartCategory,
            ("part_id", "category_id"),
            [(place, category) for place, (_, categories) in enumerate(parts) for category in categories],
        ),
        _made_up(
            IncidentAlert,
            ("incident_id", "account_id", "group_id"),
            [(incident_id, account, group) for account, group in alerted],
        ),
    ]
    return _readers(readers_query(incident_id).with_cte(*made_up))


def _made_up(model, columns, rows):
    """A common table expression under the name of the model's table, with these rows (whole numbers or None)."""
    queries = [Select(columns=[Value(value).cast("integer") for value in row]) for row in rows]
    queries = queries or [Select(columns=[Value(None).cast("integer") for _ in columns]).where(SQL("1 = 0"))]
    return CTE(model._meta.table_name, reduce(lambda a, b: a.union_all(b), queries), columns=columns)


def readers_query(incident_id, reader=None):
    """Every staff account who is not excluded (id, ref, name, role) with each reason of READ_INCIDENT: a person without
    any is nobody who sees it. who_can_see_incident() leaves them out. With a `reader`, reasons that rest on a part of
    the incident which the reader does not see are left out: they would tell that there is one."""
    shown = [] if reader is None or sees_all_parts(reader) else [lambda part: sees_whole(reader) | open_part(reader, part)]
    columns = [reason(Account).alias(name) for name, reason in WHOLE_INCIDENT.items()]
    columns += [reason(Account, shown).alias(name) for name, reason in OPEN_PARTS.items()]
    return (
        Account.select(Account.id, Account.ref, Account.name, Account.role, *columns)
        .join(Incident, JOIN.INNER, on=(Incident.id == incident_id))
        # every reason asks for a staff role
        .where(Account.is_active & Account.role.in_(STAFF_ROLES) & ~_excluded_incidents(Account))
        .order_by(Account.name, Account.id)
        .objects()
    )


def _readers(query):
    found = [(row, [name for name in READ_INCIDENT if getattr(row, name)]) for row in query]
    return [(row, reasons) for row, reasons in found if reasons]


def may_change_incident(user, incident):
    """Whether this person, who sees the incident, may change its text, details, students and alerts: its author, a Key
    User or an Admin Key Holder."""
    return can(user, "incident.read") and (incident.author_id == user.id or can(user, "incident.change"))


# --- Students --------------------------------------------------------------------------------------------------------


def _excluded_students(u):
    return _in(
        Student.id,
        Exclusion.select(Exclusion.student).where(
            (Exclusion.account == u.id) & Exclusion.student.is_null(False) & Exclusion.ended_at.is_null()
        ),
    )


def closed_targets(user):
    """References of the incidents and students that `user` is excluded from, as a query: what the audit log, which
    shows everything else to its readers, leaves out."""
    return (
        Incident.select(Incident.ref).where(_excluded_incidents(user))
        | Student.select(Student.ref).where(_excluded_students(user))
    )


def visible_students(user, *fields):
    """The students this person may find: all for staff roles, none for the rest, minus exclusions.

    Shows name, year and tutor group; the rest of a profile needs `student.details`.
    """
    query = Student.select(*fields)
    if not can(user, "student.search"):
        return query.where(SQL("1 = 0"))
    return query.where(~_excluded_students(user))


# --- Who may be chosen -----------------------------------------------------------------------------------------------


def assignable(*fields):
    """Accounts that an incident can be assigned to: active Key Users and Admin Key Holders."""
    return Account.select(*fields).where(Account.is_active & Account.role.in_(KEY_ROLES)).order_by(Account.name)


def staff(*fields):
    """Active accounts with a staff role."""
    return Account.select(*fields).where(Account.is_active & Account.role.in_(STAFF_ROLES)).order_by(Account.name)


def would_see_because_of(accounts, category_ids):
    """Of `accounts`, those who sit outside a need-to-know group of the categories (ids) — an alert or an assignment
    gives each of them access to that incident alone, and the form names them before it saves."""
    ids = [account.id for account in accounts]
    if not ids or not category_ids:
        return []
    closed = _closed_categories(Account).where(Category.id.in_(list(category_ids)))
    return list(
        Account.select()
        .where(Account.id.in_(ids) & (Account.role != ADMIN) & _exists(closed))
        .order_by(Account.name, Account.id)
    )


def category_readers(restrictions):
    """Active accounts that read incidents of a category because of their role or a group, by name.

    `restrictions`: for the category and for the one above it, a list of the ids of its need-to-know groups.
    """
    memberships = [
        Account.id.in_(GroupMember.select(GroupMember.account).where(GroupMember.group.in_(group_ids)))
        for group_ids in restrictions
        if group_ids
    ]
    inside = reduce(and_, memberships) & Account.role.in_(STAFF_ROLES) if memberships else Account.role == KEY_USER
    return list(Account.select().where(Account.is_active & (inside | (Account.role == ADMIN))).order_by(Account.name))


def count_seen_as_member(account, group_ids, *, reader):
    """How many of the incidents that are not closed to `reader` this account would see if it were a member of exactly
    these groups. Asks the very same expressions, with made-up memberships in front of the table."""
    memberships = _made_up(GroupMember, ("group_id", "account_id"), [(group_id, account.id) for group_id in group_ids])
    seen = visible_incidents(account, fn.COUNT(Incident.id)).where(not_excluded(reader))
    return seen.with_cte(memberships).scalar()
