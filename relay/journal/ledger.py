"""The ledger: exact sums per hour, destination and event, by outcome.

A row is JSON: `{"delivered": {"n": 12, "value": {"EUR": "166.00"}, "keys": {"ttclid": 9}}, ...}`:
how many, the sum of their values by currency (decimal text, never a float), and how many carried
each match key.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from typing import NamedTuple

import orjson

from relay.model import Entry, MatchKey, Outcome

_HOUR_S = 3600
_LAST_HOUR = 2**32 - 1
#: Python adds decimals in 28 digits by default and rounds beyond: a sum would not be exact.
_EXACT = Context(prec=1000)


@dataclass(slots=True)
class Sums:
    """How many, worth what (by currency), matched by what (by key).

    `tests` are the test events among `count`; nothing below it, nor `value` and `keys`, counts
    them. `click_value` is the value of the events with a click id; `worthless` have no value above
    0 or no currency; `late` came more than "1h", "7d", "28d" after they happened, each in all that
    fit; `reasons` say why they ended so.
    """

    count: int = 0
    value: dict[str, Decimal] = field(default_factory=dict)
    keys: Counter[str] = field(default_factory=Counter)
    tests: int = 0
    click_value: dict[str, Decimal] = field(default_factory=dict)
    worthless: int = 0
    late: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def plus(self, other: Sums) -> None:
        self.count += other.count
        for currency, amount in other.value.items():
            self.value[currency] = _EXACT.add(self.value.get(currency, Decimal(0)), amount)
        self.keys.update(other.keys)


class LedgerRow(NamedTuple):
    """What the ledger holds of one hour (since 1970, UTC), destination, event and outcome."""

    hour: int
    destination: str
    event: str
    outcome: Outcome
    sums: Sums


class IssueRow(NamedTuple):
    """How many events of one hour (since 1970, UTC), destination and event had this flaw in this
    field; `reason` is a word of `FieldIssue`."""

    hour: int
    destination: str
    event: str
    field: str
    reason: str
    count: int


#: A stored row: outcome -> sums.
Row = dict[str, Sums]


def pack_row(row: Row) -> bytes:
    return orjson.dumps(
        {
            outcome: {
                "n": sums.count,
                "value": {currency: str(amount) for currency, amount in sums.value.items()},
                "keys": dict(sums.keys),
            }
            for outcome, sums in row.items()
        }
    )


def unpack_row(value: bytes) -> Row:
    return {
        outcome: Sums(
            sums["n"],
            {currency: Decimal(amount) for currency, amount in sums["value"].items()},
            Counter(sums["keys"]),
        )
        for outcome, sums in orjson.loads(value).items()
    }


def add_to(row: Row, outcome: str, sums: Sums) -> None:
    if outcome in row:
        row[outcome].plus(sums)
    else:
        row[outcome] = sums


def hour_of(event_time: float) -> int:
    """Which ledger hour a time (Unix seconds) belongs to."""
    return max(0, min(int(event_time // _HOUR_S), _LAST_HOUR))


def sum_entries(entries: Sequence[Entry]) -> Mapping[tuple[int, str], Sums]:
    """Sums per (hour, event name) of entries that end alike."""
    (
        _, _, _, _, names, _, event_times, _, _, values, currencies, match_keys, _,
    ) = zip(*entries, strict=True)  # fmt: skip
    hours = [event_time // _HOUR_S for event_time in event_times]
    if min(hours) < 0 or max(hours) > _LAST_HOUR:
        hours = [hour_of(event_time) for event_time in event_times]
    sums: defaultdict[tuple[int, str], Sums] = defaultdict(Sums)
    for (hour, name, mask), count in Counter(zip(hours, names, match_keys, strict=True)).items():
        row = sums[hour, name]
        row.count += count
        for key in MatchKey(mask):
            row.keys[(key.name or "").lower()] += count
    amounts: defaultdict[tuple[int, str, str], list[str]] = defaultdict(list)
    for hour, name, currency, value in zip(hours, names, currencies, values, strict=True):
        if value is not None and currency is not None:
            amounts[hour, name, currency].append(value)
    with localcontext(_EXACT):
        for (hour, name, currency), texts in amounts.items():
            sums[hour, name].value[currency] = sum(map(Decimal, texts), _ZERO)
    return sums


_ZERO = Decimal(0)
