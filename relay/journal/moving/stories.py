"""Attempts and endings of a group of events, as the records that journals keep. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from relay.journal.attempts import AttemptRecord, Ended
from relay.journal.intervals import ranges_of
from relay.journal.moving.groups import End, MovedEvent
from relay.model import Attempt

#: What an attempt is called that is known by its time only.
_UNTOLD = "moved"


def records(
    attempts: Sequence[Attempt], events: Sequence[MovedEvent], first: int
) -> list[AttemptRecord]:
    """The records of events whose seqs run on from `first`. An ending is told with the last attempt
    of its event; without one, by a record without an attempt."""
    covers: defaultdict[int | None, list[int]] = defaultdict(list)
    ended: defaultdict[tuple[int | None, float], list[tuple[int, End]]] = defaultdict(list)
    for seq, event in enumerate(events, first):
        for place in event.attempts:
            covers[place].append(seq)
        if event.end is not None:
            last = event.attempts[-1] if event.attempts else None
            ended[last, event.end.at].append((seq, event.end))
    told = {place for place, _ in ended}
    found = [
        AttemptRecord(_ended_at(attempts[place]), attempts[place], ranges_of(seqs), [])
        for place, seqs in covers.items()
        if place is not None and place not in told
    ]
    for (place, at), each in ended.items():
        endings = _endings(each)
        carried = [(one.start, one.end) for one in endings]
        attempt = None if place is None else attempts[place]
        seqs = carried if place is None else ranges_of(covers[place])
        found.append(AttemptRecord(at, attempt, seqs, endings))
    return found + _untold(attempts, events, first)


def _endings(ended: Sequence[tuple[int, End]]) -> list[Ended]:
    alike: defaultdict[End, list[int]] = defaultdict(list)
    for seq, end in ended:
        alike[end].append(seq)
    return [
        Ended(start, stop, end.outcome, end.reason)
        for end, seqs in alike.items()
        for start, stop in ranges_of(seqs)
    ]


def _ended_at(attempt: Attempt) -> float:
    return attempt.started_at + attempt.seconds


def _untold(
    attempts: Sequence[Attempt], events: Sequence[MovedEvent], first: int
) -> list[AttemptRecord]:
    """That TikTok may have an event, where no attempt says so any more."""
    since: defaultdict[float, list[int]] = defaultdict(list)
    for seq, event in enumerate(events, first):
        known = any(attempts[place].unknown for place in event.attempts)
        if event.unknown_since is not None and not known:
            since[event.unknown_since].append(seq)
    return [
        AttemptRecord(at, _attempt_of(at, len(seqs)), ranges_of(seqs), [])
        for at, seqs in sorted(since.items())
    ]


def _attempt_of(at: float, events: int) -> Attempt:
    return Attempt(
        attempt_id=f"{_UNTOLD}-{int(at * 1000)}", destination="", number=1, started_at=at,
        seconds=0.0, events=events, size_bytes=0, verdict="unknown", error=_UNTOLD, unknown=True,
    )  # fmt: skip
