"""A folder as groups of an export: everything in it, in order, nothing passed by.

What cannot be read ends the export: a relay that opens the folder mends it, and books what is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from relay.errors import JournalLocked, JournalUnavailable, MoveRefused
from relay.journal import chunk, door, layout
from relay.journal.moving.gathering import GatheredRefusals, Gathering
from relay.journal.moving.groups import (
    Erasures,
    Forgotten,
    Group,
    MovedRefusal,
    size_of,
)
from relay.journal.moving.stream import Lane
from relay.journal.queue import Queue
from relay.journal.rocksdb import export_books, moves, seal
from relay.journal.rocksdb.folder import LOG, META, Folder
from relay.journal.rocksdb.lock import FolderLock
from relay.journal.rocksdb.reader import Reader
from relay.journal.rocksdb.rebuild import account_is_sound
from relay.journal.rocksdb.scan import rows
from relay.journal.rocksdb.seal import Seal
from relay.journal.rocksdb.state import State
from relay.journal.rocksdb.stories import Stories, Story
from relay.journal.rocksdb.trouble import Damaged
from relay.model import FieldIssue, Outcome, Reason

_NOTHING = Story()


class FolderExport:
    """An open folder that nobody else has. `made_at` is Unix seconds."""

    def __init__(self, folder: Folder, made_at: float) -> None:
        self._folder = folder
        self._state = State(folder)
        self._queues = sorted(self._state.queues.values(), key=lambda queue: queue.number)
        self._made_at = made_at
        self._settled: Counter[str] = Counter()
        self.salt = folder.get(META, b"salt")
        self.journals = moves.journals(folder)
        self.lanes: Mapping[str, Lane] = {
            queue.destination: Lane(queue.accepted, queue.settled_count, queue.waiting)
            for queue in self._queues
        }

    def seal(self, export: str, file: str) -> None:
        """No relay opens the folder any more; one that was sealed keeps its seal."""
        if seal.read(self._folder.path) is None:
            seal.put(self._folder.path, Seal(self._made_at, export, file))

    def groups(self) -> Iterator[Group]:
        """Everything, in the order of the file. Raises `Damaged` and `JournalUnavailable`."""
        yield from self._erasures()
        yield from self._forgotten()
        for day in self._folder.days(LOG):
            for queue in self._queues:
                yield from self._counted(queue, self._settled_of(queue, day))
                yield from self._counted(queue, self._refusals_of(queue, day))
        for queue in self._queues:
            yield from self._waiting_of(queue)
        yield from export_books.claims(self._folder, self._queues)
        yield from export_books.letters(self._folder, self._queues)
        yield from export_books.books(self._folder, self._queues)
        yield from self._left_over()

    def _erasures(self) -> Iterator[Group]:
        """Of people whose entries were on their way when they asked."""
        wanted = {digest for digests in self._state.to_erase.values() for digest in digests}
        if wanted:
            yield Erasures([(digest, self._made_at) for digest in sorted(wanted)])

    # --- what is counted and no more --------------------------------------------------------------

    def _forgotten(self) -> Iterator[Group]:
        """What the logs that are gone held; first, so that a folder can book it below the rest."""
        kept = set(self._folder.days(LOG))
        for queue in self._queues:
            days = [day for day in queue.days if day[2] in kept]
            first, first_door = days[0][:2] if days else (queue.next_seq, queue.next_door)
            count = min(first + first_door, queue.settled_count)
            if count:
                self._settled[queue.destination] += count
                yield Forgotten(queue.destination, count)

    def _left_over(self) -> Iterator[Group]:
        for queue in self._queues:
            count = queue.settled_count - self._settled[queue.destination]
            if count > 0:
                yield Forgotten(queue.destination, count)

    def _counted(self, queue: Queue, groups: Iterator[Group]) -> Iterator[Group]:
        for group in groups:
            self._settled[queue.destination] += size_of(group)
            yield group

    # --- what is settled --------------------------------------------------------------------------

    def _settled_of(self, queue: Queue, day: str) -> Iterator[Group]:
        events = Gathering(queue.destination, waiting=False)
        stories = Stories(self._folder, queue, self._first_of(queue, day))
        start, stop = layout.lane_key(b"e", queue.number), layout.lane_key(b"e", queue.number + 1)
        for key, value in rows(self._folder.family(LOG + day), start, stop):
            first, stored = layout.row_seq(key), chunk.unpack(value)
            told = stories.about(first, first + stored.size)
            for entry in stored.entries(first):
                story = told.get(entry.seq, _NOTHING)
                if entry.seq in queue.settled and story.end is not None:
                    yield from events.add(
                        entry, stored.claim(entry.seq - first), list(story.attempts.values()),
                        end=story.end,
                    )  # fmt: skip
        yield from events.rest()

    def _first_of(self, queue: Queue, day: str) -> int:
        return min([first for first, _, each in queue.days if each == day], default=0)

    def _refusals_of(self, queue: Queue, day: str) -> Iterator[Group]:
        refusals = GatheredRefusals(queue.destination)
        start, stop = layout.lane_key(b"d", queue.number), layout.lane_key(b"d", queue.number + 1)
        for _, value in rows(self._folder.family(LOG + day), start, stop):
            at, records = door.unpack(value)
            for record in records:
                yield from refusals.add(_refusal(at, record))
        yield from refusals.rest()

    # --- what waits -------------------------------------------------------------------------------

    def _waiting_of(self, queue: Queue) -> Iterator[Group]:
        events = Gathering(queue.destination, waiting=True)
        stories = Stories(self._folder, queue, queue.oldest() or 0)
        reader = Reader(self._state)
        for start, end in _runs(queue):
            for first, stored in reader.chunks(queue, start, end):
                begin, behind = max(first, start), min(first + stored.size, end)
                told = stories.about(begin, behind)
                for entry in stored.entries(first)[begin - first : behind - first]:
                    attempts = list(told.get(entry.seq, _NOTHING).attempts.values())
                    yield from events.add(entry, stored.claim(entry.seq - first), attempts)
        yield from events.rest()


def _runs(queue: Queue) -> Iterator[tuple[int, int]]:
    """Ranges of entries that are not settled."""
    edges = [(0, 0), *queue.settled, (queue.next_seq, queue.next_seq)]
    for (_, behind), (start, _) in pairwise(edges):
        if behind < start:
            yield behind, start


def _refusal(at: float, record: door.DoorRecord) -> MovedRefusal:
    return MovedRefusal(
        at, record.receipt, record.source, record.name, record.event_id, record.order_id,
        record.event_time, Outcome(record.outcome), Reason(record.reason),
        [FieldIssue(field, why) for field, why in record.errors],
    )  # fmt: skip


@contextmanager
def exporting(path: Path, made_at: float) -> Iterator[FolderExport]:
    """The folder, for this process alone. Raises `JournalLocked`, `JournalFormat`,
    `JournalUnavailable`, `JournalSealed` (an import is unfinished) and `MoveRefused`."""
    if not (path / "db" / "CURRENT").exists():
        raise JournalUnavailable(
            f"there is no journal at {path.absolute()}; name its folder with --journal, or the "
            "configuration with --config"
        )
    lock = _lock(path)
    try:
        seal.refuse_unfinished(path)
        with _opened(path) as folder:
            yield FolderExport(folder, made_at)
    except Damaged as damaged:
        raise MoveRefused(
            f"{path} is damaged ({damaged}): start a relay on it, which mends it, stop that, and "
            "export again"
        ) from damaged
    finally:
        lock.release()


@contextmanager
def _opened(path: Path) -> Iterator[Folder]:
    folder = Folder(path, read_only=True)
    try:
        if (path / "rebuild").exists() or not account_is_sound(folder):
            raise Damaged("its account does not fit its logs")
        yield folder
    finally:
        folder.close()


def _lock(path: Path) -> FolderLock:
    try:
        return FolderLock(path)
    except JournalLocked as locked:
        raise JournalLocked(
            f"a relay has the journal folder {path} open: stop it (SIGTERM, it finishes what is on "
            "its way), then export"
        ) from locked

