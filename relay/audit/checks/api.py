"""API: can the facts be relied on?"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from relay.audit.books import PURCHASE, Books
from relay.audit.checks.check import Inapplicable, Result, account, as_percent, cents, events, text
from relay.audit.facts import Day, Gathered
from relay.audit.findings import Certainty, Figure, Finding, Severity

if TYPE_CHECKING:
    from relay.config.audit import Thresholds


def incomplete_data(books: Books, _: Thresholds) -> Result:
    """A part was read with a problem (cut off, throttled, refused, rows ≠ total_number). Parts that
    TikTok refused alike are one finding."""
    causes: dict[object, list[Gathered]] = {}
    for each in books.facts.gathered.values():
        if each.problem is not None:
            causes.setdefault(each.problem if each.code is None else each.code, []).append(each)
    return [_gap(books, parts) for parts in causes.values()]


def _gap(books: Books, parts: list[Gathered]) -> Finding:
    gathered = parts[0]
    names = ", ".join(each.part.value for each in parts)
    rows = sum(each.rows for each in parts)
    code = () if gathered.code is None else (Figure("TikTok's code", gathered.code),)
    again = "TikTok" if gathered.code is None else f"TikTok (code {gathered.code})"
    return Finding(
        check="API-01",
        severity=Severity.HIGH,
        subject=account(books),
        says=f"Incomplete: {names}. {gathered.problem}. {rows} rows were read.",
        expected=text(names, "complete"),
        found=events("rows read", rows),
        do=f"Run the audit again once {again} answers in full; what depends on these parts was not "
        "judged.",
        certainty=Certainty.CERTAIN,
        source="Marketing API v1.3: return codes, page_info.total_number, X-Tt-Ads-Throttle",
        details=code,
        concerns=frozenset(f"part:{each.part.value}" for each in parts),
    )


class _Pair(NamedTuple):
    """Two ways to one amount, and how much of their difference may be rounding."""

    what: str
    reported: Decimal
    computed: Decimal
    slack: Decimal


def semantics(books: Books, limits: Thresholds) -> Result:
    """|V − Σ(P · value per purchase)| / V, and |Σ(ROAS · Sp) − V| / V, beyond rounding: > 1 %."""
    rows = [row for of_one in books.adgroup_days.values() for row in of_one]
    pairs = [each for each in (_by_count(rows), _by_roas(rows)) if each is not None]
    if not pairs:
        return Inapplicable("no day has a purchase value that could be computed in another way")
    return [_disagreement(books, each) for each in pairs if _differs(each, limits)]


#: TikTok gives both with two decimals.
_ROUNDING = Decimal("0.005")


def _by_count(rows: list[Day]) -> _Pair | None:
    reported = computed = slack = Decimal(0)
    for row, value in _valued(rows):
        count = row.counts.get(PURCHASE)
        if count and row.value_per_purchase is not None:
            reported += value
            computed += count * row.value_per_purchase
            slack += (count + 1) * _ROUNDING
    what = "complete_payment × value_per_complete_payment"
    return _Pair(what, reported, computed, slack) if slack else None


def _by_roas(rows: list[Day]) -> _Pair | None:
    reported = computed = slack = Decimal(0)
    for row, value in _valued(rows):
        if row.spend and row.purchase_roas is not None:
            reported += value
            computed += row.spend * row.purchase_roas
            slack += (row.spend + 1) * _ROUNDING
    return _Pair("complete_payment_roas × spend", reported, computed, slack) if slack else None


def _valued(rows: list[Day]) -> Iterator[tuple[Day, Decimal]]:
    for row in rows:
        value = row.values.get(PURCHASE)
        if value is not None:
            yield row, value


def _differs(pair: _Pair, limits: Thresholds) -> bool:
    gap = abs(pair.reported - pair.computed)
    allowed = Decimal(str(limits.semantics_error)) * max(abs(pair.reported), abs(pair.computed))
    return gap > allowed + pair.slack


def _disagreement(books: Books, pair: _Pair) -> Finding:
    larger = max(abs(pair.reported), abs(pair.computed))
    error = float(abs(pair.reported - pair.computed) / larger)
    return Finding(
        check="API-02",
        severity=Severity.HIGH,
        subject=account(books),
        says=f"total_complete_payment_rate adds up to {cents(pair.reported)} {books.currency}, "
        f"but {pair.what} to {cents(pair.computed)}: {as_percent(error)} apart.",
        expected=Figure(pair.what, cents(pair.computed), books.currency),
        found=Figure("total_complete_payment_rate", cents(pair.reported), books.currency),
        do="Do not use TikTok's purchase value until its meaning is confirmed in Ads Manager: "
        "compare one day of one ad group there.",
        certainty=Certainty.CERTAIN,
        source="Marketing API v1.3, web metrics: the name says rate, two sets of labels say value",
    )
