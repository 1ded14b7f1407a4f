"""The relay on Kafka and PostgreSQL: several processes, real servers, and what happens to them."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from relay.sandbox.http import Running
from tests.servers.kafka import KafkaServer
from tests.servers.postgres import PostgresServer

pytestmark = [pytest.mark.needs("kafka"), pytest.mark.needs("postgres")]

SEED = 20_261_124

JOURNAL = """
kafka = "{brokers}"
postgres = "env:RELAY_POSTGRES"
topic_prefix = "{prefix}"
group = "{prefix}"
partitions = {partitions}
replication = 1
"""


class Fleet:
    """Relays that share one journal: some accept, some deliver."""

    def __init__(
        self, make_relay: Callable[..., Any], brokers: str, dsn: str, prefix: str, partitions: int
    ) -> None:
        self._make = make_relay
        self._journal = JOURNAL.format(brokers=brokers, prefix=prefix, partitions=partitions)
        self.dsn = dsn
        self.delivering: list[Any] = []

    def make(self, role: str, **changes: Any) -> Any:
        """One that is not started."""
        environ = {"RELAY_POSTGRES": self.dsn}
        return self._make(role=role, journal=self._journal, environ=environ, **changes)

    async def add(self, role: str, **changes: Any) -> Any:
        relay = self.make(role, **changes)
        await relay.up()
        if role != "ingest":
            self.delivering.append(relay)
        return relay

    async def begin(self, role: str) -> Any:
        """Started, and maybe never ready."""
        relay = self.make(role)
        relay.start()
        self.delivering.append(relay)
        return relay

    async def is_settled(self) -> bool:
        return await self.unsettled() == []

    async def unsettled(self) -> list[tuple[object, ...]]:
        """Partitions that are not settled to the last offset that anybody read."""
        connection = await asyncpg.connect(self.dsn)
        rows = await connection.fetch(
            "select destination, partition, low, claimed, open from relay.progress "
            "where partition >= 0 and (open > 0 or low < claimed)"
        )
        parked = await connection.fetchval("select count(*) from relay.parked")
        await connection.close()
        return [tuple(row) for row in rows] + ([("parked", parked)] if parked else [])


async def delivered(sender: Any, timeout_s: float = 20.0) -> None:
    """Until all that was acknowledged had its effect."""
    await sender.until(lambda: not sender.lacking(), timeout_s, what="everything to be delivered")


@pytest.fixture
def fleet(
    make_relay: Callable[..., Any], kafka_server: KafkaServer, database: str, topic_prefix: str
) -> Fleet:
    return Fleet(make_relay, kafka_server.brokers, database, topic_prefix, 4)


async def test_what_one_process_accepts_another_delivers(
    fleet: Fleet, sandbox: Running, make_sender: Callable[[Any], Any]
) -> None:
    ingest = await fleet.add("ingest")
    deliver = await fleet.add("deliver")
    sender = make_sender(ingest)

    await sender.send(*(sender.make(f"order-{n}") for n in range(200)))
    await sender.send(*(sender.make(f"order-{n}") for n in range(50)), {"event": "Purchase"})
    await delivered(sender)
    await deliver.until_settled()

    assert sandbox.world.received.totals.effects == 200
    assert await fleet.unsettled() == []
    await deliver.until_outcomes({"delivered": 200, "duplicate": 50})
    await ingest.until_outcomes({"invalid": 1})
    assert (await deliver.metrics())["relay_conservation_gap"] == 0


async def test_a_process_that_does_everything_finds_what_it_did(
    fleet: Fleet, sandbox: Running, make_sender: Callable[[Any], Any]
) -> None:
    relay = await fleet.add("all")
    sender = make_sender(relay)

    await sender.send(sender.make("order-1"), sender.make("order-2"))
    await sender.send(sender.make("order-1"))
    await delivered(sender)
    await relay.until_outcomes({"delivered": 2, "duplicate": 1})

    traces = await relay.api("/api/find", id="order-1")
    assert [trace["outcome"] for trace in traces] == ["delivered", "duplicate"]
    assert traces[0]["attempts"][0]["code"] == 0
    stats = await relay.api("/api/journal/stats")
    (web,) = stats["destinations"]
    assert (web["accepted"], web["settled"], web["waiting"], web["gap"]) == (3, 3, 0, 0)


class Storm:
    """Everything at once: events come in, processes and servers go down and come back."""

    def __init__(self, sender: Any, seed: int) -> None:
        self._sender = sender
        self._chance = random.Random(seed)

    async def send(self, messages: int) -> None:
        """Until so many were acknowledged; now and then a few come twice."""
        number = 0
        make = self._sender.make
        while len(self._sender.acknowledged) < messages:
            events = [make(f"order-{number}-{place}") for place in range(100)]
            if number % 4 == 0:
                events += [make(f"order-{number - 1}-{place}") for place in range(5)]
            status = await self._sender.send(*events)
            number += status == 202
            await asyncio.sleep(0 if status == 202 else 0.1)

    async def restart(self, relay: Any, times: int) -> None:
        """Kill it, or tell it to end, and start it again."""
        for _ in range(times):
            await asyncio.sleep(self._chance.uniform(0.2, 2.0))  # the random moment
            if self._chance.random() < 0.5:
                relay.kill()
            else:
                await relay.terminate()
            await relay.up()

    async def trouble(self, server: KafkaServer | PostgresServer, times: int) -> None:
        for _ in range(times):
            await asyncio.sleep(self._chance.uniform(1.0, 4.0))  # the random moment
            go = server.kill if self._chance.random() < 0.5 else server.stop
            await asyncio.to_thread(go)
            await asyncio.to_thread(server.start)


@pytest.mark.parametrize(
    ("messages", "restarts"), [(10_000, 2), pytest.param(100_000, 16, marks=pytest.mark.soak)]
)
async def test_a_storm_loses_nothing_and_counts_nothing_twice(
    messages: int,
    restarts: int,
    make_relay: Callable[..., Any],
    own_kafka: KafkaServer,
    own_postgres: PostgresServer,
    make_sender: Callable[[Any], Any],
) -> None:
    """Four processes that deliver are restarted at random, killed or told; so are the servers."""
    fleet = Fleet(make_relay, own_kafka.brokers, own_postgres.create_database(), "storm", 12)
    sender = make_sender(await fleet.add("ingest"))
    for _ in range(4):
        await fleet.add("deliver")
    storm = Storm(sender, SEED)

    await asyncio.gather(
        storm.send(messages),
        *[storm.restart(relay, restarts) for relay in fleet.delivering],
        storm.trouble(own_kafka, 2),
        storm.trouble(own_postgres, 1),
    )
    await delivered(sender, 120)
    await sender.until(fleet.is_settled, 60, what="every offset to be settled")

    booked = await counts(fleet)
    assert booked["delivered"] == sender.sandbox.world.received.totals.effects
    assert booked["delivered"] == booked["events"]
    assert (await fleet.delivering[0].metrics())["relay_conservation_gap"] == 0


async def counts(fleet: Fleet) -> dict[str, int]:
    """What the ledger says was delivered, and how many different events were ever claimed."""
    connection = await asyncpg.connect(fleet.dsn)
    delivered = await connection.fetchval(
        "select coalesce(sum(count), 0) from relay.ledger where outcome = 'delivered'"
    )
    events = await connection.fetchval("select count(*) from relay.claims")
    await connection.close()
    return {"delivered": int(delivered), "events": int(events)}


async def test_a_broker_that_is_away_costs_a_503_and_nothing_else(
    make_relay: Callable[..., Any],
    own_kafka: KafkaServer,
    database: str,
    topic_prefix: str,
    make_sender: Callable[[Any], Any],
) -> None:
    fleet = Fleet(make_relay, own_kafka.brokers, database, topic_prefix, 4)
    relay = await fleet.add("all")
    sender = make_sender(relay)
    await sender.send(sender.make("before"))

    for go, come in ((own_kafka.stop, own_kafka.start), (own_kafka.pause, own_kafka.resume)):
        await asyncio.to_thread(go)
        began = time.monotonic()
        assert await sender.send(sender.make(f"during-{go.__name__}")) == 503
        assert time.monotonic() - began < 1.5
        assert sender.retry_after > 0
        await asyncio.to_thread(come)

        async def is_back(name: str = go.__name__) -> bool:
            return bool(await sender.send(sender.make(f"after-{name}")) == 202)

        await sender.until(is_back, 40, what="the relay to take events again")
    await delivered(sender, 60)


async def test_a_database_that_is_away_holds_delivery_and_not_the_door(
    make_relay: Callable[..., Any],
    kafka_server: KafkaServer,
    own_postgres: PostgresServer,
    topic_prefix: str,
    make_sender: Callable[[Any], Any],
) -> None:
    fleet = Fleet(make_relay, kafka_server.brokers, own_postgres.create_database(), topic_prefix, 4)
    ingest, deliver = await fleet.add("ingest"), await fleet.add("deliver")
    sender = make_sender(ingest)
    await sender.send(sender.make("before"))
    await delivered(sender)

    await asyncio.to_thread(own_postgres.stop)
    statuses = [await sender.send(sender.make(f"during-{n}")) for n in range(20)]
    assert statuses == [202] * 20
    assert sender.lacking(["before"]) == []
    await asyncio.to_thread(own_postgres.start)

    await delivered(sender, 60)
    await sender.until(fleet.is_settled, 60, what="every offset to be settled")
    assert deliver.process.poll() is None


async def test_a_token_that_is_refused_pauses_all_and_a_renewed_one_resumes_all(
    fleet: Fleet, make_sender: Callable[[Any], Any]
) -> None:
    slow = 'probe_every = "1h"'
    ingest = await fleet.add("ingest")
    for _ in range(2):
        await fleet.add("deliver", destination=slow)
    sender = make_sender(ingest)

    async def states() -> set[str]:
        found = set()
        for relay in fleet.delivering:
            for name, value in (await relay.metrics()).items():
                if name.startswith("relay_lane_state{") and value == 1:
                    found.add(name.partition('state="')[2].partition('"')[0])
        return found

    sender.misbehave({"kind": "code", "codes": [40105]})
    await sender.send(sender.make("order-1"))

    async def all_are(state: str) -> bool:
        return await states() == {state}

    await sender.until(lambda: all_are("paused_credential"), 20, what="all lanes to pause")
    sender.misbehave()
    (fleet.delivering[0].folder / "token").write_text("another-token-0123456789")

    await sender.until(lambda: all_are("running"), 20, what="all lanes to run")
    await delivered(sender)


async def test_a_relay_that_starts_before_its_servers_begins_when_they_are_there(
    make_relay: Callable[..., Any],
    own_kafka: KafkaServer,
    own_postgres: PostgresServer,
    topic_prefix: str,
    make_sender: Callable[[Any], Any],
) -> None:
    fleet = Fleet(make_relay, own_kafka.brokers, own_postgres.create_database(), topic_prefix, 4)
    await asyncio.gather(asyncio.to_thread(own_kafka.stop), asyncio.to_thread(own_postgres.stop))
    relay = await fleet.begin("all")
    sender = make_sender(relay)
    await sender.until(lambda: "service.ready" in relay.log, 30, what="it to be up")
    assert await sender.send(sender.make("too-early")) == 503

    await asyncio.gather(asyncio.to_thread(own_kafka.start), asyncio.to_thread(own_postgres.start))
    await relay.ready(60)

    assert await sender.send(sender.make("order-1")) == 202
    await delivered(sender)
