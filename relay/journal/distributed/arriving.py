"""What was imported while it waited, on its way through the topic: each place is met once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from relay.journal.distributed.message import Arrived
from relay.postgres.database import Connection, Database


async def take(connection: Connection, destination: str, messages: Iterable[Arrived]) -> Set[int]:
    """The places of those messages that are here for the first time; within a transaction."""
    places = [each.moved for each in messages if each.moved is not None]
    if not places:
        return frozenset()
    rows = await connection.fetch(
        "delete from arriving where destination = $1 and place = any($2::bigint[]) "
        "returning place",
        destination, places,
    )  # fmt: skip
    return frozenset([row["place"] for row in rows])


async def put(connection: Connection, destination: str, places: Sequence[int]) -> None:
    """Await messages for these places."""
    await connection.execute(
        "insert into arriving (destination, place) select $1, unnest($2::bigint[])",
        destination, places,
    )  # fmt: skip


async def awaited(
    database: Database, destination: str, places: Sequence[int]
) -> Set[int]:
    """Those of the places whose messages nobody has met yet."""
    rows = await database.fetch(
        "select place from arriving where destination = $1 and place = any($2::bigint[])",
        destination, places,
    )  # fmt: skip
    return frozenset([row["place"] for row in rows])


async def count(database: Database) -> int:
    (row,) = await database.fetch("select count(*) as many from arriving")
    many: int = row["many"]
    return many
