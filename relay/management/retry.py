"""Whether a call is made again, and what is raised when it is not. Pure.

Throttled calls are made again as long as there is time: how long all calls of a token wait is the
budget's to say. What TikTok fails at is tried three times at most. What timed out is tried once
more at most, and a report never: whoever insists is penalised (TikTok, "Reporting performance",
1757262274182145: ten time-outs in ten seconds limit the app, three of one request block it).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from relay.backoff import Backoff, delay
from relay.management.codes import Kind
from relay.management.endpoints import Endpoint
from relay.management.envelope import Failure
from relay.management.errors import (
    AnswerUnreadable,
    CallRefused,
    CredentialRefused,
    ManagementError,
    PermissionRefused,
    Retired,
    Throttled,
    TimedOut,
    Unreachable,
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often. `call_s` is for one call with all its tries and waits; it covers one
    pause of five minutes. `answer_s` is for one answer, `file_s` for a file; `task_s` for a report
    or log that TikTok makes in the background."""

    call_s: float = 900.0
    connect_s: float = 5.0
    answer_s: float = 60.0
    file_s: float = 1800.0
    task_s: float = 7200.0
    tries: int = 3
    readings: int = 4
    backoff: Backoff = field(default_factory=lambda: Backoff(base_s=1.0, cap_s=30.0))
    slow_backoff: Backoff = field(
        default_factory=lambda: Backoff(base_s=60.0, cap_s=600.0, floor_s=20.0)
    )
    poll: Backoff = field(default_factory=lambda: Backoff(base_s=2.0, cap_s=30.0, floor_s=1.0))


_TIMED_OUT_TRIES: Final = 2


def wait_s(
    failure: Failure, endpoint: Endpoint, tries: int, patience: Patience, roll: float
) -> float | None:
    """Seconds until the next try, after `tries` of them; None when there is none."""
    kind = failure.meaning.kind
    if kind is Kind.THROTTLED:
        return 0.0
    if kind is Kind.POLL:
        return delay(tries, patience.poll, roll, failure.retry_after_s)
    if tries >= _most_tries(failure, endpoint, patience):
        return None
    if failure.unknown and not endpoint.repeatable:
        return None
    backoff = patience.slow_backoff if failure.meaning.slow else patience.backoff
    return delay(tries, backoff, roll, failure.retry_after_s)


def _most_tries(failure: Failure, endpoint: Endpoint, patience: Patience) -> int:
    if failure.meaning.kind is Kind.TIMED_OUT:
        return 1 if endpoint.narrow else min(_TIMED_OUT_TRIES, patience.tries)
    if failure.meaning.kind is not Kind.TRANSIENT:
        return 1
    return min(2, patience.tries) if failure.meaning.once else patience.tries


_ERRORS: Final[dict[Kind, tuple[type[ManagementError], str]]] = {
    Kind.CREDENTIAL: (CredentialRefused, "TikTok does not accept the credential"),
    Kind.PERMISSION: (PermissionRefused, "TikTok does not permit this"),
    Kind.CALLER: (CallRefused, "TikTok refuses the request"),
    Kind.RETIRED: (Retired, "TikTok has withdrawn this endpoint or field"),
    Kind.TIMED_OUT: (TimedOut, "TikTok took too long"),
    Kind.THROTTLED: (Throttled, "Too many requests"),
}

#: What the words of `Exchange.error` mean to a reader.
_WORDS: Final = {
    "dns": "the name of TikTok's server cannot be resolved",
    "tls": "no secure connection can be made",
    "connect": "no connection can be made",
    "connect_timeout": "no connection can be made in time",
    "timeout": "no answer came in time",
    "disconnected": "the connection was closed",
    "reset": "the connection was reset",
    "broken_answer": "the answer broke off",
    "connection": "the connection failed",
    "address": "it names an address that cannot be called",
    "too_long": "the answer is longer than any that TikTok gives",
}


def error_of(failure: Failure) -> ManagementError:
    """What to raise for `failure`."""
    if not failure.readable:
        detail = failure.message or "the answer cannot be read"
        return AnswerUnreadable(_worded(detail, failure.error), failure.about, field="")
    kind, text = _ERRORS.get(failure.meaning.kind, (Unreachable, "TikTok gave no usable answer"))
    return kind(_worded(text, failure.error, failure.message), failure.about)


def _worded(text: str, error: str | None, message: str | None = None) -> str:
    why = message or (_WORDS.get(error, error) if error else None)
    return f"{text}: {why}" if why else text
