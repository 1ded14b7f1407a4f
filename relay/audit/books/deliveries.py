"""What the relay delivered, by day: the ledger's rows summed once, in both clocks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from relay.audit.books.calendar import Calendar, Span, utc_day
from relay.event_names import BY_EVENT
from relay.journal.ledger import LedgerRow, Sums
from relay.model import Outcome

#: Where an event of the ledger goes: its destination and the ad side's code of the event.
Feed = tuple[str, str]


def code_of(event: str) -> str:
    """The ad side's code of an event of the Events API; a custom one is called alike on both."""
    known = BY_EVENT.get(event)
    return event if known is None else known.optimization_event


class Booked:
    """Sums of the ledger. `live` are no test events, and only they are in what follows it."""

    __slots__ = ("click_value", "keys", "late", "live", "reasons", "tests", "value", "worthless")

    def __init__(self) -> None:
        self.live = 0
        self.tests = 0
        self.worthless = 0
        self.keys: Counter[str] = Counter()
        self.late: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.value: dict[str, Decimal] = {}
        self.click_value: dict[str, Decimal] = {}

    def add(self, sums: Sums) -> None:
        self.live += max(0, sums.count - sums.tests)
        self._add(sums)

    def plus(self, other: Booked) -> None:
        self.live += other.live
        self._add(other)

    def _add(self, other: Sums | Booked) -> None:
        self.tests += other.tests
        self.worthless += other.worthless
        _count(self.keys, other.keys)
        _count(self.late, other.late)
        _count(self.reasons, other.reasons)
        for mine, theirs in ((self.value, other.value), (self.click_value, other.click_value)):
            for currency, amount in theirs.items():
                mine[currency] = mine.get(currency, _ZERO) + amount

    @property
    def clicks(self) -> int:
        """Those with a click id."""
        return self.keys["ttclid"]


def _count(mine: Counter[str], theirs: Counter[str]) -> None:
    """As `Counter.update`, which asks more questions: this is done for every hour of the ledger."""
    for key, count in theirs.items():
        mine[key] = mine.get(key, 0) + count


_ZERO: Final = Decimal(0)

_Days = defaultdict[date, Booked]


class Deliveries:
    """The ledger of the destinations that belong to the account."""

    def __init__(
        self, rows: Iterable[LedgerRow], destinations: frozenset[str], calendar: Calendar
    ) -> None:
        self.names: dict[str, str] = {}
        self.by_hour: defaultdict[Feed, Counter[int]] = defaultdict(Counter)
        self.clicks_by_hour: defaultdict[Feed, Counter[int]] = defaultdict(Counter)
        self._days: defaultdict[Feed, _Days] = defaultdict(_booked_days)
        self._utc_days: defaultdict[Feed, _Days] = defaultdict(_booked_days)
        self.duplicates: defaultdict[Feed, Counter[date]] = defaultdict(Counter)
        self._ended: defaultdict[tuple[str, Outcome], _Days] = defaultdict(_booked_days)
        self._calendar = calendar
        for row in rows:
            if row.destination in destinations:
                self._book(row)

    def _book(self, row: LedgerRow) -> None:
        day = self._calendar.day_of_hour(row.hour)
        self._ended[row.destination, row.outcome][day].add(row.sums)
        feed = (row.destination, code_of(row.event))
        if row.outcome is not Outcome.DELIVERED:
            if row.outcome is Outcome.DUPLICATE:
                self.duplicates[feed][day] += row.sums.count
            return
        self.names.setdefault(feed[1], row.event)
        self._days[feed][day].add(row.sums)
        self._utc_days[feed][utc_day(row.hour)].add(row.sums)
        self.by_hour[feed][row.hour] += max(0, row.sums.count - row.sums.tests)
        self.clicks_by_hour[feed][row.hour] += row.sums.keys["ttclid"]

    @property
    def feeds(self) -> Sequence[Feed]:
        return sorted(self._days)

    def of(self, destinations: Iterable[str], code: str, days: Span | None) -> Booked:
        """Delivered events of these account days (None: of all)."""
        return _sum(self._days, destinations, code, days)

    def of_utc(self, destinations: Iterable[str], code: str, days: Span | None) -> Booked:
        """Delivered events of these days of UTC (None: of all)."""
        return _sum(self._utc_days, destinations, code, days)

    def days(self, feed: Feed) -> Mapping[date, Booked]:
        """By account day; only days that have any."""
        return self._days.get(feed, _NO_DAYS)

    def utc_days(self, feed: Feed) -> Mapping[date, Booked]:
        return self._utc_days.get(feed, _NO_DAYS)

    def ended(self, destination: str, outcome: Outcome, days: Span | None) -> Booked:
        """What ended so at a destination, whatever the event."""
        whole = Booked()
        for day, booked in self._ended.get((destination, outcome), _NO_DAYS).items():
            if days is None or day in days:
                whole.plus(booked)
        return whole

    def ended_days(self, destination: str, outcome: Outcome) -> Mapping[date, Booked]:
        return self._ended.get((destination, outcome), _NO_DAYS)


_NO_DAYS: Final[Mapping[date, Booked]] = {}


def _booked_days() -> _Days:
    return defaultdict(Booked)


def _sum(
    days_of: Mapping[Feed, Mapping[date, Booked]],
    destinations: Iterable[str],
    code: str,
    days: Span | None,
) -> Booked:
    whole = Booked()
    for destination in destinations:
        for day, booked in days_of.get((destination, code), _NO_DAYS).items():
            if days is None or day in days:
                whole.plus(booked)
    return whole
