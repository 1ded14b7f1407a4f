"""Claims in PostgreSQL: who owns a (destination, event, event id), and since when.

A table per day, so that expiry drops a table and the index that takes the inserts stays that of one
day. A look-up asks all days of the window at once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

from relay.journal import layout
from relay.journal.distributed.days import Days, table_of
from relay.postgres.database import Connection

_TAG = struct.Struct(">II")


class Owner(NamedTuple):
    """The receipt that owns a claim, as its tag, and since when (Unix seconds)."""

    tag: int
    at: float


class Raced(Exception):  # no mistake: the other one was first
    """Somebody else claimed one of these meanwhile: look again."""


def key_of(destination: str, claim: bytes) -> bytes:
    """The claim's key among those of all destinations."""
    return layout.mixed_claim(destination, claim)


def tag_of(receipt: str) -> int:
    """What tells the receipts of one claim apart, as a signed 64-bit number."""
    return as_tag(layout.receipt_tag(receipt.encode()))


def reserved_tag_of(receipt: str) -> int:
    """The tag of a claim that is kept for an event of another journal."""
    return tag_of(f"moved:{receipt}")


def as_tag(pair: tuple[int, int]) -> int:
    """The tag of a receipt with these two checksums."""
    return int.from_bytes(_TAG.pack(*pair), "big", signed=True)


def as_pair(tag: int) -> tuple[int, int]:
    """The checksums that a tag is made of."""
    crc, adler = _TAG.unpack(tag.to_bytes(_TAG.size, "big", signed=True))
    return crc, adler


def day_of(at: float) -> date:
    return datetime.fromtimestamp(at, UTC).date()


async def owners(
    connection: Connection, keys: Iterable[bytes], since: float
) -> Mapping[bytes, Owner]:
    """Who owns these keys; of several days the newest. Claims from before `since` may be missing.

    Raises `DatabaseUnavailable`.
    """
    found: dict[bytes, Owner] = {}
    for key, tag, at in await connection.fetch(
        "select key, tag, at from claims where key = any($1::bytea[]) and day >= $2",
        list(keys),
        day_of(since),
    ):
        known = found.get(key)
        if known is None or known.at <= at:
            found[key] = Owner(tag, at)
    return found


async def put(
    connection: Connection, days: Days, claims: Mapping[bytes, Owner], now: float, replaced: float
) -> None:
    """Store claims; those of today from `replaced` (Unix seconds) or before give way.

    In the order of their keys, so that two who store the same ones never wait for each other in a
    circle. Raises `Raced` when somebody else stored one of them meanwhile.
    """
    if not claims:
        return
    today = day_of(now)
    await days.ensure(connection, today)
    rows = sorted(claims.items())
    stored = await connection.fetch(
        f"insert into {table_of('claims', today)} as kept (day, key, tag, at) "  # noqa: S608  # a day
        "select $1, * from unnest($2::bytea[], $3::bigint[], $4::float8[]) "
        "on conflict (key) do update set tag = excluded.tag, at = excluded.at "
        "where kept.at <= $5 or kept.tag = excluded.tag returning 1",
        today,
        [key for key, _ in rows],
        [owner.tag for _, owner in rows],
        [owner.at for _, owner in rows],
        replaced,
    )
    if len(stored) < len(rows):
        raise Raced


async def set_down(
    connection: Connection, days: Days, claims: Mapping[bytes, Owner], since: float
) -> None:
    """Store claims of another journal, each on its own day. What others claimed after `since`
    stays theirs."""
    by_day: dict[date, list[tuple[bytes, Owner]]] = {}
    for key, owner in sorted(claims.items()):
        by_day.setdefault(day_of(owner.at), []).append((key, owner))
    for day, rows in sorted(by_day.items()):
        await days.ensure(connection, day)
        await connection.execute(
            f"insert into {table_of('claims', day)} (day, key, tag, at) "  # noqa: S608  # a day
            "select $1, n.* from unnest($2::bytea[], $3::bigint[], $4::float8[]) as n(key, tag, at)"
            " where not exists (select 1 from claims as c where c.key = n.key and c.day >= $5 "
            "and c.at > $6) on conflict (key) do nothing",
            day,
            [key for key, _ in rows],
            [owner.tag for _, owner in rows],
            [owner.at for _, owner in rows],
            day_of(since),
            since,
        )


async def release(
    connection: Connection, keys: Sequence[bytes], tags: Sequence[int], since: float
) -> None:
    """Delete claims, but only those that still belong to these receipts."""
    await connection.execute(
        "delete from claims using unnest($1::bytea[], $2::bigint[]) as gone(key, tag) "
        "where claims.key = gone.key and claims.tag = gone.tag and claims.day >= $3",
        list(keys),
        list(tags),
        day_of(since),
    )
