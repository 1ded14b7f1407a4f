"""A line: what is compared as one. The ad groups that optimise for one event of one pixel, and the
destinations of the relay that feed it.

TikTok reports conversions by ad group, the relay knows events by pixel: they meet here and nowhere
below.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from relay.audit.facts import AdGroup, Campaign, Pixel, Target
from relay.audit.findings import Subject
from relay.model import EventSource

#: The statuses (without `ADGROUP_STATUS_`) in which a person, or the calendar, keeps one from
#: running. Source: ad group fields of the Marketing API v1.3.
_AT_REST = (
    "_DISABLE", "_DELETE", "_TIME_DONE", "_NOT_START", "_FROZEN", "_CREATE", "_PRE_ONLINE",
    "_RF_CLOSED",
)  # fmt: skip

#: Goals that count events of a website.
CONVERSION_GOALS = frozenset({"CONVERT", "VALUE", "AUTOMATIC_VALUE_OPTIMIZATION"})
VALUE_GOALS = frozenset({"VALUE", "AUTOMATIC_VALUE_OPTIMIZATION"})

#: The longest that there is, in days: taken where TikTok's word for it is not known.
_LONGEST_WINDOW: Final = 28


def is_active(adgroup: AdGroup, campaigns: Mapping[str, Campaign]) -> bool:
    """Switched on, its campaign too, and neither ended nor yet to begin."""
    campaign = campaigns.get(adgroup.campaign_id)
    if campaign is not None and campaign.operation_status != "ENABLE":
        return False
    resting = (adgroup.secondary_status or "").endswith(_AT_REST)
    return adgroup.operation_status == "ENABLE" and not resting


def is_delivering(adgroup: AdGroup) -> bool:
    """The sandbox tells no status: then being switched on has to do."""
    return adgroup.secondary_status is None or adgroup.secondary_status.endswith("DELIVERY_OK")


def longest_window(adgroups: Iterable[AdGroup]) -> int:
    """In days: until then conversions of a day may still come, by click or by view."""
    windows = [
        max(
            _LONGEST_WINDOW if each.click_window is None else each.click_window,
            each.engaged_view_window or 0,
            each.view_window or 0,
        )
        for each in adgroups
    ]
    return max(windows, default=_LONGEST_WINDOW)


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """`event` is the ad side's code. `pixel` is None where its id is not among the account's;
    `destinations` are those that feed the pixel: none where the relay does not. `adgroups` are
    active or have spent; `window` is the longest of theirs, in days."""

    pixel_id: str
    pixel: Pixel | None
    event: str
    adgroups: Sequence[AdGroup]
    active: Sequence[AdGroup]
    destinations: Sequence[str]
    window: int

    @property
    def code(self) -> str:
        """The pixel's code, or its id where that is all there is."""
        return self.pixel_id if self.pixel is None else self.pixel.code

    @property
    def subject(self) -> Subject:
        name = "" if self.pixel is None else self.pixel.name
        return Subject(
            "event", f"{self.code}/{self.event}", f"{self.event} of pixel {name or self.code}"
        )

    @property
    def concerns(self) -> frozenset[str]:
        return about(
            pixel=(self.code,),
            event=(self.event,),
            destination=self.destinations,
            adgroup=(each.id for each in self.adgroups),
        )


def about(**things: Iterable[str]) -> frozenset[str]:
    """What a finding concerns: `about(pixel=("C0DE",))`."""
    return frozenset(f"{kind}:{each}" for kind, ids in things.items() for each in ids)


def lines_of(
    adgroups: Iterable[AdGroup],
    active: frozenset[str],
    pixels: Mapping[str, Pixel],
    targets: Sequence[Target],
) -> Sequence[Line]:
    """The lines of those ad groups that name a pixel and an event of it; not of those that optimise
    for a custom conversion, which is a rule over events and no event."""
    members: defaultdict[tuple[str, str], list[AdGroup]] = defaultdict(list)
    for each in adgroups:
        if each.pixel_id and each.optimization_event and not each.custom_conversion_id:
            members[each.pixel_id, each.optimization_event].append(each)
    lines = []
    for (pixel_id, event), group in sorted(members.items()):
        pixel = pixels.get(pixel_id)
        lines.append(
            Line(
                pixel_id=pixel_id,
                pixel=pixel,
                event=event,
                adgroups=group,
                active=[each for each in group if each.id in active],
                destinations=() if pixel is None else feeding(pixel.code, targets),
                window=longest_window(group),
            )
        )
    return lines


def feeding(pixel_code: str, targets: Iterable[Target]) -> Sequence[str]:
    """The destinations that send to this pixel."""
    return tuple(
        each.name
        for each in targets
        if each.event_source is EventSource.WEB and each.event_source_id == pixel_code
    )
