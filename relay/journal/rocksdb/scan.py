"""Reading rows in key order, and getting past what cannot be read.

RocksDB reports a damaged block when an iterator meets it: the iterator then becomes invalid, with
an error in its status. A plain loop over keys would take that for the end. Here the scan goes on
behind the damage and says where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rocksdict import Rdict, RdictIter

#: Called with the last key before and the first key after a damage (None: to the end).
Damaged = Callable[[bytes, bytes | None], None]

_WIDTH = 24  # keys are compared as integers of this many bytes when searching behind a damage


class DamagedRow(Exception):
    """A row lies in a damaged block."""


def rows(
    family: Rdict, start: bytes, stop: bytes, damaged: Damaged | None = None
) -> Iterator[tuple[bytes, bytes]]:
    """Rows with `start <= key < stop`. Without `damaged`, raises `DamagedRow` at damage."""
    iterator = family.iter()
    iterator.seek(start)
    last = start
    while True:
        while iterator.valid():
            key = iterator.key()
            if key >= stop:
                return
            last = key
            yield key, iterator.value()
            iterator.next()
        if not _broken(iterator):
            return
        if damaged is None:
            raise DamagedRow
        found = _readable_behind(family, last, stop)
        damaged(last, found)
        if found is None:
            return
        iterator = family.iter()
        iterator.seek(found)


def row_at_or_before(family: Rdict, key: bytes, prefix: bytes) -> tuple[bytes, bytes] | None:
    """The last row with this prefix whose key is not beyond `key`; raises `DamagedRow`."""
    iterator = family.iter()
    iterator.seek_for_prev(key)
    if not iterator.valid():
        if _broken(iterator):
            raise DamagedRow
        return None
    found = iterator.key()
    return (found, iterator.value()) if found.startswith(prefix) else None


def last_row(family: Rdict, prefix: bytes) -> tuple[bytes, bytes] | None:
    """The row with the greatest key that has this prefix."""
    return row_at_or_before(family, prefix + b"\xff" * 16, prefix)


def _broken(iterator: RdictIter) -> bool:
    try:
        iterator.status()
    except Exception:
        return True
    return False


def _readable_behind(family: Rdict, last: bytes, stop: bytes) -> bytes | None:
    """The first readable key behind a damage: gallop until a seek works, then bisect back."""
    base, limit = _number(last), _number(stop)
    step = 1
    while base + step < limit and _seek(family, base + step) is None:
        step *= 2
    if base + step >= limit and _seek(family, limit) is None:
        return None
    low, high = base + step // 2, min(base + step, limit)
    while high - low > 1:
        middle = (low + high) // 2
        if _seek(family, middle) is None:
            low = middle
        else:
            high = middle
    found = _seek(family, high)
    return found if found is not None and found < stop else None


def _seek(family: Rdict, number: int) -> bytes | None:
    """The key at or behind `number`; None when it lies in damage or there is none."""
    iterator = family.iter()
    iterator.seek(number.to_bytes(_WIDTH, "big"))
    return iterator.key() if iterator.valid() else None


def _number(key: bytes) -> int:
    return int.from_bytes(key[:_WIDTH].ljust(_WIDTH, b"\0"), "big")
