"""Arrivals that were settled in another journal: found like those of the topics, and read from
PostgreSQL. Their places count from 0 in each destination, as offsets of a partition of their own."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final
from zlib import crc32

import orjson

from relay.journal import fingerprint
from relay.journal.distributed.claims import day_of
from relay.journal.distributed.message import Arrived
from relay.journal.distributed.spot import Spot
from relay.journal.moving.groups import MovedEvent, MovedRefusal, entry_row, row_entry
from relay.journal.moving.tokens import prints_of
from relay.model import FieldIssue, Outcome, Reason, Refusal
from relay.postgres.database import Connection, Database

#: Stands for a partition where what was moved is meant.
PARTITION: Final = -2

_LEVEL = 1

#: An arrival that was settled elsewhere.
Moved = MovedEvent | MovedRefusal


async def places(connection: Connection, destination: str, count: int, settled: int) -> int:
    """The first of `count` new places; so many arrivals are counted as accepted and settled."""
    first: int = await connection.fetchval(
        "insert into progress as p (destination, partition, claimed, low, accepted, settled) "
        "values ($1, $2, $3, $3, $4, $4) on conflict (destination, partition) do update set "
        "claimed = p.claimed + excluded.claimed, low = p.low + excluded.low, "
        "accepted = p.accepted + excluded.accepted, settled = p.settled + excluded.settled "
        "returning claimed - $3",
        destination, PARTITION, count, settled,
    )  # fmt: skip
    return first


def days_of(arrivals: Iterable[Moved]) -> set[date]:
    return {day_of(_at(each)) for each in arrivals}


async def put(
    connection: Connection, destination: str, first: int, arrivals: Sequence[Moved]
) -> None:
    """Keep arrivals, whose places run on from `first`, and what they are found by. The tables of
    their days are there."""
    for day, start, found in _by_day(arrivals):
        rows = zlib.compress(orjson.dumps([_packed(each) for each in found]), _LEVEL)
        begin, behind = first + start, first + start + len(found)
        await connection.execute(
            "insert into moved (day, destination, first, behind, rows) values ($1, $2, $3, $4, $5)",
            day, destination, begin, behind, rows,
        )  # fmt: skip
        receipts = [crc32(_receipt(each).encode()) for each in found]
        row = fingerprint.row_of_prints(receipts, [_prints(each) for each in found])
        await connection.execute(
            "insert into fingerprints (day, destination, partition, offsets, row) "
            "values ($1, $2, $3, $4, $5)",
            day, destination, PARTITION, list(range(begin, behind)), row,
        )  # fmt: skip


def _by_day(arrivals: Sequence[Moved]) -> Iterable[tuple[date, int, Sequence[Moved]]]:
    """Arrivals that follow each other and came on one day, and the place of the first."""
    start = 0
    for at in range(1, len(arrivals) + 1):
        day = day_of(_at(arrivals[start]))
        if at == len(arrivals) or day_of(_at(arrivals[at])) != day:
            yield day, start, arrivals[start:at]
            start = at


async def read(database: Database, spots: Sequence[Spot]) -> Mapping[Spot, Arrived]:
    """The arrivals at these places, as messages; those that are gone are left out."""
    found: dict[Spot, Arrived] = {}
    wanted: defaultdict[str, list[int]] = defaultdict(list)
    for spot in spots:
        wanted[spot.destination].append(spot.offset)
    for destination, offsets in wanted.items():
        for row in await database.fetch(
            "select distinct m.first, m.rows from moved m join unnest($2::bigint[]) as w(place) "
            "on m.first <= w.place and w.place < m.behind where m.destination = $1",
            destination, offsets,
        ):  # fmt: skip
            packed = _unpacked(row["rows"])
            for offset in offsets:
                place = offset - row["first"]
                if 0 <= place < len(packed):
                    spot = Spot(destination, PARTITION, offset)
                    found[spot] = _message(offset, packed[place])
    return found


async def every(database: Database) -> AsyncIterator[tuple[str, int, list[Moved]]]:
    """All of them, by day: destination, the first place, arrivals."""
    behind: tuple[date, str, int] = (date.min, "", -1)
    while True:
        rows = await database.fetch(
            "select day, destination, first, rows from moved "
            "where (day, destination, first) > ($1, $2, $3) "
            "order by day, destination, first limit 1",
            *behind,
        )
        if not rows:
            return
        (row,) = rows
        yield row["destination"], row["first"], [_moved(each) for each in _unpacked(row["rows"])]
        behind = (row["day"], row["destination"], row["first"])


# --- rows -----------------------------------------------------------------------------------------


def _packed(arrival: Moved) -> dict[str, Any]:
    if isinstance(arrival, MovedEvent):
        return {**entry_row(arrival.entry), "claim": arrival.claim.hex()}
    return {**arrival._asdict(), "errors": [list(each) for each in arrival.errors]}


def _unpacked(rows: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(zlib.decompress(rows))
    return found


def _moved(row: dict[str, Any]) -> Moved:
    if "claim" in row:
        return MovedEvent(row_entry(row), bytes.fromhex(row["claim"]))
    said = {
        "outcome": Outcome(row["outcome"]),
        "reason": Reason(row["reason"]),
        "errors": [FieldIssue(*each) for each in row["errors"]],
    }
    return MovedRefusal(**{**row, **said})


def _message(offset: int, row: dict[str, Any]) -> Arrived:
    arrival = _moved(row)
    if isinstance(arrival, MovedEvent):
        return Arrived(offset, arrival.claim, (), tuple(arrival.entry[1:]), None)
    refusal = Refusal(
        arrival.outcome, arrival.reason, arrival.name, arrival.event_id, arrival.order_id,
        arrival.event_time, arrival.errors,
    )  # fmt: skip
    fields = (
        arrival.at, arrival.receipt, arrival.source, arrival.name or "", arrival.event_id or "",
        arrival.event_time or 0, arrival.order_id, None, None, None, 0, b"",
    )  # fmt: skip
    return Arrived(offset, b"", (), fields, refusal)


def _at(arrival: Moved) -> float:
    return arrival.entry.accepted_at if isinstance(arrival, MovedEvent) else arrival.at


def _receipt(arrival: Moved) -> str:
    return arrival.entry.receipt if isinstance(arrival, MovedEvent) else arrival.receipt


def _prints(arrival: Moved) -> list[int]:
    if isinstance(arrival, MovedEvent):
        entry = arrival.entry
        return prints_of(entry.event_id, entry.order_id, entry.body)
    return prints_of(arrival.event_id, arrival.order_id, b"")
