"""Claims over the days of the window: who owns a (destination, event, event id), and since when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from rocksdict import WriteBatch

from relay.journal import layout
from relay.journal.rocksdb.folder import CLAIMS, Folder


def lookup(folder: Folder, keys: list[bytes]) -> list[bytes | None]:
    """The newest stored value of each key, over all days: one multi-get a day."""
    found: list[bytes | None] = [None] * len(keys)
    if not keys:
        return found
    for day in reversed(folder.days(CLAIMS)):
        values = _values(folder, day, keys)
        for at, value in enumerate(values):
            if value is not None and found[at] is None:
                found[at] = value
    return found


def _values(folder: Folder, day: str, keys: list[bytes]) -> list[bytes | None]:
    # rocksdict types its key lists invariantly and its answer as Any | None.
    found: Any = folder.family(CLAIMS + day).get(
        cast("list[str | int | float | bytes | bool]", keys)
    )
    return cast("list[bytes | None]", found)


def recall(folder: Folder, key: bytes) -> bytes | None:
    """What a source remembered under `key`."""
    return lookup(folder, [layout.REMEMBERED + key])[0]


def release(folder: Folder, batch: WriteBatch, keys_and_seqs: Sequence[tuple[bytes, int]]) -> None:
    """Delete claims, but only those that still belong to these entries."""
    for day in folder.days(CLAIMS):
        values = _values(folder, day, [key for key, _ in keys_and_seqs])
        for (key, seq), value in zip(keys_and_seqs, values, strict=True):
            if value is not None and layout.unpack_claim(value).seq == seq:
                batch.delete(key, folder.handle(CLAIMS + day))
