"""What a person types where the journal is on Kafka and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from relay.postgres.migrations import migrations
from tests.acceptance.conftest import free_port
from tests.acceptance.test_distributed import Fleet
from tests.servers.kafka import KafkaServer

pytestmark = [pytest.mark.needs("kafka"), pytest.mark.needs("postgres")]


@pytest.fixture
async def relay(
    make_relay: Callable[..., Any], kafka_server: KafkaServer, database: str, topic_prefix: str
) -> Any:
    """One that does everything."""
    return await Fleet(make_relay, kafka_server.brokers, database, topic_prefix, 2).add("all")


async def test_what_was_delivered_refused_and_repeated_is_found_and_sums_are_sound(
    relay: Any, make_sender: Callable[[Any], Any]
) -> None:
    sender = make_sender(relay)
    sender.misbehave({"kind": "code", "codes": [40002], "probability": 1.0})
    await sender.send(sender.make("refused"))
    await relay.until_outcomes({"rejected": 1})
    sender.misbehave()
    await sender.send(sender.make("order-1"))
    await delivered_one(sender, "order-1")

    code, traces = await relay.typed("find", "order-1", "--json")
    assert (code, [trace["outcome"] for trace in traces]) == (0, ["delivered"])
    code, letters = await relay.typed("dead-letters", "list", "--json")
    assert (code, [letter["event_id"] for letter in letters]) == (0, ["refused"])
    code, rows = await relay.typed("journal", "stats", "--json")
    assert [(row["accepted"], row["settled"], row["gap"]) for row in rows] == [(2, 2, 0)]
    code, said = await relay.typed("journal", "verify", "--json")
    assert (code, said["findings"]) == (0, [])


async def test_a_dead_letter_is_replayed_beside_the_running_relay(
    relay: Any, make_sender: Callable[[Any], Any]
) -> None:
    sender = make_sender(relay)
    sender.misbehave({"kind": "code", "codes": [40002], "probability": 1.0})
    await sender.send(sender.make("order-1"))
    await relay.until_outcomes({"rejected": 1})
    sender.misbehave()

    code, replayed = await relay.typed("dead-letters", "replay", "--json")

    assert (code, [each["result"] for each in replayed]) == (0, ["queued"])
    await delivered_one(sender, "order-1")
    code, again = await relay.typed("dead-letters", "replay", "--json")
    assert (code, again) == (0, [])


async def test_a_file_that_is_imported_twice_counts_once(
    relay: Any, make_sender: Callable[[Any], Any], tmp_path: Path
) -> None:
    sender = make_sender(relay)
    file = tmp_path / "orders.ndjson"
    file.write_bytes(b"\n".join(orjson.dumps(sender.make(f"order-{n}")) for n in range(20)))

    for _ in range(2):
        code, _ = await relay.typed("import", str(file), "--source", "backend")
        assert code == 0
    for n in range(20):
        await delivered_one(sender, f"order-{n}")

    await relay.until_outcomes({"delivered": 20})
    code, rows = await relay.typed("journal", "stats", "--json")
    assert [(row["accepted"], row["settled"]) for row in rows] == [(20, 20)]


async def test_a_database_that_is_away_is_said_in_a_sentence(relay: Any) -> None:
    relay.environ = {"RELAY_POSTGRES": "postgresql://relay@127.0.0.1:1/relay"}

    for command in (["find", "x"], ["journal", "stats"], ["dead-letters", "list"]):
        code, said = await relay.typed(*command)

        assert code == 1
        assert "PostgreSQL" in said
        assert "Traceback" not in said


async def delivered_one(sender: Any, event_id: str) -> None:
    await sender.until(lambda: not sender.lacking([event_id]), 20, what=event_id)


async def test_servers_are_prepared_before_a_relay_starts(
    make_relay: Callable[..., Any], kafka_server: KafkaServer, database: str, topic_prefix: str
) -> None:
    relay = Fleet(make_relay, kafka_server.brokers, database, topic_prefix, 2).make("all")
    relay.write_config()

    (first, again) = [await relay.typed("journal", "migrate", "--json") for _ in range(2)]

    numbers = [each.number for each in migrations()]
    assert first == (0, {"versions": numbers, "topics": [f"{topic_prefix}.web"]})
    assert again == (0, {"versions": [], "topics": []})


async def test_servers_that_are_away_cannot_be_prepared(make_relay: Callable[..., Any]) -> None:
    away = f"127.0.0.1:{free_port()}"
    relay = Fleet(make_relay, away, f"postgresql://relay@{away}/relay", "x", 2).make("all")
    relay.write_config()

    code, told = await relay.typed("journal", "migrate")

    assert code == 1
    assert "PostgreSQL" in told
    assert "Traceback" not in told
