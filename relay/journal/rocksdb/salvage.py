"""Moving out of a damaged database: every readable row into a new one, the old one kept aside."""

from __future__ import annotations

from pathlib import Path

from relay.journal.rocksdb.folder import Folder, new_database
from relay.journal.rocksdb.scan import rows

_ROWS_PER_WRITE = 1000


def salvage(path: Path) -> int:
    """Copy what can be read to a new database and put it in the old one's place.

    Returns how many stretches of rows could not be read. The damaged database moves into
    `quarantine/`. Raises `JournalUnavailable` when not even reading can begin.
    """
    fresh = path / "db.salvaged"
    old = Folder(path, read_only=True)
    damages: list[bytes] = []
    try:
        new = new_database(fresh, sorted(old.names))
        for name in sorted(old.names):
            batch = old.batch()
            handle = new.get_column_family_handle(name)
            source = rows(
                old.family(name), b"", b"\xff" * 24, lambda last, found: damages.append(last)
            )
            for key, value in source:
                batch.put(key, value, handle)
                if batch.len() >= _ROWS_PER_WRITE:
                    new.write(batch)
                    batch = old.batch()
            new.write(batch)
            del handle
        new.flush_wal(True)
        new.close()
    finally:
        old.close()
    database = path / "db"
    database.rename(path / "quarantine" / f"db.{database.stat().st_mtime_ns}")
    fresh.rename(database)
    return len(damages)
