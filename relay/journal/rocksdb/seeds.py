"""A small table file of every column family, kept beside the database.

The names of families stand in RocksDB's manifest and in its table files. Should the manifest be
damaged, repair knows from the table files which rows of the write-ahead log belong to which
family; of a family without a sound file all rows in the log would be lost. So every family gets a
file of its own on its first day, with one row, and of that file a copy is kept here for `mend`.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Set
from contextlib import suppress
from pathlib import Path

from relay.journal.rocksdb.links import next_number
from relay.journal.rocksdb.trouble import Damaged

_PROPERTIES_BYTES = 1 << 20
_NAME = re.compile(rb"\x04(.)name", re.DOTALL)


def has(path: Path, family: str) -> bool:
    return _file(path, family).exists()


def keep(path: Path, family: str, tables: Iterable[Path]) -> None:
    """Keep a copy of that one of these tables which is of the family, unless RocksDB has merged
    it with others already. Raises OSError."""
    seed = _file(path, family)
    copy = seed.with_suffix(".new")
    seed.parent.mkdir(exist_ok=True)
    for table in tables:
        with suppress(FileNotFoundError):
            if family_of(table, {family}) is not None:
                shutil.copyfile(table, copy)
                with copy.open("rb") as written:
                    os.fsync(written.fileno())
                copy.replace(seed)
                return


def check(path: Path, families: Iterable[str]) -> None:
    """Raise `Damaged` when a family is gone that was not dropped."""
    gone = {seed.stem for seed in (path / "seeds").glob("*.sst")}.difference(families)
    if gone:
        raise Damaged(f"the journal is damaged: its manifest lacks {', '.join(sorted(gone))}")


def drop(path: Path, family: str) -> None:
    _file(path, family).unlink(missing_ok=True)


def sow(path: Path, database: Path) -> None:
    """Put all seeds into a database that is to be repaired. Raises OSError."""
    sown = sorted((path / "seeds").glob("*.sst"))
    for number, seed in enumerate(sown, next_number(database)):
        shutil.copyfile(seed, database / f"{number:06}.sst")


def family_of(table: Path, families: Set[str]) -> str | None:
    """The column family of a table file, which is the value of one of its properties, or None.
    Raises OSError.

    Properties are keys and values with shared beginnings, behind the data: of the key
    `rocksdb.column.family.name` it has the last word, behind its length and that of the value.
    """
    with table.open("rb") as opened:
        opened.seek(max(0, table.stat().st_size - _PROPERTIES_BYTES))
        tail = opened.read()
    for found in _NAME.finditer(tail):
        (length,) = found[1]
        name = tail[found.end() : found.end() + length].decode(errors="replace")
        if name in families:
            return name
    return None


def _file(path: Path, family: str) -> Path:
    return path / "seeds" / f"{family}.sst"
