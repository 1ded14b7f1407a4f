"""Tasks at TikTok: their states, and what is remembered of them to go on after a crash. Pure.

A task belongs to the token that made it (TikTok, "Check an asynchronous report", 1740302781443073),
so what it is remembered by is a digest of the request and the token together; from that nobody gets
the token back.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from relay.management.reports.request import ReportRequest

#: A task whose data is older is made anew: TikTok renews the data every few hours.
RESUME_WITHIN_S: Final = 6 * 3600.0


class TaskState(StrEnum):
    QUEUED = "QUEUING"
    MAKING = "PROCESSING"
    DONE = "SUCCESS"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


def state_of(word: str) -> TaskState:
    """TikTok's word for a state; a new one means that it is under way."""
    try:
        return TaskState(word)
    except ValueError:
        return TaskState.MAKING


class Remembered(NamedTuple):
    """A task that was created; `created_at` is Unix time."""

    task_id: str
    created_at: float

    def is_fresh(self, now: float) -> bool:
        return 0 <= now - self.created_at < RESUME_WITHIN_S


class TaskStore(Protocol):
    """What remembers tasks; `key` is a digest. What cannot be read again was not remembered."""

    def recall(self, key: str) -> Remembered | None: ...

    def remember(self, key: str, task: Remembered) -> None: ...

    def forget(self, key: str) -> None: ...


class NoStore:
    """Remembers nothing: a report that was broken off is asked for anew."""

    def recall(self, key: str) -> Remembered | None:
        return None

    def remember(self, key: str, task: Remembered) -> None:
        pass

    def forget(self, key: str) -> None:
        pass


def key_of(request: ReportRequest, token: str) -> str:
    """What the task of this request and token is remembered by."""
    text = f"{request.digest()}\0{request.output}\0{token}"
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
