"""From a sender's bytes to a durable receipt."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay.clock import Clock
from relay.config import Destination
from relay.errors import PayloadRefused, SignatureRefused, UnknownSource
from relay.ingest.protocol import Headers, Mismatch, Nothing, Taken
from relay.journal.protocol import Intake
from relay.model import Answer, Arrival, Event, FieldIssue, Reason, Refusal
from relay.normalize.event import Normalizer
from relay.pipeline.summary import sum_up
from relay.sources.canonical import conversions_in
from relay.sources.dropin import tiktok_event_track
from relay.sources.protocol import (
    Control,
    ControlAction,
    Conversions,
    Ignored,
    PayloadReason,
    Reading,
    Source,
)
from relay.telemetry import Log, Telemetry
from relay.traces import Visit
from relay.traces.catalogue import APPEND, NORMALIZE, VERIFY

#: So many events are normalized before other requests have their turn: some 10 ms.
_AT_ONCE = 500

_STRANGER = FieldIssue("destination", "unknown_destination")


@dataclass(frozen=True, slots=True)
class Route:
    """A configured source and the names of the destinations it feeds."""

    source: Source
    destinations: Sequence[str]


class Receipts:
    """Names for requests: unique across restarts, sortable by time, and cheap."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._run = os.urandom(5).hex()
        self._count = 0

    def request_id(self) -> str:
        self._count += 1
        return f"{int(self._clock.now() * 1000):012x}{self._run}{self._count:x}"


class Acceptor:
    """The door's way into the journal; `relay.ingest.protocol.Door` says what it promises."""

    def __init__(  # noqa: PLR0913 - the meeting point of all stages
        self,
        routes: Mapping[str, Route],
        destinations: Mapping[str, Destination],
        normalizers: Mapping[str, Normalizer],
        journal: Intake,
        *,
        max_events: int,
        clock: Clock,
        telemetry: Telemetry,
        log: Log,
    ) -> None:
        self._routes = routes
        self._destinations = destinations
        self._normalizers = normalizers
        self._journal = journal
        self._max_events = max_events
        self._clock = clock
        self._telemetry = telemetry
        self._log = log
        self._receipts = Receipts(clock)

    # --- the three ways in ----------------------------------------------------------------------

    async def conversions(self, source: str, body: bytes, visit: Visit | None = None) -> Taken:
        """See `Door.conversions`."""
        if visit is not None:
            visit.enters(source, len(body))
        route = self._route(source)
        return await self._take(route, conversions_in(body), {}, visit)

    async def event_track(
        self, source: str, body: bytes, visit: Visit | None = None
    ) -> Taken | Mismatch:
        """See `Door.event_track`."""
        if visit is not None:
            visit.enters(source, len(body))
        route = self._route(source)
        request = tiktok_event_track(body)
        fitting = [
            name
            for name in route.destinations
            if self._destinations[name].event_source == request.event_source
        ]
        if not fitting:
            return Mismatch("event_source")
        fitting = [
            name
            for name in fitting
            if self._destinations[name].event_source_id == request.event_source_id
        ]
        if not fitting:
            return Mismatch("event_source_id")
        return await self._take(Route(route.source, fitting), request.items, {}, visit)

    async def webhook(
        self, source: str, body: bytes, headers: Headers, visit: Visit | None = None
    ) -> Taken | Nothing:
        """See `Door.webhook`."""
        if visit is not None:
            visit.enters(source, len(body))
        route = self._route(source)
        if route.source.is_ping(body, headers):
            self._telemetry.ignored(source, ControlAction.PING)
            return Nothing(ControlAction.PING)
        now = self._clock.now()
        try:
            route.source.verify(body, headers, now=now)
        except SignatureRefused as refused:
            self._telemetry.signature_refused(source, refused.reason)
            self._log.signature_refused(source, refused.reason)
            raise
        if visit is not None:
            visit.passed(VERIFY)
        match await self._read(route.source, body, headers, now):
            case Ignored(reason):
                self._telemetry.ignored(source, reason)
                return Nothing(reason)
            case Control() as control:
                return await self._obey(source, control)
            case Conversions(items, remember):
                return await self._take(route, items, remember, visit)

    async def _read(self, source: Source, body: bytes, headers: Headers, now: float) -> Reading:
        """A source is pure: what it wants recalled is fetched, and it reads once more."""
        recalled: dict[bytes, bytes | None] = {}
        while True:
            try:
                return source.read(body, headers, now=now, recall=recalled.__getitem__)
            except KeyError as missing:
                (key,) = missing.args
                if not isinstance(key, bytes) or key in recalled:
                    raise
                recalled[key] = await self._journal.recall(key)

    def _route(self, source: str) -> Route:
        try:
            return self._routes[source]
        except KeyError:
            raise UnknownSource("unknown_source") from None

    async def _obey(self, source: str, control: Control) -> Nothing:
        self._telemetry.ignored(source, control.action)
        if control.erase:
            erased = await self._journal.erase(control.erase)
            self._log.person_erased(source, traces=erased)
        if control.action is ControlAction.APP_UNINSTALLED:
            self._log.sender_uninstalled(source)
        return Nothing(control.action)

    # --- onto the path --------------------------------------------------------------------------

    async def _take(
        self,
        route: Route,
        items: Sequence[object],
        remember: Mapping[bytes, bytes],
        visit: Visit | None,
    ) -> Taken:
        if len(items) > self._max_events:
            raise PayloadRefused(PayloadReason.TOO_MANY)
        request_id = self._receipts.request_id()
        if visit is not None and not visit.named(request_id):
            visit = None
        arrivals = self.arrivals(route, items[:_AT_ONCE], f"http:{request_id}/")
        for start in range(_AT_ONCE, len(items), _AT_ONCE):
            await asyncio.sleep(0)  # a large request lets the others in between
            part = items[start : start + _AT_ONCE]
            arrivals += self.arrivals(route, part, f"http:{request_id}/", start)
        if not arrivals and not remember:
            return Taken(request_id, 0, 0)
        if visit is not None:
            visit.passed(NORMALIZE)
        answers = await self._journal.append(arrivals, remember)
        self._telemetry.arrived(route.source.name, len(items))
        for arrival, answer in zip(arrivals, answers, strict=True):
            self.count(arrival, answer)
        taken = sum_up(request_id, len(items), arrivals, answers)
        if visit is not None:
            visit.passed(APPEND)
            _, _, accepted, duplicates, ended, invalid = taken
            visit.took(accepted, duplicates, ended, len(invalid))
        return taken

    def arrivals(
        self, route: Route, items: Sequence[object], receipts: str, first: int = 0
    ) -> list[Arrival]:
        """Each item for each of its destinations; `receipts` is the text before an item's index,
        which counts from `first`."""
        now = self._clock.now()
        source = route.source.name
        # The method itself: calling an object takes Python three times as long.
        every = [(name, self._normalizers[name].__call__, self._test_code(name, now))
                 for name in route.destinations]  # fmt: skip
        arrivals = []
        for index, item in enumerate(items, first):
            receipt = f"{receipts}{index}"
            if isinstance(item, Refusal):
                arrivals += [Arrival(receipt, source, name, item) for name, _, _ in every]
                continue
            for name, normalize, test_code in every:
                if type(item) is dict and item.get("destination") and item["destination"] != name:
                    continue
                result = normalize(item, now=now)
                if test_code is not None and isinstance(result, Event):
                    result = result._replace(test_event_code=result.test_event_code or test_code)
                arrivals.append(Arrival(receipt, source, name, result))
            if not arrivals or arrivals[-1].receipt != receipt:  # it named a stranger
                name = route.destinations[0]
                refuse = self._normalizers[name].refused
                refused = refuse(item, Reason.UNKNOWN_DESTINATION, _STRANGER)
                arrivals.append(Arrival(receipt, source, name, refused))
        return arrivals

    def _test_code(self, destination: str, now: float) -> str | None:
        return self._destinations[destination].test_code_at(now)

    def count(self, arrival: Arrival, answer: Answer) -> None:
        """Count what the journal made of an arrival; nothing where it knew it."""
        if answer.known:
            return
        result = arrival.result
        if isinstance(result, Event):
            if result.issues:
                for issue in result.issues:
                    self._telemetry.field_dropped(arrival.destination, issue.field, issue.reason)
            if answer.outcome is None:
                self._telemetry.accepted(arrival.destination, result.match_keys)
                return
        if answer.outcome is not None and answer.reason is not None:
            self._telemetry.settled(arrival.destination, result.name, answer.outcome, answer.reason)
