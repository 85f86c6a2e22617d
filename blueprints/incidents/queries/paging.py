"""The lists of incidents page by page: (fetch, count) for kit.listing.paginate(), each row for lists.summaries().

The lists that are opened all day, and the search by words, have their SQL put together once (kit/prepared.py).
"""

from peewee import SQL, Join, Select, fn

import permissions
from blueprints.incidents.queries.lists import filtered, listed
from blueprints.kit import fulltext, prepared
from models import Incident

COUNTED = 500  # beyond this a list says "more than": whoever finds more of them adds a word or a filter


def paging(user, *, text="", **filters):
    """(fetch, count) of filtered(), newest entered first; `filters` are those of filtered() that are on."""
    if text and not filters:
        return with_words(user, text)
    if text or filters.keys() - {"status", "student_id"}:
        query = filtered(user, text=text, **filters)
        return lambda most, start: list(listed(query).limit(most).offset(start)), lambda most: query.limit(most).count()
    return (
        lambda most, start: prepared.rows(_some_rows, user, most=most, start=start, **filters),
        lambda most: len(prepared.rows(_some_ids, user, most=most, **filters)),
    )


def _some_rows(user, most, start, status=None, student_id=None):
    return listed(filtered(user, status=status, student=student_id)).limit(most).offset(start)


def _some_ids(user, most, status=None, student_id=None):
    return filtered(user, status=status, student=student_id).select(Incident.id).limit(most)


def with_words(user, text):
    """(fetch, count) of the incidents whose newest text has these words and that `user` sees, the last added first.

    Looked at are as many as it takes to fill the page and to count to COUNTED + 1 of those that the reader sees, never a
    number of texts as such: how many more have the words, and are closed to the reader, changes nothing that is shown.
    """
    asked, counted = fulltext.words(text), [0]

    def fetch(most, start):
        if not asked:
            return []
        among = max(COUNTED + 1, start + most)
        rows = prepared.rows(_rows_with_words, user, asked=asked, among=among, most=most, start=start)
        if rows:
            counted[0] = rows[0][-1]
        return [row[:-1] for row in rows]

    def count(most):
        return min(most, counted[0] or (len(fetch(1, 0)) and counted[0]))

    return fetch, count


def _rows_with_words(user, asked, among, most, start):
    """The rows of a page, each with how many there are among the first `among`."""
    near = permissions.incidents_within_reach(user)
    tables = fulltext.newest(Incident, asked, permissions.sees_incident(user), among, near)
    found = tables[-1]
    page = Select([found], [found.c.id]).order_by(found.c.id.desc()).limit(most).offset(start).alias("page")
    query = listed(Incident.select().from_(Join(page, Incident, on=(Incident.id == page.c.id))))
    query = query.select_extend(Select([found], [fn.COUNT(SQL("*"))]))
    return query.with_cte(*tables).order_by(Incident.id.desc())
