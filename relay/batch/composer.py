"""Full by count, by bytes, or old enough: the three reasons for which a batch leaves."""

from __future__ import annotations

import math

from relay.model import Entry, Waiting

#: TikTok docs, Events API 2.0: "with more, the entire request is rejected".
MAX_EVENTS = 1000

#: TikTok publishes no limit; other senders of conversions (Tealium) keep to one megabyte.
MAX_BYTES = 1_000_000

#: Room for what stands around `data[]`: source, its id, test code and partner name.
ENVELOPE_BYTES = 512


class Composer:
    """Composes one batch: called with entries in order, says whether each may join.

    An entry that may join has joined. Made anew for every take. All entries carry the
    `test_event_code` of the first one (or none), they are at most `max_events`, and the request
    stays within `max_bytes`, unless its only entry is larger than that by itself.
    """

    __slots__ = ("_room_bytes", "_room_events", "_test_event_code")

    def __init__(self, *, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        self._room_events = max_events
        self._room_bytes = max_bytes - ENVELOPE_BYTES
        self._test_event_code: str | _Nobody | None = _NOBODY

    def __call__(self, entry: Entry) -> bool:
        size_bytes = len(entry.body) + 1  # the comma
        if entry.test_event_code == self._test_event_code:
            if self._room_events <= 0 or size_bytes > self._room_bytes:
                return False
        elif self._test_event_code is not _NOBODY or self._room_events <= 0:
            return False
        else:
            self._test_event_code = entry.test_event_code
        self._room_events -= 1
        self._room_bytes -= size_bytes
        return True


class _Nobody:
    """Stands for the test code of a batch that nobody has joined; equal to no code."""


_NOBODY = _Nobody()


def due(
    waiting: Waiting,
    *,
    now: float,
    linger_s: float,
    max_events: int = MAX_EVENTS,
    max_bytes: int = MAX_BYTES,
) -> float | None:
    """Say from which moment on the waiting entries should leave; None when nothing waits.

    They are due at once when they fill a batch by count or bytes, else as soon as the oldest has
    lingered for `linger_s`. `waiting` holds what can be taken, `now` and the answer are Unix
    seconds. An oldest entry from the future means that the clock was set back: due at once, for
    nobody knows how long it has waited.
    """
    if waiting.entries <= 0 or waiting.oldest_at is None:
        return None
    full = waiting.entries >= max_events or waiting.size_bytes >= max_bytes - ENVELOPE_BYTES
    if full or waiting.oldest_at > now:
        return -math.inf
    return waiting.oldest_at + linger_s
