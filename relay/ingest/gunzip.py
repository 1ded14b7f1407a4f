"""Decoding gzip without trusting it. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from relay.ingest.refusals import BAD_ENCODING, TOO_LARGE, TurnedAway

#: A gzip stream of `zlib.decompressobj`, header and checksum included.
_GZIP = 31

#: So much is looked at, and so much is put out, in one step. Sixteen MiB are 16 steps.
_IN_BYTES = 64 * 1024
_OUT_BYTES = 1024 * 1024

#: Tools that compress in parallel make a member of every 64 KiB or more; an empty one has 20 bytes.
_MAX_MEMBERS = 4096


def gunzip(data: bytes, *, max_bytes: int) -> Iterator[bytes]:
    """The decoded pieces, each at most 1 MiB, of a gzip file of one or several members.

    Raises `TurnedAway`: `too_large` as soon as the pieces exceed `max_bytes`, `bad_encoding` for
    what is not gzip, is cut short, or has a wrong checksum.
    """
    total = 0
    for piece in _pieces(memoryview(data)):
        total += len(piece)
        if total > max_bytes:
            raise TurnedAway(TOO_LARGE)
        yield piece


def _pieces(data: memoryview) -> Iterator[bytes]:
    decoder = zlib.decompressobj(_GZIP)
    members = 1
    try:
        for start in range(0, len(data), _IN_BYTES):
            rest: bytes | memoryview = data[start : start + _IN_BYTES]
            while rest:
                if decoder.eof:
                    decoder = zlib.decompressobj(_GZIP)
                    members += 1
                if members > _MAX_MEMBERS:
                    raise TurnedAway(BAD_ENCODING)
                yield decoder.decompress(rest, _OUT_BYTES)
                rest = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
        while not decoder.eof:
            piece = decoder.decompress(b"", _OUT_BYTES)
            if not piece:
                raise TurnedAway(BAD_ENCODING)  # it ends before it is complete
            yield piece
    except zlib.error as exc:
        raise TurnedAway(BAD_ENCODING) from exc
