"""VAL: do ad groups that bid for value get values to bid by?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from relay.audit.books import Books
from relay.audit.books.lines import VALUE_GOALS, Line
from relay.audit.checks.check import Inapplicable, Result, events, named, number, survey
from relay.audit.facts import AdGroup
from relay.audit.findings import Certainty, Finding, Severity
from relay.audit.guard import more_than, too_few

if TYPE_CHECKING:
    from relay.config.audit import Thresholds


def by_value(books: Books, line: Line) -> Sequence[AdGroup]:
    """Its active ad groups that optimise for value, or bid for a return on spend."""
    found = []
    for each in line.active:
        campaign = books.campaigns.get(each.campaign_id)
        bids = (each.roas_bid, None if campaign is None else campaign.roas_bid)
        if each.optimization_goal in VALUE_GOALS or any(bid and bid > 0 for bid in bids):
            found.append(each)
    return found


def no_value_signal(books: Books, limits: Thresholds) -> Result:
    """Goal VALUE or roas_bid > 0, while the sampled events have ≤ 1 distinct value, or none."""
    return survey(
        [line for line in books.lines if line.destinations and by_value(books, line)],
        lambda line: _signalless(books, line, limits),
        nothing="no active ad group bids for value of an event that the relay feeds",
    )


def _signalless(books: Books, line: Line, limits: Thresholds) -> Result:
    rows = books.sampled.orders(line.destinations, line.event)
    worth = [(row.value, row.currency) for row in rows if row.value and row.currency]
    if too_few(len(rows), limits):
        return Inapplicable(f"{len(rows)} sampled {books.called(line.event)} events are too few")
    without = more_than(len(rows) - len(worth), len(rows), limits.worthless, limits)
    if len(set(worth)) > limits.distinct_values and not without:
        return []
    valued = by_value(books, line)
    return [
        Finding(
            check="VAL-04",
            severity=Severity.HIGH,
            subject=line.subject,
            says=f"{named(each.name for each in valued)} bid for value, but {len(rows)} sampled "
            f"{books.called(line.event)} events have {len(set(worth))} distinct values, and "
            f"{len(rows) - len(worth)} have none.",
            expected=number("distinct values, at least", limits.distinct_values + 1, "values"),
            found=number("distinct values", len(set(worth)), "values"),
            do="Let the shop send each order's own value, or optimise "
            f"{named(e.name for e in valued)} for the number of conversions.",
            certainty=Certainty.CERTAIN,
            source="Marketing API v1.3: optimization_goal, roas_bid; the relay's sample",
            since=books.spending_since(valued),
            at_stake=books.spend(valued),
            details=[events("sampled events", len(rows))],
            concerns=line.concerns,
        )
    ]
