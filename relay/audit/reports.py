"""The rows of reports, sorted in one pass.

Rows of ads are many (50 000 ads on 90 days are 4.5 million): only their sums are kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from relay.audit.facts import Day, Level


class AdSums:
    """What one ad came to."""

    __slots__ = ("clicks", "landings", "spend")

    def __init__(self) -> None:
        self.clicks = 0
        self.landings: int | None = 0
        self.spend = Decimal(0)

    def add_landings(self, row: Day) -> None:
        """Unknown once a day with clicks does not tell them."""
        if row.landing_page_views is None:
            self.landings = None if row.clicks else self.landings
        elif self.landings is not None:
            self.landings += row.landing_page_views


_NO_ROWS: Final[Mapping[str, Sequence[Day]]] = {}


class Reports:
    """`ads` are by ad over all days, `ad_spend` is of all ads by day."""

    def __init__(self, rows: Iterable[Day]) -> None:
        self.ads: defaultdict[str, AdSums] = defaultdict(AdSums)
        self.ad_spend: defaultdict[date, Decimal] = defaultdict(Decimal)
        self._rows: dict[Level, defaultdict[str, list[Day]]] = {}
        kept = self._rows
        for level in (Level.ACCOUNT, Level.CAMPAIGN, Level.ADGROUP):
            kept[level] = defaultdict(list)
        ads, ad_spend = self.ads, self.ad_spend
        for row in rows:
            by_id = kept.get(row.level)
            if by_id is not None:
                by_id[row.id].append(row)
                continue
            sums = ads[row.id]
            sums.clicks += row.clicks or 0
            sums.add_landings(row)
            if row.spend is not None:
                sums.spend += row.spend
                ad_spend[row.day] += row.spend

    def of(self, level: Level) -> Mapping[str, Sequence[Day]]:
        """By the object's id; not of ads."""
        return self._rows.get(level, _NO_ROWS)
