"""Dead letters: what was given up on, with its reason, until it is replayed or past its time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from rocksdict import WriteBatch

from relay.journal import layout
from relay.journal.door import DoorRecord
from relay.journal.queue import Queue
from relay.journal.rocksdb import attempt_rows
from relay.journal.rocksdb.folder import DEAD
from relay.journal.rocksdb.scan import pass_by, rows
from relay.journal.rocksdb.state import State
from relay.journal.rocksdb.trouble import Damaged
from relay.model import Attempt, DeadLetter, FieldIssue, Outcome, Reason, Settlement


@dataclass(slots=True)
class MarkJob:
    """This dead letter was replayed."""

    letter_id: str


class Letters:
    """The dead letters of a folder."""

    def __init__(self, state: State) -> None:
        self._state = state

    # --- writing ----------------------------------------------------------------------------------

    def bury(
        self,
        queue: Queue,
        dead: Settlement,
        attempt: Attempt | None,
        batch: WriteBatch,
        now: float,
    ) -> None:
        """Keep these entries as dead letters."""
        family = self._state.folder.handle(DEAD)
        for entry in dead.entries:
            letter = {
                **entry._asdict(),
                "body": entry.body.decode(),
                "at": now,
                "outcome": dead.outcome,
                "reason": dead.reason,
                "attempt": attempt,
                "replayed_at": None,
            }
            batch.put(layout.dead_key(now, queue.number, entry.seq), layout.json(letter), family)

    def bury_at_door(
        self, queue: Queue, place: int, record: DoorRecord, batch: WriteBatch, now: float
    ) -> None:
        """Keep an invalid message of a topic; `place` is its door seq."""
        letter = {**record._asdict(), "accepted_at": now, "replayed_at": None}
        key = layout.dead_key(now, queue.number, layout.AT_DOOR | place)
        batch.put(key, layout.json(letter), self._state.folder.handle(DEAD))

    def receive(self, queue: Queue, letter: DeadLetter, batch: WriteBatch) -> None:
        """Keep a letter of another journal, under an id of this one; again, it is the same."""
        errors = [list(error) for error in letter.errors]
        attempt = {
            "code": letter.code, "message": letter.message, "request_id": letter.request_id,
            "number": letter.attempts,
        }  # fmt: skip
        said: dict[str, Any] = {
            "receipt": letter.receipt, "source": letter.source, "name": letter.event,
            "event_id": letter.event_id, "order_id": letter.order_id,
            "event_time": letter.event_time, "accepted_at": letter.accepted_at,
            "outcome": letter.outcome, "reason": letter.reason, "replayed_at": letter.replayed_at,
        }  # fmt: skip
        if letter.wire is None:
            said |= {"errors": errors}
        else:
            said |= {
                "body": letter.wire.decode(), "at": letter.at, "attempt": attempt,
                "test_event_code": letter.test_event_code, "unknown_since": letter.unknown_since,
            }  # fmt: skip
        key = layout.dead_key(letter.at, queue.number, layout.received_seq(letter.letter_id))
        batch.put(key, layout.json(said), self._state.folder.handle(DEAD))

    def mark(self, job: MarkJob, batch: WriteBatch, now: float) -> bool:
        """Note that it was replayed; False when there is no such letter."""
        stored = self._stored(job.letter_id)
        if stored is None:
            return False
        key, letter = stored
        letter["replayed_at"] = now
        batch.put(key, layout.json(letter), self._state.folder.handle(DEAD))
        return True

    # --- reading ----------------------------------------------------------------------------------

    def all(
        self, destination: str | None = None, *, behind: str = "", limit: int | None = None
    ) -> Iterator[DeadLetter]:
        """Dead letters, oldest first; those behind the letter `behind`, at most `limit`."""
        return islice(self._all(destination, behind), limit)

    def _all(self, destination: str | None, behind: str) -> Iterator[DeadLetter]:
        if DEAD not in self._state.folder.names:
            return
        start = bytes.fromhex(behind) + b"\0" if behind else layout.FIRST
        queues = self._by_lane()
        family = self._state.folder.family(DEAD)
        for key, value in rows(family, start, layout.BEHIND_ALL, pass_by):
            queue = queues.get(layout.dead_lane(key))
            if queue is not None and destination in (None, queue.destination):
                yield self._letter(queue, key, layout.parse(value))

    def one(self, letter_id: str) -> DeadLetter | None:
        """One dead letter by its id, or None."""
        stored = self._stored(letter_id)
        if stored is None:
            return None
        key, letter = stored
        queue = self._by_lane().get(layout.dead_lane(key))
        return None if queue is None else self._letter(queue, key, letter)

    def _by_lane(self) -> dict[int, Queue]:
        return {queue.number: queue for queue in list(self._state.queues.values())}

    def _stored(self, letter_id: str) -> tuple[bytes, dict[str, Any]] | None:
        try:
            key = bytes.fromhex(letter_id)
            value = self._state.folder.get(DEAD, key)
        except (ValueError, Damaged):
            return None
        return (key, layout.parse(value)) if value else None

    def _letter(self, queue: Queue, key: bytes, letter: dict[str, Any]) -> DeadLetter:
        attempt = letter.get("attempt") or {}
        if "body" not in letter:
            return self._refused(queue, key, letter)
        return DeadLetter(
            key.hex(), letter["at"], letter["receipt"], letter["source"], queue.destination,
            letter["name"], letter["event_id"], letter["order_id"], letter["event_time"],
            letter["accepted_at"], Outcome(letter["outcome"]), Reason(letter["reason"]),
            attempt.get("code"), attempt.get("message"), attempt.get("request_id"),
            attempt.get("number", 0), letter["replayed_at"],
            self._unknown_since(queue, key, letter),
            letter["body"].encode(),
            letter["test_event_code"],
        )  # fmt: skip

    def _unknown_since(self, queue: Queue, key: bytes, letter: dict[str, Any]) -> float | None:
        """Of a letter that came from another journal it stands in the letter."""
        if "unknown_since" in letter:
            found: float | None = letter["unknown_since"]
            return found
        return attempt_rows.unknown_since(self._state.folder, queue, [layout.dead_seq(key)])

    def _refused(self, queue: Queue, key: bytes, letter: dict[str, Any]) -> DeadLetter:
        return DeadLetter(
            key.hex(), letter["accepted_at"], letter["receipt"], letter["source"],
            queue.destination, letter["name"], letter["event_id"], letter["order_id"],
            letter["event_time"], letter["accepted_at"], Outcome(letter["outcome"]),
            Reason(letter["reason"]), None, None, None, 0, letter["replayed_at"], None, None,
            errors=[FieldIssue(field, reason) for field, reason in letter["errors"]],
        )  # fmt: skip
