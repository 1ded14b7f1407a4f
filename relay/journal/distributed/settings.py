"""Where the journal is, and who is told what happens to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from relay.journal.distributed.claiming import Fate
from relay.journal.distributed.message import Arrived
from relay.journal.distributed.topics import Topics
from relay.kafka.connection import KafkaConnection

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class DistributedSettings:
    """Where the journal is, and what this process does of it. Times in seconds."""

    kafka: KafkaConnection
    topics: Topics
    group: str
    destinations: Sequence[str]
    delivers: bool = True
    retention_s: float = 30 * DAY_S
    ledger_retention_s: float = 25 * 31 * DAY_S
    dedupe_window_s: float = 7 * DAY_S
    dedupe_windows_s: Mapping[str, float] = field(default_factory=dict)

    def window_s(self, destination: str) -> float:
        """How long this destination's claims last."""
        return self.dedupe_windows_s.get(destination, self.dedupe_window_s)

    @property
    def longest_window_s(self) -> float:
        return max([self.dedupe_window_s, *self.dedupe_windows_s.values()])


@dataclass(frozen=True, slots=True)
class Watchers:
    """Who is told of errors that stop something, of records that cannot be read, and of messages
    that were claimed, with what became of them."""

    trouble: Callable[[str, Exception], None] = lambda what, error: None
    damaged: Callable[[int], None] = lambda count: None
    claimed: Callable[[str, Sequence[tuple[Arrived, Fate]]], None] = lambda name, found: None
