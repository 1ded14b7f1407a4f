"""Every implementation of a journal, opened the same way."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from relay.journal.rocksdb import JournalSettings, RocksJournal
from tests.contract.distributed import PatientJournal
from tests.contract.journals import Journal, OpenJournal, OwnClock

#: Makes a place where nothing is stored yet; the clock is that of the journals opened there.
NewStorage = Callable[[OwnClock], OpenJournal]

#: So many random stories each kind of journal lives through.
EXAMPLES = {"rocksdb": 30, "distributed": 4}


@pytest.fixture
def clock() -> OwnClock:
    return OwnClock()


@pytest.fixture(
    params=[
        "rocksdb",
        pytest.param(
            "distributed", marks=[pytest.mark.needs("kafka"), pytest.mark.needs("postgres")]
        ),
    ]
)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def examples(kind: str) -> int:
    return EXAMPLES[kind]


@pytest.fixture
def new_storage(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> NewStorage:
    numbers = itertools.count()
    if kind == "distributed":
        kafka = request.getfixturevalue("kafka_server")
        postgres = request.getfixturevalue("postgres_server")
        unique = request.getfixturevalue("unique")

    def folder(clock: OwnClock) -> OpenJournal:
        path = tmp_path / f"journal-{next(numbers)}"

        async def opened(**settings: Any) -> Journal:
            return RocksJournal(JournalSettings(path, min_free_bytes=1, **settings), clock)

        return opened

    def servers(clock: OwnClock) -> OpenJournal:
        dsn = postgres.create_database()
        prefix = f"{unique}-{next(numbers)}"

        async def opened(**settings: Any) -> Journal:
            journal = PatientJournal(kafka.brokers, dsn, prefix, clock, **settings)
            await journal.open()
            await journal.until_caught_up()
            return journal

        return opened

    return servers if kind == "distributed" else folder


@pytest.fixture
async def open_journal(new_storage: NewStorage, clock: OwnClock) -> AsyncIterator[OpenJournal]:
    opened: list[Journal] = []
    storage = new_storage(clock)

    async def open_and_note(**settings: Any) -> Journal:
        opened.append(await storage(**settings))
        return opened[-1]

    yield open_and_note
    for journal in opened:
        await journal.close()
