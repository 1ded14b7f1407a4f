"""How far a source is in each of its partitions, and where it does not get on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

#: Brokers that have not answered for so long, in seconds, are away: no partition is to blame.
_SILENCE_S = 30.0


class Partition(NamedTuple):
    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


class Sample(NamedTuple):
    """A partition as the client sees it: the next offset to read, the one that is to be written
    next, and when the broker last said so (any unit)."""

    partition: Partition
    position: int
    end: int
    answered: int


@dataclass(slots=True)
class _Progress:
    moved_at: float
    position: int = -1
    lag: int = 0
    answered: int = 0


@dataclass(slots=True)
class Standing:
    """`now` is monotonic time in seconds. A partition that was lost and comes back at once, as in
    every rebalance, is still where it was: only moving ends a stall."""

    stalled_after_s: float
    _partitions: dict[Partition, _Progress] = field(default_factory=dict)
    _answered_at: float = 0.0

    def assigned(self, partitions: Iterable[Partition], now: float) -> None:
        self._answered_at = now
        self._partitions = {
            each: self._partitions.get(each) or _Progress(now) for each in partitions
        }

    def sampled(self, samples: Iterable[Sample], now: float) -> None:
        for sample in samples:
            progress = self._partitions.setdefault(sample.partition, _Progress(now))
            lag = max(0, sample.end - sample.position)
            if sample.answered != progress.answered:
                self._answered_at = now
            if lag == 0 or sample.position > progress.position:
                progress.moved_at = now
            progress.position, progress.lag = sample.position, lag
            progress.answered = sample.answered

    def lag(self) -> dict[str, int]:
        """Messages that are there and not yet read, by topic; of partitions that nobody has looked
        at yet nothing is said."""
        lags: dict[str, int] = {}
        for each, progress in self._partitions.items():
            if progress.position < 0:
                continue
            lags[each.topic] = lags.get(each.topic, 0) + progress.lag
        return lags

    def stalled(self, now: float) -> Sequence[Partition]:
        """Partitions that have messages and give none, of brokers that answer."""
        if now - self._answered_at > _SILENCE_S:
            return ()
        return [
            each
            for each, progress in self._partitions.items()
            if progress.lag and now - progress.moved_at > self.stalled_after_s
        ]
