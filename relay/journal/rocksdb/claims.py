"""Claims over the days of the window: who owns a (destination, event, event id), and since when."""

from __future__ import annotations

from collections.abc import Sequence

from rocksdict import WriteBatch

from relay.journal import layout
from relay.journal.rocksdb.folder import CLAIMS, Folder
from relay.journal.rocksdb.scan import pass_by, rows
from relay.journal.rocksdb.trouble import Damaged

#: A claim's key, and the seq it belongs to.
Owned = tuple[bytes, int]


def lookup(folder: Folder, keys: list[bytes]) -> list[bytes | None]:
    """The newest stored value of each key, over all days: one multi-get a day.

    What cannot be read counts as absent: a claim that is lost costs a repeat, which TikTok knows
    for 48 hours; an event that is refused because of it would be lost.
    """
    found: list[bytes | None] = [None] * len(keys)
    if not keys:
        return found
    for day in folder.days(CLAIMS):  # ascending: what is newer takes the place of what is older
        values = _values(folder, CLAIMS + day, keys)
        if values.count(None) < len(values):
            found = [older if newer is None else newer
                     for older, newer in zip(found, values, strict=True)]  # fmt: skip
    return found


def _values(folder: Folder, name: str, keys: list[bytes]) -> list[bytes | None]:
    try:
        return folder.get_many(name, keys)
    except Damaged:
        return [_value(folder, name, key) for key in keys]


def _value(folder: Folder, name: str, key: bytes) -> bytes | None:
    try:
        return folder.get(name, key)
    except Damaged:
        return None


def recall(folder: Folder, key: bytes) -> bytes | None:
    """What a source remembered under `key`."""
    return lookup(folder, [layout.REMEMBERED + key])[0]


def release(folder: Folder, batch: WriteBatch, claims: Sequence[Owned]) -> None:
    """Delete claims, but only those that still belong to these entries."""
    for day in folder.days(CLAIMS):
        values = _values(folder, CLAIMS + day, [key for key, _ in claims])
        for (key, seq), value in zip(claims, values, strict=True):
            if value is not None and layout.unpack_claim(value).seq == seq:
                batch.delete(key, folder.handle(CLAIMS + day))


def owned_by(folder: Folder, day: str | None, lane: int, seqs: tuple[int, int]) -> list[Owned]:
    """The claims of the entries `start <= seq < end` that came on this day.

    Reads all claims of the lane: for entries whose chunk, which names their claims, is lost.
    """
    start, end = seqs
    if day is None or CLAIMS + day not in folder.names:
        return []
    first, behind = layout.claim_key(lane, b""), layout.claim_key(lane + 1, b"")
    return [
        (key, claim.seq)
        for key, value in rows(folder.family(CLAIMS + day), first, behind, pass_by)
        if start <= (claim := layout.unpack_claim(value)).seq < end
    ]
