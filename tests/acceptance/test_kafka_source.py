"""Topics as a source: the real process, a real broker, the sandbox behind it."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from relay.kafka.connection import KafkaConnection
from relay.kafka.topics import TopicWanted, ensure_topics
from relay.sandbox.http import Running
from tests.servers.kafka import KafkaServer

pytestmark = pytest.mark.needs("kafka")

SEED = 20_261_124
CLOUDEVENTS = Path(__file__).parents[1] / "vectors" / "fixtures" / "cloudevents"

#: A member that died is missed soon.
SETTINGS = {"group.min.session.timeout.ms": "500"}

SOURCE = """
[[sources]]
name = "topic"
kind = "kafka"
brokers = "{brokers}"
topics = ["{topic}"]
group = "{topic}-relay"
destination = "web"
session_timeout = "1s"
{more}
"""

MAPPING = """
format = "cloudevents"
[sources.mapping]
when = "type == 'example.shop.order.completed.v1'"
event = "'Purchase'"
event_id = "id"
event_time = "time"
user.email = "data.customer.email"
user.phone = "data.customer.phone"
properties.value = "to_number(data.total)"
properties.currency = "data.currency"
properties.description = "header('kafka_key')"
"""


@dataclass
class Topic:
    """A topic with a producer."""

    name: str
    brokers: str
    producer: AIOKafkaProducer
    sent: int = 0

    def source(self, more: str = "") -> str:
        return SOURCE.format(brokers=self.brokers, topic=self.name, more=more)

    async def send(self, *values: object, **options: Any) -> None:
        """Bytes and None as they are, anything else as JSON; returns when the broker has them."""
        for each in values:
            value = each if each is None or isinstance(each, bytes) else orjson.dumps(each)
            await self.producer.send(self.name, value, **options)
        await self.producer.flush()
        self.sent += len(values)

    async def committed(self) -> dict[int, int]:
        """The offsets of the relay's group, by partition."""
        group = f"{self.name}-relay"
        consumer = AIOKafkaConsumer(bootstrap_servers=self.brokers, group_id=group)
        await consumer.start()
        try:
            partitions = await self.producer.partitions_for(self.name)
            found = {
                each: await consumer.committed(TopicPartition(self.name, each))
                for each in partitions
            }
            return {partition: offset for partition, offset in found.items() if offset is not None}
        finally:
            await consumer.stop()

    async def is_committed(self) -> bool:
        return sum((await self.committed()).values()) == self.sent


@pytest.fixture(scope="module")
def broker() -> Iterator[KafkaServer]:
    server = KafkaServer(settings=SETTINGS)
    yield server
    server.remove()


@pytest.fixture
async def make_topic(unique: str) -> AsyncIterator[Callable[..., Any]]:
    producers = []

    async def make(server: KafkaServer, partitions: int = 1) -> Topic:
        name = f"{unique}-orders"
        connection = KafkaConnection(server.brokers)
        await ensure_topics(connection, [TopicWanted(name, partitions, 1)])
        producer = AIOKafkaProducer(bootstrap_servers=server.brokers, linger_ms=5)
        await producer.start()
        producers.append(producer)
        return Topic(name, server.brokers, producer)

    yield make
    for each in producers:
        await each.stop()


async def health(relay: Any) -> dict[str, Any]:
    async with aiohttp.ClientSession() as http, http.get(relay.operator_url + "/healthz") as answer:
        return {**orjson.loads(await answer.read()), "status": answer.status}


def state(name: str) -> str:
    return f'relay_kafka_source_state{{source="topic",state="{name}"}}'


async def test_messages_are_delivered_and_found_by_topic_partition_and_offset(
    broker: KafkaServer, make_topic: Any, make_relay: Any, make_sender: Any
) -> None:
    topic = await make_topic(broker)
    relay = make_relay(more=topic.source())
    await relay.up()
    sender = make_sender(relay)
    orders = [f"order-{number}" for number in range(4)]
    await topic.send(sender.make(orders[0]), [sender.make(each) for each in orders[1:3]])
    await topic.send(None, key=b"a tombstone")
    await topic.send(b"{not json", {"event": "Purchase", "event_id": "undated"})
    await topic.send(sender.make(orders[3]))

    await sender.until(lambda: not sender.lacking(orders), what="all good messages to be delivered")
    await sender.until(topic.is_committed, what="all offsets to be committed")
    receipt = f"kafka:{topic.name}/0@"
    (first,) = await relay.api("/api/find", id=f"{receipt}0")
    second = await relay.api("/api/find", id=f"{receipt}1.1")
    (unreadable,) = await relay.api("/api/find", id=f"{receipt}3")
    (undated,) = await relay.api("/api/find", id=f"{receipt}4")

    assert first["event_id"] == orders[0]
    assert [each["event_id"] for each in second] == [orders[2]]
    assert (unreadable["outcome"], unreadable["reason"]) == ("invalid", "not_an_object")
    assert [error["reason"] for error in unreadable["errors"]] == ["not_json"]
    assert (undated["outcome"], undated["reason"]) == ("invalid", "missing_field")
    metrics = await relay.metrics()
    assert metrics['relay_ignored_total{reason="tombstone",source="topic"}'] == 1
    assert metrics['relay_arrivals_total{source="topic"}'] == 6
    name = f'{{source="topic",topic="{topic.name}"}}'
    assert metrics[f"relay_kafka_messages_total{name}"] == 6
    assert metrics[f"relay_kafka_lag_messages{name}"] == 0
    assert metrics[state("reading")] == 1
    assert (await health(relay))["status"] == 200


async def test_no_webhook_leads_to_a_topic(
    broker: KafkaServer, make_topic: Any, make_relay: Any, http: aiohttp.ClientSession
) -> None:
    topic = await make_topic(broker)
    relay = make_relay(more=topic.source())
    await relay.up()

    async with http.post(f"{relay.url}/webhooks/topic", data=b"{}") as answer:
        assert answer.status == 404


async def test_kill_9_at_random_moments_loses_nothing_and_counts_nothing_twice(
    broker: KafkaServer, make_topic: Any, make_relay: Any, make_sender: Any, sandbox: Running
) -> None:
    topic = await make_topic(broker, partitions=3)
    relay = make_relay(more=topic.source())
    await relay.up()
    sender = make_sender(relay)
    chance = random.Random(SEED)
    stop = asyncio.Event()
    orders: list[str] = []

    async def keep_producing() -> None:
        while not stop.is_set():
            fresh = [f"order-{len(orders) + number}" for number in range(20)]
            await topic.send(*(sender.make(each) for each in fresh))
            orders.extend(fresh)
            await asyncio.sleep(0.02)

    producing = asyncio.create_task(keep_producing())
    for _ in range(4):
        before = len(orders)
        await sender.until(
            lambda before=before: len(sender.lacking(orders)) < len(orders) - before,
            what="some to be delivered in this life",
        )
        await asyncio.sleep(chance.uniform(0.0, 0.4))  # the random moment
        relay.kill()
        await relay.up()
    stop.set()
    await producing
    await sender.until(lambda: not sender.lacking(orders), 30, what="all to be delivered")
    await sender.until(topic.is_committed, what="all offsets to be committed")
    await relay.until_settled()

    stats = await relay.api("/api/journal/stats")
    assert sum(each["settled"] for each in stats["destinations"]) == len(orders)
    assert sandbox.world.received.totals.effects == len(orders)
    assert (await relay.metrics())["relay_conservation_gap"] == 0


async def test_a_full_journal_makes_the_source_wait_and_go_on(
    broker: KafkaServer, make_topic: Any, make_relay: Any, make_sender: Any
) -> None:
    topic = await make_topic(broker, partitions=2)
    relay = make_relay(more=topic.source(), environ={"RELAY_JOURNAL__MAX_BYTES": "1MiB"})
    await relay.up()
    sender = make_sender(relay)
    sender.misbehave({"kind": "http", "status": 503})
    orders = [f"order-{number}" for number in range(6000)]
    await topic.send(*(sender.make(each) for each in orders))

    await sender.until(
        lambda: sender.sample(state("waiting_for_journal"), 1), what="it to wait for the journal"
    )
    told = await health(relay)
    assert told["status"] == 200
    assert "source topic: waits: the journal cannot store" in told["notes"]
    assert not await topic.is_committed()
    sender.misbehave()

    await sender.until(lambda: not sender.lacking(orders), 40, what="all to be delivered")
    await sender.until(topic.is_committed, what="all offsets to be committed")
    assert (await relay.metrics())[state("reading")] == 1


async def test_a_topic_of_rubbish_stops_its_source_and_nothing_else(
    broker: KafkaServer, make_topic: Any, make_relay: Any, make_sender: Any
) -> None:
    topic = await make_topic(broker)
    await topic.send(*(b"hello" for _ in range(300)))
    relay = make_relay(more=topic.source())
    await relay.up()
    sender = make_sender(relay)

    await sender.until(lambda: sender.sample(state("stopped"), 1), what="the source to stop")
    told = await health(relay)
    await sender.send(sender.make("over-http"))

    assert told["status"] == 200  # a restart would stop there again, and shut the door meanwhile
    (problem,) = told["notes"]
    assert problem.startswith("source topic: stopped at offset 0: ")
    assert f"{topic.name}/0 are invalid" in problem
    assert "kafka.stopped" in relay.log
    assert await topic.committed() == {}
    assert relay.outcomes(await relay.metrics()).get("invalid", 0) == 0
    await sender.until(lambda: not sender.lacking(["over-http"]), what="HTTP to go on")
    assert await relay.terminate() == 0


async def test_what_is_good_before_the_rubbish_is_stored_and_committed(
    broker: KafkaServer, make_topic: Any, make_relay: Any, make_sender: Any
) -> None:
    topic = await make_topic(broker)
    relay = make_relay(more=topic.source("max_invalid_share = 0.1"))
    sender = make_sender(relay)
    orders = [f"order-{number}" for number in range(60)]
    await topic.send(*(sender.make(each) for each in orders), *(b"{}" for _ in range(40)))
    await relay.up()

    await sender.until(lambda: sender.sample(state("stopped"), 1), what="the source to stop")
    await sender.until(lambda: not sender.lacking(orders), what="the good ones to be delivered")

    assert await topic.committed() == {0: 60}
    assert relay.outcomes(await relay.metrics()).get("invalid", 0) == 0


async def test_two_relays_share_the_partitions_and_hand_them_over(
    broker: KafkaServer, make_topic: Any, make_relay: Any, make_sender: Any, sandbox: Running
) -> None:
    topic = await make_topic(broker, partitions=4)
    first, second = (make_relay(more=topic.source()) for _ in range(2))
    await first.up()
    sender = make_sender(first)
    orders: list[str] = []
    stop = asyncio.Event()

    async def keep_producing() -> None:
        while not stop.is_set():
            fresh = [f"order-{len(orders) + number}" for number in range(20)]
            await topic.send(*(sender.make(each) for each in fresh))
            orders.extend(fresh)
            await asyncio.sleep(0.02)

    async def has_read(relay: Any) -> bool:
        name = f'relay_kafka_messages_total{{source="topic",topic="{topic.name}"}}'
        return bool((await relay.metrics()).get(name, 0) > 100)

    producing = asyncio.create_task(keep_producing())
    await sender.until(lambda: has_read(first), what="the first to read")
    await second.up()
    await sender.until(lambda: has_read(second), what="the second to read")
    assert await first.terminate() == 0
    await first.up()
    await sender.until(lambda: has_read(first), what="the first to read again")
    stop.set()
    await producing
    await sender.until(lambda: not sender.lacking(orders), 30, what="all to be delivered")
    await sender.until(topic.is_committed, what="all offsets to be committed")

    assert sandbox.world.received.totals.repeats == 0
    assert sandbox.world.received.totals.effects == len(orders)


async def test_cloud_events_come_binary_and_structured(
    broker: KafkaServer, make_topic: Any, make_relay: Any, make_sender: Any
) -> None:
    topic = await make_topic(broker)
    relay = make_relay(more=topic.source(MAPPING))
    await relay.up()
    sender = make_sender(relay)
    now = sender.make("x")["event_time"]
    binary = json.loads((CLOUDEVENTS / "kafka_binary.json").read_bytes())
    headers = {name: value.encode() for name, value in binary["headers"]}
    headers |= {"ce_time": str(now).encode(), "ce_id": b"binary-1"}
    structured = json.loads((CLOUDEVENTS / "structured.json").read_bytes())
    structured |= {"id": "structured-1", "time": str(now)}
    as_json = [("content-type", b"application/cloudevents+json; charset=UTF-8")]

    await topic.send(binary["value"], headers=list(headers.items()), key=b"100580")
    await topic.send(structured, headers=as_json)
    await topic.send({**structured, "type": "another"}, headers=as_json)
    await topic.send({"specversion": "1.0"}, headers=as_json)

    wanted: Sequence[str] = ["binary-1", "structured-1"]
    await sender.until(lambda: not sender.lacking(wanted), what="both to be delivered")
    await sender.until(topic.is_committed, what="all offsets to be committed")
    (refused,) = await relay.api("/api/find", id=f"kafka:{topic.name}/0@3")
    assert {error["field"] for error in refused["errors"]} == {"id", "source", "type"}
    metrics = await relay.metrics()
    assert metrics['relay_ignored_total{reason="condition",source="topic"}'] == 1


async def test_brokers_that_are_away_are_waited_for(
    make_topic: Any, make_relay: Any, make_sender: Any, own_kafka: KafkaServer
) -> None:
    topic = await make_topic(own_kafka)
    await topic.send(make_sender(None).make("before"))
    await asyncio.to_thread(own_kafka.stop)
    relay = make_relay(more=topic.source().replace('"1s"', '"6s"'))
    await relay.up()
    sender = make_sender(relay)

    assert await sender.send(sender.make("over-http")) == 202
    told = await health(relay)
    assert told["status"] == 200
    assert any(note.startswith("source topic: waits for the brokers") for note in told["notes"])
    await asyncio.to_thread(own_kafka.start)
    await sender.until(lambda: not sender.lacking(["before"]), 30, what="what was there before")

    await asyncio.to_thread(own_kafka.kill)
    assert await sender.send(sender.make("over-http-2")) == 202
    await asyncio.to_thread(own_kafka.start)
    await topic.send(sender.make("after"))
    wanted = ["over-http", "over-http-2", "after"]
    await sender.until(lambda: not sender.lacking(wanted), 40, what="what came after")
    await sender.until(topic.is_committed, 30, what="all offsets to be committed")
    assert await relay.terminate() == 0
