"""When it happened: whatever senders write, as Unix seconds in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from relay.model import Reason
from relay.normalize.fields import Flaw, Flawed, dropped, kept

#: The years 2000 to 2099 in seconds. Read as milli-, micro- or nanoseconds they do not overlap, so
#: the size of a number tells its unit.
_FIRST: Final = 946_684_800
_LAST: Final = 4_102_444_800
_UNITS: Final = (1, 10**3, 10**6, 10**9)
#: JavaScript's unit, sent by mistake: said, so that the sender's clock is looked at.
_MILLISECONDS: Final = 10**3

_MAX_LENGTH: Final = 64
_NUMBER: Final = re.compile(r"([0-9]{9,19})(?:\.[0-9]*)?\Z").match
#: `2026-05-28 20:26:40 UTC`, `… +0000`: ISO 8601 but for the space (Ruby, PHP).
_SPACED_ZONE: Final = re.compile(r"([0-9]{4}-.+?)\s+(?:UTC|GMT|Z|([+-][0-9:]{4,6}))\Z").match


def seconds(raw: object) -> int | Flawed | None:
    """Unix seconds from a number (s, ms, µs, ns), ISO 8601 or RFC 2822; fractions are cut off.

    A time without zone is UTC: shops that send none (WooCommerce's `_gmt`) mean that.
    """
    if type(raw) is int and _FIRST <= raw < _LAST:
        return raw
    if isinstance(raw, str):
        return _from_text(raw)
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return _from_number(raw)
    return dropped(Flaw.NOT_A_TIME)


def _from_number(number: float) -> int | Flawed:
    for unit in _UNITS:
        if _FIRST * unit <= number < _LAST * unit:
            found = int(number // unit)
            return kept(found, Flaw.MILLISECONDS) if unit == _MILLISECONDS else found
    return dropped(Flaw.NOT_A_TIME)


def _from_text(raw: str) -> int | Flawed | None:
    if len(raw) > _MAX_LENGTH:
        return dropped(Flaw.NOT_A_TIME)
    text = raw.strip()
    if not text:
        return None
    if found := _NUMBER(text):
        return _from_number(int(found[1]))
    moment = _iso(text) or _mail_date(text)
    if moment is None:
        return dropped(Flaw.NOT_A_TIME)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    stamp = int(moment.timestamp())
    return stamp if _FIRST <= stamp < _LAST else dropped(Flaw.NOT_A_TIME)


def _iso(text: str) -> datetime | None:
    if found := _SPACED_ZONE(text):
        text = found[1] + (found[2] or "+00:00")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _mail_date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def place(moment: int, now: float, max_age_s: float, max_future_s: float) -> int | Reason:
    """The time to send: as it is, or now where a clock runs a little ahead. Or why not to send."""
    if now - moment > max_age_s:
        return Reason.TOO_OLD
    if moment <= now:
        return moment
    return int(now) if moment - now <= max_future_s else Reason.FUTURE
