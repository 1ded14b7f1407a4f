"""The rows of a report: what was counted, in TikTok's texts. Pure.

Every value is a text, `-` where there is none. Rows are made into bytes one at a time, so that a
year of ads is never held as objects.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from relay.sandbox.ads.model import Advertiser, AdWorld, Row
from relay.sandbox.marketing.metrics import ATTRIBUTES, LEVELS, MONEY, SUMS, Number, value
from relay.sandbox.marketing.report_filters import Criteria, chosen
from relay.sandbox.marketing.report_request import ReportForm, days_of

NONE: Final = "-"


class Line(NamedTuple):
    """One row of a report: texts of its dimensions and metrics, in the order of the request."""

    id: str
    at: str
    dimensions: tuple[str, ...]
    metrics: list[str]
    counted: Mapping[str, Number]


class Source(NamedTuple):
    """What a report is made of: the ad world at a moment, the request, the objects meant."""

    ads: AdWorld
    form: ReportForm
    meant: Criteria
    now: float
    default_status: str
    most_ids: int | None

    @property
    def level(self) -> str:
        return self.form.data_level or LEVELS[0]


class Cut(NamedTuple):
    """The objects of an account that a report is about, and whether there were more."""

    ids: frozenset[str] | None
    is_cut: bool


def objects(source: Source, account: Advertiser) -> Cut:
    """The newest `most_ids` of them; None: all that there are."""
    if source.level == LEVELS[0]:
        return Cut(None, is_cut=False)
    found = chosen(account, source.level, source.meant, default=source.default_status)
    is_cut = source.most_ids is not None and len(found) > source.most_ids
    if is_cut:
        found.sort(key=lambda thing: thing.create_time, reverse=True)
        found = found[: source.most_ids]
    field = _FIELD[source.level]
    return Cut(frozenset(getattr(thing, field) for thing in found), is_cut)


def lines(source: Source, cuts: Mapping[str, Cut]) -> Iterator[Line]:
    """The rows, in no order."""
    form = source.form
    several = form.advertiser_ids is not None
    for advertiser_id in form.accounts() if form.id_dimension else ():
        account = source.ads.advertisers[advertiser_id]
        show = _writer(source, account, several=several)
        for row in _rows(source, account, cuts[advertiser_id]):
            texts = show(row.id, row.metrics)
            yield Line(row.id, row.at, _dimensions(form, row.id, row.at), texts, row.metrics)
    if form.id_dimension is None:
        yield from _added_up(source, cuts, several=several)


def _added_up(source: Source, cuts: Mapping[str, Cut], *, several: bool) -> Iterator[Line]:
    """Without an id, all that was meant is one; costs of several accounts do not add up."""
    sums: dict[str, dict[str, Number]] = defaultdict(lambda: defaultdict(int))
    for advertiser_id in source.form.accounts():
        account = source.ads.advertisers[advertiser_id]
        for row in _rows(source, account, cuts[advertiser_id]):
            add(sums[row.at], row.metrics)
    for at, counted in sums.items():
        texts = [
            NONE if several and name in MONEY else text(name, value(name, counted), whole=False)
            for name in source.form.metrics
        ]
        yield Line("", at, _dimensions(source.form, "", at), texts, counted)


def add(total: dict[str, Number], counted: Mapping[str, Number]) -> None:
    """Add what may be added up."""
    for name, number in counted.items():
        if name in SUMS:
            total[name] = total.get(name, 0) + number


def totals(form: ReportForm, counted: Mapping[str, Number]) -> dict[str, str]:
    """`total_metrics`: what an object is has no total."""
    several = form.advertiser_ids is not None
    return {
        name: NONE if name in ATTRIBUTES else text(name, value(name, counted), whole=several)
        for name in form.metrics
    }


def text(name: str, number: Number | None, *, whole: bool) -> str:
    """A value as reports have it; `whole`: money without decimals."""
    if number is None:
        return NONE
    if whole and name in MONEY:
        return f"{number:.0f}"
    return str(number) if isinstance(number, int) and name not in MONEY else f"{number:.2f}"


_FIELD: Final = dict(
    zip(LEVELS, ("advertiser_id", "campaign_id", "adgroup_id", "ad_id"), strict=True)
)


def _rows(source: Source, account: Advertiser, cut: Cut) -> Iterable[Row]:
    zone = ZoneInfo(account.timezone)
    today = datetime.fromtimestamp(source.now, zone).date()
    born = datetime.fromtimestamp(account.create_time, zone).date()
    start, end = days_of(source.form, born, today)
    rows = source.ads.rows(
        account.advertiser_id, source.level, start, end, by=source.form.by, now=source.now
    )
    return rows if cut.ids is None else (row for row in rows if row.id in cut.ids)


def _dimensions(form: ReportForm, row_id: str, at: str) -> tuple[str, ...]:
    return tuple(at if name == form.by else row_id for name in form.dimensions)


def _writer(
    source: Source, account: Advertiser, *, several: bool
) -> Callable[[str, Mapping[str, Number]], list[str]]:
    """Makes the texts of a row. What an object is, is looked up once."""
    names = source.form.metrics
    known: dict[str, dict[str, str]] = {}
    attributes = [name for name in names if name in ATTRIBUTES]

    def write(row_id: str, counted: Mapping[str, Number]) -> list[str]:
        own = known.get(row_id)
        if own is None:
            own = _attributes(attributes, source.level, row_id, account) if attributes else {}
            known[row_id] = own
        return [
            own[name] if name in own else text(name, value(name, counted), whole=several)
            for name in names
        ]

    return write


def _attributes(names: list[str], level: str, row_id: str, account: Advertiser) -> dict[str, str]:
    ad = account.ads.get(row_id) if level == LEVELS[3] else None
    adgroup_id = row_id if level == LEVELS[2] else ad.adgroup_id if ad else ""
    adgroup = account.adgroups.get(adgroup_id)
    parent = ad or adgroup
    campaign_id = row_id if level == LEVELS[1] else parent.campaign_id if parent else ""
    owners = {"": account, "c": account.campaigns.get(campaign_id), "g": adgroup, "a": ad}
    return {name: _attribute(name, owners) for name in names}


def _attribute(name: str, owners: Mapping[str, Any]) -> str:
    whose, field = _WHOSE.get(name, ("", ""))
    found = getattr(owners[whose], field, None) if field else None
    if isinstance(found, Decimal):
        return f"{found:.2f}"
    return NONE if found is None else str(found)


#: Whose field an attribute is: the account's, the campaign's, the group's or the ad's.
_WHOSE: Final = {
    "advertiser_name": ("", "name"),
    "advertiser_id": ("", "advertiser_id"),
    "currency": ("", "currency"),
    "timezone": ("", "timezone"),
    "campaign_name": ("c", "campaign_name"),
    "campaign_id": ("c", "campaign_id"),
    "objective_type": ("c", "objective_type"),
    "campaign_budget": ("c", "budget"),
    "campaign_dedicate_type": ("c", "campaign_type"),
    "campaign_automation_type": ("c", "campaign_automation_type"),
    "adgroup_name": ("g", "adgroup_name"),
    "adgroup_id": ("g", "adgroup_id"),
    "promotion_type": ("g", "promotion_type"),
    "budget": ("g", "budget"),
    "smart_target": ("g", "optimization_goal"),
    "billing_event": ("g", "billing_event"),
    "bid_strategy": ("g", "bid_type"),
    "bid": ("g", "bid_price"),
    "ad_name": ("a", "ad_name"),
    "ad_id": ("a", "ad_id"),
    "ad_id_v2": ("a", "ad_id"),
    "ad_url": ("a", "landing_page_url"),
}
