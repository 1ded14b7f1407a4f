"""Dead letters in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

import orjson

from relay.journal.distributed.message import Arrived
from relay.journal.distributed.stock import Place
from relay.model import Attempt, DeadLetter, Entry, FieldIssue, Outcome, Reason
from relay.postgres.database import Connection, Database

#: So many letters are read at once.
_PAGE = 500


class Dead(NamedTuple):
    """An entry that ended, where it was, and since when TikTok may have it without our knowing."""

    entry: Entry
    place: Place
    unknown_since: float | None


async def bury(
    connection: Connection,
    destination: str,
    dead: Sequence[Dead],
    ended: tuple[Outcome, Reason],
    attempt: Attempt | None,
    now: float,
) -> None:
    """Keep these entries as dead letters."""
    rows = []
    for entry, place, unknown_since in dead:
        letter = {
            **entry._asdict(),
            "body": None,
            "outcome": ended[0],
            "reason": ended[1],
            "attempt": attempt,
            "unknown_since": unknown_since,
        }
        name = _name(now, place.partition, place.offset)
        rows.append((name, destination, now, orjson.dumps(letter), entry.body))
    await _store(connection, rows)


async def bury_refusals(
    connection: Connection,
    destination: str,
    partition: int,
    refused: Sequence[Arrived],
    now: float,
) -> None:
    """Keep invalid messages of a source's topic."""
    rows = []
    for message in refused:
        refusal = message.refusal
        if refusal is None:
            continue
        letter = {
            **message.entry(message.offset)._asdict(),
            "name": refusal.name,
            "event_id": refusal.event_id,
            "event_time": refusal.event_time,
            "body": None,
            "outcome": refusal.outcome,
            "reason": refusal.reason,
            "attempt": None,
            "unknown_since": None,
            "errors": [list(error) for error in refusal.errors],
        }
        name = _name(now, partition, message.offset)
        rows.append((name, destination, now, orjson.dumps(letter), None))
    await _store(connection, rows)


async def receive(connection: Connection, received: Sequence[DeadLetter]) -> None:
    """Keep letters of another journal, under the ids they have; again, they are the same."""
    await connection.executemany(
        "insert into dead_letters (id, destination, at, replayed_at, letter, wire) "
        "values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        [
            (each.letter_id, each.destination, each.at, each.replayed_at, _packed(each), each.wire)
            for each in received
        ],
    )


def _packed(letter: DeadLetter) -> bytes:
    attempt = {
        "code": letter.code, "message": letter.message, "request_id": letter.request_id,
        "number": letter.attempts,
    }  # fmt: skip
    return orjson.dumps(
        {
            "receipt": letter.receipt, "source": letter.source, "name": letter.event,
            "event_id": letter.event_id, "order_id": letter.order_id,
            "event_time": letter.event_time, "accepted_at": letter.accepted_at,
            "outcome": letter.outcome, "reason": letter.reason, "attempt": attempt,
            "unknown_since": letter.unknown_since, "test_event_code": letter.test_event_code,
            "errors": [list(error) for error in letter.errors],
        }
    )  # fmt: skip


async def _store(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        await connection.executemany(
            "insert into dead_letters (id, destination, at, letter, wire) "
            "values ($1, $2, $3, $4, $5) on conflict do nothing",
            rows,
        )


def _name(now: float, partition: int, offset: int) -> str:
    return f"{int(now * 1000):012x}{partition:04x}{offset:012x}"


async def every(database: Database, destination: str | None) -> AsyncIterator[DeadLetter]:
    """Oldest first."""
    behind = (float("-inf"), "")
    while True:
        rows = await database.fetch(
            "select * from dead_letters where (at, id) > ($1, $2) "
            "and ($3::text is null or destination = $3) order by at, id limit $4",
            *behind, destination, _PAGE,
        )  # fmt: skip
        for row in rows:
            yield _letter(row)
        if len(rows) < _PAGE:
            return
        behind = (rows[-1]["at"], rows[-1]["id"])


async def one(database: Database, letter_id: str) -> DeadLetter | None:
    rows = await database.fetch("select * from dead_letters where id = $1", letter_id)
    return _letter(rows[0]) if rows else None


async def mark(database: Database, letter_id: str, now: float) -> None:
    """Note that it was replayed."""
    await database.execute("update dead_letters set replayed_at = $2 where id = $1", letter_id, now)


def _letter(row: Any) -> DeadLetter:
    letter = orjson.loads(row["letter"])
    attempt = letter["attempt"] or {}
    return DeadLetter(
        row["id"], row["at"], letter["receipt"], letter["source"], row["destination"],
        letter["name"], letter["event_id"], letter["order_id"], letter["event_time"],
        letter["accepted_at"], Outcome(letter["outcome"]), Reason(letter["reason"]),
        attempt.get("code"), attempt.get("message"), attempt.get("request_id"),
        attempt.get("number", 0), row["replayed_at"], letter["unknown_since"], row["wire"],
        letter["test_event_code"],
        [FieldIssue(field, reason) for field, reason in letter.get("errors", ())],
    )  # fmt: skip
