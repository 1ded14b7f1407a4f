"""Erasing a person: what waits is withheld, what is recorded loses its body.

A shop passes on a person's wish to be forgotten as digests of the person's identifiers. The
records stay countable and findable by their ids, without anything of the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from rocksdict import WriteBatch

from relay.journal import layout
from relay.journal.queue import Queue
from relay.journal.rocksdb.folder import DEAD, LOG
from relay.journal.rocksdb.scan import row_at_or_before
from relay.journal.rocksdb.search import Search
from relay.journal.rocksdb.settle import SettleJob, Settler
from relay.journal.rocksdb.state import State
from relay.model import Entry, Event, Outcome, Reason, Settlement

_ERASED = b"{}"


@dataclass(slots=True)
class EraseJob:
    """Digests (64 lower-case hex) of one person."""

    digests: Sequence[str]


class Eraser:
    """Turns erase jobs into rows."""

    def __init__(self, state: State, settler: Settler) -> None:
        self._state = state
        self._settler = settler

    def write(self, job: EraseJob, batch: WriteBatch, now: float) -> int:
        """Put the erasure into `batch`; returns how many events lost their body.

        Entries that are on their way to TikTok in this moment keep theirs: ask again later.
        """
        erased = 0
        search = Search(self._state)
        for queue in self._state.queues.values():
            seqs = {
                seq
                for digest in job.digests
                for kind, seq in search.located(queue, digest)
                if kind == b"e"
            }
            erased += sum([self._erase(queue, seq, job, batch, now) for seq in sorted(seqs)])
        for letter in list(search.dead_letters()):
            if _mentions(letter.wire, job.digests):
                batch.delete(bytes.fromhex(letter.letter_id), self._state.folder.handle(DEAD))
        return erased

    def _erase(self, queue: Queue, seq: int, job: EraseJob, batch: WriteBatch, now: float) -> int:
        day = queue.day_of(seq)
        if day is None or LOG + day not in self._state.folder.names or queue.is_taken(seq):
            return 0
        prefix = layout.lane_key(b"e", queue.number)
        key = layout.row_key(b"e", queue.number, seq)
        row = row_at_or_before(self._state.folder.family(LOG + day), key, prefix)
        if row is None:
            return 0
        chunk = layout.unpack_chunk(layout.row_seq(row[0]), row[1])
        hits = [entry for entry in chunk if _mentions(entry.body, job.digests)]
        open_hits = [entry for entry in hits if entry.seq not in queue.settled]
        if any(queue.is_taken(entry.seq) for entry in open_hits) or not hits:
            return 0
        if open_hits:
            settlement = Settlement(open_hits, Outcome.WITHHELD, Reason.ERASED)
            self._settler.write(SettleJob(queue.destination, None, [settlement], ()), batch, now)
        gone = {entry.seq for entry in hits}
        rows = [_as_row(entry, erased=entry.seq in gone) for entry in chunk]
        value = layout.pack_chunk(chunk[0].accepted_at, rows)
        batch.put(row[0], value, self._state.folder.handle(LOG + day))
        return 1


def _mentions(body: bytes, digests: Sequence[str]) -> bool:
    return any(digest.encode() in body for digest in digests)


def _as_row(entry: Entry, *, erased: bool) -> tuple[str, str, Event]:
    event = Event(
        entry.name, entry.event_id, entry.event_time, _ERASED if erased else entry.body, b"",
        entry.order_id, entry.test_event_code,
        None if entry.value is None else Decimal(entry.value), entry.currency, entry.match_keys,
        (), (),
    )  # fmt: skip
    return entry.receipt, entry.source, event
