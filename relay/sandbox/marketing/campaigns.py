"""Campaigns, ad groups and ads, the upgraded Smart+ ones on endpoints of their own, too. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final, Literal, TypeVar

from relay.sandbox.ads.model import Advertiser, Campaign
from relay.sandbox.answers import Answer, done
from relay.sandbox.marketing import columns
from relay.sandbox.marketing.columns import Columns, View
from relay.sandbox.marketing.door import ADS, Asked, reads
from relay.sandbox.marketing.forms import Id, Ids, Moment, Name, Names, Paged, Part, refused
from relay.sandbox.marketing.paging import by_newest, page_of
from relay.sandbox.marketing.statuses import Primary, has_primary, has_secondary
from relay.sandbox.world import Route

Wanted = Callable[[Any], bool]

_SALES: Final = frozenset({"WEB_CONVERSIONS", "CONVERSIONS"})
_UPGRADED: Final = "UPGRADED_SMART_PLUS"


class _Filter(Part):
    """What all three levels may be filtered by."""

    campaign_ids: Ids | None = None
    primary_status: Primary | None = None
    secondary_status: Name | None = None
    objective_type: Name | None = None
    optimization_goal: Name | None = None
    sales_destination: Name | None = None
    campaign_type: Name | None = None
    is_smart_performance_campaign: bool | None = None
    buying_types: tuple[Literal["AUCTION", "RESERVATION_RF", "RESERVATION_TOP_VIEW"], ...] = (
        "AUCTION",
        "RESERVATION_RF",
    )
    campaign_system_origins: tuple[Literal["TT_ADS_PLATFORM", "PROMOTE"], ...] = (
        "TT_ADS_PLATFORM",
    )
    creation_filter_start_time: Moment | None = None
    creation_filter_end_time: Moment | None = None


class CampaignFilter(_Filter):
    campaign_name: Name | None = None


class AdGroupFilter(_Filter):
    adgroup_ids: Ids | None = None
    adgroup_name: Name | None = None
    promotion_type: Name | None = None
    billing_events: Names | None = None


class AdFilter(_Filter):
    adgroup_ids: Ids | None = None
    ad_ids: Ids | None = None
    ad_name: Name | None = None
    modified_after: Moment | None = None


class SmartAdFilter(_Filter):
    adgroup_ids: Ids | None = None
    smart_plus_ad_ids: Ids | None = None
    modified_after: Moment | None = None


class _Get(Paged):
    json_fields: ClassVar = frozenset({"fields", "filtering", "exclude_field_types_in_response"})
    advertiser_id: Id
    fields: Names | None = None
    exclude_field_types_in_response: tuple[Literal["NULL_FIELD"], ...] = ()

    def accounts(self) -> tuple[str, ...]:
        return (self.advertiser_id,)


class CampaignGet(_Get):
    filtering: CampaignFilter = CampaignFilter()


class AdGroupGet(_Get):
    filtering: AdGroupFilter = AdGroupFilter()


class AdGet(_Get):
    filtering: AdFilter = AdFilter()


class SmartAdGet(_Get):
    filtering: SmartAdFilter = SmartAdFilter()


G = TypeVar("G", CampaignGet, AdGroupGet, AdGet, SmartAdGet)


def _level(
    path: str,
    form: type[G],
    kind: Literal["campaigns", "adgroups", "ads"],
    columns: Columns,
    *,
    upgraded: bool = False,
) -> Route:
    """The endpoint of one level: all that it has, or the upgraded Smart+ ones only."""

    def get(asked: Asked[G]) -> Answer:
        given = asked.form
        unknown = sorted(set(given.fields or ()) - columns.keys())
        if unknown:
            return refused("fields", f"Not a valid choice: {unknown[0]}")
        account = asked.ads.advertisers[given.advertiser_id]
        rows = _found(getattr(account, kind), account, given.filtering, upgraded=upgraded)
        chosen = columns if given.fields is None else {n: columns[n] for n in given.fields}
        page, info = page_of(asked, rows, given)
        view = View(chosen, without_nulls=bool(given.exclude_field_types_in_response))
        return done({"list": [view(row, account) for row in page], "page_info": info})

    return reads(path, form, get, ADS)


def _found(
    things: Mapping[str, Any], account: Advertiser, given: _Filter, *, upgraded: bool
) -> list[Any]:
    own = getattr(given, "ad_ids", None) or getattr(given, "smart_plus_ad_ids", None)
    found = list(map(things.__getitem__, by_newest(things if own is None else things.keys() & own)))
    conditions = list(_conditions(given, account))
    if upgraded:
        conditions.append(_of_campaigns(account, _is_upgraded))
    for wanted in conditions:
        found = [thing for thing in found if wanted(thing)]
    return found


def _is_upgraded(campaign: Campaign) -> bool:
    return campaign.campaign_automation_type == _UPGRADED


def _conditions(given: _Filter, account: Advertiser) -> Iterator[Wanted]:
    yield from _of_status(given)
    for name in ("campaign_ids", "adgroup_ids"):
        ids = getattr(given, name, None)
        if ids is not None:
            yield _is_one_of(name.removesuffix("s"), frozenset(ids))
    for name in ("campaign_name", "adgroup_name", "ad_name"):
        part = getattr(given, name, None)
        if part is not None:
            yield _has_part(name, part)
    yield from _of_times(given)
    yield from _of_kind(given, account)


def _of_status(given: _Filter) -> Iterator[Wanted]:
    if given.secondary_status is not None:
        yield has_secondary(given.secondary_status)
    primary = given.primary_status or ("STATUS_NOT_DELETE" if not given.secondary_status else None)
    if primary is not None and primary != "STATUS_ALL":
        yield has_primary(primary)


def _of_times(given: _Filter) -> Iterator[Wanted]:
    start, end = given.creation_filter_start_time, given.creation_filter_end_time
    if start is not None:
        yield lambda thing: bool(thing.create_time >= start.timestamp())
    if end is not None:
        yield lambda thing: bool(thing.create_time <= end.timestamp())
    after = getattr(given, "modified_after", None)
    if after is not None:
        yield lambda thing: (thing.modify_time or 0.0) > after.timestamp()


def _of_kind(given: _Filter, account: Advertiser) -> Iterator[Wanted]:
    # All that this stand-in plays is bought in auctions, and made in the Ads Manager.
    if (
        "AUCTION" not in given.buying_types
        or "TT_ADS_PLATFORM" not in given.campaign_system_origins
    ):
        yield lambda _thing: False
    kinds = _SALES if given.objective_type in _SALES else {given.objective_type}
    if given.objective_type is not None:
        yield _of_campaigns(account, lambda campaign: campaign.objective_type in kinds)
    for name in ("sales_destination", "campaign_type", "is_smart_performance_campaign"):
        value = getattr(given, name)
        if value is not None:
            yield _of_campaigns(account, _equals(name, value))
    if given.optimization_goal is not None:
        yield _has_goal(account, given.optimization_goal)
    promotion, billing = (
        getattr(given, "promotion_type", None),
        getattr(given, "billing_events", None),
    )
    if promotion is not None:
        yield _equals("promotion_type", promotion)
    if billing is not None:
        yield _is_one_of("billing_event", frozenset(billing))


def _of_campaigns(account: Advertiser, wanted: Callable[[Campaign], bool]) -> Wanted:
    ids = {c.campaign_id for c in account.campaigns.values() if wanted(c)}
    return lambda thing: thing.campaign_id in ids


def _has_goal(account: Advertiser, goal: str) -> Wanted:
    groups = [g for g in account.adgroups.values() if g.optimization_goal == goal]
    campaigns, adgroups = {g.campaign_id for g in groups}, {g.adgroup_id for g in groups}

    def wanted(thing: Any) -> bool:
        if isinstance(thing, Campaign):
            return thing.campaign_id in campaigns
        return thing.adgroup_id in adgroups

    return wanted


def _equals(name: str, value: object) -> Wanted:
    return lambda thing: bool(getattr(thing, name) == value)


def _is_one_of(name: str, values: frozenset[str]) -> Wanted:
    return lambda thing: getattr(thing, name) in values


def _has_part(name: str, part: str) -> Wanted:
    lower = part.lower()
    return lambda thing: lower in getattr(thing, name).lower()


_smart = "/smart_plus"
ROUTES: Final = (
    _level("/campaign/get/", CampaignGet, "campaigns", columns.CAMPAIGN),
    _level("/adgroup/get/", AdGroupGet, "adgroups", columns.ADGROUP),
    _level("/ad/get/", AdGet, "ads", columns.AD),
    _level(f"{_smart}/campaign/get/", CampaignGet, "campaigns", columns.CAMPAIGN, upgraded=True),
    _level(f"{_smart}/adgroup/get/", AdGroupGet, "adgroups", columns.SMART_ADGROUP, upgraded=True),
    _level(f"{_smart}/ad/get/", SmartAdGet, "ads", columns.SMART_AD, upgraded=True),
)
