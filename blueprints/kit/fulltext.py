"""Full-text search as both databases do it: what was typed, and the rows whose text has those words. Decides nothing
about access: the query it is laid upon does.

The index of a table is `<table>_text` on SQLite and the column `text_index` on Postgres (migrations 0002 and 0003).
"""

from peewee import JOIN, SQL, Column, Expression, Join, Select, Table, fn
from playhouse.sqlite_ext import FTS5Model

from models import is_postgres

LONGEST = 200  # characters that are looked at
FEW = 1000  # rows with the words, of which each can be asked about (Postgres)
LITTLE = 4000  # rows near the reader, the same
# As migrations/0002 folds the accents of the Postgres index; SQLite's tokenizer does it by itself.
FOLDED = str.maketrans(
    "àáâãäåçèéêëìíîïñòóôõöøùúûüýÿÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝ", "aaaaaaceeeeiiiinoooooouuuuyyAAAAAACEEEEIIIINOOOOOOUUUUY"
)


def words(text):
    """What was typed as the database asks for it, "" where it names no word; quotes, OR and a leading - work, and
    nothing raises. A * is no wildcard: on Postgres it can't be one, on SQLite it would read half the index."""
    text = (text or "")[:LONGEST].translate({0: " ", ord("*"): " "})
    if is_postgres():
        return text.translate(FOLDED) if any(letter.isalnum() for letter in text) else ""
    typed = FTS5Model.web_query(text)
    return "" if typed == '""' else typed


def rows_with(model, asked):
    """A query of the ids of this model's rows that have the words; `asked` is what words() returned."""
    if is_postgres():
        table = Table(model._meta.table_name)
        return table.select(table.c.id).where(_on_postgres(table.c.text_index, asked))
    index = Table(f"{model._meta.table_name}_text")
    return index.select(index.c.rowid).where(_on_sqlite(index, asked))


def newest(model, asked, condition, most, near=None):
    """The last added `most` rows of this model that have the words and meet the condition, as common table expressions for
    a query: the last one, `found`, has their ids. `near`, a query of ids or None, is looked up for a row before the
    condition is asked.

    The rows come in their order, the condition is asked of one after another, and the database stops when it has enough:
    what a word costs that stands everywhere depends on `most`, and on how many rows don't meet the condition.
    """
    if is_postgres():
        return _newest_on_postgres(model, asked, condition, most, near)
    index = Table(f"{model._meta.table_name}_text")
    # "+ 0" keeps SQLite from searching the words anew for each id.
    among = [] if near is None else [Expression(index.c.rowid + 0, "in", near)]
    query = model.select(model.id).from_(Join(index, model, JOIN.CROSS))  # CROSS holds SQLite to this order
    query = query.where(_on_sqlite(index, asked), *among, model.id == index.c.rowid, condition)
    return [query.order_by(index.c.rowid.desc()).limit(most).cte("found")]


def _newest_on_postgres(model, asked, condition, most, near):
    """Postgres guesses how many rows have the words and meet the condition, and guesses badly once it plans for any words.
    So it is told where to start: at the rows with the words while these are FEW, else at what is near while that is LITTLE,
    else at the last added row. What does not apply is not run."""
    words = _on_postgres(Column(model._meta.table, "text_index"), asked)
    few = model.select(model.id).where(words).limit(FEW + 1).cte("few", materialized=True)
    is_common = _number_in(few) > FEW
    # COALESCE keeps it from looking the words up in their index, where the rows have no order.
    has_words = fn.COALESCE(words, SQL("FALSE"))

    def one_by_one(ids, applies, *conditions):
        # OFFSET 0 makes it ask about one row after the other, the last added first.
        row = model.select(SQL("1")).where(model.id == ids.c.id, *conditions).offset(0)
        query = Select([ids], [ids.c.id]).where(applies, fn.EXISTS(row))
        return query.order_by(ids.c.id.desc()).limit(most)

    def in_order(*conditions):
        return model.select(model.id).where(*conditions, has_words, condition).order_by(model.id.desc()).limit(most)

    if near is None:
        either = one_by_one(few, ~is_common, condition).union_all(in_order(is_common))
        return [few, either.cte("found")]
    close = near.cte("close", columns=["id"], materialized=True)
    close_ids = Select([close], [close.c.id])
    is_little = _number_in(close) <= LITTLE
    # IS TRUE makes it a look into a hash for each row, and no join that would read all of them.
    is_close = Expression(Expression(model.id, "in", close_ids), "IS", SQL("TRUE"))
    either = (
        one_by_one(few, ~is_common, condition)
        .union_all(one_by_one(close_ids.distinct().alias("once"), is_common & is_little, has_words, condition))
        .union_all(in_order(is_common & ~is_little, is_close))
    )
    return [few, close, either.cte("found")]


def _number_in(table):
    return Select([table], [fn.COUNT(SQL("*"))])


def _on_sqlite(index, asked):
    return Expression(getattr(index.c, index.__name__), "MATCH", asked)


def _on_postgres(column, asked):
    return Expression(column, "@@", fn.websearch_to_tsquery("english", asked))
