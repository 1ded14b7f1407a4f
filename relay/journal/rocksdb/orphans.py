"""Tables that RocksDB deleted when it opened the database: may they be gone?

It deletes what its manifest does not name. After a crash that is right: such a table was on its
way to be named, and its rows are in the write-ahead log or in other tables; or it was replaced by
others. Where the end of the manifest is lost it is wrong, and nothing else tells.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from rocksdict import Cache, Rdict

from relay.journal.rocksdb.folder import LOG, Folder
from relay.journal.rocksdb.options import CACHE_BYTES, database_options, family_options
from relay.journal.rocksdb.scan import pass_by, rows
from relay.journal.rocksdb.trouble import reachable, translating

_WORKPLACE = "orphans"


def hold_lost_rows(folder: Folder, tables: Sequence[Path]) -> bool:
    """Is there a row of a log in these tables that the folder does not have?

    Rows of logs are never deleted but with their day, so one that is missing is lost.
    """
    if not tables:
        return False
    place = folder.path / _WORKPLACE
    shutil.rmtree(place, ignore_errors=True)
    try:
        with reachable():
            place.mkdir()
            for number, table in enumerate(tables, 1):
                os.link(table, place / f"{number:06}.sst")
        return any(
            name in folder.names and folder.get(name, key) is None for name, key in _rows(place)
        )
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _rows(place: Path) -> Iterator[tuple[str, bytes]]:
    """Family and key of every row of a log."""
    cache = Cache(CACHE_BYTES)
    options = database_options(cache)
    translating(lambda: Rdict.repair(str(place), options))
    names = [name for name in Rdict.list_cf(str(place)) if name != "default"]
    families = {name: family_options(name, cache) for name in names}
    database = translating(lambda: Rdict(str(place), options, families))
    try:
        for name in names:
            if not name.startswith(LOG):
                continue
            family = database.get_column_family(name)
            # Attempts, door records and chunks; fingerprints are deleted where they are folded.
            for key, _ in rows(family, b"a", b"f", pass_by):
                yield name, key
            family.close()
    finally:
        database.close()
