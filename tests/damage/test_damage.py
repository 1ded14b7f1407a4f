"""Damage on disk: opening ends, costs what is damaged and no more, and is told."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from relay.errors import JournalUnavailable
from relay.journal import layout
from relay.journal.protocol import End
from relay.journal.rocksdb import JournalSettings, RocksJournal
from relay.journal.rocksdb.folder import LOG, META, Folder
from relay.journal.rocksdb.mend import mend
from relay.journal.rocksdb.scan import rows
from relay.journal.rocksdb.verify import verify
from tests.contract.journals import OwnClock, an_event, arriving, many, settle, take, until
from tests.damage.damage import (
    DAYS,
    GROUP,
    GROUPS,
    Left,
    Story,
    drain,
    to_tables,
    write_story,
)

#: A block of the write-ahead log has 32 kB: so many entries of the story.
LOG_BLOCK = 75
#: A block of a table has 16 kB.
TABLE_BLOCK = 40


@pytest.fixture(scope="module")
def in_log(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Nearly everything is in the write-ahead log still."""
    path = tmp_path_factory.mktemp("damage") / "log"
    return asyncio.run(write_story(path, lambda journal: None))


@pytest.fixture(scope="module")
def in_tables(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Everything is in table files."""
    path = tmp_path_factory.mktemp("damage") / "tables"
    return asyncio.run(write_story(path, to_tables))


def files(path: Path, pattern: str) -> list[Path]:
    return sorted(file for file in (path / "db").glob(pattern) if file.stat().st_size)


def largest(path: Path, pattern: str) -> Path:
    return max(files(path, pattern), key=lambda file: file.stat().st_size)


def flip(file: Path, offset: int, bit: int = 0) -> None:
    content = bytearray(file.read_bytes())
    content[offset] ^= 1 << bit
    file.write_bytes(content)


def blank(file: Path, offset: int) -> None:
    """A sector of zeros."""
    content = bytearray(file.read_bytes())
    start = offset // 512 * 512
    content[start : start + 512] = bytes(len(content[start : start + 512]))
    file.write_bytes(content)


def assert_accounted(left: Left, story: Story) -> None:
    """Whatever was lost: every entry has one outcome, and what was lost was told."""
    assert all(counts.gap == 0 and counts.waiting == 0 for counts in left.counts.values())
    assert left.unfound == set()
    assert left.damaged > 0 or not left.lost(story)


def spots(seed: str, file: Path, count: int) -> Iterator[tuple[int, int]]:
    chance = random.Random(seed)
    for _ in range(count):
        yield chance.randrange(file.stat().st_size), chance.randrange(8)


async def test_an_undamaged_folder_is_opened_without_a_word(
    in_log: Story, in_tables: Story, tmp_path: Path
) -> None:
    for story in (in_log, in_tables):
        path = story.copy(tmp_path / story.path.name)
        assert verify(path).findings == ()

        left = await drain(path)

        assert (left.lost(story), left.again(story), left.damaged) == (set(), set(), 0)
        assert_accounted(left, story)
        accepted = GROUPS * DAYS * GROUP
        assert left.counts["crm"].accepted == accepted
        assert left.counts["web"].accepted == accepted + 2 * GROUPS * DAYS
        assert list((path / "quarantine").iterdir()) == []


async def test_a_flipped_bit_in_the_write_ahead_log_costs_its_block(
    in_log: Story, tmp_path: Path
) -> None:
    for number, (offset, bit) in enumerate(spots("log", largest(in_log.path, "*.log"), 12)):
        path = in_log.copy(tmp_path / f"{number}")
        flip(largest(path, "*.log"), offset, bit)

        left = await drain(path)

        assert len(left.lost(in_log)) <= LOG_BLOCK, offset
        assert left.damages >= 1, offset
        assert_accounted(left, in_log)
        assert any(found.place == "quarantine" for found in verify(path).findings)


async def test_a_log_that_is_cut_off_costs_what_came_behind_and_nothing_else(
    in_log: Story, tmp_path: Path
) -> None:
    last = files(in_log.path, "*.log")[-1].name
    size = (in_log.path / "db" / last).stat().st_size
    for cut in range(0, size, size // 12 + 1):
        path = in_log.copy(tmp_path / f"{cut}")
        os.truncate(path / "db" / last, cut)

        left = await drain(path)

        assert all(counts.gap == 0 and counts.waiting == 0 for counts in left.counts.values())
        for lane, waited in in_log.waiting.items():
            kept = sorted(waited & left.delivered[lane])
            assert kept == sorted(waited)[: len(kept)], cut


async def test_a_flipped_bit_in_the_data_of_a_table_costs_its_block(
    in_tables: Story, tmp_path: Path
) -> None:
    table = largest(in_tables.path, "*.sst")
    for number, at in enumerate(range(5)):
        path = in_tables.copy(tmp_path / f"{number}")
        flip(path / "db" / table.name, 200 + 700 * at)
        assert any("damaged" in found.problem for found in verify(path).findings)

        left = await drain(path)

        assert len(left.lost(in_tables)) <= TABLE_BLOCK
        assert left.again(in_tables) == set()
        assert_accounted(left, in_tables)


@pytest.mark.parametrize("damage", [flip, blank])
async def test_no_damage_of_a_table_keeps_the_journal_from_opening(
    in_tables: Story, tmp_path: Path, damage: Callable[[Path, int], None]
) -> None:
    chance = random.Random(damage.__name__)
    tables = files(in_tables.path, "*.sst")
    for number in range(16):
        path = in_tables.copy(tmp_path / f"{number}")
        table = path / "db" / chance.choice(tables).name
        damage(table, chance.randrange(table.stat().st_size))

        left = await drain(path)

        # Without its index a table cannot be read at all: that is a day of both destinations.
        assert len(left.lost(in_tables)) <= 2 * GROUPS * GROUP
        assert_accounted(left, in_tables)


@pytest.mark.parametrize("pattern", ["MANIFEST*", "CURRENT", "rocksdict-config.json", "*.sst"])
@pytest.mark.parametrize("damage", ["flipped", "gone", "empty", "cut"])
async def test_what_can_be_told_from_elsewhere_costs_nothing(
    in_log: Story, tmp_path: Path, pattern: str, damage: str
) -> None:
    """Here the tables hold no events: they say which family is which."""
    chance = random.Random(f"{pattern} {damage}")
    for number in range(3):
        path = in_log.copy(tmp_path / f"{number}")
        file = chance.choice(files(path, pattern))
        if damage == "flipped":
            flip(file, chance.randrange(file.stat().st_size))
        elif damage == "gone":
            file.unlink()
        else:
            os.truncate(file, 0 if damage == "empty" else file.stat().st_size // 2)

        left = await drain(path)

        assert (left.lost(in_log), left.again(in_log)) == (set(), set()), file
        assert_accounted(left, in_log)


@pytest.mark.parametrize("cut", [0.2, 0.4, 0.6, 0.8])
async def test_tables_that_a_cut_manifest_does_not_name_are_not_lost(
    in_tables: Story, tmp_path: Path, cut: float
) -> None:
    path = in_tables.copy(tmp_path / "journal")
    (manifest,) = files(path, "MANIFEST*")
    os.truncate(manifest, int(manifest.stat().st_size * cut))

    left = await drain(path)

    assert (left.lost(in_tables), left.again(in_tables)) == (set(), set())
    assert left.damages >= 1
    assert_accounted(left, in_tables)


async def test_a_folder_that_was_mended_is_sound_and_keeps_what_was_damaged(
    in_tables: Story, tmp_path: Path
) -> None:
    path = in_tables.copy(tmp_path / "journal")
    table = largest(path, "*.sst")
    damaged = table.name
    os.truncate(table, table.stat().st_size // 2)
    await drain(path)

    again = await drain(path)

    assert again.damaged == 0
    (finding,) = verify(path).findings
    assert finding.place == "quarantine"
    (aside,) = (path / "quarantine").iterdir()
    assert [file.name for file in aside.glob("*.sst")] == [damaged]
    assert not (path / "rebuild").exists()


@pytest.mark.parametrize("step", ["while linking", "complete", "old one moved"])
async def test_a_mend_that_was_interrupted_is_finished(
    in_tables: Story, tmp_path: Path, step: str
) -> None:
    """A second crash, in the middle of it."""
    path = in_tables.copy(tmp_path / "journal")
    whole = in_tables.copy(tmp_path / "whole")
    mend(whole)
    os.truncate(largest(path, "*.sst"), 100)
    if step == "while linking":
        shutil.copytree(whole / "db", path / "mending" / "db")
        shutil.rmtree(path / "db")
        shutil.copytree(in_tables.path / "db", path / "db")
    else:
        shutil.copytree(whole / "db", path / "db.mended")
        (path / "rebuild").touch()
    if step == "old one moved":
        (path / "db").rename(path / "quarantine" / "db.1")

    left = await drain(path)

    assert (left.lost(in_tables), left.again(in_tables)) == (set(), set())
    assert not (path / "mending").exists()
    assert not (path / "db.mended").exists()


@pytest.mark.parametrize("missing", [b"c", b"s", b"d", b"lanes", b""])
async def test_the_account_is_made_anew_from_the_logs(
    in_tables: Story, tmp_path: Path, missing: bytes
) -> None:
    """Rows of the account are lost; the last case loses all of them."""
    path = in_tables.copy(tmp_path / "journal")
    folder = Folder(path)
    batch = folder.batch()
    for key, _ in rows(folder.family(META), layout.FIRST, layout.BEHIND_ALL):
        if key.startswith(missing):
            batch.delete(key, folder.handle(META))
    folder.write(batch)
    folder.sync()
    folder.close()

    left = await drain(path)

    assert (left.lost(in_tables), left.again(in_tables)) == (set(), set())
    assert left.damages >= 1
    assert_accounted(left, in_tables)


async def test_an_opening_that_was_cut_short_is_not_trusted(in_log: Story, tmp_path: Path) -> None:
    path = in_log.copy(tmp_path / "journal")
    (path / "quarantine" / "000001.log.reading").write_bytes(b"")

    left = await drain(path)

    assert (left.lost(in_log), left.damaged) == (set(), 0)
    assert list((path / "quarantine").iterdir()) == []


async def test_a_damage_that_compaction_meets_is_mended_while_the_journal_runs(
    tmp_path: Path,
) -> None:
    clock = OwnClock()
    told: list[int] = []
    failures: list[Exception] = []
    path = tmp_path / "journal"
    async with RocksJournal(
        JournalSettings(path, min_free_bytes=1),
        clock,
        on_damage=told.append,
        on_failure=failures.append,
    ) as journal:
        sent = await three_tables(journal)
        flip(largest(path, "*.sst"), 2000)
        journal._store.folder.family(LOG + journal._store.state.today).compact_range(None, None)

        with pytest.raises(JournalUnavailable):
            await journal.append(many(1, "refused"))
        await until(lambda: journal.healthy, clock)
        await journal.append(many(1, "after"))
        taken = take(journal, 10_000)
        await settle(journal, taken)
        await until(lambda: journal.counts()["web"].waiting == 0)

        assert "Corruption" in str(failures[0])
        assert sum(told) > 0
        left = {entry.event_id for entry in taken}
        assert len(sent - left) == 100  # the chunk, and no other
        assert "after-0" in left
        assert journal.counts()["web"].gap == 0
    assert list((path / "quarantine").glob("db.*"))


async def three_tables(journal: RocksJournal) -> set[str]:
    """300 entries in three tables that compaction has to merge; returns their event ids."""
    for group in range(3):
        await journal.append(many(100, f"g{group}", size=500))
        to_tables(journal)
    return {f"g{group}-{at}" for group in range(3) for at in range(100)}


async def test_the_claims_of_lost_entries_are_free_again(tmp_path: Path) -> None:
    settings = JournalSettings(tmp_path / "journal", min_free_bytes=1)
    async with RocksJournal(settings, OwnClock()) as journal:
        for group in range(3):
            await journal.append(many(2, f"g{group}"))
        key = layout.row_key(b"e", 0, 2)
        journal._store.folder.family(LOG + journal._store.state.today).delete(key)
        journal._store.memory.forget()

        taken = [entry.event_id for entry in take(journal)]
        await until(lambda: journal.counts()["web"].settled == 2)

        assert taken == ["g0-0", "g0-1", "g2-0", "g2-1"]
        answers = await journal.append([*many(2, "g1"), arriving(an_event("g0-0"), "http:x/0")])
        assert [answer.outcome for answer in answers] == [None, None, "duplicate"]
        assert [entry.event_id for entry in take(journal)] == ["g1-0", "g1-1"]
        assert journal.waiting("web").size_bytes > 0
        assert list(take(journal, end=End.NEWEST)) == []
