"""A mark on a folder whose journal was moved: nobody may go on with it by mistake, because what
waits would be sent here and there."""

from __future__ import annotations

import os
from pathlib import Path

import orjson

from relay.errors import JournalSealed
from relay.journal.rocksdb.trouble import reachable

_NAME = "sealed"


def check(path: Path) -> None:
    """Raise `JournalSealed` for a folder that is sealed."""
    if not is_sealed(path):
        return
    raise JournalSealed(
        f"the journal in {path} was moved elsewhere (`relay journal export --seal`), and a relay "
        "on it would send once more what waited. Start the relay on the new journal; to go on "
        f"with this one instead: `relay journal unseal --journal {path}`"
    )


def is_sealed(path: Path) -> bool:
    return (path / _NAME).exists()


def put(path: Path, at: float, contents: str) -> None:
    """Seal it, durably: since when (Unix seconds), and which export has what it held.

    Raises `JournalUnavailable`.
    """
    new = path / f"{_NAME}.new"
    with reachable():
        with new.open("wb") as written:
            written.write(orjson.dumps({"at": at, "contents": contents}) + b"\n")
            written.flush()
            os.fsync(written.fileno())
        new.replace(path / _NAME)
        _sync(path)


def lift(path: Path) -> bool:
    """Undo it; False where there is no seal. Raises `JournalUnavailable`."""
    found = is_sealed(path)
    with reachable():
        (path / _NAME).unlink(missing_ok=True)
        if found:
            _sync(path)
    return found


def _sync(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
