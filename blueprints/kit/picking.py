"""The picker of one record, a student for example: chosen from its suggestions, or typed without a script.

Knows no table: whoever asks brings the Source. Must not decide who may be chosen.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from werkzeug.datastructures import MultiDict
from wtforms import Field

from blueprints.kit.text import one_line


class Source(NamedTuple):
    """Where the choices come from: `pick` the rows of references, `resolve` (rows, sentence or None) of what was typed,
    `suggest` what to choose from instead, `chip` how a row is shown."""

    pick: Callable[[list[str]], list]
    resolve: Callable[[str], tuple[list, str | None]]
    suggest: Callable[[str], list]
    chip: Callable[[Any], dict]


@dataclass
class Picked:
    """What a picker stands at: the row, the chips that show it, and what is still to be chosen from."""

    row: Any = None
    chips: list = field(default_factory=list)
    choices: list = field(default_factory=list)
    asked: str = ""
    problem: str | None = None


def pick_one(values: MultiDict, name: str, source: Source, *, several: str, missing: str | None = None) -> Picked:
    """Picked of the picker `name` in these values. `several` and `missing` are the sentences for more than one and for none;
    without the latter nobody has to be chosen."""
    refs = list(dict.fromkeys(map(one_line, values.getlist(f"{name}_ref") + values.getlist(f"{name}_choice"))))
    rows = source.pick(refs)
    picked = Picked(problem="Somebody you chose is not known. Choose again." if len(rows) < len(refs) else None)
    typed = one_line(values.get(name, ""))
    # What stands in the field is an old question once one of the choices that were offered for it was ticked.
    if typed and not (values.getlist(f"{name}_choice") and one_line(values.get(f"{name}_asked", "")) == typed):
        found, problem = source.resolve(typed)
        rows += [row for row in found if row not in rows]
        if problem:
            picked.problem, picked.asked, picked.choices = problem, typed, source.suggest(typed)
    if len(rows) != 1:
        picked.problem = picked.problem or (several if rows else missing)
    picked.chips = [source.chip(row) for row in rows]
    picked.row = rows[0] if len(rows) == 1 else None
    return picked


def settle(box: Field, picked: Picked, missing: str | None = None) -> None:
    """Put what is wrong with the choice at its field, or `missing` where nobody was chosen. The field keeps what was typed only
    while it has to be asked about."""
    problem = picked.problem or (missing if missing and picked.row is None else None)
    if problem:
        box.errors = [*box.errors, problem]
    if not picked.asked:
        box.data, box.raw_data = "", None
