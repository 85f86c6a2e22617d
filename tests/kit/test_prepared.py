"""Prepared queries: the same rows as the query itself, for everybody, at every moment; only faster."""

from datetime import date, timedelta

import pytest
from peewee import SQL, NodeList

import permissions
from blueprints.incidents import queries as incidents
from blueprints.kit import prepared
from extensions import clock, db
from models import Account, Category, CategoryGroup, GroupMember, Incident, IncidentAction, Student, is_postgres
from tests import factories

PEOPLE = ("ada", "kay", "ken", "gil", "mo", "sam", "oli")


def seen(user):
    return permissions.visible_incidents(user, Incident.id, Incident.ref, Incident.entered_at).order_by(Incident.id)


def since(user, moment, most):
    return seen(user).where(Incident.entered_at >= moment).limit(most)


def due(user, day):
    return IncidentAction.select(IncidentAction.due_on).where(
        (IncidentAction.person == user) & (IncidentAction.due_on == day)
    )


def chosen(user, ids):
    return seen(user).where(Incident.id.in_(ids))


def of_refs(user, refs):
    return seen(user).where(Incident.ref.in_(refs))


def fitting(user, like):
    return Account.select(Account.id, Account.name).where(NodeList((Account.name, SQL("LIKE"), prepared.pattern(like))))


def named(user, name):
    return Account.select(Account.id).where((Account.name == name) & (Account.id == user.id))


def in_year(year):
    return Student.select(Student.ref).where(Student.year_group == year)


def forgetful(user, moment):
    return seen(user)


@pytest.fixture
def world(app, cast):
    secret = factories.category("Disclosure", need_to_know=[cast.counselling])
    for author, options in (
        (cast.sam, {"assigned_to": cast.kay}),
        (cast.sam, {"alerted": [cast.mo]}),
        (cast.ken, {"alerted": [cast.counselling], "entered_at": clock.now() - timedelta(days=9)}),
    ):
        factories.incident(author, [cast.student], **options)
    factories.incident(cast.sam, [(cast.student, [secret])])
    cast.secret = secret
    return cast


def same_for_all(world):
    for name in PEOPLE:
        user = Account.get_by_id(getattr(world, name).id)
        assert prepared.rows(seen, user) == list(seen(user).tuples()), name


def test_the_same_rows_for_everybody(world):
    for _ in range(2):  # with the SQL made, and with the SQL kept
        same_for_all(world)


def test_access_that_ends_or_begins_counts_at_once(world):
    same_for_all(world)
    GroupMember.delete().where(GroupMember.account == world.gil).execute()
    same_for_all(world)
    GroupMember.create(group=world.counselling, account=world.oli)
    same_for_all(world)
    CategoryGroup.delete().execute()
    same_for_all(world)
    CategoryGroup.create(category=Category.get(), group=world.counselling)
    factories.exclusion(world.kay, world.ada, student=world.student)
    same_for_all(world)
    Account.update(role=permissions.STAFF).where(Account.id == world.ken.id).execute()
    Account.update(is_active=False).where(Account.id == world.sam.id).execute()
    same_for_all(world)


def test_putting_a_rule_together_asks_the_database_nothing(world, count_queries):
    """The SQL is kept: a rule that looked at the tables while it is put together would be answered from the past."""
    with count_queries() as queries:
        for name in PEOPLE:
            seen(getattr(world, name)).sql()
            permissions.sees_part(getattr(world, name))
            incidents.alerted_to_me(getattr(world, name)).sql()
    assert len(queries) == 0


def test_values_are_filled_in(world):
    for days, most in ((1, 50), (30, 50), (30, 1)):
        moment = clock.now() - timedelta(days=days)
        rows = prepared.rows(since, world.ada, moment=moment, most=most)
        assert rows == list(since(world.ada, moment, most).tuples())
    assert len(rows) == 1 and rows[0][2].tzinfo is not None
    factories.action(Incident.get(), world.sam, person=world.sam, due_on=date(2026, 11, 14))
    assert prepared.rows(due, world.sam, day=date(2026, 11, 14)) == [(date(2026, 11, 14),)]
    assert prepared.rows(due, world.sam, day=date(2026, 11, 15)) == []
    assert prepared.rows(due, world.kay, day=date(2026, 11, 14)) == []
    assert prepared.rows(named, world.sam, name="Sam Swift") == [(world.sam.id,)]
    assert prepared.rows(named, world.sam, name="' OR 1=1 --") == []
    assert prepared.rows(in_year, year="9") == [(world.student.ref,)]


def test_a_pattern_is_filled_in_and_leaves_the_statement_compiled(world, cast):
    def found(like):
        return prepared.rows(fitting, cast.kay, like=like)

    names = sorted(row.name for row in Account.select() if row.name.casefold().startswith("k"))
    assert len(names) > 1 and sorted(name for _, name in found("K%")) == names
    assert found("no such %") == []
    if is_postgres():
        return
    compiled = []
    db.connection().set_authorizer(lambda *what: compiled.append(what) or 0)  # SQLite asks it while it compiles
    try:
        found("K%")  # once more, because it is asked from now on
        del compiled[:]
        found("S%")
    finally:
        db.connection().set_authorizer(None)
    assert compiled == []


def test_lists_of_any_length(world):
    ids = [row.id for row in Incident.select().order_by(Incident.id)]
    for count in range(len(ids) + 1):
        assert [row[0] for row in prepared.rows(chosen, world.ada, ids=ids[:count])] == ids[:count]
    assert [row[0] for row in prepared.rows(chosen, world.ada, ids=ids + list(range(10_000, 10_400)))] == ids
    refs = [row.ref for row in Incident.select().order_by(Incident.id)]
    for count in range(1, len(refs) + 1):
        assert [row[1] for row in prepared.rows(of_refs, world.ada, refs=refs[:count])] == refs[:count]


def test_what_can_not_be_prepared_is_refused(world):
    with pytest.raises(ValueError, match="made anew"):
        prepared.rows(lambda user: seen(user), world.ada)
    with pytest.raises(ValueError, match="does not use"):
        prepared.rows(forgetful, world.ada, moment=clock.now())
    with pytest.raises(TypeError):
        prepared.rows(since, world.ada, moment=None, most=5)
