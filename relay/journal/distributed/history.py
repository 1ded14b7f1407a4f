"""Arrivals of another journal: what came, what was sent, every answer, as it was there.

The topics hold what is to be sent; what was settled elsewhere must not be read as if it were. So it
lies in PostgreSQL, until it is past its time. Of what waited there its attempts are here.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from relay.journal import fingerprint, layout
from relay.journal.distributed.claims import day_of
from relay.journal.distributed.days import Days
from relay.journal.distributed.spot import Spot
from relay.journal.moving import rows
from relay.journal.moving.rows import Moved
from relay.journal.moving.target import MOST_ROWS
from relay.journal.moving.tokens import tokens_of
from relay.postgres.database import Connection, Database

#: Stands for a partition where fingerprints name a place here.
PARTITION: Final = -2

#: So many rows are read at once.
_PAGE = 50

#: An arrival, and its place among those of all imports.
Placed = tuple[int, Moved]


async def add(connection: Connection, days: Days, arrivals: Sequence[Placed]) -> None:
    """Keep arrivals; those that ended are found from now on. Those that wait are found by what the
    topic has of them. Within a transaction."""
    parts: dict[tuple[date, str], list[Placed]] = {}
    for place, moved in arrivals:
        parts.setdefault((day_of(moved.accepted_at), moved.destination), []).append((place, moved))
    for (day, destination), part in sorted(parts.items()):
        await days.ensure(connection, day)
        await connection.execute(
            "insert into history (day, destination, first, behind, row) "
            "values ($1, $2, $3, $4, $5)",
            day, destination, part[0][0], part[-1][0] + 1, _packed(part),
        )  # fmt: skip
        ended = [(place, moved) for place, moved in part if moved.outcome is not None]
        if ended:
            await connection.execute(
                "insert into fingerprints (day, destination, partition, offsets, row) "
                "values ($1, $2, $3, $4, $5)",
                day, destination, PARTITION, [place for place, _ in ended], _prints(ended),
            )  # fmt: skip


def _prints(arrivals: Iterable[Placed]) -> bytes:
    receipts = []
    tokens = []
    for _, moved in arrivals:
        receipts.append(layout.receipt_tag(moved.receipt.encode())[0])
        tokens.append(tokens_of(moved.event_id, moved.order_id, moved.body))
    return fingerprint.row(receipts, tokens)


def _packed(arrivals: Sequence[Placed]) -> bytes:
    lines = [b"%d %s" % (place, rows.pack(moved)) for place, moved in arrivals]
    return zlib.compress(b"\n".join(lines), 1)


def _unpacked(row: bytes) -> Iterator[Placed]:
    for line in zlib.decompress(row).split(b"\n"):
        place, _, packed = line.partition(b" ")
        moved = rows.unpack(packed)
        assert isinstance(moved, Moved)  # noqa: S101  # nothing else is written here
        yield int(place), moved


async def read(database: Database, spots: Iterable[Spot]) -> Mapping[Spot, Moved]:
    """The arrivals at these places; those that are past their time are left out."""
    found: dict[Spot, Moved] = {}
    wanted = set(spots)
    for spot in sorted(wanted):
        if spot in found:
            continue
        for row in await database.fetch(
            "select row from history where destination = $1 and first between $2 and $3 "
            "and behind > $3",
            spot.destination, spot.offset - MOST_ROWS, spot.offset,
        ):  # fmt: skip
            for place, moved in _unpacked(row["row"]):
                here = Spot(spot.destination, PARTITION, place)
                if here in wanted:
                    found[here] = moved
    return found


async def every(database: Database, destination: str) -> AsyncIterator[Placed]:
    """All of a destination, by their places."""
    behind = -1
    while True:
        page = await database.fetch(
            "select first, day, row from history where destination = $1 and first > $2 "
            "order by first limit $3",
            destination, behind, _PAGE,
        )  # fmt: skip
        for row in page:
            for placed in _unpacked(row["row"]):
                yield placed
        if len(page) < _PAGE:
            return
        behind = page[-1]["first"]
