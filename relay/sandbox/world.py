"""Everything one stand-in knows, and the words its parts share: call, route, reply. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from relay.sandbox.access import Access
from relay.sandbox.ads.model import AdWorld
from relay.sandbox.ads.still import StillWorld
from relay.sandbox.answers import Answer
from relay.sandbox.conditions import Roll, Seen
from relay.sandbox.faults import Faults
from relay.sandbox.marketing.desk import Desk
from relay.sandbox.plan import FaultPlan
from relay.sandbox.settings import SandboxSettings
from relay.sandbox.state import Received, Tally

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

JSON: Final = "application/json"
HTML: Final = "text/html"


class World:
    """The state of one stand-in. `started_at` is the clock's time, `roll` gives chance; `ads` are
    the ad accounts it plays, a small one that stands still where none are given."""

    def __init__(
        self,
        settings: SandboxSettings,
        *,
        started_at: float,
        roll: Roll,
        ads: AdWorld | None = None,
    ) -> None:
        self.settings = settings
        self.roll = roll
        self.ads = StillWorld(started_at) if ads is None else ads
        self.open_calls = 0
        self.start_over(now=started_at)

    def start_over(self, *, now: float) -> None:
        """As if just started: nothing received, the first faults and tokens, the clock's time."""
        self.advanced_s = 0.0
        self.access = Access(self.settings.access)
        self.put_faults(self.settings.faults, now=now)
        self.received = self._nothing()
        self.desk = Desk(self.settings.marketing)

    def begin_call(self) -> None:
        """A call has come; it is open until `end_call`."""
        self.open_calls += 1
        self.received.most_open_calls = max(self.received.most_open_calls, self.open_calls)

    def end_call(self) -> None:
        self.open_calls -= 1

    def time(self, clock_now: float) -> float:
        """The stand-in's time, given the clock's: it may have been put forward."""
        return clock_now + self.advanced_s

    def put_faults(self, plan: FaultPlan, *, now: float) -> None:
        """Put a plan in force; its windows and counts begin now."""
        self.faults = Faults(plan, now=now)

    def forget(self, *, now: float) -> None:
        """Forget what was received; the faults in force begin again, tokens stay."""
        self.received = self._nothing()
        self.desk.forget()
        self.put_faults(self.faults.plan, now=now)

    def _nothing(self) -> Received:
        return Received(
            keep_events=self.settings.keep_events,
            keep_requests=self.settings.keep_requests,
            light=self.settings.light,
        )


class Call(NamedTuple):
    """A request as it came; `origin` is the scheme and the host it was sent to."""

    method: str
    path: str
    query: Mapping[str, str]
    token: str | None
    content_type: str
    content_encoding: str
    body: bytes
    origin: str = ""


class Reading(NamedTuple):
    """A call and what it says: `document` is None where the body is not JSON."""

    call: Call
    request_id: str
    document: Any
    event_source: str | None
    event_source_id: str | None
    is_test: bool
    events: int
    advertiser_ids: tuple[str, ...] = ()

    @property
    def seen(self) -> Seen:
        return Seen(self.call.path, self.event_source_id, self.advertiser_ids)


class Reply(NamedTuple):
    """What to do with the connection: wait, then write the body or (`resets`) reset it.

    `chunks` come after the body: what is too long to be held at once. `at` is TikTok's time.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = _NO_HEADERS
    delay_s: float = 0.0
    drip_s: float = 0.0
    resets: bool = False
    chunks: Iterator[bytes] | None = None
    at: float = 0.0


class Handled(NamedTuple):
    """What a family of the API answered, and what became of the events it was brought.

    `reply` is written in place of the envelope: a file, a page, a redirection.
    """

    answer: Answer
    tally: Tally = Tally()
    headers: Mapping[str, str] = _NO_HEADERS
    extra_info: Mapping[str, Any] | None = None
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One route of a family of the API. `handle` may assume that `Reading.document` was read."""

    method: str
    path: str
    handle: Callable[[World, Reading, float], Handled]
