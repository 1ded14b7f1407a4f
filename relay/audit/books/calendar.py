"""Days and hours in two clocks: the ledger's (hours of UTC) and the account's (days of its zone).

A UTC hour belongs to the account day in which it begins: in zones that are half an hour off, the
half hour after midnight goes to the day before. A day that the clocks change has 23 or 25 hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final

HOUR_S: Final = 3600
DAY_S: Final = 86_400
_EPOCH: Final = date(1970, 1, 1).toordinal()
#: Neither before the epoch nor past what `datetime` can hold in any zone.
_LAST_S: Final = (date(9999, 12, 30).toordinal() - _EPOCH) * DAY_S
_FIRST_S: Final = -_EPOCH * DAY_S + 3 * DAY_S


def days_of(seconds: float) -> int:
    """A duration of settings in whole days, at least one."""
    return max(1, round(seconds / DAY_S))


def moved(day: date, days: int) -> date:
    """`days` later (or earlier), but never out of the calendar."""
    return date.fromordinal(min(max(1, day.toordinal() + days), date.max.toordinal()))


def utc_day(hour: int) -> date:
    """The day of UTC of a ledger hour."""
    return datetime.fromtimestamp(_held(hour * HOUR_S), UTC).date()


def _held(moment: float) -> float:
    return min(max(moment, _FIRST_S), _LAST_S)


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `first` to `last`, both included; never empty."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return self.last.toordinal() - self.first.toordinal() + 1

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def latest(self, days: int) -> Span:
        """Its last `days` days, or all of it where it has no more."""
        return Span(max(self.first, moved(self.last, 1 - days)), self.last)

    def before(self, days: int) -> Span:
        """The `days` days before it."""
        return Span(moved(self.first, -days), moved(self.first, -1))

    def until_after(self, days: int) -> Span:
        """It and `days` days more."""
        return Span(self.first, moved(self.last, days))


def span(first: date, last: date) -> Span | None:
    """None where there is no day in it."""
    return Span(first, last) if first <= last else None


class Calendar:
    """The account's clock, at one moment."""

    def __init__(self, zone: tzinfo, now: float) -> None:
        self.zone = zone
        self.now = _held(now)
        self.today = self.local(now).date()
        self.day_of_hour = lru_cache(maxsize=None)(self._day_of_hour)

    def local(self, moment: float) -> datetime:
        """A moment (Unix seconds) in the account's zone."""
        return datetime.fromtimestamp(_held(moment), UTC).astimezone(self.zone)

    def day(self, moment: float) -> date:
        return self.local(moment).date()

    def day_of(self, at: datetime) -> date:
        """The account day of a time; one without an offset is UTC."""
        return self.day(seconds_of(at))

    def _day_of_hour(self, hour: int) -> date:
        return self.day(hour * HOUR_S)

    def begins(self, day: date) -> float:
        """When a day begins in the account's zone, in Unix seconds."""
        held = min(max(day, date(1, 1, 3)), date(9999, 12, 29))
        return datetime.combine(held, time(), self.zone).timestamp()

    def settled_utc(self, settle_s: float) -> date:
        """The last day of UTC that ended at least `settle_s` ago."""
        return moved(datetime.fromtimestamp(_held(self.now - settle_s), UTC).date(), -1)

    def whole_utc_days(self, days: Span, settle_s: float) -> Span | None:
        """The days of UTC that lie in these days of the account's as a whole, and are settled."""
        begins, ends = self.begins(days.first), self.begins(moved(days.last, 1))
        first = datetime.fromtimestamp(_held(begins + DAY_S - 1), UTC).date()
        last = moved(datetime.fromtimestamp(_held(ends), UTC).date(), -1)
        return span(first, min(last, self.settled_utc(settle_s)))

    def settled(self, settle_s: float) -> date:
        """The last day of the account that ended at least `settle_s` ago."""
        return moved(self.day(self.now - settle_s), -1)


def seconds_of(at: datetime) -> float:
    """Unix seconds; a time without an offset is UTC."""
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return (aware - _EPOCH_AT) / timedelta(seconds=1)


_EPOCH_AT: Final = datetime(1970, 1, 1, tzinfo=UTC)
