"""What the journal holds, read row by row from its files: every arrival, and how it ended.

Nothing here asks the relay: it could be wrong about itself. It may run meanwhile.
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from relay.journal import layout
from relay.journal.queue import Queue
from relay.journal.rocksdb.folder import LOG, Folder
from relay.journal.rocksdb.scan import rows
from relay.journal.rocksdb.search import Search
from relay.journal.rocksdb.state import State
from relay.model import Counts, DeadLetter

#: How an arrival ended; "waiting" where it has not.
WAITING = "waiting"


@dataclass(slots=True)
class Accounts:
    """`outcomes` counts arrivals by (source, outcome), `receipts` those of a source by the request
    (or file) that brought them; `counts` are the journal's own counters."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    receipts: Counter[tuple[str, str]] = field(default_factory=Counter)
    counts: list[Counts] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)

    def of(self, source: str | None = None, outcome: str | None = None) -> int:
        """How many arrivals, of this source, that ended so."""
        return sum(
            count
            for (its_source, its_outcome), count in self.outcomes.items()
            if source in (None, its_source) and outcome in (None, its_outcome)
        )


def read(path: Path) -> Accounts:
    """Every arrival of the journal at `path`. Raises `JournalError`."""
    accounts = Accounts()
    folder = Folder(path, read_only=True)
    try:
        state = State(folder)
        for queue in state.queues.values():
            counters = queue.counters()
            accounts.counts.append(Counts(counters.accepted, counters.settled, queue.waiting))
            for receipt, source, outcome in _arrivals(folder, queue):
                accounts.outcomes[source, outcome] += 1
                accounts.receipts[source, receipt.rpartition("/")[0]] += 1
        accounts.dead_letters = list(Search(state).dead_letters())
    finally:
        folder.close()
    return accounts


def _arrivals(folder: Folder, queue: Queue) -> Iterator[tuple[str, str, str]]:
    """(receipt, source, outcome) of every arrival of one destination."""
    ends = _Ends(folder, queue)
    for day in folder.days(LOG):
        family = folder.family(LOG + day)
        for key, value in rows(family, *_all(b"e", queue)):
            for entry in layout.unpack_chunk(layout.row_seq(key), value):
                yield entry.receipt, entry.source, ends.of(entry.seq)
        for _, value in rows(family, *_all(b"d", queue)):
            for record in layout.unpack_door(value)[1]:
                yield record.receipt, record.source, record.outcome


class _Ends:
    """Which entries of a destination ended how: intervals, in order."""

    def __init__(self, folder: Folder, queue: Queue) -> None:
        found: list[tuple[int, int, str]] = []
        for day in folder.days(LOG):
            for _, value in rows(folder.family(LOG + day), *_all(b"a", queue)):
                settled: Sequence[tuple[int, int, str, str]] = layout.parse(value)["settled"]
                found += [(start, end, outcome) for start, end, outcome, _ in settled]
        self._intervals = sorted(found)
        self._starts = [start for start, _, _ in self._intervals]

    def of(self, seq: int) -> str:
        place = bisect.bisect_right(self._starts, seq) - 1
        if place >= 0:
            start, end, outcome = self._intervals[place]
            if start <= seq < end:
                return outcome
        return WAITING


def _all(kind: bytes, queue: Queue) -> tuple[bytes, bytes]:
    return layout.lane_key(kind, queue.number), layout.lane_key(kind, queue.number + 1)
