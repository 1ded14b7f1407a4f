"""The journal's folder as a command sees it: read-only, beside a relay that may be running."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from relay.config import load
from relay.errors import JournalUnavailable
from relay.journal.rocksdb.folder import Folder
from relay.journal.rocksdb.search import Search
from relay.journal.rocksdb.state import State

#: A running relay deletes files while they are being opened: then it is worth another try.
_TRIES = 3
_PAUSE_S = 0.1


def path_of(config: Path | None, journal: Path | None) -> Path:
    """The journal's folder: as named, or as configured. Raises `ConfigError`."""
    return journal if journal is not None else load(config, os.environ, checks=()).journal.path


def require(path: Path) -> None:
    """Raise `JournalUnavailable` where there is no journal."""
    if not (path / "db" / "CURRENT").exists():
        raise JournalUnavailable(
            f"there is no journal at {path.absolute()}; name its folder with --journal, or the "
            "configuration with --config"
        )


@contextmanager
def reading(path: Path) -> Iterator[tuple[State, Search]]:
    """What the folder holds at this moment; nothing in it is changed.

    Raises `JournalUnavailable` where there is no journal, and `JournalFormat`.
    """
    require(path)
    folder = _opened(path)
    try:
        state = State(folder)
        yield state, Search(state)
    finally:
        folder.close()


def _opened(path: Path) -> Folder:
    for _ in range(_TRIES - 1):
        try:
            return Folder(path, read_only=True)
        except JournalUnavailable:
            time.sleep(_PAUSE_S)
    return Folder(path, read_only=True)
