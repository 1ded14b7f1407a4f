"""Every span with its kind and what it may say. There are no others.

Names of OpenTelemetry's own are used where it has one (semantic conventions 1.44: `http`,
`messaging`, `error`), and `relay.` or `tiktok.` before ours. Values are numbers, words of closed
lists, names from the configuration, and ids that the relay or TikTok gave to a request.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple


class Kind(Enum):
    """OpenTelemetry's kinds of spans, as far as we have them."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    CONSUMER = "consumer"


class Shape(NamedTuple):
    """A span's kind, and the attributes it may have."""

    kind: Kind
    attributes: frozenset[str] = frozenset()


#: How many events became what at the door; `known` ones were journaled before.
COUNTS: Final = (
    "relay.events.accepted",
    "relay.events.duplicates",
    "relay.events.ended",
    "relay.events.invalid",
    "relay.events.known",
)

_TIKTOK_SAID = (
    "http.response.status_code",
    "error.type",
    "relay.verdict",
    "tiktok.code",
    "tiktok.request_id",
)

_ATTEMPT = ("relay.destination", "relay.attempt.id", "relay.attempt.number", "relay.events")

#: What a message came from.
_MESSAGING = ("messaging.system", "messaging.destination.name")

ACCEPT: Final = "relay.accept"
VERIFY: Final = "relay.verify"
NORMALIZE: Final = "relay.normalize"
APPEND: Final = "relay.append"
CONSUME: Final = "relay.consume"
MESSAGE: Final = "relay.message"
LINE: Final = "relay.line"
REPLAY: Final = "relay.replay"
DELIVER: Final = "relay.deliver"
ANSWER: Final = "relay.answer"
EXPIRE: Final = "relay.expire"


def _shape(kind: Kind, *attributes: str) -> Shape:
    return Shape(kind, frozenset(attributes))


SPANS: Final[dict[str, Shape]] = {
    # A request, from its head to its answer; first of its trace.
    ACCEPT: _shape(
        Kind.SERVER,
        "relay.source", "relay.request_id", "http.request.body.size",
        "http.response.status_code", "error.type", *COUNTS,
    ),
    # The steps of a request.
    VERIFY: _shape(Kind.INTERNAL),
    NORMALIZE: _shape(Kind.INTERNAL),
    APPEND: _shape(Kind.INTERNAL),
    # Messages of one partition that were stored together; in a trace of its own.
    CONSUME: _shape(
        Kind.CONSUMER,
        "relay.source", "messaging.batch.message_count", "messaging.destination.partition.id",
        "relay.sampled", *_MESSAGING, *COUNTS,
    ),
    # A message; first of its trace.
    MESSAGE: _shape(
        Kind.CONSUMER,
        "relay.source", "messaging.destination.partition.id", "messaging.kafka.offset",
        *_MESSAGING, *COUNTS,
    ),
    # A line of a file; first of its trace.
    LINE: _shape(Kind.INTERNAL, "relay.source", *COUNTS),
    # A dead letter put back; first of its trace, with a link to the one it had before.
    REPLAY: _shape(Kind.INTERNAL, "relay.source", "relay.destination", *COUNTS),
    # An attempt: one HTTP call to TikTok; in a trace of its own.
    DELIVER: _shape(
        Kind.CLIENT, "http.request.body.size", "relay.sampled", *_ATTEMPT, *_TIKTOK_SAID
    ),
    # What an attempt meant for the events of one request.
    ANSWER: _shape(Kind.INTERNAL, "relay.outcome", "relay.reason", *_ATTEMPT, *_TIKTOK_SAID),
    # Events of one request that grew too old before an attempt.
    EXPIRE: _shape(
        Kind.INTERNAL, "relay.destination", "relay.events", "relay.outcome", "relay.reason"
    ),
}  # fmt: skip
