"""BUD: is the money spent as it was meant to be?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from relay.audit.books import Books
from relay.audit.books.calendar import Span, moved, seconds_of
from relay.audit.books.lines import about
from relay.audit.checks.check import (
    Inapplicable,
    Result,
    as_percent,
    cents,
    money,
    percent,
    plural,
    survey,
)
from relay.audit.facts import AdGroup, Campaign, Day
from relay.audit.findings import Certainty, Figure, Finding, Severity, Subject

if TYPE_CHECKING:
    from relay.config.audit import Thresholds

_SOURCE: Final = "TikTok help: budgets, dynamic daily budget; reports by day"
#: TikTok gives groups without an end one about ten years ahead.
_ENDLESS_S: Final = 5 * 365 * 86_400


class _Budget(NamedTuple):
    """An ad group or campaign with a budget of its own, and the days since it was last changed."""

    subject: Subject
    mode: str
    budget: Decimal
    rows: Sequence[Day]
    starts_at: datetime | None
    ends_at: datetime | None
    concerns: frozenset[str]

    def spent(self, days: Span | None = None) -> Decimal:
        rows = [row for row in self.rows if days is None or row.day in days]
        return sum((row.spend for row in rows if row.spend is not None), Decimal(0))


def pacing(books: Books, limits: Thresholds) -> Result:
    """Days since the last change: Sp > 110 % of the daily budget (dynamic: 125 %, a week > 7×);
    lifetime: > 105 % of it, or > 90 % used before 80 % of its time."""
    return survey(
        _budgets(books),
        lambda each: _paced(books, each, limits),
        nothing="no active ad group or campaign has a budget of its own that it spent from",
    )


def _budgets(books: Books) -> Iterator[_Budget]:
    for adgroup in books.active:
        rows = _unchanged(books, adgroup, books.adgroup_days.get(adgroup.id, ()))
        if adgroup.budget and adgroup.budget > 0 and rows:
            subject = Subject("adgroup", adgroup.id, adgroup.name)
            times = (adgroup.starts_at, adgroup.ends_at, about(adgroup=(adgroup.id,)))
            yield _Budget(subject, adgroup.budget_mode or "", adgroup.budget, rows, *times)
    for campaign in books.facts.campaigns:
        rows = _unchanged(books, campaign, books.campaign_days.get(campaign.id, ()))
        if campaign.operation_status == "ENABLE" and campaign.budget and rows:
            subject = Subject("campaign", campaign.id, campaign.name)
            concerns = about(campaign=(campaign.id,))
            mode = campaign.budget_mode or ""
            yield _Budget(subject, mode, campaign.budget, rows, None, None, concerns)


def _unchanged(books: Books, object: AdGroup | Campaign, rows: Sequence[Day]) -> Sequence[Day]:
    """Its days in the last two weeks, after the day of its last change: earlier ones may have had
    another budget. Lifetime budgets need all days since the start."""
    if object.budget_mode == "BUDGET_MODE_TOTAL":
        return rows
    first = moved(books.today, -13)
    if object.modified_at is not None:
        first = max(first, moved(books.calendar.day_of(object.modified_at), 1))
    return [row for row in rows if row.day >= first and row.day in books.period]


def _paced(books: Books, budget: _Budget, limits: Thresholds) -> Result:
    if budget.mode == "BUDGET_MODE_TOTAL":
        return _lifetime(books, budget, limits)
    if budget.mode == "BUDGET_MODE_DAY":
        return _daily(books, budget, limits.overspend_day)
    if budget.mode == "BUDGET_MODE_DYNAMIC_DAILY_BUDGET":
        over = _daily(books, budget, limits.overspend_dynamic_day)
        return over or _weekly(books, budget, limits)
    return Inapplicable("no budget of a day or of a lifetime is set")


def _daily(books: Books, budget: _Budget, factor: float) -> Sequence[Finding]:
    cap = budget.budget * Decimal(str(factor))
    over = [row for row in budget.rows if row.spend is not None and row.spend > cap]
    if not over:
        return []
    worst = max(over, key=lambda row: (row.spend or Decimal(0), row.day))
    spent = worst.spend or Decimal(0)
    says = (
        f'"{budget.subject.name}" spent {cents(spent)} {books.currency} on {worst.day}, '
        f"{as_percent(float(spent / budget.budget))} of its daily budget of "
        f"{cents(budget.budget)}; it overspent on {plural(len(over), 'day')}."
    )
    beyond = sum((row.spend or Decimal(0)) - budget.budget for row in over)
    since = min(row.day for row in over)
    return [_overspent(books, budget, says, (cap, spent), since, Decimal(beyond))]


def _weekly(books: Books, budget: _Budget, limits: Thresholds) -> Sequence[Finding]:
    week = Span(moved(books.today, -7), moved(books.today, -1))
    spent = budget.spent(week)
    cap = budget.budget * Decimal(str(limits.overspend_dynamic_week))
    if spent <= cap:
        return []
    says = (
        f'"{budget.subject.name}" spent {cents(spent)} {books.currency} in seven days, more than '
        f"{limits.overspend_dynamic_week:g} times its dynamic daily budget of "
        f"{cents(budget.budget)}."
    )
    return [_overspent(books, budget, says, (cap, spent), week.first, spent - cap)]


def _overspent(
    books: Books,
    budget: _Budget,
    says: str,
    figures: tuple[Decimal, Decimal],
    since: date | None,
    beyond: Decimal,
) -> Finding:
    subject = budget.subject
    return Finding(
        check="BUD-01",
        severity=Severity.HIGH,
        subject=subject,
        says=says,
        expected=money("spend, at most", figures[0], books.currency),
        found=money("spend", figures[1], books.currency),
        do=f'Lower the budget of {subject.kind} "{subject.name}" ({subject.id}), see whether its '
        "campaign shares a budget, and set a limit for the account.",
        certainty=Certainty.CERTAIN,
        source=_SOURCE,
        since=since,
        at_stake=beyond,
        concerns=budget.concerns,
    )


def _lifetime(books: Books, budget: _Budget, limits: Thresholds) -> Result:
    starts, ends = budget.starts_at, budget.ends_at
    spent = budget.spent()
    share = float(spent / budget.budget)
    if share > limits.overspend_lifetime:
        cap = budget.budget * Decimal(str(limits.overspend_lifetime))
        says = (
            f'"{budget.subject.name}" spent {cents(spent)} {books.currency}, {as_percent(share)} '
            f"of its lifetime budget of {cents(budget.budget)}."
        )
        beyond = spent - budget.budget
        return [_overspent(books, budget, says, (cap, spent), None, beyond)]
    if starts is None or ends is None:
        return []
    begin, end = seconds_of(starts), seconds_of(ends)
    if not 0 < end - begin < _ENDLESS_S:
        return []
    elapsed = (books.calendar.now - begin) / (end - begin)
    if share <= limits.pacing_used or elapsed >= limits.pacing_elapsed:
        return []
    return [_too_fast(books, budget, share, elapsed, spent)]


def _too_fast(
    books: Books, budget: _Budget, share: float, elapsed: float, spent: Decimal
) -> Finding:
    subject = budget.subject
    return Finding(
        check="BUD-01",
        severity=Severity.HIGH,
        subject=subject,
        says=f'"{subject.name}" has used {as_percent(share)} of its lifetime budget of '
        f"{cents(budget.budget)} {books.currency} after {as_percent(elapsed)} of its time.",
        expected=percent("budget used", elapsed),
        found=percent("budget used", share),
        do=f'Raise the budget of {subject.kind} "{subject.name}" ({subject.id}), or let it spend '
        "evenly (PACING_MODE_SMOOTH).",
        certainty=Certainty.CERTAIN,
        source=_SOURCE,
        at_stake=budget.budget - spent,
        details=[Figure("spend", cents(spent), books.currency)],
        concerns=budget.concerns,
    )
