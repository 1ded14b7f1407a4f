"""The rows of reports, sorted in one pass.

Rows of ads are many (50 000 ads on 90 days are 4.5 million): only their sums are kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Final

from relay.audit.books.calendar import Span
from relay.audit.facts import Day, Level

_BY_DAY: Final = attrgetter("day")
_NO_ROWS: Final[Mapping[str, Sequence[Day]]] = {}


class AdSums:
    """What one ad came to. `landings` is None once a day with clicks did not tell them."""

    __slots__ = ("clicks", "landings", "spend")

    def __init__(self) -> None:
        self.clicks = 0
        self.landings: int | None = 0
        self.spend = Decimal(0)


class Reports:
    """`ads` are by ad over all days, `ad_spend` is of all ads by day."""

    def __init__(self, rows: Iterable[Day]) -> None:
        self.ads: defaultdict[str, AdSums] = defaultdict(AdSums)
        self.ad_spend: defaultdict[date, Decimal] = defaultdict(Decimal)
        self._rows: dict[Level, defaultdict[str, list[Day]]] = {}
        kept = self._rows
        for level in (Level.ACCOUNT, Level.CAMPAIGN, Level.ADGROUP):
            kept[level] = defaultdict(list)
        ads, ad_spend, ad = self.ads, self.ad_spend, Level.AD
        for row in rows:
            if row.level is not ad:
                kept[row.level][row.id].append(row)
                continue
            sums = ads[row.id]
            sums.clicks += row.clicks or 0
            if row.landing_page_views is None:
                sums.landings = None if row.clicks else sums.landings
            elif sums.landings is not None:
                sums.landings += row.landing_page_views
            if row.spend is not None:
                sums.spend += row.spend
                ad_spend[row.day] += row.spend
        for of_one in kept[Level.ADGROUP].values():
            of_one.sort(key=_BY_DAY)

    def of(self, level: Level) -> Mapping[str, Sequence[Day]]:
        """By the object's id; not of ads."""
        return self._rows.get(level, _NO_ROWS)

    def adgroup(self, adgroup_id: str, days: Span) -> Sequence[Day]:
        """An ad group's rows of these days, in their order."""
        rows = self._rows[Level.ADGROUP].get(adgroup_id, ())
        first = bisect_left(rows, days.first, key=_BY_DAY)
        return rows[first : bisect_right(rows, days.last, lo=first, key=_BY_DAY)]
