"""Attempt records: one HTTP call (or none), the entries it carried, and those it settled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import orjson

from relay.journal.layout import MAX_SPAN
from relay.model import Attempt, Outcome, Reason

Range = tuple[int, int]


class Ended(NamedTuple):
    """The entries `start <= seq < end` ended like this."""

    start: int
    end: int
    outcome: Outcome
    reason: Reason


class AttemptRecord(NamedTuple):
    """When it was stored (Unix seconds), the attempt (None where nothing was sent), the entries it
    carried, and those it settled."""

    at: float
    attempt: Attempt | None
    covers: Sequence[Range]
    ended: Sequence[Ended]

    def carried(self, seq: int) -> bool:
        return any(start <= seq < end for start, end in self.covers)

    def end_of(self, seq: int) -> Ended | None:
        """How the entry ended with this record, if it did."""
        for ended in self.ended:
            if ended.start <= seq < ended.end:
                return ended
        return None


def pack(record: AttemptRecord) -> bytes:
    at, attempt, covers, ended = record
    return orjson.dumps((at, attempt, covers, [tuple(each) for each in ended]))


def unpack(value: bytes) -> AttemptRecord:
    """Raises ValueError when it is no such record."""
    try:
        at, attempt, covers, ended = orjson.loads(value)
        return AttemptRecord(
            at,
            None if attempt is None else Attempt(**attempt),
            [(start, end) for start, end in covers],
            [Ended(start, end, Outcome(outcome), Reason(reason))
             for start, end, outcome, reason in ended],
        )  # fmt: skip
    except TypeError as error:
        raise ValueError("not an attempt record") from error


def pieces(record: AttemptRecord) -> Iterator[tuple[int, AttemptRecord]]:
    """The record, named by its first seq; in several where it spans more than `MAX_SPAN`."""
    seqs = [*record.covers, *[(each.start, each.end) for each in record.ended]]
    first, behind = min(seqs)[0], max([end for _, end in seqs])
    if behind - first <= MAX_SPAN:
        yield first, record
        return
    for start in range(first, behind, MAX_SPAN):
        stop = min(start + MAX_SPAN, behind)
        piece = record._replace(
            covers=[_clipped(each, start, stop) for each in record.covers
                    if each[0] < stop and each[1] > start],
            ended=[Ended(*_clipped((each.start, each.end), start, stop), each.outcome, each.reason)
                   for each in record.ended if each.start < stop and each.end > start],
        )  # fmt: skip
        if piece.covers or piece.ended:
            yield start, piece


def _clipped(each: Range, start: int, stop: int) -> Range:
    return max(each[0], start), min(each[1], stop)
