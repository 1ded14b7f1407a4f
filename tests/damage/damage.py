"""A journal folder as a crash leaves it, and what is left of it after damage."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from relay.journal.protocol import End
from relay.journal.rocksdb import JournalSettings, RocksJournal
from relay.model import Counts
from tests.contract.journals import DAY, OwnClock, a_refusal, an_event, arriving, many, settle, take

LANES = ("web", "crm")
DAYS, GROUPS, GROUP = 3, 12, 5

#: What a recovery does in its threads is over by then, on a busy machine, too.
_ENOUGH_S = 20


@dataclass
class Story:
    """What was put into a folder: event ids by destination, and how they ended."""

    path: Path
    settled: dict[str, set[str]] = field(default_factory=lambda: {lane: set() for lane in LANES})
    waiting: dict[str, set[str]] = field(default_factory=lambda: {lane: set() for lane in LANES})

    def copy(self, to: Path) -> Path:
        return Path(shutil.copytree(self.path, to))


@dataclass
class Left:
    """What a journal that was opened on a damaged folder had to give. `damages` is what it said
    on opening, `damaged` what it said altogether."""

    delivered: dict[str, set[str]]
    counts: dict[str, Counts]
    damages: int
    damaged: int
    unfound: set[str]

    def lost(self, story: Story) -> set[str]:
        return {each for lane in LANES for each in story.waiting[lane] - self.delivered[lane]}

    def again(self, story: Story) -> set[str]:
        """What is delivered although it was settled."""
        return {each for lane in LANES for each in self.delivered[lane] & story.settled[lane]}


async def write_story(path: Path, flush: Callable[[RocksJournal], None]) -> Story:
    """Three days of two destinations, some of it settled; `flush` is called each evening. The
    folder is left as `kill -9` would leave it: copied while the journal is open."""
    story = Story(path)
    clock = OwnClock()
    live = path.with_name(f"{path.name}-live")
    async with RocksJournal(JournalSettings(live, min_free_bytes=1), clock) as journal:
        for day in range(DAYS):
            for group in range(GROUPS):
                for lane in LANES:
                    name = f"{lane}-{day}-{group:02}"
                    await journal.append(many(GROUP, name, lane, size=400))
                    story.waiting[lane] |= {f"{name}-{at}" for at in range(GROUP)}
                await journal.append(
                    [arriving(a_refusal(f"bad-{day}-{group}"), f"http:bad-{day}-{group}/0"),
                     arriving(an_event("web-0-00-0"), f"http:again-{day}-{group}/0")]
                )  # fmt: skip
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


def to_tables(journal: RocksJournal) -> None:
    """Write everything into table files."""
    folder = journal._store.folder
    for name in sorted(folder.names):
        folder.family(name).flush()


async def drain(path: Path) -> Left:
    """Open the folder, deliver all there is, and look for it. Time stands still, but for the
    pauses of a recovery."""
    clock = OwnClock(now=OwnClock().now() + DAYS * DAY)
    told: list[int] = []
    delivered: dict[str, set[str]] = {lane: set() for lane in LANES}
    settings = JournalSettings(path, min_free_bytes=1)
    async with RocksJournal(settings, clock, on_damage=told.append) as journal:
        damages = sum(told)
        for lane in LANES:
            until = time.monotonic() + _ENOUGH_S
            while time.monotonic() < until:
                entries = take(journal, 1000, End.OLDEST, lane)
                ids = {entry.event_id for entry in entries}
                assert not ids & delivered[lane], "an entry was handed out twice"
                delivered[lane] |= ids
                if entries:
                    await settle(journal, entries, destination=lane)
                elif journal.healthy and not journal.waiting(lane).entries:
                    break
                clock.advance(1)
                await asyncio.sleep(0.001)  # a lost entry's claims are looked for in a thread
        counts = dict(journal.counts())
        unfound = {
            event_id
            for lane in LANES
            for event_id in sorted(delivered[lane])[::7]
            if not any(trace.outcome for trace in await journal.find(event_id))
        }
    return Left(delivered, counts, damages, sum(told), unfound)
