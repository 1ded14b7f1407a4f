"""Appending: claim, chunk, door record, fingerprints, counters and sums as one write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rocksdict import WriteBatch

from relay.journal import layout, ledger
from relay.journal.queue import Queue
from relay.journal.rocksdb import claims
from relay.journal.rocksdb.folder import CLAIMS, LOG
from relay.journal.rocksdb.state import State
from relay.model import Answer, Arrival, Event, Outcome, Reason, Refusal

_WAITS = Answer(None, None)
_KNOWN = Answer(None, None, known=True)
_DUPLICATE = Answer(Outcome.DUPLICATE, Reason.SAME_EVENT)


@dataclass(slots=True)
class AppendJob:
    """Arrivals that are to be stored together, and what their source wants remembered."""

    arrivals: Sequence[Arrival]
    remember: Mapping[bytes, bytes]


@dataclass(slots=True)
class _Section:
    """What one group commit adds for one destination."""

    queue: Queue
    events: list[tuple[str, str, Event]] = field(default_factory=list)
    settled: list[layout.DoorRecord] = field(default_factory=list)


class Appender:
    """Turns append jobs into rows. `window_s` says how long a destination's claims last."""

    def __init__(self, state: State, window_s: Callable[[str], float]) -> None:
        self._state = state
        self._window_s = window_s

    def write(
        self, jobs: Sequence[AppendJob], batch: WriteBatch, now: float
    ) -> list[Sequence[Answer]]:
        """Put all jobs into `batch`; one list of answers per job, in the arrivals' order."""
        self._state.open_day(now)
        sections: dict[str, _Section] = {}
        keys = [self._key(arrival, sections, batch) for job in jobs for arrival in job.arrivals]
        asked = [key for key in keys if key is not None]
        owners = dict(zip(asked, claims.lookup(self._state.folder, asked), strict=True))
        handle = self._state.folder.handle(CLAIMS + self._state.today)
        answers: list[Sequence[Answer]] = []
        position = 0
        for job in jobs:
            answered = []
            for arrival in job.arrivals:
                key = keys[position]
                position += 1
                section = sections[arrival.destination]
                digest = layout.receipt_digest(arrival.receipt)
                answer = self._answer(arrival, owners.get(key) if key else None, digest, now)
                if not answer.known:
                    seq = self._enter(section, arrival, answer)
                    if key is not None and answer.outcome is not Outcome.DUPLICATE:
                        claim = owners[key] = layout.pack_claim(seq, now, digest)
                        batch.put(key, claim, handle)
                answered.append(answer)
            for name, value in job.remember.items():
                batch.put(layout.REMEMBERED + name, value, handle)
            answers.append(answered)
        for section in sections.values():
            self._store(section, batch, now)
        self._state.store_ledger(batch)
        return answers

    def _key(
        self, arrival: Arrival, sections: dict[str, _Section], batch: WriteBatch
    ) -> bytes | None:
        """The claim to ask for: the event's, or the receipt's where a source may read again."""
        section = sections.get(arrival.destination)
        if section is None:
            section = _Section(self._state.queue(arrival.destination, batch))
            sections[arrival.destination] = section
        result = arrival.result
        if isinstance(result, Event):
            claim = layout.claim_digest(result.name, result.event_id)
            return layout.claim_key(section.queue.number, claim)
        if arrival.receipt.startswith("http:"):  # a request id is never used twice
            return None
        return layout.receipt_claim_key(section.queue.number, arrival.receipt)

    def _answer(self, arrival: Arrival, owner: bytes | None, digest: bytes, now: float) -> Answer:
        result = arrival.result
        if owner is not None:
            claim = layout.unpack_claim(owner)
            if claim.receipt == digest:
                return _KNOWN
            if isinstance(result, Event) and now - claim.at < self._window_s(arrival.destination):
                return _DUPLICATE
        if isinstance(result, Refusal):
            return Answer(result.outcome, result.reason)
        return _WAITS

    @staticmethod
    def _enter(section: _Section, arrival: Arrival, answer: Answer) -> int:
        """Add the arrival to its section; returns the seq (of an entry or a door record)."""
        receipt, source, _, result = arrival
        if answer.outcome is None and isinstance(result, Event):
            section.events.append((receipt, source, result))
            return section.queue.next_seq + len(section.events) - 1
        outcome, reason = str(answer.outcome), str(answer.reason)
        section.settled.append(layout.door_record(receipt, source, result, outcome, reason))
        return section.queue.next_door + len(section.settled) - 1

    def _store(self, section: _Section, batch: WriteBatch, now: float) -> None:
        queue = section.queue
        if not section.events and not section.settled:
            return
        self._state.mark_day(queue, batch)
        for start in range(0, len(section.events), layout.MAX_CHUNK):
            self._store_chunk(queue, section.events[start : start + layout.MAX_CHUNK], batch, now)
        if section.settled:
            self._store_door(queue, section.settled, batch, now)
        queue.accepted += len(section.events) + len(section.settled)
        queue.settled_count += len(section.settled)
        self._state.store_counters(queue, batch)

    def _store_chunk(
        self, queue: Queue, rows: Sequence[tuple[str, str, Event]], batch: WriteBatch, now: float
    ) -> None:
        log = self._state.folder.handle(LOG + self._state.today)
        size = sum([len(event.wire) for _, _, event in rows])
        first = queue.appended(now, len(rows), size)
        batch.put(layout.row_key(b"e", queue.number, first), layout.pack_chunk(now, rows), log)
        tokens = [
            (offset, token)
            for offset, (receipt, _, event) in enumerate(rows)
            for token in (receipt.encode(), *event.tokens)
        ]
        key = layout.index_key(queue.number, b"e", first)
        batch.put(key, layout.fingerprints(tokens), log)

    def _store_door(
        self, queue: Queue, records: Sequence[layout.DoorRecord], batch: WriteBatch, now: float
    ) -> None:
        log = self._state.folder.handle(LOG + self._state.today)
        first = queue.next_door
        queue.next_door += len(records)
        batch.put(layout.row_key(b"d", queue.number, first), layout.pack_door(now, records), log)
        tokens = [
            (offset, token.encode())
            for offset, record in enumerate(records)
            for token in (record.receipt, record.event_id, record.order_id)
            if token
        ]
        key = layout.index_key(queue.number, b"d", first)
        batch.put(key, layout.fingerprints(tokens), log)
        for record in records:
            hour = ledger.hour_of(record.event_time, now)
            self._state.book(queue, hour, record.name or "", record.outcome, ledger.Sums(1))
