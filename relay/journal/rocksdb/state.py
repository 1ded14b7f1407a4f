"""What the journal keeps in memory: a queue per destination and the ledger rows in use.

All of it is stored as well; `load` takes it from the folder, at start and after a failure.
"""

from __future__ import annotations

from collections.abc import Callable

from rocksdict import WriteBatch

from relay.journal import layout, ledger
from relay.journal.queue import Queue
from relay.journal.rocksdb.folder import CLAIMS, LEDGER, LOG, META, Folder
from relay.journal.rocksdb.scan import rows
from relay.journal.rocksdb.trouble import Damaged

#: Ledger rows in memory; the least recently touched are forgotten (they are stored).
LEDGER_ROWS = 4096


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
        self._on_damage = on_damage
        self._ledger: dict[bytes, ledger.Row] = {}
        self._changed_rows: dict[bytes, ledger.Row] = {}
        self.load(folder)

    def load(self, folder: Folder) -> None:
        """Take over what is stored. Queues that exist keep what they have taken.

        Raises `Damaged` when that cannot be read, see `rebuild`.
        """
        self.folder = folder
        self.forget_ledger()
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
        row = self._ledger.pop(key, None)
        if row is None:
            row = self._stored_row(key)
        ledger.add_to(row, outcome, sums)
        self._ledger[key] = row  # moved to the end: the dict is in order of use
        self._changed_rows[key] = row

    def _stored_row(self, key: bytes) -> ledger.Row:
        try:
            stored = self.folder.get(LEDGER, key)
        except Damaged:
            self._on_damage(1)
            return {}
        return ledger.unpack_row(stored) if stored else {}

    def store_ledger(self, batch: WriteBatch) -> None:
        if not self._changed_rows:
            return
        handle = self.folder.handle(LEDGER)
        for key, row in self._changed_rows.items():
            batch.put(key, ledger.pack_row(row), handle)
        self._changed_rows.clear()
        while len(self._ledger) > LEDGER_ROWS:
            del self._ledger[next(iter(self._ledger))]

    def forget_ledger(self) -> None:
        """Forget sums that were not stored."""
        self._ledger.clear()
        self._changed_rows.clear()


def _to_erase(folder: Folder) -> dict[tuple[int, int], list[str]]:
    return {
        (int.from_bytes(key[1:3], "big"), layout.row_seq(key)): layout.parse(digests)
        for key, digests in rows(folder.family(META), b"x", b"y")
    }
