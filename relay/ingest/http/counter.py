"""One request, from its head to its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import hdrs, web

from relay.clock import Clock
from relay.config import Settings
from relay.ingest.answers import CANONICAL, Answer, Dialect, Result, is_all_invalid
from relay.ingest.envelope import ENVELOPE
from relay.ingest.headers import bearer, in_lower_case
from relay.ingest.http.bodies import Bodies
from relay.ingest.http.connection import Call
from relay.ingest.keys import Keys
from relay.ingest.protocol import Door, Taken
from relay.ingest.refusals import (
    DRAINING,
    FAILED,
    GONE,
    METHOD,
    NO_KEY,
    NOT_FOUND,
    SIGNATURE,
    UNKNOWN_SOURCE,
    WRONG_KEY,
    Refused,
    TurnedAway,
    refusal_of,
)
from relay.ingest.routes import Kind, place_of
from relay.ingest.silence import SILENT
from relay.telemetry import Log, Telemetry
from relay.traces import OFF, Traces, Visit

#: TikTok's header for tokens (TikTok docs, Events API 2.0); on the drop-in it holds a relay key.
_KEY_OF_DROP_IN: Final = "Access-Token"

#: Serves a call of a source; None where nobody wants to know how it goes.
_Serve = Callable[[Call, str, Visit | None], Awaitable[Answer]]


class Counter:
    """Where a request is asked, in this order, for its key, its body, and what the door says."""

    def __init__(  # noqa: PLR0913 - who is told, beside who is asked
        self,
        door: Door,
        keys: Keys,
        settings: Settings,
        *,
        clock: Clock,
        telemetry: Telemetry,
        log: Log,
        traces: Traces = OFF,
    ) -> None:
        self._traces = traces
        self._door = door
        self._keys = keys
        self._sources = frozenset(source.name for source in settings.sources)
        self._bodies = Bodies(settings.limits)
        self._clock = clock
        self._telemetry = telemetry
        self._log = log
        self._service: dict[Kind, tuple[Dialect, _Serve]] = {
            Kind.EVENTS: (CANONICAL, self._events),
            Kind.EVENT_TRACK: (ENVELOPE, self._event_track),
            Kind.WEBHOOK: (SILENT, self._webhook),
        }
        #: While it is set every answer ends its connection.
        self.leaving = False
        #: While it is set every request is answered 503, and its connection ends.
        self.draining = False

    async def handle(self, call: Call) -> web.StreamResponse:
        """Answer the call; no error leaves, but for cancellation."""
        visit = self._traces.visit(call.message.headers, self._clock)
        place = place_of(call.message.path)
        if place is None:
            answer = self._refused(CANONICAL, NOT_FOUND)
        elif call.message.method != "POST":
            answer = self._refused(CANONICAL, METHOD)
        elif self.draining:
            answer = self._refused(self._service[place.kind][0], DRAINING)
        else:
            dialect, serve = self._service[place.kind]
            try:
                answer = await serve(call, place.source, visit)
            except Exception as error:
                refused = self._refusal_of(error)
                answer = self._refused(dialect, refused)
                if refused is GONE:
                    return call.connection.gone()
        if visit is not None:
            visit.answered(answer.status)
        return await call.connection.send(call, answer, close=self.leaving or self.draining)

    def refused(self, refused: Refused) -> None:
        """Count a request that was turned away."""
        self._telemetry.refused_at_the_door(refused.reason)
        self._log.refused_at_the_door(refused.reason)

    # --- the addresses --------------------------------------------------------------------------

    async def _events(self, call: Call, _: str, visit: Visit | None) -> Answer:
        source = self._source_of(bearer(call.message.headers.get(hdrs.AUTHORIZATION)))
        body = self._bodies.at_hand(call)
        if body is None:
            body = await self._bodies.of_sender(call)
        began = self._clock.monotonic()
        try:
            taken = await self._door.conversions(source, body, visit)
        finally:
            self._bodies.release(body)
        return self._told(CANONICAL, taken, began)

    async def _event_track(self, call: Call, _: str, visit: Visit | None) -> Answer:
        source = self._source_of(call.message.headers.get(_KEY_OF_DROP_IN, "").strip())
        body = self._bodies.at_hand(call)
        if body is None:
            body = await self._bodies.of_sender(call)
        began = self._clock.monotonic()
        try:
            result = await self._door.event_track(source, body, visit)
        finally:
            self._bodies.release(body)
        return self._told(ENVELOPE, result, began)

    async def _webhook(self, call: Call, source: str, visit: Visit | None) -> Answer:
        if source not in self._sources:
            raise TurnedAway(UNKNOWN_SOURCE)
        body = self._bodies.at_hand(call)
        if body is None:
            body = await self._bodies.of_stranger(call)
        headers = in_lower_case(call.message.headers)
        began = self._clock.monotonic()
        try:
            result = await self._door.webhook(source, body, headers, visit)
        finally:
            self._bodies.release(body)
        return self._told(SILENT, result, began)

    # --- what they share -------------------------------------------------------------------------

    def _source_of(self, key: str) -> str:
        if not key:
            raise TurnedAway(NO_KEY)
        source = self._keys.source_of(key)
        if source is None:
            raise TurnedAway(WRONG_KEY)
        return source

    def _told(self, dialect: Dialect, result: Result, began: float) -> Answer:
        """The receipt, and how long its sender waited for it."""
        if isinstance(result, Taken) and not is_all_invalid(result):
            self._telemetry.answered(self._clock.monotonic() - began)
        return dialect.taken(result)

    def _refusal_of(self, error: Exception) -> Refused:
        refused = refusal_of(error)
        if refused is None:
            self._log.task_failed("request", error)
            return FAILED
        return refused

    def _refused(self, dialect: Dialect, refused: Refused) -> Answer:
        if refused is not SIGNATURE:  # the pipeline counts those, by source
            self.refused(refused)
        return dialect.refused(refused)
