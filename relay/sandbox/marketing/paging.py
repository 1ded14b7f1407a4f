"""A page of a list, and what it says of the whole. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from relay.sandbox.marketing.door import Asked
from relay.sandbox.marketing.forms import Paged

T = TypeVar("T")


def page_of(
    asked: Asked[Any], rows: Sequence[T], form: Paged
) -> tuple[Sequence[T], dict[str, int]]:
    """The rows of the page that was asked for, and `page_info`. The newest row comes first."""
    page, size = form.page, form.page_size
    if len(rows) > size:
        world = asked.world
        hidden = world.faults.hidden_rows(asked.reading.seen, page, now=asked.now, roll=world.roll)
        rows = rows[hidden:] if hidden else rows
    info = {
        "page": page,
        "page_size": size,
        "total_number": len(rows),
        "total_page": -(-len(rows) // size),
    }
    return rows[(page - 1) * size : page * size], info


@lru_cache(maxsize=4096)
def utc_text(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def by_newest(ids: Iterable[str]) -> list[str]:
    """Ids in the order of TikTok's lists: descending."""
    ordered = sorted(ids, reverse=True)
    if len(set(map(len, ordered))) > 1:
        ordered.sort(key=len, reverse=True)
    return ordered
