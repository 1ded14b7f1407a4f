"""Which destinations of the relay, which pixel and which ad groups belong together. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay.audit.facts import AdGroup, Facts
from relay.event_names import BY_EVENT, BY_OPTIMIZATION_EVENT
from relay.model import EventSource


@dataclass(frozen=True, slots=True)
class Channel:
    """One event source: `id` is a pixel code (or the id of another event source), None for what ad
    groups spend without a pixel that could be read. `destinations` are the relay's that feed it:
    none where the relay does not. `has_statistics` says whether TikTok's counts could be read."""

    id: str | None
    event_source: EventSource | None
    destinations: tuple[str, ...]
    pixel_name: str = ""
    has_statistics: bool = False

    @property
    def label(self) -> str:
        if self.destinations:
            return " + ".join(self.destinations)
        if self.id is None:
            return "no pixel"
        return f"pixel {self.id}"


@dataclass(frozen=True, slots=True)
class Map:
    """The channels, by what leads to them."""

    channels: Sequence[Channel]
    by_destination: Mapping[str, Channel]
    by_source: Mapping[str, Channel]
    by_adgroup: Mapping[str, Channel]


def map_of(facts: Facts) -> Map:
    """The relay's channels first, in the order of its destinations."""
    fed = _fed(facts)
    by_source = fed | {
        pixel.code: Channel(pixel.code, EventSource.WEB, (), pixel.name, has_statistics=True)
        for pixel in facts.pixels
        if pixel.code not in fed
    }
    codes = {pixel.id: pixel.code for pixel in facts.pixels}
    nowhere = Channel(None, None, ())
    by_adgroup = {
        group.id: by_source[codes[group.pixel_id]] if group.pixel_id in codes else nowhere
        for group in facts.adgroups
    }
    channels = [*by_source.values()]
    if nowhere in by_adgroup.values():
        channels.append(nowhere)
    by_destination = {target.name: by_source[target.event_source_id] for target in facts.targets}
    return Map(channels, by_destination, by_source, by_adgroup)


def _fed(facts: Facts) -> dict[str, Channel]:
    targets = defaultdict(list)
    for target in facts.targets:
        targets[target.event_source_id].append(target)
    names = {pixel.code: pixel.name for pixel in facts.pixels}
    return {
        source: Channel(
            source,
            group[0].event_source,
            tuple(each.name for each in group),
            names.get(source, ""),
            has_statistics=source in names,
        )
        for source, group in targets.items()
    }


def event_name(name: str) -> str:
    """What an event is called here, whoever's name for it this is: the Events API's present one."""
    known = BY_EVENT.get(name) or BY_OPTIMIZATION_EVENT.get(name)
    return name if known is None else known.event or known.legacy or known.optimization_event


def optimised(group: AdGroup) -> str | None:
    """The event that an ad group is paid to bring."""
    return None if group.optimization_event is None else event_name(group.optimization_event)
