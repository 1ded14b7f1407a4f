"""How far a report is, for whoever waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    CHOOSING = "choosing"  # counting the objects
    READING = "reading"  # pages, at once
    QUEUED = "queued"  # a task waits at TikTok
    MAKING = "making"  # TikTok makes the file
    DOWNLOADING = "downloading"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `of` calls, or bytes of a file; `of` is None where nobody knows. `text` is a
    sentence for a person."""

    stage: Stage
    text: str
    done: int = 0
    of: int | None = None


OnProgress = Callable[[Progress], None]


def unseen(_progress: Progress) -> None:
    """For those who do not look."""
