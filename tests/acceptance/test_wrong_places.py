"""A schema, a prefix or a group that is mistyped, a relay that was forgotten: nothing is made,
nothing is lost, nothing is sent again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from relay.sandbox.http import Running
from tests.acceptance.test_distributed import Fleet, delivered
from tests.servers.kafka import KafkaServer

pytestmark = [pytest.mark.needs("kafka"), pytest.mark.needs("postgres")]

EVENTS = 20


@pytest.fixture
def fleet(
    make_relay: Callable[..., Any], kafka_server: KafkaServer, database: str, topic_prefix: str
) -> Fleet:
    return Fleet(make_relay, kafka_server.brokers, database, topic_prefix, 2)


@pytest.fixture
async def used(fleet: Fleet, make_sender: Callable[[Any], Any]) -> Any:
    """A relay that delivered something, and was stopped."""
    relay = await fleet.add("all")
    sender = make_sender(relay)
    await sender.send(*(sender.make(f"e-{n}") for n in range(EVENTS)))
    await delivered(sender)
    await relay.until_settled()
    await relay.terminate()
    relay.sender = sender
    return relay


def changed(relay: Any, before: str, after: str) -> None:
    text = relay.config.read_text()
    assert before in text
    relay.config.write_text(text.replace(before, after))


async def sql(fleet: Fleet, statement: str) -> Any:
    connection = await asyncpg.connect(fleet.dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_who_looks_makes_no_schema_and_says_that_there_is_none(
    used: Any, fleet: Fleet, tmp_path: Path
) -> None:
    changed(used, "partitions = 2", 'partitions = 2\ndatabase_schema = "mistyped"')
    file = tmp_path / "journal.ndjson"

    for command in (
        ("journal", "stats"), ("journal", "verify"), ("find", "e-1"), ("dead-letters", "list"),
        ("journal", "export", str(file), "--seal"), ("journal", "seal"), ("journal", "unseal"),
    ):  # fmt: skip
        code, said = await used.typed(*command)
        assert code == 1, command
        assert "there is no journal in the schema mistyped" in said, command
        assert "DatabaseRefused" not in said, command
    assert not file.exists()
    assert await sql(fleet, "select to_regnamespace('mistyped')::text") is None


@pytest.mark.parametrize("what", ["topic_prefix", "partitions"])
async def test_an_export_wants_every_topic_that_the_tables_know(
    used: Any, fleet: Fleet, tmp_path: Path, what: str
) -> None:
    if what == "topic_prefix":
        changed(used, 'topic_prefix = "', 'topic_prefix = "mistyped-')
    else:
        await sql(
            fleet,
            "insert into relay.progress (destination, partition, epoch, owner, claimed, low) "
            "values ('web', 9, 1, 'somebody', 5, 5)",
        )
    file = tmp_path / "journal.ndjson"

    code, said = await used.typed("journal", "export", str(file), "--seal")

    assert code == 1
    assert ("there is no topic" if what == "topic_prefix" else "know of partition 9") in said
    assert "journal.topic_prefix" in said
    assert not file.exists()
    assert await sql(fleet, "select sealed_at from relay.identity") is None


async def test_an_export_wants_the_topics_though_nothing_was_claimed_yet(
    fleet: Fleet, make_sender: Callable[[Any], Any], tmp_path: Path
) -> None:
    """What nobody has delivered yet is in no table."""
    ingest = await fleet.add("ingest")
    sender = make_sender(ingest)
    await sender.send(sender.make("waits"))
    await ingest.terminate()
    changed(ingest, 'topic_prefix = "', 'topic_prefix = "mistyped-')
    file = tmp_path / "journal.ndjson"

    code, said = await ingest.typed("journal", "export", str(file), "--seal")

    assert code == 1
    assert "there is no topic mistyped-" in said
    assert not file.exists()


async def test_a_door_that_opened_while_the_database_was_away_hears_of_the_seal(
    used: Any, fleet: Fleet, make_sender: Callable[[Any], Any]
) -> None:
    assert (await used.typed("journal", "seal"))[0] == 0
    real = fleet.dsn
    address = used.folder / "dsn"
    address.write_text(real.replace(real.rpartition("@")[2], "127.0.0.1:1/none"))
    fleet._journal = fleet._journal.replace("env:RELAY_POSTGRES", f"file:{address}")
    ingest = await fleet.add("ingest")
    sender = make_sender(ingest)
    assert await sender.send(sender.make("unheard")) == 202

    address.write_text(real)

    await sender.until(lambda: is_refused(sender), 20, what="the door to be shut")


@pytest.mark.parametrize("role", ["ingest", "deliver"])
async def test_a_journal_at_which_anybody_works_is_neither_exported_nor_sealed(
    used: Any, fleet: Fleet, tmp_path: Path, role: str
) -> None:
    """Though the group is mistyped, which says that nobody delivers."""
    working = await fleet.add(role)
    changed(used, 'group = "', 'group = "mistyped-')
    file = tmp_path / "journal.ndjson"

    for command in (("export", str(file), "--seal"), ("seal",)):
        code, said = await used.typed("journal", *command)
        assert code == 1
        assert f"/{working.process.pid}/" in said
        assert "stop all of them" in said
    assert not file.exists()

    await working.terminate()
    assert (await used.typed("journal", "seal"))[0] == 0


async def test_whoever_works_on_after_the_seal_takes_nothing_more(
    used: Any, fleet: Fleet, make_sender: Callable[[Any], Any]
) -> None:
    """It could not be seen when the journal was sealed; it hears of that within seconds."""
    working = await fleet.add("all")
    sender = make_sender(working)

    await sql(fleet, "update relay.identity set sealed_at = 1 returning sealed_at")
    await sender.until(lambda: is_refused(sender), 10, what="the door to be shut")
    assert (await working.metrics())["relay_journal_healthy"] == 0

    await sql(fleet, "update relay.identity set sealed_at = null returning 1")
    await working.ready()
    await sender.send(sender.make("again"))
    await delivered(sender)


async def is_refused(sender: Any) -> bool:
    return bool(await sender.send(sender.make("meanwhile")) == 503)


async def test_tables_that_know_nothing_of_what_was_read_send_nothing_again(
    used: Any, fleet: Fleet, sandbox: Running
) -> None:
    before = sandbox.world.received.totals.events
    fleet._journal += 'database_schema = "another"\n'
    wrong = await fleet.begin("deliver")

    await used.sender.until(lambda: "journal.trouble" in wrong.log, 20, what="the refusal")
    assert "TopicReplaced" in wrong.log
    assert sandbox.world.received.totals.events == before
    assert await sql(fleet, "select sum(claimed) from another.progress") in (None, 0)
