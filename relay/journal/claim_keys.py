"""How a claim is named among those of all destinations, and the receipt that owns it. Pure."""

from __future__ import annotations

import hashlib
import struct
from functools import cache

from relay.journal import layout
from relay.journal.chunk import CLAIM_BYTES

_TAG = struct.Struct(">II")


@cache
def _lane(destination: str) -> int:
    digest = hashlib.blake2b(destination.encode(), digest_size=CLAIM_BYTES).digest()
    return int.from_bytes(digest, "big")


def key_of(destination: str, claim: bytes) -> bytes:
    """The claim's key among those of all destinations; of such a key, the claim again."""
    return (int.from_bytes(claim, "big") ^ _lane(destination)).to_bytes(CLAIM_BYTES, "big")


def digest_of(receipt: str) -> bytes:
    """The 16 bytes that a receipt is claimed by, for receipts that may come again."""
    return hashlib.blake2b(receipt.encode(), digest_size=CLAIM_BYTES, person=b"receipt").digest()


def tag_of(receipt: str) -> int:
    """What tells the receipts of one claim apart, as a signed 64-bit number."""
    return tag_number(layout.receipt_tag(receipt.encode()))


def tag_number(tag: tuple[int, int]) -> int:
    """The two checksums of a receipt as PostgreSQL's bigint has them."""
    return int.from_bytes(_TAG.pack(*tag), "big", signed=True)


def tag_pair(number: int) -> tuple[int, int]:
    """The two checksums of `tag_number`."""
    crc, adler = _TAG.unpack(number.to_bytes(8, "big", signed=True))
    return crc, adler
