"""Hard links to a database's files while it is opened: what RocksDB leaves out is not lost.

RocksDB passes by damaged records of the write-ahead log, says so in its own log, and deletes the
file once it has read it. It deletes table files that the manifest does not name, too: rightly
after a crash, wrongly where the end of the manifest is lost.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_SUFFIX = ".reading"
_NUMBER = re.compile(r"\d+")


class Links:
    """Links to logs and tables of a database that is about to be opened.

    `reading_was_cut` says that an earlier opening ended before it was seen what it left out.
    """

    def __init__(self, database: Path, quarantine: Path) -> None:
        self._database = database
        left = list(quarantine.glob(f"*{_SUFFIX}"))
        self.reading_was_cut = bool(left)
        for link in left:
            link.unlink(missing_ok=True)
        self._logs = [self._link(file, quarantine) for file in database.glob("*.log")]
        self._tables = [self._link(file, quarantine) for file in database.glob("*.sst")]

    @staticmethod
    def _link(file: Path, quarantine: Path) -> Path:
        link = quarantine / f"{file.name}{_SUFFIX}"
        try:
            os.link(file, link)
        except OSError:  # a file system without hard links: nothing to keep
            return file
        return link

    @property
    def gone_tables(self) -> list[Path]:
        """Links to the tables that RocksDB deleted."""
        return [link for link in self._tables if link.suffix == _SUFFIX and self._is_gone(link)]

    def _is_gone(self, link: Path) -> bool:
        try:
            # Its number may be another's now.
            return not link.samefile(self._database / link.name.removesuffix(_SUFFIX))
        except FileNotFoundError:
            return True

    def restore_tables(self) -> None:
        """Put them back, under numbers of their own. The database is closed."""
        number = next_number(self._database)
        for place, link in enumerate(self.gone_tables, number):
            os.link(link, self._database / f"{place:06}.sst")

    def keep_damaged_logs(self) -> int:
        """Keep the logs of which RocksDB dropped bytes on opening; returns how many."""
        info = self._database / "LOG"
        said = info.read_text(errors="replace") if info.exists() else ""
        kept = 0
        for link in self._logs:
            name = link.name.removesuffix(_SUFFIX)
            if link.suffix == _SUFFIX and f"{name}: dropping " in said:
                kept += 1
                link.replace(link.with_name(f"{name}.{link.stat().st_mtime_ns}"))
        return kept

    def drop(self) -> None:
        """The links are of no use any more."""
        for link in (*self._logs, *self._tables):
            if link.suffix == _SUFFIX:
                link.unlink(missing_ok=True)


def next_number(database: Path) -> int:
    """A number that no file of the database has, nor any greater one."""
    found = [_NUMBER.search(file.name) for file in database.iterdir()]
    return 1 + max([int(number[0]) for number in found if number is not None], default=0)
