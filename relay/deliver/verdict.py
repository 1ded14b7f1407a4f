"""Read TikTok's answer: what does it mean for the entries of the request?

The body's `code` decides first (TikTok answers HTTP 200 for errors), then the HTTP status, then
the network error. Only an explicit code 0 in an answer that says 2xx is a delivery. What cannot be
read is never taken for success: sending again within 48 hours costs nothing, for TikTok drops
events it has (same source id, event and `event_id`; TikTok help, "Event deduplication").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

from relay import scrub
from relay.backoff import retry_after_s
from relay.deliver.codes import Meaning, VerdictKind, meaning_of
from relay.model import Reason

__all__ = ["Reply", "Verdict", "VerdictKind", "read"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back from one HTTP call, or did not.

    `status` is None when there was no answer, then `error` is a word for why; `sent` is False when
    nothing can have reached TikTok. `retry_after` is that header as received. `body` is at most
    as long as the sender reads; longer ones are cut, and so are not JSON any more.
    """

    status: int | None
    body: bytes = b""
    retry_after: str | None = None
    error: str | None = None
    sent: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means.

    `name` is what the SDK calls the code; `failed` are places in the request (from 0) of the events
    that a partial success refuses; `culprit` is the place that a refusal names; `reason` is why an
    entry ends by this verdict;
    `unknown` says that TikTok may have got the events although it did not say so; `slow` asks for
    the long back-off; `known` is False for a code that the table does not list: log it.
    """

    kind: VerdictKind
    name: str = ""
    code: int | None = None
    message: str | None = None
    request_id: str | None = None
    retry_after_s: float | None = None
    failed: tuple[int, ...] = ()
    culprit: int | None = None
    reason: Reason | None = None
    unknown: bool = False
    slow: bool = False
    known: bool = True
    status: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Envelope:
    """TikTok's answer as far as it can be read; `code` is None when there is no usable one."""

    code: int | None
    message: str | None
    request_id: str | None
    failed: tuple[int, ...] | None
    culprit: int | None


def read(reply: Reply, events: int, now: float) -> Verdict:
    """Say what `reply` means for a request of `events` events; `now` (Unix seconds) is for a
    `Retry-After` that names a date. Never raises."""
    envelope = _open(reply.body, events)
    if envelope.code is not None and not _contradicts(envelope.code, reply.status):
        meaning, known = meaning_of(envelope.code)
    else:
        meaning, known = _by_status(reply), True
    kind, reason = _for_size(meaning, envelope, events)
    return Verdict(
        kind=kind,
        name=meaning.name,
        code=envelope.code,
        message=envelope.message,
        request_id=envelope.request_id,
        retry_after_s=retry_after_s(reply.retry_after, now),
        failed=(envelope.failed or ()) if kind is VerdictKind.PARTIAL else (),
        culprit=envelope.culprit if kind is VerdictKind.SPLIT else None,
        reason=reason,
        unknown=meaning.unknown,
        slow=meaning.slow,
        known=known,
        status=reply.status,
        error=reply.error,
    )


def _contradicts(code: int, status: int | None) -> bool:
    """A success in the body of an answer that says it is none: believe neither."""
    return meaning_of(code)[0].kind in _SUCCESS and not (status and 200 <= status < 300)


_SUCCESS = (VerdictKind.DELIVERED, VerdictKind.PARTIAL)


def _for_size(
    meaning: Meaning, envelope: _Envelope, events: int
) -> tuple[VerdictKind, Reason | None]:
    """A refusal of several is about one of them; a split of one is a refusal of that one."""
    kind = meaning.kind
    if kind is VerdictKind.PARTIAL and envelope.failed is None:
        kind = VerdictKind.SPLIT  # some failed, and nobody says which
    if kind in (VerdictKind.SPLIT, VerdictKind.REJECT):
        kind = VerdictKind.SPLIT if events > 1 else VerdictKind.REJECT
    return kind, meaning.reason


# --- the body ---------------------------------------------------------------------------------


def _open(body: bytes, events: int) -> _Envelope:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict):
        return _Envelope(None, None, None, None, None)
    return _Envelope(
        code=_code(answer.get("code")),
        message=scrub.message(answer.get("message")),
        request_id=scrub.request_id(answer.get("request_id")),
        failed=_failed(answer.get("data"), events),
        culprit=_culprit(answer.get("message"), events),
    )


def _code(value: object) -> int | None:
    """A JSON number, or the same in quotes. `false` is not 0."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return None


_DIGITS = re.compile(r"[0-9]{1,9}")


def _failed(data: Any, events: int) -> tuple[int, ...] | None:
    """The places in `data.failed_events[].order_in_batch`; None unless every one can be believed.

    They count from 0, as TikTok's Android SDK reads them. An empty list, or a place that is not in
    the request, means that we do not understand who failed.
    """
    listed = data.get("failed_events") if isinstance(data, dict) else None
    if not isinstance(listed, list) or not listed:
        return None
    places: set[int] = set()
    for item in listed:
        place = item.get("order_in_batch") if isinstance(item, dict) else None
        if type(place) is not int or not 0 <= place < events:  # `type`, for True is an int too
            return None
        places.add(place)
    return tuple(sorted(places))


def _culprit(message: object, events: int) -> int | None:
    """The event that a message like `Batch.7.properties.value: Not a valid number` names."""
    found = _BATCH_PATH.search(message[:2000]) if isinstance(message, str) else None
    if found is None:
        return None
    place = int(found.group(1))
    return place if place < events else None


#: Form of the messages as RudderStack's TikTok integration recorded them.
_BATCH_PATH = re.compile(r"\bBatch\.([0-9]{1,6})\b", re.ASCII)


# --- no usable code -----------------------------------------------------------------------------


_UNREADABLE = Meaning(VerdictKind.RETRY, "UNREADABLE", unknown=True)
_NOT_PROCESSED = Meaning(VerdictKind.RETRY, "NOT_PROCESSED")
_TOO_MANY = Meaning(VerdictKind.THROTTLED, "TOO_MANY_REQUESTS")
_TOKEN = Meaning(VerdictKind.PAUSE_CREDENTIAL, "UNAUTHORIZED")
_ADDRESS = Meaning(VerdictKind.PAUSE_CONFIG, "WRONG_ADDRESS")
_TOO_LARGE = Meaning(VerdictKind.REJECT, "TOO_LARGE", Reason.TOO_LARGE)

#: HTTP statuses of an answer without a usable code, most likely from something before TikTok.
#: Any other 4xx is tried again: without TikTok's word no event is given up.
STATUSES: dict[int, Meaning] = {
    401: _TOKEN,
    403: _ADDRESS,
    404: _ADDRESS,
    405: _ADDRESS,
    407: _ADDRESS,
    408: _NOT_PROCESSED,
    410: _ADDRESS,
    413: _TOO_LARGE,
    425: _NOT_PROCESSED,
    429: _TOO_MANY,
}


def _by_status(reply: Reply) -> Meaning:
    status = reply.status
    if status is None:
        if reply.error == "bad_token":
            return _TOKEN
        return _UNREADABLE if reply.sent else _NOT_PROCESSED
    if status in STATUSES:
        return STATUSES[status]
    if 300 <= status < 400:
        return _ADDRESS  # redirects are not followed: they would carry the token elsewhere
    if 400 <= status < 500:
        return _NOT_PROCESSED
    return _UNREADABLE
