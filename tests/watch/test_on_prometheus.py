"""A real Prometheus scrapes a real relay under load: panels have data, alerts come and go."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import itertools
import json
import math
import re
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from relay.clock import SystemClock
from relay.kafka.connection import KafkaConnection
from relay.kafka.topics import TopicWanted, ensure_topics
from relay.sandbox.ads.life import LivingWorld
from relay.sandbox.ads.plan import WorldPlan
from relay.sandbox.http import Running, running
from relay.sandbox.marketing.settings import MarketingSettings
from relay.sandbox.profiles import plan_from
from relay.sandbox.settings import AccessPlan, SandboxSettings, TokenRule
from tests.acceptance.conftest import PIXEL, TOKEN, RelayProcess, Sender, an_event, until
from tests.servers.kafka import KafkaServer
from tests.servers.prometheus import PrometheusServer
from tests.watch.__main__ import FILE
from tests.watch.hurried import firing, hurried

pytestmark = [pytest.mark.needs("prometheus"), pytest.mark.needs("kafka")]

ADVERTISER = "7106541027904733185"
DAY_S = 86_400.0
SECRET = "shop-secret"

#: A message that is no sale, and its signature.
PING = b'{"kind": "ping"}'
SIGNATURE = hmac.new(SECRET.encode(), PING, "sha256").hexdigest()

MORE = f"""
[[sources]]
name = "shop"
kind = "custom"
destination = "web"
secrets = ["env:SHOP_SECRET"]
signature = {{{{ header = "x-signature", scheme = "hmac-sha256", encoding = "hex" }}}}

[sources.mapping]
when = "kind == 'sale'"
event = "'Purchase'"
event_id = "id"
event_time = "unix_time(at)"

[[sources]]
name = "topic"
kind = "kafka"
brokers = "{{brokers}}"
topics = ["{{topic}}"]
group = "{{topic}}"
destination = "web"

[management]
access_token = "env:ADS_TOKEN"
advertisers = ["{ADVERTISER}"]
requests_per_second = 50.0
requests_per_minute = 3000

[audit]
since = "20d"
rates = {{{{ EUR = "1", GBP = "1.15", USD = "0.92" }}}}
"""

#: Queries that have no data here, and why.
WITHOUT_DATA: dict[str, str] = {}

#: What the load deserves: a stranger's key and signatures, and events that TikTok refuses.
EXPECTED = {"RelayWrongKeys", "RelaySignatureFailures", "RelayRejectedShare"}


class Query(NamedTuple):
    """What one panel asks, with the variables put in."""

    name: str
    expr: str
    is_instant: bool


def queries() -> list[Query]:
    """Of the dashboard's file, as Grafana would ask with everything chosen. Its `$__rate_interval`
    is at least four scrapes."""
    found = []
    for panel in json.loads(FILE.read_text())["panels"]:
        for target in panel.get("targets", ()):
            expr = target["expr"].replace("$__rate_interval", "4s")
            expr = re.sub(r"\$(namespace|job|destination)\b", ".*", expr)
            assert "$" not in expr
            name = f"{panel['title']}: {target['legendFormat']}"
            found.append(Query(name, expr, target["instant"]))
    return found


@pytest.fixture
async def sandbox() -> AsyncIterator[Running]:
    """With an ad account whose ads have run for three weeks."""
    now = time.time()
    plan = WorldPlan(
        seed=11, advertiser_id=ADVERTISER, timezone="Etc/GMT", pixel_code=PIXEL, country="GB",
        started_at=now - now % DAY_S - 21 * DAY_S, orders_per_day=120.0, adgroups=2,
        reporting_latency_s=0.0,
    )  # fmt: skip
    quick = MarketingSettings(
        task_queue_s=0.0, task_run_s=0.0, calls_per_second=0, calls_per_minute=0
    )
    poison = plan_from({"faults": [{"kind": "poison", "rule": {"event_id": "*poison*"}}]})
    settings = SandboxSettings(marketing=quick, faults=poison)
    async with running(settings, SystemClock(), ads=LivingWorld(plan)) as stand_in:
        yield stand_in


@pytest.fixture
async def topic(kafka_server: KafkaServer, unique: str) -> str:
    name = f"{unique}-watched"
    await ensure_topics(KafkaConnection(kafka_server.brokers), [TopicWanted(name, 1, 1)])
    return name


@pytest.fixture
async def watched(
    make_relay: Any, make_sender: Any, kafka_server: KafkaServer, topic: str
) -> RelayProcess:
    """It has sent the sales of some weeks, and is started anew with an audit to make."""
    relay: RelayProcess = make_relay(environ={"SHOP_SECRET": SECRET, "ADS_TOKEN": "ads-token"})
    await relay.up()
    now = int(time.time())
    past = [an_event(f"past-{n}", event_time=now - 86_400 * 12 - 600 * n) for n in range(200)]
    await make_sender(relay).send(*past)
    await relay.until_settled()
    await relay.terminate()
    relay.more = MORE.format(brokers=kafka_server.brokers, topic=topic)
    await relay.up()
    return relay


@pytest.fixture
def prometheus(watched: RelayProcess) -> Iterator[PrometheusServer]:
    server = PrometheusServer({f"127.0.0.1:{watched.operator}": {"namespace": "shop"}}, hurried())
    yield server
    server.remove()


@pytest.fixture
async def load(
    make_sender: Any, watched: RelayProcess, kafka_server: KafkaServer, topic: str
) -> AsyncIterator[Sender]:
    """Events of all kinds from everybody, a few hundred a second, until the test ends."""
    sender: Sender = make_sender(watched)
    producer = AIOKafkaProducer(bootstrap_servers=kafka_server.brokers)
    await producer.start()
    task = asyncio.create_task(_send(sender, producer, topic))
    yield sender
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await producer.stop()


async def _send(sender: Sender, producer: AIOKafkaProducer, topic: str) -> None:
    bad_phone = {"email": "a@example.com", "phone": "12"}
    for number in itertools.count():
        poison = [f"poison-{number}-{each}" for each in range(3)]
        good = [an_event(f"load-{number}-{each}") for each in range(40)]
        await sender.send(*good, an_event(f"phone-{number}", user=bad_phone))
        await sender.send(*good[:2], {"event": "Purchase"}, *map(an_event, poison))
        await sender.send(good[0], key="a-key-of-somebody-else")
        for signature in (SIGNATURE, "00"):
            webhook = f"{sender.relay.url}/webhooks/shop"
            await sender.http.post(webhook, data=PING, headers={"X-Signature": signature})
        for each in range(20):
            await producer.send(topic, orjson.dumps(an_event(f"topic-{number}-{each}")))
        await asyncio.sleep(0.1)


async def test_a_revoked_token_raises_its_alert_and_a_new_one_clears_it(
    prometheus: PrometheusServer, watched: RelayProcess, sandbox: Running, load: Sender
) -> None:
    name = "RelayLanePausedCredential"
    await until(lambda: _are_delivered(watched, 300), what="the first deliveries")
    assert await firing(prometheus, name) == []

    revoked = TokenRule(token=SecretStr(TOKEN), state="revoked")
    sandbox.world.access.change(AccessPlan(tokens=(revoked,)))
    await until(lambda: firing(prometheus, name), what="the alert")

    (alert,) = await firing(prometheus, name)
    assert alert["labels"] == {
        "alertname": name, "severity": "page", "namespace": "shop", "destination": "web",
        "state": "paused_credential",
    }  # fmt: skip
    said = alert["annotations"]["summary"]
    assert re.fullmatch(r"web: TikTok refuses the access token; \d+ events wait\.", said)

    (watched.folder / "token").write_text("a-new-token")

    async def is_over() -> bool:
        return not await firing(prometheus, name)

    await until(is_over, what="the alert to be over")
    assert load.acknowledged


async def test_every_panel_has_data(
    prometheus: PrometheusServer, watched: RelayProcess, load: Sender
) -> None:
    began = time.time()
    asked = queries()
    assert not WITHOUT_DATA.keys() - {query.name for query in asked}
    left = [query for query in asked if query.name not in WITHOUT_DATA]

    async def all_have_data() -> bool:
        left[:] = [each for each in left if not await _has_data(prometheus, each, began)]
        return not left

    with contextlib.suppress(AssertionError):
        await until(all_have_data, 40)
    assert left == []
    assert load.acknowledged

    async def what_is_expected_fires() -> bool:
        return {each["labels"]["alertname"] for each in await firing(prometheus)} >= EXPECTED

    await until(what_is_expected_fires, what=str(EXPECTED))
    woken = [each for each in await firing(prometheus) if each["labels"]["severity"] == "page"]
    assert woken == []


async def _are_delivered(relay: RelayProcess, least: int) -> bool:
    return relay.outcomes(await relay.metrics()).get("delivered", 0) >= least


async def _has_data(prometheus: PrometheusServer, query: Query, began: float) -> bool:
    if query.is_instant:
        answer = await asyncio.to_thread(prometheus.ask, "query", query=query.expr)
        values = [each["value"][1] for each in answer["result"]]
    else:
        answer = await asyncio.to_thread(
            prometheus.ask, "query_range", query=query.expr, start=began, end=time.time(), step=0.5
        )
        values = [value for each in answer["result"] for _, value in each["values"]]
    return any(not math.isnan(float(value)) for value in values)
