"""Days as earlier audits saw them, so that restatements can be seen. Pure.

A note under `audit/days/<advertiser>/<YYYY-MM-DD>` holds what the last audit of that day of UTC
read of the account and its campaigns: JSON `[[level, id, day, spend, conversions], …]` after the
moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

import orjson

from relay.audit.facts import Day, Level, Snapshot

#: Snapshots of so many days are kept: longer than the longest attribution window.
KEPT_DAYS: Final = 40

#: Days of so many days before an audit are kept in its snapshot.
_LOOKED_AT_DAYS: Final = 35

#: With more campaigns than this, the account alone is kept: a note has its limit.
_MOST_ROWS: Final = 50_000

_LEVELS: Final = frozenset({Level.ACCOUNT, Level.CAMPAIGN})


def prefix(advertiser_id: str) -> str:
    return f"audit/days/{advertiser_id}/"


def key(advertiser_id: str, now: float) -> str:
    return prefix(advertiser_id) + _day_of(now).isoformat()


def oldest_key(advertiser_id: str, now: float) -> str:
    """Notes that sort before it are past their time."""
    return prefix(advertiser_id) + (_day_of(now) - timedelta(days=KEPT_DAYS)).isoformat()


def packed(days: Iterable[Day], now: float) -> bytes:
    since = _day_of(now) - timedelta(days=_LOOKED_AT_DAYS)
    kept = [each for each in days if each.level in _LEVELS and each.day >= since]
    if len(kept) > _MOST_ROWS:
        kept = [each for each in kept if each.level is Level.ACCOUNT]
    rows = [
        [
            each.level.value,
            each.id,
            each.day.isoformat(),
            None if each.spend is None else str(each.spend),
            each.conversions,
        ]
        for each in kept
    ]
    return orjson.dumps({"at": now, "rows": rows})


def unpacked(note: bytes) -> list[Snapshot]:
    """Raises ValueError for a note that is none."""
    said = orjson.loads(note)
    try:
        return [
            Snapshot(
                Level(level), name, date.fromisoformat(day), said["at"],
                None if spend is None else Decimal(spend), conversions,
            )
            for level, name, day, spend, conversions in said["rows"]
        ]  # fmt: skip
    except (KeyError, TypeError, ArithmeticError) as error:
        raise ValueError("not a snapshot") from error


def _day_of(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()
