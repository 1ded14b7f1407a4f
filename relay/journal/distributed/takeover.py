"""Taking a partition over: raising its epoch, and finding out what became of it meanwhile."""

from __future__ import annotations

from relay.errors import RelayError
from relay.journal import attempts
from relay.journal.attempts import AttemptRecord, Ended
from relay.journal.distributed import ownership
from relay.journal.distributed.claiming import write_attempts
from relay.journal.distributed.claims import day_of
from relay.journal.distributed.holding import Holding, Unknown
from relay.journal.distributed.ownership import Booking
from relay.journal.distributed.progress import Progress, open_ranges
from relay.model import Outcome, Reason
from relay.postgres.database import Connection


class TopicReplaced(RelayError):
    """Topics and tables are not of one journal, and what was delivered would be delivered again, or
    what waits never."""


async def take_over(
    holding: Holding, partition: int, begin: int, end: int, committed: int = 0
) -> int:
    """Take a partition over whose messages are those of `begin <= offset < end`; returns the
    offset to read from. `committed` is how far the group has read it before, 0 where it has not.

    Raises `DatabaseUnavailable` and `TopicReplaced`.
    """
    around = holding.around
    async with holding.one:
        try:
            async with around.database.transaction() as connection:
                progress, lost, unknowns = await _take_over(
                    holding, connection, partition, begin, end, committed
                )
        except BaseException:
            around.days.forget()  # what was made of them is undone
            raise
    holding.unknowns += unknowns
    holding.progress[partition] = progress
    if lost:
        around.listeners.damaged(lost)
    return progress.low


async def _take_over(
    holding: Holding, connection: Connection, partition: int, begin: int, end: int, committed: int
) -> tuple[Progress, int, list[Unknown]]:
    around = holding.around
    await around.days.ensure(connection, day_of(around.clock.now()))
    progress = await ownership.acquire(
        connection, holding.destination, partition, around.owner, begin
    )
    if end < progress.claimed:
        raise TopicReplaced(
            f"the tables know more of {holding.destination}/{partition} than its topic ever held: "
            "the topic was made anew, or is another one. Set journal.topic_prefix and "
            "journal.database_schema right, or both anew"
        )
    if committed > progress.claimed:  # it is committed once the tables have it
        raise TopicReplaced(
            f"the group has read {holding.destination}/{partition} up to {committed}, and the "
            f"tables know it up to {progress.claimed}: what lies between would be delivered again. "
            "Set journal.database_schema right; or, if that is what you want, take a new "
            "journal.group"
        )
    lost = 0
    if begin > progress.low:
        progress, lost = await _cut(holding, connection, partition, progress, begin)
    unknowns = await _unknowns(holding, connection, partition, progress.low)
    return progress, lost, unknowns


async def _cut(
    holding: Holding, connection: Connection, partition: int, old: Progress, begin: int
) -> tuple[Progress, int]:
    """The topic's retention took messages that nobody had settled: they end as damaged."""
    gone = [(max(start, old.low), min(stop, begin)) for start, stop in open_ranges(old, begin)]
    lost = sum(stop - start for start, stop in gone)
    unclaimed = max(0, begin - max(old.claimed, old.low))
    progress = old.without(begin)
    booking = Booking(progress, accepted=unclaimed, settled=lost)
    await ownership.book(connection, holding.destination, {partition: booking})
    if gone:
        ended = [Ended(*each, Outcome.INVALID, Reason.DAMAGED) for each in gone]
        record = AttemptRecord(holding.around.clock.now(), None, gone, ended)
        await write_attempts(connection, holding.destination, [(partition, record)])
    return progress, lost


async def _unknowns(
    holding: Holding, connection: Connection, partition: int, low: int
) -> list[Unknown]:
    rows = await connection.fetch(
        "select row from attempts where destination = $1 and partition = $2 and unknown "
        "and behind > $3",
        holding.destination, partition, low,
    )  # fmt: skip
    found = []
    for row in rows:
        record = attempts.unpack(row["row"])
        if record.attempt is not None:
            found += [Unknown(partition, *each, record.attempt.started_at)
                      for each in record.covers]  # fmt: skip
    return found
