"""Pages of lists, and the addresses that keep their state."""

import pytest
from flask import Flask, request
from peewee import IntegerField, Model, SqliteDatabase
from werkzeug.datastructures import MultiDict

from blueprints.kit.listing import page_number, paginate, with_args

memory = SqliteDatabase(":memory:")


class Thing(Model):
    number = IntegerField()

    class Meta:
        database = memory


@pytest.fixture
def things(monkeypatch):
    memory.connect(reuse_if_open=True)
    memory.create_tables([Thing])
    Thing.insert_many([(n,) for n in range(250)], fields=[Thing.number]).execute()
    statements = []
    run = memory.execute_sql
    monkeypatch.setattr(
        memory, "execute_sql", lambda sql, *args, **named: (statements.append(sql), run(sql, *args, **named))[1]
    )
    yield statements
    monkeypatch.undo()
    memory.close()


def url(number):
    return f"/things?page={number}"


def test_a_query_is_paged_with_two_statements(things):
    page = paginate(Thing.select().order_by(Thing.number), 2, per_page=100, url=url)
    assert [thing.number for thing in page][:2] == [100, 101] and len(page) == 100
    assert (page.number, page.pages, page.total, page.total_is_capped, page.start, page.end) == (
        2,
        3,
        250,
        False,
        101,
        200,
    )
    assert (page.prev, page.next, page.url(3), page.total_text) == (1, 3, "/things?page=3", "250")
    assert len(things) == 2


def test_the_last_page_needs_no_count(things):
    page = paginate(Thing.select(Thing.number).order_by(Thing.number).tuples(), "3", per_page=100, url=url)
    assert (
        page.items[-1] == (249,)
        and not page.has_next
        and (page.total, page.pages, page.start, page.end) == (250, 3, 201, 250)
    )
    assert len(things) == 1


def test_the_count_is_capped_but_paging_goes_on(things):
    query = Thing.select().order_by(Thing.number)
    first = paginate(query, 1, per_page=10, cap=100, url=url)
    assert (first.total, first.total_is_capped, first.total_text, first.pages) == (100, True, "100+", 10)
    assert "LIMIT" in things[-1] and "COUNT" in things[-1]
    deep = paginate(query, 20, per_page=10, cap=100, url=url)
    assert (deep.items[0].number, deep.has_next, deep.pages, deep.total) == (190, True, 21, 200)
    last = paginate(query, 25, per_page=10, cap=100, url=url)
    assert (last.has_next, last.pages, last.total, last.total_is_capped) == (False, 25, 250, False)


@pytest.mark.parametrize("asked", [26, 9999, "999999999999999999999"])
def test_a_page_beyond_the_end_is_the_last(things, asked):
    page = paginate(Thing.select().order_by(Thing.number), asked, per_page=10, cap=100, url=url)
    assert (page.number, page.items[0].number, page.total) == (25, 240, 250)


def test_an_empty_list_has_one_page(things):
    page = paginate(Thing.select().where(Thing.number < 0), 7, url=url)
    assert (page.number, page.pages, page.total, page.start, page.end, page.items, page.has_prev) == (
        1,
        1,
        0,
        0,
        0,
        [],
        False,
    )


def test_exactly_full_pages(things):
    page = paginate(Thing.select().limit(None), 5, per_page=50, url=url)
    assert (page.has_next, page.pages, page.end) == (False, 5, 250)


def test_grouped_queries_are_counted_by_their_rows(things):
    page = paginate(Thing.select(Thing.number / 50).group_by(Thing.number / 50).tuples(), 1, per_page=3, url=url)
    assert (page.total, page.pages) == (5, 2)


def test_lists_and_functions_are_paged():
    numbers = list(range(30))
    assert paginate(numbers, 2, per_page=20, url=url).items == list(range(20, 30))
    page = paginate(
        lambda limit, offset: numbers[offset : offset + limit],
        1,
        per_page=20,
        url=url,
        count=lambda limit: min(limit, 30),
    )
    assert (page.total, page.pages) == (30, 2)
    with pytest.raises(TypeError):
        paginate(lambda limit, offset: [], 1)


@pytest.mark.parametrize(
    ("text", "number"), [("3", 3), (None, 1), ("", 1), ("x", 1), ("-4", 1), ("0", 1), ("9" * 5000, 1_000_000)]
)
def test_page_numbers(text, number):
    assert page_number(text) == number


def test_addresses_keep_what_isnt_changed():
    args = MultiDict([("status", "Active"), ("category", "a&b"), ("category", "c"), ("page", "4")])
    assert with_args("/incidents", args, page=5) == "/incidents?status=Active&category=a%26b&category=c&page=5"
    assert (
        with_args("/incidents", args, category=["x", "y"], page=None)
        == "/incidents?status=Active&category=x&category=y"
    )
    assert with_args("/incidents", {"status": "Closed", "tag": ["a", "b"]}, status=None) == "/incidents?tag=a&tag=b"
    assert with_args("/incidents") == "/incidents"


def test_a_page_turns_on_its_own_address():
    with Flask("test").test_request_context("/incidents?status=Active&status=Closed&page=2&sort=when"):
        page = paginate(list(range(500)), request.args.get("page"), sort="when")
        assert page.url(3) == "/incidents?status=Active&status=Closed&sort=when&page=3"
        assert page.url(1) == "/incidents?status=Active&status=Closed&sort=when"
        assert page.sort_url("when") == "/incidents?status=Active&status=Closed&sort=-when"
        assert page.sort_url("age") == "/incidents?status=Active&status=Closed&sort=age"
