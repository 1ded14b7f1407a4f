"""Whether the pages of a list are one list: counted, without repeats, the same total throughout.

TikTok's lists are sorted by falling ids and are no snapshot: what is created while somebody reads
shifts the pages. What does not prove itself is read again from the start. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from relay.management.endpoints import Endpoint
from relay.management.envelope import Answer
from relay.management.errors import About, AnswerUnreadable

#: What tells one row from another.
KeyOf = Callable[[Mapping[str, Any]], Hashable]


class Changed(Exception):
    """The list has changed under the reader; the text says how. Never leaves this package."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an answer: its rows, as they came, and what it says of the whole.

    `total` and `pages` are None where there is no `page_info`, or none of that kind; `cursor` is
    what asks for the next page of a list that is read so, None when there is none.
    """

    rows: Sequence[Mapping[str, Any]]
    total: int | None
    pages: int | None
    cursor: str | None
    answer: Answer


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is kept of a page until its turn comes: `keys` are hashes of its rows' keys, None where
    nothing tells them apart. The rows themselves are in `body`, and many times smaller there."""

    count: int
    keys: Sequence[int] | None
    total: int | None
    pages: int | None
    cursor: str | None
    about: About
    body: bytes


def page_of(endpoint: Endpoint, answer: Answer) -> Page:
    """Read a page. Raises `AnswerUnreadable`."""
    data = answer.data
    rows = data.list(endpoint.rows)
    for place, row in enumerate(rows):
        if not isinstance(row, dict):
            raise data.unreadable(f"{endpoint.rows}[{place}]", "is not an object")
    if not endpoint.page_size:
        return Page(rows, None, None, None, answer)
    info = data.record("page_info")
    if info is None:
        return Page(rows, None, None, None, answer)
    total, pages = info.count("total_number"), info.count("total_page")
    if (total or 0) < 0 or (pages or 0) < 0:
        raise info.unreadable("total_number", "is below 0")
    more = info.flag("has_more")
    cursor = info.id_or_none("cursor") if pages is None and more else None
    return Page(rows, total, pages, cursor, answer)


def leaf_of(page: Page, key_of: KeyOf | None) -> Leaf:
    """Raises what `key_of` raises."""
    # Numbers instead of the keys: a report has hundreds of thousands.
    keys = None if key_of is None else list(map(hash, map(key_of, page.rows)))
    answer = page.answer
    return Leaf(
        len(page.rows), keys, page.total, page.pages, page.cursor, answer.about, answer.body
    )


def key_by(endpoint: Endpoint) -> KeyOf | None:
    """The key that an endpoint names, if any; `bc_info.bc_id` is a field within another."""
    if not endpoint.key:
        return None
    paths = [path.split(".") for path in endpoint.key]
    if len(paths) == 1 and len(paths[0]) == 1:
        (name,) = paths[0]
        return lambda row: str(row.get(name))
    return lambda row: tuple(str(_at(row, path)) for path in paths)


def _at(row: object, path: Sequence[str]) -> object:
    for name in path:
        row = row.get(name) if isinstance(row, dict) else None
    return row


#: A list that cannot be: a page has 1000 rows at most.
_MOST_PAGES: Final = 1_000_000


class Proof:
    """Of one reading of a list. `take` and `end` raise `Changed`."""

    def __init__(self, endpoint: Endpoint, key_of: KeyOf | None) -> None:
        self._endpoint = endpoint
        self._key_of = key_of
        self._seen: set[int] = set()
        self._total: int | None = None
        self._pages: int | None = None
        self.rows = 0

    @property
    def total(self) -> int | None:
        return self._total

    @property
    def pages(self) -> int:
        """How many pages there are, once the first was taken."""
        return 1 if self._pages is None else self._pages

    def leaf(self, page: Page) -> Leaf:
        """What `take` needs of a page; it may be made before the pages in front of it came."""
        return leaf_of(page, self._key_of)

    def take(self, page: Page | Leaf, number: int) -> None:
        """The page of this number (from 1)."""
        leaf = self.leaf(page) if isinstance(page, Page) else page
        if number == 1:
            self._total, self._pages = leaf.total, leaf.pages
            self._check_sizes(leaf)
        elif leaf.total != self._total:
            raise Changed(f"page {number} counts another number of rows than page 1")
        if not leaf.count and self.rows < (self._total or 0):
            raise Changed(f"page {number} is empty although there are more rows")
        self._count(leaf, number)

    def _count(self, leaf: Leaf, number: int) -> None:
        before = len(self._seen)
        self.rows += leaf.count
        if leaf.keys is not None:
            self._seen.update(leaf.keys)
            if len(self._seen) - before != leaf.count:
                raise Changed(f"page {number} repeats a row")
        if self._total is not None and self.rows > self._total:
            raise Changed(f"page {number} has more rows than were counted")

    def end(self) -> None:
        if self._total is not None and self.rows != self._total:
            raise Changed("not all rows that were counted came")

    def _check_sizes(self, leaf: Leaf) -> None:
        """Pages that do not hold the rows, or more of them than there can be, are no list."""
        total, pages = self._total, self._pages
        if pages is None or total is None:
            return
        if pages > _MOST_PAGES or pages * self._endpoint.page_size < total:
            problem = "does not fit total_number"
            raise AnswerUnreadable(
                f"page_info.total_page {problem}", leaf.about, field="page_info.total_page"
            )
