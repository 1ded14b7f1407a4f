"""Messages, lines and dead letters begin a trace, too, and keep it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
import pytest

from relay import assembly
from relay.model import DeadLetter, Outcome, Reason
from relay.pipeline.imports import Importer
from relay.pipeline.replay import Replayer
from relay.pipeline.stream import Stream
from relay.sources import registry
from relay.sources.kafka import Topics
from relay.traces import Tracer
from relay.traces.arriving import MAX_TRACES
from relay.traces.catalogue import SPANS
from relay.traces.identity import batch_of, read_traceparent, root_of
from relay.traces.span import Span
from tests.unit.pipeline.conftest import House

NEEDED: dict[str, object] = {"brokers": "kafka:9092", "topics": ["orders"], "group": "relay"}
SENDER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
Make = Callable[..., dict[str, Any]]


class Record(NamedTuple):
    """A message as the client gives it."""

    offset: int
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    topic: str = "orders"
    partition: int = 3
    timestamp: int = 1_790_000_000_000
    key: bytes | None = None


def raised(error: Exception) -> None:
    raise error


@pytest.fixture
def heard() -> list[Span]:
    return []


@pytest.fixture
def stream(house: House, heard: list[Span]) -> Stream:
    source = registry.build("kafka", "topic", [], NEEDED)
    assert isinstance(source, Topics)
    return Stream(
        source, ("web",), house.acceptor, house.journal,
        clock=house.clock, telemetry=house.telemetry, traces=Tracer(1.0, heard.append, raised),
    )  # fmt: skip


def named(heard: list[Span], name: str) -> list[Span]:
    return [each for each in heard if each.name == name]


async def test_messages_and_the_batch_they_came_in_point_at_each_other(
    house: House, stream: Stream, event: Make, heard: list[Span]
) -> None:
    messages = [
        Record(10, orjson.dumps(event("a")), (("traceparent", SENDER.encode()),)),
        Record(11, orjson.dumps([event("b"), event("a")]), (("traceparent", b"\xff"),)),
        Record(12, None),
    ]
    await stream.store(stream.judge(messages))

    (consume,) = named(heard, "relay.consume")
    first, second = named(heard, "relay.message")
    roots = {root_of("kafka:orders/3@10"), root_of("kafka:orders/3@11")}
    assert {first.context, second.context} == roots == set(consume.links)
    assert consume.context == batch_of("kafka:orders/3@10")
    assert consume.attributes == {
        "messaging.system": "kafka",
        "messaging.destination.name": "orders",
        "messaging.destination.partition.id": "3",
        "messaging.batch.message_count": 3,
        "relay.source": "topic",
        "relay.sampled": 2,
        "relay.events.accepted": 2,
        "relay.events.duplicates": 1,
    }
    by_offset = {each.attributes["messaging.kafka.offset"]: each for each in (first, second)}
    assert by_offset[10].links == (consume.context, read_traceparent(SENDER))
    assert by_offset[11].links == (consume.context,)
    assert by_offset[11].attributes["relay.events.duplicates"] == 1
    for span in heard:
        assert set(span.attributes) <= SPANS[span.name].attributes


async def test_a_message_that_is_read_again_is_not_told_again(
    stream: Stream, event: Make, heard: list[Span]
) -> None:
    await stream.store(stream.judge([Record(10, orjson.dumps(event("a")))]))
    before = list(heard)

    await stream.store(stream.judge([Record(10, orjson.dumps(event("a")))]))

    assert heard == before != []


async def test_a_large_batch_tells_of_a_bounded_number_of_messages(
    stream: Stream, event: Make, heard: list[Span]
) -> None:
    messages = [Record(at, orjson.dumps(event(f"e{at}"))) for at in range(MAX_TRACES + 6)]

    await stream.store(stream.judge(messages))

    (consume,) = named(heard, "relay.consume")
    assert len(consume.links) == len(named(heard, "relay.message")) == MAX_TRACES
    assert consume.attributes["relay.sampled"] == MAX_TRACES + 6


async def test_each_line_of_a_file_has_its_trace(
    house: House, event: Make, heard: list[Span]
) -> None:
    importer = Importer(
        assembly.routes_of(house.settings), house.acceptor, house.journal,
        clock=house.clock, telemetry=house.telemetry, traces=Tracer(1.0, heard.append, raised),
    )  # fmt: skip

    await importer.take("backend", "9f86d081", 7, [event("a"), {"event": "Purchase"}])

    lines = {each.context: each.attributes for each in heard}
    assert lines == {
        root_of("import:9f86d081/7"): {"relay.source": "backend", "relay.events.accepted": 1},
        root_of("import:9f86d081/8"): {"relay.source": "backend", "relay.events.invalid": 1},
    }


async def test_a_replay_points_at_the_trace_that_its_event_had_before(
    house: House, event: Make, heard: list[Span]
) -> None:
    letter = DeadLetter(
        "web-1", 1.0, "http:first/4", "backend", "web", "Purchase", "a", None, 1, 1.0,
        Outcome.REJECTED, Reason.REFUSED, 40000, None, None, 1, None, None,
        wire=orjson.dumps(event("a")),
    )  # fmt: skip
    replayer = Replayer(
        house.journal,
        assembly.normalizers_of(house.settings),
        house.clock,
        Tracer(1.0, heard.append, raised),
    )

    await replayer.replay([letter], dry_run=True)
    assert heard == []
    await replayer.replay([dataclasses.replace(letter)], dry_run=False)

    (replay,) = heard
    assert (replay.name, replay.context) == ("relay.replay", root_of("replay:web-1"))
    assert replay.links == (root_of("http:first"),)
    assert replay.attributes["relay.events.accepted"] == 1


async def test_a_mistake_in_making_spans_costs_the_spans_only(
    house: House, event: Make, heard: list[Span]
) -> None:
    def broken_offer(span: Span) -> None:
        raise KeyError(span.name)

    found: list[Exception] = []
    tracer = Tracer(1.0, broken_offer, found.append)
    visit = tracer.visit({}, house.clock)
    taken = await house.acceptor.conversions("backend", orjson.dumps(event("a")), visit)
    assert visit is not None
    visit.answered(202)

    assert taken.accepted == 1
    assert [type(each) for each in found] == [KeyError]
