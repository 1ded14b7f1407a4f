"""A chunk: the entries that one group commit brought for one destination, written once.

    head      accepted at (Unix seconds), number of entries, length of the columns
    columns   JSON: one list a field, from `receipt` to `match_keys`, then the bodies' lengths
    claims    16 bytes an entry, so that the claim of an entry can be given back
    bodies    joined with commas

Fields lie in columns because that is how they are packed and parsed fastest.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate, pairwise, repeat
from typing import Any, Final, NamedTuple

import orjson

from relay.model import Arrival, Entry

CLAIM_BYTES: Final = 16
#: A chunk is full with this many entries, or bytes of bodies.
MAX_ENTRIES: Final = 1000
MAX_BYTES: Final = 1 << 20

_HEAD = struct.Struct(">dII")
_FIELDS = 11


class Chunk(NamedTuple):
    """A chunk taken apart. `columns` holds a sequence for each field of `Entry` behind
    `accepted_at`, in order; the last one holds the bodies."""

    at: float
    columns: Sequence[Sequence[Any]]
    claims: bytes

    @property
    def bodies(self) -> Sequence[bytes]:
        return self.columns[-1]

    @property
    def size(self) -> int:
        """The number of entries."""
        return len(self.columns[-1])

    @property
    def size_bytes(self) -> int:
        """The length of all bodies."""
        return sum(map(len, self.columns[-1]))

    def entries(self, first_seq: int) -> list[Entry]:
        """The entries, the first of which has this `seq`."""
        rows = zip(range(first_seq, first_seq + self.size), repeat(self.at), *self.columns)
        return list(map(Entry._make, rows))

    def claim(self, index: int) -> bytes:
        return self.claims[index * CLAIM_BYTES : (index + 1) * CLAIM_BYTES]


def portions(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Which entries form a chunk, as half-open ranges, given the sizes of their bodies."""
    if len(sizes) <= MAX_ENTRIES and sum(sizes) <= MAX_BYTES:
        return [(0, len(sizes))] if sizes else []
    found = []
    start = size_bytes = 0
    for at, size in enumerate(sizes):
        if at > start and (at - start >= MAX_ENTRIES or size_bytes + size > MAX_BYTES):
            found.append((start, at))
            start, size_bytes = at, 0
        size_bytes += size
    return [*found, (start, len(sizes))]


def of_arrivals(at: float, arrivals: Sequence[Arrival]) -> Chunk:
    """The chunk of arrivals that are events."""
    fields: tuple[Any, ...] = tuple(zip(*arrivals, strict=True))
    receipts, sources, _, events = fields
    (
        names, event_ids, event_times, bodies, claims, order_ids, test_event_codes,
        values, currencies, match_keys, _, _,
    ) = zip(*events, strict=True)  # fmt: skip
    texts = [None if value is None else str(value) for value in values]
    columns = (
        receipts, sources, names, event_ids, event_times, order_ids, test_event_codes,
        texts, currencies, match_keys, bodies,
    )  # fmt: skip
    return Chunk(at, columns, b"".join(claims))


def pack(chunk: Chunk) -> bytes:
    """Raises ValueError when a claim has not 16 bytes."""
    *columns, bodies = chunk.columns
    if len(chunk.claims) != len(bodies) * CLAIM_BYTES:
        raise ValueError("a claim has 16 bytes")
    text = orjson.dumps((*columns, list(map(len, bodies))))
    return b"".join(
        (_HEAD.pack(chunk.at, len(bodies), len(text)), text, chunk.claims, b",".join(bodies))
    )


def unpack(value: bytes) -> Chunk:
    """Raises ValueError when it is no chunk or its lengths do not add up."""
    if len(value) < _HEAD.size:
        raise ValueError("too short for a chunk")
    at, entries, size = _HEAD.unpack_from(value)
    behind_text = _HEAD.size + size
    start = behind_text + entries * CLAIM_BYTES
    *columns, lengths = orjson.loads(value[_HEAD.size : behind_text])
    # Each body ends a comma before the next one begins; the last one ends where the chunk does.
    begins = list(accumulate([length + 1 for length in lengths], initial=start))
    if (
        len(columns) != _FIELDS - 1
        or any(len(column) != entries for column in (*columns, lengths))
        or (entries > 0 and begins[-1] != len(value) + 1)
    ):
        raise ValueError("the chunk's lengths do not add up")
    bodies = [value[begin : behind - 1] for begin, behind in pairwise(begins)]
    return Chunk(at, (*columns, bodies), value[behind_text:start])


def count(value: bytes) -> int:
    """How many entries a packed chunk holds."""
    entries: int = _HEAD.unpack_from(value)[1]
    return entries


def with_bodies(chunk: Chunk, bodies: Sequence[bytes]) -> Chunk:
    """The same chunk with other bodies."""
    return chunk._replace(columns=(*chunk.columns[:-1], bodies))
