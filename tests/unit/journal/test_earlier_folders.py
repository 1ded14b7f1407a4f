"""A folder that an earlier release made: read beside it, and gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rocksdict import Options, Rdict

from relay.clock import SystemClock
from relay.journal import layout
from relay.journal.ledger import Sums
from relay.journal.rocksdb import JournalSettings, RocksJournal
from relay.journal.rocksdb.folder import Folder
from relay.journal.rocksdb.search import Search
from relay.journal.rocksdb.state import State
from relay.journal.rocksdb.verify import verify

EVER = (0, 2**32 - 1)
ROW = b'{"delivered":{"n":2,"value":{"EUR":"1.50"},"keys":{"email":2}}}'


def make_folder(path: Path) -> None:
    """With the families and rows that the first release knew."""
    options = Options(raw_mode=True)
    options.create_missing_column_families(True)
    families = {name: Options(raw_mode=True) for name in ("meta", "ledger", "dead")}
    (path / "db").mkdir(parents=True)
    database = Rdict(str(path / "db"), options, families)
    meta, ledger = database.get_column_family("meta"), database.get_column_family("ledger")
    meta[b"format"], meta[b"lanes"] = layout.FORMAT, b'{"web":0}'
    ledger[layout.ledger_key(7, 0, "Purchase")] = ROW
    for opened in (meta, ledger, database):
        opened.close()


def test_it_can_be_read_as_it_is(tmp_path: Path) -> None:
    make_folder(tmp_path)
    folder = Folder(tmp_path, read_only=True)
    books = Search(State(folder)).books

    (row,) = books.sums(None, *EVER)
    others: list[Any] = [*books.issues(None, *EVER), *books.samples(None, *EVER), *books.notes("")]
    folder.close()

    assert (row.hour, row.destination, row.event) == (7, "web", "Purchase")
    assert row.sums.count == 2
    assert row.sums.tests == row.sums.worthless == 0
    assert others == []


async def test_it_is_gone_on_with(tmp_path: Path) -> None:
    make_folder(tmp_path)
    async with RocksJournal(JournalSettings(tmp_path, min_free_bytes=1), SystemClock()) as journal:
        await journal.put_note("audit", b"kept")
        sums = [row.sums async for row in journal.sums(None, *EVER)]

        assert [each async for each in journal.notes("")] == [("audit", b"kept")]
    assert [(each.count, each.reasons) for each in sums] == [(2, {})]
    assert isinstance(sums[0], Sums)
    assert verify(tmp_path).findings == ()


def test_rows_that_are_none_are_found(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for name, key in (
        ("issues", layout.ledger_key(7, 0, "Purchase")),
        ("samples", layout.sample_key(7, 0, 1)),
    ):
        folder.family(name)[key] = b"[]"
    folder.sync()
    folder.close()

    found = verify(tmp_path).findings

    assert [each.place for each in found] == ["issues", "samples"]
