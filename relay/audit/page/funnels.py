"""From arrivals to spend: pictures, and all their numbers in tables. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from relay.audit.findings import Audit
from relay.audit.page.charts import funnel
from relay.audit.page.markup import Markup, named, tag
from relay.audit.page.table import Column, Row, folded, table
from relay.audit.summary import Summary
from relay.audit.summary.funnel import Flow, Passage
from relay.audit.wording import amount, count, day, plain

#: Of how many channels and events there are pictures; the tables have all.
_MOST_PICTURES = 6

_STAGES = ("arrived", "delivered", "server", "browser", "counted", "attributed", "reported")


def funnels(audit: Audit, summary: Summary) -> Markup:
    currency = audit.facts.advertiser.currency
    paid = [flow for flow in summary.flows if flow.is_paid_for]
    drawn = (paid or summary.flows)[:_MOST_PICTURES]
    note = (
        "Arrived, delivered and TikTok's counts by day of UTC, reported and spend by day of the "
        "account's zone. Percentages are of the delivered. Counted is server and browser before "
        "TikTok merges what came both ways."
    )
    return tag(
        "section",
        tag("h3", "From arrival to spend"),
        tag("p", note, class_="muted small"),
        tag("div", *(card for flow in drawn for card in _flow(flow, summary, currency)),
            class_="cards"),
        folded("All destinations and events as a table", _totals(summary, currency)),
        folded("Every day as a table", *(_daily(flow, currency) for flow in summary.flows)),
    )  # fmt: skip


def _flow(flow: Flow, summary: Summary, currency: str) -> Iterator[Markup]:
    name = (named(flow.event, 40), " · ", named(flow.channel.label, 60))
    yield tag("figure", tag("figcaption", *name), funnel.whole(flow, currency), class_="card")
    yield tag(
        "figure",
        tag("figcaption", *name, ", by day"),
        funnel.daily(flow, summary.immature, currency),
        class_="card",
    )


def _columns(first: str, currency: str) -> Sequence[Column]:
    stages = [Column(stage) for stage in _STAGES]
    return [Column(first, is_number=False), *stages, Column(f"spend {plain(currency, 8)}")]


def _cells(passage: Passage, currency: str) -> Sequence[str]:
    numbers = (
        passage.arrivals,
        passage.delivered,
        passage.server,
        passage.browser,
        passage.counted,
        passage.attributed,
        passage.reported,
    )
    return [*(count(each) for each in numbers), amount(passage.spend, currency)]


def _totals(summary: Summary, currency: str) -> Markup:
    rows = [Row((named(_name(flow)), *_cells(flow.total, currency))) for flow in summary.flows]
    return table("Whole period", _columns("destination and event", currency), rows)


def _daily(flow: Flow, currency: str) -> Markup:
    rows = [Row((day(when), *_cells(passage, currency))) for when, passage in flow.days.items()]
    return table(_name(flow), _columns("day", currency), rows)


def _name(flow: Flow) -> str:
    return f"{plain(flow.channel.label, 60)}, {plain(flow.event, 40)}"
