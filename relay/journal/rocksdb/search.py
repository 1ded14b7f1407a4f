"""Finding: what came, what was sent, every answer. Works on an open journal or a read-only one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from relay.journal import layout
from relay.journal.queue import Queue
from relay.journal.rocksdb.folder import DEAD, LOG
from relay.journal.rocksdb.reader import Reader
from relay.journal.rocksdb.scan import rows
from relay.journal.rocksdb.state import State
from relay.model import Attempt, DeadLetter, Entry, FieldIssue, Outcome, Reason, Trace

_BEHIND_ALL = b"\xff" * 24


class Search:
    """Answers from the records within `retention`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._reader = Reader(state, lambda queue, start, end: None)

    # --- by id ------------------------------------------------------------------------------------

    def find(self, token: str) -> Sequence[Trace]:
        """Traces by receipt, event id, order id or digest (64 hex), oldest first."""
        found = []
        for queue in self._state.queues.values():
            for kind, seq in self.located(queue, token):
                if kind == b"e":
                    found += [self.trace(queue, entry) for entry in self._entry(queue, seq, token)]
                else:
                    found += self._settled_at_door(queue, seq, token)
        return sorted(found, key=lambda trace: trace.accepted_at)

    def located(self, queue: Queue, token: str) -> Iterator[tuple[bytes, int]]:
        """Where the fingerprint of the token occurs: (`b"e"` or `b"d"`, seq), maybe by chance."""
        wanted = layout.fingerprint(token.encode(errors="replace"))
        for day in self._state.folder.days(LOG):
            family = self._state.folder.family(LOG + day)
            for kind in (b"e", b"d"):
                start = layout.index_key(queue.number, kind, 0)
                stop = layout.index_key(queue.number, kind, 2**64 - 1)
                for key, row in rows(family, start, stop, damaged=_pass_by):
                    for offset in layout.offsets_of(row, wanted):
                        yield kind, layout.index_seq(key) + offset

    def _entry(self, queue: Queue, seq: int, token: str) -> list[Entry]:
        return [
            entry
            for entry in self._reader.entries(queue, seq, seq + 1)
            if token in (entry.receipt, entry.event_id, entry.order_id)
            or (len(token) == 64 and token.encode() in entry.body)
        ]

    def _settled_at_door(self, queue: Queue, seq: int, token: str) -> list[Trace]:
        for day in self._state.folder.days(LOG):
            family = self._state.folder.family(LOG + day)
            start = layout.row_key(b"d", queue.number, max(0, seq - 10 * layout.MAX_CHUNK))
            stop = layout.row_key(b"d", queue.number, seq + 1)
            for key, value in rows(family, start, stop, damaged=_pass_by):
                at, records = layout.unpack_door(value)
                place = seq - layout.row_seq(key)
                if 0 <= place < len(records):
                    record = records[place]
                    if token in (record.receipt, record.event_id, record.order_id):
                        return [_door_trace(queue, at, record)]
        return []

    # --- one entry's story ------------------------------------------------------------------------

    def trace(self, queue: Queue, entry: Entry) -> Trace:
        attempts: dict[str, Attempt] = {}
        outcome = reason = settled_at = None
        for record in self._records(queue, entry.seq):
            covered = any(start <= entry.seq < end for start, end in record["covers"])
            if covered and record["attempt"] is not None:
                attempt = Attempt(**record["attempt"])
                attempts[attempt.attempt_id] = attempt
            for start, end, ended, why in record["settled"]:
                if start <= entry.seq < end:
                    outcome, reason, settled_at = Outcome(ended), Reason(why), record["at"]
        return Trace(
            entry.receipt, entry.source, queue.destination, entry.accepted_at, entry.name,
            entry.event_id, entry.order_id, entry.event_time, outcome, reason, (), settled_at,
            entry.body, sorted(attempts.values(), key=lambda attempt: attempt.started_at),
        )  # fmt: skip

    def _records(self, queue: Queue, seq: int) -> Iterator[dict[str, Any]]:
        """Attempt records that may cover `seq`, from the day of its arrival on."""
        start = layout.row_key(b"a", queue.number, max(0, seq - layout.MAX_SPAN))
        stop = layout.row_key(b"a", queue.number, seq + 1)
        for day in self._state.folder.days(LOG):
            if day >= (queue.day_of(seq) or ""):
                family = self._state.folder.family(LOG + day)
                for _, value in rows(family, start, stop, damaged=_pass_by):
                    yield layout.parse(value)

    # --- dead letters -----------------------------------------------------------------------------

    def dead_letters(self, destination: str | None = None) -> Iterator[DeadLetter]:
        """Dead letters, oldest first."""
        names = {queue.number: name for name, queue in self._state.queues.items()}
        if DEAD not in self._state.folder.names:
            return
        family = self._state.folder.family(DEAD)
        for key, value in rows(family, b"", _BEHIND_ALL, damaged=_pass_by):
            name = names.get(int.from_bytes(key[8:10], "big"), "?")
            if destination in (None, name):
                yield self._letter(name, key, value)

    def dead_letter(self, letter_id: str) -> DeadLetter | None:
        """One dead letter by its id, or None."""
        try:
            key = bytes.fromhex(letter_id)
        except ValueError:
            return None
        value = self._state.folder.family(DEAD).get(key)
        names = {queue.number: name for name, queue in self._state.queues.items()}
        name = names.get(int.from_bytes(key[8:10], "big"), "?")
        return None if value is None else self._letter(name, key, value)

    def _letter(self, destination: str, key: bytes, value: bytes) -> DeadLetter:
        letter = layout.parse(value)
        attempt = letter["attempt"] or {}
        return DeadLetter(
            key.hex(), letter["at"], letter["receipt"], letter["source"], destination,
            letter["name"], letter["event_id"], letter["order_id"], letter["event_time"],
            letter["accepted_at"], Outcome(letter["outcome"]), Reason(letter["reason"]),
            attempt.get("code"), attempt.get("message"), attempt.get("request_id"),
            attempt.get("number", 0), letter["replayed_at"],
            self._unknown_since(destination, int.from_bytes(key[10:18], "big")),
            letter["body"].encode(),
        )  # fmt: skip

    def _unknown_since(self, destination: str, seq: int) -> float | None:
        """When TikTok may first have taken the entry without our having read its answer."""
        queue = self._state.queues.get(destination)
        if queue is None:
            return None
        unknown: list[float] = [
            record["attempt"]["started_at"]
            for record in self._records(queue, seq)
            if record["attempt"]
            and record["attempt"]["unknown"]
            and any(start <= seq < end for start, end in record["covers"])
        ]
        return min(unknown, default=None)


def _door_trace(queue: Queue, at: float, record: layout.DoorRecord) -> Trace:
    return Trace(
        record.receipt, record.source, queue.destination, at, record.name, record.event_id,
        record.order_id, record.event_time, Outcome(record.outcome), Reason(record.reason),
        [FieldIssue(field, why) for field, why in record.errors], at,
    )  # fmt: skip


def _pass_by(last: bytes, found: bytes | None) -> None:
    """What cannot be read cannot be found; `journal verify` reports it."""
