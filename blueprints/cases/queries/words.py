"""Cases by the words written on them: title, entries as they read now, Presenting as it stands now.

Who may see a case is asked in the same query, before anything is cut off at `most`: a bound on all texts would let what
somebody may not see push out what they may. Must not show a text or say where a word stands.
"""

import re
from datetime import datetime
from functools import reduce
from operator import and_
from typing import NamedTuple

from peewee import SQL, Expression, Join, NodeList, Select, fn

import permissions
from blueprints.kit import fulltext, prepared
from extensions import db
from models import Case, CaseEntry, CasePresenting, CaseType, Student, is_postgres

# Texts with the words, from which on it is quicker to go through the reader's cases, the latest first, than through the
# texts: a word that stands everywhere has filled the page after a few hundred cases.
COMMON = 10_000
MOST_WORDS = 12  # that are looked for in titles: each number of words is a statement of its own (kit/prepared.py)
COUNTED = 500  # beyond this a search says "more than"


def _found(user, fits, asked, titles, most):
    query = permissions.visible_cases(user, Case.id).where(fits(asked) | _in_title(titles))
    return query.order_by(Case.last_activity_at.desc(), Case.id.desc()).limit(most)


class Hit(NamedTuple):
    """A case as a search shows it."""

    id: int
    ref: str
    title: str
    status: str
    last_activity_at: datetime
    case_type: str
    preferred_name: str
    first_name: str
    last_name: str


def with_words(user, text):
    """(fetch, count) of the Hits, for kit.listing.paginate(): the cases that `user` may see and that have these words in a
    text or the title, the ones with the latest activity first. Counting stops at COUNTED + 1, or where the page ends.

    Each text stands for itself: two words have to be in the same entry. Quotes, OR and a leading - work in texts; nothing
    raises.
    """
    asked, counted = fulltext.words(text), [0]
    build = _rows_of_common if asked and _is_common(asked) else _rows_of_few

    def fetch(most, start):
        if not asked:
            return []
        among = max(COUNTED + 1, start + most)
        values = {"asked": asked, "among": among, "most": most, "start": start}
        rows = prepared.rows(build, user, **values, **_title_patterns(text))
        if rows:
            counted[0] = rows[0][-1]
        return [Hit(*row[:-1]) for row in rows]

    def count(most):
        return min(most, counted[0] or (len(fetch(1, 0)) and counted[0]))

    return fetch, count


def _rows_of_few(user, asked, among, most, start, **titles):
    return _rows(_found(user, _among_texts, asked, titles, among), most, start)


def _rows_of_common(user, asked, among, most, start, **titles):
    return _rows(_found(user, _among_cases, asked, titles, among), most, start)


def _rows(ids, most, start):
    """The rows of a page, each with how many there are in all."""
    found = ids.cte("found")
    columns = (Case.id, Case.ref, Case.title, Case.status, Case.last_activity_at, CaseType.name)
    names = (Student.preferred_name, Student.first_name, Student.last_name)
    return (
        Case.select(*columns, *names, Select([found], [fn.COUNT(SQL("*"))]))
        .from_(Join(found, Case, on=(Case.id == found.c.id)))
        .join_from(Case, CaseType)
        .join_from(Case, Student, on=(Case.student == Student.id))
        .with_cte(found)
        .order_by(Case.last_activity_at.desc(), Case.id.desc())
        .limit(most)
        .offset(start)
    )


def _is_common(asked):
    """Whether very many entries have these words, whoever may see them: decides how to look, never what is found."""
    return fulltext.rows_with(CaseEntry, asked).limit(COMMON).bind(db).count() == COMMON


def _title_patterns(text):
    """What a title has to be like, and not like, by names of ours: LIKE patterns, one for each word."""
    found = {}
    for place, word in enumerate(text[: fulltext.LONGEST].replace("\0", " ").split()[:MOST_WORDS]):
        pattern = re.sub(r"([!%_])", r"!\1", word.strip('"-'))
        found[f"{'not' if word.startswith('-') else 'like'}_{place}"] = f"%{pattern}%"
    return found


def _in_title(patterns):
    like = SQL("ILIKE" if is_postgres() else "LIKE")
    rest = SQL("ESCAPE '!'")
    fits = {name: NodeList((Case.title, like, prepared.pattern(each), rest), parens=True) for name, each in patterns.items()}
    conditions = [~each if name.startswith("not") else each for name, each in fits.items()]
    return reduce(and_, conditions) if conditions else SQL("1 = 0")


def _among_texts(asked):
    """The cases of the texts with these words: quick while there are few."""
    entry, presenting = CaseEntry.alias("entry"), CasePresenting.alias("presenting")
    entries = entry.select(entry.case).where(_has(entry, asked))
    presented = presenting.select(presenting.case).where(_has(presenting, asked), _is_newest(presenting))
    return Expression(Case.id, "in", entries.union_all(presented))


def _has(row, asked):
    return Expression(row.id, "in", fulltext.rows_with(row.model, asked))


def _among_cases(asked):
    """Whether this one case has such a text: quick where most have, as the database starts from the case's own rows."""
    entry, presenting = CaseEntry.alias("entry"), CasePresenting.alias("presenting")
    return _one_of(entry, asked) | _one_of(presenting, asked, _is_newest(presenting))


def _one_of(row, asked, *further):
    own = row.case == Case.id
    if is_postgres():
        # OFFSET 0 keeps Postgres from reading the whole index of words for each case.
        rows = row.select(SQL(f'"{row.alias}"."text_index" AS words')).where(own, *further).offset(0).alias("own")
        words = fn.websearch_to_tsquery("english", asked)
        return fn.EXISTS(Select([rows], [SQL("1")]).where(Expression(rows.c.words, "@@", words)))
    # "+ 0" keeps SQLite from looking up each row in the index of words by itself.
    found = Expression(row.id + 0, "in", fulltext.rows_with(row.model, asked))
    return fn.EXISTS(row.select(SQL("1")).where(own, found, *further))


def _is_newest(presenting):
    later = CasePresenting.alias("later")
    return presenting.number == later.select(fn.MAX(later.number)).where(later.case == presenting.case)
