"""Find the bad event in a refused batch, with few requests.

Without a hint a refused batch is halved: one bad event among n costs 2·⌈log2 n⌉ + 1 requests, k of
them at most 2k·⌈log2(n/k)⌉ + 2k. When TikTok names the event (`Batch.7.…`) it is sent alone and
the rest without it: three requests. A name is only trusted while none was seen to be wrong and
none is still to be proved, so a wrong one costs two requests more, once.
"""

from __future__ import annotations

Seqs = tuple[int, ...]


def halves(seqs: Seqs) -> tuple[Seqs, Seqs]:
    """Cut two or more entries in the middle."""
    middle = len(seqs) // 2
    return seqs[:middle], seqs[middle:]


def isolate(seqs: Seqs, culprit: int) -> tuple[Seqs, Seqs]:
    """The entry at place `culprit` alone, and all the others in their order."""
    return seqs[culprit : culprit + 1], seqs[:culprit] + seqs[culprit + 1 :]


class Naming:
    """How far to trust the names in refusals of one batch; its parts share this."""

    __slots__ = ("_on_trial", "_wrong")

    def __init__(self) -> None:
        self._wrong = False
        self._on_trial = 0

    @property
    def trusted(self) -> bool:
        return not self._wrong and not self._on_trial

    def accuse(self) -> None:
        """An entry was isolated because a refusal named it."""
        self._on_trial += 1

    def judged(self, *, guilty: bool) -> None:
        """The isolated entry was answered for."""
        self._on_trial -= 1
        self._wrong = self._wrong or not guilty
