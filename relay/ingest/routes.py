"""Addresses of the public listener. Pure."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple
from urllib.parse import urlsplit


class Kind(Enum):
    """What is said at an address, and in which words."""

    EVENTS = "events"
    EVENT_TRACK = "event_track"
    WEBHOOK = "webhook"


class Place(NamedTuple):
    """An address: its kind and, for a webhook, the source it names."""

    kind: Kind
    source: str = ""


_WEBHOOKS = "/webhooks/"

_PLACES = {
    "/v1/events": Place(Kind.EVENTS),
    # TikTok docs, Events API 2.0: with the slash. Not every client sends it.
    "/open_api/v1.3/event/track/": Place(Kind.EVENT_TRACK),
    "/open_api/v1.3/event/track": Place(Kind.EVENT_TRACK),
}


def place_of(target: str) -> Place | None:
    """What a request line's target names: a path, maybe with a query; or a whole URL, as proxies
    are sent. None where there is nothing."""
    place = _PLACES.get(target)
    return place if place is not None else _found(target)


def _found(target: str) -> Place | None:
    path = target.partition("?")[0]
    if not path.startswith("/"):
        try:
            path = urlsplit(path).path
        except ValueError:
            return None
    if path.startswith(_WEBHOOKS):
        # Names of sources need no escaping, so none is undone.
        return Place(Kind.WEBHOOK, path[len(_WEBHOOKS) :])
    return _PLACES.get(path)
