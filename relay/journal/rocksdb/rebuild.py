"""Making the journal's own account anew from what its logs hold, after damage.

What is settled, which seq comes next and in which day's log it lies is kept in a few small rows of
the family `meta`. When one of them is lost, or older than the logs, trusting it would lose or
overwrite entries. Everything in them can be told from the logs: chunks and door records say what
was accepted, attempt records what was settled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from relay.journal import chunk, door, layout
from relay.journal.intervals import IntervalSet
from relay.journal.layout import Counters
from relay.journal.queue import Day, Queue
from relay.journal.rocksdb import attempt_rows
from relay.journal.rocksdb.folder import LOG, META, Folder
from relay.journal.rocksdb.scan import last_row, pass_by, rows
from relay.journal.rocksdb.trouble import Damaged


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the account says of a lane; None is what it does not say."""

    counters: Counters | None
    settled: list[tuple[int, int]] | None
    days: list[Day] | None


# --- is it needed? --------------------------------------------------------------------------------


def read_account(folder: Folder) -> None:
    """Raise `Damaged` when a row of the account cannot be read."""
    for _ in rows(folder.family(META), b"", layout.BEHIND_ALL):
        pass


def account_is_sound(folder: Folder) -> bool:
    """Does the account fit the logs, as far as can be told by looking at their ends?"""
    if folder.get(META, b"format") is None:
        return False
    lanes = _parsed(folder, b"lanes") or {}
    return lanes.items() >= _copied_lanes(folder).items() and all(
        _fits(folder, number) for number in lanes.values()
    )


def _fits(folder: Folder, lane: int) -> bool:
    stored = _stored(folder, lane)
    counters, settled = stored.counters or Counters(), IntervalSet(stored.settled or ())
    queue = Queue("", lane)
    queue.days = stored.days or []
    chunk_end, chunk_day = _last(folder, lane, b"e", folder.days(LOG))
    door_end, door_day = _last(folder, lane, b"d", folder.days(LOG))
    return (
        counters.accepted == counters.next_seq + counters.next_door
        and counters.settled == settled.total + counters.next_door
        and max(settled.end, chunk_end) <= counters.next_seq
        and door_end <= counters.next_door
        and (chunk_end == 0 or queue.day_of(chunk_end - 1) == chunk_day)
        and (door_end == 0 or queue.door_day_of(door_end - 1) == door_day)
    )


def _last(folder: Folder, lane: int, kind: bytes, days: list[str]) -> tuple[int, str]:
    """The seq behind the last row of this kind, and its day; (0, "") where there is none."""
    for day in reversed(days):
        row = last_row(folder.family(LOG + day), layout.lane_key(kind, lane))
        if row is not None:
            return layout.row_seq(row[0]) + _records_in(kind, row[1]), day
    return 0, ""


def _records_in(kind: bytes, value: bytes) -> int:
    return chunk.unpack(value).size if kind == b"e" else len(door.unpack(value)[1])


# --- doing it -------------------------------------------------------------------------------------


def rebuild(folder: Folder) -> None:
    """Write the account anew, durably. Raises `JournalUnavailable`."""
    batch = folder.batch()
    meta = folder.handle(META)
    lanes = _copied_lanes(folder) | (_parsed(folder, b"lanes") or {})
    batch.put(b"format", layout.FORMAT, meta)
    batch.put(b"lanes", layout.json(lanes), meta)
    for lane in lanes.values():
        counters, settled, days = _account(folder, lane)
        batch.put(layout.lane_key(b"c", lane), layout.pack_counters(counters), meta)
        batch.put(layout.lane_key(b"s", lane), layout.json(list(settled)), meta)
        batch.put(layout.lane_key(b"d", lane), layout.json(days), meta)
    folder.write(batch)
    folder.sync()


def _account(folder: Folder, lane: int) -> tuple[Counters, IntervalSet, list[Day]]:
    stored = _stored(folder, lane)
    known = stored.counters or Counters()
    days, next_seq, next_door = _days(folder, lane, stored)
    settled = IntervalSet(stored.settled or ())
    settled.add(0, _kept_from(stored, days))
    for day in folder.days(LOG):
        for record in attempt_rows.of_lane(folder, lane, day):
            for ended in record.ended:
                settled.add(ended.start, ended.end)
    next_seq = max(next_seq, known.next_seq, settled.end)
    next_door = max(next_door, known.next_door)
    counters = Counters(
        next_seq + next_door,
        settled.total + next_door,
        next_seq,
        _waiting_bytes(folder, lane, settled),
        next_door,
    )
    return counters, settled, days


def _days(folder: Folder, lane: int, stored: _Stored) -> tuple[list[Day], int, int]:
    """Where each day's seqs begin, and the seqs behind the last chunk and door record."""
    said = {day: (seq, door_seq) for seq, door_seq, day in stored.days or ()}
    days: list[Day] = []
    ends = [0, 0]
    for day in folder.days(LOG):
        found = [_seqs(folder, lane, kind, day) for kind in (b"e", b"d")]
        if day not in said and found == [None, None]:
            continue
        firsts = [
            min([*([said[day][at]] if day in said else []), *([seqs[0]] if seqs else [])],
                default=ends[at])
            for at, seqs in enumerate(found)
        ]  # fmt: skip
        days.append((firsts[0], firsts[1], day))
        ends = [max(ends[at], seqs[1] if seqs else firsts[at]) for at, seqs in enumerate(found)]
    return days, ends[0], ends[1]


def _seqs(folder: Folder, lane: int, kind: bytes, day: str) -> tuple[int, int] | None:
    """The first seq of a day's rows of this kind, and the seq behind the last one."""
    family = folder.family(LOG + day)
    prefix = layout.lane_key(kind, lane)
    first = next(rows(family, prefix, prefix + b"\xff" * 9, pass_by), None)
    last = last_row(family, prefix)
    if first is None or last is None:
        return None
    return layout.row_seq(first[0]), layout.row_seq(last[0]) + _records_in(kind, last[1])


def _kept_from(stored: _Stored, days: list[Day]) -> int:
    """The first seq whose log is not past its time: what came before is settled."""
    if stored.days:
        return stored.days[0][0]
    return days[0][0] if days and stored.settled is None else 0


def _waiting_bytes(folder: Folder, lane: int, settled: IntervalSet) -> int:
    """The size of all bodies that wait: read, for nothing else knows it."""
    size_bytes = 0
    prefix = layout.lane_key(b"e", lane)
    for day in folder.days(LOG):
        for key, value in rows(folder.family(LOG + day), prefix, prefix + b"\xff" * 9, pass_by):
            first = layout.row_seq(key)
            if settled.free_from(first) < first + chunk.count(value):
                bodies = chunk.unpack(value).bodies
                size_bytes += sum(
                    [len(body) for at, body in enumerate(bodies, first) if at not in settled]
                )
    return size_bytes


# --- what the account says ------------------------------------------------------------------------


def _stored(folder: Folder, lane: int) -> _Stored:
    counters = _read(folder, layout.lane_key(b"c", lane))
    return _Stored(
        layout.unpack_counters(counters) if counters else None,
        _parsed(folder, layout.lane_key(b"s", lane)),
        _parsed(folder, layout.lane_key(b"d", lane)),
    )


def _copied_lanes(folder: Folder) -> dict[str, int]:
    """The lanes as the logs have them, the newest last."""
    lanes: dict[str, int] = {}
    for day in folder.days(LOG):
        try:
            lanes |= layout.parse(folder.get(LOG + day, b"l") or b"{}")
        except Damaged:
            continue
    return lanes


def _parsed(folder: Folder, key: bytes) -> Any:
    value = _read(folder, key)
    return None if value is None else layout.parse(value)


def _read(folder: Folder, key: bytes) -> bytes | None:
    try:
        return folder.get(META, key)
    except Damaged:
        return None
