"""What a conversion costs and brings, by whose count: pictures, and their numbers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from relay.audit.findings import Audit
from relay.audit.page.charts.cost import running, three
from relay.audit.page.markup import Markup, tag
from relay.audit.page.table import Column, Row, folded, table
from relay.audit.summary import Summary
from relay.audit.summary.money import RUNNING_DAYS, Money
from relay.audit.wording import amount, count, day, days, percent, plain, plural, ratio


def costs(audit: Audit, summary: Summary) -> Markup:
    """Of mature days only; which are left out stands in words."""
    currency = plain(audit.facts.advertiser.currency, 8)
    return tag(
        "section",
        tag("h3", "What a conversion costs, and what it brings"),
        tag("p", _explained(summary), class_="muted small"),
        _unconvertible(summary),
        tag("div", *_pictures(summary, currency), class_="cards"),
        folded("Sums and ratios as a table", _sums(summary, currency)),
        folded("Every day as a table", _daily(summary, currency)),
        folded(f"Running {RUNNING_DAYS} days as a table", _running(summary, currency))
        if summary.running
        else None,
    )


def _explained(summary: Summary) -> str:
    said = (
        "Platform: by what TikTok reports. Verified: by what was delivered with a click id. "
        "Blended: by all that was delivered, whoever brought it. "
    )
    window = plural(summary.window, "day")
    if summary.mature is None:
        return f"{said}No day is old enough yet: TikTok adds conversions for {window}."
    if summary.immature is None:
        return f"{said}Days: {days(summary.mature)}."
    return (
        f"{said}Days: {days(summary.mature)}. Left out: {days(summary.immature)}, to which TikTok "
        f"still adds conversions (longest click window: {window})."
    )


def _unconvertible(summary: Summary) -> Markup | None:
    if not summary.unconvertible:
        return None
    missing = ", ".join(plain(each, 8) for each in summary.unconvertible)
    said = f"There is no rate for {missing}: values with it in them cannot be said."
    return tag("p", tag("strong", said))


def _pictures(summary: Summary, currency: str) -> Sequence[Markup]:
    def price(value: Decimal | None) -> str:
        return amount(value, currency)

    settled = summary.settled
    made = [
        _card(f"Cost per conversion, {currency}", three("CPA", settled.cpa, price)),
        _card(f"Value per {currency} spent", three("ROAS", settled.roas, ratio)),
    ]
    if summary.running:
        cpa = [(when, money.cpa) for when, money in summary.running]
        roas = [(when, money.roas) for when, money in summary.running]
        title = f"over {RUNNING_DAYS} days each"
        made += [
            _card(f"Cost per conversion, {title}", running(f"CPA {title}", cpa, price)),
            _card(f"Value per {currency} spent, {title}", running(f"ROAS {title}", roas, ratio)),
        ]
    return made


def _card(caption: str, drawn: Markup) -> Markup:
    return tag("figure", tag("figcaption", caption), drawn, class_="card")


_MONEY = (
    "spend", "reported", "reported by day of event", "reported value", "delivered",
    "with a click id", "delivered value", "value with a click id",
)  # fmt: skip
_RATIOS = tuple(f"{name} {basis}" for name in ("CPA", "ROAS") for basis in
                ("platform", "verified", "blended"))  # fmt: skip


def _cells(money: Money, currency: str) -> Sequence[str]:
    return (
        amount(money.spend, currency),
        count(money.reported),
        count(money.happened),
        amount(money.reported_value, currency),
        count(money.delivered),
        count(money.clicked),
        amount(money.delivered_value, currency),
        amount(money.clicked_value, currency),
    )


def _ratios(money: Money, currency: str) -> Sequence[str]:
    return (
        *(amount(each, currency) for each in money.cpa),
        *(ratio(each) for each in money.roas),
    )


def _sums(summary: Summary, currency: str) -> Markup:
    total = dict(zip(_MONEY, _cells(summary.total, currency), strict=True))
    settled = dict(zip(_MONEY, _cells(summary.settled, currency), strict=True))
    settled |= dict(zip(_RATIOS, _ratios(summary.settled, currency), strict=True))
    settled["claimed"] = percent(summary.settled.claimed)
    columns = (
        Column("quantity", is_number=False),
        Column("whole period"),
        Column(f"mature: {days(summary.mature)}"),
    )
    rows = [Row((name, total.get(name, ""), said)) for name, said in settled.items()]
    return table(f"Sums and ratios; money in {currency}", columns, rows)


def _daily(summary: Summary, currency: str) -> Markup:
    last = None if summary.mature is None else summary.mature.last
    columns = (Column("day", is_number=False), *(Column(head) for head in _MONEY))
    rows = [
        Row(
            (day(when), *_cells(money, currency)),
            None if last is not None and when <= last else "young",
        )
        for when, money in summary.days.items()
    ]
    return table(f"By day of the account's zone, money in {currency}; pale days are too young",
                 columns, rows)  # fmt: skip


def _running(summary: Summary, currency: str) -> Markup:
    columns = (Column("last day", is_number=False), *(Column(head) for head in _RATIOS))
    rows = [Row((day(when), *_ratios(money, currency))) for when, money in summary.running]
    return table(f"Ratios over {RUNNING_DAYS} mature days, money in {currency}", columns, rows)
