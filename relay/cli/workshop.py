"""The journal, opened for writing by a command, with what puts events into it.

A folder has one writer: where a relay runs, opening raises `JournalLocked`, and the command asks
the relay instead (`operator_http`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from relay import assembly
from relay.cli import archive
from relay.cli.version import version
from relay.clock import SystemClock
from relay.config import Settings
from relay.journal.protocol import Journal
from relay.pipeline.accept import Acceptor, Route
from relay.pipeline.imports import Importer
from relay.pipeline.replay import Replayer
from relay.role import Role
from relay.telemetry import Telemetry, open_log

_CLOCK = SystemClock()


@asynccontextmanager
async def own_journal(settings: Settings) -> AsyncIterator[Journal]:
    """The journal; a folder for this process alone. Raises `JournalLocked`,
    `JournalUnavailable`, …"""
    watchers = archive.quiet_watchers()
    async with assembly.journal_of(settings, Role.INGEST, _CLOCK, watchers) as journal:
        yield journal


def replayer(settings: Settings, journal: Journal) -> Replayer:
    """Puts dead letters back; the events leave when a relay runs."""
    return Replayer(journal, assembly.normalizers_of(settings), _CLOCK)


def importer(settings: Settings, journal: Journal, routes: Mapping[str, Route]) -> Importer:
    """Puts the lines of a file in; the events leave when a relay runs."""
    telemetry = Telemetry(version=version(), now=_CLOCK.now)  # counted, and shown to nobody
    acceptor = Acceptor(
        routes,
        {each.name: each for each in settings.destinations},
        assembly.normalizers_of(settings),
        journal,
        max_events=settings.limits.max_events,
        clock=_CLOCK,
        telemetry=telemetry,
        log=open_log("warning", "text", monotonic=_CLOCK.monotonic),
    )
    return Importer(routes, acceptor, journal, clock=_CLOCK, telemetry=telemetry)
