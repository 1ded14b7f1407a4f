"""Dead letters back onto the path: normalized once more, claimed once more, sent by the lane."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import orjson

from relay.clock import Clock
from relay.deliver.plan import TIKTOK_REMEMBERS_S
from relay.journal.protocol import Intake
from relay.model import Arrival, DeadLetter, Event
from relay.normalize.event import Normalizer
from relay.traces import OFF, Moment, Traces


class Replayed(StrEnum):
    """What became of a dead letter that was to be replayed."""

    QUEUED = "queued"
    ALREADY = "already_replayed"
    DUPLICATE = "duplicate"  # the same event came in again meanwhile
    MAY_COUNT_TWICE = "may_count_twice"  # an attempt's outcome was unknown, over 48 hours ago
    REFUSED = "refused"  # it would end at the door again: too old, or not valid any more
    NOTHING_TO_SEND = "nothing_to_send"  # an invalid message of a topic: only its sender has it
    NO_DESTINATION = "no_destination"  # the configuration has this destination no more


@dataclass(frozen=True, slots=True)
class Replay:
    letter_id: str
    result: Replayed
    detail: str = ""


class Graveyard(Intake, Protocol):
    """The side of the journal that replay needs."""

    async def mark_replayed(self, letter_id: str) -> None: ...


class Replayer:
    """Replays dead letters, obeying the 48-hour rule unless told to `force` it."""

    def __init__(
        self,
        journal: Graveyard,
        normalizers: Mapping[str, Normalizer],
        clock: Clock,
        traces: Traces = OFF,
    ) -> None:
        self._traces = traces
        self._journal = journal
        self._normalizers = normalizers
        self._clock = clock

    async def replay(
        self, letters: Iterable[DeadLetter], *, dry_run: bool, force: bool = False
    ) -> list[Replay]:
        """One answer a letter; with `dry_run` nothing is changed."""
        return [await self._one(letter, dry_run=dry_run, force=force) for letter in letters]

    async def _one(self, letter: DeadLetter, *, dry_run: bool, force: bool) -> Replay:
        refused = self._refused(letter, force=force)
        if refused is not None:
            return refused
        if letter.wire is None:
            return Replay(letter.letter_id, Replayed.NOTHING_TO_SEND)
        event = self._normalizers[letter.destination](
            orjson.loads(letter.wire), now=self._clock.now()
        )
        if not isinstance(event, Event):
            return Replay(letter.letter_id, Replayed.REFUSED, event.reason)
        if dry_run:
            return Replay(letter.letter_id, Replayed.QUEUED)
        began = Moment(self._clock.now(), self._clock.monotonic())
        event = event._replace(test_event_code=letter.test_event_code)
        receipt = f"replay:{letter.letter_id}/0"
        arrival = Arrival(receipt, letter.source, letter.destination, event)
        (answer,) = await self._journal.append([arrival])
        await self._journal.mark_replayed(letter.letter_id)
        self._traces.replayed(letter, arrival, answer, (began, self._clock.monotonic()))
        if answer.outcome is None:
            return Replay(letter.letter_id, Replayed.QUEUED)
        return Replay(letter.letter_id, Replayed.DUPLICATE)

    def _refused(self, letter: DeadLetter, *, force: bool) -> Replay | None:
        if letter.replayed_at is not None:
            return Replay(letter.letter_id, Replayed.ALREADY)
        if letter.destination not in self._normalizers:
            return Replay(letter.letter_id, Replayed.NO_DESTINATION, letter.destination)
        unknown_s = self._clock.now() - (letter.unknown_since or self._clock.now())
        if unknown_s > TIKTOK_REMEMBERS_S and not force:
            return Replay(letter.letter_id, Replayed.MAY_COUNT_TWICE)
        return None
