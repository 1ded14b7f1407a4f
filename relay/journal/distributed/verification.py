"""Are topics and tables of one mind? `relay journal verify`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from relay.journal.distributed.browser import Browser
from relay.journal.distributed.progress import Progress, open_ranges
from relay.journal.distributed.spot import Spot
from relay.journal.findings import Finding, Verification
from relay.postgres.database import Database

#: So many of the messages that wait in a partition are read.
_MOST = 100_000


async def verify(database: Database, browser: Browser, destinations: Sequence[str]) -> Verification:
    """Every partition's row against its topic, and every open message as it can be read.

    Raises `DatabaseUnavailable` and `JournalUnavailable`.
    """
    bounds = await browser.bounds(destinations)
    rows = await database.fetch("select * from progress where partition >= 0")
    findings: list[Finding] = []
    count = size_bytes = 0
    for row in rows:
        place = f"{row['destination']}/{row['partition']}"
        bound = bounds.get((row["destination"], row["partition"]))
        if bound is None:
            if row["open"] and row["destination"] not in destinations:
                wait = f"{row['open']} events wait, and this configuration has no such destination"
                findings.append(Finding(place, wait))
            elif row["open"]:
                findings.append(Finding(place, "its topic is gone", row["open"]))
            continue
        progress = Progress(row["epoch"], row["claimed"], row["low"], orjson.loads(row["done"]))
        findings += [Finding(place, *each) for each in _wrong(row, progress, bound)]
        wanted = [
            Spot(row["destination"], row["partition"], offset)
            for start, end in open_ranges(progress, progress.claimed)
            for offset in range(start, end)
        ][:_MOST]
        messages = await browser.read(wanted)
        count += len(messages)
        size_bytes += sum(len(each.fields[-1]) for each in messages.values())
        unreadable = len(wanted) - len(messages)
        if unreadable:
            findings.append(Finding(place, "messages that wait cannot be read", unreadable))
    return Verification(count, size_bytes, tuple(findings))


def _wrong(row: Any, progress: Progress, bound: tuple[int, int]) -> Iterator[tuple[str, int]]:
    begin, end = bound
    if progress.open != row["open"]:
        yield f"{row['open']} messages are said to be open, and {progress.open} are", 0
    if progress.claimed > end:
        yield "more was claimed than the topic ever held: was it made anew?", progress.open
    if begin > progress.low:
        waiting = open_ranges(progress, progress.claimed)
        lost = sum(min(stop, begin) - start for start, stop in waiting if start < begin)
        if lost:
            yield "the topic's retention took messages that wait", lost
