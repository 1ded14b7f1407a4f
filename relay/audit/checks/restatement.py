"""REC: are the days all in, did they stay, and do the levels add up?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from relay.audit.books import Books
from relay.audit.books.calendar import Span, days_of
from relay.audit.checks.check import (
    Inapplicable,
    Result,
    account,
    as_percent,
    cents,
    events,
    money,
    plural,
)
from relay.audit.facts import Day, Level, Snapshot
from relay.audit.findings import Certainty, Figure, Finding, Severity
from relay.audit.guard import enough

if TYPE_CHECKING:
    from relay.config.audit import Thresholds


def immature_days(books: Books, _: Thresholds) -> Result:
    """Days with reports that a ratio would have used, were they mature: they are left out."""
    left_out: set[date] = set()
    for line in books.lines:
        mature = books.mature(line.window)
        left_out.update(
            day
            for day, totals in books.days_of(line).items()
            if day in books.period
            and day < books.today
            and (mature is None or day > mature.last)
            and (totals.spend or totals.count("conversions"))
        )
    if not books.lines:
        return Inapplicable("no ad group optimises for an event of a pixel")
    return [_left_out(books, left_out)] if left_out else []


def _left_out(books: Books, days: set[date]) -> Finding:
    window = books.account_window
    return Finding(
        check="REC-07",
        severity=Severity.INFO,
        subject=account(books),
        says=f"Left out of every comparison: {plural(len(days), 'day')}, {min(days)} to "
        f"{max(days)}; conversions may still come until {plural(window, 'day')} after the click.",
        expected=Figure("longest attribution window", window, "days"),
        found=Figure("days left out", len(days), "days"),
        do="Nothing; look at these days again when they are mature, and do not judge them now.",
        certainty=Certainty.CERTAIN,
        source="Marketing API v1.3: conversions are counted on the day of the click or view",
        since=min(days),
    )


def restated(books: Books, limits: Thresholds) -> Result:
    """Snapshot against now: |ΔSp| > 1 % of a day seen 2 days after it, or C shrunk by > 20 %."""
    now = _known_days(books)
    pairs = [
        (each, row)
        for each in books.facts.snapshots
        if (row := now.get((each.level, each.id, each.day))) is not None
    ]
    if not pairs:
        return Inapplicable("no earlier audit saw one of these days")
    spent = _once([pair for pair in pairs if _spend_moved(books, *pair, limits)])
    shrunk = _once([pair for pair in pairs if _shrank(*pair, limits)])
    found = [_restated_spend(books, spent)] if spent else []
    return [*found, _taken_back(books, shrunk)] if shrunk else found


_Pair = tuple[Snapshot, Day]


def _once(pairs: Sequence[_Pair]) -> Sequence[_Pair]:
    """Each day once, as it was first seen, and of the highest level that shows it: several audits
    saw it, and a campaign's money is the account's."""
    levels = {old.level for old, _ in pairs}
    highest = next((each for each in Level if each in levels), None)
    first: dict[tuple[str, date], _Pair] = {}
    for pair in sorted(pairs, key=lambda pair: pair[0].seen_at):
        if pair[0].level is highest:
            first.setdefault((pair[0].id, pair[0].day), pair)
    return list(first.values())


def _known_days(books: Books) -> Mapping[tuple[Level, str, date], Day]:
    """The days of the objects that snapshots tell of; rows of ads are not kept one by one."""
    rows: dict[tuple[Level, str, date], Day] = {}
    for level, key in {(each.level, each.id) for each in books.facts.snapshots}:
        days: Sequence[Day] = ()
        if level is Level.ACCOUNT:
            days = list(books.account_days.values())
        elif level in (Level.ADGROUP, Level.CAMPAIGN):
            by_id = books.adgroup_days if level is Level.ADGROUP else books.campaign_days
            days = by_id.get(key, ())
        rows |= {(level, key, row.day): row for row in days}
    return rows


def _spend_moved(books: Books, old: Snapshot, new: Day, limits: Thresholds) -> bool:
    if old.spend is None or new.spend is None:
        return False
    seen = books.calendar.day(old.seen_at).toordinal() - old.day.toordinal()
    moved = abs(new.spend - old.spend)
    return (
        seen >= days_of(limits.restated_after)
        and moved > Decimal(str(limits.restated_spend)) * max(old.spend, new.spend)
        and moved > Decimal("0.01")
    )


def _shrank(old: Snapshot, new: Day, limits: Thresholds) -> bool:
    if old.conversions is None or new.conversions is None:
        return False
    least = (1 - limits.conversions_shrunk) * old.conversions
    return new.conversions < least and enough(old.conversions, new.conversions, limits)


def _restated_spend(books: Books, pairs: Sequence[_Pair]) -> Finding:
    before = sum((old.spend or Decimal(0) for old, _ in pairs), Decimal(0))
    after = sum((new.spend or Decimal(0) for _, new in pairs), Decimal(0))
    currency = books.currency
    return Finding(
        check="REC-08",
        severity=Severity.LOW,
        subject=account(books),
        says=f"The spend of {_days_of(pairs)} was {cents(before)} {currency} when it "
        f"was read two days later, and is {cents(after)} {currency} now.",
        expected=money("spend as first read", before, currency),
        found=money("spend now", after, currency),
        do="Note the revision in the books; ask TikTok for the credit of invalid traffic if "
        "spend fell.",
        certainty=Certainty.CERTAIN,
        source="snapshots of earlier audits; reports are mended daily at 12:00 UTC",
        since=min(old.day for old, _ in pairs),
        at_stake=abs(after - before),
    )


def _days_of(pairs: Sequence[_Pair]) -> str:
    return plural(len({old.day for old, _ in pairs}), "day")


def _taken_back(books: Books, pairs: Sequence[_Pair]) -> Finding:
    before = sum(old.conversions or 0 for old, _ in pairs)
    after = sum(new.conversions or 0 for _, new in pairs)
    return Finding(
        check="REC-08",
        severity=Severity.LOW,
        subject=account(books),
        says=f"TikTok took back {before - after} of {before} conversions of {_days_of(pairs)}.",
        expected=events("conversions as first read", before),
        found=events("conversions now", after),
        do="Note the revision; look for invalid traffic and for a changed optimisation event.",
        certainty=Certainty.CERTAIN,
        source="snapshots of earlier audits",
        since=min(old.day for old, _ in pairs),
    )


#: Of ads there is one sum, not a row a day.
_ADS: Final = "ads"


def levels(books: Books, limits: Thresholds) -> Result:
    """Spend of the account against Σ campaigns, Σ ad groups, Σ ads: > 0.5 % apart."""
    whole = {
        day: row.spend
        for day, row in books.account_days.items()
        if row.spend is not None and day in books.period
    }
    total = sum(whole.values(), Decimal(0))
    if not total:
        return Inapplicable("the account spent nothing in these days")
    sums = {
        "campaigns": _by_day(books.campaign_days),
        "ad groups": _by_day(books.adgroup_days),
        _ADS: books.reports.ad_spend,
    }
    share = Decimal(str(limits.level_gap))
    # An ad's sum stands on the last day, on which the account may have no row yet.
    parts = {level: _of(days, books.period) for level, days in sums.items()}
    return [
        _gap(books, level, total, parts[level],
             _first_gap(whole, days, share) if level != _ADS else None)
        for level, days in sums.items()
        if abs(parts[level] - total) > share * total
    ]  # fmt: skip


def _by_day(objects: Mapping[str, Sequence[Day]]) -> Mapping[date, Decimal]:
    days: dict[date, Decimal] = {}
    for rows in objects.values():
        for row in rows:
            if row.spend is not None:
                days[row.day] = days.get(row.day, Decimal(0)) + row.spend
    return days


def _of(days: Mapping[date, Decimal], period: Span) -> Decimal:
    return sum((spend for day, spend in days.items() if day in period), Decimal(0))


def _first_gap(
    whole: Mapping[date, Decimal], days: Mapping[date, Decimal], share: Decimal
) -> date | None:
    return min(
        (
            day
            for day, spend in whole.items()
            if abs(days.get(day, Decimal(0)) - spend) > share * abs(spend)
        ),
        default=None,
    )


def _gap(books: Books, level: str, total: Decimal, part: Decimal, since: date | None) -> Finding:
    currency = books.currency
    missing = total - part
    return Finding(
        check="REC-09",
        severity=Severity.MEDIUM,
        subject=account(books),
        says=f"The account spent {cents(total)} {currency}, its {level} {cents(part)} {currency} "
        f"together: {as_percent(float(abs(missing / total)))} apart.",
        expected=money("spend of the account", total, currency),
        found=money(f"spend of all {level}", part, currency),
        do=f"Read the report of {level} with deleted objects (STATUS_ALL) and past the cut at 20 "
        "000 ids; GMV Max and Branded Mission are told at the account only.",
        certainty=Certainty.CERTAIN,
        source="Marketing API v1.3, /report/integrated/get/: deleted objects, top 20 000 ids",
        since=since,
        at_stake=abs(missing),
        details=[Figure("level", level)],
    )
