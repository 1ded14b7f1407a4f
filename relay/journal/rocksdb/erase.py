"""Erasing a person: what waits is withheld, what is recorded loses its body.

A shop passes on a person's wish to be forgotten as digests of the person's identifiers. The
records stay countable and findable by their ids, without anything of the person; what was sampled
of the person goes as a whole. The bytes leave
the disk when RocksDB next rewrites their file, at the latest with the day's log.

An entry that is on its way to TikTok in this moment is remembered, and erased once it is settled
or given back (`RocksJournal.upkeep`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rocksdict import WriteBatch

from relay.journal import chunk, layout, ledger
from relay.journal.chunk import Chunk
from relay.journal.queue import Queue
from relay.journal.rocksdb.folder import DEAD, LOG, META, SAMPLES
from relay.journal.rocksdb.memory import Memory
from relay.journal.rocksdb.scan import row_at_or_before
from relay.journal.rocksdb.search import Search
from relay.journal.rocksdb.settle import SettleJob, Settler
from relay.journal.rocksdb.state import State
from relay.model import Entry, Outcome, Reason, Settlement

_ERASED = b"{}"

#: A chunk that is written anew: its day, and what it holds now.
_Rewrite = tuple[str, Chunk]


@dataclass(slots=True)
class EraseJob:
    """Digests (64 lower-case hex) of one person, and where they occur."""

    digests: Sequence[str]
    seqs: Mapping[str, set[int]] = field(default_factory=dict)
    letters: Sequence[str] = ()
    samples: Sequence[bytes] = ()


def entries_of(search: Search, digests: Sequence[str]) -> dict[str, set[int]]:
    """Where entries of the person may be: seqs by destination. Reads all fingerprints."""
    found: dict[str, set[int]] = {}
    for digest in digests:
        for place in search.places(digest):
            if place.kind == b"e":
                found.setdefault(place.queue.destination, set()).add(place.seq)
    return found


def letters_of(search: Search, digests: Sequence[str]) -> list[str]:
    """The person's dead letters."""
    return [
        letter.letter_id
        for letter in search.dead_letters()
        if letter.wire is not None and _mentions(letter.wire, digests)
    ]


def samples_of(search: Search, digests: Sequence[str], seqs: Mapping[str, set[int]]) -> list[bytes]:
    """Keys of the samples whose buyer is the person, or whose event: its buyer may be named by
    another identifier. `seqs` is where the person's entries may be. Reads all samples."""
    sampler = search.books.sampler()
    if sampler is None:
        return []
    buyers = {sampler.digest_of_person(digest) for digest in digests}
    events = {
        sampler.digest(entry.event_id)
        for entry in search.entries(seqs)
        if _mentions(entry.body, digests)
    }
    samples = search.books.samples(None, 0, ledger.LAST_HOUR)
    return [key for key, sample in samples if sample.buyer in buyers or sample.event_id in events]


class Eraser:
    """Turns erase jobs into rows."""

    def __init__(self, state: State, settler: Settler, memory: Memory) -> None:
        self._state = state
        self._settler = settler
        self._memory = memory

    def write(self, jobs: Sequence[EraseJob], batch: WriteBatch, now: float) -> list[int]:
        """Put all jobs of a group into `batch`; returns how many events lost their body by each."""
        # Two jobs may change the same chunk: the second one goes on with what the first one made.
        chunks: dict[tuple[int, int], _Rewrite] = {}
        counts = [self._erase(job, chunks, batch, now) for job in jobs]
        for (lane, first), (day, stored) in chunks.items():
            key = layout.row_key(b"e", lane, first)
            batch.put(key, chunk.pack(stored), self._state.folder.handle(LOG + day))
            self._memory.drop(lane, first)
        return counts

    def _erase(
        self,
        job: EraseJob,
        chunks: dict[tuple[int, int], _Rewrite],
        batch: WriteBatch,
        now: float,
    ) -> int:
        count = 0
        for destination, seqs in job.seqs.items():
            queue = self._state.queues[destination]
            behind = 0
            for seq in sorted(seqs):
                found = self._chunk(queue, seq) if seq >= behind else None
                if found is None:
                    continue
                day, first, stored = found
                day, stored = chunks.get((queue.number, first), (day, stored))
                behind = first + stored.size
                hits = self._hits(queue, stored.entries(first), job.digests, batch)
                for entry in hits:
                    self._forget_sample(queue, entry, batch)
                if hits:
                    count += len(hits)
                    self._withhold(queue, hits, batch, now)
                    chunks[queue.number, first] = day, _without(stored, first, hits)
            self._done(queue, job, batch)
        for letter_id in job.letters:
            batch.delete(bytes.fromhex(letter_id), self._state.folder.handle(DEAD))
        for key in job.samples:
            batch.delete(key, self._state.folder.handle(SAMPLES))
        return count

    def _chunk(self, queue: Queue, seq: int) -> tuple[str, int, Chunk] | None:
        """Day, first seq and chunk of an entry; None when it is gone."""
        day = queue.day_of(seq)
        if day is None or LOG + day not in self._state.folder.names:
            return None
        prefix, key = layout.lane_key(b"e", queue.number), layout.row_key(b"e", queue.number, seq)
        family = self._state.folder.family(LOG + day)
        row = row_at_or_before(family, key, prefix, chunk.MAX_ENTRIES)
        try:
            return None if row is None else (day, layout.row_seq(row[0]), chunk.unpack(row[1]))
        except ValueError:
            return None

    def _hits(
        self, queue: Queue, entries: Sequence[Entry], digests: Sequence[str], batch: WriteBatch
    ) -> list[Entry]:
        """The person's entries among these, but for those on their way: they are remembered."""
        hits = []
        meta = self._state.folder.handle(META)
        for entry in entries:
            if not _mentions(entry.body, digests):
                continue
            place = (queue.number, entry.seq)
            key = layout.row_key(b"x", *place)
            if queue.is_on_its_way(entry.seq):
                wanted = sorted({*self._state.to_erase.get(place, ()), *digests})
                self._state.to_erase[place] = wanted
                batch.put(key, layout.json(wanted), meta)
                continue
            hits.append(entry)
        return hits

    def _forget_sample(self, queue: Queue, entry: Entry, batch: WriteBatch) -> None:
        """One that was made since the job looked; it is named by its entry."""
        hour = ledger.hour_of(entry.event_time)
        key = layout.sample_key(hour, queue.number, entry.seq)
        batch.delete(key, self._state.folder.handle(SAMPLES))

    def _done(self, queue: Queue, job: EraseJob, batch: WriteBatch) -> None:
        """Forget what was to be done later, and is done with this job."""
        for seq in job.seqs[queue.destination]:
            wanted = self._state.to_erase.get((queue.number, seq), ())
            if wanted and set(wanted) <= set(job.digests) and not queue.is_on_its_way(seq):
                del self._state.to_erase[queue.number, seq]
                batch.delete(
                    layout.row_key(b"x", queue.number, seq), self._state.folder.handle(META)
                )

    def _withhold(self, queue: Queue, hits: Sequence[Entry], batch: WriteBatch, now: float) -> None:
        waiting = [entry for entry in hits if entry.seq not in queue.settled]
        if waiting:
            settlement = Settlement(waiting, Outcome.WITHHELD, Reason.ERASED)
            self._settler.write(SettleJob(queue.destination, None, [settlement], ()), batch, now)


def _without(stored: Chunk, first: int, hits: Sequence[Entry]) -> Chunk:
    gone = {entry.seq - first for entry in hits}
    bodies = [_ERASED if at in gone else body for at, body in enumerate(stored.bodies)]
    return chunk.with_bodies(stored, bodies)


def _mentions(body: bytes, digests: Sequence[str]) -> bool:
    return any(digest.encode() in body for digest in digests)
