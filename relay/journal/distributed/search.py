"""Finding: fingerprints in PostgreSQL say where to look, the topic says what came, the records of
attempts what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from relay.journal import attempts, fingerprint, layout
from relay.journal.distributed import history
from relay.journal.distributed.browser import Browser
from relay.journal.distributed.claims import day_of
from relay.journal.distributed.erasing import Erasures
from relay.journal.distributed.message import Arrived
from relay.journal.distributed.spot import Spot
from relay.journal.moving.rows import Moved
from relay.model import Attempt, Trace
from relay.postgres.database import Database

_DIGEST_LENGTH = 64

#: What an event that was erased leaves.
_BLANK = b"{}"


class Search:
    """Looks things up for people; nothing here is quick."""

    def __init__(self, database: Database, browser: Browser, erasures: Erasures) -> None:
        self._database = database
        self._browser = browser
        self._erasures = erasures

    async def find(self, token: str, since: float, limit: int) -> Sequence[Trace]:
        """See `protocol.Records.find`; what came before `since` is past its time.

        Raises `DatabaseUnavailable` and `JournalUnavailable`.
        """
        spots = await self.spots(token, since)
        told = [spot for spot in spots if spot.partition == history.PARTITION]
        moved = await history.read(self._database, told)
        messages = await self._browser.read(set(spots) - set(told))
        found: dict[Spot, Arrived | Moved] = {
            spot: each for spot, each in messages.items() if self._is_about(each, token)
        }
        found |= {spot: each for spot, each in moved.items() if self._tells_of(each, token)}
        about = sorted(found.items(), key=lambda each: (each[1].accepted_at, each[0]))
        return [
            self._told(each) if isinstance(each, Moved) else await self.trace(spot, each)
            for spot, each in about[-limit:]
        ]

    async def spots(self, token: str, since: float) -> list[Spot]:
        """Where a fingerprint of the token occurs, maybe by chance."""
        wanted = fingerprint.of(token.encode(errors="replace"))
        rows = await self._database.fetch(
            "select destination, partition, offsets, row from fingerprints "
            "where day >= $2 and position($1::bytea in row) > 0",
            wanted,
            day_of(since),
        )
        return [
            Spot(row["destination"], row["partition"], row["offsets"][at])
            for row in rows
            for at in sorted(set(fingerprint.find(row["row"], wanted)))
        ]

    def _is_about(self, message: Arrived, token: str) -> bool:
        _, receipt, _, _, event_id, _, order_id, *_, body = message.fields
        if token in (receipt, event_id, order_id):
            return True
        if len(token) != _DIGEST_LENGTH or token.encode() not in body:
            return False
        return not self._erasures.cover(message.accepted_at, body)

    def _tells_of(self, moved: Moved, token: str) -> bool:
        if token in (moved.receipt, moved.event_id, moved.order_id):
            return True
        body = moved.body or b""
        if len(token) != _DIGEST_LENGTH or token.encode() not in body:
            return False
        return not self._erasures.cover(moved.accepted_at, body)

    def _told(self, moved: Moved) -> Trace:
        """The story of an arrival that ended in another journal."""
        body = moved.body
        if body is not None and self._erasures.cover(moved.accepted_at, body):
            body = _BLANK
        return Trace(
            moved.receipt, moved.source, moved.destination, moved.accepted_at, moved.event,
            moved.event_id, moved.order_id, moved.event_time, moved.outcome, moved.reason,
            moved.errors, moved.settled_at, body, moved.attempts,
        )  # fmt: skip

    async def _made_elsewhere(self, spot: Spot, message: Arrived) -> dict[str, Attempt]:
        """The attempts at an event that waited in another journal."""
        if message.moved is None:
            return {}
        place = Spot(spot.destination, history.PARTITION, message.moved.place)
        found = await history.read(self._database, [place])
        return {each.attempt_id: each for moved in found.values() for each in moved.attempts}

    async def trace(self, spot: Spot, message: Arrived) -> Trace:
        """One message's story."""
        made = await self._made_elsewhere(spot, message)
        outcome = reason = settled_at = None
        for row in await self._database.fetch(
            "select row from attempts where destination = $1 and partition = $2 "
            "and first between $3 and $4 and behind > $4",
            spot.destination,
            spot.partition,
            max(0, spot.offset - layout.MAX_SPAN),
            spot.offset,
        ):
            record = attempts.unpack(row["row"])
            if record.attempt is not None and record.carried(spot.offset):
                made[record.attempt.attempt_id] = record.attempt
            ended = record.end_of(spot.offset)
            if ended is not None:
                outcome, reason, settled_at = ended.outcome, ended.reason, record.at
        at, receipt, source, name, event_id, event_time, order_id, *_, body = message.fields
        refusal = message.refusal
        if self._erasures.cover(at, body):
            body = _BLANK
        return Trace(
            receipt, source, spot.destination, at, name or None, event_id or None, order_id,
            refusal.event_time if refusal else event_time, outcome, reason,
            refusal.errors if refusal else (), settled_at, None if refusal else body,
            sorted(made.values(), key=lambda attempt: attempt.started_at),
        )  # fmt: skip
