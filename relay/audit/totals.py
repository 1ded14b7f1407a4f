"""Sums of rows of reports. What one of the rows did not say, its sum does not say either."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from relay.audit.facts import Day

_COUNTS = (
    "clicks",
    "conversions",
    "conversions_by_event_day",
    "click_through",
    "view_through",
    "engaged_view_through",
    "landing_page_views",
)


class Totals:
    """A sum of rows. A row on which nothing happened says nothing by leaving something out."""

    __slots__ = ("_counts", "_unknown", "rows", "spend", "value")

    def __init__(self) -> None:
        self.rows = 0
        self.spend = Decimal(0)
        self.value = Decimal(0)
        self._counts: dict[str, int] = {}
        self._unknown: set[str] = set()

    def add(self, row: Day, event: str | None) -> None:
        """Add one row; `event` (the ad side's code) is the one whose count and value matter."""
        self.rows += 1
        if row.spend is not None:
            self.spend += row.spend
        busy = bool(row.spend or row.clicks)
        for name in _COUNTS:
            self._note(name, getattr(row, name), busy)
        if event is not None:
            self._note("events", row.counts.get(event), busy)
            worth = row.values.get(event)
            if worth is not None:
                self.value += worth
            elif busy:
                self._unknown.add("value")

    def _note(self, name: str, count: int | None, busy: bool) -> None:
        if count is not None:
            self._counts[name] = self._counts.get(name, 0) + count
        elif busy:
            self._unknown.add(name)

    def plus(self, other: Totals) -> None:
        self.rows += other.rows
        self.spend += other.spend
        self.value += other.value
        self._unknown |= other._unknown
        for name, count in other._counts.items():
            self._counts[name] = self._counts.get(name, 0) + count

    def count(self, name: str) -> int | None:
        """Of `clicks`, `conversions`, … as `Day` calls them, or `events`; None: nobody said."""
        return None if name in self._unknown else self._counts.get(name, 0)

    @property
    def worth(self) -> Decimal | None:
        """The value that TikTok reports of the event; None: it did not say."""
        return None if "value" in self._unknown else self.value


def total(parts: Iterable[Totals]) -> Totals:
    whole = Totals()
    for part in parts:
        whole.plus(part)
    return whole
