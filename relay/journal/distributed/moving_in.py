"""A moved journal into topics and tables; relays may be running on them.

Each batch is a transaction, with how far the import is. What waits goes into the topic before that:
cut off in between, it is written once more, and the second one is known by its receipt, however the
first one ended (`claiming`). A claim is kept for it before it is in the topic, so that whoever
brings the event meanwhile brings a duplicate.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Final

from relay.clock import Clock
from relay.errors import JournalLocked, JournalUnavailable
from relay.journal.distributed import (
    claims,
    history,
    identity,
    message,
    moved_tables,
    ownership,
    sampled,
)
from relay.journal.distributed.claims import Owner, as_tag, key_of, reserved_tag_of
from relay.journal.distributed.days import Days
from relay.journal.distributed.history import Placed
from relay.journal.distributed.message import FromElsewhere
from relay.journal.distributed.producer import TopicWriter
from relay.journal.distributed.records import as_journal
from relay.journal.distributed.settings import DistributedSettings
from relay.journal.moving import standing as standings
from relay.journal.moving.framing import Header, Trailer
from relay.journal.moving.rows import (
    Claim,
    Moved,
    Note,
    Remembered,
    Row,
    Total,
)
from relay.journal.moving.standing import Standing
from relay.journal.moving.target import refuse_repetition
from relay.journal.moving.tokens import tokens_of
from relay.journal.sample import Sample
from relay.kafka.topics import ensure_topics
from relay.model import Arrival, DeadLetter, Event
from relay.postgres.database import Connection, Database

#: One import at a time, so that a row is not taken by two.
_LOCK = 7_266_511_907_302

#: Brokers that do not confirm are asked so often, with a pause in seconds.
_TRIES = 20
_PAUSE_S = 1.0


class ServersTarget:
    """Use as `async with ServersTarget(...)`; see `moving.target.Target`.

    Opening raises `TopicsMissing`, `DatabaseRefused`, `ConfigError`, `JournalLocked` while another
    import runs, and `JournalUnavailable`.
    """

    def __init__(
        self,
        settings: DistributedSettings,
        database: Database,
        clock: Clock,
        writer: TopicWriter,
    ) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._writer = writer
        self._days = Days()
        self._contents = ""
        self._first_place = 0
        self._standing = Standing()
        self._opened = contextlib.AsyncExitStack()

    async def __aenter__(self) -> ServersTarget:
        async with contextlib.AsyncExitStack() as opening:
            with as_journal():
                await opening.enter_async_context(self._database)
                await opening.enter_async_context(self._alone())
                await ensure_topics(
                    self._settings.kafka,
                    self._settings.topics.wanted(self._settings.destinations),
                )
                opening.push_async_callback(self._writer.close)
                await self._writer.open()
            self._opened = opening.pop_all()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._opened.aclose()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        async with self._database.connection() as connection:
            if not await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK):
                raise JournalLocked("another import into this database runs; wait for its end")
            try:
                yield
            finally:
                await connection.execute("select pg_advisory_unlock($1)", _LOCK)

    # --- the import as a whole --------------------------------------------------------------------

    async def begin(self, header: Header, trailer: Trailer) -> Standing:
        """See `moving.target.Target`."""
        self._contents = trailer.contents
        with as_journal():
            async with self._database.transaction() as connection:
                known = await connection.fetchrow(
                    "select first_place, standing from imports where id = $1", trailer.contents
                )
                if known is None:
                    await self._register(connection, header, trailer)
                else:
                    self._first_place = known["first_place"]
                    self._standing = standings.unpack(known["standing"].encode())
        return self._standing.copy()

    async def _register(self, connection: Connection, header: Header, trailer: Trailer) -> None:
        refuse_repetition(header, await identity.journals_of(connection))
        self._standing.journals = header.journals
        if header.salt is not None:
            # Samples keep their meaning where there are none yet; else they have none here.
            self._standing.keeps_samples = await sampled.take_salt(connection, header.salt)
        self._first_place = await connection.fetchval(
            "insert into imports (id, began_at, first_place, places, standing) "
            "select $1, $2, coalesce(max(first_place + places), 0), $3, $4 from imports "
            "returning first_place",
            trailer.contents, self._clock.now(), trailer.rows, self._standing.pack().decode(),
        )  # fmt: skip

    async def finish(self) -> Standing:
        """See `moving.target.Target`."""
        self._standing.done = True
        with as_journal():
            async with self._database.transaction() as connection:
                await self._store(connection, self._standing)
        return self._standing.copy()

    async def _store(self, connection: Connection, standing: Standing) -> None:
        await connection.execute(
            "update imports set standing = $2 where id = $1",
            self._contents, standing.pack().decode(),
        )  # fmt: skip

    # --- a batch ----------------------------------------------------------------------------------

    async def take(self, rows: Sequence[Row]) -> None:
        """See `moving.target.Target`."""
        later = self._standing.copy()
        placed = [
            (self._first_place + later.rows + at, row)
            for at, row in enumerate(rows)
            if isinstance(row, Moved)
        ]
        waiting = [(place, moved) for place, moved in placed if moved.outcome is None]
        if waiting:
            await self._reserve(waiting)
            await self._write(waiting)
        with as_journal():
            try:
                async with self._database.transaction() as connection:
                    await self._arrivals(connection, placed, later)
                    for kind, some in _by_kind(rows).items():
                        await self._put(connection, kind, some, later)
                    later.rows += len(rows)
                    await self._store(connection, later)
            except BaseException:
                self._days.forget()
                raise
        self._standing = later

    async def _reserve(self, waiting: Sequence[Placed]) -> None:
        with as_journal():
            try:
                async with self._database.transaction() as connection:
                    for destination, moved in _by_destination(each for _, each in waiting).items():
                        kept = {
                            key_of(destination, each.claim): Owner(
                                reserved_tag_of(each.receipt), each.accepted_at
                            )
                            for each in moved
                            if each.claim is not None
                        }
                        await self._set_down(connection, destination, kept)
            except BaseException:
                self._days.forget()
                raise

    async def _set_down(
        self, connection: Connection, destination: str | None, kept: dict[bytes, Owner]
    ) -> None:
        """Claims that last still."""
        window_s = self._settings.longest_window_s
        if destination is not None:
            window_s = self._settings.window_s(destination)
        since = self._clock.now() - window_s
        lasting = {key: owner for key, owner in kept.items() if owner.at > since}
        await claims.set_down(connection, self._days, lasting, since)

    async def _write(self, waiting: Iterable[Placed]) -> None:
        """Into the topics; brokers that are slow are asked again: what comes twice is known."""
        messages = [
            (self._settings.topics.of(moved.destination), _message(place, moved))
            for place, moved in waiting
        ]
        for tried in range(1, _TRIES + 1):
            try:
                await self._writer.write(messages)
            except JournalUnavailable:
                if tried == _TRIES:
                    raise
                await self._clock.sleep(_PAUSE_S)
            else:
                return

    async def _arrivals(
        self, connection: Connection, placed: Sequence[Placed], standing: Standing
    ) -> None:
        kept = []
        for place, moved in placed:
            if moved.outcome is None:
                standing.found["waiting"] += 1
                if moved.attempts:
                    kept.append((place, moved))
            else:
                standing.ended(moved)
                kept.append((place, moved))
        await history.add(connection, self._days, kept)
        ended = Counter(moved.destination for _, moved in placed if moved.outcome is not None)
        for destination, count in sorted(ended.items()):
            await ownership.book_elsewhere(connection, destination, count)

    async def _put(
        self, connection: Connection, kind: type, rows: Sequence[Any], standing: Standing
    ) -> None:
        """Rows of one kind that is no arrival."""
        word = _WORDS.get(kind, "")
        if kind is Sample and not standing.keeps_samples:
            word = "samples_left_out"
        elif kind is Total:
            await _totals(connection, rows, standing)
        elif kind is Claim:
            await self._claims(connection, rows)
        elif kind in moved_tables.STORED:
            await moved_tables.STORED[kind](connection, rows)
        if word:
            standing.found[word] += len(rows)

    async def _claims(self, connection: Connection, rows: Sequence[Claim]) -> None:
        by_name: defaultdict[str | None, dict[bytes, Owner]] = defaultdict(dict)
        for row in rows:
            name = row.destination
            key = row.claim if name is None else key_of(name, row.claim)
            by_name[name][key] = Owner(as_tag(row.tag), row.at)
        for name, kept in sorted(by_name.items(), key=lambda each: each[0] or ""):
            await self._set_down(connection, name, kept)


def _by_kind(rows: Sequence[Row]) -> dict[type, list[Row]]:
    found: defaultdict[type, list[Row]] = defaultdict(list)
    for row in rows:
        found[type(row)].append(row)
    return found


def _by_destination(moved: Iterable[Moved]) -> dict[str, list[Moved]]:
    found: defaultdict[str, list[Moved]] = defaultdict(list)
    for each in moved:
        found[each.destination].append(each)
    return dict(sorted(found.items()))


def _message(place: int, moved: Moved) -> message.Encoded:
    """As the door would have written it. What was wrong with fields was counted elsewhere."""
    body = moved.body or b""
    event = Event(
        moved.event or "", moved.event_id or "", moved.event_time or 0, body,
        moved.claim or b"", moved.order_id, moved.test_event_code,
        None if moved.value is None else Decimal(moved.value), moved.currency, moved.match_keys,
        (), tokens_of(moved.event_id, moved.order_id, body),
    )  # fmt: skip
    arrival = Arrival(moved.receipt, moved.source, moved.destination, event)
    return message.encode(arrival, moved.accepted_at, FromElsewhere(place, moved.unknown_since))


async def _totals(connection: Connection, rows: Sequence[Total], standing: Standing) -> None:
    for row in rows:
        count = standing.forgotten(row)
        standing.settled[row.destination] += count
        await ownership.book_elsewhere(connection, row.destination, count)


#: What rows are counted as, of those that a person is told of.
_WORDS: Final[Mapping[type, str]] = {
    Claim: "claims",
    Remembered: "remembered",
    DeadLetter: "dead_letters",
    Sample: "samples",
    Note: "notes",
}
