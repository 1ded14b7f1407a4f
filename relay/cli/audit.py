"""`relay audit`: whether the money spent matches the conversions that really happened."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from relay.audit import archive
from relay.audit.collecting import Collector
from relay.audit.document import document
from relay.audit.findings import Audit, Severity
from relay.audit.page import page
from relay.audit.run import audit_accounts, targets_of
from relay.cli import ad_account, audit_screen
from relay.cli import settings as configuration
from relay.cli.ad_account import Access
from relay.cli.books import open_books
from relay.cli.terminal import EXIT_FAILED, console, say, say_failure, write_json
from relay.cli.told import Told
from relay.cli.version import version
from relay.config import Settings
from relay.errors import ConfigError, Mistake, RelayError
from relay.management.errors import ManagementError
from relay.management.notices import nobody

#: A critical finding stands.
EXIT_CRITICAL: Final = 3

_MOST_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed. `days` None takes `audit.since`."""

    advertisers: Sequence[str] = ()
    days: int | None = None
    as_json: bool = False
    html: Path | None = None
    keep: bool = True


def days_of(text: str | None) -> int | None:
    """`30d` in days. Raises `ConfigError`."""
    if text is None:
        return None
    number = text.removesuffix("d")
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= _MOST_DAYS):
        problem = "is no number of days that can be looked at"
        raise ConfigError([Mistake("--since", problem, f"Write 1d to {_MOST_DAYS}d")])
    return int(number)


def run(config: Path | None, folder: Path | None, token: Path | None, asked: Asked) -> int:
    """Audit, show, and keep the report; the exit code.

    Raises `ConfigError`, `JournalError` and what reading an account raises for all of it.
    """
    settings = configuration.as_written(config)
    access = ad_account.find_access(config, token)
    told = Told()
    _check_writable(asked.html)
    try:
        audits = asyncio.run(_audited(config, folder, settings, access, told, asked))
    except ManagementError as error:
        say_failure(RelayError(ad_account.with_mend(error, access.origin)))
        return EXIT_FAILED
    if not audits:
        say_failure(RelayError("no ad account could be read"))
        return EXIT_FAILED
    is_written = _show(audits, asked)
    if any(each.worst is Severity.CRITICAL for each in audits):
        return EXIT_CRITICAL
    is_whole = is_written and not any(each.is_partial for each in audits)
    return told.code if is_whole else EXIT_FAILED


async def _audited(
    config: Path | None,
    folder: Path | None,
    settings: Settings,
    access: Access,
    told: Told,
    asked: Asked,
) -> list[Audit]:
    days = asked.days or int(settings.audit.since // 86_400)
    async with (
        open_books(config, folder) as books,
        # What is missing is part of the report: a line for each list would hide it.
        ad_account.client(access.settings, access.token.read, told, nobody) as client,
    ):
        ids = await ad_account.account_ids(client, access, asked.advertisers)
        with told.moving(beside_output=False):
            collector = Collector(
                client, books, targets_of(settings), told.clock,
                rates=settings.audit.rates, progress=told.stage, lost=told.lost,
            )  # fmt: skip
            thresholds = settings.audit.thresholds
            audits = [each async for each in audit_accounts(collector, ids, days, thresholds)]
        if audits and asked.keep:
            most = settings.audit.keep_reports
            await archive.keep(books, audits, version=version(), most=most)
    return audits


def _show(audits: Sequence[Audit], asked: Asked) -> bool:
    """What was found, before anything that may fail; False when the page could not be written."""
    made_at = max(each.facts.now for each in audits)
    if asked.as_json:
        write_json(document(audits, version=version(), made_at=made_at))
    else:
        audit_screen.show(console(), audits)
    if asked.html is None:
        return True
    try:
        asked.html.write_text(page(audits, version=version(), made_at=made_at), encoding="utf-8")
    except OSError as error:
        say_failure(
            RelayError(f"the page cannot be written: {error.strerror}. Name another --html")
        )
        return False
    say(f"the page is in {asked.html}")
    return True


def _check_writable(html: Path | None) -> None:
    """Before anybody waits for a minute. Raises `ConfigError`."""
    if html is None:
        return
    folder = html.absolute().parent
    if html.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        problem = "is no file in a folder that can be written to"
        raise ConfigError([Mistake("--html", problem, "Name another file")])
