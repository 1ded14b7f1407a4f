"""Who owns a partition, and how far it is: the rows of `progress`.

Taking a partition over raises its epoch; every write names the epoch it believes in, and fails
when that has passed. So a process that was given up for dead, and is not, cannot settle what its
successor is sending.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from relay.journal.distributed.progress import Progress
from relay.postgres.database import Connection


class Fenced(Exception):  # no mistake: the partition has a new owner
    """These partitions belong to another process by now."""

    def __init__(self, partitions: frozenset[int]) -> None:
        super().__init__(sorted(partitions))
        self.partitions = partitions


@dataclass(slots=True)
class Booking:
    """What a write changes of a partition's row: how many arrivals were accepted and settled, and
    by how many bytes what waits grew."""

    progress: Progress
    accepted: int = 0
    settled: int = 0
    grown_bytes: int = 0
    oldest_at: float | None = None


async def acquire(
    connection: Connection, destination: str, partition: int, owner: str, start: int
) -> Progress:
    """Take a partition over; one that nobody ever owned begins at the offset `start`."""
    (row,) = await connection.fetch(
        "insert into progress as p (destination, partition, epoch, owner, claimed, low) "
        "values ($1, $2, 1, $3, $4, $4) on conflict (destination, partition) do update "
        "set epoch = p.epoch + 1, owner = excluded.owner returning epoch, claimed, low, done",
        destination, partition, owner, start,
    )  # fmt: skip
    return Progress(row["epoch"], row["claimed"], row["low"], orjson.loads(row["done"]))


async def reload(
    connection: Connection, destination: str, known: Mapping[int, Progress]
) -> Mapping[int, Progress]:
    """How far these partitions are, after a write whose fate is unknown. Raises `Fenced`."""
    rows = await connection.fetch(
        "select partition, epoch, claimed, low, done from progress "
        "where destination = $1 and partition = any($2::int[])",
        destination, list(known),
    )  # fmt: skip
    found = {
        row["partition"]: Progress(
            row["epoch"], row["claimed"], row["low"], orjson.loads(row["done"])
        )
        for row in rows
        if row["epoch"] == known[row["partition"]].epoch
    }
    if len(found) < len(known):
        raise Fenced(frozenset(known) - frozenset(found))
    return found


async def book(connection: Connection, destination: str, bookings: Mapping[int, Booking]) -> None:
    """Write how far partitions are now. Raises `Fenced` when one has a new owner."""
    rows = sorted(bookings.items())
    updated = await connection.fetch(
        "update progress as p set claimed = n.claimed, low = n.low, done = n.done::jsonb, "
        "open = n.open, accepted = p.accepted + n.accepted, settled = p.settled + n.settled, "
        "waiting_bytes = greatest(0, p.waiting_bytes + n.grown), oldest_at = n.oldest_at "
        "from unnest($2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], "
        "$7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::float8[]) as "
        "n(partition, epoch, claimed, low, done, open, accepted, settled, grown, oldest_at) "
        "where p.destination = $1 and p.partition = n.partition and p.epoch = n.epoch "
        "returning p.partition",
        destination,
        [partition for partition, _ in rows],
        [each.progress.epoch for _, each in rows],
        [each.progress.claimed for _, each in rows],
        [each.progress.low for _, each in rows],
        [orjson.dumps(each.progress.done).decode() for _, each in rows],
        [each.progress.open for _, each in rows],
        [each.accepted for _, each in rows],
        [each.settled for _, each in rows],
        [each.grown_bytes for _, each in rows],
        [each.oldest_at for _, each in rows],
    )
    lost = frozenset(bookings) - {row["partition"] for row in updated}
    if lost:
        raise Fenced(lost)


async def book_elsewhere(connection: Connection, destination: str, settled: int) -> None:
    """Count arrivals that came and ended in another journal."""
    await connection.execute(
        "insert into progress as p (destination, partition, accepted, settled) "
        "values ($1, -2, $2, $2) on conflict (destination, partition) do update "
        "set accepted = p.accepted + excluded.accepted, settled = p.settled + excluded.settled",
        destination, settled,
    )  # fmt: skip


async def book_parked(connection: Connection, destination: str, settled: int) -> None:
    """Count what was parked and is settled now; it belongs to no partition's owner."""
    await connection.execute(
        "insert into progress as p (destination, partition, settled) values ($1, -1, $2) "
        "on conflict (destination, partition) do update set settled = p.settled + excluded.settled",
        destination, settled,
    )  # fmt: skip
