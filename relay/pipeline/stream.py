"""Messages of topics onto the path: `relay.ingest.kafka.protocol.Path`.

A message's receipt is `kafka:<topic>/<partition>@<offset>`, with `.<index>` behind it where one
message yields several conversions: read again, it is known, and nothing of it is written twice.
One that cannot be read is recorded as invalid under its receipt, with the reason and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from relay.clock import Clock
from relay.errors import PayloadRefused
from relay.ingest.kafka.protocol import Judged, Message
from relay.journal.protocol import Intake
from relay.model import Answer, Arrival, FieldIssue, Outcome, Reason, Refusal
from relay.pipeline.accept import Acceptor, Route
from relay.sources.kafka import Topics, headers_of
from relay.sources.protocol import (
    Control,
    Conversions,
    Headers,
    Ignored,
    IgnoredReason,
    PayloadReason,
)
from relay.telemetry import Telemetry
from relay.traces import OFF, TRACEPARENT, Context, Moment, Traces, read_traceparent

_REASONS: Final[dict[str, Reason]] = {
    PayloadReason.NOT_JSON: Reason.NOT_AN_OBJECT,
    PayloadReason.NOT_AN_OBJECT: Reason.NOT_AN_OBJECT,
    PayloadReason.TOO_LARGE: Reason.TOO_LARGE,
    PayloadReason.TOO_MANY: Reason.TOO_LARGE,
}


class Stream:
    """The messages of one source. `destinations` are the names of those it feeds."""

    def __init__(  # noqa: PLR0913 - who is told, beside who is asked
        self,
        source: Topics,
        destinations: Sequence[str],
        acceptor: Acceptor,
        journal: Intake,
        *,
        clock: Clock,
        telemetry: Telemetry,
        traces: Traces = OFF,
    ) -> None:
        self._traces = traces
        self._source = source
        self._route = Route(source, destinations)
        self._acceptor = acceptor
        self._journal = journal
        self._clock = clock
        self._telemetry = telemetry

    def judge(self, messages: Sequence[Message]) -> Sequence[Judged]:
        """See `Path.judge`."""
        began = Moment(self._clock.now(), self._clock.monotonic())
        conversions: list[object] = []
        owners: list[tuple[int, str]] = []  # of each conversion: its message, its receipt
        ignored: list[str | None] = []
        for at, message in enumerate(messages):
            found = self._found(message)
            ignored.append(found if isinstance(found, str) else None)
            if not isinstance(found, str):
                conversions += found
                owners += [(at, receipt) for receipt in _receipts(message, len(found))]
        arrivals: list[list[Arrival]] = [[] for _ in messages]
        for arrival in self._acceptor.arrivals(self._route, conversions, ""):
            at, receipt = owners[int(arrival.receipt)]
            arrivals[at].append(arrival._replace(receipt=receipt))
        judged = [Judged(each, why) for each, why in zip(arrivals, ignored, strict=True)]
        if not self._traces.is_on:
            return judged
        senders = (_sender_of(message) for message in messages)
        return [
            each._replace(began=began, sender=sender)
            for each, sender in zip(judged, senders, strict=True)
        ]

    async def store(self, judged: Sequence[Judged]) -> None:
        """See `Path.store`."""
        arrivals = [arrival for each in judged for arrival in each.arrivals]
        if arrivals:
            answers = await self._append(arrivals)
            self._count(arrivals, answers)
            self._trace(judged, arrivals, answers)
        for each in judged:
            if each.ignored is not None:
                self._telemetry.ignored(self._source.name, each.ignored)

    def _trace(
        self, judged: Sequence[Judged], arrivals: Sequence[Arrival], answers: Sequence[Answer]
    ) -> None:
        began = judged[0].began
        if began is None:
            return
        senders = {
            each.arrivals[0].receipt: each.sender
            for each in judged
            if each.sender is not None and each.arrivals
        }
        pairs = list(zip(arrivals, answers, strict=True))
        times = (began, self._clock.monotonic())
        self._traces.consumed(pairs, len(judged), senders, times)

    def _count(self, arrivals: Sequence[Arrival], answers: Sequence[Answer]) -> None:
        fresh = {
            arrival.receipt
            for arrival, answer in zip(arrivals, answers, strict=True)
            if not answer.known
        }
        self._telemetry.arrived(self._source.name, len(fresh))
        for arrival, answer in zip(arrivals, answers, strict=True):
            self._acceptor.count(arrival, answer)

    async def _append(self, arrivals: Sequence[Arrival]) -> Sequence[Answer]:
        """An arrival that no journal can store ends as invalid: it would come again for ever."""
        try:
            return await self._journal.append(arrivals)
        except (TypeError, ValueError):
            if len(arrivals) == 1:
                refused = _unreadable(PayloadReason.FORMAT)
                return await self._journal.append([arrivals[0]._replace(result=refused)])
            half = len(arrivals) // 2
            return [*await self._append(arrivals[:half]), *await self._append(arrivals[half:])]

    def _found(self, message: Message) -> Sequence[object] | str:
        """A message's conversions, or why it is passed over."""
        if message.value is None:
            return IgnoredReason.TOMBSTONE
        headers: Headers = {}
        if self._source.looks_at_headers:
            headers = headers_of(
                message.headers,
                key=message.key,
                topic=message.topic,
                timestamp_ms=message.timestamp,
            )
        now = self._clock.now()
        try:
            reading = self._source.read(message.value, headers, now=now, recall=lambda key: None)
        except PayloadRefused as refused:
            return (_unreadable(refused.reason),)
        match reading:
            case Conversions(items):
                return items
            case Ignored(why):
                return why
            case Control(action):
                return action


def _sender_of(message: Message) -> Context | None:
    """The span of who wrote it (W3C Trace Context; in Kafka's headers by the same name)."""
    found = next((value for name, value in message.headers if name == TRACEPARENT), None)
    return None if found is None else read_traceparent(found.decode("ascii", "replace"))


def _receipts(message: Message, count: int) -> Sequence[str]:
    receipt = f"kafka:{message.topic}/{message.partition}@{message.offset}"
    return [receipt] if count == 1 else [f"{receipt}.{index}" for index in range(count)]


def _unreadable(reason: str) -> Refusal:
    why = _REASONS.get(reason, Reason.UNMAPPABLE)
    return Refusal(Outcome.INVALID, why, None, None, None, None, (FieldIssue("", reason),))
