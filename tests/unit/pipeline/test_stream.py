"""Messages of topics onto the path, with a real journal behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import orjson
import pytest

from relay.model import Arrival, Outcome, Reason
from relay.pipeline.stream import Stream
from relay.sources import registry
from relay.sources.kafka import Topics
from tests.unit.pipeline.conftest import House

NEEDED: dict[str, object] = {"brokers": "kafka:9092", "topics": ["orders"], "group": "relay"}


class Record(NamedTuple):
    """A message as the client gives it."""

    offset: int
    value: bytes | None
    topic: str = "orders"
    partition: int = 3
    timestamp: int = 1_790_000_000_000
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


def records(*values: object, first: int = 10) -> list[Record]:
    return [
        Record(offset, value if isinstance(value, bytes | None) else orjson.dumps(value))
        for offset, value in enumerate(values, first)
    ]


@pytest.fixture
def stream(house: House) -> Callable[..., Stream]:
    def make(*destinations: str, journal: Any = None, **options: object) -> Stream:
        source = registry.build("kafka", "topic", [], {**NEEDED, **options})
        assert isinstance(source, Topics)
        return Stream(
            source, destinations or ("web",), house.acceptor, journal or house.journal,
            clock=house.clock, telemetry=house.telemetry,
        )  # fmt: skip

    return make


async def test_a_receipt_names_topic_partition_and_offset(
    house: House, stream: Callable[..., Stream], event: Callable[..., dict[str, Any]]
) -> None:
    path = stream("web", "crm")
    judged = path.judge(records(event("a"), [event("b"), event("c")]))
    await path.store(judged)

    receipts = [[arrival.receipt for arrival in each.arrivals] for each in judged]
    assert receipts == [
        ["kafka:orders/3@10"] * 2,
        ["kafka:orders/3@11.0"] * 2 + ["kafka:orders/3@11.1"] * 2,
    ]
    found = await house.journal.find("kafka:orders/3@11.1")
    assert {(each.destination, each.event_id) for each in found} == {("web", "c"), ("crm", "c")}
    assert house.samples()['relay_arrivals_total{source="topic"}'] == 3


async def test_what_is_read_again_is_known_and_counted_once(
    house: House, stream: Callable[..., Stream], event: Callable[..., dict[str, Any]]
) -> None:
    path = stream()
    for _ in range(2):
        await path.store(path.judge(records(event("a"), event("b"), b"{", {"event": "Lead"})))

    assert house.journal.counts()["web"].accepted == 4
    assert house.samples()['relay_arrivals_total{source="topic"}'] == 4


@pytest.mark.parametrize(
    ("value", "reason", "error"),
    [
        (b"not json", Reason.NOT_AN_OBJECT, "not_json"),
        (b'"ada@example.com"', Reason.NOT_AN_OBJECT, "not_an_object"),
        (b"[" + b"0," * 10_000 + b"0]", Reason.TOO_LARGE, "too_many"),
        (b'"' + b"a" * 1_000_000 + b'"', Reason.TOO_LARGE, "too_large"),
    ],
)
async def test_what_cannot_be_read_is_recorded_with_its_reason_and_nothing_else(
    value: bytes,
    reason: Reason,
    error: str,
    house: House,
    stream: Callable[..., Stream],
) -> None:
    path = stream()
    (judged,) = path.judge(records(value))
    await path.store([judged])

    assert judged.is_invalid
    (trace,) = await house.journal.find("kafka:orders/3@10")
    assert (trace.outcome, trace.reason) == (Outcome.INVALID, reason)
    assert [tuple(each) for each in trace.errors] == [("", error)]
    assert (trace.event_id, trace.order_id, trace.wire) == (None, None, None)


async def test_a_tombstone_is_passed_over_and_counted(
    house: House, stream: Callable[..., Stream], event: Callable[..., dict[str, Any]]
) -> None:
    path = stream()
    first, second = path.judge(records(None, event("a")))
    assert (first.ignored, list(first.arrivals), first.is_invalid) == ("tombstone", [], False)
    assert second.ignored is None

    await path.store([first, second])

    samples = house.samples()
    assert samples['relay_ignored_total{reason="tombstone",source="topic"}'] == 1
    assert samples['relay_arrivals_total{source="topic"}'] == 1


async def test_an_event_that_came_too_late_is_not_invalid(
    stream: Callable[..., Stream], event: Callable[..., dict[str, Any]]
) -> None:
    late, wrong = stream().judge(records(event(event_time=1_600_000_000), {"event": "Lead"}))

    assert not late.is_invalid
    assert wrong.is_invalid


async def test_what_no_journal_can_store_ends_as_invalid_and_the_others_pass(
    house: House, stream: Callable[..., Stream], event: Callable[..., dict[str, Any]]
) -> None:
    class Choosy:
        """A journal that cannot write one of the events."""

        async def append(self, arrivals: Sequence[Arrival], remember: object = None) -> Any:
            if any(each.result.event_id == "c" for each in arrivals):
                raise ValueError
            return await house.journal.append(arrivals)

    path = stream(journal=Choosy())
    await path.store(path.judge(records(*map(event, "abcde"))))

    (trace,) = await house.journal.find("kafka:orders/3@12")
    assert trace.outcome is Outcome.INVALID
    assert house.journal.counts()["web"].waiting == 4
