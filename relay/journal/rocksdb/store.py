"""The group that is committed: jobs in, one atomic write out, entries handed out once durable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from relay.errors import JournalUnavailable
from relay.journal.queue import Queue
from relay.journal.rocksdb import notes
from relay.journal.rocksdb.append import Appender, AppendJob
from relay.journal.rocksdb.erase import EraseJob, Eraser
from relay.journal.rocksdb.folder import Folder
from relay.journal.rocksdb.letters import Letters, MarkJob
from relay.journal.rocksdb.memory import Memory
from relay.journal.rocksdb.notes import DropNotesJob, NoteJob
from relay.journal.rocksdb.reader import Reader
from relay.journal.rocksdb.settle import LostJob, SettleJob, Settler
from relay.journal.rocksdb.state import State

_NOTHING: Iterator[object] = iter(())


class Store:
    """An open folder with all that writes to it and reads from it. A `commit.Group`."""

    def __init__(
        self,
        folder: Folder,
        now: Callable[[], float],
        window_s: Callable[[str], float],
        *,
        on_damage: Callable[[int], None],
        on_lost: Callable[[Queue, int, int], None],
        on_news: Callable[[str], None],
    ) -> None:
        self.folder = folder
        self.state = State(folder, on_damage)
        self.memory = Memory()
        self.reader = Reader(self.state, on_lost, self.memory)
        self._now = now
        self._on_news = on_news
        self._letters = Letters(self.state)
        self._appender = Appender(self.state, self._letters, window_s, self.memory)
        self.settler = Settler(self.state, self.reader, self._letters)
        self._eraser = Eraser(self.state, self.settler, self.memory)

    def load(self, folder: Folder) -> None:
        """Go on with this folder, after a failure: memory is not trusted any more."""
        self.folder = folder
        self.memory.forget()
        self.state.load(folder)

    # --- commit.Group -----------------------------------------------------------------------------

    def write(self, jobs: Sequence[object]) -> Sequence[object]:
        """All jobs as one write. Where a job cannot be written, whatever the disk does, the others
        are written one by one, and its result is the error."""
        try:
            return self._write(jobs)
        except JournalUnavailable:
            raise
        except Exception as error:
            durable = {name: queue.durable for name, queue in self.state.queues.items()}
            self.load(self.folder)  # as if nothing had been booked: nothing was written
            results = [error] if len(jobs) == 1 else [self.write([job])[0] for job in jobs]
            for name, queue in self.state.queues.items():
                queue.durable = durable.get(name, 0)
            return results

    def _write(self, jobs: Sequence[object]) -> Sequence[object]:
        batch = self.folder.batch()
        now = self._now()
        self.state.open_day(now, batch)
        # What is settled comes first: a claim that is given back here may be claimed anew here.
        marked: list[bool] = []
        for job in jobs:
            if isinstance(job, SettleJob):
                self.settler.write(job, batch, now)
            elif isinstance(job, LostJob):
                self.settler.write_lost(job, batch, now)
            elif isinstance(job, MarkJob):
                marked.append(self._letters.mark(job, batch, now))
            elif isinstance(job, NoteJob | DropNotesJob):
                notes.write(self.folder, job, batch)
        erases = [job for job in jobs if isinstance(job, EraseJob)]
        appends = [job for job in jobs if isinstance(job, AppendJob)]
        results: dict[type, Iterator[object]] = {
            MarkJob: iter(marked),
            EraseJob: iter(self._eraser.write(erases, batch, now) if erases else ()),
            AppendJob: iter(self._appender.write(appends, batch, now) if appends else ()),
        }
        self.folder.write(batch)
        return [next(results.get(type(job), _NOTHING), None) for job in jobs]

    def sync(self) -> None:
        """Make what was written durable; runs in a thread."""
        self.folder.sync()

    def synced(self) -> None:
        """Hand out what is durable now."""
        for destination, queue in self.state.queues.items():
            if queue.is_durable():
                self._on_news(destination)
