"""The facts, indexed once: what checks look things up in.

Every index is made when the first check asks for it, in one pass over its rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Final

from relay.audit.books.calendar import Calendar, Span, moved, span
from relay.audit.books.deliveries import Booked, Deliveries, Feed, code_of
from relay.audit.books.lines import Line, is_active, lines_of, longest_window
from relay.audit.books.reports import Reports
from relay.audit.books.sampled import Sampled
from relay.audit.books.totals import Totals, total
from relay.audit.facts import (
    AdGroup,
    Campaign,
    CustomConversion,
    Day,
    EventCount,
    Facts,
    Level,
    Part,
    Pixel,
    Target,
)
from relay.event_names import BY_OPTIMIZATION_EVENT
from relay.model import EventSource

PURCHASE: Final = "SHOPPING"


class Books:
    """All look-ups of one audit."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.calendar = Calendar(facts.advertiser.zone, facts.now)
        self.today = self.calendar.today
        self.period = Span(facts.period.first, max(facts.period.first, facts.period.last))
        self._totals = lru_cache(maxsize=None)(self._total_days)

    def lacks(self, part: Part) -> str | None:
        """Why a part cannot be relied on; None when it is complete."""
        gathered = self.facts.gathered.get(part)
        if gathered is None:
            return f"the {part.value} were not asked for"
        return None if gathered.problem is None else f"{part.value}: {gathered.problem}"

    # --- the account ---------------------------------------------------------------------------

    @property
    def currency(self) -> str:
        return self.facts.advertiser.currency

    @cached_property
    def campaigns(self) -> Mapping[str, Campaign]:
        return {each.id: each for each in self.facts.campaigns}

    @cached_property
    def adgroups(self) -> Mapping[str, AdGroup]:
        return {each.id: each for each in self.facts.adgroups}

    @cached_property
    def pixels(self) -> Mapping[str, Pixel]:
        """By the numeric id that ad groups name."""
        return {each.id: each for each in self.facts.pixels}

    @cached_property
    def custom_conversions(self) -> Mapping[str, CustomConversion]:
        return {each.id: each for each in self.facts.custom_conversions}

    @cached_property
    def active(self) -> Sequence[AdGroup]:
        return [each for each in self.facts.adgroups if is_active(each, self.campaigns)]

    @cached_property
    def web_targets(self) -> Sequence[Target]:
        return [each for each in self.facts.targets if each.event_source is EventSource.WEB]

    @cached_property
    def destinations(self) -> frozenset[str]:
        return frozenset(each.name for each in self.facts.targets)

    @cached_property
    def target_of(self) -> Mapping[str, Target]:
        return {each.name: each for each in self.facts.targets}

    @cached_property
    def lines(self) -> Sequence[Line]:
        running = {each.id for each in self.active}
        concerned = [
            each for each in self.facts.adgroups if each.id in running or self._has_spent(each)
        ]
        return lines_of(concerned, frozenset(running), self.pixels, self.facts.targets)

    @cached_property
    def purchases(self) -> Sequence[Line]:
        """By pixel: all its ad groups, whatever they optimise for, against its purchases."""
        groups: defaultdict[str, list[AdGroup]] = defaultdict(list)
        for line in self.lines:
            groups[line.pixel_id] += line.adgroups
        some = {each.pixel_id: each for each in self.lines}
        return [
            some[pixel_id]
            if some[pixel_id].event == PURCHASE and len(some[pixel_id].adgroups) == len(adgroups)
            else replace(
                some[pixel_id],
                event=PURCHASE,
                adgroups=adgroups,
                active=[each for each in adgroups if is_active(each, self.campaigns)],
                window=longest_window(adgroups),
            )
            for pixel_id, adgroups in sorted(groups.items())
        ]

    @cached_property
    def line_of(self) -> Mapping[tuple[str, str], Line]:
        """By pixel code and the ad side's code of the event."""
        return {(each.code, each.event): each for each in self.lines}

    @cached_property
    def fed(self) -> Sequence[tuple[str, str]]:
        """(pixel code, event) that the relay feeds."""
        ours = {each.code for each in self.facts.pixels}
        targets = self.target_of
        return sorted(
            {
                (targets[name].event_source_id, event)
                for name, event in self.deliveries.feeds
                if targets[name].event_source_id in ours
            }
        )

    def _has_spent(self, adgroup: AdGroup) -> bool:
        return any(row.spend for row in self.reports.adgroup(adgroup.id, self.period))

    # --- reports -------------------------------------------------------------------------------

    @cached_property
    def reports(self) -> Reports:
        return Reports(self.facts.days)

    @property
    def adgroup_days(self) -> Mapping[str, Sequence[Day]]:
        return self.reports.of(Level.ADGROUP)

    @property
    def campaign_days(self) -> Mapping[str, Sequence[Day]]:
        return self.reports.of(Level.CAMPAIGN)

    @cached_property
    def account_days(self) -> Mapping[date, Day]:
        rows = self.reports.of(Level.ACCOUNT).values()
        return {row.day: row for of_one in rows for row in of_one}

    def days_of(self, line: Line) -> Mapping[date, Totals]:
        """A line's rows of reports, by account day."""
        return self._totals(line)

    def _total_days(self, line: Line) -> Mapping[date, Totals]:
        days: defaultdict[date, Totals] = defaultdict(Totals)
        for adgroup in line.adgroups:
            for row in self.adgroup_days.get(adgroup.id, ()):
                days[row.day].add(row, line.event)
        return days

    def reported(self, line: Line, days: Span) -> Totals:
        return total(totals for day, totals in self.days_of(line).items() if day in days)

    def account(self, days: Span, event: str | None = None) -> Totals:
        whole = Totals()
        for day, row in self.account_days.items():
            if day in days:
                whole.add(row, event)
        return whole

    def spend(self, adgroups: Iterable[AdGroup], days: Span | None = None) -> Decimal:
        """Of these ad groups in these days (None: those of the audit)."""
        wanted = days or self.period
        return sum(
            (
                row.spend
                for each in adgroups
                for row in self.reports.adgroup(each.id, wanted)
                if row.spend is not None
            ),
            Decimal(0),
        )

    def spending_since(self, adgroups: Iterable[AdGroup]) -> date | None:
        """The first day of the audit on which one of them spent."""
        return min(
            (
                row.day
                for each in adgroups
                for row in self.reports.adgroup(each.id, self.period)
                if row.spend
            ),
            default=None,
        )

    # --- maturity ------------------------------------------------------------------------------

    def mature(self, window: int) -> Span | None:
        """The days of the audit whose conversions are all in: today > day + window."""
        last = min(self.period.last, moved(self.today, -window - 1))
        return span(self.period.first, last)

    @cached_property
    def account_window(self) -> int:
        """The longest window of the ad groups that run or spent; in days."""
        return longest_window(each for line in self.lines for each in line.adgroups)

    # --- events --------------------------------------------------------------------------------

    @cached_property
    def deliveries(self) -> Deliveries:
        return Deliveries(self.facts.ledger, self.destinations, self.calendar)

    @cached_property
    def sampled(self) -> Sampled:
        return Sampled(self.facts.samples, self.destinations)

    @cached_property
    def event_counts(self) -> Mapping[tuple[str, str], Mapping[date, EventCount]]:
        """Event statistics by (pixel code, the ad side's code), then by day of UTC."""
        counts: defaultdict[tuple[str, str], dict[date, EventCount]] = defaultdict(dict)
        for each in self.facts.event_counts:
            counts[each.pixel_code, each.event][each.day] = each
        return counts

    @cached_property
    def issues(self) -> Mapping[tuple[str, str, str], Counter[date]]:
        """Flawed events by (destination, field, reason), then by account day; of the audit's
        days."""
        counts: defaultdict[tuple[str, str, str], Counter[date]] = defaultdict(Counter)
        for row in self.facts.issues:
            day = self.calendar.day_of_hour(row.hour)
            if row.destination in self.destinations and day in self.period:
                key = (row.destination, row.field.removesuffix("[]"), row.reason)
                counts[key][day] += row.count
        return counts

    def flawed(self, destination: str, field: str, reason: str) -> Mapping[date, int]:
        """How many events had this flaw, by account day."""
        return self.issues.get((destination, field, reason), Counter())

    @cached_property
    def derived_ids(self) -> Mapping[Feed, Counter[date]]:
        """Events that brought no event_id, by account day; of the audit's days."""
        return self._without_id("derived")

    @cached_property
    def borrowed_ids(self) -> Mapping[Feed, Counter[date]]:
        """The same of those for which their order's id stands in."""
        return self._without_id("from_order_id")

    def _without_id(self, reason: str) -> Mapping[Feed, Counter[date]]:
        counts: defaultdict[Feed, Counter[date]] = defaultdict(Counter)
        for row in self.facts.issues:
            if row.field == "event_id" and row.reason == reason:
                day = self.calendar.day_of_hour(row.hour)
                if row.destination in self.destinations and day in self.period and row.count:
                    counts[row.destination, code_of(row.event)][day] += row.count
        return counts

    def called(self, code: str) -> str:
        """An event as the relay sends it, or would: what a person looks for in the shop."""
        known = BY_OPTIMIZATION_EVENT.get(code)
        usual = code if known is None else known.event or known.legacy or code
        return self.deliveries.names.get(code, usual)

    def delivered(self, line: Line, days: Span | None) -> Booked:
        """What the relay delivered of a line's event; where it does not feed the line's pixel, what
        it delivered of that event to any web destination of the account."""
        feeds = line.destinations or [each.name for each in self.web_targets]
        return self.deliveries.of(feeds, line.event, days)

    # --- money ---------------------------------------------------------------------------------

    def convert(self, amounts: Mapping[str, Decimal]) -> Decimal | None:
        """In the account's currency; None where a rate is missing, see `unconvertible`."""
        if self.unconvertible(amounts):
            return None
        return sum((amount * self._rate(each) for each, amount in amounts.items()), Decimal(0))

    def unconvertible(self, amounts: Iterable[str]) -> Sequence[str]:
        """The currencies without a rate."""
        rates = self.facts.rates
        return sorted(each for each in amounts if each != self.currency and each not in rates)

    def _rate(self, currency: str) -> Decimal:
        return Decimal(1) if currency == self.currency else self.facts.rates[currency]
