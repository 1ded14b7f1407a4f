"""Works that wait for a later attempt: rows in PostgreSQL that any replica may take, once.

They hold neither their offset nor their partition. Who takes a row has it on a lease, by the
database's clock, and renews that as long as it lives; then another may.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from relay.journal.distributed import message
from relay.journal.distributed.stock import Place
from relay.journal.protocol import Parked
from relay.model import Entry
from relay.postgres.database import Connection, Database

#: A lease that is not renewed ends after this long, in seconds.
LEASE_S = 60.0

#: So many entries are taken at once.
_AT_ONCE = 1000


class Row(NamedTuple):
    """A parked entry: the work it belongs to, and that work's story, which the lane wrote."""

    work: str
    story: bytes
    entry: Entry
    place: Place


async def park(
    connection: Connection,
    destination: str,
    owner: str,
    held: Sequence[tuple[Entry, Place]],
    parked: Parked,
    work: str,
) -> frozenset[int]:
    """Add rows for entries whose offsets are open; those that were parked before wait again.

    Returns the rows among these that are in other hands by now.
    """
    due_at, story = parked.due_at, parked.story
    again = frozenset(place.parked for _, place in held if place.parked is not None)
    waiting = await connection.fetch(
        "update parked set due_at = $2, work = $3, story = $4, taken_by = null, "
        "taken_until = null where id = any($1::bigint[]) and taken_by = $5 returning id",
        list(again), due_at, work, story, owner,
    )  # fmt: skip
    lost = again - {row["id"] for row in waiting}
    if lost:
        return lost
    rows = [
        (
            destination, place.partition, place.offset, due_at, place.claim, work, story,
            place.unknown_since, message.pack_entry(entry), len(entry.body), entry.accepted_at,
        )
        for entry, place in held
        if place.parked is None
    ]  # fmt: skip
    if rows:
        await connection.executemany(
            "insert into parked (destination, partition, place, due_at, claim, work, story, "
            "unknown_since, entry, size_bytes, accepted_at) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            rows,
        )
    return frozenset()


async def take(
    database: Database,
    destination: str,
    owner: str,
    now: float,
    *,
    next_seq: int,
    ours: Sequence[int],
) -> Sequence[Row]:
    """Take rows whose time has come, the first due first; their seqs begin at `next_seq`.

    Rows that are said to be this process's, and are none of `ours`, are some whose taking was not
    heard of: they are taken again.
    """
    rows = await database.fetch(
        "update parked set taken_by = $2, "
        "taken_until = clock_timestamp() + make_interval(secs => $4) where id in ("
        "select id from parked where destination = $1 and due_at <= $3 "
        "and (taken_by is null or (taken_by = $2 and id <> all($6::bigint[])) "
        "or (taken_by <> $2 and taken_until < clock_timestamp())) "
        "order by due_at, id limit $5 for update skip locked) returning *",
        destination, owner, now, LEASE_S, _AT_ONCE, list(ours),
    )  # fmt: skip
    found = []
    for seq, row in enumerate(sorted(rows, key=lambda row: int(row["id"])), next_seq):
        place = Place(row["partition"], row["place"], row["claim"], row["id"], row["unknown_since"])
        entry = message.unpack_entry(seq, row["entry"])
        found.append(Row(row["work"], row["story"], entry, place))
    return found


async def renew(database: Database, owner: str, ours: Sequence[int]) -> None:
    """The leases of the rows that this process has, for another while."""
    await database.execute(
        "update parked set taken_until = clock_timestamp() + make_interval(secs => $2) "
        "where taken_by = $1 and id = any($3::bigint[])",
        owner, LEASE_S, list(ours),
    )  # fmt: skip


async def leave(database: Database, owner: str) -> None:
    """The process ends: others may take what it had."""
    await database.execute(
        "update parked set taken_by = null, taken_until = null where taken_by = $1", owner
    )
