"""A journal folder as a crash leaves it, ways to damage it, and what is left of it after that."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from relay.journal.protocol import End
from relay.journal.rocksdb import JournalSettings, RocksJournal
from relay.model import Counts
from tests.contract.journals import DAY, OwnClock, a_refusal, an_event, arriving, many, settle, take

LANES = ("web", "crm")


@dataclass
class Story:
    """What was put into a folder: event ids by destination, and how they ended."""

    settled: dict[str, set[str]] = field(default_factory=lambda: {lane: set() for lane in LANES})
    waiting: dict[str, set[str]] = field(default_factory=lambda: {lane: set() for lane in LANES})
    at_door: set[str] = field(default_factory=set)


@dataclass
class Left:
    """What a journal that was opened on a damaged folder had to give."""

    delivered: dict[str, set[str]]
    counts: dict[str, Counts]
    damages: int
    found: set[str]


async def write_story(path: Path, flush: Callable[[RocksJournal], None]) -> Story:
    """Three days of two destinations, some of it settled; `flush` is called in between. The folder
    is left as `kill -9` would leave it: a copy, while the journal is open."""
    story = Story()
    clock = OwnClock()
    live = path.with_name(f"{path.name}-live")
    async with RocksJournal(JournalSettings(live, min_free_bytes=1), clock) as journal:
        for day in range(3):
            for group in range(12):
                for lane in LANES:
                    name = f"{lane}-{day}-{group}"
                    await journal.append(many(5, name, lane, size=400))
                    story.waiting[lane] |= {f"{name}-{at}" for at in range(5)}
                await journal.append(
                    [arriving(a_refusal(f"bad-{day}-{group}"), f"http:bad-{day}-{group}/0"),
                     arriving(an_event("web-0-0-0"), f"http:again-{day}-{group}/0")]
                )  # fmt: skip
                story.at_door.add(f"bad-{day}-{group}")
                if group % 3 == 2:
                    taken = take(journal, 7, End.OLDEST)
                    await settle(journal, taken)
                    ids = {entry.event_id for entry in taken}
                    story.waiting["web"] -= ids
                    story.settled["web"] |= ids
            flush(journal)
            clock.advance(DAY)
        shutil.copytree(live, path)
    shutil.rmtree(live)
    return story


async def drain(path: Path) -> Left:  # noqa: C901  # one story, told in order
    """Open the folder, deliver all there is, and look for everything. Time stands still, but for
    the pauses of a recovery."""
    clock = OwnClock(now=OwnClock().now() + 3 * DAY)
    damages = 0

    def count(records: int) -> None:
        nonlocal damages
        damages += records

    delivered: dict[str, set[str]] = {lane: set() for lane in LANES}
    settings = JournalSettings(path, min_free_bytes=1)
    async with RocksJournal(settings, clock, on_damage=count) as journal:
        for lane in LANES:
            for _ in range(100):
                entries = take(journal, 1000, End.OLDEST, lane)
                ids = {entry.event_id for entry in entries}
                assert not ids & delivered[lane], "an entry was handed out twice"
                delivered[lane] |= ids
                if entries:
                    await settle(journal, entries, destination=lane)
                elif journal.healthy and not journal.waiting(lane).entries:
                    break
                clock.advance(1)
                await asyncio.sleep(0.001)
        counts = dict(journal.counts())
        found = set()
        for lane in LANES:
            for event_id in delivered[lane]:
                if any(trace.outcome for trace in await journal.find(event_id)):
                    found.add(event_id)
    return Left(delivered, counts, damages, found)
