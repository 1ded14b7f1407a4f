"""How a source is read, and the words for how that goes. Without the client: it takes a tenth of a
second to import, and most relays read no topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from relay.kafka.connection import KafkaConnection

#: A partition that has messages and gives none for so long is stalled.
STALLED_AFTER_S: Final = 120.0


class State(StrEnum):
    """What a reader is doing."""

    CONNECTING = "connecting"
    NO_TOPIC = "no_topic"  # one that it should read is not there, or not shown to us
    READING = "reading"
    WAITING_FOR_JOURNAL = "waiting_for_journal"
    STOPPED = "stopped"  # too many messages are invalid


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """A source: what it reads, as whom, and how much that is invalid it bears."""

    name: str
    connection: KafkaConnection
    topics: Sequence[str]
    group: str
    starts_at_end: bool
    max_invalid_share: float
    session_timeout_s: float
    stalled_after_s: float = STALLED_AFTER_S
