"""Forgetting in time: claims, logs, letters, samples and sums, by dropping or in small steps."""

from __future__ import annotations

from dataclasses import dataclass

from relay.journal import fingerprint, layout
from relay.journal.rocksdb.folder import CLAIMS, DEAD, ISSUES, LEDGER, LOG, SAMPLES, Folder
from relay.journal.rocksdb.scan import pass_by, rows
from relay.journal.rocksdb.state import State

_DAY_S = 86400.0
_HOUR_S = 3600
#: So many rows of fingerprints are folded into one, or so many bytes of them: `find` scans a few
#: long rows much faster than many short ones.
FOLD_ROWS = 500
FOLD_BYTES = 1 << 20
#: How often, in seconds, it is looked whether there are rows to fold.
FOLD_EVERY_S = 600.0

#: Fingerprint rows of one kind: day, lane, `b"e"` or `b"d"`.
_Place = tuple[str, int, bytes]


@dataclass(frozen=True, slots=True)
class Keep:
    """How long what is kept, in seconds."""

    claims_s: float
    records_s: float
    ledger_s: float


class Upkeep:
    """Does what is due, one small step at a time. What waits is never forgotten."""

    def __init__(self, state: State, keep: Keep) -> None:
        self._state = state
        self._keep = keep
        self._look_at = float("-inf")
        self._places: list[_Place] = []  # still to be looked at
        self._done: set[_Place] = set()  # of days that are over, and folded
        self._begin: dict[_Place, int] = {}  # rows before this seq are folded

    def step(self, now: float) -> bool:
        """Do one step; True when there is more to do at once. Raises `JournalUnavailable`."""
        folder = self._state.folder
        self._drop_days(folder, now)
        oldest_letter = int(max(0.0, now - self._keep.records_s) * 1000)
        folder.delete_before(DEAD, oldest_letter.to_bytes(8, "big"))
        oldest_sample = int(max(0.0, now - self._keep.records_s) // _HOUR_S)
        folder.delete_before(SAMPLES, layout.sample_key(oldest_sample, 0, 0))
        oldest_hour = int(max(0.0, now - self._keep.ledger_s) // _HOUR_S)
        for sums in (LEDGER, ISSUES):
            folder.delete_before(sums, layout.ledger_key(oldest_hour, 0, ""))
        if not self._places and now >= self._look_at:
            self._look_at = now + FOLD_EVERY_S
            self._places = self._all_places(folder)
        if self._places and not self._fold(folder, self._places[-1]):
            self._places.pop()
        return bool(self._places)

    def _drop_days(self, folder: Folder, now: float) -> None:
        today = self._state.today
        for day in folder.days(CLAIMS):
            if day < today and layout.day_start(day) + _DAY_S + self._keep.claims_s < now:
                folder.drop(CLAIMS + day)
        needed = {day for queue in self._state.queues.values() for day in queue.needed_days()}
        for day in folder.days(LOG):
            over = layout.day_start(day) + _DAY_S + self._keep.records_s < now
            if over and day < today and day not in needed:
                folder.drop(LOG + day)

    # --- folding ----------------------------------------------------------------------------------

    def _all_places(self, folder: Folder) -> list[_Place]:
        days = folder.days(LOG)
        self._done = {place for place in self._done if place[0] in days}
        self._begin = {place: seq for place, seq in self._begin.items() if place[0] in days}
        places = [
            (day, queue.number, kind)
            for day in days
            for queue in self._state.queues.values()
            for kind in (b"e", b"d")
        ]
        return [place for place in places if place not in self._done]

    def _fold(self, folder: Folder, place: _Place) -> bool:
        """Fold one group of rows; True when there was one."""
        day, lane, kind = place
        start = layout.index_key(lane, kind, self._begin.get(place, 0))
        stop = layout.index_key(lane, kind, 2**64 - 1)
        if LOG + day not in folder.names:
            return False
        group: list[tuple[int, bytes]] = []
        size = 0
        for key, row in rows(folder.family(LOG + day), start, stop, pass_by):
            group.append((layout.index_seq(key), row))
            size += len(row)
            if size >= FOLD_BYTES or len(group) >= FOLD_ROWS:
                break
        else:  # Of a day that goes on, a few rows are not worth a rewrite yet.
            if day < self._state.today:
                self._done.add(place)
            else:
                return False
        if len(group) > 1:
            _join(folder, place, group)
            self._begin[place] = group[-1][0] + 1
        return len(group) > 1


def _join(folder: Folder, place: _Place, group: list[tuple[int, bytes]]) -> None:
    day, lane, kind = place
    batch = folder.batch()
    handle = folder.handle(LOG + day)
    for seq, _ in group:
        batch.delete(layout.index_key(lane, kind, seq), handle)
    key = layout.index_key(lane, kind, group[0][0], family=b"I")
    batch.put(key, fingerprint.fold(group), handle)
    folder.write(batch)
