"""Damage costs what it hit, is counted and kept aside, and never ends in a crash loop.

A folder as `kill -9` leaves it is damaged in one place: a flipped bit, a file cut short, a page of
zeros, a file that is gone. Then a journal is opened on it and everything is delivered.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from relay.journal.rocksdb import RocksJournal
from relay.journal.rocksdb.verify import verify
from tests.unit.journal.damage import LANES, Story, drain, write_story

SEED = 20_261_123
#: Files of RocksDB that carry no rows, or are rewritten at every opening.
IDLE = ("LOCK", "LOG", "IDENTITY", "OPTIONS")


def keep_in_the_log(journal: RocksJournal) -> None:
    """Leave the rows in the write-ahead log."""


def write_out(journal: RocksJournal) -> None:
    """Have the rows written to table files."""
    folder = journal._store.folder
    for name in sorted(folder.names):
        folder.family(name).flush()


@pytest.fixture(scope="module", params=[keep_in_the_log, write_out], ids=["log", "tables"])
def folder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Story]:
    """A folder that holds the same story, either in its log or in its tables."""
    flush: Callable[[RocksJournal], None] = request.param
    path = tmp_path_factory.mktemp("damage") / "journal"
    return path, asyncio.run(write_story(path, flush))


def flip(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 1 << (at % 8)
    file.write_bytes(data)


def cut(file: Path, at: int) -> None:
    os.truncate(file, at)


def blank(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    start = at - at % 4096
    data[start : start + 4096] = bytes(len(data[start : start + 4096]))
    file.write_bytes(data)


def remove(file: Path, at: int) -> None:
    file.unlink()


@pytest.mark.parametrize("number", range(12))
@pytest.mark.parametrize("harm", [flip, cut, blank, remove])
async def test_what_is_not_hit_is_delivered_and_found(
    harm: Callable[[Path, int], None], number: int, folder: tuple[Path, Story], tmp_path: Path
) -> None:
    source, story = folder
    damaged = tmp_path / "journal"
    shutil.copytree(source, damaged)
    chance = random.Random(SEED + number)
    files = sorted(
        path for path in (damaged / "db").iterdir()
        if path.is_file() and path.stat().st_size and not path.name.startswith(IDLE)
    )  # fmt: skip
    file = chance.choice(files)
    harm(file, chance.randrange(file.stat().st_size))

    verify(damaged)  # reads all of it, without an error of its own
    left = await asyncio.wait_for(drain(damaged), 30)

    for lane in LANES:
        # An entry whose settling was lost is sent again: TikTok drops repeats.
        assert left.delivered[lane] <= story.waiting[lane] | story.settled[lane]
    assert left.found >= set().union(*left.delivered.values())
    assert all(counts.gap == 0 and counts.waiting == 0 for counts in left.counts.values())
    lost = {lane: story.waiting[lane] - left.delivered[lane] for lane in LANES}
    # A log that is cut short, or gone, looks like one that ends there.
    looks_whole = file.suffix == ".log" and harm in (cut, remove)
    if any(lost.values()) and not looks_whole:
        assert left.damages > 0
