"""TikTok's answer, opened: what it means, what is in it, what was said beside it. Pure.

The body's `code` decides (TikTok answers HTTP 200 for errors), then the HTTP status, then what went
wrong on the way. A success is code 0 or 20001 in an answer that says 2xx; anything less is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from relay import scrub
from relay.backoff import retry_after_s
from relay.management.codes import Kind, Meaning, meaning_of
from relay.management.errors import About
from relay.management.fields import Record
from relay.management.notices import Notice, NoticeKind

#: Takes known secrets out of a text of TikTok's.
Mask = Callable[[str], str]


class Exchange(NamedTuple):
    """What came back from one HTTP call, or did not: `status` is None when there was no answer,
    then `error` is a word for why. `sent` is False when nothing can have reached TikTok; `diverted`
    says that the body was a file and went elsewhere."""

    status: int | None
    body: bytes = b""
    retry_after: str | None = None
    throttle: str | None = None
    error: str | None = None
    sent: bool = True
    diverted: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: `data` is the envelope's."""

    data: Record
    about: About
    notices: tuple[Notice, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """Anything else. `message` is TikTok's, masked; `unknown` says that the request may have had
    its effect; `readable` is False when an answer came and was none."""

    meaning: Meaning
    about: About
    message: str | None = None
    retry_after_s: float | None = None
    unknown: bool = False
    readable: bool = True
    error: str | None = None


def opened(exchange: Exchange, about: About, *, now: float, mask: Mask) -> Answer | Failure:
    """Say what `exchange` means. Never raises."""
    if exchange.diverted and exchange.status == 200:
        return Answer(Record({}, about), about, (), b"")
    envelope = _parsed(exchange.body)
    code = _code(envelope.get("code"))
    about = about._replace(request_id=scrub.request_id(envelope.get("request_id")))
    if code is None:
        return _without_code(exchange, about, now)
    meaning = meaning_of(code)
    message = envelope.get("message")
    if meaning.kind not in (Kind.OK, Kind.PARTIAL):
        return Failure(
            meaning,
            about._replace(code=code, name=meaning.name),
            scrub.message(mask(message)) if isinstance(message, str) else None,
            retry_after_s(exchange.retry_after, now),
            unknown=meaning.kind in (Kind.TRANSIENT, Kind.TIMED_OUT),
        )
    if not (exchange.status and 200 <= exchange.status < 300):
        # A success in the body of an answer that says it is none: believe neither.
        return _without_code(exchange, about, now)
    data = envelope.get("data")
    if data is None:
        data = {}
    if not isinstance(data, dict):
        return _unreadable(about, "data is not an object")
    return Answer(
        Record(data, about), about, tuple(_notices(exchange, envelope, code, about)), exchange.body
    )


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


_is_code: Final = re.compile(r"[0-9]{1,9}", re.ASCII).fullmatch


def _code(value: object) -> int | None:
    """A JSON number, or the same in quotes. `false` is not 0."""
    if type(value) is int:
        return value
    if type(value) is str and _is_code(value):
        return int(value)
    return None


# --- no usable code -------------------------------------------------------------------------------


_NOT_PROCESSED: Final = Meaning(Kind.TRANSIENT, "NOT_PROCESSED")
_UNREADABLE: Final = Meaning(Kind.TRANSIENT, "UNREADABLE")
_TIMED_OUT: Final = Meaning(Kind.TIMED_OUT, "TIMED_OUT")
_THROTTLED: Final = Meaning(Kind.THROTTLED, "TOO_MANY_REQUESTS")
_TOKEN: Final = Meaning(Kind.CREDENTIAL, "UNAUTHORIZED")
_FORBIDDEN: Final = Meaning(Kind.PERMISSION, "FORBIDDEN")
_ADDRESS: Final = Meaning(Kind.CALLER, "WRONG_ADDRESS")

#: HTTP statuses of an answer without a usable code, most likely from something before TikTok.
STATUSES: Final[Mapping[int, Meaning]] = {
    401: _TOKEN,
    403: _FORBIDDEN,
    404: _ADDRESS,
    405: _ADDRESS,
    407: _ADDRESS,
    408: _TIMED_OUT,
    410: _ADDRESS,
    413: _ADDRESS,
    414: _ADDRESS,
    425: _NOT_PROCESSED,
    429: _THROTTLED,
    504: _TIMED_OUT,
}

#: Words of `Exchange.error` that say that the other side did not answer in time.
_SLOW_WORDS: Final = frozenset(("timeout",))


def _without_code(exchange: Exchange, about: About, now: float) -> Failure:
    status = exchange.status
    wait_s = retry_after_s(exchange.retry_after, now)
    if status is None:
        if exchange.error == "bad_token":
            return Failure(_TOKEN, about, "it is empty or has characters that no token has")
        slow = exchange.error in _SLOW_WORDS and exchange.sent
        meaning = _TIMED_OUT if slow else _NOT_PROCESSED
        return Failure(meaning, about, unknown=exchange.sent, error=exchange.error)
    about = about._replace(code=status, name="HTTP")
    if status in STATUSES:
        return Failure(STATUSES[status], about, None, wait_s, unknown=status == 504)
    if 300 <= status < 400:
        # Redirects are not followed: they would carry the token elsewhere.
        return Failure(_ADDRESS, about, "the address leads elsewhere")
    if 200 <= status < 300:
        return _unreadable(about, "the answer is not TikTok's envelope", exchange.error)
    meaning = _NOT_PROCESSED if status < 500 else _UNREADABLE
    return Failure(meaning, about, None, wait_s, unknown=status >= 500)


def _unreadable(about: About, problem: str, error: str | None = None) -> Failure:
    return Failure(_UNREADABLE, about, problem, unknown=True, readable=False, error=error)


# --- what was said beside the answer --------------------------------------------------------------


def _notices(
    exchange: Exchange, envelope: Mapping[str, Any], code: int, about: About
) -> list[Notice]:
    extra = envelope.get("extra_info")
    said = extra if isinstance(extra, dict) else {}
    found = []
    if meaning_of(code).kind is Kind.PARTIAL:
        found.append((NoticeKind.PARTIAL, "TikTok could not give all items (code 20001)"))
    if exchange.throttle:
        found.append((NoticeKind.IDS_CUT, "more than 20,000 ids: TikTok left out the oldest"))
    if said.get("search_ads_throttle"):
        found.append((NoticeKind.SEARCH_ADS_CUT, "TikTok left out a part of the search ads"))
    if said.get("uv_invalid"):
        found.append((NoticeKind.UV_MISSING, "reach and frequency are missing for now"))
    return [Notice(kind, about.endpoint or "", text, incomplete=True) for kind, text in found]
