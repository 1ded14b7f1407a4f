"""What RocksDB says went wrong, in our words.

`rocksdict` raises a bare `Exception` with RocksDB's text for everything, so the text decides. The
error itself is not kept: its frames would hold iterators, those the database, and that its lock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from relay.errors import JournalUnavailable

_LONGEST = 1000
_TABLE = re.compile(r"\d+\.sst")
_T = TypeVar("_T")


class Damaged(JournalUnavailable):
    """Records on disk are not what was written; `mend` makes the rest usable again."""

    @property
    def tables(self) -> set[str]:
        """The table files that RocksDB names."""
        return set(_TABLE.findall(str(self)))


def translated(error: Exception) -> JournalUnavailable:
    """The error to raise in place of RocksDB's: `Damaged`, or just unavailable.

    Only what RocksDB itself calls a corruption is damage. An input/output error may be gone with
    the next attempt, and a file that is missing may come back with its folder.
    """
    if isinstance(error, JournalUnavailable):
        return error
    text = str(error)[:_LONGEST]
    if "Corruption" in text or "rocksdict-config.json" in text:
        return Damaged(f"the journal is damaged: {text}")
    return JournalUnavailable(f"the journal's database says: {text}")


def translating(call: Callable[[], _T]) -> _T:
    """Call RocksDB; raise its errors as ours."""
    try:
        return call()
    except Exception as error:  # rocksdict raises bare Exception for all that RocksDB says
        trouble = translated(error)
    raise trouble


def opening(call: Callable[[], _T]) -> _T:
    """Open the database; where a file of it is missing, that is damage: its folder is there."""
    try:
        return call()
    except Exception as error:  # as above
        trouble = translated(error)
    if "No such file or directory" in str(trouble):
        trouble = Damaged(str(trouble))
    raise trouble


@contextmanager
def reachable() -> Iterator[None]:
    """Around work on files: what the system says against it becomes `JournalUnavailable`."""
    try:
        yield
    except OSError as error:
        raise JournalUnavailable(f"journal.path cannot be used: {error.strerror}") from error
