"""How the journal's rows look: keys and values as bytes. Pure; `rocksdb/` moves them.

    column family   key                               value
    meta            b"format"                         the layout's version
                    b"lanes"                          JSON {destination: lane number}
                    b"c" lane                         counters: accepted, settled, next seq, bytes
                    b"s" lane                         JSON settled intervals
                    b"d" lane                         JSON [[first seq, first door seq, day], ...]
    log-YYYYMMDD    b"e" lane seq                     chunk: entries of one group commit
                    b"d" lane seq                     door record: arrivals settled at the door
                    b"i" lane kind seq                fingerprints, 8 bytes each, see `fingerprints`
                    b"a" lane seq attempt id          attempt record with what it settled
    claims-YYYYMMDD lane claim                        seq, accepted at, receipt digest
                    b"\\xff\\xff" key                  remembered value of a source
    ledger          hour lane event name              JSON sums, see `relay.journal.ledger`
    dead            milliseconds lane seq             JSON dead letter

Lane numbers are 2 bytes, seqs 8, all big-endian, so that keys sort as numbers do.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from relay.model import Entry, Event, FieldIssue, Refusal

FORMAT = b"1"
MAX_CHUNK = 1000
#: A batch spans at most this many seqs, so that the attempts of an entry are found nearby.
MAX_SPAN = 8192
REMEMBERED = b"\xff\xff"

_KEY = struct.Struct(">cHQ")
_INDEX_KEY = struct.Struct(">cHcQ")
_CLAIM = struct.Struct(">QI8s")
_COUNTERS = struct.Struct(">QQQQ")
_CHUNK = struct.Struct(">dII")
_FINGERPRINT = struct.Struct(">II")


class Counters(NamedTuple):
    """What is stored of a lane's sums: `accepted`, `settled`, `next_seq`, waiting `size_bytes`."""

    accepted: int = 0
    settled: int = 0
    next_seq: int = 0
    size_bytes: int = 0


class Claim(NamedTuple):
    """Who owns a (destination, event, event id): the entry, since when, and its receipt."""

    seq: int
    at: int
    receipt: bytes


class DoorRecord(NamedTuple):
    """An arrival that was settled at the door."""

    receipt: str
    source: str
    name: str | None
    event_id: str | None
    order_id: str | None
    event_time: int | None
    outcome: str
    reason: str
    errors: Sequence[Sequence[str]]


def lane_key(kind: bytes, lane: int) -> bytes:
    return kind + lane.to_bytes(2, "big")


def row_key(kind: bytes, lane: int, seq: int) -> bytes:
    return _KEY.pack(kind, lane, seq)


def row_seq(key: bytes) -> int:
    return int.from_bytes(key[3:11], "big")


def index_key(lane: int, kind: bytes, seq: int) -> bytes:
    return _INDEX_KEY.pack(b"i", lane, kind, seq)


def index_seq(key: bytes) -> int:
    return int.from_bytes(key[4:12], "big")


def claim_digest(name: str, event_id: str) -> bytes:
    """16 bytes that stand for (event name, event id): TikTok's own key within an event source."""
    return hashlib.blake2b(f"{len(name)}:{name}{event_id}".encode(), digest_size=16).digest()


def claim_key(lane: int, claim: bytes) -> bytes:
    return lane.to_bytes(2, "big") + claim


def receipt_digest(receipt: str) -> bytes:
    return hashlib.blake2b(receipt.encode(), digest_size=8).digest()


def receipt_claim_key(lane: int, receipt: str) -> bytes:
    """The claim of an arrival that was settled at the door, so that a re-read is known."""
    digest = hashlib.blake2b(receipt.encode(), digest_size=16, person=b"receipt").digest()
    return claim_key(lane, digest)


def pack_claim(seq: int, at: float, receipt: bytes) -> bytes:
    return _CLAIM.pack(seq, int(at), receipt)


def unpack_claim(value: bytes) -> Claim:
    return Claim._make(_CLAIM.unpack(value))


def pack_counters(counters: Counters) -> bytes:
    return _COUNTERS.pack(*counters)


def unpack_counters(value: bytes) -> Counters:
    return Counters._make(_COUNTERS.unpack(value))


def pack_chunk(at: float, rows: Sequence[tuple[str, str, Event]]) -> bytes:
    """Chunk of (receipt, source, event) rows: head, JSON columns, bodies joined with commas."""
    events = [event for _, _, event in rows]
    columns = orjson.dumps(
        (
            [receipt for receipt, _, _ in rows],
            [source for _, source, _ in rows],
            [event.name for event in events],
            [event.event_id for event in events],
            [event.event_time for event in events],
            [event.order_id for event in events],
            [event.test_event_code for event in events],
            [None if event.value is None else str(event.value) for event in events],
            [event.currency for event in events],
            [event.match_keys for event in events],
            [len(event.wire) for event in events],
        )
    )
    head = _CHUNK.pack(at, len(rows), len(columns))
    return b"".join((head, columns, b",".join([event.wire for event in events])))


def chunk_head(value: bytes) -> tuple[float, int]:
    """When the chunk was accepted (Unix seconds) and how many entries it holds."""
    at, count, _ = _CHUNK.unpack_from(value)
    return at, count


def unpack_chunk(first_seq: int, value: bytes) -> list[Entry]:
    """The entries of a chunk. Raises ValueError when its lengths do not add up."""
    at, count, size = _CHUNK.unpack_from(value)
    start = _CHUNK.size + size
    *columns, lengths = orjson.loads(value[_CHUNK.size : start])
    if len(lengths) != count or start + sum(lengths) + max(0, count - 1) != len(value):
        raise ValueError("the chunk's lengths do not add up")
    bodies = []
    for length in lengths:
        bodies.append(value[start : start + length])
        start += length + 1
    seqs = range(first_seq, first_seq + count)
    return list(map(Entry._make, zip(seqs, [at] * count, *columns, bodies, strict=True)))


def pack_door(at: float, records: Sequence[DoorRecord]) -> bytes:
    return orjson.dumps([at, records], option=orjson.OPT_NON_STR_KEYS)


def unpack_door(value: bytes) -> tuple[float, list[DoorRecord]]:
    at, records = orjson.loads(value)
    return at, [DoorRecord._make(record) for record in records]


def door_record(
    receipt: str, source: str, result: Event | Refusal, outcome: str, reason: str
) -> DoorRecord:
    errors: Sequence[FieldIssue] = result.errors if isinstance(result, Refusal) else ()
    return DoorRecord(
        receipt, source, result.name, result.event_id, result.order_id, result.event_time,
        outcome, reason, [tuple(error) for error in errors],
    )  # fmt: skip


def fingerprint(token: bytes) -> bytes:
    return zlib.crc32(token).to_bytes(4, "big")


def fingerprints(tokens: Iterable[tuple[int, bytes]]) -> bytes:
    """Index row: 4 bytes CRC-32 of the token and 4 bytes offset from the row's first seq."""
    crc = zlib.crc32
    pack = _FINGERPRINT.pack
    return b"".join([pack(crc(token), offset) for offset, token in tokens])


def offsets_of(row: bytes, wanted: bytes) -> list[int]:
    """Offsets in an index row whose fingerprint is `wanted`."""
    found = []
    at = row.find(wanted)
    while at >= 0:
        if at % _FINGERPRINT.size == 0:
            found.append(int.from_bytes(row[at + 4 : at + 8], "big"))
        at = row.find(wanted, at + 1)
    return found


def shift_fingerprints(row: bytes, by: int) -> bytes:
    """The same index row, counted from `by` seqs earlier: for folding rows into one."""
    return b"".join(
        [_FINGERPRINT.pack(crc, offset + by) for crc, offset in _FINGERPRINT.iter_unpack(row)]
    )


def dead_key(at: float, lane: int, seq: int) -> bytes:
    return int(at * 1000).to_bytes(8, "big") + lane.to_bytes(2, "big") + seq.to_bytes(8, "big")


def ledger_key(hour: int, lane: int, name: str) -> bytes:
    return hour.to_bytes(4, "big") + lane.to_bytes(2, "big") + name.encode()


def json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)


def parse(value: bytes) -> Any:
    return orjson.loads(value)


def day_name(at: float) -> str:
    """`YYYYMMDD` (UTC) of a Unix time."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%d")
