"""One RocksDB in one folder: opening, column families, writing, syncing, and noticing harm."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    ColumnFamily,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    Rdict,
    WriteBatch,
)

from relay.errors import JournalFormat, JournalLocked, JournalUnavailable
from relay.journal import layout

META, LEDGER, DEAD = "meta", "ledger", "dead"
LOG, CLAIMS = "log-", "claims-"

_MIB = 1 << 20
#: Blocks, indexes and Bloom filters that are kept in memory; the memtables come on top.
CACHE_BYTES = 48 * _MIB
#: All memtables together; when they are full, the oldest is written out.
MEMTABLE_BYTES = 48 * _MIB
#: The write-ahead log is cut by flushing memtables when it is as long as this.
WAL_BYTES = 96 * _MIB


def _database_options(cache: Cache) -> Options:
    options = _family_options("", cache)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    options.set_max_background_jobs(2)
    options.set_db_write_buffer_size(MEMTABLE_BYTES)
    options.set_max_total_wal_size(WAL_BYTES)
    options.set_keep_log_file_num(5)
    options.set_max_log_file_size(4 * _MIB)
    options.set_stats_dump_period_sec(0)
    options.set_max_open_files(512)
    # A damaged record costs that record, not those behind it; what was dropped is in RocksDB's
    # LOG, and the file is kept aside (`Folder.quarantined`).
    options.set_wal_recovery_mode(DBRecoveryMode.skip_any_corrupted_record())
    return options


def _family_options(name: str, cache: Cache) -> Options:
    options = Options(raw_mode=True)
    table = BlockBasedOptions()
    table.set_block_cache(cache)
    table.set_cache_index_and_filter_blocks(True)
    if name.startswith(CLAIMS):
        # Claims are random keys that are mostly absent: the filter answers without a read.
        table.set_bloom_filter(10, False)
        options.set_memtable_whole_key_filtering(True)
        options.set_memtable_prefix_bloom_ratio(0.05)
        options.set_compression_type(DBCompressionType.none())
    else:
        table.set_block_size(16 * 1024)
        options.set_compression_type(DBCompressionType.lz4())
    options.set_block_based_table_factory(table)
    options.set_write_buffer_size(16 * _MIB)
    options.set_max_write_buffer_number(4)
    # Chunks arrive in key order: level 0 files do not overlap and are moved, not rewritten.
    options.set_level_zero_slowdown_writes_trigger(60)
    options.set_level_zero_stop_writes_trigger(100)
    return options


def new_database(path: Path, names: Iterable[str]) -> Rdict:
    """An empty database with these column families; what was at `path` is deleted first."""
    shutil.rmtree(path, ignore_errors=True)
    cache = Cache(CACHE_BYTES)
    families = {name: _family_options(name, cache) for name in names}
    return Rdict(str(path), _database_options(cache), column_families=families)


class Folder:
    """The database below `path`: `db/` is RocksDB's, `quarantine/` holds what was damaged.

    Raises `JournalLocked` when another process has it, `JournalFormat` when another version wrote
    it, `JournalUnavailable` when the disk does not let us.
    """

    def __init__(self, path: Path, *, read_only: bool = False, min_free_bytes: int = 0) -> None:
        self.path = path
        self._database = path / "db"
        self._min_free_bytes = min_free_bytes
        self.quarantined = 0
        if not read_only:
            self._prepare()
        self._cache = Cache(CACHE_BYTES)
        self._families: dict[str, Rdict] = {}
        self._handles: dict[str, ColumnFamily] = {}
        links = [] if read_only else self._link_logs()
        self._open(read_only=read_only)
        if not read_only:
            self._keep_damaged(links)
            self._identity = self._current_identity()
        self._check_format(read_only=read_only)

    # --- opening -----------------------------------------------------------------------------

    def _prepare(self) -> None:
        try:
            self._database.mkdir(parents=True, exist_ok=True)
            (self.path / "quarantine").mkdir(exist_ok=True)
        except OSError as error:
            raise JournalUnavailable(f"journal.path cannot be used: {error.strerror}") from error

    def _existing(self) -> list[str]:
        if not (self._database / "CURRENT").exists():
            return []
        return [name for name in Rdict.list_cf(str(self._database)) if name != "default"]

    def _open(self, *, read_only: bool) -> None:
        try:
            names = {META, LEDGER, DEAD, *self._existing()} if not read_only else self._existing()
            self.db = Rdict(
                str(self._database),
                _database_options(self._cache),
                column_families={name: _family_options(name, self._cache) for name in names},
                access_type=AccessType.read_only() if read_only else AccessType.read_write(),
            )
        except Exception as error:  # rocksdict raises bare Exception for all that RocksDB says
            raise self._translate(error) from error
        self.names = set(names)

    def _translate(self, error: Exception) -> Exception:
        text = str(error)
        if "LOCK" in text and "lock" in text:
            return JournalLocked(
                f"another relay has the journal folder {self.path} open; "
                "stop it, or set journal.path to a folder of its own"
            )
        return JournalUnavailable(f"the journal folder cannot be opened: {text[:300]}")

    def _check_format(self, *, read_only: bool) -> None:
        if META not in self.names:
            raise JournalFormat(f"{self.path} holds no journal")
        found = self.family(META).get(b"format")
        if found is None and not read_only:
            batch = self.batch()
            batch.put(b"format", layout.FORMAT, self.handle(META))
            self.write(batch)
            self.sync()
        elif found is not None and found != layout.FORMAT:
            self.close()
            raise JournalFormat(f"{self.path} has journal format {found.decode(errors='replace')}")

    # --- damage in the write-ahead log -----------------------------------------------------------

    def _link_logs(self) -> list[Path]:
        """Hard links to the write-ahead logs, which RocksDB deletes once it has read them."""
        links = []
        for log in self._database.glob("*.log"):
            link = self.path / "quarantine" / f"{log.name}.reading"
            link.unlink(missing_ok=True)
            try:
                os.link(log, link)
            except OSError:  # a file system without hard links: nothing to keep aside
                continue
            links.append(link)
        return links

    def _keep_damaged(self, links: Iterable[Path]) -> None:
        """Keep the logs of which RocksDB dropped bytes on opening; count them."""
        info = self._database / "LOG"
        dropped = info.read_text(errors="replace") if info.exists() else ""
        for link in links:
            name = link.name.removesuffix(".reading")
            if f"{name}: dropping " in dropped:
                self.quarantined += 1
                link.replace(link.with_name(f"{name}.{link.stat().st_mtime_ns}"))
            else:
                link.unlink(missing_ok=True)

    # --- column families ----------------------------------------------------------------------

    def family(self, name: str) -> Rdict:
        if name not in self._families:
            self._families[name] = self.db.get_column_family(name)
        return self._families[name]

    def handle(self, name: str) -> ColumnFamily:
        if name not in self._handles:
            self._handles[name] = self.db.get_column_family_handle(name)
        return self._handles[name]

    def create(self, name: str) -> None:
        if name not in self.names:
            self.db.create_column_family(name, _family_options(name, self._cache))
            self.names.add(name)

    def drop(self, name: str) -> None:
        family = self._families.pop(name, None)
        self._handles.pop(name, None)
        if family is not None:
            family.close()
        self.db.drop_column_family(name)
        self.names.discard(name)

    def days(self, kind: str) -> list[str]:
        """Days (`YYYYMMDD`) that have a family of this kind, oldest first."""
        return sorted(name.removeprefix(kind) for name in self.names if name.startswith(kind))

    # --- writing ----------------------------------------------------------------------------------

    @staticmethod
    def batch() -> WriteBatch:
        return WriteBatch(raw_mode=True)

    def write(self, batch: WriteBatch) -> None:
        """Write atomically, not yet durable: that is `sync`."""
        self.db.write(batch)

    def sync(self) -> None:
        """Make everything written durable. Blocks in the kernel, without the GIL."""
        self.db.flush_wal(True)

    def check(self) -> None:
        """Raise `JournalUnavailable` when writing on would be a lie or fill the disk.

        A deleted folder accepts writes and syncs to files nobody will find again, so its identity
        is compared with that at opening.
        """
        try:
            identity = self._current_identity()
            free = shutil.disk_usage(self._database).free
        except OSError as error:
            raise JournalUnavailable(f"the journal folder is gone: {error.strerror}") from error
        if identity != self._identity:
            raise JournalUnavailable("the journal folder was replaced while the relay ran")
        if free < self._min_free_bytes:
            raise JournalUnavailable(f"the disk of the journal has only {free} bytes left")

    def _current_identity(self) -> tuple[int, int]:
        (self._database / "CURRENT").stat()
        folder = self._database.stat()
        return folder.st_dev, folder.st_ino

    def close(self) -> None:
        for family in self._families.values():
            family.close()
        self._families.clear()
        self._handles.clear()
        self.db.close()
