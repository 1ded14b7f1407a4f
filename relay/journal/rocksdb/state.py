"""What the journal keeps in memory: a queue per destination, and the sums in use.

All of it is stored as well; `load` takes it from the folder, at start and after a failure.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from rocksdict import WriteBatch

from relay.journal import issues, layout, ledger
from relay.journal.issues import Noted
from relay.journal.queue import Queue
from relay.journal.rocksdb.folder import CLAIMS, ISSUES, LEDGER, LOG, META, Folder
from relay.journal.rocksdb.scan import rows
from relay.journal.rocksdb.tallies import Tallies
from relay.journal.sampling import SALT_BYTES, Sampler


class State:
    """Queues and ledger of one folder. `on_damage` is told how many records could not be read."""

    def __init__(
        self, folder: Folder, on_damage: Callable[[int], None] = lambda records: None
    ) -> None:
        self.folder = folder
        self.queues: dict[str, Queue] = {}
        #: Bodies that are to be erased once their entries are not on their way any more.
        self.to_erase: dict[tuple[int, int], list[str]] = {}
        self.today = ""
        self._ledger = Tallies(LEDGER, ledger.unpack_row, ledger.pack_row, on_damage)
        self._issues = Tallies(ISSUES, issues.unpack_row, issues.pack_row, on_damage)
        self._sampler: Sampler | None = None
        self.load(folder)

    def load(self, folder: Folder) -> None:
        """Take over what is stored. Queues that exist keep what they have taken.

        Raises `Damaged` when that cannot be read, see `rebuild`.
        """
        self.folder = folder
        self.forget_ledger()
        self._sampler = None  # its salt may not have been stored
        lanes: dict[str, int] = layout.parse(folder.get(META, b"lanes") or b"{}")
        for destination, number in lanes.items():
            queue = self.queues.setdefault(destination, Queue(destination, number))
            self._load_queue(queue)
        for stranger in self.queues.keys() - lanes.keys():
            del self.queues[stranger]
        self.to_erase = _to_erase(folder)
        self.today = max(folder.days(LOG), default="")

    def _load_queue(self, queue: Queue) -> None:
        stored = self.folder.get(META, layout.lane_key(b"c", queue.number))
        counters = layout.unpack_counters(stored) if stored else layout.Counters()
        settled = self.folder.get(META, layout.lane_key(b"s", queue.number)) or b"[]"
        queue.load(counters, layout.parse(settled))
        days = self.folder.get(META, layout.lane_key(b"d", queue.number)) or b"[]"
        queue.days = [(first, door, day) for first, door, day in layout.parse(days)]

    # --- days and lanes ---------------------------------------------------------------------------

    def open_day(self, now: float, batch: WriteBatch) -> None:
        """Have column families for the day of `now`; never goes back to an earlier day."""
        day = max(layout.day_name(now), self.today)
        names = self.folder.names
        if day == self.today and LOG + day in names and CLAIMS + day in names:
            return
        self.folder.create(LOG + day)
        self.folder.create(CLAIMS + day)
        self.today = day
        self._store_lanes(batch)

    def queue(self, destination: str, batch: WriteBatch) -> Queue:
        """The destination's queue, made (and stored with `batch`) when it is new."""
        queue = self.queues.get(destination)
        if queue is None:
            number = 1 + max([known.number for known in self.queues.values()], default=-1)
            queue = self.queues[destination] = Queue(destination, number)
            self._store_lanes(batch)
        return queue

    def _store_lanes(self, batch: WriteBatch) -> None:
        """The lanes, and a copy of them in the day's log: without them nothing there is of use."""
        lanes = layout.json({name: known.number for name, known in self.queues.items()})
        batch.put(b"lanes", lanes, self.folder.handle(META))
        batch.put(b"l", lanes, self.folder.handle(LOG + self.today))

    def mark_day(self, queue: Queue, batch: WriteBatch) -> None:
        """Remember where today's seqs of this queue begin."""
        if queue.days and queue.days[-1][2] == self.today:
            return
        known = set(self.folder.days(LOG))
        queue.days = [
            *(day for day in queue.days if day[2] in known),
            (queue.next_seq, queue.next_door, self.today),
        ]
        key = layout.lane_key(b"d", queue.number)
        batch.put(key, layout.json(queue.days), self.folder.handle(META))

    def store_counters(self, queue: Queue, batch: WriteBatch) -> None:
        key = layout.lane_key(b"c", queue.number)
        batch.put(key, layout.pack_counters(queue.counters()), self.folder.handle(META))

    def store_settled(self, queue: Queue, batch: WriteBatch) -> None:
        key = layout.lane_key(b"s", queue.number)
        batch.put(key, layout.json(list(queue.settled)), self.folder.handle(META))

    # --- ledger -----------------------------------------------------------------------------------

    def book(self, queue: Queue, hour: int, name: str, outcome: str, sums: ledger.Sums) -> None:
        """Add sums to a ledger row; `store_ledger` writes the rows that changed."""
        key = layout.ledger_key(hour, queue.number, name)
        ledger.add_to(self._ledger.changing(self.folder, key), outcome, sums)

    def note_issues(self, queue: Queue, noted: Iterable[Noted], now: float) -> None:
        """Count field issues; `store_ledger` writes them, too."""
        for (hour, name), counts in issues.count(noted, now).items():
            self.book_issues(queue, hour, name, counts)

    def book_issues(self, queue: Queue, hour: int, name: str, counts: issues.Row) -> None:
        """Add counts of field issues, which `store_ledger` writes, too."""
        key = layout.ledger_key(hour, queue.number, name)
        self._issues.changing(self.folder, key).update(counts)

    def store_ledger(self, batch: WriteBatch) -> None:
        self._ledger.store(self.folder, batch)
        self._issues.store(self.folder, batch)

    def forget_ledger(self) -> None:
        """Forget sums that were not stored."""
        self._ledger.forget()
        self._issues.forget()

    # --- samples ----------------------------------------------------------------------------------

    def sampler(self, batch: WriteBatch) -> Sampler:
        """The folder's sampler; its salt is made (and stored with `batch`) when it is new."""
        if self._sampler is None:
            salt = self.folder.get(META, b"salt")
            if salt is None:
                salt = os.urandom(SALT_BYTES)
                batch.put(b"salt", salt, self.folder.handle(META))
            self._sampler = Sampler(salt)
        return self._sampler


def _to_erase(folder: Folder) -> dict[tuple[int, int], list[str]]:
    return {
        (int.from_bytes(key[1:3], "big"), layout.row_seq(key)): layout.parse(digests)
        for key, digests in rows(folder.family(META), b"x", b"y")
    }
