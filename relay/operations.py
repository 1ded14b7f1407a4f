"""The running relay as its operator sees it: `relay.operate.protocol.Operations`."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from relay.clock import Clock
from relay.config import Settings
from relay.deliver.breaker import LaneState
from relay.deliver.lane import Lane
from relay.journal.notes import check_key
from relay.journal.protocol import Archive, Journal
from relay.model import DeadLetter, Trace
from relay.operate.protocol import Health, NotesPage, ReplayResult
from relay.pipeline.accept import Acceptor, Route
from relay.pipeline.dispatch import Dispatcher
from relay.pipeline.imports import Fate, Imported, Importer
from relay.pipeline.replay import Replayer
from relay.telemetry import Telemetry
from relay.traces import OFF, Traces

#: A lane that runs and could send, but has done nothing for so long, in seconds, is stuck. Longer
#: than any request takes, and than any pause that a limiter makes.
_STUCK_AFTER_S = 120.0


#: One answer has notes of so many bytes together, or a single one that is longer.
_NOTES_BYTES = 4 * 2**20


class KafkaSource(Protocol):
    """What is asked of `relay.ingest.kafka.reader.Reader`."""

    def problems(self) -> Iterator[str]: ...

    def notes(self) -> Iterator[str]: ...


class RunningRelay(Protocol):
    """What is asked of `relay.app.Relay`."""

    settings: Settings
    telemetry: Telemetry
    journal: Journal
    routes: dict[str, Route]
    lanes: Mapping[str, Lane]
    dispatchers: dict[str, Dispatcher]

    @property
    def readers(self) -> Mapping[str, KafkaSource]: ...

    @property
    def is_open(self) -> bool: ...

    @property
    def failed_tasks(self) -> Mapping[str, str]: ...


class LiveOperations:
    """Answers from the relay that runs in this process; on its thread."""

    def __init__(
        self,
        relay: RunningRelay,
        replayer: Replayer,
        acceptor: Acceptor,
        clock: Clock,
        traces: Traces = OFF,
    ) -> None:
        self._relay = relay
        self._replayer = replayer
        self._clock = clock
        self._importer = Importer(
            relay.routes,
            acceptor,
            relay.journal,
            clock=clock,
            telemetry=relay.telemetry,
            traces=traces,
        )

    # --- how it is --------------------------------------------------------------------------------

    def health(self) -> Health:
        """Problems are what a restart may mend: a task that ended, a lane or a partition that is
        stuck. A topic that is not read any more is a note: a restart would stop there again, and
        shut the door."""
        problems = [f"{task}: ended by {error}" for task, error in self._relay.failed_tasks.items()]
        notes = []
        if not self._relay.journal.healthy:
            notes.append("journal: cannot store; it is opened again and again until it can")
        for name, lane in self._relay.lanes.items():
            if lane.status.state is not LaneState.RUNNING:
                notes.append(_pause(name, lane))
            elif self._is_stuck(name, lane):
                problems.append(f"lane {name}: runs, has events, and does nothing")
        for name, reader in self._relay.readers.items():
            problems += [f"source {name}: {problem}" for problem in reader.problems()]
            notes += [f"source {name}: {note}" for note in reader.notes()]
        return Health(not problems, problems, notes)

    def _is_stuck(self, name: str, lane: Lane) -> bool:
        available = self._relay.journal.available(name)
        if available.oldest_at is None or lane.status.in_flight or lane.status.parked_works:
            return False
        since = max(available.oldest_at, self._relay.dispatchers[name].progressed_at)
        return self._clock.now() - since > _STUCK_AFTER_S

    def ready(self) -> bool:
        journal = self._relay.journal
        return self._relay.is_open and journal.healthy and journal.has_room

    def metrics(self) -> bytes:
        return self._relay.telemetry.scraped()

    def stats(self) -> Mapping[str, Any]:
        journal = self._relay.journal
        counts = journal.counts()
        destinations = []
        for name in sorted({*counts, *self._relay.lanes}):
            waiting = journal.waiting(name)
            known = counts.get(name)
            destinations.append(
                {
                    "name": name,
                    "accepted": known.accepted if known else 0,
                    "settled": known.settled if known else 0,
                    "waiting": waiting.entries,
                    "size_bytes": waiting.size_bytes,
                    "oldest_at": waiting.oldest_at,
                    "gap": known.gap if known else 0,
                }
            )
        return {"destinations": destinations}

    def lanes(self) -> Sequence[Mapping[str, Any]]:
        return [{"name": name, **asdict(lane.status)} for name, lane in self._relay.lanes.items()]

    # --- what it knows ----------------------------------------------------------------------------

    async def find(self, token: str) -> Sequence[Trace]:
        return await self._relay.journal.find(token)

    async def dead_letters(self, destination: str | None, limit: int) -> Sequence[DeadLetter]:
        """The newest `limit`, oldest first."""
        newest: deque[DeadLetter] = deque(maxlen=limit)
        async for letter in self._relay.journal.dead_letters(destination):
            newest.append(letter)
        return newest

    async def notes(self, prefix: str, behind: str) -> NotesPage:
        check_key(prefix)
        found: dict[str, bytes] = {}
        size = 0
        async for key, value in self._relay.journal.notes(prefix):
            if key <= behind:
                continue
            size += len(value)
            if found and size > _NOTES_BYTES:
                return NotesPage(found, more=True)
            found[key] = value
        return NotesPage(found, more=False)

    async def last_audit(self) -> bytes | None:
        from relay.audit import archive  # noqa: PLC0415  # few relays audit: it takes 10 MB

        return await archive.last_report(self._relay.journal)

    # --- what it does -----------------------------------------------------------------------------

    async def replay(
        self,
        letter_ids: Sequence[str] | None,
        destination: str | None,
        *,
        dry_run: bool,
        force: bool,
    ) -> Sequence[ReplayResult]:
        chosen = choose(self._relay.journal, letter_ids, destination)
        return [each async for each in replay(self._replayer, chosen, dry_run=dry_run, force=force)]

    async def take_lines(
        self, source: str, file: str, first_line: int, items: Sequence[object]
    ) -> Mapping[str, Any]:
        return as_document(await self._importer.take(source, file, first_line, items))

    async def put_note(self, key: str, value: bytes) -> None:
        await self._relay.journal.put_note(key, value)

    async def drop_notes(self, prefix: str, before: str) -> None:
        await self._relay.journal.drop_notes(prefix, before)


#: A dead letter, or the id of one that there is not.
Chosen = DeadLetter | str


async def choose(
    archive: Archive,
    letter_ids: Sequence[str] | None,
    destination: str | None,
    limit: int | None = None,
) -> AsyncIterator[Chosen]:
    """These dead letters; with None all that were not replayed yet, oldest first."""
    left = sys.maxsize if limit is None else limit
    async for each in _chosen(archive, letter_ids, destination):
        if left <= 0:
            return
        left -= 1
        yield each


async def _chosen(
    archive: Archive, letter_ids: Sequence[str] | None, destination: str | None
) -> AsyncIterator[Chosen]:
    if letter_ids is not None:
        for each in letter_ids:
            yield await archive.dead_letter(each) or each
        return
    async for letter in archive.dead_letters(destination):
        if letter.replayed_at is None:
            yield letter


async def replay(
    replayer: Replayer, chosen: AsyncIterator[Chosen], *, dry_run: bool, force: bool
) -> AsyncIterator[ReplayResult]:
    """Replay one after the other."""
    async for letter in chosen:
        if isinstance(letter, str):
            yield ReplayResult(letter, "unknown_id")
            continue
        (done,) = await replayer.replay([letter], dry_run=dry_run, force=force)
        yield ReplayResult(done.letter_id, done.result.value, done.detail)


def as_document(imported: Imported) -> Mapping[str, Any]:
    """What `POST /api/import` answers."""
    counts = imported.counts
    return {
        "accepted": counts[Fate.ACCEPTED],
        "known": counts[Fate.KNOWN],
        "duplicates": counts[Fate.DUPLICATE],
        "ended": counts[Fate.EXPIRED] + counts[Fate.WITHHELD],
        "expired": counts[Fate.EXPIRED],
        "withheld": counts[Fate.WITHHELD],
        "left_out": counts[Fate.LEFT_OUT],
        "invalid": [
            {
                "line": each.line,
                "event_id": each.event_id,
                "errors": [error._asdict() for error in each.errors],
            }
            for each in imported.invalid
        ],
    }


def _pause(name: str, lane: Lane) -> str:
    status = lane.status
    cause = status.cause
    if cause is None:
        return f"lane {name}: {status.state.value}"
    answer = cause.code if cause.code is not None else cause.status or cause.error
    return f"lane {name}: {status.state.value} ({answer} {cause.name})"
