"""Claims in PostgreSQL: who owns a (destination, event, event id), and since when.

A table per day, so that expiry drops a table and the index that takes the inserts stays that of one
day. A look-up asks all days of the window at once.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import NamedTuple

from relay.journal import layout
from relay.journal.chunk import CLAIM_BYTES
from relay.journal.distributed.days import Days, table_of
from relay.postgres.database import Connection

_TAG = struct.Struct(">II")


class Owner(NamedTuple):
    """The receipt that owns a claim, as its tag, and since when (Unix seconds)."""

    tag: int
    at: float


class Raced(Exception):  # no mistake: the other one was first
    """Somebody else claimed one of these meanwhile: look again."""


@cache
def _lane(destination: str) -> int:
    digest = hashlib.blake2b(destination.encode(), digest_size=CLAIM_BYTES).digest()
    return int.from_bytes(digest, "big")


def key_of(destination: str, claim: bytes) -> bytes:
    """The claim's key among those of all destinations."""
    return (int.from_bytes(claim, "big") ^ _lane(destination)).to_bytes(CLAIM_BYTES, "big")


def tag_of(receipt: str) -> int:
    """What tells the receipts of one claim apart, as a signed 64-bit number."""
    return int.from_bytes(_TAG.pack(*layout.receipt_tag(receipt.encode())), "big", signed=True)


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
