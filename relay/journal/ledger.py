"""The ledger: exact sums per hour, destination and event, by outcome.

A row is JSON: `{"delivered": {"n": 12, "value": {"EUR": "166.00"}, "keys": {"ttclid": 9}}, ...}`:
how many, the sum of their values by currency (decimal text, never a float), and how many carried
each match key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

import orjson

from relay.model import Entry, MatchKey


@dataclass(slots=True)
class Sums:
    """How many, worth what, matched by what."""

    count: int = 0
    value: dict[str, Decimal] = field(default_factory=dict)
    keys: Counter[str] = field(default_factory=Counter)

    def plus(self, other: Sums) -> None:
        self.count += other.count
        for currency, amount in other.value.items():
            self.value[currency] = self.value.get(currency, Decimal(0)) + amount
        self.keys.update(other.keys)


#: One ledger row: outcome -> sums.
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


def hour_of(event_time: int | None, accepted_at: float) -> int:
    """Which ledger hour an arrival belongs to: the sale's, or its arrival's if it names none."""
    moment = accepted_at if event_time is None else event_time
    return max(0, min(int(moment // 3600), 2**32 - 1))


def sum_entries(entries: Iterable[Entry]) -> dict[tuple[int, str], Sums]:
    """Sums per (hour, event name) of entries that end alike."""
    groups: dict[tuple[int, str], tuple[Counter[int], dict[str, list[str]]]] = {}
    for entry in entries:
        key = (hour_of(entry.event_time, entry.accepted_at), entry.name)
        group = groups.get(key)
        if group is None:
            group = groups[key] = (Counter(), {})
        group[0][entry.match_keys] += 1
        if entry.value is not None and entry.currency is not None:
            group[1].setdefault(entry.currency, []).append(entry.value)
    return {key: _close(masks, values) for key, (masks, values) in groups.items()}


def _close(masks: Counter[int], values: dict[str, list[str]]) -> Sums:
    keys: Counter[str] = Counter()
    for mask, count in masks.items():
        for key in MatchKey(mask):
            keys[(key.name or "").lower()] += count
    totals = {
        currency: sum(map(Decimal, amounts), Decimal(0)) for currency, amounts in values.items()
    }
    return Sums(masks.total(), totals, keys)
