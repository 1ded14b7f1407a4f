"""People who asked to be forgotten.

A topic cannot be rewritten. So what is in it is withheld from then on: an event that waits and is
about such a person is not sent, what was sent is shown without its body and not found by the
digest, and its dead letters and samples go. The topic itself forgets with its retention.
"""

from __future__ import annotations

from collections.abc import Sequence

from relay.journal.distributed import sampled
from relay.postgres.database import Connection, Database


class Erasures:
    """The digests to withhold, and since when: an event accepted later is a new matter."""

    def __init__(self) -> None:
        self._since: dict[bytes, float] = {}
        self._latest = float("-inf")

    def __bool__(self) -> bool:
        return bool(self._since)

    def cover(self, accepted_at: float, body: bytes) -> bool:
        """Is this event about somebody who asked after it was accepted?"""
        if accepted_at > self._latest:
            return False
        return any(at >= accepted_at and digest in body for digest, at in self._since.items())

    async def load(self, database: Database) -> None:
        """Read what all replicas were asked."""
        rows = await database.fetch("select digest, max(at) as at from erasures group by digest")
        self._since = {row["digest"]: row["at"] for row in rows}
        self._latest = max(self._since.values(), default=float("-inf"))


async def add(
    connection: Connection, digests: Sequence[str], event_ids: Sequence[str], now: float
) -> None:
    """Note digests (64 lower-case hex each), and delete the dead letters of these people, and the
    samples, those of their events' ids too."""
    await connection.executemany(
        "insert into erasures (digest, at) values ($1, $2) on conflict do nothing",
        [(digest.encode(), now) for digest in digests],
    )
    for digest in digests:
        await connection.execute(
            "delete from dead_letters where position($1::bytea in wire) > 0", digest.encode()
        )
    await sampled.forget(connection, digests, event_ids)
