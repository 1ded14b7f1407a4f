"""Files in the folder that keep a relay from opening it: it was moved, or is being filled.

moved       JSON: when, the export, and where it went; `relay journal unseal` takes it away
importing   JSON: the export that is being imported; gone when that is finished
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from relay.errors import JournalSealed
from relay.journal.rocksdb.trouble import reachable

_MOVED: Final = "moved"
_IMPORTING: Final = "importing"


class Seal(NamedTuple):
    """When the folder was moved (Unix seconds), by which export, into what file."""

    at: float
    export: str
    file: str


def read(path: Path) -> Seal | None:
    """The folder's seal, if it has one. One that cannot be read is one."""
    try:
        said = orjson.loads((path / _MOVED).read_bytes())
        return Seal(said["at"], said["export"], said["file"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError):
        return Seal(0.0, "", "")


def put(path: Path, seal: Seal) -> None:
    """Durable when it returns. Raises `JournalUnavailable`."""
    _write(path / _MOVED, orjson.dumps(seal._asdict()))


def take_away(path: Path) -> bool:
    """Whether there was one. Raises `JournalUnavailable`."""
    return _remove(path / _MOVED)


def begin_import(path: Path, export: str) -> None:
    """No relay opens the folder from now on. Raises `JournalUnavailable`."""
    _write(path / _IMPORTING, orjson.dumps({"export": export}))


def end_import(path: Path) -> None:
    """Raises `JournalUnavailable`."""
    _remove(path / _IMPORTING)


def check(path: Path) -> None:
    """Raises `JournalSealed` where no relay may open the folder."""
    refuse_moved(path)
    refuse_unfinished(path)


def refuse_unfinished(path: Path) -> None:
    """Raises `JournalSealed` where the folder is being filled."""
    if (path / _IMPORTING).exists():
        raise JournalSealed(
            f"an import into {path} is unfinished: repeat `relay journal import` with the same "
            "file, it goes on where it was"
        )


def refuse_moved(path: Path) -> None:
    """Raises `JournalSealed` where the folder was moved."""
    seal = read(path)
    if seal is not None:
        raise JournalSealed(described(str(path), seal))


def described(what: str, seal: Seal) -> str:
    """Where the journal went, and the ways on."""
    when = f"{datetime.fromtimestamp(seal.at, UTC):%Y-%m-%d %H:%M} UTC"
    return (
        f"{what} was moved on {when}, into {seal.file or 'a file'} (export {seal.export[:12]}): a "
        "relay here would send its events a second time. Start the relay where it was imported; if "
        "it never was, `relay journal unseal` makes this one work again"
    )


def _write(file: Path, content: bytes) -> None:
    with reachable():
        new = file.with_suffix(".new")
        with new.open("wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        new.replace(file)
        _sync(file.parent)


def _remove(file: Path) -> bool:
    with reachable():
        there = file.exists()
        file.unlink(missing_ok=True)
        _sync(file.parent)
        return there


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
