"""Reading everything, and saying what is wrong: `relay journal verify`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from relay.errors import JournalUnavailable
from relay.journal import attempts, chunk, door, fingerprint, issues, layout, ledger, sample
from relay.journal.findings import Finding, Verification
from relay.journal.intervals import IntervalSet
from relay.journal.queue import Queue
from relay.journal.rocksdb.folder import CLAIMS, DEAD, ISSUES, LEDGER, LOG, SAMPLES, Folder
from relay.journal.rocksdb.scan import pass_by, rows
from relay.journal.rocksdb.state import State


def verify(path: Path) -> Verification:
    """Read every row of the folder, without changing it; a running relay is not disturbed.

    Raises `JournalFormat` for a folder of another version, or one that holds no journal.
    """
    findings = [
        Finding("quarantine", f"{kept.name} was kept aside because it is damaged")
        for kept in sorted((path / "quarantine").glob("*"))
        if kept.suffix != ".reading"  # a relay is opening the folder
    ]
    try:
        folder = Folder(path, read_only=True)
    except JournalUnavailable as error:
        problem = f"cannot be opened, a relay mends it when it starts ({error})"
        return Verification(0, 0, (*findings, Finding("database", problem)))
    try:
        count, size, found = _read_all(folder)
        findings += found
        try:
            queues = State(folder).queues.values()
            findings += [each for queue in queues for each in _check_queue(folder, queue)]
        except JournalUnavailable as error:
            findings.append(Finding("account", f"cannot be checked: {error}"))
        return Verification(count, size, tuple(findings))
    finally:
        folder.close()


# --- rows -----------------------------------------------------------------------------------------


def _read_all(folder: Folder) -> tuple[int, int, list[Finding]]:
    count = size = 0
    findings: list[Finding] = []
    for name in sorted(folder.names):

        def damaged(last: bytes, found: bytes | None, name: str = name) -> None:
            until = "its end" if found in (None, layout.BEHIND_ALL) else f"key {found.hex()}"
            findings.append(
                Finding(name, f"rows behind key {last.hex()} up to {until} are damaged")
            )

        try:
            for key, value in rows(folder.family(name), layout.FIRST, layout.BEHIND_ALL, damaged):
                count += 1
                size += len(key) + len(value)
                problem = _problem(name, key, value)
                if problem:
                    findings.append(Finding(name, f"row {key.hex()}: {problem}"))
        except JournalUnavailable as error:
            findings.append(Finding(name, f"cannot be read: {error}"))
    return count, size, findings


#: How each kind of row is read: by family, in a log by the first byte of the key as well.
_READERS: dict[str, Callable[[bytes], object]] = {
    f"{LOG}a": attempts.unpack,
    f"{LOG}d": door.unpack,
    f"{LOG}e": chunk.unpack,
    f"{LOG}i": lambda row: list(fingerprint.find(row, b"\0\0\0\0")),
    f"{LOG}I": lambda row: list(fingerprint.find_folded(row, b"\0\0\0\0")),
    f"{LOG}l": layout.parse,
    CLAIMS: layout.unpack_claim,
    LEDGER: ledger.unpack_row,
    ISSUES: issues.unpack_row,
    SAMPLES: lambda row: sample.unpack("", row),
    DEAD: layout.parse,
}


def _problem(name: str, key: bytes, value: bytes) -> str | None:
    kind = name
    if name.startswith(LOG):
        kind = LOG + key[:1].decode()
    elif name.startswith(CLAIMS):
        kind = CLAIMS if not key.startswith(layout.REMEMBERED) else ""
    try:
        _READERS.get(kind, len)(value)
    except Exception as error:  # any error here is what we are looking for
        return f"cannot be read ({type(error).__name__})"
    return None


# --- queues ---------------------------------------------------------------------------------------


def _check_queue(folder: Folder, queue: Queue) -> Iterator[Finding]:
    place = f"destination {queue.destination}"
    if queue.accepted != queue.settled_count + queue.waiting:
        yield Finding(
            place,
            f"accepted {queue.accepted} is not settled {queue.settled_count} "
            f"plus waiting {queue.waiting}",
        )
    if queue.settled.end > queue.next_seq:
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
        stop = prefix + b"\xff" * 9
        for key, value in rows(folder.family(LOG + day), prefix, stop, pass_by):
            first = layout.row_seq(key)
            try:
                present.add(first, first + chunk.unpack(value).size)
            except ValueError:
                continue
    missing = []
    at = 0
    while (at := present.free_from(at)) < queue.next_seq:
        end = present.free_until(at, queue.next_seq)
        missing.append((at, end))
        at = end
    return missing
