"""One trace from a receipt to TikTok's `request_id`, told to a collector by a real relay."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson
import pytest

from relay.sandbox.http import Running
from tests.acceptance.conftest import KEY, PIXEL, TOKEN, free_port, signed_order
from tests.acceptance.test_distributed import Fleet
from tests.servers.collector import Collector, Heard, collecting
from tests.servers.kafka import KafkaServer

TRACES = """
[traces]
endpoint = "{endpoint}"
sample_ratio = {ratio}
"""
COLLECTOR_KEY = "collector-key-0123456789"
SHOP_SECRET = "shpss_of_the_test_shop"
SHOP = """
[[sources]]
name = "shop"
kind = "shopify"
destination = "web"
secrets = ["env:SHOP"]
"""
SENDER = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")


def traces(endpoint: str, ratio: float = 1) -> str:
    return TRACES.format(endpoint=endpoint, ratio=ratio)


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as found:
        yield found


@pytest.fixture
async def traced(make_relay: Callable[..., Any], collector: Collector) -> Any:
    """A relay whose traces are all kept."""
    relay = make_relay(more=traces(collector.url))
    await relay.up()
    return relay


async def accepted(sender: Any, *event_ids: str) -> str:
    """The id that the relay gave to a request of these events."""
    answer = await sender.answer([sender.make(each) for each in event_ids])
    request_id: str = orjson.loads(answer)["request_id"]
    return request_id


def accepting(collector: Collector, request_id: str) -> list[Heard]:
    spans = collector.named("relay.accept")
    return [each for each in spans if each.attributes["relay.request_id"] == request_id]


def words(spans: list[Heard], name: str) -> list[Any]:
    return [each.attributes.get(name) for each in spans]


async def test_a_receipt_s_trace_reaches_the_request_id_that_tiktok_gave_to_its_event(
    traced: Any, make_sender: Any, collector: Collector, sandbox: Running
) -> None:
    sender = make_sender(traced)
    request_ids = {each: await accepted(sender, each) for each in ("order-1", "order-2")}
    await traced.until_settled()
    _, found = await traced.typed("find", "order-1", "--json")
    assert await traced.terminate() == 0

    said = {each.event_id: each.request_id for each in sandbox.world.received.events}
    for event_id, request_id in request_ids.items():
        (accept,) = accepting(collector, request_id)
        (answer,) = collector.named("relay.answer", accept.trace)
        assert answer.attributes["tiktok.request_id"] == said[event_id]
        assert answer.attributes["relay.outcome"] == "delivered"
        assert answer.parent == accept.span
        (attempt,) = [
            each for each in collector.named("relay.deliver")
            if [(each.trace, each.span)] == answer.links
        ]  # fmt: skip
        assert attempt.attributes["tiktok.request_id"] == said[event_id]
        assert (accept.trace, accept.span) in attempt.links
    (accept,) = accepting(collector, request_ids["order-1"])
    assert [each["trace_id"] for each in found] == [accept.trace]


async def test_a_request_is_told_with_its_steps_and_what_became_of_its_events(
    traced: Any, make_sender: Any, http: Any, collector: Collector
) -> None:
    sender = make_sender(traced)
    await sender.send(sender.make("order-1"))
    body = orjson.dumps([sender.make("order-1"), sender.make("order-2"), {"event": "Purchase"}])
    headers = {"Authorization": f"Bearer {KEY}", "traceparent": f"00-{'-'.join(SENDER)}-01"}
    async with http.post(traced.url + "/v1/events", data=body, headers=headers) as answer:
        request_id = orjson.loads(await answer.read())["request_id"]
    await traced.until_settled()
    await traced.terminate()

    (accept,) = accepting(collector, request_id)
    assert accept.attributes == {
        "relay.source": "backend",
        "relay.request_id": request_id,
        "http.request.body.size": len(body),
        "http.response.status_code": 202,
        "relay.events.accepted": 1,
        "relay.events.duplicates": 1,
        "relay.events.ended": 0,
        "relay.events.invalid": 1,
    }
    assert (accept.kind, accept.parent, accept.service) == ("server", "", "relay")
    assert accept.links == [SENDER], "a sender's own span is a link"
    assert accept.trace != SENDER[0]
    for step in ("relay.normalize", "relay.append"):
        (child,) = collector.named(step, accept.trace)
        assert child.parent == accept.span
        assert accept.start_ns <= child.start_ns <= child.end_ns <= accept.end_ns


async def test_each_attempt_shows_in_the_trace_of_the_request_it_carried(
    traced: Any, make_sender: Any, collector: Collector
) -> None:
    sender = make_sender(traced)
    sender.misbehave({"kind": "http", "status": 503})
    request_id = await accepted(sender, "order-1", "order-2")
    await sender.until(
        lambda: len(collector.named("relay.answer")) >= 2, what="two attempts to be told"
    )
    sender.misbehave()
    await traced.until_settled()
    await traced.terminate()

    (accept,) = accepting(collector, request_id)
    answers = collector.named("relay.answer", accept.trace)
    assert words(answers, "relay.attempt.number") == list(range(1, len(answers) + 1))
    *failed, last = answers
    assert set(words(failed, "http.response.status_code")) == {503}
    assert set(words(failed, "relay.verdict")) == {"retry"}
    assert all(each.failed and "relay.outcome" not in each.attributes for each in failed)
    assert last.attributes["relay.outcome"] == "delivered"
    assert (last.attributes["relay.events"], last.failed) == (2, False)


async def test_after_kill_9_the_next_process_goes_on_with_the_same_trace(
    traced: Any, make_sender: Any, collector: Collector
) -> None:
    sender = make_sender(traced)
    sender.misbehave({"kind": "http", "status": 503})
    request_id = await accepted(sender, "order-1")
    await sender.until(lambda: accepting(collector, request_id), what="its first span")
    traced.kill()
    before = len(collector.spans)

    sender.misbehave()
    await traced.up()
    await traced.until_settled()
    await traced.terminate()

    (accept,) = accepting(collector, request_id)
    (answer,) = [each for each in collector.spans[before:] if each.name == "relay.answer"]
    assert (answer.trace, answer.parent) == (accept.trace, accept.span)
    assert answer.attributes["relay.outcome"] == "delivered"


@pytest.mark.needs("kafka")
@pytest.mark.needs("postgres")
async def test_what_one_process_accepts_another_delivers_in_the_same_trace(
    make_relay: Callable[..., Any],
    make_sender: Any,
    kafka_server: KafkaServer,
    database: str,
    topic_prefix: str,
    collector: Collector,
) -> None:
    fleet = Fleet(make_relay, kafka_server.brokers, database, topic_prefix, 2)
    ingest = await fleet.add("ingest", more=traces(collector.url) + 'service_name = "door"')
    deliver = await fleet.add("deliver", more=traces(collector.url) + 'service_name = "lane"')
    sender = make_sender(ingest)
    request_id = await accepted(sender, "order-1")
    await sender.until(lambda: collector.named("relay.answer"), what="the answer to be told")
    await ingest.terminate()
    await deliver.terminate()

    (accept,) = accepting(collector, request_id)
    (answer,) = collector.named("relay.answer", accept.trace)
    assert (accept.service, answer.service) == ("door", "lane")
    assert answer.parent == accept.span
    assert answer.attributes["relay.outcome"] == "delivered"


async def test_a_collector_that_is_down_costs_spans_and_nothing_else(
    make_relay: Callable[..., Any], make_sender: Any
) -> None:
    relay = make_relay(more=traces(f"http://127.0.0.1:{free_port()}"))
    await relay.up()
    sender = make_sender(relay)
    for start in range(0, 800, 50):
        sending = (sender.send(sender.make(f"order-{n}")) for n in range(start, start + 50))
        assert set(await asyncio.gather(*sending)) == {202}
    await relay.until_settled()

    async def dropped() -> bool:
        metrics = await relay.metrics()
        return bool(metrics.get('relay_trace_spans_total{result="queue_full"}', 0) > 0)

    await sender.until(dropped, what="the queue to be full")
    began = time.monotonic()
    assert await relay.terminate() == 0

    assert time.monotonic() - began < 4
    assert sender.lacking() == []
    assert relay.log.count('"traces.lost"') == 1, "one line a minute at most"


async def test_a_collector_that_never_answers_does_not_hold_up_the_end(
    traced: Any, make_sender: Any, collector: Collector
) -> None:
    collector.holding.clear()
    sender = make_sender(traced)
    await accepted(sender, "order-1")
    await traced.until_settled()
    await sender.until(lambda: collector.requests > 0, what="a request to the collector")

    began = time.monotonic()
    assert await traced.terminate() == 0

    assert time.monotonic() - began < 3


async def test_nothing_of_a_person_an_event_or_a_key_reaches_the_collector(
    make_relay: Callable[..., Any], make_sender: Any, http: Any, collector: Collector
) -> None:
    authorization = 'authorization = "env:COLLECTOR"\nservice_name = "relay-of-the-shop"\n'
    relay = make_relay(
        more=SHOP + traces(collector.url) + authorization,
        environ={
            "SHOP": SHOP_SECRET,
            "COLLECTOR": f"Bearer {COLLECTOR_KEY}",
            # Of others in the cluster: none of it is ours.
            "OTEL_EXPORTER_OTLP_HEADERS": "x-canary=canary",
            "OTEL_RESOURCE_ATTRIBUTES": "canary=canary",
            "OTEL_SERVICE_NAME": "canary",
            "OTEL_SDK_DISABLED": "true",
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "canary",
            "OTEL_TRACES_SAMPLER": "always_off",
        },
    )
    await relay.up()
    sender = make_sender(relay)
    sender.misbehave({"kind": "poison", "rule": {"event_id": "canary-order-1?"}})
    events = [canary(sender, number) for number in range(60)]
    for start in range(0, 60, 20):
        await sender.answer(events[start : start + 20])
    await sender.raw("/v1/events?email=canary@example.com", orjson.dumps(events[:3]))
    drop_in = {"event_source": "web", "event_source_id": PIXEL, "data": events[:20]}
    headers = {"Access-Token": KEY, "User-Agent": "Canary/1.0", "traceparent": "canary"}
    url = relay.url + "/open_api/v1.3/event/track/"
    async with http.post(url, data=orjson.dumps(drop_in), headers=headers) as answer:
        assert answer.status == 200
    assert await webhook(http, relay) == 200
    await relay.until_settled()
    await relay.terminate()

    names = {each.name for each in collector.spans}
    assert {"relay.accept", "relay.verify", "relay.deliver", "relay.answer"} <= names
    assert "rejected" in words(collector.named("relay.answer"), "relay.outcome")
    assert {each.service for each in collector.spans} == {"relay-of-the-shop"}
    assert {each["authorization"] for each in collector.headers} == {f"Bearer {COLLECTOR_KEY}"}
    exported = b"\0".join(
        [*collector.bodies, *(repr(each).encode() for each in collector.headers)]
    ).replace(COLLECTOR_KEY.encode(), b"")
    digests = [hashlib.sha256(each.encode()).hexdigest() for each in identifiers(7).values()]
    assert len(exported) > 10_000
    assert re.findall(rb"(?i)canary|4477\d{8}|12\.5|shop\.example|order-", exported) == []
    for secret in (*digests, KEY, TOKEN, SHOP_SECRET, PIXEL):
        assert secret.encode() not in exported


@pytest.mark.parametrize("command", ["check", "serve"])
async def test_where_the_extra_is_missing_a_command_says_how_to_get_it(
    make_relay: Callable[..., Any], command: str
) -> None:
    relay = make_relay(more=traces("http://127.0.0.1:4318"))
    relay.write_config()
    # What Python imports first of all: as if nobody had installed it.
    (relay.folder / "sitecustomize.py").write_text(
        "import sys\nsys.modules['opentelemetry'] = None"
    )
    relay.environ = {"PYTHONPATH": str(relay.folder)}

    code, said = await relay.typed(command)

    assert code == 2
    assert 'pip install "tiktok-conversions-relay[traces]"' in said
    assert "Traceback" not in said


def identifiers(number: int) -> dict[str, str]:
    return {
        "email": f"canary.mail{number:05d}@example.com",
        "phone": f"+4477{number:08d}",
        "external_id": f"canary-customer-{number:05d}",
    }


def canary(sender: Any, number: int) -> dict[str, object]:
    event: dict[str, Any] = sender.make(f"canary-order-{number}")
    event["user"] = {**event["user"], **identifiers(number)}
    event["page"] = {"url": f"https://shop.example/?email=canary{number}@example.com"}
    if number % 10 == 3:
        event["event_time"] = "canary"
    return event


async def webhook(http: Any, relay: Any) -> int:
    """A signed order of a person."""
    order = {
        "id": 1, "processed_at": "2026-11-20T10:00:00Z", "source_name": "web",
        "browser_ip": "8.8.8.8", "email": "canary@example.com",
        "total_price_set": {"presentment_money": {"amount": "12.50", "currency_code": "EUR"}},
    }  # fmt: skip
    body = orjson.dumps(order)
    headers = signed_order(body, SHOP_SECRET)
    async with http.post(relay.url + "/webhooks/shop", data=body, headers=headers) as answer:
        return int(answer.status)
