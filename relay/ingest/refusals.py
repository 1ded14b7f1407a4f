"""Why a request is turned away before its events are looked at, and what that is in HTTP. Pure.

The words are what `relay_door_refusals_total` counts, and what senders with a key are told.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from relay.errors import (
    JournalFull,
    JournalUnavailable,
    PayloadRefused,
    RelayError,
    SignatureRefused,
    UnknownSource,
)


class Refused(NamedTuple):
    """One way to say no: HTTP status, word, a sentence for a person, seconds until it may pass."""

    status: int
    reason: str
    message: str
    retry_after_s: int | None = None


class TurnedAway(RelayError):
    """The request is answered before it reaches the door."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.reason)
        self.refused = refused


MALFORMED: Final = Refused(400, "malformed_http", "This is not HTTP as the relay understands it.")
BAD_BODY: Final = Refused(400, "malformed_body", "The body does not end as its headers say.")
BAD_ENCODING: Final = Refused(400, "bad_encoding", "The body is not sound gzip.")
NO_KEY: Final = Refused(401, "no_key", "This address needs a key.")
WRONG_KEY: Final = Refused(401, "wrong_key", "This address needs a key.")
SIGNATURE: Final = Refused(401, "signature", "The sender could not be verified.")
NOT_FOUND: Final = Refused(404, "not_found", "There is nothing at this address.")
UNKNOWN_SOURCE: Final = Refused(404, "unknown_source", "There is no source of this name.")
METHOD: Final = Refused(405, "method_not_allowed", "This address takes POST only.")
BODY_TIMEOUT: Final = Refused(408, "body_timeout", "The body took too long to arrive.")
TOO_LARGE: Final = Refused(413, "too_large", "The body is larger than limits.max_body_bytes.")
ENCODED: Final = Refused(415, "encoding", "The body's Content-Encoding is not taken here.")
FAILED: Final = Refused(500, "failed", "The relay could not do it; the log says where it failed.")
BUSY: Final = Refused(503, "too_many_bytes", "Too many bodies are under way; try again.", 1)
CROWDED: Final = Refused(503, "too_many_connections", "Too many connections are open.", 1)
DRAINING: Final = Refused(503, "draining", "The relay is stopping; try again.", 5)
UNAVAILABLE: Final = Refused(503, "journal_unavailable", "Cannot be stored now; try again.", 5)
FULL: Final = Refused(503, "journal_full", "Cannot be stored now: the journal is full.", 30)

#: Never answered, only counted: there is nobody to tell.
GONE: Final = Refused(400, "sender_gone", "The sender left before its request was complete.")
HEADER_TIMEOUT: Final = Refused(408, "header_timeout", "The headers took too long to arrive.")
UNREAD: Final = Refused(408, "answer_unread", "The sender did not take its answer.")

#: All that the door counts, but those of `PayloadRefused`. Signatures are counted by source.
REFUSALS: Final = (
    MALFORMED, BAD_BODY, BAD_ENCODING, NO_KEY, WRONG_KEY, NOT_FOUND, UNKNOWN_SOURCE, METHOD,
    BODY_TIMEOUT, TOO_LARGE, ENCODED, FAILED, BUSY, CROWDED, DRAINING, UNAVAILABLE, FULL, GONE,
    HEADER_TIMEOUT, UNREAD,
)  # fmt: skip

#: Reasons of `PayloadRefused` that are about the size of a body, not about what is in it.
_ABOUT_SIZE: Final = frozenset({"too_large", "too_many", "too_complex"})

_SENTENCES: Final = {
    "not_json": "The body is not JSON.",
    "not_an_object": "The body is neither an object nor an array.",
    "no_data": "The body has no list `data`.",
    "too_many": "The body has more events than limits.max_events.",
    "too_large": "The body is larger than this source takes.",
    "too_complex": "The body takes the source's mapping too long.",
}


#: Errors by their kind; a subclass stands before what it is a kind of.
_BY_KIND: Final[tuple[tuple[type[Exception], Refused], ...]] = (
    (SignatureRefused, SIGNATURE),
    (UnknownSource, UNKNOWN_SOURCE),
    (JournalFull, FULL),
    (JournalUnavailable, UNAVAILABLE),
    (ConnectionError, GONE),
)


def refusal_of(error: Exception) -> Refused | None:
    """What an error of the body's way to the journal means for the sender; None: not foreseen."""
    if isinstance(error, TurnedAway):
        return error.refused
    if isinstance(error, PayloadRefused):
        return _of_payload(error.reason)
    for kind, refused in _BY_KIND:
        if isinstance(error, kind):
            return refused
    return None


def _of_payload(reason: str) -> Refused:
    status = 413 if reason in _ABOUT_SIZE else 400
    sentence = _SENTENCES.get(reason, "The body is not what this address takes.")
    # A member of an enumeration would be shown as such by some serializers.
    return Refused(status, str(reason), sentence)
