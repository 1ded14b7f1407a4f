"""One RocksDB in one folder: opening, column families, writing, syncing, and noticing harm."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

from rocksdict import AccessType, Cache, ColumnFamily, Rdict, WriteBatch

from relay.errors import JournalFormat, JournalUnavailable
from relay.journal import layout
from relay.journal.rocksdb import seeds
from relay.journal.rocksdb.links import Links
from relay.journal.rocksdb.options import CACHE_BYTES, CLAIMS, database_options, family_options
from relay.journal.rocksdb.place import Place
from relay.journal.rocksdb.trouble import Damaged, opening, reachable, translating

__all__ = [
    "CLAIMS",
    "DEAD",
    "ISSUES",
    "LEDGER",
    "LOG",
    "META",
    "NOTES",
    "SAMPLES",
    "Folder",
]

META, LEDGER, DEAD = "meta", "ledger", "dead"
ISSUES, SAMPLES, NOTES = "issues", "samples", "notes"
LOG = "log-"

_DATA = (".sst", ".log")
_ALWAYS = frozenset({META, LEDGER, DEAD, ISSUES, SAMPLES, NOTES})


class Table(NamedTuple):
    """A table file, and the keys it spans."""

    file: str
    first: bytes
    last: bytes


class Folder:
    """The database below `path`: `db/` is RocksDB's, `quarantine/` holds what was damaged.

    Opening raises `JournalFormat` when another version wrote it, `Damaged` when RocksDB cannot
    open it, else `JournalUnavailable`. With `create=False` a database that is not there is an
    error as well. Every method that reads or writes raises `Damaged` or `JournalUnavailable`.
    """

    def __init__(
        self, path: Path, *, read_only: bool = False, create: bool = True, min_free_bytes: int = 0
    ) -> None:
        self.path = path
        self.dropped = 0
        self._links: Links | None = None
        self._place: Place | None = None
        self._database = path / "db"
        self._min_free_bytes = min_free_bytes
        self._cache = Cache(CACHE_BYTES)
        self._families: dict[str, Rdict] = {}
        self._handles: dict[str, ColumnFamily] = {}
        self._db: Rdict | None = None
        self.names: set[str] = set()
        if read_only:
            self._open_to_read()
        else:
            self._open(create=create)
        try:
            self._check_format(read_only=read_only)
        except BaseException:
            self.close()
            raise

    # --- opening ----------------------------------------------------------------------------------

    def _open_to_read(self) -> None:
        options = database_options(self._cache, read_only=True)
        self.names = set(self._existing())
        families = {name: family_options(name, self._cache) for name in self.names}
        access = AccessType.read_only()
        self._db = opening(
            lambda: Rdict(str(self._database), options, families, access_type=access)
        )

    def _open(self, *, create: bool) -> None:
        try:
            with reachable():
                self._prepare(create=create)
                self._links = Links(self._database, self.path / "quarantine")
                existing = self._existing()
                seeds.check(self.path, existing)
                self.names = {*_ALWAYS, *existing}
                options = database_options(self._cache, create=create)
                families = {name: family_options(name, self._cache) for name in self.names}
                self._db = opening(lambda: Rdict(str(self._database), options, families))
                for name in sorted(self.names):
                    self._mark(name)
                self._place = Place(self._database, self._min_free_bytes)
                self.dropped = self._links.keep_damaged_logs()
        except BaseException:
            self.close()
            raise

    def _prepare(self, *, create: bool) -> None:
        names = [file.name for file in self._database.glob("*")]
        if "CURRENT" not in names:
            # RocksDB would begin anew, and delete what it does not know.
            if any(name.startswith("MANIFEST") or name.endswith(_DATA) for name in names):
                raise Damaged("the journal is damaged: its file CURRENT is missing")
            if not create:
                raise JournalUnavailable("the journal folder is gone")
        self._database.mkdir(parents=True, exist_ok=True)
        (self.path / "quarantine").mkdir(exist_ok=True)

    def _existing(self) -> list[str]:
        if not (self._database / "CURRENT").exists():
            return []
        names = opening(lambda: Rdict.list_cf(str(self._database)))
        return [name for name in names if name != "default"]

    def _check_format(self, *, read_only: bool) -> None:
        if META not in self.names:
            raise JournalFormat(f"{self.path} holds no journal")
        try:
            found = self.get(META, b"format")
        except Damaged:
            return  # `rebuild` writes it anew
        if found is None and not read_only:
            batch = self.batch()
            batch.put(b"format", layout.FORMAT, self.handle(META))
            self.write(batch)
            self.sync()
        elif found is not None and found != layout.FORMAT:
            raise JournalFormat(f"{self.path} has journal format {found.decode(errors='replace')}")

    # --- what was left out on opening -------------------------------------------------------------

    @property
    def reading_was_cut(self) -> bool:
        """Did an earlier opening end before it was seen what it left out?"""
        return self._links is not None and self._links.reading_was_cut

    @property
    def gone_tables(self) -> list[Path]:
        """Tables that RocksDB deleted on opening, as long as they are linked."""
        return [] if self._links is None else self._links.gone_tables

    def close_and_restore(self) -> None:
        """Close, and put back the tables that are gone."""
        self._close()
        if self._links is not None:
            self._links.restore_tables()
        self.close()

    # --- column families --------------------------------------------------------------------------

    @property
    def _open_db(self) -> Rdict:
        if self._db is None:
            raise JournalUnavailable("the journal folder is closed")
        return self._db

    def family(self, name: str) -> Rdict:
        found = self._families.get(name)
        if found is None:
            found = self._families[name] = translating(
                lambda: self._open_db.get_column_family(name)
            )
        return found

    def handle(self, name: str) -> ColumnFamily:
        found = self._handles.get(name)
        if found is None:
            found = translating(lambda: self._open_db.get_column_family_handle(name))
            self._handles[name] = found
        return found

    def create(self, name: str) -> None:
        """Make the family if it is missing."""
        if name not in self.names:
            options = family_options(name, self._cache)
            translating(lambda: self._open_db.create_column_family(name, options))
            self.names.add(name)
            self._mark(name)

    def _mark(self, name: str) -> None:
        """Give the family a table file of its own, once, and keep a copy: see `seeds`."""
        if seeds.has(self.path, name):
            return
        family = self.family(name)

        def mark() -> None:
            family.put(layout.MARKER, b"")
            family.flush()

        translating(mark)
        marked = (layout.MARKER, layout.MARKER)
        tables = [table.file for table in self.tables() if (table.first, table.last) == marked]
        with reachable():
            seeds.keep(self.path, name, [self._database / table for table in tables])

    def drop(self, name: str) -> None:
        family = self._families.pop(name, None)
        self._handles.pop(name, None)
        if family is not None:
            family.close()
        self.names.discard(name)
        with reachable():
            seeds.drop(self.path, name)  # first: a seed without its family would be damage
        translating(lambda: self._open_db.drop_column_family(name))

    def days(self, kind: str) -> list[str]:
        """Days (`YYYYMMDD`) that have a family of this kind, oldest first."""
        return sorted(
            [name.removeprefix(kind) for name in list(self.names) if name.startswith(kind)]
        )

    # --- reading ----------------------------------------------------------------------------------

    def get(self, name: str, key: bytes) -> bytes | None:
        family = self.family(name)
        return cast("bytes | None", translating(lambda: family.get(key)))

    def get_many(self, name: str, keys: list[bytes]) -> list[bytes | None]:
        family = self.family(name)
        # rocksdict types its key lists invariantly, and its answer as Any | None.
        found: Any = translating(lambda: family.get(cast("list[Any]", keys)))
        return cast("list[bytes | None]", found)

    def tables(self) -> list[Table]:
        """All table files of the database."""
        return [
            Table(file["name"].removeprefix("/"), file["start_key"], file["end_key"])
            for file in translating(self._open_db.live_files)
        ]

    def check_tables(self) -> None:
        """Raise `Damaged` when table files are missing: RocksDB opens most of them late."""
        missing = {each.file for each in self.tables() if not (self._database / each.file).exists()}
        missing &= {each.file for each in self.tables()}  # some are being replaced, maybe
        if missing:
            raise Damaged(f"the journal is damaged: {', '.join(sorted(missing))} are missing")

    # --- writing ----------------------------------------------------------------------------------

    @staticmethod
    def batch() -> WriteBatch:
        return WriteBatch(raw_mode=True)

    def write(self, batch: WriteBatch) -> None:
        """Write atomically, not yet durable: that is `sync`."""
        translating(lambda: self._open_db.write(batch))

    def sync(self) -> None:
        """Make everything written durable. Blocks in the kernel, without the GIL."""
        translating(lambda: self._open_db.flush_wal(True))

    def delete_before(self, name: str, key: bytes) -> None:
        """Delete all rows of the family below `key`, if there are any."""
        family = self.family(name)

        def delete() -> None:
            iterator = family.iter()
            iterator.seek(layout.FIRST)
            if not iterator.valid() or iterator.key() < key:
                family.delete_range(layout.FIRST, key)

        translating(delete)

    def check(self) -> None:
        """Raise `JournalUnavailable` when storing is not possible, see `Place.check`."""
        if self._place is None:
            raise JournalUnavailable("the journal folder is not open for writing")
        self._place.check()

    def close(self) -> None:
        """Let go of the database; asking twice does no harm."""
        self._close()
        self.unlink()

    def unlink(self) -> None:
        """Nothing that was left out on opening is missed."""
        links, self._links = self._links, None
        if links is not None:
            links.drop()

    def _close(self) -> None:
        database, self._db = self._db, None
        families, self._families = self._families, {}
        self._handles = {}
        for opened in (*families.values(), *([] if database is None else [database])):
            with suppress(Exception):  # whatever is wrong was said when it was written
                opened.close()
