"""What is sent: lists and objects of a query as JSON, and what a request may ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

import orjson

from relay.management.errors import RequestInvalid

Params = Mapping[str, Any]


class Hidden(str):
    """A text that is not for anybody's eyes: it is sent as it is, and `repr` does not show it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<hidden>"


#: Ids in one filter (code 40011), and in one question for a sum of advertisers.
MOST_IDS: Final = 100


def query_of(params: Params) -> dict[str, str]:
    """The query of a GET: texts as they are, numbers as digits, everything else as JSON. What is
    None is left out."""
    return {name: _written(value) for name, value in params.items() if value is not None}


def _written(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return orjson.dumps(value).decode()


def body_of(params: Params) -> bytes:
    """The body of a POST; what is None is left out."""
    return orjson.dumps({name: value for name, value in params.items() if value is not None})


def an_id(name: str, value: object) -> str:
    """An id as TikTok takes it, else `RequestInvalid`: digits that went through a float are the
    usual mistake."""
    if not isinstance(value, str) or not value or not value.isascii() or not value.isalnum():
        raise RequestInvalid(name, "is not an id", 'Write it as a text, "7106541027904733185".')
    return value


def some_ids(name: str, values: Sequence[str], most: int) -> list[str]:
    """One to `most` different ids."""
    listed = [an_id(name, value) for value in dict.fromkeys(values)]
    if not 1 <= len(listed) <= most:
        raise RequestInvalid(name, f"has {len(listed)} ids", f"Give 1 to {most}.")
    return listed


def in_parts(values: Iterable[str], most: int) -> list[list[str]]:
    """The different values in lists of at most `most`."""
    listed = list(dict.fromkeys(values))
    return [listed[start : start + most] for start in range(0, len(listed), most)]


def days(name: str, first: date, last: date, most: int) -> dict[str, str]:
    """`start_date` and `end_date`, both included, of at most `most` days."""
    length = (last - first).days + 1
    if length < 1:
        raise RequestInvalid(name, "ends before it begins", "Exchange the two days.")
    if length > most:
        raise RequestInvalid(name, f"has {length} days", f"Ask for {most} days at a time.")
    return {"start_date": first.isoformat(), "end_date": last.isoformat()}
