"""Fingerprints: four bytes of everything a record can be found by, in rows that are scanned.

    row          count, tokens of each (a byte), CRC-32 of each receipt, CRC-32 of each token
    folded row   number of rows, (first seq, length) of each row, the rows

An index with a row a token would cost the hot path more than all the rest; `find` is rare and may
take some hundred milliseconds. A fingerprint that fits by chance is told by the record itself.
"""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from zlib import crc32

_COUNT = struct.Struct(">I")
_PART = struct.Struct(">QI")
_WIDTH = 4
_MOST_TOKENS = 255


def of(token: bytes) -> bytes:
    return crc32(token).to_bytes(_WIDTH, "little")


def row(receipts: Sequence[int], tokens: Sequence[Sequence[bytes]]) -> bytes:
    """The row of records that follow each other: CRC-32 of each receipt, tokens of each."""
    return row_of_prints(receipts, [list(map(crc32, each)) for each in tokens])


def row_of_prints(receipts: Sequence[int], prints: Sequence[Sequence[int]]) -> bytes:
    """The same, given the CRC-32 of each token."""
    if prints and max(map(len, prints)) > _MOST_TOKENS:
        prints = [each[:_MOST_TOKENS] for each in prints]
    packed = array("I", [*receipts, *chain.from_iterable(prints)])
    if sys.byteorder == "big":
        packed.byteswap()
    return b"".join((_COUNT.pack(len(receipts)), bytes(map(len, prints)), packed.tobytes()))


def find(value: bytes, wanted: bytes) -> Iterator[int]:
    """Which records of a row may have the token: their offsets from the row's first seq."""
    (count,) = _COUNT.unpack_from(value)
    base = _COUNT.size + count
    ends: list[int] | None = None
    at = value.find(wanted, base)
    while at >= 0:
        place, rest = divmod(at - base, _WIDTH)
        if rest == 0 and place < count:
            yield place
        elif rest == 0:
            ends = ends or list(accumulate(value[_COUNT.size : base]))
            yield bisect_right(ends, place - count)
        at = value.find(wanted, at + 1)


def fold(rows: Sequence[tuple[int, bytes]]) -> bytes:
    """One row of many: (first seq, row) pairs."""
    head = b"".join([_PART.pack(seq, len(value)) for seq, value in rows])
    return b"".join((_COUNT.pack(len(rows)), head, *[value for _, value in rows]))


def find_folded(value: bytes, wanted: bytes) -> Iterator[int]:
    """Which records of a folded row may have the token: their seqs."""
    (count,) = _COUNT.unpack_from(value)
    base = _COUNT.size + count * _PART.size
    if value.find(wanted, base) < 0:
        return
    start = base
    for seq, length in _PART.iter_unpack(value[_COUNT.size : base]):
        if value.find(wanted, start, start + length) >= 0:
            for offset in find(value[start : start + length], wanted):
                yield seq + offset
        start += length
