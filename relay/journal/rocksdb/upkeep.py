"""Forgetting in time: claims, logs, dead letters and ledger rows, by dropping or in small steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from relay.journal import layout
from relay.journal.queue import Queue
from relay.journal.rocksdb.folder import CLAIMS, DEAD, LEDGER, LOG, Folder
from relay.journal.rocksdb.scan import rows
from relay.journal.rocksdb.state import State

_DAY_S = 86400.0
#: Fingerprint rows are folded until one is this long, in bytes.
_FOLDED_BYTES = 1 << 20
#: At most this many rows are folded in one step, so that the event loop is not held up.
_FOLD_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Keep:
    """How long what is kept, in seconds."""

    claims_s: float
    records_s: float
    ledger_s: float


def upkeep(state: State, keep: Keep, now: float) -> bool:
    """Do one step; returns True when there is more to do at once."""
    folder = state.folder
    for day in folder.days(CLAIMS):
        if day != state.today and _end_of(day) + keep.claims_s < now:
            folder.drop(CLAIMS + day)
    needed = {day for queue in state.queues.values() for day in queue.needed_days()}
    for day in folder.days(LOG):
        if day not in needed and day != state.today and _end_of(day) + keep.records_s < now:
            folder.drop(LOG + day)
    oldest_letter = int(max(0.0, now - keep.records_s) * 1000).to_bytes(8, "big")
    folder.family(DEAD).delete_range(b"", oldest_letter)
    oldest_hour = int(max(0.0, now - keep.ledger_s) // 3600).to_bytes(4, "big")
    folder.family(LEDGER).delete_range(b"", oldest_hour)
    queues = state.queues.values()
    return any(_fold(folder, queue, day) for queue in queues for day in folder.days(LOG))


def _end_of(day: str) -> float:
    return datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).timestamp() + _DAY_S


def _fold(folder: Folder, queue: Queue, day: str) -> bool:
    """Join small fingerprint rows that follow each other; True when it did."""
    family = folder.family(LOG + day)
    folded = False
    for kind in (b"e", b"d"):
        start = layout.index_key(queue.number, kind, 0)
        stop = layout.index_key(queue.number, kind, 2**64 - 1)
        group: list[tuple[bytes, bytes]] = []
        size = 0
        for key, row in rows(family, start, stop, damaged=lambda last, found: None):
            if len(row) >= _FOLDED_BYTES:
                continue
            group.append((key, row))
            size += len(row)
            if size >= _FOLDED_BYTES or len(group) >= _FOLD_ROWS:
                break
        # A few rows are not worth a rewrite: wait until there are many.
        if len(group) >= _FOLD_ROWS or (size >= _FOLDED_BYTES and len(group) > 1):
            _join(folder, LOG + day, group)
            folded = True
    return folded


def _join(folder: Folder, name: str, group: list[tuple[bytes, bytes]]) -> None:
    batch = folder.batch()
    first_key, _ = group[0]
    first = layout.index_seq(first_key)
    joined = [layout.shift_fingerprints(row, layout.index_seq(key) - first) for key, row in group]
    handle = folder.handle(name)
    for key, _ in group[1:]:
        batch.delete(key, handle)
    batch.put(first_key, b"".join(joined), handle)
    folder.write(batch)
