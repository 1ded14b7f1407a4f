"""The nouns of the relay. Everything here is a value; nothing here does I/O.

arrival     one event as a sender handed it over, named by its receipt
conversion  an arrival in our canonical, still readable form (`relay.conversion`)
event       a normalized conversion: hashed, checked, already the JSON bytes TikTok gets
entry       an event in the journal, waiting to be settled
attempt     one HTTP call to TikTok
outcome     how an arrival ended: exactly one of `Outcome`, with one of `Reason`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntFlag, StrEnum
from typing import NamedTuple


class EventSource(StrEnum):
    """TikTok's four event sources (`event_source` of the request)."""

    WEB = "web"
    APP = "app"
    OFFLINE = "offline"
    CRM = "crm"


class Outcome(StrEnum):
    """How an arrival ended. Every arrival ends in exactly one."""

    DELIVERED = "delivered"
    DUPLICATE = "duplicate"
    INVALID = "invalid"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHHELD = "withheld"


#: An entry that ends in one of these gives its claim back, so that a corrected re-send passes.
CLAIM_RELEASING = frozenset({Outcome.REJECTED, Outcome.EXPIRED, Outcome.WITHHELD, Outcome.INVALID})

#: An entry that ends in one of these is kept as a dead letter.
DEAD_LETTER = frozenset({Outcome.REJECTED, Outcome.EXPIRED})


#: The receipts of messages that were read from a topic begin so. Nobody waits for an answer to
#: them: an invalid one is kept as a dead letter.
FROM_TOPIC = "kafka:"


class Reason(StrEnum):
    """Why an arrival ended as it did: a closed list, so that operators can count."""

    # delivered
    ACCEPTED = "accepted"  # code 0
    ALREADY_RECEIVED = "already_received"  # code 40050
    # duplicate
    SAME_EVENT = "same_event"  # another receipt claimed this (destination, event, event_id)
    # invalid
    NOT_AN_OBJECT = "not_an_object"
    MISSING_FIELD = "missing_field"
    BAD_FIELD = "bad_field"
    FUTURE = "future"
    UNKNOWN_DESTINATION = "unknown_destination"
    UNMAPPABLE = "unmappable"  # a custom mapping could not make a conversion of it
    TOO_LARGE = "too_large"  # one event alone exceeds the size of a request
    DAMAGED = "damaged"  # its record in the journal cannot be read any more
    # rejected
    INVALID_PARAMS = "invalid_params"  # 40000, 40002 and kin
    PII_NOT_HASHED = "pii_not_hashed"  # 40062
    FAILED_IN_BATCH = "failed_in_batch"  # listed in failed_events of code 20001
    REFUSED = "refused"  # any other permanent code
    # expired
    TOO_OLD = "too_old"  # older than max_event_age on arrival
    WAITED_TOO_LONG = "waited_too_long"  # became older than max_event_age while it waited
    # withheld
    CONSENT_DENIED = "consent_denied"
    CONSENT_UNKNOWN = "consent_unknown"
    NO_MATCH_KEY = "no_match_key"
    ERASED = "erased"  # the person asked the shop to be forgotten


class MatchKey(IntFlag):
    """What TikTok can match a person by; the ledger counts how many events carried each."""

    TTCLID = 1
    EMAIL = 2
    PHONE = 4
    EXTERNAL_ID = 8
    TTP = 16
    IP = 32
    USER_AGENT = 64
    IDFA = 128
    GAID = 256
    LEAD_ID = 512


class FieldIssue(NamedTuple):
    """A field that was dropped or refused. `reason` is a word, never the value."""

    field: str
    reason: str


class Event(NamedTuple):
    """A normalized conversion for one destination.

    `wire` is the JSON object that goes into TikTok's `data[]`, byte for byte; `claim` the 16-byte
    digest of (event name, event id) that makes it unique within its destination; `value` and
    `currency` are copies for the ledger; `issues` names fields that were dropped on the way;
    `tokens` are what the event can be found by: ids and digests, as bytes.
    """

    name: str
    event_id: str
    event_time: int
    wire: bytes
    claim: bytes
    order_id: str | None
    test_event_code: str | None
    value: Decimal | None
    currency: str | None
    match_keys: int
    issues: Sequence[FieldIssue]
    tokens: Sequence[bytes]


class Refusal(NamedTuple):
    """A conversion that ends at the door: invalid, expired or withheld."""

    outcome: Outcome
    reason: Reason
    name: str | None
    event_id: str | None
    order_id: str | None
    event_time: int | None
    errors: Sequence[FieldIssue]


class Arrival(NamedTuple):
    """One (arrival, destination) pair on its way into the journal.

    `receipt` names the arrival: `http:<request id>/<index>`, `kafka:<topic>/<partition>@<offset>`,
    `import:<file digest>/<line>` or `replay:<dead letter id>/<n>`.
    """

    receipt: str
    source: str
    destination: str
    result: Event | Refusal


class Answer(NamedTuple):
    """What the journal did with an arrival: `outcome` is None while it waits for delivery.

    `known` is true when this very receipt was already journaled (a sender's re-read after a
    crash): nothing was written again.
    """

    outcome: Outcome | None
    reason: Reason | None
    known: bool = False


class Entry(NamedTuple):
    """An event in the journal, waiting to be settled. `seq` orders a destination's entries."""

    seq: int
    accepted_at: float
    receipt: str
    source: str
    name: str
    event_id: str
    event_time: int
    order_id: str | None
    test_event_code: str | None
    value: str | None
    currency: str | None
    match_keys: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP call to TikTok, as it is kept: never a body, never a token.

    `number` counts from 1; `status` is the HTTP status, None when there was no answer; `code`,
    `message` and `request_id` come from TikTok's envelope; `error` names a network failure;
    `verdict` is what the lane made of it; `unknown` says that TikTok may have taken the events
    although no answer was read.
    """

    attempt_id: str
    destination: str
    number: int
    started_at: float
    seconds: float
    events: int
    size_bytes: int
    verdict: str
    status: int | None = None
    code: int | None = None
    message: str | None = None
    request_id: str | None = None
    error: str | None = None
    unknown: bool = False


class Settlement(NamedTuple):
    """These entries of one destination end like this."""

    entries: Sequence[Entry]
    outcome: Outcome
    reason: Reason


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for one destination: count, bytes and the acceptance time of the oldest."""

    entries: int
    size_bytes: int
    oldest_at: float | None


@dataclass(frozen=True, slots=True)
class Counts:
    """The stored counters of one destination; `accepted == settled + waiting` at every moment."""

    accepted: int
    settled: int
    waiting: int

    @property
    def gap(self) -> int:
        return self.accepted - self.settled - self.waiting


@dataclass(frozen=True, slots=True)
class Trace:
    """All that is known of one arrival: what came, what was sent, every answer."""

    receipt: str
    source: str
    destination: str
    accepted_at: float
    event: str | None
    event_id: str | None
    order_id: str | None
    event_time: int | None
    outcome: Outcome | None
    reason: Reason | None
    errors: Sequence[FieldIssue] = ()
    settled_at: float | None = None
    wire: bytes | None = None
    attempts: Sequence[Attempt] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A rejected or expired entry, kept with its reason; `letter_id` names it for replay.

    An invalid message of a topic is one, too: `errors` say what is wrong with it, `wire` is None,
    and its sender has to send it again.
    `unknown_since` is the time of the first attempt whose outcome stayed unknown: TikTok may have
    it, and forgets repeats after 48 h, so replay refuses it from then on. `test_event_code` is
    that of a test event: replayed, it is one again.
    """

    letter_id: str
    at: float
    receipt: str
    source: str
    destination: str
    event: str | None
    event_id: str | None
    order_id: str | None
    event_time: int | None
    accepted_at: float
    outcome: Outcome
    reason: Reason
    code: int | None
    message: str | None
    request_id: str | None
    attempts: int
    replayed_at: float | None
    unknown_since: float | None
    wire: bytes | None
    test_event_code: str | None = None
    errors: Sequence[FieldIssue] = ()
