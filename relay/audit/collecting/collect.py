"""The order in which facts are collected, and who audits what when there are several accounts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import NamedTuple

from relay.audit.collecting import account, books, reports, snapshots, translate
from relay.audit.collecting.account import EventSources, Hierarchy
from relay.audit.collecting.books import Books
from relay.audit.collecting.gathering import Gathering
from relay.audit.facts import Advertiser, Advice, Facts, Part, Period, Snapshot, Target
from relay.clock import Clock
from relay.management import Client
from relay.management.errors import CredentialRefused, ManagementError

#: What is being read now, in words; of which advertiser.
Progress = Callable[[str, str], None]

#: An account that cannot be read while others can.
Lost = Callable[[str, ManagementError], None]


class Assignment(NamedTuple):
    """An account to be audited: what it is, and the destinations of the relay that feed it."""

    advertiser: Advertiser
    sources: EventSources
    targets: Sequence[Target]
    gathering: Gathering


class Collector:
    """Collects with one client and one relay's books. `rates` is the worth of one unit of each
    currency in a common one of the user's choice."""

    def __init__(  # noqa: PLR0913  # what it works with, each once
        self,
        client: Client,
        own: Books,
        targets: Sequence[Target],
        clock: Clock,
        *,
        rates: Mapping[str, Decimal],
        progress: Progress = lambda what, advertiser_id: None,
        lost: Lost | None = None,
    ) -> None:
        self._client = client
        self._own = own
        self._targets = targets
        self._clock = clock
        self._rates = rates
        self._progress = progress
        self._lost = lost

    async def assignments(self, advertiser_ids: Sequence[str]) -> list[Assignment]:
        """Who is audited: every destination goes to the account that its event source belongs to;
        one that belongs to none of them goes to all, so that each says what it lacks.

        An account that cannot be read is told of, and left out. Raises `ManagementError` when that
        is true of all, or nobody is there to be told.
        """
        found = []
        for advertiser in await self._advertisers(advertiser_ids):
            self._progress("event sources", advertiser.id)
            gathering = Gathering(self._clock)
            sources = await account.event_sources(self._client, advertiser.id, gathering)
            gathering.note(Part.ADVERTISER, 1)
            found.append((advertiser, sources, gathering))
        everybodys = frozenset[str]().union(*[sources.ids for _, sources, _ in found])
        return [
            Assignment(advertiser, sources, self._targets_of(sources, everybodys), gathering)
            for advertiser, sources, gathering in found
        ]

    async def _advertisers(self, advertiser_ids: Sequence[str]) -> list[Advertiser]:
        """One by one: TikTok refuses a whole list for one account that was lost."""
        found, failed = [], []
        for advertiser_id in advertiser_ids:
            try:
                found.append(translate.advertiser(await self._client.advertiser(advertiser_id)))
            except CredentialRefused:
                raise
            except ManagementError as error:
                failed.append((advertiser_id, error))
        for advertiser_id, refused in failed:
            if not found or self._lost is None:
                raise refused
            self._lost(advertiser_id, refused)
        return found

    def _targets_of(self, sources: EventSources, everybodys: frozenset[str]) -> list[Target]:
        return [
            each
            for each in self._targets
            if each.event_source_id in sources.ids or each.event_source_id not in everybodys
        ]

    async def collect(self, assignment: Assignment, days: int) -> Facts:
        """All facts of one account, of the last `days` days up to today, in its zone. Nothing is
        raised for what cannot be read: it is noted."""
        advertiser, sources, targets, gathering = assignment
        now = self._clock.now()
        period = _period(advertiser.zone, now, days)
        hours = _hours(advertiser.zone, period, now)
        spans = reports.Spans(period, _utc_day(hours[0]), _utc_day(hours[1] - 1))
        ask = reports.Reports(self._client, advertiser.id, gathering)
        pixels = sources.pixels
        self._progress("campaigns, ad groups, ads", advertiser.id)
        # All at once: while one list is put together the next is on its way.
        (
            (hierarchy, advised), rows, counts, last_hours, (custom, edits), (own, seen),
        ) = await asyncio.gather(
            self._hierarchy(advertiser.id, gathering),
            ask.days(period),
            ask.event_counts(pixels, spans),
            ask.hours(period),
            asyncio.gather(
                account.custom_conversions(self._client, advertiser.id, pixels, gathering),
                account.edits(self._client, advertiser.id, now, gathering),
            ),
            asyncio.gather(
                books.read(self._own, targets, *hours, gathering),
                self._snapshots(advertiser.id, gathering),
            ),
        )  # fmt: skip
        return Facts(
            now=now,
            period=period,
            advertiser=advertiser,
            gathered=dict(gathering.parts),
            rates=self._rates_into(advertiser.currency),
            campaigns=hierarchy.campaigns,
            adgroups=hierarchy.adgroups,
            ads=hierarchy.ads,
            pixels=pixels,
            custom_conversions=custom,
            advice=advised,
            edits=edits,
            event_counts=counts,
            days=rows,
            hours=last_hours,
            targets=targets,
            ledger=own.ledger,
            issues=own.issues,
            samples=own.samples,
            refused=own.refused,
            snapshots=seen,
        )

    async def _hierarchy(
        self, advertiser_id: str, gathering: Gathering
    ) -> tuple[Hierarchy, list[Advice]]:
        hierarchy = await account.hierarchy(self._client, advertiser_id, gathering)
        self._progress("reports and event statistics", advertiser_id)
        adgroups = hierarchy.adgroups
        return hierarchy, await account.advice(self._client, advertiser_id, adgroups, gathering)

    async def remember(self, facts: Facts) -> None:
        """Keep this audit's days for later ones. Raises `JournalUnavailable`."""
        name = facts.advertiser.id
        if not facts.days:
            return
        note = snapshots.packed(facts.days, facts.now)
        await self._own.put_note(snapshots.key(name, facts.now), note)
        await self._own.drop_notes(snapshots.prefix(name), snapshots.oldest_key(name, facts.now))

    async def _snapshots(self, advertiser_id: str, gathering: Gathering) -> list[Snapshot]:
        async def read() -> list[Snapshot]:
            notes = self._own.notes(snapshots.prefix(advertiser_id))
            found: list[Snapshot] = []
            async for _, note in notes:
                with contextlib.suppress(ValueError):  # of another release: one day less to compare
                    found += snapshots.unpacked(note)
            return found

        found = await gathering.asked(Part.SNAPSHOTS, read) or []
        gathering.note(Part.SNAPSHOTS, len(found))
        return found

    def _rates_into(self, currency: str) -> dict[str, Decimal]:
        """Rates into the account's currency; only its own where the user gave none for it."""
        own = self._rates.get(currency)
        rates = {} if own is None else {name: rate / own for name, rate in self._rates.items()}
        return {**rates, currency: Decimal(1)}


def _period(zone: tzinfo, now: float, days: int) -> Period:
    today = datetime.fromtimestamp(now, zone).date()
    return Period(today - timedelta(days=days - 1), today)


def _hours(zone: tzinfo, period: Period, now: float) -> tuple[int, int]:
    """Hours of the ledger that cover the period's days in the account's zone and in UTC, and the
    present hour."""
    local = datetime.combine(period.first, time(), tzinfo=zone).timestamp()
    universal = datetime.combine(period.first, time(), tzinfo=UTC).timestamp()
    return int(min(local, universal) // 3600), int(now // 3600) + 1


def _utc_day(hour: int) -> date:
    return datetime.fromtimestamp(hour * 3600, UTC).date()
