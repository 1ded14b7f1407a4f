"""Every implementation of a journal, opened the same way."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from relay.journal.rocksdb import JournalSettings, RocksJournal
from tests.contract.journals import Journal, OpenJournal, OwnClock

#: Makes a place where nothing is stored yet; the clock is that of the journals opened there.
NewStorage = Callable[[OwnClock], OpenJournal]


@pytest.fixture
def clock() -> OwnClock:
    return OwnClock()


@pytest.fixture(params=["rocksdb"])
def new_storage(tmp_path: Path) -> NewStorage:
    numbers = itertools.count()

    def storage(clock: OwnClock) -> OpenJournal:
        path = tmp_path / f"journal-{next(numbers)}"

        def open_rocksdb(**settings: Any) -> Journal:
            return RocksJournal(JournalSettings(path, min_free_bytes=1, **settings), clock)

        return open_rocksdb

    return storage


@pytest.fixture
async def open_journal(new_storage: NewStorage, clock: OwnClock) -> AsyncIterator[OpenJournal]:
    opened: list[Journal] = []
    storage = new_storage(clock)

    def open_and_note(**settings: Any) -> Journal:
        opened.append(storage(**settings))
        return opened[-1]

    yield open_and_note
    for journal in opened:
        await journal.close()
