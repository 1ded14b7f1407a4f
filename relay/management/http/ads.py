"""Campaigns, ad groups, ads, and what was advised and changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Final, TypeVar

from relay.management import endpoints
from relay.management.endpoints import Endpoint
from relay.management.fields import Record
from relay.management.http.lists import Listing, Question
from relay.management.http.reads import Reads, filtered, one_each
from relay.management.models.advice import CATEGORIES, Suggestion, read_suggestions
from relay.management.models.hierarchy import (
    Ad,
    AdGroup,
    Campaign,
    read_ad,
    read_adgroup,
    read_campaign,
    read_smart_plus_ad,
)
from relay.management.query import MOST_IDS, an_id, in_parts

T = TypeVar("T")

#: Ad groups that can be asked about at once.
_MOST_DIAGNOSED: Final = 20


class AdReads(Reads):
    """The hierarchy. Deleted objects come along unless `include_deleted` is False; ids narrow it
    down, more than 100 are asked for in parts."""

    def campaigns(
        self, advertiser_id: str, *, campaign_ids: Sequence[str] = (), include_deleted: bool = True
    ) -> Listing[Campaign]:
        """Campaigns of every kind."""
        ids = {"campaign_ids": campaign_ids}
        return self._objects(
            endpoints.CAMPAIGN, advertiser_id, ids, read_campaign, include_deleted=include_deleted
        )

    def adgroups(
        self,
        advertiser_id: str,
        *,
        campaign_ids: Sequence[str] = (),
        adgroup_ids: Sequence[str] = (),
        include_deleted: bool = True,
    ) -> Listing[AdGroup]:
        """Ad groups: what they optimise for, and their attribution windows."""
        ids = {"campaign_ids": campaign_ids, "adgroup_ids": adgroup_ids}
        return self._objects(
            endpoints.ADGROUP, advertiser_id, ids, read_adgroup, include_deleted=include_deleted
        )

    def ads(
        self,
        advertiser_id: str,
        *,
        campaign_ids: Sequence[str] = (),
        adgroup_ids: Sequence[str] = (),
        ad_ids: Sequence[str] = (),
        include_deleted: bool = True,
    ) -> Listing[Ad]:
        """Ads, those of Smart+ without a `modify_time` too."""
        ids = {"campaign_ids": campaign_ids, "adgroup_ids": adgroup_ids, "ad_ids": ad_ids}
        return self._objects(
            endpoints.AD, advertiser_id, ids, read_ad, include_deleted=include_deleted
        )

    def smart_plus_campaigns(
        self, advertiser_id: str, *, campaign_ids: Sequence[str] = (), include_deleted: bool = True
    ) -> Listing[Campaign]:
        """Upgraded Smart+ campaigns."""
        return self._objects(
            endpoints.SMART_CAMPAIGN,
            advertiser_id,
            {"campaign_ids": campaign_ids},
            read_campaign,
            include_deleted=include_deleted,
        )

    def smart_plus_adgroups(
        self, advertiser_id: str, *, campaign_ids: Sequence[str] = (), include_deleted: bool = True
    ) -> Listing[AdGroup]:
        """Ad groups of upgraded Smart+ campaigns, with their custom conversion."""
        return self._objects(
            endpoints.SMART_ADGROUP,
            advertiser_id,
            {"campaign_ids": campaign_ids},
            read_adgroup,
            include_deleted=include_deleted,
        )

    def smart_plus_ads(
        self, advertiser_id: str, *, campaign_ids: Sequence[str] = (), include_deleted: bool = True
    ) -> Listing[Ad]:
        """Ads of upgraded Smart+ campaigns; reports call their id `ad_id_v2`."""
        return self._objects(
            endpoints.SMART_AD,
            advertiser_id,
            {"campaign_ids": campaign_ids},
            read_smart_plus_ad,
            include_deleted=include_deleted,
        )

    def diagnosis(
        self,
        advertiser_id: str,
        adgroup_ids: Sequence[str],
        *,
        categories: Sequence[str] = tuple(CATEGORIES.values()),
    ) -> Listing[Suggestion]:
        """What TikTok advises for these ad groups. `categories` are CREATIVE, BID_AND_BUDGET and
        EVENT_TRACK."""
        params = {"advertiser_id": an_id("advertiser_id", advertiser_id)}
        listed = [an_id("adgroup_ids", each) for each in adgroup_ids]
        return self._listings(
            (
                Question(
                    endpoints.DIAGNOSIS,
                    filtered(params, adgroup_ids=part, issue_category=categories),
                ),
                read_suggestions,
            )
            for part in in_parts(listed, _MOST_DIAGNOSED)
        )

    def _objects(
        self,
        endpoint: Endpoint,
        advertiser_id: str,
        ids: dict[str, Sequence[str]],
        read: Callable[[Record], T],
        *,
        include_deleted: bool,
    ) -> Listing[T]:
        params = {"advertiser_id": an_id("advertiser_id", advertiser_id)}
        status = "STATUS_ALL" if include_deleted else "STATUS_NOT_DELETE"
        return self._listings(
            (Question(endpoint, filtered(params, primary_status=status, **part)), one_each(read))
            for part in _parts(ids)
        )


def _parts(ids: dict[str, Sequence[str]]) -> Iterator[dict[str, list[str]]]:
    """Every filter in parts that TikTok takes; all combinations, so that each object is in one."""
    given = {
        name: in_parts([an_id(name, each) for each in values], MOST_IDS)
        for name, values in ids.items()
        if values
    }
    for combination in product(*given.values()):
        yield dict(zip(given, combination, strict=True))
