"""Lists page by page, with their whole state in the URL. Decides nothing about what is on the list.

The count stops at `cap`, so that a list of 100,000 costs no more than one of 1,000; turning pages beyond it works.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from flask import request
from peewee import SelectBase

MAX_PAGE = 1_000_000

Url = Callable[[int], str]


@dataclass
class Page:
    """One page of a list. `total` is exact unless `total_is_capped`; `start` and `end` count from 1 (0 when empty)."""

    items: list[Any]
    number: int
    per_page: int
    pages: int
    total: int
    total_is_capped: bool
    has_next: bool
    url: Url
    sort: str = ""
    sort_url: Callable[[str], str] = field(default=lambda key: "?" + urlencode({"sort": key}))

    @property
    def start(self) -> int:
        return (self.number - 1) * self.per_page + 1 if self.items else 0

    @property
    def end(self) -> int:
        return self.start + len(self.items) - 1 if self.items else 0

    @property
    def has_prev(self) -> bool:
        return self.number > 1

    @property
    def prev(self) -> int | None:
        return self.number - 1 if self.has_prev else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.has_next else None

    @property
    def total_text(self) -> str:
        return f"{self.total:,}+" if self.total_is_capped else f"{self.total:,}"

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


def paginate(source: Any, number: Any, per_page: int = 50, cap: int = 1000, url: Url | None = None,
             count: Callable[[int], int] | None = None, sort: str = "") -> Page:
    """Page `number` of `source`: a Peewee select, a sequence, or `fetch(limit, offset)` with its `count(limit)`.

    A number beyond the end gives the last page. Items are what the query gives (models, tuples, named tuples).
    """
    fetch, count = _reader(source, count)
    number = page_number(number)
    items = fetch(per_page + 1, (number - 1) * per_page)
    if not items and number > 1:
        # Only somebody who typed a page number that isn't there pays for a full count.
        number = max(1, -(-count(MAX_PAGE * per_page) // per_page))
        items = fetch(per_page + 1, (number - 1) * per_page)
    has_next = len(items) > per_page
    items = items[:per_page]
    seen = (number - 1) * per_page + len(items)
    total = count(cap + 1) if has_next else seen
    capped = has_next and total > cap
    total = max(cap, seen) if capped else max(total, seen)
    pages = max(1, -(-total // per_page), number + has_next)
    return Page(items, number, per_page, pages, total, capped, has_next, url or _page_url, sort, _sort_url(sort))


def page_number(text: Any) -> int:
    """The page a URL asks for; 1 for anything that is no page number."""
    try:
        return min(max(int(str(text)[:12]), 1), MAX_PAGE)
    except ValueError:
        return 1


def with_args(path: str, args: Mapping[str, Any] | None = None, /, **changes: Any) -> str:
    """The address with these arguments, in their order; None removes one, a list gives it several values."""
    pairs = [(name, value) for name, value in _pairs(args or {}) if name not in changes]
    for name, value in changes.items():
        values = value if isinstance(value, list | tuple | set) else [value]
        pairs += [(name, item) for item in values if item is not None]
    query = "&".join([f"{quote(name, '')}={quote(str(value), '')}" for name, value in pairs])
    return f"{path}?{query}" if query else path


def _pairs(args: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    if hasattr(args, "getlist"):
        return args.items(multi=True)
    return ((name, item) for name, value in args.items() for item in (value if isinstance(value, list) else [value]))


def _page_url(number: int) -> str:
    return with_args(request.path, request.args, page=number if number > 1 else None)


def _sort_url(sort: str) -> Callable[[str], str]:
    """Addresses that sort by a column, or the other way round when the list is sorted by it already."""
    return lambda key: with_args(request.path, request.args, sort="-" + key if sort == key else key, page=None)


def _reader(source: Any, count: Callable[[int], int] | None) -> tuple[Callable[[int, int], list], Callable[[int], int]]:
    """How to fetch `limit` items from an offset, and how to count at most `limit` of them."""
    if isinstance(source, SelectBase):
        return (lambda limit, offset: list(source.limit(limit).offset(offset)),
                lambda limit: source.limit(limit).count())
    if isinstance(source, Sequence):
        return (lambda limit, offset: list(source[offset : offset + limit]), lambda limit: min(len(source), limit))
    if count is None:
        raise TypeError("a list that is fetched by a function needs a function that counts it")
    return (lambda limit, offset: list(source(limit, offset))), count
