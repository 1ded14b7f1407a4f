"""Which processes work on a journal of servers: each says so, about once a second.

Kafka knows those that deliver, if they are of the group that one asks for; this knows those that
accept, too. Times are the server's, so that no clock has to be right.
"""

from __future__ import annotations

from relay.postgres.database import Connection, Database

#: Who said nothing for so long is gone, in seconds; one that was killed could not say so.
SILENT_S = 10


async def tell(database: Database, owner: str) -> bool:
    """Say that a process works here; True where the journal was moved elsewhere meanwhile.

    Raises `DatabaseUnavailable`.
    """
    (row,) = await database.fetch(
        "with told as (insert into processes (owner) values ($1) "
        "on conflict (owner) do update set seen_at = now()) "
        "select sealed_at is not null as sealed from identity",
        owner,
    )
    sealed: bool = row["sealed"]
    return sealed


async def leave(database: Database, owner: str) -> None:
    """Say that it does not any more; who was killed days ago is forgotten, too."""
    await database.execute(
        "delete from processes where owner = $1 or seen_at < now() - interval '1 day'", owner
    )


async def at_work(connection: Connection) -> list[str]:
    """Who works here, each as `host/pid/…`."""
    rows = await connection.fetch(
        "select owner from processes where seen_at > now() - make_interval(secs => $1) order by 1",
        float(SILENT_S),
    )
    return [row["owner"] for row in rows]
