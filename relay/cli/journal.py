"""`relay journal stats`, `verify` and `migrate`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from relay.cli import journal_folder, servers
from relay.cli import settings as configuration
from relay.cli.lines import age, size
from relay.cli.terminal import EXIT_FAILED, GREEN, RED, console, say, table, write_json
from relay.clock import SystemClock
from relay.journal.findings import Verification
from relay.journal.rocksdb.reader import Reader
from relay.journal.rocksdb.state import State
from relay.journal.rocksdb.verify import verify


def stats(config: Path | None, journal: Path | None, *, as_json: bool) -> None:
    """What waits, per destination. Raises `ConfigError`, `JournalUnavailable`."""
    settings = None if journal else configuration.as_written(config)
    if settings is not None and settings.journal.is_distributed:
        rows = asyncio.run(servers.rows(settings))
    else:
        with journal_folder.reading(journal_folder.path_of(config, journal)) as (state, _):
            rows = _rows(state)
    if as_json:
        write_json(rows)
        return
    shown = table(
        "destination", "accepted", "settled", "waiting", "bytes waiting", "oldest", "gap",
        right=("accepted", "settled", "waiting", "bytes waiting", "gap"),
    )  # fmt: skip
    now = SystemClock().now()
    for row in rows:
        oldest = row["oldest_at"]
        shown.add_row(
            str(row["destination"]),
            *(f"{row[name]:,}" for name in ("accepted", "settled", "waiting")),
            size(int(row["waiting_bytes"] or 0)),
            "" if oldest is None else age(now - float(oldest)),
            str(row["gap"]),
        )
    console().print(shown if rows else "the journal is empty")


def _rows(state: State) -> list[dict[str, str | int | float | None]]:
    reader = Reader(state, lambda queue, start, end: None)
    rows: list[dict[str, str | int | float | None]] = []
    for name, queue in sorted(state.queues.items()):
        first = queue.oldest()
        rows.append(
            {
                "destination": name,
                "accepted": queue.accepted,
                "settled": queue.settled_count,
                "waiting": queue.waiting,
                "waiting_bytes": queue.size_bytes,
                "oldest_at": None if first is None else reader.accepted_at(queue, first),
                "gap": queue.accepted - queue.settled_count - queue.waiting,
            }
        )
    return rows


def verify_journal(config: Path | None, journal: Path | None, *, as_json: bool) -> int:
    """Read everything, say what is wrong, and return the exit code."""
    settings = None if journal else configuration.as_written(config)
    if settings is not None and settings.journal.is_distributed:
        found = asyncio.run(servers.verify(settings))
    else:
        path = journal_folder.path_of(config, journal)
        with journal_folder.reading(path):
            pass  # says by itself where there is no journal
        found = verify(path)
    if as_json:
        write_json(
            {
                "rows": found.rows,
                "bytes": found.size_bytes,
                "findings": [
                    {"place": each.place, "problem": each.problem, "lost": each.lost_entries}
                    for each in found.findings
                ],
            }
        )
    else:
        _tell(found)
    return EXIT_FAILED if found.findings else 0


def _tell(found: Verification) -> None:
    for finding in found.findings:
        lost = f" ({finding.lost_entries} events lost)" if finding.lost_entries else ""
        say(f"  {finding.place}: {finding.problem}{lost}", color=RED)
    read = f"{found.rows:,} rows, {size(found.size_bytes)} read"
    if found.findings:
        say(f"{read}; {len(found.findings)} things are wrong", color=RED)
    else:
        say(f"{read}; the journal is sound", color=GREEN)


def migrate(config: Path | None, *, as_json: bool) -> None:
    """Prepare the servers for this version of the relay. Raises what `servers.prepare` raises."""
    settings = configuration.as_written(config)
    if not settings.journal.is_distributed:
        if as_json:
            write_json({"versions": [], "topics": []})
        else:
            say("a folder is brought up to date when the relay opens it: there is nothing to do")
        return
    done = asyncio.run(servers.prepare(settings))
    if as_json:
        write_json({"versions": list(done.versions), "topics": list(done.topics)})
        return
    versions, topics = ", ".join(map(str, done.versions)), ", ".join(done.topics)
    say(f"tables  {f'applied: {versions}' if versions else 'up to date'}")
    say(f"topics  {f'made: {topics}' if topics else 'all there'}")
