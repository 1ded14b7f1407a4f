"""A mark on a folder that no relay may use: because its journal was moved and what waits would be
sent here and there, or because an import into it has not come to its end."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

import orjson

from relay.errors import JournalSealed
from relay.journal.rocksdb.trouble import reachable

_NAME = "sealed"


class Why(StrEnum):
    """Why a folder is sealed."""

    MOVED = "moved"
    FILLING = "filling"


def check(path: Path, *, allowing: Why | None = None) -> None:
    """Raise `JournalSealed` for a folder that is sealed, but for the reason `allowing`."""
    found = why(path)
    if found is allowing:
        return
    match found:
        case Why.MOVED:
            raise JournalSealed(
                f"the journal in {path} was moved elsewhere, and a relay on it would send once "
                "more what waited. Start the relay on the new journal; to go on with this one "
                f"instead: `relay journal unseal --journal {path}`"
            )
        case Why.FILLING:
            raise JournalSealed(
                f"an import into the journal in {path} has not come to its end, and nobody would "
                "know what the rest of it says. Type the same `relay journal import` again, which "
                "goes on where it was; to go on without the rest: "
                f"`relay journal unseal --journal {path}`"
            )


def why(path: Path) -> Why | None:
    """Why the folder is sealed; None where it is not."""
    try:
        said = orjson.loads((path / _NAME).read_bytes())
        return Why(said["why"])
    except FileNotFoundError:
        return None
    except (ValueError, LookupError, TypeError):  # whatever it says, somebody put it there
        return Why.MOVED


def put(path: Path, at: float, because: Why) -> None:
    """Seal it, durably, since when (Unix seconds) and why. Raises `JournalUnavailable`."""
    new = path / f"{_NAME}.new"
    with reachable():
        with new.open("wb") as written:
            written.write(orjson.dumps({"at": at, "why": because}) + b"\n")
            written.flush()
            os.fsync(written.fileno())
        new.replace(path / _NAME)
        _sync(path)


def lift(path: Path) -> bool:
    """Undo it; False where there is no seal. Raises `JournalUnavailable`."""
    with reachable():
        found = (path / _NAME).exists()
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
