"""How long to wait before the next try.

Full jitter: a random moment between now and an exponentially growing limit, so that lanes which
failed together do not return together (AWS Architecture Blog, "Exponential Backoff And Jitter").
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

#: Nobody may send us away for longer: a wrong `Retry-After` should not cost a day.
MAX_RETRY_AFTER_S = 3600.0

_MOST_DOUBLINGS = 32


@dataclass(frozen=True, slots=True)
class Backoff:
    """The n-th wait is random between `floor_s` and `base_s` * 2^(n-1), at most `cap_s`."""

    base_s: float = 1.0
    cap_s: float = 60.0
    floor_s: float = 0.1


def delay(attempt: int, policy: Backoff, roll: float, retry_after: float | None = None) -> float:
    """Seconds to wait after the `attempt`-th failure in a row (from 1).

    `roll` is a random number in [0, 1). `retry_after` (seconds, what the other side asked for) is
    a minimum, up to an hour.
    """
    doublings = min(max(attempt, 1) - 1, _MOST_DOUBLINGS)
    limit = min(policy.cap_s, policy.base_s * 2.0**doublings)
    wait = max(policy.floor_s, roll * limit)
    if retry_after is None:
        return wait
    return max(wait, min(retry_after, MAX_RETRY_AFTER_S))


def retry_after_s(header: str | None, now: float) -> float | None:
    """Read a `Retry-After` header: seconds, or an HTTP date (RFC 9110, 10.2.3).

    Returns seconds from `now` (Unix time), not below 0; None when it is missing or unreadable.
    """
    if header is None:
        return None
    text = header.strip()
    try:
        seconds = float(text) if text[:1].isdigit() else _date(text) - now
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _date(text: str) -> float:
    """Unix time of an HTTP date; one without a zone means UTC, as HTTP dates do."""
    moment = parsedate_to_datetime(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
