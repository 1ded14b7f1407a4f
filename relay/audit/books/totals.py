"""Sums of rows of reports. What one of the rows did not say, its sum does not say either."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from relay.audit.facts import Day

_COUNTS: Final = (
    "clicks",
    "conversions",
    "conversions_by_event_day",
    "click_through",
    "view_through",
    "engaged_view_through",
)


class Totals:
    """A sum of rows. A row on which nothing happened says nothing by leaving something out."""

    __slots__ = (*_COUNTS, "events", "rows", "spend", "unknown", "value")

    def __init__(self) -> None:
        self.rows = self.clicks = self.conversions = self.conversions_by_event_day = 0
        self.click_through = self.view_through = self.engaged_view_through = self.events = 0
        self.spend = self.value = Decimal(0)
        self.unknown: set[str] = set()

    def add(self, row: Day, event: str | None) -> None:
        """Add one row; `event` (the ad side's code) is the one whose count and value matter.

        Written out: it runs for every ad group, every day and every question."""
        self.rows += 1
        if row.spend is not None:
            self.spend += row.spend
        self.clicks += row.clicks or 0
        self.conversions += row.conversions or 0
        self.conversions_by_event_day += row.conversions_by_event_day or 0
        self.click_through += row.click_through or 0
        self.view_through += row.view_through or 0
        self.engaged_view_through += row.engaged_view_through or 0
        six = (
            row.clicks, row.conversions, row.conversions_by_event_day, row.click_through,
            row.view_through, row.engaged_view_through,
        )  # fmt: skip
        busy = bool(row.spend or row.clicks)
        if None in six and busy:
            self.unknown.update(
                name for name, count in zip(_COUNTS, six, strict=True) if count is None
            )
        if event is not None:
            self._add_event(row, event, busy)

    def _add_event(self, row: Day, event: str, busy: bool) -> None:
        count, worth = row.counts.get(event), row.values.get(event)
        if count is not None:
            self.events += count
        elif busy:
            self.unknown.add("events")
        if worth is not None:
            self.value += worth
        elif busy:
            self.unknown.add("value")

    def plus(self, other: Totals) -> None:
        self.rows += other.rows
        self.spend += other.spend
        self.value += other.value
        self.events += other.events
        self.clicks += other.clicks
        self.conversions += other.conversions
        self.conversions_by_event_day += other.conversions_by_event_day
        self.click_through += other.click_through
        self.view_through += other.view_through
        self.engaged_view_through += other.engaged_view_through
        self.unknown |= other.unknown

    def count(self, name: str) -> int | None:
        """Of `clicks`, `conversions`, … as `Day` calls them, or `events`; None: nobody said."""
        if name in self.unknown:
            return None
        count: int = getattr(self, name)
        return count

    @property
    def worth(self) -> Decimal | None:
        """The value that TikTok reports of the event; None: it did not say."""
        return None if "value" in self.unknown else self.value


def total(parts: Iterable[Totals]) -> Totals:
    whole = Totals()
    for part in parts:
        whole.plus(part)
    return whole


def of_rows(rows: Iterable[Day]) -> Totals:
    whole = Totals()
    for row in rows:
        whole.add(row, None)
    return whole
