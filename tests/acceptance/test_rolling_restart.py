"""A new version is rolled out under load, as the chart does it: one process after the other, each
new one ready before an old one is told to leave. Nobody outside notices.

The balancer learns that a process leaves only by asking whether it is ready, after SIGTERM: that is
the node whose routes are brought up to date last, when `preStop` has not sufficed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import aiohttp
import orjson
import pytest

from relay.sandbox.http import Running
from tests.acceptance.conftest import KEY, an_event
from tests.acceptance.test_distributed import Fleet, counts, delivered
from tests.servers.haproxy import HAProxy
from tests.servers.kafka import KafkaServer

pytestmark = [
    pytest.mark.needs("haproxy"),
    pytest.mark.needs("kafka"),
    pytest.mark.needs("postgres"),
]

REPLICAS = 3


class Senders:
    """Shops that send through the balancer without a pause: some keep their connection, some make
    a new one for each request."""

    def __init__(self, port: int, *, keeping: int, fresh: int) -> None:
        self._url = f"http://127.0.0.1:{port}/v1/events"
        self._connectors = [False] * keeping + [True] * fresh
        self._tasks: list[asyncio.Task[None]] = []
        self._stopped = asyncio.Event()
        self.acknowledged: set[str] = set()
        self.heard: Counter[int | str] = Counter()

    async def __aenter__(self) -> Senders:
        self._tasks = [
            asyncio.create_task(self._send(f"s{number}", force_close=fresh))
            for number, fresh in enumerate(self._connectors)
        ]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._stopped.set()
        await asyncio.gather(*self._tasks)

    async def _send(self, name: str, *, force_close: bool) -> None:
        connector = aiohttp.TCPConnector(force_close=force_close)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        async with aiohttp.ClientSession(connector=connector, headers=headers) as http:
            number = 0
            while not self._stopped.is_set():
                ids = [f"{name}-{number}-{place}" for place in range(5)]
                await self._request(http, ids)
                number += 1
                await asyncio.sleep(0.005)  # load, not waiting for something

    async def _request(self, http: aiohttp.ClientSession, ids: Sequence[str]) -> None:
        body = orjson.dumps([an_event(each) for each in ids])
        try:
            async with http.post(self._url, data=body) as answer:
                self.heard[answer.status] += 1
                if answer.status == 202:
                    self.acknowledged.update(ids)
        except (aiohttp.ClientError, ConnectionError) as error:
            self.heard[type(error).__name__] += 1


@pytest.fixture
def fleet(
    make_relay: Callable[..., Any], kafka_server: KafkaServer, database: str, topic_prefix: str
) -> Fleet:
    return Fleet(make_relay, kafka_server.brokers, database, topic_prefix, 6)


@pytest.fixture
async def doors(fleet: Fleet) -> list[Any]:
    """Old and new ones; none is started."""
    return [fleet.make("ingest", lame_duck="1s") for _ in range(2 * REPLICAS)]


@pytest.fixture
async def balancer(doors: Sequence[Any]) -> AsyncIterator[HAProxy]:
    server = await asyncio.to_thread(HAProxy, [(relay.public, relay.operator) for relay in doors])
    yield server
    await asyncio.to_thread(server.remove)


async def replace(old: Sequence[Any], new: Sequence[Any]) -> list[int]:
    """One surges, one leaves; the exit codes of those that left."""
    codes = []
    for leaving, coming in zip(old, new, strict=True):
        await coming.up()
        codes.append(await leaving.terminate())
    return codes


async def test_a_roll_out_under_load_is_not_noticed(
    fleet: Fleet,
    doors: Sequence[Any],
    balancer: HAProxy,
    sandbox: Running,
    make_sender: Callable[[Any], Any],
) -> None:
    await asyncio.gather(*(relay.up() for relay in doors[:REPLICAS]))
    old = [await fleet.add("deliver") for _ in range(REPLICAS)]
    new = [fleet.make("deliver") for _ in range(REPLICAS)]
    sender = make_sender(doors[0])
    async with Senders(balancer.port, keeping=6, fresh=2) as senders:
        await sender.until(lambda: senders.heard[202] >= 20, what="the first answers")
        codes = await asyncio.gather(replace(doors[:REPLICAS], doors[REPLICAS:]), replace(old, new))
        enough = senders.heard[202] + 20
        await sender.until(lambda: senders.heard[202] >= enough, what="the last answers")

    assert list(codes) == [[0] * REPLICAS] * 2
    assert set(senders.heard) == {202}
    sender.acknowledged = senders.acknowledged
    await delivered(sender, 60)
    await sender.until(fleet.is_settled, 60, what="every offset to be settled")
    # On a busy machine a request may outlast the hand-over of its partition, and is sent again with
    # its ids: TikTok drops that, and it is booked once.
    effects = sandbox.world.received.totals.effects
    assert effects == len(senders.acknowledged)
    assert await counts(fleet) == {"delivered": effects, "events": effects}
    for relay in new:
        assert (await relay.metrics())["relay_conservation_gap"] == 0
