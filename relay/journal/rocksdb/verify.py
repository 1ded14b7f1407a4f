"""Reading everything, and saying what is wrong: `relay journal verify`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from relay.journal import layout
from relay.journal.intervals import IntervalSet
from relay.journal.queue import Queue
from relay.journal.rocksdb.folder import CLAIMS, LOG, Folder
from relay.journal.rocksdb.scan import rows
from relay.journal.rocksdb.state import State

_BEHIND_ALL = b"\xff" * 24


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: where, what, and whether events were lost by it."""

    place: str
    problem: str
    lost_entries: int = 0


@dataclass(frozen=True, slots=True)
class Verification:
    """How much was read, and what is wrong."""

    rows: int
    size_bytes: int
    findings: tuple[Finding, ...]


def verify(path: Path) -> Verification:
    """Read every row of the folder, without changing it; a running relay is not disturbed.

    Raises `JournalFormat` or `JournalUnavailable` when the folder cannot be opened at all.
    """
    folder = Folder(path, read_only=True)
    try:
        state = State(folder)
        count, size, findings = _read_all(folder)
        for queue in state.queues.values():
            findings += _check_queue(folder, queue)
        findings += [
            Finding("quarantine", f"{kept.name} was kept aside because it is damaged")
            for kept in sorted((path / "quarantine").glob("*"))
        ]
        return Verification(count, size, tuple(findings))
    finally:
        folder.close()


def _read_all(folder: Folder) -> tuple[int, int, list[Finding]]:
    count = size = 0
    findings: list[Finding] = []
    for name in sorted(folder.names):

        def damaged(last: bytes, found: bytes | None, name: str = name) -> None:
            until = "its end" if found is None else f"key {found.hex()}"
            findings.append(
                Finding(name, f"rows behind key {last.hex()} up to {until} are damaged")
            )

        for key, value in rows(folder.family(name), b"", _BEHIND_ALL, damaged):
            count += 1
            size += len(key) + len(value)
            problem = _problem(name, key, value)
            if problem:
                findings.append(Finding(name, f"row {key.hex()}: {problem}"))
    return count, size, findings


def _problem(name: str, key: bytes, value: bytes) -> str | None:
    try:
        if name.startswith(LOG) and key.startswith(b"e"):
            layout.unpack_chunk(layout.row_seq(key), value)
        elif name.startswith(LOG) and key.startswith(b"d"):
            layout.unpack_door(value)
        elif name.startswith(CLAIMS) and not key.startswith(layout.REMEMBERED):
            layout.unpack_claim(value)
    except Exception as error:  # any error here is what we are looking for
        return f"cannot be read ({type(error).__name__})"
    return None


def _check_queue(folder: Folder, queue: Queue) -> Iterator[Finding]:
    place = f"destination {queue.destination}"
    if queue.accepted != queue.settled_count + queue.waiting:
        yield Finding(
            place,
            f"accepted {queue.accepted} is not settled {queue.settled_count} "
            f"plus waiting {queue.waiting}",
        )
    if queue.settled.total and max(end for _, end in queue.settled) > queue.next_seq:
        yield Finding(place, "entries are settled that were never appended")
    for start, end in _missing(folder, queue):
        yield Finding(
            place, f"entries {start} to {end - 1} wait but cannot be read", lost_entries=end - start
        )


def _missing(folder: Folder, queue: Queue) -> list[tuple[int, int]]:
    """Ranges of entries that wait and whose chunk is gone or damaged."""
    present = IntervalSet(queue.settled)
    prefix = layout.lane_key(b"e", queue.number)
    for day in folder.days(LOG):
        stop = prefix + b"\xff" * 8
        for key, value in rows(folder.family(LOG + day), prefix, stop, lambda last, found: None):
            first = layout.row_seq(key)
            try:
                present.add(first, first + len(layout.unpack_chunk(first, value)))
            except ValueError:
                continue
    missing = []
    at = 0
    while (at := present.free_from(at)) < queue.next_seq:
        end = present.free_until(at, queue.next_seq)
        missing.append((at, end))
        at = end
    return missing
