"""The zone that an account's days are in.

TikTok names it `Etc/GMT-1` with POSIX' sign: an hour *east* of Greenwich, UTC+1, and `Etc/GMT+8` is
UTC-8. Such a zone has no summer time. Whether reports follow `timezone` or `display_timezone` is
not documented; the audit measures it.
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

_etc = re.compile(r"(?:Etc/)?(?:GMT|UTC)(?:([+-])0?(\d{1,2}))?").fullmatch
_offset = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):(\d{2})").fullmatch


@lru_cache(maxsize=512)
def zone_named(name: str) -> tzinfo | None:
    """The zone of this name; None when there is none.

    `Etc/GMT±n` has POSIX' sign, `UTC+08:00` and `+08:00` have the usual one.
    """
    etc = _etc(name)
    if etc and (name.startswith("Etc/") or etc[1] is None):
        return _fixed(-1 if etc[1] == "+" else 1, int(etc[2] or 0), 0)
    offset = _offset(name)
    if offset:
        return _fixed(1 if offset[1] == "+" else -1, int(offset[2]), int(offset[3]))
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # not found is a KeyError
        return None


def _fixed(sign: int, hours: int, minutes: int) -> tzinfo | None:
    if hours > 14 or minutes > 59:
        return None
    if hours == minutes == 0:
        return UTC
    return timezone(sign * timedelta(hours=hours, minutes=minutes))
