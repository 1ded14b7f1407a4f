"""What the journal keeps in memory: a queue per destination and the ledger rows in use.

All of it is stored as well; `load` rebuilds it from the folder, at start and after a failure.
"""

from __future__ import annotations

from rocksdict import WriteBatch

from relay.journal import layout, ledger
from relay.journal.queue import Queue
from relay.journal.rocksdb.folder import CLAIMS, LEDGER, LOG, META, Folder
from relay.journal.rocksdb.scan import last_row

#: Ledger rows in memory; the least recently touched are forgotten (they are stored).
LEDGER_ROWS = 4096


class State:
    """Queues and ledger of one folder."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.queues: dict[str, Queue] = {}
        self._ledger: dict[bytes, ledger.Row] = {}
        self._changed_rows: dict[bytes, ledger.Row] = {}
        self.today = ""
        self.load(folder)

    def load(self, folder: Folder) -> None:
        """Rebuild from what is stored. Queues that exist keep what they have taken."""
        self.folder = folder
        self._ledger.clear()
        self._changed_rows.clear()
        if META not in folder.names:
            return
        meta = folder.family(META)
        lanes: dict[str, int] = layout.parse(meta.get(b"lanes") or b"{}")
        for destination, number in lanes.items():
            queue = self.queues.setdefault(destination, Queue(destination, number))
            self._load_queue(queue)
        for stranger in self.queues.keys() - lanes.keys():
            del self.queues[stranger]
        self.today = max(folder.days(LOG), default="")

    def _load_queue(self, queue: Queue) -> None:
        meta = self.folder.family(META)
        stored = meta.get(layout.lane_key(b"c", queue.number))
        counters = layout.unpack_counters(stored) if stored else layout.Counters()
        settled = layout.parse(meta.get(layout.lane_key(b"s", queue.number)) or b"[]")
        queue.load(counters, settled)
        days = layout.parse(meta.get(layout.lane_key(b"d", queue.number)) or b"[]")
        queue.days = [(first, door, day) for first, door, day in days]
        queue.next_door = max((door for _, door, _ in queue.days), default=0)
        for day in self.folder.days(LOG):
            row = last_row(self.folder.family(LOG + day), layout.lane_key(b"d", queue.number))
            if row is not None:
                _, records = layout.unpack_door(row[1])
                queue.next_door = max(queue.next_door, layout.row_seq(row[0]) + len(records))

    # --- days -------------------------------------------------------------------------------------

    def open_day(self, now: float) -> None:
        """Have column families for the day of `now`; never goes back to an earlier day."""
        day = max(layout.day_name(now), self.today)
        if day == self.today and LOG + day in self.folder.names:
            return
        self.folder.create(LOG + day)
        self.folder.create(CLAIMS + day)
        self.today = day

    # --- queues -----------------------------------------------------------------------------------

    def queue(self, destination: str, batch: WriteBatch) -> Queue:
        """The destination's queue, made (and stored with `batch`) when it is new."""
        queue = self.queues.get(destination)
        if queue is None:
            number = 1 + max((known.number for known in self.queues.values()), default=-1)
            queue = self.queues[destination] = Queue(destination, number)
            lanes = {name: known.number for name, known in self.queues.items()}
            batch.put(b"lanes", layout.json(lanes), self.folder.handle(META))
        return queue

    def mark_day(self, queue: Queue, batch: WriteBatch) -> None:
        """Remember where today's seqs of this queue begin."""
        if queue.days and queue.days[-1][2] == self.today:
            return
        queue.days.append((queue.next_seq, queue.next_door, self.today))
        known = set(self.folder.days(LOG))
        queue.days = [day for day in queue.days if day[2] in known]
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
            stored = self.folder.family(LEDGER).get(key)
            row = ledger.unpack_row(stored) if stored else {}
        ledger.add_to(row, outcome, sums)
        self._ledger[key] = row  # moved to the end: the dict is in order of use
        self._changed_rows[key] = row

    def store_ledger(self, batch: WriteBatch) -> None:
        handle = self.folder.handle(LEDGER)
        for key, row in self._changed_rows.items():
            batch.put(key, ledger.pack_row(row), handle)
        self._changed_rows.clear()
        while len(self._ledger) > LEDGER_ROWS:
            del self._ledger[next(iter(self._ledger))]
