"""The fields of an answer, read with the type they are promised to have.

Lenient where TikTok adds: unknown fields are never looked at, an unknown word of an enumeration is
kept as it is. Strict where it changes: a value of another type is an `AnswerUnreadable` that names
the endpoint and the field's path, never the value.

Numbers: `orjson` keeps integers of 64 bits exactly, so an id that comes as a number is its digits.
Money that comes as a JSON number is a float by then; its shortest text is what the JSON said, up to
15 digits, so that text becomes the `Decimal`, and no binary fraction does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

import orjson

from relay.management.errors import About, AnswerUnreadable

#: What stands where there is no value (reports: "not applicable").
NO_VALUE: Final = frozenset(("-", ""))

#: Unix time beyond this is in milliseconds (seconds of the year 5138).
_LATEST_SECONDS: Final = 100_000_000_000

#: Texts of which it is remembered what they say: one account repeats its few prices, budgets and
#: times, and the values are then shared.
MOST_KNOWN: Final = 1 << 14

_LONGEST_NUMBER: Final = 90
_LONGEST_TIME: Final = 40

_is_number = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?").fullmatch


class Record:
    """One JSON object of an answer; `path` is where it stands, `list[3].events[0]`."""

    __slots__ = ("_about", "_fields", "_path")

    def __init__(self, fields: Mapping[str, Any], about: About, path: str = "") -> None:
        self._fields = fields
        self._about = about
        self._path = path

    @property
    def about(self) -> About:
        return self._about

    @property
    def raw(self) -> Mapping[str, Any]:
        """The fields as they came."""
        return self._fields

    def __contains__(self, name: str) -> bool:
        return self._fields.get(name) is not None

    def id(self, name: str) -> str:
        """An id that has to be there."""
        found = self.id_or_none(name)
        if found is None:
            raise self.unreadable(name, "is missing")
        return found

    def id_or_none(self, name: str) -> str | None:
        """A string, or an integer of 64 bits; None when it is missing, null or empty."""
        value = self._fields.get(name)
        if type(value) is str:
            return value or None
        if value is None:
            return None
        if type(value) is int:
            return str(value)
        raise self.unreadable(name, "is not an id")

    def text(self, name: str) -> str:
        """A string; empty when it is missing or null."""
        return self.text_or_none(name) or ""

    def text_or_none(self, name: str) -> str | None:
        value = self._fields.get(name)
        if value is None or type(value) is str:
            return value
        raise self.unreadable(name, "is not a text")

    def flag(self, name: str) -> bool | None:
        """True or false; older answers write 1 and 0."""
        value = self._fields.get(name)
        if value is None or type(value) is bool:
            return value
        if type(value) is int and value in (0, 1):
            return value == 1
        raise self.unreadable(name, "is neither true nor false")

    def count(self, name: str) -> int | None:
        """A whole number, or the same in quotes."""
        value = self._fields.get(name)
        if value is None or type(value) is int:
            return value
        number = self.money(name)
        if number is None:
            return None
        if number != number.to_integral_value():
            raise self.unreadable(name, "is not a whole number")
        return int(number)

    def money(self, name: str) -> Decimal | None:
        """A number or the same in quotes; None for null, `-` and what is missing."""
        value = self._fields.get(name)
        if value is None:
            return None
        found = decimal_of(value)
        if found is None:
            if type(value) is str and value in NO_VALUE:
                return None
            raise self.unreadable(name, "is not a number")
        return found

    def moment(self, name: str) -> datetime | None:
        """A time of UTC: `YYYY-MM-DD HH:MM:SS`, ISO 8601, or Unix time in seconds or
        milliseconds. None when it is missing, null, empty or 0."""
        value = self._fields.get(name)
        if value is None or value in ("", "-", 0):
            return None
        found = moment_of(value)
        if found is None:
            raise self.unreadable(name, "is not a time")
        return found

    def day(self, name: str) -> date | None:
        found = self.moment(name)
        return found.date() if found else None

    def record(self, name: str) -> Record | None:
        value = self._fields.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.unreadable(name, "is not an object")
        return Record(value, self._about, self._at(name))

    def record_or_text(self, name: str) -> Record | None:
        """An object, or the JSON text of one."""
        value = self._fields.get(name)
        if type(value) is not str:
            return self.record(name)
        try:
            parsed = orjson.loads(value)
        except orjson.JSONDecodeError:
            parsed = None
        if not isinstance(parsed, dict):
            raise self.unreadable(name, "is not an object")
        return Record(parsed, self._about, self._at(name))

    def records(self, name: str) -> Iterator[Record]:
        """The objects of a list; none when it is missing or null."""
        path = self._at(name)
        for place, value in enumerate(self.list(name)):
            if not isinstance(value, dict):
                raise self.unreadable(f"{name}[{place}]", "is not an object")
            yield Record(value, self._about, f"{path}[{place}]")

    def list(self, name: str) -> list[Any]:
        value = self._fields.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.unreadable(name, "is not a list")
        return value

    def ids(self, name: str) -> tuple[str, ...]:
        """A list of ids."""
        found = []
        for place, value in enumerate(self.list(name)):
            if type(value) not in (str, int):
                raise self.unreadable(f"{name}[{place}]", "is not an id")
            found.append(str(value))
        return tuple(found)

    def flags(self, name: str) -> dict[str, bool]:
        """An object of true and false; what is neither is left out, for new ones may come."""
        record = self.record(name)
        if record is None:
            return {}
        return {key: value for key, value in record.items() if isinstance(value, bool)}

    def items(self) -> Iterator[tuple[str, Any]]:
        yield from self._fields.items()

    def unreadable(self, name: str, problem: str) -> AnswerUnreadable:
        """The error that says where, to be raised."""
        field = self._at(name)
        return AnswerUnreadable(f"{field} {problem}", self._about, field=field)

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name


def decimal_of(value: object) -> Decimal | None:
    """A JSON number or a text that is one; None for anything else, `true` and infinities too."""
    if type(value) is str:
        return _decimal(value) if len(value) <= _LONGEST_NUMBER else None
    if type(value) is int or type(value) is float:
        return _decimal(repr(value))
    return None


@lru_cache(maxsize=MOST_KNOWN)
def _decimal(text: str) -> Decimal | None:
    if _is_number(text) is None:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def moment_of(value: object) -> datetime | None:
    """See `Record.moment`; None for what is no time."""
    return _moment(value) if type(value) is str and len(value) <= _LONGEST_TIME else _read(value)


def _read(value: object) -> datetime | None:
    try:
        if type(value) is int:
            seconds = value / 1000 if value > _LATEST_SECONDS else value
            return datetime.fromtimestamp(seconds, UTC)
        if type(value) is not str:
            return None
        if value.isdigit():
            return _read(int(value)) if len(value) > 8 else None
        found = datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


_moment = lru_cache(maxsize=MOST_KNOWN)(_read)
