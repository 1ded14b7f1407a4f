"""Making a damaged database usable again, and losing no more than what is damaged.

RocksDB's own repair makes a new manifest from the table files and the write-ahead log, and puts
aside every table that has a damaged block: that may be 90 000 events for one of them. So what can
be read of those tables is copied over first.

    db/           the damaged database: untouched until the last step
    mending/db/   what repair works on: hard links to the same files
    db.mended/    the same, complete: from here on `finish` ends what was interrupted
    quarantine/   the damaged files, and what repair replaced
    rebuild       while this file exists the journal's account is to be made anew, see `rebuild`
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Set
from itertools import count
from pathlib import Path

from rocksdict import Cache, Rdict, WriteBatch

from relay.errors import JournalFormat
from relay.journal.rocksdb import seeds
from relay.journal.rocksdb.folder import Folder
from relay.journal.rocksdb.options import CACHE_BYTES, database_options
from relay.journal.rocksdb.scan import pass_by, rows
from relay.journal.rocksdb.trouble import Damaged, reachable, translating

_BYTES_PER_WRITE = 8 << 20


def mend(path: Path, suspects: Set[str] = frozenset()) -> int:
    """Repair the database below `path`, which nobody has open; returns how many files were
    damaged. `suspects` are table files that are known to be.

    Raises `JournalUnavailable` when the disk does not let us: then nothing is changed.
    """
    staging = path / "mending"
    with reachable():
        _link(path / "db", staging / "db")
        if (path / "seeds").exists():
            seeds.sow(path, staging / "db")
            shutil.copytree(path / "seeds", staging / "seeds")
        fresh, lost = _repaired(staging, suspects)
        try:
            _rescue(path, fresh, lost)
        finally:
            fresh.close()
        (path / "rebuild").touch()
        _sync(staging / "db")
        (staging / "db").rename(path / "db.mended")
        _sync(path)
    finish(path)
    return max(1, len(lost))


def finish(path: Path) -> None:
    """End what an earlier `mend` had no time for. Raises `JournalUnavailable`."""
    mended, database = path / "db.mended", path / "db"
    with reachable():
        if mended.exists():
            if database.exists():
                aside = _free_name(path / "quarantine")
                database.rename(aside)
                _forget_sound(aside, {file.name for file in (mended / "lost").glob("*.sst")})
            shutil.rmtree(mended / "lost", ignore_errors=True)
            mended.rename(database)
            _sync(path)
    shutil.rmtree(path / "mending", ignore_errors=True)


def _link(source: Path, target: Path) -> None:
    shutil.rmtree(target.parent, ignore_errors=True)
    target.mkdir(parents=True)
    for file in source.iterdir():
        if file.suffix in (".sst", ".log"):
            try:
                os.link(file, target / file.name)
            except OSError:  # a file system without hard links
                shutil.copy2(file, target / file.name)
        elif file.name.startswith("MANIFEST"):
            shutil.copy2(file, target / file.name)


def _repaired(staging: Path, suspects: Set[str]) -> tuple[Folder, set[str]]:
    """The repaired database, open, and the table files that were put aside.

    Repair looks at rows, not always at all of them; of what else is in a table, opening tells.
    """
    database, aside = staging / "db", staging / "db" / "lost"
    aside.mkdir()
    while True:
        for name in suspects:
            if (database / name).exists():
                (database / name).rename(aside / name)
        translating(lambda: Rdict.repair(str(database), database_options(Cache(CACHE_BYTES))))
        try:
            fresh = Folder(staging, create=True)
        except Damaged as error:
            suspects = {name for name in error.tables if (database / name).exists()}
            if not suspects:
                raise
            continue
        return fresh, {file.name for file in aside.glob("*.sst")}


def _rescue(path: Path, fresh: Folder, lost: set[str]) -> None:
    """Copy what can be read of the tables that were put aside into the repaired database."""
    if not lost:
        return
    try:
        old = Folder(path, read_only=True)
    except (Damaged, JournalFormat):
        return  # its manifest is damaged: nothing tells what was in which table
    _copy_tables(old, fresh, path, lost)
    fresh.sync()


def _copy_tables(old: Folder, fresh: Folder, path: Path, lost: set[str]) -> None:
    try:
        for table in old.tables():
            if table.file in lost and (path / "db" / table.file).exists():
                family = seeds.family_of(path / "db" / table.file, old.names)
                if family is not None:
                    _copy(old, fresh, family, table.first, table.last + b"\0")
    finally:
        old.close()


def _copy(old: Folder, fresh: Folder, family: str, start: bytes, stop: bytes) -> None:
    fresh.create(family)
    handle = fresh.handle(family)
    batch: WriteBatch = fresh.batch()
    for key, value in rows(old.family(family), start, stop, pass_by):
        batch.put(key, value, handle)
        if batch.size_in_bytes() >= _BYTES_PER_WRITE:
            fresh.write(batch)
            batch = fresh.batch()
    fresh.write(batch)


def _free_name(quarantine: Path) -> Path:
    quarantine.mkdir(exist_ok=True)
    return next(name for at in count(1) if not (name := quarantine / f"db.{at}").exists())


def _forget_sound(aside: Path, lost: set[str]) -> None:
    """Of the tables that were put aside keep the damaged ones: the others are in use."""
    for table in aside.glob("*.sst"):
        if table.name not in lost:
            table.unlink()


def _sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
