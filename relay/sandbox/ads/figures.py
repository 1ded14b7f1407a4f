"""The metrics of one row of a report, by the names of the Marketing API, worked out when asked.

What is counted comes as integers, money among it in minor units; rates and averages follow from it.
`total_complete_payment_rate` is a value in spite of its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Final

from relay.event_names import EVENT_NAMES
from relay.sandbox.ads.money import amount, quotient

Counts = Mapping[str, int]
Metric = Callable[["Figures"], Decimal | int]

#: Metrics that are counted as they are.
COUNTED: Final = frozenset({
    "impressions", "clicks", "conversion", "real_time_conversion",
    "cta_conversion", "vta_conversion", "engaged_view_through_conversions",
    "vta_complete_payment", "evta_payments_completed",
    *(each.count for each in EVENT_NAMES),
})  # fmt: skip
#: Money that is summed as it is.
SUMMED: Final = frozenset({
    "spend", "vta_complete_payment_value", *(each.value for each in EVENT_NAMES if each.value),
})  # fmt: skip
#: Metrics that say how many people: they take 16 hours, and cannot be added up.
OF_PEOPLE: Final = frozenset({"reach", "frequency", "cost_per_1000_reached"})
#: What is billed takes 11 hours, what it is paid with 16; the account has it by day alone.
OF_BILLING: Final = frozenset({"billed_cost", "cash_spend", "voucher_spend"})


class Figures(Mapping[str, Decimal | int]):
    """`hidden` are metrics that this row does not have (yet); `voucher` is the part of spend, in
    minor units, that vouchers paid."""

    def __init__(
        self, counts: Counts, digits: int, *, hidden: frozenset[str], voucher: int = 0
    ) -> None:
        self.counts = counts
        self.digits = digits
        self.voucher = voucher
        self._hidden = hidden

    def __getitem__(self, name: str) -> Decimal | int:
        if name in self._hidden:
            raise KeyError(name)
        return METRICS[name](self)

    def __iter__(self) -> Iterator[str]:
        return (name for name in METRICS if name not in self._hidden)

    def __len__(self) -> int:
        return len(METRICS) - len(METRICS.keys() & self._hidden)

    def count(self, name: str) -> int:
        return self.counts.get(name, 0)

    def money(self, name: str) -> Decimal:
        return amount(self.count(name), self.digits)

    @property
    def reach(self) -> int:
        """More impressions reach the same people again."""
        shown = self.count("impressions")
        return round(shown / (1.15 + min(shown, 2_000_000) / 1_500_000))


def _count(name: str) -> Metric:
    return lambda row: row.count(name)


def _money(name: str) -> Metric:
    return lambda row: row.money(name)


def _cost_per(name: str) -> Metric:
    return lambda row: quotient(row.money("spend"), row.count(name), 2)


def _percent(part: str, whole: str) -> Metric:
    return lambda row: quotient(100 * row.count(part), row.count(whole), 2)


def _worth(value: str, of: str) -> Metric:
    return lambda row: quotient(row.money(value), row.count(of), 2)


def _return(value: str) -> Metric:
    return lambda row: quotient(row.money(value), row.money("spend"), 2)


def _of_events() -> Iterator[tuple[str, Metric]]:
    for each in EVENT_NAMES:
        count = each.count
        yield f"cost_per_{_in_cost(count)}", _cost_per(count)
        if count == "total_landing_page_view":
            yield "landing_page_view_rate", _percent(count, "clicks")
        elif count == "total_pageview":
            yield "pageview_rate", _percent(count, "clicks")
            yield "avg_value_per_pageview", _worth("total_value_per_pageview", count)
        else:
            yield f"{count}_rate", _percent(count, "clicks")
            if each.value is not None:
                yield f"value_per_{count}", _worth(each.value, count)


def _in_cost(count: str) -> str:
    return count.removeprefix("total_")


#: Every metric that a row may have.
METRICS: Final[Mapping[str, Metric]] = {
    **{name: _count(name) for name in sorted(COUNTED)},
    **{name: _money(name) for name in sorted(SUMMED)},
    **dict(_of_events()),
    "billed_cost": lambda row: amount(row.count("spend") - row.voucher, row.digits),
    "cash_spend": lambda row: amount(row.count("spend") - row.voucher, row.digits),
    "voucher_spend": lambda row: amount(row.voucher, row.digits),
    "gross_impressions": _count("impressions"),
    "engagements": lambda row: row.count("clicks") + row.count("impressions") // 90,
    "ctr": _percent("clicks", "impressions"),
    "cpc": _cost_per("clicks"),
    "cpm": lambda row: quotient(1000 * row.money("spend"), row.count("impressions"), 2),
    "reach": lambda row: row.reach,
    "frequency": lambda row: quotient(row.count("impressions"), row.reach, 2),
    "cost_per_1000_reached": lambda row: quotient(1000 * row.money("spend"), row.reach, 2),
    "cost_per_conversion": _cost_per("conversion"),
    "conversion_rate": _percent("conversion", "clicks"),
    "conversion_rate_v2": _percent("conversion", "impressions"),
    "result": _count("result"),
    "cost_per_result": _cost_per("result"),
    "result_rate": _percent("result", "impressions"),
    "real_time_cost_per_conversion": _cost_per("real_time_conversion"),
    "real_time_conversion_rate": _percent("real_time_conversion", "clicks"),
    "real_time_conversion_rate_v2": _percent("real_time_conversion", "impressions"),
    "real_time_result": _count("real_time_result"),
    "real_time_cost_per_result": _cost_per("real_time_result"),
    "real_time_result_rate": _percent("real_time_result", "impressions"),
    "cost_per_cta_conversion": _cost_per("cta_conversion"),
    "cost_per_vta_conversion": _cost_per("vta_conversion"),
    "cost_per_engaged_view_through_conversion": _cost_per("engaged_view_through_conversions"),
    "complete_payment_roas": _return("total_complete_payment_rate"),
    "vta_complete_payment_roas": _return("vta_complete_payment_value"),
    "cost_per_vta_payments_completed": _cost_per("vta_complete_payment"),
    "cost_per_evta_payments_completed": _cost_per("evta_payments_completed"),
}
