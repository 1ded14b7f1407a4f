"""Hard links to a database's files while it is opened: what RocksDB leaves out is not lost.

RocksDB passes by damaged records of the write-ahead log, says so in its own log, and deletes the
file once it has read it. It deletes table files that the manifest does not name, too: rightly
after a crash, wrongly where the end of the manifest is lost.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from relay.journal.rocksdb.trouble import Damaged

_SUFFIX = ".reading"
_TAIL_BYTES = 1 << 20
#: The property `rocksdb.key.largest.seqno`: the length of its last words and of its value, a
#: number of seven bits a byte.
_LARGEST = re.compile(rb"\x11(.)key\.largest\.seqno", re.DOTALL)


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

    def restore_tables(self, latest_sequence: int) -> None:
        """Raise `Damaged` when tables are gone that hold newer rows than the database knows; they
        are put back before."""
        restored = 0
        for link in self._tables:
            table = self._database / link.name.removesuffix(_SUFFIX)
            if link != table and not table.exists() and _newest_in(link) > latest_sequence:
                os.link(link, table)
                restored += 1
        if restored:
            raise Damaged(f"the journal is damaged: its manifest lacks {restored} tables")

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


def _newest_in(table: Path) -> int:
    """The sequence number of the newest row in a table file; 0 where it does not say."""
    with table.open("rb") as opened:
        opened.seek(max(0, table.stat().st_size - _TAIL_BYTES))
        tail = opened.read()
    found = _LARGEST.search(tail)
    if found is None:
        return 0
    value = tail[found.end() : found.end() + found[1][0]]
    return sum((byte & 127) << (7 * at) for at, byte in enumerate(value))
