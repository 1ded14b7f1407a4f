"""What the ad account consists of: read from TikTok, as far as the token may."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from relay.audit import facts
from relay.audit.collecting import translate
from relay.audit.collecting.gathering import Gathering
from relay.audit.facts import Part
from relay.management import Client, Listing
from relay.management.errors import ManagementError
from relay.management.models.events import CrmSet, OfflineSet, Pixel

_UPGRADED: Final = "UPGRADED_SMART_PLUS"
_NOBODY_ASKED: Final = "no Business Center that this token can read owns the pixel"
_EDITS_DAYS: Final = 29


@dataclass(frozen=True, slots=True)
class Hierarchy:
    campaigns: Sequence[facts.Campaign]
    adgroups: Sequence[facts.AdGroup]
    ads: Sequence[facts.Ad]


async def hierarchy(client: Client, advertiser_id: str, gathering: Gathering) -> Hierarchy:
    """Campaigns, ad groups and ads, deleted ones too. Upgraded Smart+ has lists of its own, which
    know more of the same objects."""
    campaigns, adgroups, ads = await asyncio.gather(
        gathering.made(Part.CAMPAIGNS, client.campaigns(advertiser_id), translate.campaign),
        gathering.made(Part.ADGROUPS, client.adgroups(advertiser_id), translate.adgroup),
        gathering.made(Part.ADS, client.ads(advertiser_id), translate.ad),
    )
    if any(each.automation == _UPGRADED for each in campaigns):
        listing = client.smart_plus_adgroups(advertiser_id)
        smart = await gathering.made(Part.ADGROUPS, listing, translate.adgroup)
        adgroups = _laid_over(adgroups, smart)
    return Hierarchy(campaigns, adgroups, ads)


def _laid_over(
    found: Sequence[facts.AdGroup], smart: Sequence[facts.AdGroup]
) -> list[facts.AdGroup]:
    """The Smart+ list names the custom conversion, and groups that the other may not show."""
    return list({each.id: each for each in (*found, *smart)}.values())


@dataclass(frozen=True, slots=True)
class EventSources:
    """`ids` are all that the Events API may know them by: pixel codes, ids of offline and CRM sets;
    and numeric pixel ids, which are a usual mistake."""

    pixels: Sequence[facts.Pixel]
    ids: frozenset[str]


async def event_sources(client: Client, advertiser_id: str, gathering: Gathering) -> EventSources:
    pixels, offline, crm = await asyncio.gather(
        gathering.listed(Part.PIXELS, client.pixels(advertiser_id)),
        _sets(client.offline_sets(advertiser_id)),
        _sets(client.crm_sets(advertiser_id)),
    )
    links = await _links(client, pixels, gathering)
    known = {each.pixel_code for each in pixels} | {each.pixel_id for each in pixels}
    return EventSources(
        [
            translate.pixel(each, linked=_is_linked(links, each.pixel_code, advertiser_id))
            for each in pixels
        ],
        frozenset(known | offline | crm),
    )


async def _sets(listing: Listing[OfflineSet] | Listing[CrmSet]) -> set[str]:
    """Ids of event sets. Many tokens may not read them, and only who feeds one misses it."""
    try:
        return {each.event_set_id for each in await listing.all()}
    except ManagementError:
        return set()


def _is_linked(
    links: Mapping[str, frozenset[str] | None], code: str, advertiser_id: str
) -> bool | None:
    linked = links.get(code)
    return None if linked is None else advertiser_id in linked


async def _links(
    client: Client, pixels: Sequence[Pixel], gathering: Gathering
) -> Mapping[str, frozenset[str] | None]:
    """For each pixel that a Business Center owns: the ad accounts that may use it."""
    owned = {each.pixel_code: each.owner_bc_id for each in pixels if each.owner_bc_id}
    if not owned:
        gathering.note(Part.PIXEL_LINKS, 0)
        return {}
    centers = await gathering.listed(Part.PIXEL_LINKS, client.business_centers())
    readable = {each.bc_id for each in centers}
    links: dict[str, frozenset[str] | None] = {}
    for code, bc_id in owned.items():
        if bc_id not in readable:
            gathering.note(Part.PIXEL_LINKS, 0, f"{_NOBODY_ASKED}: {code}")
            continue
        listing = client.pixel_links(bc_id, code)
        found = await gathering.asked(Part.PIXEL_LINKS, listing.all)
        if found is not None:
            gathering.note(Part.PIXEL_LINKS, len(found))
            links[code] = frozenset(each.advertiser_id for each in found)
    return links


async def custom_conversions(
    client: Client, advertiser_id: str, pixels: Sequence[facts.Pixel], gathering: Gathering
) -> list[facts.CustomConversion]:
    gathering.note(Part.CUSTOM_CONVERSIONS, 0)
    found = []
    for pixel in pixels:
        listing = client.custom_conversions(advertiser_id, pixel.id)
        found += await gathering.listed(Part.CUSTOM_CONVERSIONS, listing)
    return list(map(translate.custom_conversion, found))


async def advice(
    client: Client, advertiser_id: str, adgroups: Sequence[facts.AdGroup], gathering: Gathering
) -> list[facts.Advice]:
    """TikTok's own diagnosis of the ad groups that are on."""
    running = [each.id for each in adgroups if each.operation_status == "ENABLE"]
    listing = client.diagnosis(advertiser_id, running, categories=["EVENT_TRACK"])
    return list(map(translate.advice, await gathering.listed(Part.DIAGNOSIS, listing)))


async def edits(
    client: Client, advertiser_id: str, now: float, gathering: Gathering
) -> list[facts.Edit]:
    """The change log of the last 30 days, days of UTC."""
    last = datetime.fromtimestamp(now, UTC).date()
    first = last - timedelta(days=_EDITS_DAYS)
    found = await gathering.asked(Part.CHANGES, lambda: client.changes(advertiser_id, first, last))
    gathering.note(Part.CHANGES, len(found or ()))
    return list(map(translate.edit, found or ()))
