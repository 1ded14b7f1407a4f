"""Reading rows in key order, and getting past what cannot be read.

RocksDB reports a damaged block when an iterator meets it: the iterator then becomes invalid, with
an error in its status. A plain loop over keys would take that for the end. Here the scan goes on
behind the damage and says where it was. Any other error (the disk, a missing file) is raised: what
cannot be read now may be readable later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from rocksdict import Rdict, RdictIter

from relay.journal.layout import BEHIND_ALL
from relay.journal.rocksdb.options import passing_by
from relay.journal.rocksdb.trouble import Damaged, translated, translating

#: Called with the last key before and the first key after a damage. That is `BEHIND_ALL` where
#: there is no other key, and None where not even that can be told: more than a row is damaged.
Passing = Callable[[bytes, bytes | None], None]

_WIDTH = 24  # keys are compared as integers of this many bytes when searching behind a damage


def rows(
    family: Rdict, start: bytes, stop: bytes, damaged: Passing | None = None
) -> Iterator[tuple[bytes, bytes]]:
    """Rows with `start <= key < stop`. Without `damaged`, raises `Damaged` at damage.

    Raises `JournalUnavailable` for any other error.
    """
    iterator = opened(family)
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
        damage = damage_of(iterator)
        if damage is None:
            return
        del iterator  # an error's frames would hold it, and it the database
        if damaged is None:
            raise damage
        found = _readable_behind(family, last)
        damaged(last, found)
        if found is None or found >= stop:
            return
        iterator = opened(family)
        iterator.seek(found)


def row_at_or_before(
    family: Rdict, key: bytes, prefix: bytes, reach: int
) -> tuple[bytes, bytes] | None:
    """The last row with this prefix whose key is not beyond `key`, which ends in a seq.

    Where a damage is in the way of looking backwards, it is looked for among the `reach` seqs
    before. What lies in the damage itself is not found.
    """
    iterator = opened(family)
    iterator.seek_for_prev(key)
    if iterator.valid():
        found = iterator.key()
        return (found, iterator.value()) if found.startswith(prefix) else None
    if damage_of(iterator) is None:
        return None
    seq = int.from_bytes(key[len(prefix) :], "big")
    start = prefix + max(0, seq - reach).to_bytes(len(key) - len(prefix), "big")
    last = deque(rows(family, start, key + b"\0", pass_by), maxlen=1)
    return last.pop() if last else None


def last_row(family: Rdict, prefix: bytes) -> tuple[bytes, bytes] | None:
    """The row with the greatest key that has this prefix, as far as it can be read."""
    key = prefix + b"\xff" * 8
    return row_at_or_before(family, key, prefix, reach=2**64)


def pass_by(last: bytes, found: bytes | None) -> None:
    """For readers that do not mind: what cannot be read cannot be found."""


def opened(family: Rdict) -> RdictIter:
    """An iterator that leaves the cache alone."""
    return translating(lambda: family.iter(passing_by()))


def damage_of(iterator: RdictIter) -> Damaged | None:
    """Why the iterator is not valid: damage, or None at the end. Raises `JournalUnavailable`."""
    try:
        iterator.status()
    except Exception as error:  # rocksdict raises bare Exception for all that RocksDB says
        trouble = translated(error)
    else:
        return None
    if isinstance(trouble, Damaged):
        return trouble
    del iterator  # as above
    raise trouble


def _readable_behind(family: Rdict, last: bytes) -> bytes | None:
    """The key that reading can go on with: gallop until a seek works, then bisect back."""
    base, limit = _number(last), _number(BEHIND_ALL)
    step = 1
    while base + step < limit and not _works(family, base + step):
        step *= 2
    low, high = base + step // 2, min(base + step, limit)
    if high == limit and not _works(family, limit):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if _works(family, middle):
            high = middle
        else:
            low = middle
    iterator = _sought(family, high)
    if not iterator.valid():
        return BEHIND_ALL
    found: bytes = iterator.key()
    return found


def _works(family: Rdict, number: int) -> bool:
    """Does a seek to this key work, whether it finds one or the end?"""
    iterator = _sought(family, number)
    return iterator.valid() or damage_of(iterator) is None


def _sought(family: Rdict, number: int) -> RdictIter:
    iterator = opened(family)
    iterator.seek(number.to_bytes(_WIDTH, "big"))
    return iterator


def _number(key: bytes) -> int:
    return int.from_bytes(key[:_WIDTH].ljust(_WIDTH, b"\0"), "big")
