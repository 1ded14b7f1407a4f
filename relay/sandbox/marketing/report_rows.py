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
from relay.sandbox.marketing.metrics import ATTRIBUTES, LEVELS, MONEY, Number, parts, value
from relay.sandbox.marketing.report_filters import Criteria, chosen
from relay.sandbox.marketing.report_request import ReportForm, days_of

NONE: Final = "-"


class Line(NamedTuple):
    """One row of a report: texts of its dimensions, then of its metrics, as they were asked for."""

    id: str
    texts: list[str]
    counted: Mapping[str, Number]


class Source(NamedTuple):
    """What a report is made of: the ad world at a moment, the request, the objects meant."""

    ads: AdWorld
    form: ReportForm
    meant: Criteria
    now: float
    default_status: str
    most_ids: int | None
    #: How what an object is called is written into the file or the answer.
    escape: Callable[[str], str]

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
    if form.id_dimension is None:
        yield from _added_up(source, cuts)
        return
    by, dimensions = form.by, form.dimensions
    for advertiser_id in form.accounts():
        account = source.ads.advertisers[advertiser_id]
        show = _writer(source, account)
        for row in _rows(source, account, cuts[advertiser_id]):
            texts = [row.at if name == by else row.id for name in dimensions]
            texts += show(row.id, row.metrics)
            yield Line(row.id, texts, row.metrics)


def _added_up(source: Source, cuts: Mapping[str, Cut]) -> Iterator[Line]:
    """Without an id, all that was meant is one; costs of several accounts do not add up."""
    several = source.form.advertiser_ids is not None
    sums: dict[str, dict[str, Number]] = defaultdict(dict)
    needed = parts(source.form.metrics)
    for advertiser_id in source.form.accounts():
        account = source.ads.advertisers[advertiser_id]
        for row in _rows(source, account, cuts[advertiser_id]):
            add(sums[row.at], row.metrics, needed)
    for at, counted in sorted(sums.items()):
        texts = [
            NONE if several and name in MONEY else text(name, value(name, counted), whole=False)
            for name in source.form.metrics
        ]
        yield Line(at, [at, *texts], counted)


def add(total: dict[str, Number], counted: Mapping[str, Number], names: Iterable[str]) -> None:
    """Add these metrics, where they are available."""
    for name in names:
        number = counted.get(name)
        if number is not None:
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


def _writer(
    source: Source, account: Advertiser
) -> Callable[[str, Mapping[str, Number]], list[str]]:
    """Makes the texts of a row. What an object is, is looked up once; a year of ads has millions
    of rows, so each metric's way to its text is chosen beforehand."""
    names = source.form.metrics
    whole = source.form.advertiser_ids is not None
    attributes = [name for name in names if name in ATTRIBUTES]
    texts = [_text_of(name, whole=whole) for name in names if name not in ATTRIBUTES]
    if not attributes:
        return lambda _id, counted: [show(counted) for show in texts]
    shows = [None if name in ATTRIBUTES else _text_of(name, whole=whole) for name in names]
    known: dict[str, list[str]] = {}

    def write(row_id: str, counted: Mapping[str, Number]) -> list[str]:
        own = known.get(row_id)
        if own is None:
            found = _attributes(attributes, source.level, row_id, account)
            own = known[row_id] = [source.escape(found.get(name, "")) for name in names]
        return [
            mine if show is None else show(counted) for mine, show in zip(own, shows, strict=True)
        ]

    return write


def _text_of(name: str, *, whole: bool) -> Callable[[Mapping[str, Number]], str]:
    is_money = name in MONEY

    def show(counted: Mapping[str, Number]) -> str:
        number = counted.get(name)
        if number is None or (whole and is_money):
            return text(name, value(name, counted), whole=whole)
        if type(number) is int and not is_money:
            return str(number)
        return f"{number:.2f}"

    return show


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
