"""How times, ages, sizes and answers are written for a person. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from relay.model import FieldIssue


def moment(at: float | None) -> str:
    """A Unix time as `2026-11-30 18:00:00Z`; nothing for none."""
    return "" if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%SZ}"


def age(seconds: float) -> str:
    """The largest fitting unit and the next: `3 d 4 h`, `12 min`, `5 s`."""
    left = max(0, int(seconds))
    days, left = divmod(left, 86_400)
    hours, left = divmod(left, 3600)
    minutes, left = divmod(left, 60)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{left} s"


def size(count: int) -> str:
    """Bytes as `1.2 MB`."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def counted(count: int, noun: str) -> str:
    """`1 source`, `2 sources`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def issues(errors: Iterable[FieldIssue]) -> str:
    """Fields and why, as `user.email not_an_email, event missing`."""
    return ", ".join(f"{error.field} {error.reason}".strip() for error in errors)
