"""Days and hours of an account's zone.

`Etc/GMT±n` has POSIX' sign: `Etc/GMT+8` is eight hours *behind* UTC, and has no daylight saving.
Local days and hours are counted since 1970 on the local clock, so that an hour that the clock shows
twice is one hour of two, as in a report that names hours without an offset.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

HOUR_S: Final = 3600
DAY_S: Final = 86_400
#: Every zone's clock changes at a quarter of an hour.
_QUARTER_S: Final = 900
_EPOCH: Final = date(1970, 1, 1).toordinal()
_FIXED: Final = re.compile(r"Etc/GMT([+-])(\d{1,2})")


def zone_of(name: str) -> tzinfo:
    """The zone of an account's `timezone`. Raises `ZoneInfoNotFoundError` for an unknown name."""
    fixed = _FIXED.fullmatch(name)
    if fixed is None:
        return ZoneInfo(name)
    hours = int(fixed[2])
    return timezone(timedelta(hours=-hours if fixed[1] == "+" else hours))


def day_number(day: date) -> int:
    return day.toordinal() - _EPOCH


def date_of(day: int) -> date:
    return date.fromordinal(day + _EPOCH)


class LocalTime:
    """One zone's clock. Times are Unix seconds; days and hours are numbers, counted locally."""

    def __init__(self, name: str) -> None:
        self.zone = zone_of(name)
        self._offsets: dict[int, int] = {}

    def offset_s(self, at: float) -> int:
        """Seconds east of UTC."""
        quarter = int(at // _QUARTER_S)
        offset = self._offsets.get(quarter)
        if offset is None:
            moment = datetime.fromtimestamp(quarter * _QUARTER_S, UTC).astimezone(self.zone)
            offset = self._offsets[quarter] = int(
                (moment.utcoffset() or timedelta()).total_seconds()
            )
        return offset

    def hour(self, at: float) -> int:
        return int((at + self.offset_s(at)) // HOUR_S)

    def day(self, at: float) -> int:
        return int((at + self.offset_s(at)) // DAY_S)

    def starts(self, day: int) -> float:
        """When a local day begins."""
        return datetime.combine(date_of(day), time(), self.zone).timestamp()

    def hours(self, day: int) -> range:
        """When each hour of a local day begins: 23, 24 or 25 of them."""
        return range(int(self.starts(day)), int(self.starts(day + 1)), HOUR_S)


def day_text(day: int) -> str:
    """As reports write a day."""
    return f"{date_of(day)} 00:00:00"


def hour_text(hour: int) -> str:
    """As reports write an hour."""
    return f"{date_of(hour // 24)} {hour % 24:02}:00:00"
