"""What the stand-in has received, and what TikTok would have made of it. Pure; memory is bounded.

Deduplication as TikTok describes it: the key is event source id, event and event id, "from a
single channel or across multiple channels" (TikTok docs). The first is the *effect*. A repeat
within 5 minutes is *merged* into it, a later one within 48 hours of the first is *dropped*, and
after that the same event counts again (help page "Event deduplication" and what integrators say of
it, read together). An event without an id is always an effect. Test events are not stored by
TikTok: here they are listed, and neither counted as effects nor remembered.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import count
from sys import intern
from typing import Any, Final, NamedTuple

import orjson

MERGE_S: Final = 5 * 60
REPEAT_S: Final = 48 * 3600


class Effect(StrEnum):
    """What became of one event of an accepted request."""

    EFFECT = "effect"
    MERGED = "merged"
    DROPPED = "dropped"
    TEST = "test"


class Batch(NamedTuple):
    """The accepted events of one request."""

    request_id: str
    event_source: str
    event_source_id: str
    is_test: bool
    events: Sequence[Mapping[str, Any]]


class Tally(NamedTuple):
    """What became of the events of one request."""

    effects: int = 0
    merged: int = 0
    dropped: int = 0
    tests: int = 0

    @property
    def repeats(self) -> int:
        return self.merged + self.dropped

    @property
    def events(self) -> int:
        return sum(self)


class StoredEvent(NamedTuple):
    """An event as it arrived; `body` is its JSON, `number` counts from 1."""

    number: int
    at: float
    request_id: str
    event_source: str
    event_source_id: str
    effect: Effect
    event: str
    event_id: str | None
    body: bytes


class StoredRequest(NamedTuple):
    """A request as the log keeps it: `token` is a fingerprint; `status` None means no answer.

    `events` were brought, `tally` says what became of those that were accepted.
    """

    number: int
    at: float
    request_id: str
    method: str
    path: str
    status: int | None
    code: int | None
    message: str | None
    fault: str | None
    token: str | None
    event_source: str | None
    event_source_id: str | None
    is_test: bool
    events: int
    size_bytes: int
    tally: Tally


class Memory:
    """When each key was first seen, for 48 hours.

    Two generations of 48 hours each: forgetting is dropping the older one, never a scan.
    """

    def __init__(self) -> None:
        self._young: dict[Hashable, float] = {}
        self._old: dict[Hashable, float] = {}
        self._born_at: float | None = None

    def ages(self, keys: Iterable[Hashable], now: float) -> list[float | None]:
        """For each key, seconds since it was first seen; None: it is new, and known from now on.

        The key None is always new. One call for a whole batch: a call for each event would cost
        more than all the rest.
        """
        if self._born_at is None or now - self._born_at >= REPEAT_S:
            self._old, self._young, self._born_at = self._young, {}, now
        young, old = self._young, self._old
        ages: list[float | None] = []
        for key in keys:
            first = young.get(key)
            if first is None and old:
                first = old.get(key)
            if first is not None and now - first < REPEAT_S:
                ages.append(now - first)
                continue
            ages.append(None)
            if key is not None:
                young[key] = now
        return ages

    def knows(self, key: Hashable, now: float) -> bool:
        first = self._young.get(key, self._old.get(key))
        return first is not None and now - first < REPEAT_S


class Received:
    """Everything received since the start or the last reset.

    `light` keeps counts and hashes of ids: 64 bits an event, so that ten million fit (two of them
    fall together once in several hundred thousand such runs).
    """

    def __init__(self, *, keep_events: int, keep_requests: int, light: bool) -> None:
        self.events: deque[StoredEvent] = deque(maxlen=0 if light else keep_events)
        self.requests: deque[StoredRequest] = deque(maxlen=keep_requests)
        self.light = light
        self.codes: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.effects: Counter[tuple[str, str]] = Counter()
        self.totals = Tally()
        self.request_count = 0
        self.event_count = 0
        self.size_bytes = 0
        self.most_open_calls = 0
        self._memory = Memory()
        self._numbers = count(1)

    def record(self, batch: Batch, *, now: float) -> Tally:
        """Take the events of an accepted request, and say what became of them."""
        if batch.is_test:
            self._keep(batch, [Effect.TEST] * len(batch.events), now)
            tally = Tally(tests=len(batch.events))
        else:
            tally = self._count(batch, now)
        self.totals = Tally(*(a + b for a, b in zip(self.totals, tally, strict=True)))
        return tally

    def log(self, request: StoredRequest) -> None:
        self.requests.append(request)
        self.request_count += 1
        self.event_count += request.events
        self.size_bytes += request.size_bytes
        self.statuses["none" if request.status is None else str(request.status)] += 1
        if request.code is not None:
            self.codes[str(request.code)] += 1

    def brings_nothing_new(self, batch: Batch, *, now: float) -> bool:
        """Was every event of the batch seen before?"""
        return not batch.is_test and all(
            key is not None and self._memory.knows(key, now) for key in self._keys(batch)
        )

    def missing(
        self, event_source_id: str, event: str, event_ids: Sequence[str], *, now: float
    ) -> Iterator[str]:
        """Those of the ids that had no effect within 48 hours."""
        for event_id in event_ids:
            key = (event_source_id, event, event_id)
            if not self._memory.knows(hash(key) if self.light else key, now):
                yield event_id

    def _count(self, batch: Batch, now: float) -> Tally:
        ages = self._memory.ages(self._keys(batch), now)
        new = [event["event"] for event, age in zip(batch.events, ages, strict=True) if age is None]
        for name, number in Counter(new).items():
            self.effects[batch.event_source_id, name] += number
        self._keep(batch, [_effect(age) for age in ages] if not self.light else [], now)
        dropped = sum(age >= MERGE_S for age in ages if age is not None)
        return Tally(len(new), len(ages) - len(new) - dropped, dropped)

    def _keys(self, batch: Batch) -> list[Hashable]:
        """What each event is known by; None where it has no id."""
        source = batch.event_source_id
        keys: list[Hashable] = [
            (source, event["event"], event["event_id"]) if "event_id" in event else None
            for event in batch.events
        ]
        return [None if key is None else hash(key) for key in keys] if self.light else keys

    def _keep(self, batch: Batch, effects: Sequence[Effect], now: float) -> None:
        if self.light:
            return
        for event, effect in zip(batch.events, effects, strict=True):
            self.events.append(
                StoredEvent(
                    next(self._numbers),
                    now,
                    batch.request_id,
                    batch.event_source,
                    batch.event_source_id,
                    effect,
                    intern(event["event"]),
                    event.get("event_id"),
                    orjson.dumps(event),
                )
            )


def _effect(age_s: float | None) -> Effect:
    if age_s is None:
        return Effect.EFFECT
    return Effect.MERGED if age_s < MERGE_S else Effect.DROPPED
