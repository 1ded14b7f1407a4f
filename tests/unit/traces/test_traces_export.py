"""From spans to a collector: whole, bounded, and over in time; over real connections."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from relay.secrets import Secret
from relay.traces.identity import root_of
from relay.traces.otlp import MAX_WAITING, Target, exporting
from relay.traces.span import Offer, Span
from tests.acceptance.conftest import free_port, until
from tests.servers.collector import Collector, collecting


class Told:
    """What became of spans."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.words: set[str | None] = set()

    def __call__(self, result: str, spans: int, word: str | None) -> None:
        self.counts[result] += spans
        self.words.add(word)


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as found:
        yield found


@pytest.fixture
def told() -> Told:
    return Told()


@asynccontextmanager
async def to(url: str, told: Told, key: Secret | None = None) -> AsyncIterator[Offer]:
    async with exporting(Target(url, key, "relay", "1.0", "instance"), told) as offer:
        yield offer


def span(number: int) -> Span:
    return Span("relay.accept", root_of(f"http:{number:x}"), 1, 2, {"relay.source": "shop"})


async def test_every_span_arrives_once(collector: Collector, told: Told) -> None:
    async with to(collector.url + "/", told) as offer:
        for number in range(1000):
            offer(span(number))

    assert {each.trace for each in collector.spans} == {
        root_of(f"http:{number:x}").trace for number in range(1000)
    }
    assert len(collector.spans) == 1000
    assert told.counts == {"exported": 1000}


async def test_what_a_busy_collector_refuses_for_a_moment_is_sent_again(
    collector: Collector, told: Told
) -> None:
    collector.status = 503
    async with to(collector.url, told) as offer:
        offer(span(1))
        await until(lambda: collector.requests > 0)
        collector.status = 200
        await until(lambda: told.counts["exported"] == 1)

    assert told.counts == {"exported": 1}


async def test_what_is_refused_for_good_is_not(collector: Collector, told: Told) -> None:
    collector.status = 401
    async with to(collector.url, told) as offer:
        offer(span(1))
        await until(lambda: told.counts.total() == 1)

    assert (told.counts, told.words) == ({"failed": 1}, {"http_401"})
    assert collector.requests == 1


async def test_what_the_collector_says_it_did_not_take_is_counted(
    collector: Collector, told: Told
) -> None:
    collector.rejects = 3
    async with to(collector.url, told) as offer:
        for number in range(10):
            offer(span(number))

    assert told.counts == {"exported": 7, "refused": 3}


async def test_a_collector_that_started_anew_is_connected_to_anew_without_a_pause(
    told: Told,
) -> None:
    """Also by a relay that is about to leave, and tries nothing twice."""
    port = free_port()
    exporter = to(f"http://127.0.0.1:{port}", told)
    async with collecting(port) as first:
        offer = await exporter.__aenter__()
        offer(span(1))
        await until(lambda: told.counts["exported"] == 1)
    async with collecting(port) as second:
        offer(span(2))
        await exporter.__aexit__(None, None, None)

    assert (len(first.spans), len(second.spans)) == (1, 1)
    assert told.counts == {"exported": 2}


async def test_a_renewed_key_is_shown(collector: Collector, told: Told, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("Bearer old")
    async with to(collector.url, told, Secret(f"file:{file}", {})) as offer:
        offer(span(1))
        await until(lambda: len(collector.spans) == 1)
        file.write_text("Bearer renewed")
        offer(span(2))

    assert [each["authorization"] for each in collector.headers] == ["Bearer old", "Bearer renewed"]


async def test_more_than_may_wait_is_dropped_and_counted_at_once(
    collector: Collector, told: Told
) -> None:
    collector.holding.clear()
    async with to(collector.url, told) as offer:
        for number in range(MAX_WAITING + 500):
            offer(span(number))
        assert told.counts == {"queue_full": 500}
        collector.holding.set()

    assert told.counts == {"queue_full": 500, "exported": MAX_WAITING}


async def test_the_end_does_not_wait_for_a_collector_and_every_span_is_accounted_for(
    collector: Collector, told: Told
) -> None:
    collector.holding.clear()
    async with to(collector.url, told) as offer:
        for number in range(1500):
            offer(span(number))
        await until(lambda: collector.requests > 0)
        began = time.monotonic()

    assert time.monotonic() - began < 2.5
    assert told.counts.total() == 1500
    assert told.counts["exported"] == 0


async def test_nobody_there(told: Told) -> None:
    async with to(f"http://127.0.0.1:{free_port()}", told) as offer:
        offer(span(1))
        began = time.monotonic()

    assert time.monotonic() - began < 1
    assert told.counts == {"stopped": 1}
