"""Messages of a journal topic: one arrival each. Pure.

    key       the event's claim, 16 bytes: a digest of (event, event id)
    value     an event: the JSON object that TikTok gets in `data[]`, byte for byte
              a refusal: JSON {"event", "event_id", "order_id", "event_time", "errors"}
    header    `relay`: JSON of what stands beside it, see `Head`

The bytes in the topic are the bytes sent. Nothing in a message is readable about a person:
identifiers are digests, refusals name fields and reasons and never a value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple
from zlib import crc32

import orjson

from relay.journal.chunk import CLAIM_BYTES
from relay.model import Arrival, Entry, Event, FieldIssue, Outcome, Reason, Refusal

#: The header that holds the head; a message without it is not ours.
HEADER: Final = "relay"

#: A value of this version is read; a later one is refused rather than guessed.
VERSION: Final = 2

#: What came through a door is written as this, so that earlier releases read it, too.
_OWN: Final = 1

Headers = list[tuple[str, bytes]]


class LaterVersion(ValueError):
    """A newer release wrote this message: it waits for one that can read it."""


class FromElsewhere(NamedTuple):
    """Of an event that waited in another journal: where in `history` its attempts there are told,
    and since when TikTok may have it without our knowing."""

    place: int
    unknown_since: float | None


class Encoded(NamedTuple):
    """A message on its way into a topic."""

    key: bytes
    value: bytes
    headers: Headers


class Arrived(NamedTuple):
    """A message taken apart. `offset` is its place in the partition; `prints` are the CRC-32s of
    everything but its receipt that it can be found by; `fields` are those of an `Entry` behind
    `seq`. `refusal` is None for an event. `issues` are those that were noted at the door;
    `moved` is for an event that waited in another journal."""

    offset: int
    claim: bytes
    prints: Sequence[int]
    fields: tuple[Any, ...]
    refusal: Refusal | None
    issues: Sequence[FieldIssue] = ()
    moved: FromElsewhere | None = None

    @property
    def accepted_at(self) -> float:
        at: float = self.fields[0]
        return at

    @property
    def receipt(self) -> str:
        receipt: str = self.fields[1]
        return receipt

    @property
    def test_event_code(self) -> str | None:
        code: str | None = self.fields[7]
        return code

    def entry(self, seq: int) -> Entry:
        return Entry._make((seq, *self.fields))


def encode(arrival: Arrival, at: float, moved: FromElsewhere | None = None) -> Encoded:
    """The message of an arrival that was accepted at `at` (Unix seconds), here or elsewhere.

    Raises ValueError when its claim has not 16 bytes.
    """
    receipt, source, _, result = arrival
    if isinstance(result, Event):
        if len(result.claim) != CLAIM_BYTES:
            raise ValueError("a claim has 16 bytes")
        head = {
            "v": _OWN, "kind": "event", "at": at, "receipt": receipt, "source": source,
            "event": result.name, "event_id": result.event_id, "event_time": result.event_time,
            "order_id": result.order_id, "test_event_code": result.test_event_code,
            "value": None if result.value is None else str(result.value),
            "currency": result.currency, "match_keys": result.match_keys,
            "prints": list(map(crc32, result.tokens)),
        }  # fmt: skip
        if result.issues:
            head["issues"] = _pairs(result.issues)
        if moved is not None:
            head |= {"v": VERSION, "moved": moved._asdict()}
        return Encoded(result.claim, result.wire, [(HEADER, orjson.dumps(head))])
    return _encode_refusal(receipt, source, result, at)


def _encode_refusal(receipt: str, source: str, refusal: Refusal, at: float) -> Encoded:
    tokens = {token.encode() for token in (refusal.event_id, refusal.order_id) if token}
    head = {
        "v": _OWN, "kind": "refusal", "at": at, "receipt": receipt, "source": source,
        "outcome": refusal.outcome, "reason": refusal.reason, "prints": list(map(crc32, tokens)),
    }  # fmt: skip
    value = {
        "event": refusal.name, "event_id": refusal.event_id, "order_id": refusal.order_id,
        "event_time": refusal.event_time, "errors": _pairs(refusal.errors),
    }  # fmt: skip
    return Encoded(digest_of(receipt), orjson.dumps(value), [(HEADER, orjson.dumps(head))])


def digest_of(receipt: str) -> bytes:
    """The 16 bytes that a receipt is claimed by, for receipts that may come again."""
    return hashlib.blake2b(receipt.encode(), digest_size=16, person=b"receipt").digest()


def moved_digest_of(receipt: str) -> bytes:
    """What an event that waited in another journal is known by, however it ends."""
    return digest_of(f"moved:{receipt}")


def decode(
    offset: int, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]
) -> Arrived:
    """A message of the topic. Raises ValueError for one that no relay wrote, and `LaterVersion`."""
    try:
        head = orjson.loads(dict(headers)[HEADER])
        if head["v"] > VERSION:
            raise LaterVersion
        if key is None or value is None or len(key) != CLAIM_BYTES:
            raise ValueError("not a message of this relay")
        if head["kind"] == "event":
            issues = _issues(head.get("issues", ()))
            moved = None if head.get("moved") is None else FromElsewhere(**head["moved"])
            return Arrived(offset, key, head["prints"], _fields(head, value), None, issues, moved)
        said = orjson.loads(value)
        refusal = _refusal(head, said)
        fields = _fields(head | said, b"")
        return Arrived(offset, key, head["prints"], fields, refusal, refusal.errors)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a message of this relay") from error


def _fields(head: dict[str, Any], body: bytes) -> tuple[Any, ...]:
    get = head.get
    return (
        head["at"], head["receipt"], head["source"], get("event") or "",
        get("event_id") or "", get("event_time") or 0, get("order_id"), get("test_event_code"),
        get("value"), get("currency"), get("match_keys") or 0, body,
    )  # fmt: skip


def _pairs(issues: Iterable[FieldIssue]) -> list[list[str]]:
    return [list(issue) for issue in issues]


def _issues(pairs: Iterable[Sequence[str]]) -> Sequence[FieldIssue]:
    return [FieldIssue(field, reason) for field, reason in pairs]


def _refusal(head: dict[str, Any], said: dict[str, Any]) -> Refusal:
    return Refusal(
        Outcome(head["outcome"]), Reason(head["reason"]), said["event"], said["event_id"],
        said["order_id"], said["event_time"], _issues(said["errors"]),
    )  # fmt: skip


def pack_entry(entry: Entry) -> bytes:
    """An entry apart from its topic: JSON of its fields, the body as text."""
    return orjson.dumps((*entry[1:-1], entry.body.decode()))


def unpack_entry(seq: int, value: bytes) -> Entry:
    """Raises ValueError when it is none."""
    *fields, body = orjson.loads(value)
    return Entry._make((seq, *fields, body.encode()))
