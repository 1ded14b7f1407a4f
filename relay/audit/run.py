"""One audit, from asking to judging; and what is kept of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Final

import orjson

from relay.audit.collecting import Books, Collector
from relay.audit.document import document
from relay.audit.findings import Audit
from relay.audit.judge import judge
from relay.config.audit import Thresholds

#: Reports are kept as notes under this, by the moment they were made.
REPORTS: Final = "audit/reports/"


async def audit_accounts(
    collector: Collector, advertiser_ids: Sequence[str], days: int, thresholds: Thresholds
) -> AsyncIterator[Audit]:
    """Audit one account after the other, and keep what later audits compare with.

    Raises `ManagementError` when an account cannot be read at all, and `JournalUnavailable` when
    nothing can be kept.
    """
    for assignment in await collector.assignments(advertiser_ids):
        facts = await collector.collect(assignment, days)
        yield judge(facts, thresholds)
        await collector.remember(facts)


async def keep(books: Books, audits: Sequence[Audit], *, version: str, most: int) -> None:
    """Keep the report of a run, and of earlier ones the newest `most`. Raises
    `JournalUnavailable`."""
    made_at = max(each.facts.now for each in audits)
    said = orjson.dumps(document(audits, version=version, made_at=made_at))
    await books.put_note(_key(made_at), said)
    kept = [key async for key, _ in books.notes(REPORTS)]
    if len(kept) > most:
        await books.drop_notes(REPORTS, kept[-most])


def _key(made_at: float) -> str:
    return f"{REPORTS}{datetime.fromtimestamp(made_at, UTC):%Y-%m-%dT%H:%M:%SZ}"
