"""What names the journal of these servers, the journals that were moved into it, and its seal."""

from __future__ import annotations

from relay.errors import ServersSealed
from relay.journal.moving import standing
from relay.postgres.database import AnyConnection, Connection


async def journals_of(connection: Connection) -> list[str]:
    """The journals that are here, its own first."""
    own = await connection.fetchval("select journal from identity")
    imports = await connection.fetch("select standing from imports order by began_at, id")
    moved = [name for row in imports for name in standing.unpack(row["standing"].encode()).journals]
    return list(dict.fromkeys([own, *moved]))


async def is_sealed(connection: AnyConnection) -> bool:
    """Was the journal moved elsewhere?"""
    return await connection.fetchval("select sealed_at from identity") is not None


async def refuse_sealed(connection: AnyConnection) -> None:
    """What `Database` requires of relays and imports: raises `ServersSealed` where the journal was
    moved elsewhere."""
    if await is_sealed(connection):
        raise ServersSealed(
            "the journal on these servers was moved elsewhere (`relay journal export --seal`), and "
            "a relay on it would send once more what waited. Start the relay on the new journal; "
            "to go on with this one instead: `relay journal unseal`"
        )


async def seal(connection: Connection, at: float) -> bool:
    """Let no relay work on these servers any more; False where they were sealed before."""
    done = await connection.execute(
        "update identity set sealed_at = $1 where sealed_at is null", at
    )
    return bool(done != "UPDATE 0")


async def unseal(connection: Connection) -> bool:
    """Undo it; False where there is no seal."""
    done = await connection.execute(
        "update identity set sealed_at = null where sealed_at is not null"
    )
    return bool(done != "UPDATE 0")
