"""An event as TikTok gets it, from the browser's pixel or the Events API, and the two made one.

The same event is known by event source, event and event id "from a single channel or across
multiple channels", for 48 hours from the first (TikTok help, "Event deduplication"). What comes
within 5 minutes is merged into the first, with the match keys it brings; what comes later adds
nothing. Where an event has no id, the `_ttp` cookie stands in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from relay.event_names import BY_EVENT
from relay.sandbox.state import MERGE_S, REPEAT_S


class Channel(StrEnum):
    BROWSER = "browser"
    SERVER = "server"


class Arrived(NamedTuple):
    """`event` is the ad side's code (`SHOPPING`), or the name of a custom event; `keys` are
    digests and cookies that name a person; `value` is in units of `currency`."""

    pixel_code: str
    event: str
    is_custom: bool
    event_time: float
    event_id: str | None
    value: float
    currency: str | None
    ttclid: str | None
    keys: Sequence[str]
    channel: Channel

    @property
    def identity(self) -> tuple[str, str, str] | None:
        """What it is recognised by; None: by nothing."""
        if self.event_id is not None:
            return (self.pixel_code, self.event, self.event_id)
        cookie = next((key for key in self.keys if len(key) < _DIGEST), None)
        return None if cookie is None else (self.pixel_code, self.event, cookie)


_KEYS: Final = ("ttp", "email", "phone", "external_id")
#: A key of this length is a SHA-256 in hex; the cookie is shorter.
_DIGEST: Final = 64


def code_of(event: str) -> tuple[str, bool]:
    """The ad side's code of an event's name, and whether the name is a custom one."""
    known = BY_EVENT.get(event)
    return (event, True) if known is None else (known.optimization_event, False)


def from_wire(pixel_code: str, event: Mapping[str, Any]) -> Arrived:
    """An item of the Events API's `data[]`."""
    user, properties = event.get("user") or {}, event.get("properties") or {}
    code, is_custom = code_of(event["event"])
    return Arrived(
        pixel_code,
        code,
        is_custom,
        float(event["event_time"]),
        event.get("event_id"),
        float(properties.get("value") or 0.0),
        properties.get("currency"),
        user.get("ttclid") or _in_address(event.get("page")),
        _keys(user),
        Channel.SERVER,
    )


def _keys(user: Mapping[str, Any]) -> Sequence[str]:
    keys: list[str] = []
    for name in _KEYS:
        found = user.get(name)
        if found is None:
            continue
        if isinstance(found, str):
            keys.append(found)
        else:
            keys += found
    return keys


def _in_address(page: Mapping[str, Any] | None) -> str | None:
    url = (page or {}).get("url") or ""
    if "ttclid=" not in url:
        return None
    return parse_qs(urlsplit(url).query).get("ttclid", [None])[0]


class First:
    """The first of its kind, and what has been added to it."""

    __slots__ = ("at", "channels", "is_credited")

    def __init__(self, at: float, channel: Channel) -> None:
        self.at = at
        self.channels = {channel}
        self.is_credited = False


class Meeting(NamedTuple):
    """What an arrival means: `counts` in its own channel; `is_new` for conversions; `adds` what
    TikTok knows of the person."""

    counts: bool
    is_new: bool
    adds: bool
    first: First


class Merger:
    """Recognises what was here before. Ids are forgotten after 48 to 96 hours."""

    def __init__(self) -> None:
        self._young: dict[tuple[str, str, str], First] = {}
        self._old: dict[tuple[str, str, str], First] = {}
        self._forget_at: float | None = None

    def meet(self, arrived: Arrived, now: float) -> Meeting:
        if self._forget_at is None or now >= self._forget_at:
            self._old, self._young, self._forget_at = self._young, {}, now + REPEAT_S
        key = arrived.identity
        first = None if key is None else self._young.get(key) or self._old.get(key)
        if first is None or now - first.at >= REPEAT_S:
            first = First(now, arrived.channel)
            if key is not None:
                self._young[key] = first
            return Meeting(counts=True, is_new=True, adds=False, first=first)
        counts = arrived.channel not in first.channels
        first.channels.add(arrived.channel)
        return Meeting(counts, is_new=False, adds=now - first.at < MERGE_S, first=first)
