"""Our own words: what `POST /v1/events` is answered, and what every answer is made of. Pure."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, NamedTuple, Protocol

import orjson

from relay.ingest.protocol import InvalidItem, Mismatch, Nothing, Taken
from relay.ingest.refusals import Refused

#: What the door can come back with.
Result = Taken | Nothing | Mismatch


class Answer(NamedTuple):
    """An answer in HTTP/1.1. `head` is its status line and headers, but for those that depend on
    the moment (`Date`, `Content-Length`, `Connection`), each line closed."""

    status: int
    head: bytes
    body: bytes = b""

    def message(self, *, date: bytes, close: bool, with_body: bool = True) -> bytes:
        """All of it as it travels. `date` is an HTTP date; with `close` it says that the
        connection ends; without `with_body` it is the answer to HEAD."""
        return b"%bDate: %b\r\n%bContent-Length: %d\r\n\r\n%b" % (
            self.head,
            date,
            b"Connection: close\r\n" if close else b"",
            len(self.body),
            self.body if with_body else b"",
        )


class Dialect(Protocol):
    """How an address answers."""

    def taken(self, result: Result) -> Answer:
        """The door has it: this is the receipt."""
        ...

    def refused(self, refused: Refused) -> Answer:
        """The door does not have it."""
        ...


def head(status: int, *lines: str) -> bytes:
    """A status line and whole header lines, for `Answer.head`."""
    first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"
    return "".join(f"{line}\r\n" for line in (first, *lines)).encode()


def refusal_head(refused: Refused, status: int, *lines: str) -> bytes:
    """The head of a refusal: with `Retry-After` where it is known when to come again."""
    if refused.retry_after_s is not None:
        lines = (*lines, f"Retry-After: {refused.retry_after_s}")
    return head(status, *lines)


JSON: Final = "Content-Type: application/json"

_ACCEPTED: Final = head(202, JSON)
_INVALID: Final = head(422, JSON)

#: What a status asks for beside it (RFC 9110: 11.6.1, 15.5.6, 12.5.3).
_WITH_STATUS: Final = {
    401: ("WWW-Authenticate: Bearer",),
    405: ("Allow: POST",),
    415: ("Accept-Encoding: gzip",),
}


class Canonical:
    """The words of `/v1/events`, and of every address that is none."""

    def taken(self, result: Result) -> Answer:
        """202 and how many were accepted; 422 where every event is invalid.

        `ended` counts those that were withheld or expired at once, and is left out where there are
        none: `accepted + duplicates + ended + len(invalid)` is the number of events.
        """
        if not isinstance(result, Taken):
            return Answer(200, head(200))
        told: dict[str, object] = {
            "request_id": result.request_id,
            "accepted": result.accepted,
            "duplicates": result.duplicates,
            "invalid": [_invalid(item) for item in result.invalid] if result.invalid else (),
        }
        if result.ended:
            told["ended"] = result.ended
        if is_all_invalid(result):
            return Answer(422, _INVALID, orjson.dumps(told))
        return Answer(202, _ACCEPTED, orjson.dumps(told))

    def refused(self, refused: Refused) -> Answer:
        """`{"error", "message"}`; a 401 does not say whether the key was missing or wrong."""
        reason = "unauthorized" if refused.status == 401 else refused.reason
        extra = _WITH_STATUS.get(refused.status, ())
        return Answer(
            refused.status,
            refusal_head(refused, refused.status, JSON, *extra),
            orjson.dumps({"error": reason, "message": refused.message}),
        )


def is_all_invalid(taken: Taken) -> bool:
    """Whether there were events, and none of them is any good."""
    return len(taken.invalid) == taken.total > 0


def _invalid(item: InvalidItem) -> dict[str, object]:
    errors = [{"field": issue.field, "reason": issue.reason} for issue in item.errors]
    return {"index": item.index, "event_id": item.event_id, "errors": errors}


CANONICAL: Final = Canonical()
