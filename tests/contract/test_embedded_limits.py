"""What only a journal in a folder promises: a limit of its own; topics have their brokers'."""

from __future__ import annotations

import pytest

from relay.errors import JournalFull
from relay.model import Answer
from tests.contract.journals import OpenJournal, an_event, many, settle, take

WAITS = Answer(None, None)


@pytest.fixture
def kind() -> str:
    return "rocksdb"


async def test_a_full_journal_takes_nothing_until_it_drains(open_journal: OpenJournal) -> None:
    size = len(an_event("r1-0").wire)
    journal = await open_journal(max_bytes=3 * size)
    await journal.append(many(3))

    with pytest.raises(JournalFull):
        await journal.append(many(1, "r2"))
    await settle(journal, take(journal, 1))
    assert await journal.append(many(1, "r3")) == [WAITS]
