"""How much there is, over all replicas: from the tables, and what the topics hold beyond them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from relay.model import Counts, Waiting
from relay.postgres.database import Database

# One statement, so that all of it is of one moment.
_COUNT = """
select 'topic' as where_, destination, sum(accepted)::bigint as accepted,
       sum(settled)::bigint as settled, sum(open)::bigint as open,
       sum(waiting_bytes)::bigint as size_bytes, min(oldest_at) filter (where open > 0) as oldest_at
from progress group by destination
union all
select 'parked', destination, 0, 0, count(*), sum(size_bytes)::bigint, min(accepted_at)
from parked group by destination
"""


@dataclass(slots=True)
class Tally:
    """One destination's sums. `unread` counts messages that nobody has claimed yet: accepted, and
    waiting."""

    accepted: int = 0
    settled: int = 0
    open: int = 0
    parked: int = 0
    size_bytes: int = 0
    oldest_at: float | None = None
    unread: int = 0

    def counts(self) -> Counts:
        waiting = self.open + self.parked + self.unread
        return Counts(self.accepted + self.unread, self.settled, waiting)

    def waiting(self) -> Waiting:
        return Waiting(self.open + self.parked + self.unread, self.size_bytes, self.oldest_at)


async def taken(database: Database) -> dict[str, Tally]:
    """The tallies as the tables tell them. Raises `DatabaseUnavailable`."""
    tallies: dict[str, Tally] = {}
    for row in await database.fetch(_COUNT):
        tally = tallies.setdefault(row["destination"], Tally())
        tally.accepted += row["accepted"]
        tally.settled += row["settled"]
        tally.size_bytes += row["size_bytes"]
        if row["where_"] == "parked":
            tally.parked += row["open"]
        else:
            tally.open += row["open"]
        ages = [at for at in (tally.oldest_at, row["oldest_at"]) if at is not None]
        tally.oldest_at = min(ages, default=None)
    return tallies


async def claimed(database: Database) -> Mapping[tuple[str, int], int]:
    """How far every partition is claimed, by destination and partition."""
    rows = await database.fetch(
        "select destination, partition, claimed from progress where partition >= 0"
    )
    return {(row["destination"], row["partition"]): row["claimed"] for row in rows}
