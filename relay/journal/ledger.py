"""The ledger: exact sums per hour, destination and event, by outcome.

A row is JSON: `{"delivered": {"n": 12, "value": {"EUR": "166.00"}, "keys": {"ttclid": 9}}, ...}`:
how many, the sum of their values by currency (decimal text, never a float), how many carried each
match key, and what else `Sums` has, each where it is not zero. Earlier releases wrote just those
three, and of test events, too: what is absent is zero.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from typing import Any, Final, NamedTuple

import orjson

from relay.model import Entry, MatchKey, Outcome, Reason

_HOUR_S = 3600
LAST_HOUR = 2**32 - 1
#: Python adds decimals in 28 digits by default and rounds beyond: a sum would not be exact.
_EXACT = Context(prec=1000)
_ZERO = Decimal(0)

#: More than so many seconds after its time an event is late, under this name.
LATE: Final[Mapping[str, int]] = {"1h": 3600, "7d": 7 * 86_400, "28d": 28 * 86_400}
_WORDS, _BOUNDS = list(LATE), list(LATE.values())
_ON_TIME_S = _BOUNDS[0]
_CLICKED = MatchKey.TTCLID.value


@dataclass(slots=True)
class Sums:
    """How many, worth what (by currency), matched by what (by key).

    `count` is of all events, `tests` of those among them that were test events; everything else is
    of the others. `click_value` is the part of `value` that came with a click id; `worthless` are
    events without a value above zero, or without a currency. `late` says how many were settled
    more than `1h`, `7d`, `28d` after their time, so one that is eight days late counts twice;
    `reasons` is by `Reason`. Of what ended at the door only `count`, `tests` and `reasons` are
    known.
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
        self.tests += other.tests
        self.worthless += other.worthless
        _add_amounts(self.value, other.value)
        _add_amounts(self.click_value, other.click_value)
        self.keys.update(other.keys)
        self.late.update(other.late)
        self.reasons.update(other.reasons)


def _add_amounts(amounts: dict[str, Decimal], more: Mapping[str, Decimal]) -> None:
    for currency, amount in more.items():
        amounts[currency] = _EXACT.add(amounts.get(currency, _ZERO), amount)


class LedgerRow(NamedTuple):
    """What the ledger holds of one hour (since 1970, UTC), destination, event and outcome."""

    hour: int
    destination: str
    event: str
    outcome: Outcome
    sums: Sums


#: A stored row: outcome -> sums.
Row = dict[str, Sums]


def pack_row(row: Row) -> bytes:
    return orjson.dumps({outcome: _packed(sums) for outcome, sums in row.items()})


def _packed(sums: Sums) -> dict[str, Any]:
    """What is zero is left out, but for what the first release wrote of each."""
    packed = {"n": sums.count, "value": _texts(sums.value), "keys": dict(sums.keys)}
    more = {
        "tests": sums.tests,
        "click_value": _texts(sums.click_value),
        "worthless": sums.worthless,
        "late": dict(sums.late),
        "reasons": dict(sums.reasons),
    }
    packed.update({name: each for name, each in more.items() if each})
    return packed


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: str(amount) for currency, amount in amounts.items()}


def unpack_row(value: bytes) -> Row:
    return {
        outcome: Sums(
            sums["n"],
            _amounts(sums["value"]),
            Counter(sums["keys"]),
            sums.get("tests", 0),
            _amounts(sums.get("click_value", {})),
            sums.get("worthless", 0),
            Counter(sums.get("late", {})),
            Counter(sums.get("reasons", {})),
        )
        for outcome, sums in orjson.loads(value).items()
    }


def _amounts(texts: Mapping[str, str]) -> dict[str, Decimal]:
    return {currency: Decimal(amount) for currency, amount in texts.items()}


def add_to(row: Row, outcome: str, sums: Sums) -> None:
    if outcome in row:
        row[outcome].plus(sums)
    else:
        row[outcome] = sums


def hour_of(event_time: float) -> int:
    """Which ledger hour a time (Unix seconds) belongs to."""
    return max(0, min(int(event_time // _HOUR_S), LAST_HOUR))


def sum_at_door(ended: Iterable[tuple[str, bool]]) -> Sums:
    """Sums of arrivals that ended at the door: why, and whether it was a test event."""
    sums = Sums()
    for reason, is_test in ended:
        sums.count += 1
        if is_test:
            sums.tests += 1
        else:
            sums.reasons[reason] += 1
    return sums


def sum_entries(
    entries: Sequence[Entry], reason: Reason, now: float
) -> Mapping[tuple[int, str], Sums]:
    """Sums per (hour, event name) of entries that end alike, at `now` (Unix seconds)."""
    tests = [entry for entry in entries if entry.test_event_code is not None]
    sums: defaultdict[tuple[int, str], Sums] = defaultdict(Sums)
    for entry in tests:
        row = sums[hour_of(entry.event_time), entry.name]
        row.count += 1
        row.tests += 1
    if tests:
        entries = [entry for entry in entries if entry.test_event_code is None]
    if entries:
        _sum_real(entries, reason, now, sums)
    return sums


def _sum_real(
    entries: Sequence[Entry],
    reason: Reason,
    now: float,
    sums: defaultdict[tuple[int, str], Sums],
) -> None:
    """Add entries that are no test events. In columns: this is on the way of every event."""
    (
        _, _, _, _, names, _, event_times, _, _, values, currencies, match_keys, _,
    ) = zip(*entries, strict=True)  # fmt: skip
    hours = [event_time // _HOUR_S for event_time in event_times]
    if min(hours) < 0 or max(hours) > LAST_HOUR:
        hours = [hour_of(event_time) for event_time in event_times]
    for (hour, name, mask), count in Counter(zip(hours, names, match_keys, strict=True)).items():
        row = sums[hour, name]
        row.count += count
        row.reasons[reason.value] += count
        row.keys.update(dict.fromkeys(_key_names(mask), count))
    amounts: defaultdict[_Amounts, list[str | None]] = defaultdict(list)
    for hour, name, currency, mask, value in zip(
        hours, names, currencies, match_keys, values, strict=True
    ):
        amounts[hour, name, currency, mask & _CLICKED].append(value)
    with localcontext(_EXACT):
        for (hour, name, currency, clicked), texts in amounts.items():
            _sum_amounts(sums[hour, name], currency, texts, clicked=bool(clicked))
    if now - min(event_times) > _ON_TIME_S:
        places = zip(hours, names, [_lateness(now - at) for at in event_times], strict=True)
        for (hour, name, lateness), count in Counter(places).items():
            sums[hour, name].late.update(dict.fromkeys(_WORDS[:lateness], count))


def _key_names(mask: int) -> list[str]:
    return [(key.name or "").lower() for key in MatchKey(mask)]


def _lateness(age_s: float) -> int:
    """How many of `LATE` it is beyond."""
    return bisect_left(_BOUNDS, age_s)


#: Hour, event name, currency, and whether there was a click id (not 0).
_Amounts = tuple[int, str, str | None, int]


def _sum_amounts(
    row: Sums, currency: str | None, texts: Sequence[str | None], *, clicked: bool
) -> None:
    if currency is None:
        row.worthless += len(texts)
        return
    amounts = list(map(Decimal, filter(None, texts)))
    row.worthless += len(texts) - len(amounts)
    if not amounts:
        return
    if min(amounts) <= _ZERO:
        row.worthless += sum([amount <= _ZERO for amount in amounts])
    more = {currency: sum(amounts, _ZERO)}
    _add_amounts(row.value, more)
    if clicked and more[currency]:
        _add_amounts(row.click_value, more)
