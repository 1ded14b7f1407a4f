"""How the journal's rows are named, and its small values as bytes. Pure; `rocksdb/` moves them.

    column family   key                               value
    (every one)     b"\\0"                             empty, see `rocksdb.folder.Folder.create`
    meta            b"format"                         the layout's version
                    b"lanes"                          JSON {destination: lane number}
                    b"c" lane                         counters, see `Counters`
                    b"s" lane                         JSON settled intervals
                    b"d" lane                         JSON [[first seq, first door seq, day], ...]
                    b"x" lane seq                     JSON digests: to be erased when it is settled
                    b"salt"                           of the digests in samples
                    b"journal"                        names this journal, see `rocksdb.identity`
                    b"import " contents               JSON, see `rocksdb.moving_in`
    log-YYYYMMDD    b"a" lane seq attempt id          JSON attempt with what it settled
                    b"d" lane door seq                door record: arrivals settled at the door
                    b"e" lane seq                     chunk: entries of one group commit
                    b"i" lane kind seq                fingerprints, kind is b"e" or b"d"
                    b"I" lane kind seq                many rows of fingerprints folded into one
                    b"l"                              the lanes again, see `rocksdb.rebuild`
    claims-YYYYMMDD lane claim                        seq, accepted at, receipt tag
                    lane receipt digest               the same, for a receipt that may come again
                    b"\\xff\\xff" key                  remembered value of a source
    ledger          hour lane event name              JSON sums, see `relay.journal.ledger`
    issues          hour lane event name              JSON counts, see `relay.journal.issues`
    samples         hour lane seq                     JSON sample, see `relay.journal.sample`
    notes           the note's key                    the note
    dead            milliseconds lane seq             JSON dead letter

Lane numbers are 2 bytes, seqs 8, all big-endian, so that keys sort as numbers do. Chunks are in
`chunk.py`, door records in `door.py`, fingerprints in `fingerprint.py`.
"""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, NamedTuple
from zlib import adler32, crc32

import orjson

FORMAT: Final = b"1"
#: At most this many door records form one row.
MAX_DOOR_RECORDS: Final = 1000
#: A batch spans at most this many seqs, so that the attempts of an entry are found nearby.
MAX_SPAN: Final = 8192

#: In every family from its first day on; every other key is greater.
MARKER: Final = b"\0"
FIRST: Final = b"\0\0"
#: Greater than every key.
BEHIND_ALL: Final = b"\xff" * 24
REMEMBERED: Final = b"\xff\xff"
IMPORTS: Final = b"import "

#: Marks the door seq of a refusal where other rows have an entry's seq.
AT_DOOR: Final = 1 << 63

#: Marks the seq of a dead letter that came from another journal: it is none of this one's.
RECEIVED: Final = 1 << 62

_KEY = struct.Struct(">cHQ")
_INDEX_KEY = struct.Struct(">cHcQ")
_LEDGER_KEY = struct.Struct(">IH")
_SAMPLE_KEY = struct.Struct(">IHQ")
_CLAIM = struct.Struct(">QdII")
_COUNTERS = struct.Struct(">QQQQQ")


class Counters(NamedTuple):
    """What is stored of a lane's sums. `size_bytes` is of what waits; `next_door` counts the
    arrivals settled at the door. `accepted` and `settled` are counted by themselves, and equal
    `next_seq + next_door` and `settled entries + next_door` as long as nothing is lost."""

    accepted: int = 0
    settled: int = 0
    next_seq: int = 0
    size_bytes: int = 0
    next_door: int = 0


class Claim(NamedTuple):
    """Who owns a (destination, event, event id): the entry, since when, and its receipt's tag."""

    seq: int
    at: float
    tag: tuple[int, int]


def lane_key(kind: bytes, lane: int) -> bytes:
    return kind + lane.to_bytes(2, "big")


def row_key(kind: bytes, lane: int, seq: int) -> bytes:
    return _KEY.pack(kind, lane, seq)


def row_seq(key: bytes) -> int:
    return int.from_bytes(key[3:11], "big")


def index_key(lane: int, kind: bytes, seq: int, *, family: bytes = b"i") -> bytes:
    """Key of a fingerprint row; `family` is `b"i"` for one, `b"I"` for folded ones."""
    return _INDEX_KEY.pack(family, lane, kind, seq)


def index_seq(key: bytes) -> int:
    return int.from_bytes(key[4:12], "big")


def claim_key(lane: int, claim: bytes) -> bytes:
    return lane.to_bytes(2, "big") + claim


def receipt_claim_key(lane: int, receipt: str) -> bytes:
    """The claim of a receipt itself, for receipts that may come again."""
    digest = hashlib.blake2b(receipt.encode(), digest_size=16, person=b"receipt").digest()
    return claim_key(lane, digest)


@cache
def _mixture(destination: str) -> int:
    digest = hashlib.blake2b(destination.encode(), digest_size=16).digest()
    return int.from_bytes(digest, "big")


def mixed_claim(destination: str, claim: bytes) -> bytes:
    """A claim among those of all destinations. Mixed once more, it is the claim again."""
    return (int.from_bytes(claim, "big") ^ _mixture(destination)).to_bytes(16, "big")


def receipt_tag(receipt: bytes) -> tuple[int, int]:
    """Two checksums that tell the receipts of one claim apart. The first one is the receipt's
    fingerprint as well. Receipts are made by us or by Kafka: nobody forges them."""
    return crc32(receipt), adler32(receipt)


def pack_claim(seq: int, at: float, tag: tuple[int, int]) -> bytes:
    return _CLAIM.pack(seq, at, *tag)


def unpack_claim(value: bytes) -> Claim:
    seq, at, crc, adler = _CLAIM.unpack(value)
    return Claim(seq, at, (crc, adler))


def pack_counters(counters: Counters) -> bytes:
    return _COUNTERS.pack(*counters)


def unpack_counters(value: bytes) -> Counters:
    return Counters._make(_COUNTERS.unpack(value))


def dead_key(at: float, lane: int, seq: int) -> bytes:
    return int(at * 1000).to_bytes(8, "big") + lane.to_bytes(2, "big") + seq.to_bytes(8, "big")


def dead_lane(key: bytes) -> int:
    return int.from_bytes(key[8:10], "big")


def dead_seq(key: bytes) -> int:
    return int.from_bytes(key[10:18], "big")


def received_seq(letter_id: str) -> int:
    """Where another journal's dead letter stands among those of one moment."""
    digest = hashlib.blake2b(letter_id.encode(), digest_size=8).digest()
    return RECEIVED | int.from_bytes(digest, "big") >> 2


def import_key(contents: str) -> bytes:
    return IMPORTS + contents.encode()


def ledger_key(hour: int, lane: int, name: str) -> bytes:
    return _LEDGER_KEY.pack(hour, lane) + name.encode()


def ledger_place(key: bytes) -> tuple[int, int, str]:
    """Hour (since 1970, UTC), lane number and event name of a ledger row."""
    hour, lane = _LEDGER_KEY.unpack_from(key)
    return hour, lane, key[_LEDGER_KEY.size :].decode()


def sample_key(hour: int, lane: int, seq: int) -> bytes:
    return _SAMPLE_KEY.pack(hour, lane, seq)


def sample_lane(key: bytes) -> int:
    return int.from_bytes(key[4:6], "big")


def sample_hour(key: bytes) -> int:
    return int.from_bytes(key[:4], "big")


def note_range(prefix: str, before: str | None = None) -> tuple[bytes, bytes]:
    """The keys of notes that begin so (and sort before `before`), as start and stop."""
    start = prefix.encode() or FIRST
    # No byte of UTF-8 is 0xff.
    stop = prefix.encode() + b"\xff"
    return start, stop if before is None else max(start, min(stop, before.encode()))


def json(value: object) -> bytes:
    return orjson.dumps(value)


def parse(value: bytes) -> Any:
    return orjson.loads(value)


def day_name(at: float) -> str:
    """`YYYYMMDD` (UTC) of a Unix time."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%d")


def day_start(day: str) -> float:
    """Unix time at which a day (`YYYYMMDD`, UTC) begins."""
    return datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).timestamp()
