"""Every message on a real broker is as `schemas/asyncapi.json` says, and names nobody."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from relay import config
from relay.app import Relay
from relay.clock import SystemClock
from relay.journal.distributed.message import HEADER
from relay.kafka.connection import KafkaConnection
from relay.kafka.topics import TopicWanted, ensure_topics
from relay.role import Role
from relay.telemetry import Telemetry, open_log
from tests.contract.topic_document import TopicDocument
from tests.servers.kafka import KafkaServer

KEY = "relay-key-0123456789"

#: Identifiers in the clear: every one of them, whole or in part.
CANARY = re.compile(rb"(?i)canary|7700 ?900[0-9]{3}")

SETTINGS = """
[journal]
kafka = "{brokers}"
postgres = "env:RELAY_POSTGRES"
topic_prefix = "{prefix}"
group = "{prefix}"
partitions = 2
replication = 1

[listen]
public = "127.0.0.1:0"
operator = "127.0.0.1:0"

[[destinations]]
name = "web"
event_source = "web"
event_source_id = "C0PIXELCODE0EXAMPLE0"
access_token = "env:TOKEN"
default_country = "GB"
without_match_key = "withhold"
consent = {{ unknown = "withhold" }}
max_event_bytes = "4kB"

[[destinations]]
name = "app"
event_source = "app"
event_source_id = "7000000000000000001"
access_token = "env:TOKEN"

[[destinations]]
name = "shops"
event_source = "offline"
event_source_id = "7000000000000000002"
access_token = "env:TOKEN"
default_country = "GB"

[[destinations]]
name = "leads"
event_source = "crm"
event_source_id = "7000000000000000003"
access_token = "env:TOKEN"

[[sources]]
name = "backend"
kind = "canonical"
destinations = ["web", "app", "shops", "leads"]
keys = ["env:RELAY_KEY"]

[[sources]]
name = "orders"
kind = "kafka"
brokers = "{brokers}"
topics = ["{prefix}-orders"]
group = "{prefix}-orders"
destination = "web"
max_invalid_share = 1.0

[[sources]]
name = "erp"
kind = "custom"
destination = "web"
mapping = {{ event = "'Purchase'", event_id = "id", event_time = "at" }}
"""

#: What an event of each destination is called in `event.schema.json`.
KINDS = {"web": "WebEvent", "app": "AppEvent", "shops": "OfflineEvent", "leads": "CrmEvent"}


def a_person(number: int) -> dict[str, Any]:
    """Everything that identifies somebody, in the clear."""
    return {
        "email": [f"Canary.Mail{number}@example.com", f"canary{number}@example.org"],
        "phone": f"07700 9{number:05d}",
        "external_id": f"canary-{number}",
        "first_name": "Canary",
        "last_name": f"Canaryson{'abcdefghij'[number % 10]}",
        "zip_code": f"canary {number}",
        "city": "London",
        "country": "gb",
        "ip": "8.8.8.8",
        "user_agent": "Tests/1.0",
        "ttclid": "E.C.P.test",
        "ttp": "2hnStAfC4kR9u8ZxT1mWq0LbVyP",
        "idfa": "6D92078A-8246-4BA4-AE5B-76104861E7DC",
        "locale": "en_GB",
    }


def good(number: int, destination: str) -> dict[str, Any]:
    """An event that waits, with all it can have, and identifiers where they do not belong."""
    more = {
        "web": {
            "page": {"url": f"https://shop.example/?email=canary{number}%40example.com&x=1",
                     "referrer": f"https://shop.example/canary{number}@example.com"},
        },
        "app": {"app": {"app_id": "com.example.shop", "app_name": "Shop", "app_version": "2.1"}},
        "shops": {},
        "leads": {"lead": {"lead_id": "7100000000000000001", "lead_event_source": "crm"}},
    }[destination]  # fmt: skip
    return {
        "event": "Purchase",
        "event_time": time.time(),
        "event_id": f"event-{number}" if number % 2 else f"canary{number}@example.com",
        "order_id": f"order-{number}",
        "destination": destination,
        "consent": "granted",
        "country": "GB",
        "user": a_person(number),
        "properties": {
            "value": "1,234.50",
            "currency": "gbp",
            "contents": [{"content_id": 17, "quantity": 2, "price": "0.10", "own": "kept"}],
            "search_string": f"canary{number}@example.com",
            "description": f"for canary{number}@example.com",
            "loyalty": True,
        },
        **({"test_event_code": "TEST12345"} if number % 3 == 0 else {}),
        **more,
    }


def bad() -> list[object]:
    """A refusal for each reason that there is at the door."""
    fine = good(99, "web")
    return [
        {**fine, "event_time": None},
        {**fine, "event_time": "canary time"},
        {**fine, "event_time": time.time() + 86_400},
        {**fine, "event_time": time.time() - 60 * 86_400},
        {**fine, "consent": "denied"},
        {**fine, "consent": "unknown"},
        {**fine, "user": {"city": "London"}, "page": {"url": "https://shop.example/"}},
        {**fine, "destination": "canary"},
        {**fine, "properties": {"contents": [{"content_id": f"sku-{n}"} for n in range(300)]}},
        "canary@example.com",
    ]


REASONS = {
    "missing_field", "bad_field", "future", "too_old", "consent_denied", "consent_unknown",
    "no_match_key", "unknown_destination", "too_large", "not_an_object", "unmappable",
}  # fmt: skip


@asynccontextmanager
async def accepting(settings: config.Settings) -> AsyncIterator[Relay]:
    """The relay's half that accepts, in this process."""
    log = open_log("debug", "json", monotonic=time.monotonic, stream=io.BytesIO())
    telemetry = Telemetry(version="0", now=time.time)
    relay = Relay(
        settings, clock=SystemClock(), telemetry=telemetry, log=log, role=Role.INGEST
    )  # fmt: skip
    async with relay:
        yield relay


async def hand_over(relay: Relay) -> None:
    """By HTTP, and lines of files."""
    assert relay.public is not None
    events = [good(number, destination) for number in range(6) for destination in KINDS]
    keyed = {"Authorization": f"Bearer {KEY}"}
    files: dict[str, list[object]] = {
        "backend": [good(200, "web"), {"event": "Purchase"}, None],
        "erp": [{"id": "9", "at": time.time()}, "canary@example.com"],
    }
    async with aiohttp.ClientSession() as http:
        for body in (events, events[:2], bad()):
            url = f"http://{relay.public.address}/v1/events"
            async with http.post(url, data=orjson.dumps(body), headers=keyed) as answer:
                assert answer.status in (202, 422), await answer.text()
        for source, lines in files.items():
            asked = {"source": source, "file": "0123456789abcdef", "first_line": 1, "items": lines}
            url = f"http://{relay.operator.address}/api/import"
            async with http.post(url, json=asked) as answer:
                assert answer.status == 200, await answer.text()


async def fill(topic: str, brokers: str) -> None:
    """A source's topic, with messages that can be read and some that cannot."""
    async with AIOKafkaProducer(bootstrap_servers=brokers) as producer:
        values = [
            orjson.dumps(good(300, "web")), orjson.dumps([good(301, "web"), good(302, "web")]),
            b"canary@example.com", None, b'{"event":"Purchase","user":{"email":"canary@x.com"}}',
        ]  # fmt: skip
        for value in values:
            await producer.send_and_wait(topic, value, key=b"canary")


async def all_messages(
    brokers: str, topics: Sequence[str], receipts: set[str]
) -> list[ConsumerRecord]:
    """Of these topics, once there is one of each receipt."""
    consumer = AIOKafkaConsumer(
        *topics, bootstrap_servers=brokers, auto_offset_reset="earliest", group_id=None
    )
    found: list[ConsumerRecord] = []

    async def read() -> None:
        batches = await consumer.getmany(timeout_ms=200)
        found.extend(each for batch in batches.values() for each in batch)

    async with consumer, asyncio.timeout(30):
        while not receipts <= {head(each)["receipt"] for each in found}:
            await read()
        for place, end in (await consumer.end_offsets(consumer.assignment())).items():
            while await consumer.position(place) < end:
                await read()
    return found


def head(record: ConsumerRecord) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dict(record.headers)[HEADER])
    return found


@pytest.mark.needs("kafka")
@pytest.mark.needs("postgres")
async def test_every_message_on_the_broker_is_as_described_and_names_nobody(
    kafka_server: KafkaServer,
    database: str,
    topic_prefix: str,
    tmp_path: Path,
) -> None:
    document = TopicDocument()
    brokers = kafka_server.brokers
    orders = f"{topic_prefix}-orders"
    file = tmp_path / "relay.toml"
    file.write_text(SETTINGS.format(brokers=brokers, prefix=topic_prefix))
    environ = {"RELAY_POSTGRES": database, "RELAY_KEY": KEY, "TOKEN": "a-token-of-tests"}
    settings = config.load(file, {**os.environ, **environ})
    await ensure_topics(KafkaConnection(brokers), [TopicWanted(orders, 1, 1)])

    async with accepting(settings) as relay:
        await fill(orders, brokers)
        await hand_over(relay)
        receipts = {f"kafka:{orders}/0@{offset}" for offset in ("0", "1.0", "1.1", "2", "4")}
        topics = [f"{topic_prefix}.{each}" for each in KINDS]
        records = await all_messages(brokers, topics, receipts)

    assert [wrong for each in records for wrong in mistakes_of(document, each)] == []
    heads = [head(each) for each in records]
    assert {each["reason"] for each in heads if each["kind"] == "refusal"} == REASONS
    assert {each["receipt"].partition(":")[0] for each in heads} == {"http", "kafka", "import"}
    assert {each["source"] for each in heads} == {"backend", "orders", "erp"}
    written = b"\0".join(b"\0".join(bytes_of(each)) for each in records)
    assert len(written) > 20_000
    assert CANARY.findall(written) == []
    assert b"8.8.8.8" in written  # what TikTok wants as it is


def mistakes_of(document: TopicDocument, record: ConsumerRecord) -> list[str]:
    """By the document; events also by the schema of their kind, which the destination decides."""
    kind = head(record)["kind"]
    found = document.mistakes_in(kind, record.key, record.value, record.headers)
    if kind == "event":
        place = f"event.schema.json#/$defs/{KINDS[record.topic.rpartition('.')[2]]}"
        found += document.mistakes(place, json.loads(record.value))
    return [f"{record.topic}: {each}" for each in found]


def bytes_of(record: ConsumerRecord) -> Iterator[bytes]:
    yield record.key
    yield record.value
    for name, value in record.headers:
        yield name.encode()
        yield value
