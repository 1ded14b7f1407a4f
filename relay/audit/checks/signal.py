"""BUD: do the ad groups get enough conversions to learn from?"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from relay.audit.books import Books
from relay.audit.books.calendar import Span, days_of
from relay.audit.books.lines import Line, about
from relay.audit.books.totals import Totals, of_rows
from relay.audit.checks.check import Inapplicable, Result, cents, events, money, survey
from relay.audit.facts import AdGroup
from relay.audit.findings import Certainty, Figure, Finding, Severity, Subject
from relay.audit.guard import below, too_few

if TYPE_CHECKING:
    from relay.config.audit import Thresholds

_SOURCE = "TikTok help: learning phase (about 50 conversions), budgets of ten times the cost"


def scarce(books: Books, limits: Thresholds) -> Result:
    """C of the last 7 mature days < 50 L, < 25 M, beyond the guard: where merging ad groups would
    help, else I. Daily budget < 10 × CPA: M."""
    return survey(
        [(line, each) for line in books.lines for each in line.active],
        lambda item: _scarce(books, item[0], item[1], limits),
        nothing="no active ad group optimises for an event of a pixel",
    )


def _scarce(books: Books, line: Line, adgroup: AdGroup, limits: Thresholds) -> Result:
    mature = books.mature(line.window)
    if mature is None or mature.days < days_of(limits.learning_days):
        return Inapplicable("too few days are mature")
    week = mature.latest(days_of(limits.learning_days))
    if adgroup.created_at is not None and books.calendar.day_of(adgroup.created_at) >= week.first:
        return Inapplicable("the ad groups are too new")
    return [
        *_unlearned(books, line, adgroup, week, limits),
        *_small_budget(books, line, adgroup, mature, limits),
    ]


def _reported(books: Books, adgroup: AdGroup, days: Span) -> Totals:
    return of_rows(books.reports.adgroup(adgroup.id, days))


def _unlearned(
    books: Books, line: Line, adgroup: AdGroup, week: Span, limits: Thresholds
) -> list[Finding]:
    reported = _reported(books, adgroup, week)
    count, spend = reported.count("conversions"), reported.spend
    if count is None or not spend or not below(count, limits.learning_conversions, 1, limits):
        return []
    together = books.reported(line, week).count("conversions") or 0
    few = below(count, limits.scarce_conversions, 1, limits)
    helps = len(line.active) > 1 and together >= limits.learning_conversions
    merged = f"Merge it with the other ad groups on {books.called(line.event)} of pixel {line.code}"
    return [
        Finding(
            check="BUD-02",
            severity=(Severity.MEDIUM if few else Severity.LOW) if helps else Severity.INFO,
            subject=Subject("adgroup", adgroup.id, adgroup.name),
            says=f'"{adgroup.name}" got {count} conversions in {week.days} mature days; about '
            f"{limits.learning_conversions} are needed to learn.",
            expected=events(f"conversions in {week.days} days", limits.learning_conversions),
            found=events(f"conversions in {week.days} days", count),
            do=f"{merged} ({together} conversions together)."
            if helps
            else f'Optimise "{adgroup.name}" for an event that happens more often (add to cart, '
            "check-out): merging would not be enough.",
            certainty=Certainty.LIKELY,
            source=_SOURCE,
            since=week.first,
            at_stake=spend,
            concerns=_concerns(line, adgroup),
        )
    ]


def _small_budget(
    books: Books, line: Line, adgroup: AdGroup, mature: Span, limits: Thresholds
) -> list[Finding]:
    reported = _reported(books, adgroup, mature)
    count, budget = reported.count("conversions"), adgroup.budget
    daily = adgroup.budget_mode in ("BUDGET_MODE_DAY", "BUDGET_MODE_DYNAMIC_DAILY_BUDGET")
    if not daily or not budget or not count or too_few(count, limits):
        return []
    cost = reported.spend / count
    least = cost * Decimal(str(limits.budget_per_cpa))
    if budget >= least:
        return []
    currency = books.currency
    return [
        Finding(
            check="BUD-02",
            severity=Severity.MEDIUM,
            subject=Subject("adgroup", adgroup.id, adgroup.name),
            says=f'"{adgroup.name}" has a daily budget of {cents(budget)} {currency}, '
            f"{cents(budget / cost)} times its cost of {cents(cost)} per conversion; "
            f"{limits.budget_per_cpa:g} times are advised.",
            expected=money("daily budget, at least", least, currency),
            found=money("daily budget", budget, currency),
            do=f'Raise the daily budget of "{adgroup.name}" ({adgroup.id}) to {cents(least)} '
            f"{currency} in steps of at most 50 %, or optimise for a cheaper event.",
            certainty=Certainty.LIKELY,
            source=_SOURCE,
            since=mature.first,
            at_stake=reported.spend,
            details=[Figure("cost per conversion", cents(cost), currency)],
            concerns=_concerns(line, adgroup),
        )
    ]


def _concerns(line: Line, adgroup: AdGroup) -> frozenset[str]:
    return about(adgroup=(adgroup.id,), pixel=(line.code,), event=(line.event,))
