"""Several processes are one relay: which samples each shows, and that rules do not add up what is
global. `recording.yaml` says at its top what is proved here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from relay.telemetry.catalogue import METRICS
from tests.acceptance.conftest import until
from tests.acceptance.test_distributed import Fleet
from tests.servers.kafka import KafkaServer
from tests.servers.prometheus import PrometheusServer
from tests.watch.hurried import firing, hurried

pytestmark = [pytest.mark.needs(each) for each in ("prometheus", "kafka", "postgres")]

WAITING = 'relay_journal_entries{destination="web"}'

#: The same from every process.
GLOBAL = [WAITING, 'relay_journal_bytes{destination="web"}', "relay_conservation_gap"]

#: Of a journal in a folder only.
FOLDER = {"relay_disk_free_bytes", "relay_disk_min_free_bytes", "relay_journal_max_bytes"}


@pytest.fixture
async def relays(
    make_relay: Any, kafka_server: KafkaServer, database: str, topic_prefix: str
) -> list[Any]:
    """One that accepts, two that deliver."""
    fleet = Fleet(make_relay, kafka_server.brokers, database, topic_prefix, 4)
    return [await fleet.add(role) for role in ("ingest", "deliver", "deliver")]


@pytest.fixture
def prometheus(relays: list[Any]) -> Iterator[PrometheusServer]:
    targets: Mapping[str, Mapping[str, str]] = {
        f"127.0.0.1:{relay.operator}": {"namespace": "shop", "pod": f"{relay.role}-{number}"}
        for number, relay in enumerate(relays)
    }
    server = PrometheusServer(targets, hurried())
    yield server
    server.remove()


def names_of(samples: Mapping[str, float]) -> set[str]:
    return {name.partition("{")[0] for name in samples} & {metric.name for metric in METRICS}


async def test_what_waits_is_told_by_all_and_counted_once(
    relays: list[Any], prometheus: PrometheusServer, make_sender: Any
) -> None:
    sender = make_sender(relays[0])
    sender.misbehave({"kind": "code", "codes": [40105]})
    await sender.send(*(sender.make(f"order-{number}") for number in range(150)))

    async def all_tell() -> bool:
        return [(await relay.metrics()).get(WAITING) for relay in relays] == [150, 150, 150]

    await until(all_tell, what="all to tell what waits")
    ingest, one, other = [await relay.metrics() for relay in relays]
    assert [ingest[name] for name in GLOBAL] == [one[name] for name in GLOBAL]
    assert [ingest[name] for name in GLOBAL] == [other[name] for name in GLOBAL]
    assert not (names_of(ingest) | names_of(one)) & FOLDER
    assert "relay_lane_state" not in names_of(ingest)
    assert "relay_lane_state" in names_of(one)
    assert ingest['relay_accepted_events_total{destination="web"}'] == 150
    assert one['relay_accepted_events_total{destination="web"}'] == 0

    async def told() -> list[str]:
        fires = await firing(prometheus, "RelayLanePausedCredential")
        return [each["annotations"]["summary"] for each in fires]

    said = ["web: TikTok refuses the access token; 150 events wait."]

    async def is_told_once() -> bool:
        return await told() == said

    await until(is_told_once, what="one alert with the right number")
    recorded = await asyncio.to_thread(prometheus.ask, "query", query="relay:journal_entries:total")
    assert [each["value"][1] for each in recorded["result"]] == ["150"]


async def test_who_accepts_is_missed_though_others_deliver(
    relays: list[Any], prometheus: PrometheusServer
) -> None:
    async def all_are_seen() -> bool:
        asked = "count by (role) (relay_build_info)"
        seen = await asyncio.to_thread(prometheus.ask, "query", query=asked)
        counts = {each["metric"]["role"]: each["value"][1] for each in seen["result"]}
        return counts == {"ingest": "1", "deliver": "2"}

    await until(all_are_seen, what="each to be seen by its role")
    assert await firing(prometheus, "RelayIngestDown") == []
    await relays[0].terminate()

    await until(lambda: firing(prometheus, "RelayIngestDown"), what="the alert")
    (alert,) = await firing(prometheus, "RelayIngestDown")
    assert alert["labels"]["namespace"] == "shop"
    assert await firing(prometheus, "RelayDown") == []
    assert await firing(prometheus, "RelayDeliverDown") == []
