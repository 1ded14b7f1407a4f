"""Rows of reports: what the ads of an account did, summed to a level and a span.

Every level is a sum of the same integers, so levels agree. Deleted objects are in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from relay.sandbox.ads.delivery import total
from relay.sandbox.ads.figures import OF_BILLING, OF_PEOPLE, Figures
from relay.sandbox.ads.market import Market
from relay.sandbox.ads.model import Ad, Row
from relay.sandbox.ads.money import digits_of, quotient
from relay.sandbox.ads.zone import HOUR_S, day_number, day_text, hour_text

DAY: Final = "stat_time_day"
HOUR: Final = "stat_time_hour"
ACCOUNT: Final = "AUCTION_ADVERTISER"

#: What an ad is counted under, at each level.
_OWNER: Final[Mapping[str, Callable[[Ad], str]]] = {
    ACCOUNT: lambda ad: ad.advertiser_id,
    "AUCTION_CAMPAIGN": lambda ad: ad.campaign_id,
    "AUCTION_ADGROUP": lambda ad: ad.adgroup_id,
    "AUCTION_AD": lambda ad: ad.ad_id,
}
_PEOPLE_LATE_S: Final = 16 * HOUR_S
_BILLING_LATE_S: Final = 16 * HOUR_S
_NOTHING: Final[frozenset[str]] = frozenset()

#: (ad, day or hour or nothing) -> what was counted.
Cells = dict[tuple[str, int], Counter[str]]


class Report:
    """Reports of one account."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._digits = digits_of(market.plan.currency)

    def rows(
        self, level: str, start: date, end: date, *, by: str | None, now: float
    ) -> Iterator[Row]:
        """See `AdWorld.rows`. Raises `KeyError` for a level that is none."""
        owner = _OWNER[level]
        days = range(day_number(start), day_number(end) + 1)
        sums: Cells = {}
        for (ad_id, span), counts in self._cells(days, by, now).items():
            key = (owner(self._market.account.ads[ad_id]), span)
            found = sums.get(key)
            if found is None:
                sums[key] = Counter(counts)
            else:
                found.update(counts)
        hidden = self._hidden(level, days, by, now)
        write = day_text if by == DAY else hour_text if by == HOUR else _no_time
        for (owned_by, span), counts in sorted(
            sums.items(), key=lambda each: (each[0][1], each[0][0])
        ):
            if any(counts.values()):
                late = hidden(span)
                yield Row(owned_by, write(span), self._figures(level, counts, late))

    def _cells(self, days: range, by: str | None, now: float) -> Cells:
        """Of each ad, in each span: what it delivered, and what it is credited with."""
        cells = self._delivered(days, by, now)
        book = self._market.seen(now)
        spans = 24 if by == HOUR else 1
        counted = book.hours if by == HOUR else book.days
        for (ad_id, span), counts in counted.items():
            if span // spans in days:
                cells.setdefault((ad_id, 0 if by is None else span), Counter()).update(counts)
        for (ad_id, _), counts in cells.items():
            self._add_results(ad_id, counts)
        return cells

    def _delivered(self, days: range, by: str | None, now: float) -> Cells:
        cells: Cells = {}
        for day in days:
            for ad_id, hours in self._market.delivery.of_day(day, now):
                if by != HOUR:
                    span = day if by == DAY else 0
                    cells.setdefault((ad_id, span), Counter()).update(total(hours))
                    continue
                for start, counts in hours:
                    span = self._market.reported.hour(start)
                    cells.setdefault((ad_id, span), Counter()).update(counts)
        return cells

    def _add_results(self, ad_id: str, counts: Counter[str]) -> None:
        """A result is what its ad group is optimised for."""
        account = self._market.account
        by_clicks = account.adgroups[account.ads[ad_id].adgroup_id].optimization_goal == "CLICK"
        counts["result"] = counts["clicks" if by_clicks else "conversion"]
        counts["real_time_result"] = counts["clicks" if by_clicks else "real_time_conversion"]

    def _hidden(
        self, level: str, days: range, by: str | None, now: float
    ) -> Callable[[int], frozenset[str]]:
        """Which metrics a row of a span lacks."""

        def hidden(span: int) -> frozenset[str]:
            last = span if by == DAY else days[-1]
            over = self._market.reported.starts(last + 1)
            of_people = OF_PEOPLE if now < over + _PEOPLE_LATE_S else _NOTHING
            billed = level == ACCOUNT and by == DAY and now >= over + _BILLING_LATE_S
            return of_people | (_NOTHING if billed else OF_BILLING)

        return hidden

    def _figures(self, level: str, counts: Counter[str], hidden: frozenset[str]) -> Figures:
        plan = self._market.plan
        if level == ACCOUNT and plan.quirks.account_only_spend:
            counts["spend"] += round(counts["spend"] * plan.quirks.account_only_spend)
        if plan.quirks.value_is_rate or plan.quirks.value_per_error:
            odd = _Odd(counts, self._digits, hidden=hidden)
            odd.is_rate, odd.error = plan.quirks.value_is_rate, plan.quirks.value_per_error
            return odd
        voucher = round(counts["spend"] * plan.voucher_share)
        return Figures(counts, self._digits, hidden=hidden, voucher=voucher)


class _Odd(Figures):
    """Metrics that do not mean what everybody takes them for."""

    is_rate = False
    error = 0.0

    def __getitem__(self, name: str) -> Decimal | int:
        found = super().__getitem__(name)
        if name == "value_per_complete_payment":
            return quotient(Decimal(found) * Decimal(1 + self.error), 1, 2)
        if name == "total_complete_payment_rate" and self.is_rate:
            return quotient(100 * self.count("complete_payment"), self.count("clicks"), 2)
        return found


def _no_time(_span: int) -> str:
    return ""
