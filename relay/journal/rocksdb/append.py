"""Appending: claim, chunk, door record, fingerprints, counters and sums as one write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rocksdict import WriteBatch

from relay.journal import chunk, door, fingerprint, layout, ledger
from relay.journal.issues import Noted
from relay.journal.queue import Queue
from relay.journal.receipts import is_dead_letter, may_come_again
from relay.journal.rocksdb import claims
from relay.journal.rocksdb.folder import CLAIMS, LOG
from relay.journal.rocksdb.letters import Letters
from relay.journal.rocksdb.memory import Memory
from relay.journal.rocksdb.state import State
from relay.model import Answer, Arrival, Event, Outcome, Reason

_WAITS = Answer(None, None)
_KNOWN = Answer(None, None, known=True)
_DUPLICATE = Answer(Outcome.DUPLICATE, Reason.SAME_EVENT)

#: The seq in a claim that belongs to a receipt and to no entry.
NO_ENTRY = 2**64 - 1


@dataclass(slots=True)
class AppendJob:
    """Arrivals that are to be stored together, and what their source wants remembered."""

    arrivals: Sequence[Arrival]
    remember: Mapping[bytes, bytes]


@dataclass(slots=True)
class _Section:
    """What one group commit adds for one destination."""

    queue: Queue
    lane: bytes
    window_s: float
    next_seq: int
    events: list[Arrival] = field(default_factory=list)
    prints: list[int] = field(default_factory=list)
    settled: list[door.DoorRecord] = field(default_factory=list)
    tests: set[int] = field(default_factory=set)  # which of the settled are test events
    noted: list[Noted] = field(default_factory=list)

    def wait(self, arrival: Arrival, event: Event, print_: int) -> None:
        self.events.append(arrival)
        self.prints.append(print_)
        if event.issues and event.test_event_code is None:
            self.noted.append(Noted(event.name, event.event_time, event.issues))

    def end(self, arrival: Arrival, answer: Answer) -> None:
        result = arrival.result
        if isinstance(result, Event):
            if result.test_event_code is not None:
                self.tests.add(len(self.settled))
        elif result.errors:
            self.noted.append(Noted(result.name, result.event_time, result.errors))
        self.settled.append(door.of_arrival(arrival, answer))


class Appender:
    """Turns append jobs into rows. `window_s` says how long a destination's claims last."""

    def __init__(
        self, state: State, letters: Letters, window_s: Callable[[str], float], memory: Memory
    ) -> None:
        self._state = state
        self._letters = letters
        self._window_s = window_s
        self._memory = memory

    def write(
        self, jobs: Sequence[AppendJob], batch: WriteBatch, now: float
    ) -> Sequence[Sequence[Answer]]:
        """Put all jobs into `batch`; one list of answers per job, in the arrivals' order."""
        group = _Group(self._state, batch, now)
        group.ask([arrival for job in jobs for arrival in job.arrivals], self._window_s)
        answers = [[group.place(arrival) for arrival in job.arrivals] for job in jobs]
        for job in jobs:
            for name, value in job.remember.items():
                batch.put(layout.REMEMBERED + name, value, group.claims)
        for section in group.sections.values():
            self._store(section, batch, now)
        self._state.store_ledger(batch)
        return answers

    def _store(self, section: _Section, batch: WriteBatch, now: float) -> None:
        queue = section.queue
        if not section.events and not section.settled:
            return
        self._state.mark_day(queue, batch)
        events = section.events
        sizes = [len(each.result.wire) for each in events if isinstance(each.result, Event)]
        for start, end in chunk.portions(sizes):
            self._store_chunk(queue, events[start:end], section.prints[start:end], batch, now)
        most = layout.MAX_DOOR_RECORDS
        for start in range(0, len(section.settled), most):
            self._store_door(queue, section.settled[start : start + most], batch, now)
        self._sum_up(section, now)
        self._state.store_counters(queue, batch)

    def _store_chunk(
        self,
        queue: Queue,
        arrivals: Sequence[Arrival],
        prints: Sequence[int],
        batch: WriteBatch,
        now: float,
    ) -> None:
        log = self._state.folder.handle(LOG + self._state.today)
        first = queue.next_seq
        stored = chunk.of_arrivals(now, arrivals)
        batch.put(layout.row_key(b"e", queue.number, first), chunk.pack(stored), log)
        tokens = [each.result.tokens for each in arrivals if isinstance(each.result, Event)]
        key = layout.index_key(queue.number, b"e", first)
        batch.put(key, fingerprint.row(prints, tokens), log)
        queue.appended(now, len(arrivals), stored.size_bytes)
        self._memory.keep(queue.number, first, stored)

    def _store_door(
        self, queue: Queue, records: Sequence[door.DoorRecord], batch: WriteBatch, now: float
    ) -> None:
        log = self._state.folder.handle(LOG + self._state.today)
        first = queue.next_door
        batch.put(layout.row_key(b"d", queue.number, first), door.pack(now, records), log)
        prints = [layout.receipt_tag(record.receipt.encode())[0] for record in records]
        key = layout.index_key(queue.number, b"d", first)
        batch.put(key, fingerprint.row(prints, [record.tokens for record in records]), log)
        for place, record in enumerate(records, first):
            if is_dead_letter(record.receipt, record.outcome):
                self._letters.bury_at_door(queue, place, record, batch, now)
        queue.settled_at_door(len(records))

    def _sum_up(self, section: _Section, now: float) -> None:
        ended: defaultdict[tuple[int, str, str], list[tuple[str, bool]]] = defaultdict(list)
        for place, record in enumerate(section.settled):
            at = now if record.event_time is None else record.event_time
            line = ledger.hour_of(at), record.name or "", record.outcome
            ended[line].append((record.reason, place in section.tests))
        for (hour, name, outcome), each in ended.items():
            self._state.book(section.queue, hour, name, outcome, ledger.sum_at_door(each))
        self._state.note_issues(section.queue, section.noted, now)


class _Group:
    """One group commit on its way into a batch."""

    def __init__(self, state: State, batch: WriteBatch, now: float) -> None:
        self._state = state
        self._batch = batch
        self._now = now
        self._owners: dict[bytes, bytes | None] = {}
        self.claims = state.folder.handle(CLAIMS + state.today)
        self.sections: dict[str, _Section] = {}

    def ask(self, arrivals: Sequence[Arrival], window_s: Callable[[str], float]) -> None:
        """Look up every claim that these arrivals could meet."""
        sections = self.sections
        keys = []
        for receipt, _, destination, result in arrivals:
            section = sections.get(destination)
            if section is None:
                queue = self._state.queue(destination, self._batch)
                lane = layout.claim_key(queue.number, b"")
                section = _Section(queue, lane, window_s(destination), queue.next_seq)
                sections[destination] = section
            if isinstance(result, Event):
                keys.append(section.lane + result.claim)
            if may_come_again(receipt):
                keys.append(layout.receipt_claim_key(section.queue.number, receipt))
        self._owners = dict(zip(keys, claims.lookup(self._state.folder, keys), strict=True))

    def place(self, arrival: Arrival) -> Answer:
        """Decide about one arrival, and put it where it belongs."""
        receipt, _, destination, result = arrival
        section = self.sections[destination]
        tag = layout.receipt_tag(receipt.encode())
        own = None
        if may_come_again(receipt):
            own = layout.receipt_claim_key(section.queue.number, receipt)
        if own is not None and self._owners[own] is not None:
            return _KNOWN
        if isinstance(result, Event):
            answer = self._claim(section, result, tag)
            if answer is _WAITS:
                section.wait(arrival, result, tag[0])
            if answer is not _DUPLICATE:
                return answer
        else:
            answer = Answer(result.outcome, result.reason)
        section.end(arrival, answer)
        if own is not None:
            self._put(own, layout.pack_claim(NO_ENTRY, self._now, tag))
        return answer

    def _claim(self, section: _Section, event: Event, tag: tuple[int, int]) -> Answer:
        key = section.lane + event.claim
        owner = self._owners[key]
        if owner is not None:
            _, at, owners_tag = layout.unpack_claim(owner)
            if owners_tag == tag:
                return _KNOWN
            if self._now - at < section.window_s:
                return _DUPLICATE
        self._put(key, layout.pack_claim(section.next_seq, self._now, tag))
        section.next_seq += 1
        return _WAITS

    def _put(self, key: bytes, claim: bytes) -> None:
        self._owners[key] = claim
        self._batch.put(key, claim, self.claims)
