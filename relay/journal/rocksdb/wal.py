"""The write-ahead logs: what RocksDB could not read of them is kept aside.

RocksDB passes by damaged records, says so in its own log, and deletes the file once it has read
it. So the files are linked before it opens them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


class LinkedLogs:
    """Hard links to the write-ahead logs of a database that is about to be opened.

    `reading_was_cut` says that an earlier opening ended before it was seen what it dropped.
    """

    def __init__(self, database: Path, quarantine: Path) -> None:
        self._database = database
        left = list(quarantine.glob("*.reading"))
        self.reading_was_cut = bool(left)
        for link in left:
            link.unlink(missing_ok=True)
        self._links = self._link(quarantine)

    def _link(self, quarantine: Path) -> Sequence[Path]:
        links = []
        for log in self._database.glob("*.log"):
            link = quarantine / f"{log.name}.reading"
            try:
                os.link(log, link)
            except OSError:  # a file system without hard links: nothing to keep aside
                continue
            links.append(link)
        return links

    def keep_damaged(self) -> int:
        """Keep the logs of which RocksDB dropped bytes on opening; returns how many."""
        info = self._database / "LOG"
        said = info.read_text(errors="replace") if info.exists() else ""
        kept = 0
        for link in self._links:
            name = link.name.removesuffix(".reading")
            if f"{name}: dropping " in said:
                kept += 1
                link.replace(link.with_name(f"{name}.{link.stat().st_mtime_ns}"))
            else:
                link.unlink(missing_ok=True)
        return kept

    def forget(self) -> None:
        """The database was not opened."""
        for link in self._links:
            link.unlink(missing_ok=True)
