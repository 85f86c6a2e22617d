"""The one page that says who may see and do what.

Roles carry capabilities (CAPABILITIES). Records are seen because of a reason: each reason is one query expression, and
the same expression serves a list, a count, a search, an export, one record, and the list of who can see it. Exclusions
beat every reason. Must not fetch rows for pages and must not know the request.

The functions of a reason take `u`: either one Account (then the expression asks about that person), or the Account
table itself (then it asks about every account at once, for "Who can see this").
"""

from functools import cache, reduce
from operator import and_, or_
from typing import NamedTuple

from peewee import CTE, JOIN, SQL, Expression, Join, Select, Value, fn

from models import (
    Account,
    Case,
    CaseFollower,
    CaseGroup,
    CaseRecord,
    CaseStaff,
    Category,
    CategoryGroup,
    Cohort,
    CohortGroup,
    CohortStudent,
    DepartmentDirector,
    Exclusion,
    FormGroup,
    FormResponse,
    Group,
    GroupManager,
    GroupMember,
    Incident,
    IncidentAlert,
    IncidentRemoval,
    IncidentStudent,
    InterventionGroup,
    Meeting,
    MeetingStaff,
    MeetingStudent,
    Milestone,
    Notification,
    PartCategory,
    Plan,
    PlanReview,
    PlanStaff,
    Referral,
    School,
    StoredFile,
    Student,
    StudentFileGroup,
    Task,
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
# A manager of a group, or a Director of its department, is one only while the role says so too.
MANAGER_ROLES = (ADMIN, DIRECTOR, GROUP_MANAGER)
DIRECTOR_ROLES = (ADMIN, DIRECTOR)
# Every role that can read what others wrote signs in with two steps (TRUST.md, rule 10).
TWO_STEP_ROLES = STAFF_ROLES

_STAFF = {
    "own.details",
    "search",
    "student.search",
    "incident.add",
    "incident.read",
    "case.read",
    "personnel.read",
    "milestone.support",
    "set_up.read",
    "task.read",
    "meeting.read",
    "plan.read",
    "form.fill",
    "response.read",
    "file.submit",
    "timeline.read",
    "own.calendar",
}
_MANAGER = _STAFF | {"group.manage", "intervention.manage"}
_KEY = _STAFF | {
    "student.details",
    "student.edit",
    "incident.change",
    "incident.assign",
    "incident.status",
    "incident.be_assigned",
    "report.run",
    "case.open",
    "intervention.manage",
}
_ADMIN = _KEY | {
    "dictionary",
    "form.build",
    "group.manage",
    "cohort.manage",
    "announcement",
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
    DIRECTOR: _MANAGER,
    GROUP_MANAGER: _MANAGER,
    KEY_USER: _KEY,
    STAFF: _STAFF,
    REFERRAL_USER: {"own.details", "form.fill", "own.referrals"},
    STUDENT: {"own.milestones", "form.fill"},
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


def require(capability, actor, incident=None, student=None, case=None):
    """Raise NotVisible or Denied unless `actor` has the capability and, where one is given, sees the record."""
    if case is not None and not case_reasons(actor, case):
        raise NotVisible(case.ref)
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


def _in_few(field, query):
    """`field IN (query)` for a query of a few rows, the same for all rows that are asked about: Postgres puts them into an
    array once, where it would ask the query again for each row. SQLite keeps the list by itself."""
    return Expression(field, "=", fn.ANY(fn.ARRAY(query))) if is_postgres() else _in(field, query)


def _not_in(field, query):
    return Expression(field, "not in", query)


def _closed_categories(u):
    """Ids of the need-to-know categories that `u` is outside of; a parent's groups bind its children."""
    restricted = CategoryGroup.alias("restricted")
    return (
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
        (PartCategory.part == part.id) & _in_few(PartCategory.category, _closed_categories(u))
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


def visible_incidents(user, *fields, among=(), part=None):
    """The incidents this person may see, as a query to narrow further. `among`: expressions that narrow it and are
    asked before the reasons; worth it where they leave few. `part`: conditions on IncidentStudent that one and the same
    part must fit, which the person sees."""
    query = Incident.select(*fields).where(*among, sees_incident(user) if part is None else _sees_incident_by_part(user, part))
    near = incidents_within_reach(user)
    return query if near is None else query.where(_in(Incident.id, near))


def _sees_incident_by_part(user, conditions):
    """Expression on Incident: `user` sees it, and in it a part that fits. What shows a Key User a part is a reason to see
    the incident, so that nothing but exclusions is left to ask."""
    part = IncidentStudent.select(SQL("1")).where(IncidentStudent.incident == Incident.id, *conditions)
    # The reader is asked about last: the conditions leave few parts to ask about.
    fits = fn.EXISTS(part) if sees_all_parts(user) else _exists(part.where(sees_part(user)))
    return fits & (sees_incident(user) if _has_role(user, (KEY_USER,)) is None else ~_excluded_incidents(user))


def incidents_within_reach(user):
    """Ids of all that a personal reason could be about, found from the person's side: some hundred of a hundred
    thousand incidents; None for roles that show most of them anyway. It decides nothing, it spares asking the reasons
    about the rest."""
    if user.role in KEY_ROLES:
        return None
    written, by_name, by_group = Incident.alias("written"), IncidentAlert.alias("to_me"), IncidentAlert.alias("to_us")
    member, part, pick = GroupMember.alias("us"), IncidentStudent.alias("our_part"), PartCategory.alias("our_pick")
    below, granted, inside = Category.alias("below"), CategoryGroup.alias("granted"), GroupMember.alias("inside")
    children = (
        below.select(below.id)
        .join(granted, on=(granted.category == below.parent))
        .join(inside, on=(inside.group == granted.group))
        .where(inside.account == user.id)
    )
    ours = (_my_categories(user) | children).alias("ours")
    in_our_categories = (
        # CROSS holds SQLite to this order: from the few categories to what is filed under them.
        part.select(part.incident)
        .from_(Join(Join(ours, pick, JOIN.CROSS), part, JOIN.CROSS))
        .where((pick.category == ours.c.category_id) & (part.id == pick.part))
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


def sees_every_part(user, incident):
    """Whether this person, who sees the incident, sees each student's part of it: whoever does not lets nobody into the rest."""
    # Counted, because NOT of a reason is unknown, and no part is found by it, where the incident is assigned to nobody.
    parts = IncidentStudent.select(IncidentStudent.id).join(Incident).where(IncidentStudent.incident == incident.id)
    return parts.count() == parts.where(sees_part(user)).count()


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
    """Staff accounts who are not excluded (id, ref, name, role) with each reason of READ_INCIDENT: everybody with a reason,
    and some without, who don't see it. who_can_see_incident() leaves them out. With a `reader`, reasons that rest on a part of
    the incident which the reader does not see are left out: they would tell that there is one."""
    shown = [] if reader is None or sees_all_parts(reader) else [lambda part: sees_whole(reader) | open_part(reader, part)]
    columns = [reason(Account).alias(name) for name, reason in WHOLE_INCIDENT.items()]
    columns += [reason(Account, shown).alias(name) for name, reason in OPEN_PARTS.items()]
    return (
        Account.select(Account.id, Account.ref, Account.name, Account.role, *columns)
        .join(Incident, JOIN.INNER, on=(Incident.id == incident_id))
        .where(Account.role.in_(KEY_ROLES) | _in(Account.id, _incident_readers_within_reach(incident_id)))
        # every reason asks for a staff role
        .where(Account.is_active & Account.role.in_(STAFF_ROLES) & ~_excluded_incidents(Account))
        .order_by(Account.name, Account.id)
        .objects()
    )


def _incident_readers_within_reach(incident_id):
    """Ids of all accounts but Key Users and Admin Key Holders that a reason could be about, found from the incident's side.
    It decides nothing."""
    written, by_name, by_group = Incident.alias("near"), IncidentAlert.alias("near_alert"), IncidentAlert.alias("near_group")
    alerted, inside = GroupMember.alias("near_member"), GroupMember.alias("near_inside")
    part, pick, category = IncidentStudent.alias("near_part"), PartCategory.alias("near_pick"), Category.alias("near_category")
    closed = CategoryGroup.alias("near_closed")
    return (
        written.select(written.author)
        .where(written.id == incident_id)
        .union_all(
            by_name.select(by_name.account).where((by_name.incident == incident_id) & by_name.account.is_null(False))
        )
        .union_all(
            by_group.select(alerted.account)
            .join(alerted, on=(alerted.group == by_group.group))
            .where(by_group.incident == incident_id)
        )
        .union_all(
            part.select(inside.account)
            .join(pick, on=(pick.part == part.id))
            .join(category, on=(category.id == pick.category))
            .join(closed, on=((closed.category == category.id) | (closed.category == category.parent)))
            .join(inside, on=(inside.group == closed.group))
            .where(part.incident == incident_id)
        )
    )


def _readers(query):
    found = [(row, [name for name in READ_INCIDENT if getattr(row, name)]) for row in query]
    return [(row, reasons) for row, reasons in found if reasons]


def may_change_incident(user, incident):
    """Whether this person, who sees the incident, may change its text, details, students and alerts: its author, a Key
    User or an Admin Key Holder."""
    return can(user, "incident.read") and (incident.author_id == user.id or can(user, "incident.change"))


# --- Reasons to see a case -------------------------------------------------------------------------------------------


def _link(model, on, *joins):
    """EXISTS: a row of `model` for this case, or of CohortGroup for this cohort, that fits."""
    here = (model.cohort == Cohort.id) if model is CohortGroup else (model.case == Case.id)
    query = model.select(SQL("1"))
    for other, condition in joins:
        query = query.join(other, on=condition)
    return _exists(query.where(here & on))


def _member_of(u, link):
    """`u` is a member of a group that `link` (CaseGroup or CohortGroup) attaches."""
    mine = GroupMember.alias("link_member")
    return _all(_has_role(u, STAFF_ROLES), _link(link, mine.account == u.id, (mine, mine.group == link.group)))


def _manager_of(u, link):
    """`u` manages such a group, or directs its department, while the role says so too."""
    manager, group, director = GroupManager.alias("mgr"), Group.alias("mgr_group"), DepartmentDirector.alias("mgr_director")
    managed = _all(_has_role(u, MANAGER_ROLES), _link(link, manager.account == u.id, (manager, manager.group == link.group)))
    directed = _all(
        _has_role(u, DIRECTOR_ROLES),
        _link(
            link,
            director.account == u.id,
            (group, group.id == link.group),
            (director, director.department == group.department),
        ),
    )
    found = [each for each in (managed, directed) if each is not None]
    return reduce(or_, found) if found else None


def _primary_advocate(u):
    return _all(_has_role(u, STAFF_ROLES), Case.primary_advocate == u.id)


def _coordinator(u):
    return _all(_has_role(u, STAFF_ROLES), Case.coordinator == u.id)


def _following(u):
    return _all(_has_role(u, STAFF_ROLES), _link(CaseFollower, CaseFollower.account == u.id))


def _attached(u):
    return _all(_has_role(u, STAFF_ROLES), _link(CaseStaff, CaseStaff.account == u.id))


def _in_group(u):
    return _member_of(u, CaseGroup)


def _manages_group(u):
    return _manager_of(u, CaseGroup)


def _opened_it(u):
    return _all(_has_role(u, STAFF_ROLES), Case.opened_by == u.id)


READ_CASE = {
    "primary_advocate": _primary_advocate,
    "coordinator": _coordinator,
    "following": _following,
    "assigned": _attached,
    "group": _in_group,
    "group_manager": _manages_group,
    "opened_it": _opened_it,
    "admin": _admin,
}
# Whoever is on a case adds to it; these also attach, detach, close and reopen (DOMAIN.md, ruling 2).
MANAGE_CASE = {"primary_advocate", "coordinator", "group_manager", "opened_it", "admin"}
# Being on the case as somebody who works on it: what an email about being added is checked against.
ON_CASE = {"primary_advocate", "coordinator", "following", "assigned", "group"}

CASE_REASON_WORDS = {
    "primary_advocate": "is the Primary Advocate",
    "coordinator": "is the Coordinator",
    "following": "is following the case",
    "assigned": "is assigned to it",
    "group": "is a member of an attached group",
    "group_manager": "manages an attached group, or directs its department",
    "opened_it": "opened it",
    "admin": "is an Admin Key Holder",
}


def _excluded_cases(u):
    """Expression: `u` is excluded from the case, or from its student."""
    return _in(Case.id, _cases_closed_to(u)) | _in(Case.student, _students_closed_to(u))


def _cases_closed_to(u):
    """Ids of the cases that `u` is excluded from, but for those of a student they are excluded from."""
    closed = Exclusion.alias("ex_case")
    return closed.select(closed.case).where((closed.account == u.id) & closed.case.is_null(False) & closed.ended_at.is_null())


# The database asks them in this order and stops at the first that holds: what stands in the case's own row comes first.
_CHEAP_FIRST = sorted(READ_CASE, key=lambda name: name not in ("admin", "opened_it", "primary_advocate", "coordinator"))


def sees_case(u):
    """Expression on Case: `u` has at least one reason and is not excluded. The only one that lists may use."""
    reasons = {name: READ_CASE[name](u) for name in _CHEAP_FIRST}
    reasons = {name: expression for name, expression in reasons.items() if expression is not None}
    if isinstance(u, Account) and "admin" in reasons:
        return ~_excluded_cases(u)
    return (reduce(or_, reasons.values()) if reasons else SQL("1 = 0")) & ~_excluded_cases(u)


def sees_case_by_role(user):
    """sees_case() of a person whose role shows them every case, said of its id alone, so that an index by which cases are
    counted answers without a look at each; None for everybody else."""
    if _admin(user) is None:
        return None
    case, closed = Case.alias("ex_of_student"), Exclusion.alias("ex_its_student")
    its_student = (closed.account == user.id) & closed.student.is_null(False) & closed.ended_at.is_null()
    theirs = case.select(case.id).join(closed, on=(closed.student == case.student)).where(its_student)
    return _not_in(Case.id, _cases_closed_to(user).union_all(theirs))


def visible_cases(user, *fields):
    """The cases this person may see, as a query to narrow further."""
    query = Case.select(*fields).where(sees_case(user))
    return query if user.role == ADMIN else query.where(_in(Case.id, _cases_within_reach(user)))


def visible_cases_of(user, student, *fields):
    """The cases of one student (an id) that this person may see. They are so few that each is asked about."""
    return Case.select(*fields).where((Case.student == student) & sees_case(user))


def _cases_within_reach(user):
    """Ids of all cases that a reason could be about, found from the person's side. It decides nothing."""
    own, followed, staff = Case.alias("own_case"), CaseFollower.alias("my_follow"), CaseStaff.alias("my_staff")
    by_group, by_manager, by_director = (CaseGroup.alias(f"my_{name}") for name in ("group", "managed", "directed"))
    member, manager = GroupMember.alias("me_member"), GroupManager.alias("me_manager")
    group, director = Group.alias("me_group"), DepartmentDirector.alias("me_director")
    return (
        own.select(own.id)
        .where(own.opened_by == user.id)
        .union_all(own.select(own.id).where(own.primary_advocate == user.id))
        .union_all(own.select(own.id).where(own.coordinator == user.id))
        .union_all(followed.select(followed.case).where(followed.account == user.id))
        .union_all(staff.select(staff.case).where(staff.account == user.id))
        .union_all(
            by_group.select(by_group.case).join(member, on=(member.group == by_group.group)).where(member.account == user.id)
        )
        .union_all(
            by_manager.select(by_manager.case)
            .join(manager, on=(manager.group == by_manager.group))
            .where(manager.account == user.id)
        )
        .union_all(
            by_director.select(by_director.case)
            .join(group, on=(group.id == by_director.group))
            .join(director, on=(director.department == group.department))
            .where(director.account == user.id)
        )
    )


def cases_on(user, *fields):
    """The cases this person is on: those they see for more than being an Admin Key Holder. As a query to narrow further."""
    if user.role != ADMIN:
        return visible_cases(user, *fields)
    reasons = [reason(user) for name, reason in READ_CASE.items() if name != "admin"]
    reasons = [expression for expression in reasons if expression is not None]
    on_it = reduce(or_, reasons) if reasons else SQL("1 = 0")
    return Case.select(*fields).where(_in(Case.id, _cases_within_reach(user)), on_it & ~_excluded_cases(user))


LOOKING_AFTER = ("primary_advocate", "coordinator", "following")


def cases_looked_after(user, *fields):
    """The cases on which this person is Primary Advocate, Coordinator or Following, with each of these as a column of its
    name: found from the person's side, and held against the same expressions."""
    reasons = {name: READ_CASE[name](user) for name in LOOKING_AFTER}
    if any(reason is None for reason in reasons.values()):
        return Case.select(*fields).where(SQL("1 = 0"))
    own, followed = Case.alias("own_case"), CaseFollower.alias("my_follow")
    mine = (
        own.select(own.id)
        .where(own.primary_advocate == user.id)
        .union_all(own.select(own.id).where(own.coordinator == user.id))
        .union_all(followed.select(followed.case).where(followed.account == user.id))
    )
    return (
        Case.select(*fields, *(reason.alias(name) for name, reason in reasons.items()))
        .where(_in(Case.id, mine) & reduce(or_, reasons.values()))
        .where(not_excluded_from_case(user))
    )


def case_reason_columns(user):
    """Each reason that this person's role admits, as a column of its name: selected with a case, they say why."""
    columns = [(name, reason(user)) for name, reason in READ_CASE.items()]
    return [expression.alias(name) for name, expression in columns if expression is not None]


def not_excluded_from_case(user):
    """Expression on Case: no conflict of interest. Only for a query that also checks the reasons it selects."""
    return ~_excluded_cases(user)


def case_reasons(user, case):
    """Why this person sees the case: a list of reason names, empty if they do not."""
    columns = case_reason_columns(user)
    if not columns:
        return []
    row = Case.select(*columns).where((Case.id == case.id) & not_excluded_from_case(user)).dicts().first()
    return [name for name, holds in row.items() if holds] if row else []


def require_managing(actor, case):
    """Raise NotVisible unless `actor` sees the case, Denied unless they may attach, detach, close and reopen it."""
    reasons = case_reasons(actor, case)
    if not reasons:
        raise NotVisible(case.ref)
    if not MANAGE_CASE & set(reasons):
        raise Denied("case.manage")


def case_readers_query(case_id):
    """Staff accounts who are not excluded (id, ref, name, role) with each reason of READ_CASE as a column: everybody with
    a reason, and a few without."""
    columns = [reason(Account).alias(name) for name, reason in READ_CASE.items()]
    return (
        Account.select(Account.id, Account.ref, Account.name, Account.role, *columns)
        .join(Case, JOIN.INNER, on=(Case.id == case_id))
        .where((Account.role == ADMIN) | _in(Account.id, _readers_within_reach(case_id)))
        .where(Account.is_active & Account.role.in_(STAFF_ROLES) & ~_excluded_cases(Account))
        .order_by(Account.name, Account.id)
        .objects()
    )


def _readers_within_reach(case_id):
    """Ids of all accounts but Admin Key Holders that a reason could be about, found from the case's side. It decides
    nothing."""
    case, on_case, followed = Case.alias("reached"), CaseStaff.alias("reached_staff"), CaseFollower.alias("reached_follow")
    by_group, by_manager, by_director = (CaseGroup.alias(f"reached_{name}") for name in ("group", "managed", "directed"))
    member, manager = GroupMember.alias("a_member"), GroupManager.alias("a_manager")
    group, director = Group.alias("a_group"), DepartmentDirector.alias("a_director")
    found = on_case.select(on_case.account).where(on_case.case == case_id)
    found = found.union_all(followed.select(followed.account).where(followed.case == case_id))
    for field in (case.opened_by, case.primary_advocate, case.coordinator):
        found = found.union_all(case.select(field).where((case.id == case_id) & field.is_null(False)))
    return (
        found.union_all(
            by_group.select(member.account).join(member, on=(member.group == by_group.group)).where(by_group.case == case_id)
        )
        .union_all(
            by_manager.select(manager.account)
            .join(manager, on=(manager.group == by_manager.group))
            .where(by_manager.case == case_id)
        )
        .union_all(
            by_director.select(director.account)
            .join(group, on=(group.id == by_director.group))
            .join(director, on=(director.department == group.department))
            .where(by_director.case == case_id)
        )
    )


def who_can_see_case(case):
    """[(account, [reason, …])] for every active account that sees the case, by name. Never lists exclusions."""
    return _case_readers(case_readers_query(case.id))


def who_would_see_case(case, *, groups=(), staff=()):
    """The same once these groups and accounts (ids) are attached as well: made-up rows stand in front of the tables."""
    now = CaseGroup.select(Value(True), CaseGroup.group).where(CaseGroup.case == case.id)
    now = list(now.union_all(CaseStaff.select(Value(False), CaseStaff.account).where(CaseStaff.case == case.id)).tuples())
    groups = {row for is_group, row in now if is_group} | set(groups)
    staff = {row for is_group, row in now if not is_group} | set(staff)
    made_up = [
        _made_up(CaseGroup, ("case_id", "group_id"), [(case.id, group) for group in groups]),
        _made_up(CaseStaff, ("case_id", "account_id"), [(case.id, account) for account in staff]),
    ]
    return _case_readers(case_readers_query(case.id).with_cte(*made_up))


def who_would_see_opened(attached):
    """{key: [(account, [reason, …])]}, by name: who would see a case that opens by itself, for each of `attached` {key: (ids
    of groups, ids of accounts)}; about a student from whom nobody is kept. Made-up rows stand in front of the tables."""
    numbers = {-1 - place: key for place, key in enumerate(attached)}
    people = ("opened_by_id", "primary_advocate_id", "coordinator_id")
    links = {place: [(number, one) for number, key in numbers.items() for one in attached[key][place]] for place in (0, 1)}
    made_up = [
        _made_up(Case, ("id", "student_id", *people), [(number, -1, None, None, None) for number in numbers]),
        _made_up(CaseGroup, ("case_id", "group_id"), links[0]),
        _made_up(CaseStaff, ("case_id", "account_id"), links[1]),
    ]
    columns = [reason(Account).alias(name) for name, reason in READ_CASE.items()]
    query = (
        Account.select(Account.id, Account.ref, Account.name, Account.role, Case.id.alias("case_number"), *columns)
        .join(Case, JOIN.INNER, on=SQL("1 = 1"))
        .where(Account.is_active & Account.role.in_(STAFF_ROLES))
        .order_by(Account.name, Account.id)
        .with_cte(*made_up)
        .objects()
    )
    found = {key: [] for key in attached}
    for account, reasons in _case_readers(query):
        found[numbers[account.case_number]].append((account, reasons))
    return found


def _case_readers(query):
    found = [(row, [name for name in READ_CASE if getattr(row, name)]) for row in query]
    return [(row, reasons) for row, reasons in found if reasons]


def cases_seen_with(account, *, member_of=None, manages=None, directs=None, departments=None):
    """Ids of the cases this account would see if its memberships, or the groups it manages, or the departments it directs
    (ids; None for as they are), or which group is in which department ((ids of both) of all that are in one), were exactly
    these: a set. Asks the very same expressions."""
    made_up = []
    if member_of is not None:
        made_up.append(_made_up(GroupMember, ("group_id", "account_id"), [(group, account.id) for group in member_of]))
    if manages is not None:
        made_up.append(_made_up(GroupManager, ("group_id", "account_id"), [(group, account.id) for group in manages]))
    if directs is not None:
        pairs = [(department, account.id) for department in directs]
        made_up.append(_made_up(DepartmentDirector, ("department_id", "account_id"), pairs))
    if departments is not None:
        made_up.append(_made_up(Group, ("id", "department_id"), departments))
    query = visible_cases(account, Case.id)
    return {case for (case,) in (query.with_cte(*made_up) if made_up else query).tuples()}


# --- Groups ----------------------------------------------------------------------------------------------------------


def managed_groups(user, *fields):
    """The groups whose membership this person may change: all for Admin Key Holders, their own for managers and the
    Directors of their department."""
    query = Group.select(*fields)
    if can(user, "admin.groups"):
        return query
    if not can(user, "group.manage"):
        return query.where(SQL("1 = 0"))
    own = _in(Group.id, GroupManager.select(GroupManager.group).where(GroupManager.account == user.id))
    if user.role in DIRECTOR_ROLES:
        mine = DepartmentDirector.select(DepartmentDirector.department).where(DepartmentDirector.account == user.id)
        own |= _in(Group.department, mine)
    return query.where(own)


def require_group(actor, group):
    """Raise NotVisible unless `actor` manages the group."""
    if not managed_groups(actor, Group.id).where(Group.id == group.id).exists():
        raise NotVisible(group.ref)


# --- Reasons to see a student's milestones ---------------------------------------------------------------------------


def _in_support_group(u):
    return _member_of(u, CohortGroup)


def _manages_support_group(u):
    return _manager_of(u, CohortGroup)


# Expressions on Cohort: why somebody sees the milestones of the students in it. Nothing else follows from them.
READ_MILESTONES = {
    "support_group": _in_support_group,
    "group_manager": _manages_support_group,
    "admin": _admin,
}

MILESTONE_REASON_WORDS = {
    "support_group": "is in a Student Support Group of the student's cohort",
    "group_manager": "manages such a group, or directs its department",
    "admin": "is an Admin Key Holder",
}


def supports_cohort(u):
    """Expression on Cohort: `u` has a reason to see the milestones of its students. Says nothing of exclusions, which are
    about a student: use supported_students()."""
    reasons = {name: reason(u) for name, reason in READ_MILESTONES.items()}
    reasons = {name: expression for name, expression in reasons.items() if expression is not None}
    if isinstance(u, Account) and "admin" in reasons:
        return _ALWAYS
    return reduce(or_, reasons.values()) if reasons else SQL("1 = 0")


def supported_students(user, *fields):
    """The students in cohorts whose milestones this person may see, as a query over CohortStudent joined with Cohort and
    Student, one row for each cohort of a student: narrow it further. Archived cohorts are in it for Admin Key Holders only."""
    query = (
        CohortStudent.select(*fields)
        .join(Cohort, on=(Cohort.id == CohortStudent.cohort))
        .switch(CohortStudent)
        .join(Student, on=(Student.id == CohortStudent.student))
        .where(supports_cohort(user), ~_excluded_students(user))
    )
    return query if user.role == ADMIN else query.where(Cohort.archived_at.is_null())


def milestone_reasons(user, student, cohort=None):
    """Why this person sees the student's milestones, in one cohort or in any: a list of reason names, empty if they
    don't."""
    columns = [(name, reason(user)) for name, reason in READ_MILESTONES.items()]
    columns = [expression.alias(name) for name, expression in columns if expression is not None]
    if not columns:
        return []
    query = supported_students(user, *columns).where(CohortStudent.student == student.id)
    if cohort is not None:
        query = query.where(CohortStudent.cohort == cohort.id)
    found = {name for row in query.dicts() for name, holds in row.items() if holds}
    return [name for name in READ_MILESTONES if name in found]


def require_support(actor, student, cohort):
    """Raise NotVisible unless `actor` sees this student's milestones in this cohort: who sees them may also mark them."""
    if not milestone_reasons(actor, student, cohort):
        raise NotVisible(student.ref)


def milestone_readers_query(student_id):
    """Staff accounts who are not excluded (id, ref, name, role) with each reason of READ_MILESTONES as a column, for the
    students of cohorts that are not archived: a row for each cohort of the student. Those without any reason are in it."""
    columns = [reason(Account).alias(name) for name, reason in READ_MILESTONES.items()]
    return (
        Account.select(Account.id, Account.ref, Account.name, Account.role, *columns)
        .join(CohortStudent, JOIN.INNER, on=(CohortStudent.student == student_id))
        .join(Cohort, on=(Cohort.id == CohortStudent.cohort))
        .join(Student, on=(Student.id == CohortStudent.student))
        .where((Account.role == ADMIN) | _in(Account.id, _supporters_within_reach(student_id)))
        .where(Cohort.archived_at.is_null() & Account.is_active & Account.role.in_(STAFF_ROLES))
        .where(~_excluded_students(Account))
        .order_by(Account.name, Account.id)
        .objects()
    )


def _supporters_within_reach(student_id):
    """Ids of all accounts but Admin Key Holders that a reason could be about, found from the student's side. It decides
    nothing."""
    mine, by_group = CohortStudent.alias("near_cohort"), CohortGroup.alias("near_support")
    groups = (
        by_group.select(by_group.group).join(mine, on=(mine.cohort == by_group.cohort)).where(mine.student == student_id)
    )
    member, manager = GroupMember.alias("near_member"), GroupManager.alias("near_manager")
    group, director = Group.alias("near_department"), DepartmentDirector.alias("near_director")
    return (
        member.select(member.account)
        .where(_in(member.group, groups))
        .union_all(manager.select(manager.account).where(_in(manager.group, groups)))
        .union_all(
            director.select(director.account)
            .join(group, on=(group.department == director.department))
            .where(_in(group.id, groups))
        )
    )


def who_can_see_milestones(student):
    """[(account, [reason, …])] for every active account that sees the student's milestones, by name."""
    people, reasons = {}, {}
    for row in milestone_readers_query(student.id):
        people[row.id] = row
        reasons.setdefault(row.id, set()).update(name for name in READ_MILESTONES if getattr(row, name))
    ordered = {id_: [name for name in READ_MILESTONES if name in found] for id_, found in reasons.items()}
    return [(people[id_], found) for id_, found in ordered.items() if found]


def who_supports(cohort_ids, groups=None, student=None):
    """Accounts other than Admin Key Holders who see the milestones of the students in these cohorts because of a group, by
    name; archived or not makes no difference here. `groups` (ids): as if exactly these were attached. `student`: without those
    who are excluded from this student."""
    if not cohort_ids:
        return []
    reasons = [reason(Account) for reason in (_in_support_group, _manages_support_group)]
    query = (
        Account.select(Account.id, Account.ref, Account.name, Account.role)
        .join(Cohort, JOIN.INNER, on=Cohort.id.in_(list(cohort_ids)))
        .where(Account.is_active & Account.role.in_(STAFF_ROLES) & (Account.role != ADMIN))
        .where(reduce(or_, reasons))
        .distinct()
        .order_by(Account.name, Account.id)
    )
    if student is not None:
        query = query.join_from(Account, Student, JOIN.INNER, on=(Student.id == student.id)).where(~_excluded_students(Account))
    if groups is not None:
        attached = [(cohort, group) for cohort in cohort_ids for group in groups]
        query = query.with_cte(_made_up(CohortGroup, ("cohort_id", "group_id"), attached))
    return list(query.objects(Account))


# --- A student's own -------------------------------------------------------------------------------------------------

# Each is asked by the account's id, so that kit/prepared.py can keep its SQL. None of them asks for Case Management System
# Student Visibility: own_student() does, and comes first on every page, in every action and feed.


def own_student(user, school):
    """The student whose account this is (tied by the same email, and at the school), or None; None for everybody while
    Case Management System Student Visibility is off."""
    return own_students(user, Student).first() if school.student_visibility else None


def own_students(user, *fields):
    """The same as a query of at most one row, without asking for the visibility."""
    query = Student.select(*fields).join(Account, on=(Account.email_folded == Student.email_folded))
    return query.where(_is_own(user, Account))


def _is_own(user, account):
    """Expression on Student joined with `account`, the Account of the same email."""
    return (account.id == user.id) & Student.is_active if can(user, "own.milestones") else SQL("1 = 0")


def own_milestones(user, *fields):
    """The milestones that a student is to reach, as a query over Milestone joined with Cohort, CohortStudent, Student and
    Account: saved, not removed, of the cohorts they are in that are not archived. One row for each."""
    query = (
        Milestone.select(*fields)
        .join(Cohort, on=(Cohort.id == Milestone.cohort))
        .join(CohortStudent, on=(CohortStudent.cohort == Cohort.id))
        .join(Student, on=(Student.id == CohortStudent.student))
        .join(Account, on=(Account.email_folded == Student.email_folded))
    )
    shown = Milestone.saved_at.is_null(False) & Milestone.removed_at.is_null() & Cohort.archived_at.is_null()
    return query.where(_is_own(user, Account) & shown)


def own_network(user, *fields):
    """A student's support network, as a query over GroupMember joined with Account and Group: the staff in the groups that
    are attached to the student's cohorts, as membership stands, without who is kept from the student. A row for each group
    and cohort that somebody is there for."""
    mine = Account.alias("own_account")
    query = (
        GroupMember.select(*fields)
        .join(Account, on=(Account.id == GroupMember.account))
        .join(Group, on=(Group.id == GroupMember.group))
        .join(CohortGroup, on=(CohortGroup.group == Group.id))
        .join(Cohort, on=(Cohort.id == CohortGroup.cohort))
        .join(CohortStudent, on=(CohortStudent.cohort == Cohort.id))
        .join(Student, on=(Student.id == CohortStudent.student))
        .join(mine, on=(mine.email_folded == Student.email_folded))
    )
    there = Account.is_active & Account.role.in_(STAFF_ROLES) & Cohort.archived_at.is_null()
    return query.where(_is_own(user, mine) & there & ~_excluded_students(Account))


# --- Reasons to see a task, a meeting, a plan, a response, a file ----------------------------------------------------

# Each of these records is about a student (a meeting about several), and an exclusion from a student beats every reason.
# `case`: it belongs to a case that the reader sees (models.CaseRecord). The other way round gives nobody anything: being on
# a task, a meeting, a plan, a response or a file shows no case (DOMAIN.md, ruling 2).


def _of_staff(u, condition):
    return _all(_has_role(u, STAFF_ROLES), condition)


def _on_case(u, kind, record_id, *shown):
    """The record belongs to a case that `u` sees, and for which `shown`, expressions on Case and CaseRecord, hold."""
    belongs = CaseRecord.select(SQL("1")).join(Case, on=(Case.id == CaseRecord.case))
    belongs = belongs.where((CaseRecord.kind == kind) & (CaseRecord.record_id == record_id) & sees_case(u), *shown)
    return _of_staff(u, _exists(belongs))


def _in_staff_group(u, query, group):
    """EXISTS: a row of `query` whose `group` has `u` as a member."""
    member = GroupMember.alias("work_member")
    return _of_staff(u, _exists(query.join(member, on=(member.group == group)).where(member.account == u.id)))


def _invited(u):
    here = MeetingStaff.alias("invited")
    query = here.select(SQL("1")).where((here.meeting == Meeting.id) & (here.account == u.id) & here.removed_at.is_null())
    return _of_staff(u, _exists(query))


def _works_on_plan(u):
    query = PlanStaff.select(SQL("1")).where((PlanStaff.plan == Plan.id) & (PlanStaff.account == u.id))
    return _of_staff(u, _exists(query))


def _runs_intervention(u):
    """The lead of the plan's intervention group, and the members of the staff group that runs it."""
    run = InterventionGroup.alias("run")
    here = run.id == Plan.intervention_group
    leads = _of_staff(u, _exists(run.select(SQL("1")).where(here & (run.lead == u.id))))
    inside = _in_staff_group(u, run.select(SQL("1")).where(here), run.group)
    return None if leads is None else leads | inside


def _meeting_on_case(u, *shown):
    """The meeting belongs to a case that `u` sees, and is about that case's student still: of somebody who was taken off it
    there is nothing left to show."""
    about = MeetingStudent.alias("case_part")
    there = (about.meeting == CaseRecord.record_id) & (about.student == Case.student) & about.removed_at.is_null()
    return _on_case(u, "meeting", Meeting.id, fn.EXISTS(about.select(SQL("1")).where(there)), *shown)


def _plan_on_case(u, *shown):
    review = PlanReview.alias("case_review")
    reviews = review.select(review.id).where(review.plan == Plan.id)
    belongs = CaseRecord.select(SQL("1")).join(Case, on=(Case.id == CaseRecord.case))
    its = ((CaseRecord.kind == "plan") & (CaseRecord.record_id == Plan.id)) | (
        (CaseRecord.kind == "review") & _in(CaseRecord.record_id, reviews)
    )
    return _of_staff(u, _exists(belongs.where(its & sees_case(u), *shown)))


def _reads_form(u):
    reader = FormGroup.alias("form_reader")
    return _in_staff_group(u, reader.select(SQL("1")).where(reader.form == FormResponse.form), reader.group)


def _key_user_of_form(u):
    """A Key User, where no group reads the responses to the form instead."""
    readers = FormGroup.alias("form_readers")
    return _all(_has_role(u, (KEY_USER,)), ~_exists(readers.select(SQL("1")).where(readers.form == FormResponse.form)))


def _related_to_file(u, reader=None, student=StoredFile.student):
    related = _related(u, student, reader)
    return None if related is None else (StoredFile.shown_to == "related") & related


def _in_file_group(u):
    mine = StudentFileGroup.alias("file_reader")
    in_group = _in_staff_group(u, mine.select(SQL("1")).where(mine.file == StoredFile.id), mine.group)
    return None if in_group is None else (StoredFile.shown_to == "groups") & in_group


def _related(u, student, reader=None):
    """Expression: `u` has a relation to the student that this column names (DOMAIN.md, ruling 1): a Key User, or by a case
    they see, a cohort they support, an open task, a planned or held meeting, an active plan. What somebody gives themselves is
    no relation: everybody may set a task about any student, and would open every profile with it. With a `reader`, by one of
    these that the reader sees or supports too: whoever is named otherwise would tell of it."""
    key_user = _has_role(u, (KEY_USER, ADMIN))
    if key_user is _ALWAYS:
        return _ALWAYS
    if isinstance(u, Account) and _has_role(u, STAFF_ROLES) is None:
        return None
    task, here, meeting = Task.alias("rel_task"), MeetingStudent.alias("rel_student"), Meeting.alias("rel_meeting")
    there, plan, on_plan = MeetingStaff.alias("rel_staff"), Plan.alias("rel_plan"), PlanStaff.alias("rel_plan_staff")
    told = {} if reader is None else {"case": sees_case(reader), "cohort": supports_cohort(reader)} | {
        kind: _in(alias.id, _KINDS[kind].model.select(_KINDS[kind].model.id).where(_sees(kind, reader)))
        for kind, alias in (("task", task), ("plan", plan))
    } | {"meeting": _in(here.id, _shown_in_meetings(reader))}  # fmt: skip
    relations = [
        Case.select(SQL("1")).where((Case.student == student) & sees_case(u)),
        CohortStudent.select(SQL("1"))
        .join(Cohort, on=(Cohort.id == CohortStudent.cohort))
        .where((CohortStudent.student == student) & Cohort.archived_at.is_null() & supports_cohort(u)),
        task.select(SQL("1")).where(
            (task.student == student) & (task.state == "open") & (task.assigned_to == u.id) & (task.set_by != u.id)
        ),
        here.select(SQL("1"))
        .join(meeting, on=(meeting.id == here.meeting))
        .join(there, on=(there.meeting == meeting.id))
        .where((here.student == student) & here.removed_at.is_null() & (meeting.state != "cancelled"))
        .where((there.account == u.id) & there.removed_at.is_null() & (there.added_by != u.id) & (here.added_by != u.id)),
        plan.select(SQL("1"))
        .join(on_plan, JOIN.LEFT_OUTER, on=(on_plan.plan == plan.id))
        .where((plan.student == student) & (plan.state == "active"))
        .where(((plan.lead == u.id) & (plan.created_by != u.id)) | ((on_plan.account == u.id) & (on_plan.added_by != u.id))),
    ]
    kinds = ("case", "cohort", "task", "meeting", "plan")
    relations = [query.where(told[kind]) if kind in told else query for kind, query in zip(kinds, relations, strict=True)]
    related = reduce(or_, [_exists(query) for query in relations])
    return related if isinstance(u, Account) else key_user | (u.role.in_(STAFF_ROLES) & related)


def _shown_in_meetings(reader):
    """Ids of MeetingStudent: the students that the reader is shown in the meetings they see."""
    part = MeetingStudent.select(MeetingStudent.id).join(Meeting, on=(Meeting.id == MeetingStudent.meeting))
    return part.where(sees_meeting(reader) & sees_meeting_student(reader))


def _kept_from(u, student):
    """Expression: `u` is excluded from the student that this column names; never where it names none."""
    return student.is_null(False) & _in(student, _students_closed_to(u))


def _kept_from_meeting(u):
    """By any of its students, also one who was taken off it."""
    part = MeetingStudent.alias("ex_part")
    return _exists(part.select(SQL("1")).where((part.meeting == Meeting.id) & _kept_from(u, part.student)))


def _kept_from_response(u):
    """By its student; as long as a referral waits, by every student of the name that it gives."""
    referral, student, by_name = Referral.alias("ex_referral"), Student.alias("ex_named"), Exclusion.alias("ex_by_name")
    named = (
        referral.select(SQL("1"))
        .join(student, on=(student.sort_name == referral.sort_name))
        .join(by_name, on=(by_name.student == student.id))
        .where((referral.response == FormResponse.id) & (by_name.account == u.id) & by_name.ended_at.is_null())
    )
    return _kept_from(u, FormResponse.student) | (FormResponse.student.is_null() & _exists(named))


READ_TASK = {
    "assigned": lambda u: _of_staff(u, Task.assigned_to == u.id),
    "set_it": lambda u: _of_staff(u, Task.set_by == u.id),
    "case": lambda u, *shown: _on_case(u, "task", Task.id, *shown),
    "admin": _admin,
}
READ_MEETING = {
    "invited": _invited,
    "scheduled_it": lambda u: _of_staff(u, Meeting.scheduled_by == u.id),
    "case": _meeting_on_case,
    "admin": _admin,
}
READ_PLAN = {
    "lead": lambda u: _of_staff(u, Plan.lead == u.id),
    "assigned": _works_on_plan,
    "created_it": lambda u: _of_staff(u, Plan.created_by == u.id),
    "intervention_group": _runs_intervention,
    "case": _plan_on_case,
    "admin": _admin,
}
READ_RESPONSE = {
    "sent_it": lambda u: _of_staff(u, FormResponse.author == u.id),
    "form_group": _reads_form,
    "key_user": _key_user_of_form,
    "case": lambda u, *shown: _on_case(u, "form", FormResponse.id, *shown),
    "admin": _admin,
}
READ_FILE = {
    "uploaded_it": lambda u: _of_staff(u, StoredFile.uploaded_by == u.id),
    "file_group": _in_file_group,
    "related": _related_to_file,
    "admin": _admin,
}


class Kind(NamedTuple):
    """A kind of record: its table, its reasons with their words, and the expression of being kept from it."""

    model: type
    reasons: dict
    words: dict
    kept_from: object


# What is done with a record beyond reading it needs one of these reasons.
MANAGE_TASK = {"assigned", "set_it", "admin"}
MANAGE_MEETING = {"invited", "scheduled_it", "admin"}
MANAGE_FILE = {"uploaded_it", "admin"}
MANAGE_PLAN = {"lead", "assigned", "created_it", "intervention_group", "admin"}
DECIDE_REFERRAL = {"form_group", "key_user", "admin"}

_KINDS = {
    "task": Kind(
        Task,
        READ_TASK,
        {
            "assigned": "is assigned this task",
            "set_it": "set it",
            "case": "is on a case that it belongs to",
            "admin": "is an Admin Key Holder",
        },
        lambda u: _kept_from(u, Task.student),
    ),
    "meeting": Kind(
        Meeting,
        READ_MEETING,
        {
            "invited": "is to be there",
            "scheduled_it": "scheduled it",
            "case": "is on a case that it belongs to",
            "admin": "is an Admin Key Holder",
        },
        _kept_from_meeting,
    ),
    "plan": Kind(
        Plan,
        READ_PLAN,
        {
            "lead": "leads the plan",
            "assigned": "works on it",
            "created_it": "created it",
            "intervention_group": "runs the intervention group that it came from",
            "case": "is on a case that it belongs to",
            "admin": "is an Admin Key Holder",
        },
        lambda u: _kept_from(u, Plan.student),
    ),
    "form": Kind(
        FormResponse,
        READ_RESPONSE,
        {
            "sent_it": "sent it",
            "form_group": "is in a group that reads the responses to this form",
            "key_user": "is a Key User",
            "case": "is on a case that it belongs to",
            "admin": "is an Admin Key Holder",
        },
        _kept_from_response,
    ),
    "file": Kind(
        StoredFile,
        READ_FILE,
        {
            "uploaded_it": "submitted it",
            "file_group": "is in a group that it is shown to",
            "related": "is a Key User, or works with the student",
            "admin": "is an Admin Key Holder",
        },
        lambda u: _kept_from(u, StoredFile.student),
    ),
}


def _sees(kind, u, **said_otherwise):
    """Expression on the table of this kind: `u` has at least one reason and is not kept from it. `said_otherwise`: reasons
    that say the same in other words."""
    what = _KINDS[kind]
    reasons = {name: reason(u) for name, reason in (what.reasons | said_otherwise).items()}
    reasons = {name: expression for name, expression in reasons.items() if expression is not None}
    if isinstance(u, Account) and "admin" in reasons:
        return ~what.kept_from(u)
    return (reduce(or_, reasons.values()) if reasons else SQL("1 = 0")) & ~what.kept_from(u)


def puts_onto_case(kind, u):
    """Expression on the table of this kind: `u` sees it for another reason than a case, and so may put it onto one, which shows
    it to those who are on that."""
    return _sees(kind, u, case=lambda u: None)


def sees_task(u):
    """Expression on Task; as sees_case()."""
    return _sees("task", u)


def sees_meeting(u):
    """Expression on Meeting; as sees_case(). What is shown of its students is for sees_meeting_student()."""
    return _sees("meeting", u)


def sees_plan(u):
    """Expression on Plan; as sees_case()."""
    return _sees("plan", u)


def sees_response(u):
    """Expression on FormResponse; as sees_case()."""
    return _sees("form", u)


def sees_student_file(u):
    """Expression on StoredFile of a student's profile; as sees_case()."""
    return StoredFile.student.is_null(False) & _sees("file", u)


def visible_tasks(user, *fields):
    """The tasks this person may see, as a query to narrow further."""
    return Task.select(*fields).where(sees_task(user))


def visible_meetings(user, *fields):
    """The meetings this person may see, as a query to narrow further."""
    return Meeting.select(*fields).where(sees_meeting(user))


def visible_plans(user, *fields):
    """The plans this person may see, as a query to narrow further."""
    return Plan.select(*fields).where(sees_plan(user))


def visible_responses(user, *fields):
    """The form responses this person may see as staff, as a query to narrow further."""
    return FormResponse.select(*fields).where(sees_response(user))


def visible_student_files(user, *fields):
    """The files on students' profiles that this person may see, as a query to narrow further."""
    return StoredFile.select(*fields).where(StoredFile.removed_at.is_null() & sees_student_file(user))


def visible_files_of(user, student_id, *fields):
    """The same of one student: whether this person has a relation to the student is then asked once, not for each file."""
    here = StoredFile.removed_at.is_null() & (StoredFile.student == student_id)
    sees = _sees("file", user, related=lambda u: _related_to_file(u, student=student_id))
    return StoredFile.select(*fields).where(here, sees)


def is_own_response(user):
    """Expression on FormResponse: this Referral User or student sent it themselves."""
    return FormResponse.author == user.id


def own_responses(user, *fields):
    """What a Referral User or a student sent themselves, as a query to narrow further."""
    return FormResponse.select(*fields).where(is_own_response(user))


def sees_whole_meeting(u):
    """Expression on Meeting: `u` sees every student, the agenda and the outcome, not only the part of a case's student."""
    reasons = [reason(u) for name, reason in READ_MEETING.items() if name != "case"]
    reasons = [expression for expression in reasons if expression is not None]
    return reduce(or_, reasons) if reasons else SQL("1 = 0")


def sees_meeting_student(u):
    """Expression on MeetingStudent joined with Meeting, for a meeting that `u` sees: whether this student is shown. Who sees
    it because of a case sees the student of that case alone."""
    belongs = CaseRecord.select(SQL("1")).join(Case, on=(Case.id == CaseRecord.case))
    belongs = belongs.where((CaseRecord.kind == "meeting") & (CaseRecord.record_id == MeetingStudent.meeting))
    mine = _exists(belongs.where((Case.student == MeetingStudent.student) & sees_case(u)))
    return MeetingStudent.removed_at.is_null() & (sees_whole_meeting(u) | mine)


@cache
def reason_names(kind, role, is_active):
    """The reasons to see a record of this kind ("incident", "case", or as in models.CaseRecord) that an account of this role has
    at all, in the order of their columns."""
    reasons = {"incident": READ_INCIDENT, "case": READ_CASE}.get(kind) or _KINDS[kind].reasons
    somebody = Account(id=0, role=role, is_active=is_active)
    return [name for name, reason in reasons.items() if reason(somebody) is not None]


def record_reason_columns(kind, user):
    """Each reason to see a record of this kind that this person's role admits, as a column of its name."""
    columns = [(name, reason(user)) for name, reason in _KINDS[kind].reasons.items()]
    return [expression.alias(name) for name, expression in columns if expression is not None]


def not_kept_from(kind, user):
    """Expression on the table of this kind: no conflict of interest. Only for a query that also checks the reasons it
    selects."""
    return ~_KINDS[kind].kept_from(user)


def record_reasons(kind, user, row):
    """Why this person sees the record (kind as in models.CaseRecord but review: a review is seen with its plan): a list of
    reason names, empty if they do not."""
    model, columns = _KINDS[kind].model, record_reason_columns(kind, user)
    if not columns:
        return []
    found = model.select(*columns).where((model.id == row.id) & not_kept_from(kind, user)).dicts().first()
    return [name for name, holds in found.items() if holds] if found else []


def require_record(kind, actor, row, reasons=None):
    """Raise NotVisible unless `actor` sees the record, Denied unless one of `reasons` (None for any) is theirs. Returns
    their reasons."""
    found = record_reasons(kind, actor, row)
    if not found:
        raise NotVisible(row.ref)
    if reasons is not None and not reasons & set(found):
        raise Denied(f"{kind}.manage")
    return found


def reason_words(kind):
    """What to say for each reason to see a record of this kind."""
    return _KINDS[kind].words


def who_can_see_record(kind, row, reader=None):
    """[(account, [reason, …])] for every active account that sees the record, by name. Never lists exclusions. With a
    `reader`, a case that the record belongs to and that the reader does not see shows nobody: it would tell of the case."""
    reasons = _KINDS[kind].reasons
    query = record_readers_query(kind, row.id, reader).objects()
    found = [(account, [name for name in reasons if getattr(account, name)]) for account in query]
    return [(account, reasons) for account, reasons in found if reasons]


def record_readers_query(kind, record_id, reader=None):
    """Staff accounts who are not kept from the record (id, ref, name, role) with each reason as a column, by name: everybody
    with a reason, and others without. `reader` as in who_can_see_record()."""
    what = _KINDS[kind]
    columns = [_told(name, reason, reader).alias(name) for name, reason in what.reasons.items()]
    return (
        Account.select(Account.id, Account.ref, Account.name, Account.role, *columns)
        .join(what.model, JOIN.INNER, on=(what.model.id == record_id))
        .where(Account.is_active & Account.role.in_(STAFF_ROLES) & ~what.kept_from(Account))
        .order_by(Account.name, Account.id)
    )


def _told(name, reason, reader):
    """The reason as the reader may learn of it."""
    if name == "related":
        return reason(Account, reader)
    return reason(Account, sees_case(reader)) if name == "case" and reader is not None else reason(Account)


def who_works_with(student, reader):
    """The active accounts that have a relation to the student and are not kept from them, by name, as far as the reader sees
    what it comes of."""
    query = Account.select(Account.id, Account.ref, Account.name, Account.role)
    query = query.join(Student, JOIN.INNER, on=(Student.id == student.id))
    query = query.where(Account.is_active & Account.role.in_(STAFF_ROLES) & _related(Account, Student.id, reader))
    return list(query.where(~_kept_from(Account, Student.id)).order_by(Account.name, Account.id))


def response_readers(group_ids):
    """Active accounts that read every response to a form with these groups (ids) as its readers, because of their role or
    a group, by name. Says nothing of exclusions, nor of reasons that a single response gives."""
    members = GroupMember.select(GroupMember.account).where(GroupMember.group.in_(list(group_ids)))
    inside = _in(Account.id, members) & Account.role.in_(STAFF_ROLES) if group_ids else Account.role == KEY_USER
    return list(
        Account.select().where(Account.is_active & (inside | (Account.role == ADMIN))).order_by(Account.name, Account.id)
    )


def kept_from_record(kind, record_id):
    """Ids of the accounts that are kept from the record (an id) by an exclusion, as a query."""
    what = _KINDS[kind]
    found = Account.select(Account.id).join(what.model, JOIN.INNER, on=(what.model.id == record_id))
    return found.where(what.kept_from(Account))


def leaves_a_trace(user):
    """Expression on CaseRecord of a case that `user` sees: not a meeting that was about somebody else as well, from whom they are
    excluded. Every other record is about the case's student alone."""
    part = MeetingStudent.alias("ex_record")
    closed = part.select(part.meeting).where(_in(part.student, _students_closed_to(user)))
    return (CaseRecord.kind != "meeting") | _not_in(CaseRecord.record_id, closed)


def who_would_see_on_case(kind, row, case, reader):
    """The accounts, by name, that come to see the record once it belongs to the case, as far as the reader may know: who sees
    it now because of a case that the reader doesn't see is named as well. Nobody sees a file because of one."""
    if "case" not in _KINDS[kind].reasons:
        return []
    known = {account.id for account, _ in who_can_see_record(kind, row, reader)}
    known |= {number for (number,) in kept_from_record(kind, row.id).tuples()}
    return [account for account, _ in who_can_see_case(case) if account.id not in known]


def fit_for(student, *fields):
    """Active staff who are not kept from the student: whom a task, a meeting or a plan about them can be given to."""
    return fit_for_all([student.id], *fields)


def fit_for_all(student_ids, *fields):
    """The same for several students at once: active staff who are kept from none of them."""
    kept = Exclusion.select(Exclusion.account).where(Exclusion.student.in_(list(student_ids)) & Exclusion.ended_at.is_null())
    return (
        Account.select(*fields)
        .where(Account.is_active & Account.role.in_(STAFF_ROLES) & _not_in(Account.id, kept))
        .order_by(Account.name, Account.id)
    )


# --- Intervention groups ---------------------------------------------------------------------------------------------

# Who runs an intervention group (its lead, the members of its staff group, an Admin Key Holder) brings students in and takes
# them out; so does whoever manages intervention groups by role. None of this shows who is in it: that is told by the plan
# that came of it, to those who see the plan.


def runs_intervention(u):
    """Expression on InterventionGroup: `u` leads it, or is a member of its staff group."""
    member = GroupMember.alias("run_member")
    inside = member.select(SQL("1")).where((member.group == InterventionGroup.group) & (member.account == u.id))
    found = _of_staff(u, (InterventionGroup.lead == u.id) | _exists(inside))
    return SQL("1 = 0") if found is None else found


def visible_interventions(user, *fields):
    """The intervention groups this person may see: all for who manages them, else those they run; as a query."""
    query = InterventionGroup.select(*fields)
    return query if can(user, "intervention.manage") else query.where(runs_intervention(user))


def require_intervention(actor, group, *, template=False):
    """Raise NotVisible unless `actor` sees the group: who does may bring students in and take them out. `template`: raise
    Denied unless they may also change what it says and who runs it: its lead, and who manages intervention groups."""
    if not visible_interventions(actor, InterventionGroup.id).where(InterventionGroup.id == group.id).exists():
        raise NotVisible(group.ref)
    if template and group.lead_id != actor.id and not can(actor, "intervention.manage"):
        raise Denied("intervention.manage")


def who_would_run(lead_id, group_id):
    """Active accounts that run an intervention group with this lead and this staff group (ids; None for no group), by name:
    they see the plans that come from it. Says nothing of exclusions."""
    made_up = _made_up(InterventionGroup, ("id", "lead_id", "group_id"), [(-1, lead_id, group_id)])
    return list(
        Account.select(Account.id, Account.ref, Account.name, Account.role)
        .join(InterventionGroup, JOIN.INNER, on=SQL("1 = 1"))
        .where(Account.is_active & Account.role.in_(STAFF_ROLES) & runs_intervention(Account))
        .order_by(Account.name, Account.id)
        .with_cte(made_up)
        .objects(Account)
    )


# --- Students --------------------------------------------------------------------------------------------------------


def _excluded_students(u):
    return _in(Student.id, _students_closed_to(u))


def _students_closed_to(u):
    """Ids of the students that `u` is excluded from."""
    closed = Exclusion.alias("ex_students")
    return closed.select(closed.student).where(
        (closed.account == u.id) & closed.student.is_null(False) & closed.ended_at.is_null()
    )


def removed_closed(user):
    """Expression on IncidentRemoval: `user` is excluded from the student who was taken off."""
    return _in(IncidentRemoval.student, _students_closed_to(user))


def sees_removal(user, whole):
    """Expression on IncidentRemoval of an incident that `user` sees, of which they see the `whole`, or parts only: who was
    taken off it and why is for whoever took them off, and for those who would see every part."""
    return ~removed_closed(user) & (_ALWAYS if whole else IncidentRemoval.removed_by == user.id)


def students_kept_from(account, students):
    """Those of the students that this account is excluded from, in the order given."""
    ids = {student_id for (student_id,) in _students_closed_to(account).tuples()}
    return [student for student in students if student.id in ids]


def is_excluded(user):
    """Whether anything is closed to this person by a conflict of interest."""
    return Exclusion.select(SQL("1")).where((Exclusion.account == user.id) & Exclusion.ended_at.is_null()).exists()


def closed_accounts(user):
    """Ids of the accounts with which the students sign in that `user` is excluded from, as a query: managing users, an Admin
    Key Holder would else find their name, and could sign in as them."""
    tied = Account.select(Account.id).join(Student, JOIN.INNER, on=(Student.email_folded == Account.email_folded))
    return tied.where((Account.role == STUDENT) & _excluded_students(user))


def visible_accounts(user, *fields):
    """The accounts that this person manages, as a query to narrow further: for who manages users all but closed_accounts()."""
    query = Account.select(*fields)
    return query.where(Account.id.not_in(closed_accounts(user)) if can(user, "admin.users") else SQL("1 = 0"))


def closed_targets(user):
    """References of the records and students that `user` is excluded from, as a query: what the audit log, which shows
    everything else to its readers, leaves out. Whatever has no reference of its own in there has the student's."""
    return (
        Incident.select(Incident.ref).where(_excluded_incidents(user))
        | Incident.select(Incident.ref).join(IncidentRemoval).where(removed_closed(user))
        | Student.select(Student.ref).where(_excluded_students(user))
        | Account.select(Account.ref).where(_in(Account.id, closed_accounts(user)))
        | Case.select(Case.ref).where(_excluded_cases(user))
        | Task.select(Task.ref).where(_kept_from(user, Task.student))
        | Meeting.select(Meeting.ref).where(_kept_from_meeting(user))
        | Plan.select(Plan.ref).where(_kept_from(user, Plan.student))
        | FormResponse.select(FormResponse.ref).where(_kept_from_response(user))
    )


def visible_students(user, *fields, among=None):
    """The students this person may find: all for staff roles, none for the rest, minus exclusions.

    Shows name, year and tutor group; the rest of a profile needs `student.details`. `among` narrows them like a further
    where(), for what few students fit: SQLite looks in the order written, so only those few are held against exclusions.
    """
    query = Student.select(*fields) if among is None else Student.select(*fields).where(among)
    if not can(user, "student.search"):
        return query.where(SQL("1 = 0"))
    return query.where(~_excluded_students(user))


def may_see_details(user, student):
    """Whether this person, who sees the student, may read contacts, address and date of birth: a Key User, or somebody
    with a relation to the student (DOMAIN.md, ruling 1)."""
    if can(user, "student.details"):
        return True
    related = _related(user, Student.id)
    return related is not None and Student.select(Student.id).where((Student.id == student.id) & related).exists()


def who_looks_after(student):
    """Active staff who are told of changes to the student: Primary Advocate, Coordinator or Following on an open case of
    theirs, as far as they see that case."""
    reasons = _primary_advocate(Account) | _coordinator(Account) | _following(Account)
    cases = Case.select(SQL("1")).where((Case.student == student.id) & (Case.status == "Open"))
    return list(
        Account.select()
        .where(Account.is_active & Account.role.in_(STAFF_ROLES))
        .where(_exists(cases.where(reasons & ~_excluded_cases(Account))))
        .order_by(Account.id)
    )


# --- Notifications ---------------------------------------------------------------------------------------------------


# What the kinds of events.NOTIFICATIONS are about; their `target` is the reference of such a record.
NOTIFIED_OF = {
    "incident": ("incident_assigned", "incident_alerted", "action_due"),
    "case": ("case_added", "case_changed"),
    "student": ("student_changed",),
    "milestones": ("milestone_asked",),
    "task": ("task_assigned", "task_overdue"),
    "meeting": ("meeting_invited", "meeting_changed"),
    "plan": ("plan_review_due",),
    "form": ("referral_received",),
}


def sees_notified(user, records=tuple(NOTIFIED_OF)):
    """Expression on Notification: this person still sees the record that it is about. A record that is closed to them takes
    what they were once told of it along, out of their list, its counts and the digest. `records`: those of NOTIFIED_OF that
    there are any of; what is about others is left out."""
    about = {
        "incident": lambda: Incident.select(SQL("1")).where((Incident.ref == Notification.target) & sees_incident(user)),
        "case": lambda: Case.select(SQL("1")).where((Case.ref == Notification.target) & sees_case(user)),
        "student": lambda: visible_students(user, SQL("1")).where(Student.ref == Notification.target),
        "milestones": lambda: supported_students(user, SQL("1")).where(Student.ref == Notification.target),
        "task": lambda: visible_tasks(user, SQL("1")).where(Task.ref == Notification.target),
        "meeting": lambda: visible_meetings(user, SQL("1")).where(Meeting.ref == Notification.target),
        "plan": lambda: visible_plans(user, SQL("1")).where(Plan.ref == Notification.target),
        "form": lambda: visible_responses(user, SQL("1")).where(FormResponse.ref == Notification.target),
    }
    shown = [Notification.kind.in_(NOTIFIED_OF[record]) & _exists(about[record]()) for record in records]
    return reduce(or_, shown) if shown else SQL("1 = 0")


# --- Who may be chosen -----------------------------------------------------------------------------------------------


def assignable(*fields):
    """Accounts that an incident can be assigned to: active Key Users and Admin Key Holders."""
    return Account.select(*fields).where(Account.is_active & Account.role.in_(KEY_ROLES)).order_by(Account.name)


def signs_in():
    """Expression on Account: may sign in. A profile without a role can't, and neither can a deactivated account."""
    return Account.is_active & (Account.role != "")


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
