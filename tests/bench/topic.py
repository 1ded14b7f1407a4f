"""The line about a topic as a source: from the broker to the sandbox, the journal in a folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
from aiokafka import AIOKafkaProducer

from relay.kafka.connection import KafkaConnection
from relay.kafka.topics import TopicWanted, ensure_topics
from tests.bench.bursts import Bench
from tests.bench.figures import Report, Row, count, middle_rate, per_million
from tests.bench.fleet import running_broker
from tests.bench.machine import Child, family_cpu_s
from tests.bench.rig import FOLDER, SECRETS, Ports, configuration
from tests.bench.sink import Sink
from tests.servers.kafka import KafkaServer

_PARTITIONS = 6

_SOURCE = """\
[[sources]]
name = "topic"
kind = "kafka"
brokers = "{brokers}"
topics = ["{topic}"]
group = "{topic}"
destination = "web"
"""


async def kafka_source(bench: Bench, folder: Path) -> Report:
    """A full topic is read until it is empty. What the start itself takes is not counted: it is
    measured on an empty topic."""
    report = Report()
    rates, costs, brokers = [], [], []
    with running_broker() as kafka:
        idle = [await _start_cost(kafka, folder / f"idle-{n}") for n in range(3)]
        for number in range(bench.plan.fleets):
            own = folder / f"full-{number}"
            rate, cost, broker = await _drained(bench, kafka, own, median(idle), report)
            rates.append(rate)
            costs.append(cost)
            brokers.append(broker)
    report.rows.append(
        Row(
            f"topic of {count(bench.plan.messages)}, folder",
            f"{count(median(rates))} /s",
            f"broker {median(brokers):.1f}",
            cpu=f"{median(costs):.1f}",
        )
    )
    report.figures = {"events_per_s": rates, "cpu_s_per_million": costs, "broker": brokers}
    return report


async def _start_cost(kafka: KafkaServer, folder: Path) -> float:
    await _make(kafka, folder)
    async with _reading(kafka, folder) as (relay, _):
        await relay.until_quiet()
        return relay.cpu_s()


async def _drained(
    bench: Bench, kafka: KafkaServer, folder: Path, start_s: float, report: Report
) -> tuple[float, float, float]:
    """Rate, and CPU seconds per million of the relay and the broker."""
    events = bench.plan.messages
    await _make(kafka, folder)
    await _fill(bench, kafka, folder.name, events)
    broker_before = family_cpu_s(kafka.pid)
    async with _reading(kafka, folder) as (relay, sink):
        samples = await sink.until_effects(events)
        await relay.until_quiet()
        report.failed += await sink.unequal(events)
        spent_s, broker_s = relay.cpu_s() - start_s, family_cpu_s(kafka.pid) - broker_before
    return middle_rate(samples), per_million(spent_s, events), per_million(broker_s, events)


async def _make(kafka: KafkaServer, folder: Path) -> None:
    folder.mkdir()  # noqa: ASYNC240  # before anything runs
    wanted = TopicWanted(folder.name, _PARTITIONS, 1, {})
    await ensure_topics(KafkaConnection(kafka.brokers), [wanted])


async def _fill(bench: Bench, kafka: KafkaServer, topic: str, events: int) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.brokers, acks="all") as producer:
        batch: Any = producer.create_batch()
        number = 0
        for value in bench.corpus.messages(events):
            if batch.append(key=None, value=value, timestamp=None) is None:  # it is full
                await producer.send_batch(batch, topic, partition=number % _PARTITIONS)
                number += 1
                batch = producer.create_batch()
                batch.append(key=None, value=value, timestamp=None)
        await producer.send_batch(batch, topic, partition=number % _PARTITIONS)
        await producer.flush()


@asynccontextmanager
async def _reading(kafka: KafkaServer, folder: Path) -> AsyncIterator[tuple[Child, Sink]]:
    """A relay with a new journal that reads the topic named like its folder."""
    ports = Ports.free()
    async with aiohttp.ClientSession() as session:
        sink = Sink(session)
        try:
            await sink.start(folder / "sink.log", core=None)
            config = folder / "relay.toml"
            source = _SOURCE.format(brokers=kafka.brokers, topic=folder.name)
            journal = FOLDER.format(folder=folder)
            config.write_text(configuration(ports, sink, journal=journal, source=source))
            arguments = ["-m", "relay", "serve", "--config", str(config)]
            log = folder / "relay.log"
            relay = await Child.start(arguments, core=None, log=log, env=SECRETS)
            try:
                await relay.until_answers(ports.operator, "/readyz")
                yield relay, sink
            finally:
                await relay.stop()
        finally:
            await sink.stop()
