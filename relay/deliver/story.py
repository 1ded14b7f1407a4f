"""What must be known of a work when it comes back after a long time, maybe at another replica."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from relay.deliver.work import Work

_KEPT = ("attempt", "stalls", "stalled_at", "blocks", "blocked_at", "outcast", "unknown_since")


def pack(work: Work) -> bytes:
    """JSON of what the next attempt goes by."""
    return orjson.dumps({name: getattr(work, name) for name in _KEPT})


def unpack(story: bytes, number: int, seqs: Sequence[int], now: float) -> Work:
    """The work under a number of this lane, due now. Raises ValueError when it is no story."""
    kept = orjson.loads(story)
    return Work(
        work_id=number,
        origin=number,
        seqs=tuple(seqs),
        started_at=now,
        epoch=-1,
        due_at=now,
        **{name: kept[name] for name in _KEPT if name in kept},
    )
