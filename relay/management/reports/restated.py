"""Which days of a report have to be read again, because TikTok still changes them. Pure.

A conversion counts on the day of the click or view that it is credited to. So the conversions of a
day grow until the longest attribution window is over, and spend is aligned on the day after. A job
of TikTok's mends the past at 12:00 UTC: what was read before that has to be read once more (TikTok,
"Data latency", 1738864894606337).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

#: When TikTok has mended the days before, in UTC.
MENDED_AT: Final = time(12, 0)

#: The longest window that there is; for ad groups whose window nobody knows.
LONGEST_WINDOW_DAYS: Final = 32

_DAY: Final = timedelta(days=1)


def longest_window(windows: Iterable[int | None]) -> int:
    """The longest of these windows in days; an unknown one counts as the longest that there is."""
    return max((LONGEST_WINDOW_DAYS if each is None else each for each in windows), default=0)


def horizon(windows: Iterable[int | None]) -> int:
    """Days after which a day stands still: the longest window and one more."""
    return longest_window(windows) + 1


def is_mature(day: date, windows: Iterable[int | None], now: datetime, zone: tzinfo) -> bool:
    """Whether a report of `day`, read at `now`, will not change any more."""
    return _settled_at(day, horizon(windows), zone) <= now


def restated_days(windows: Iterable[int | None], now: datetime, zone: tzinfo) -> list[date]:
    """The days of the account's zone that are not mature at `now`, today among them."""
    days = horizon(windows)
    today = _today(now, zone)
    candidates = (today - back * _DAY for back in range(days + 2, -1, -1))
    return [day for day in candidates if _settled_at(day, days, zone) > now]


def days_to_read_again(
    read: dict[date, datetime], windows: Iterable[int | None], now: datetime, zone: tzinfo
) -> list[date]:
    """Of the days in `read` (each with the moment it was last read, of the account's `zone`), those
    that TikTok has changed since, or may have. `windows` are the ad groups' in days."""
    days = horizon(windows)
    return sorted(
        day for day, at in read.items() if at < now and _mended_since(day, days, at, now, zone)
    )


def _mended_since(day: date, days: int, at: datetime, now: datetime, zone: tzinfo) -> bool:
    """Whether a mending that concerns `day` lies between `at` and `now`."""
    settled_at = _settled_at(day, days, zone)
    if at >= settled_at:
        return False
    if _today(now, zone) - day < 2 * _DAY:
        return True  # today and yesterday change all the time
    return _next(at) <= now


def _settled_at(day: date, days: int, zone: tzinfo) -> datetime:
    """The first mending after the day's horizon: `day` + `days` is over in the account's zone."""
    over = datetime.combine(day + (days + 1) * _DAY, time(), zone)
    return _next(over.astimezone(UTC))


def _next(at: datetime) -> datetime:
    """The first mending at `at` or later."""
    at = at.astimezone(UTC)
    mending = datetime.combine(at.date(), MENDED_AT, UTC)
    return mending if at <= mending else mending + _DAY


def _today(now: datetime, zone: tzinfo) -> date:
    return now.astimezone(zone).date()
