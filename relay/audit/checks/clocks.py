"""REC: does the account's day begin when we think it does?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import atanh, sqrt
from typing import TYPE_CHECKING

from relay.audit.books import Books
from relay.audit.books.calendar import HOUR_S
from relay.audit.checks.check import Inapplicable, Result, account, text
from relay.audit.findings import Certainty, Figure, Finding, Severity
from relay.audit.guard import too_few

if TYPE_CHECKING:
    from relay.config.audit import Thresholds


def zone_shift(books: Books, limits: Thresholds) -> Result:
    """The lag, −14 … +14 h, at which hourly Rclk correlates best with hourly real_time_conversion,
    is not the configured zone's, and beats it by 5 standard errors (Fisher's z)."""
    reported = {
        each.at.replace(tzinfo=None): each.conversions_by_event_day
        for each in books.facts.hours
        if each.conversions_by_event_day is not None
    }
    clicked = _clicked(books)
    least = min(sum(reported.values()), sum(clicked.values()))
    if too_few(least, limits) or len(reported) < 48:
        return Inapplicable("too few conversions by hour to compare the clocks")
    lags = round(limits.zone_lags / HOUR_S)
    alike = {lag: _correlation(reported, clicked, lag) for lag in range(-lags, lags + 1)}
    best = max(alike, key=lambda lag: (alike[lag], -abs(lag)))
    error = sqrt(2 / max(1, len(reported) - 3))
    lead = (_z(alike[best]) - _z(alike[0])) / error
    if not best or alike[best] < limits.zone_correlation or lead < limits.zone_sigma:
        return []
    return [_shifted(books, best, alike)]


def _clicked(books: Books) -> Mapping[datetime, int]:
    """Delivered events with a click id that ads optimise for, by hour of the account's clock."""
    counts: Counter[datetime] = Counter()
    for pair in sorted({(name, each.event) for each in books.lines for name in each.destinations}):
        for hour, count in books.deliveries.clicks_by_hour.get(pair, {}).items():
            local = books.calendar.local(hour * HOUR_S)
            counts[local.replace(tzinfo=None, minute=0, second=0, microsecond=0)] += count
    return counts


def _correlation(
    reported: Mapping[datetime, int], clicked: Mapping[datetime, int], lag: int
) -> float:
    """Pearson's, of the reported hours with ours `lag` hours earlier; 0 where one never changes."""
    shift = timedelta(hours=lag)
    pairs = [(count, clicked.get(_earlier(at, shift), 0)) for at, count in reported.items()]
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    spread = sqrt(_products(xs, xs) * _products(ys, ys))
    return _products(xs, ys) / spread if spread else 0.0


def _earlier(at: datetime, shift: timedelta) -> datetime:
    try:
        return at - shift
    except OverflowError:  # beyond the calendar's ends
        return at


def _products(xs: Sequence[int], ys: Sequence[int]) -> float:
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True))


def _z(correlation: float) -> float:
    return atanh(min(0.9999, max(-0.9999, correlation)))


def _shifted(books: Books, lag: int, alike: Mapping[int, float]) -> Finding:
    advertiser = books.facts.advertiser
    direction = "later" if lag > 0 else "earlier"
    return Finding(
        check="REC-06",
        severity=Severity.MEDIUM,
        subject=account(books),
        says=f"TikTok's hours fit the relay's best when they are read {abs(lag)} hours "
        f"{direction} than {advertiser.timezone} says (correlation {alike[lag]:.2f}, as "
        f"configured {alike[0]:.2f}).",
        expected=Figure("hours between the clocks", 0, "hours"),
        found=Figure("hours between the clocks", lag, "hours"),
        do=f"Check the zone of account {advertiser.id}: {advertiser.timezone} has POSIX' sign "
        "(Etc/GMT+8 is UTC−8), and reports may follow display_timezone "
        f"({advertiser.display_timezone or 'not given'}).",
        certainty=Certainty.LIKELY,
        source="Marketing API v1.3, /advertiser/info/: timezone; stat_time_hour has no offset",
        details=[
            text(f"correlation at {each:+d} h", f"{alike[each]:.3f}")
            for each in sorted(alike, key=lambda each: -alike[each])[:3]
        ],
    )
