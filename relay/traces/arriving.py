"""What came in without a sender who waits: messages of topics, lines of files, dead letters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from typing import Final

from relay.model import Answer, Arrival, Outcome
from relay.traces.catalogue import CONSUME, LINE, MESSAGE, REPLAY
from relay.traces.identity import (
    Context,
    Sampler,
    batch_of,
    request_of,
    root_of,
)
from relay.traces.span import Moment, Span, Value

#: So many sampled traces are told of in one go, at most.
MAX_TRACES: Final = 64

_COUNT: Final[dict[Outcome | None, str]] = {
    None: "relay.events.accepted",
    Outcome.DUPLICATE: "relay.events.duplicates",
    Outcome.WITHHELD: "relay.events.ended",
    Outcome.EXPIRED: "relay.events.ended",
    Outcome.INVALID: "relay.events.invalid",
}

#: What one request brought and what became of it; of several destinations each counts.
_Pairs = Sequence[tuple[Arrival, Answer]]


def of_messages(
    sampler: Sampler,
    pairs: _Pairs,
    messages: int,
    senders: Mapping[str, Context],
    times: tuple[Moment, float],
) -> Iterator[Span]:
    """Spans of messages that are durable: of each sampled one, and of the batch they came in.
    `senders` are the spans of those who wrote them, by receipt; `times` when the batch was looked
    at, and the monotonic time when it was durable."""
    sampled = _sampled(sampler, pairs)
    if not sampled:
        return
    began, end = times
    start_ns, end_ns = began.ns(began.monotonic), began.ns(end)
    first = pairs[0][0]
    batch = batch_of(first.receipt)
    told = _lowest(sampled)
    written = {request_of(receipt): sender for receipt, sender in senders.items()}
    for root in told:
        request, own = sampled[root]
        sender = written.get(request)
        links = (batch,) if sender is None else (batch, sender)
        attributes = {**_place_of(request, whole=True), **_head(own), **_counts(own)}
        yield Span(MESSAGE, root, start_ns, end_ns, attributes, links=links)
    attributes = {
        **_place_of(request_of(first.receipt), whole=False),
        **_head(pairs),
        **_counts(pairs),
        "messaging.batch.message_count": messages,
        "relay.sampled": len(sampled),
    }
    yield Span(CONSUME, batch, start_ns, end_ns, attributes, links=told)


def of_lines(sampler: Sampler, pairs: _Pairs, times: tuple[Moment, float]) -> Iterator[Span]:
    """Spans of the lines of a file, sampled ones."""
    began, end = times
    sampled = _sampled(sampler, pairs)
    for root in _lowest(sampled):
        _, own = sampled[root]
        attributes = {**_head(own), **_counts(own)}
        yield Span(LINE, root, began.ns(began.monotonic), began.ns(end), attributes)


def of_replay(
    sampler: Sampler, pair: tuple[Arrival, Answer], before: str, times: tuple[Moment, float]
) -> Iterator[Span]:
    """The span of a dead letter that was put back; `before` is the receipt it had."""
    began, end = times
    arrival, _ = pair
    for root, (_, own) in _sampled(sampler, (pair,)).items():
        attributes = {
            **_head(own),
            **_counts(own),
            "relay.destination": arrival.destination,
        }
        links = (root_of(request_of(before)),)
        start_ns = began.ns(began.monotonic)
        yield Span(REPLAY, root, start_ns, began.ns(end), attributes, links=links)


def _sampled(
    sampler: Sampler, pairs: _Pairs
) -> dict[Context, tuple[str, list[tuple[Arrival, Answer]]]]:
    """Sampled traces with their request; one that was known before has its spans already."""
    found: dict[Context, tuple[str, list[tuple[Arrival, Answer]]]] = {}
    roots = sampler.roots_of(arrival.receipt for arrival, _ in pairs)
    for root, pair in zip(roots, pairs, strict=True):
        if root is not None and not pair[1].known:
            found.setdefault(root, (request_of(pair[0].receipt), []))[1].append(pair)
    return found


def _lowest(roots: Iterable[Context]) -> Sequence[Context]:
    return nsmallest(MAX_TRACES, roots)


def _head(pairs: _Pairs) -> Mapping[str, Value]:
    return {"relay.source": pairs[0][0].source}


def _counts(pairs: _Pairs) -> Mapping[str, Value]:
    counts: dict[str, Value] = {}
    for _, answer in pairs:
        name = "relay.events.known" if answer.known else _COUNT[answer.outcome]
        counts[name] = int(counts.get(name, 0)) + 1
    return counts


def _place_of(request: str, *, whole: bool) -> Mapping[str, Value]:
    """Topic and partition of `kafka:<topic>/<partition>@<offset>`; with the offset, as a whole."""
    topic, _, rest = request.removeprefix("kafka:").rpartition("/")
    partition, _, offset = rest.partition("@")
    place: dict[str, Value] = {
        "messaging.system": "kafka",
        "messaging.destination.name": topic,
        "messaging.destination.partition.id": partition,
    }
    return {**place, "messaging.kafka.offset": int(offset)} if whole else place
