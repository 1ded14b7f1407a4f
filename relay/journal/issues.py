"""Field issues: how often a field was dropped, changed or refused at the door. Pure.

Counted are events that were accepted, and refusals; by the hour of the event's time, or of its
arrival where it has none. Not counted are duplicates, of which the first one was, and test events.

A row holds those of one hour, destination and event, as JSON: `{"user.phone": {"not_a_phone": 3}}`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from relay.journal.ledger import hour_of
from relay.model import FieldIssue


@dataclass(frozen=True, slots=True)
class IssueRow:
    """How many events of one hour (since 1970, UTC) and destination had this issue. `event` is
    empty where the name could not be read."""

    hour: int
    destination: str
    event: str
    field: str
    reason: str
    count: int


class Noted(NamedTuple):
    """The issues of one arrival. `event_time` (Unix seconds) is None where it could not be read."""

    event: str | None
    event_time: int | None
    issues: Sequence[FieldIssue]


#: A stored row.
Row = Counter[FieldIssue]


def count(noted: Iterable[Noted], now: float) -> dict[tuple[int, str], Row]:
    """By (hour, event name), the issues of arrivals that came at `now` (Unix seconds)."""
    rows: dict[tuple[int, str], Row] = {}
    for event, event_time, issues in noted:
        place = hour_of(now if event_time is None else event_time), event or ""
        rows.setdefault(place, Counter()).update(issues)
    return rows


def pack_row(row: Row) -> bytes:
    fields: dict[str, dict[str, int]] = {}
    for (field, reason), many in row.items():
        fields.setdefault(field, {})[reason] = many
    return orjson.dumps(fields, option=orjson.OPT_NON_STR_KEYS)  # members of enums, too


def unpack_row(value: bytes) -> Row:
    return Counter(
        {
            FieldIssue(field, reason): many
            for field, reasons in orjson.loads(value).items()
            for reason, many in reasons.items()
        }
    )
