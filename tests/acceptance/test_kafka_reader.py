"""A source's consumer in this process: who it says it is, where it begins, when it lets go."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from relay import assembly
from relay.clock import SystemClock
from relay.config import Settings, load
from relay.errors import JournalUnavailable
from relay.ingest.kafka import State, session
from relay.ingest.kafka.protocol import Judged, Message
from relay.ingest.kafka.reader import FETCH_BYTES, Reader
from relay.ingest.kafka.settings import STALLED_AFTER_S
from relay.journal.rocksdb import RocksJournal
from relay.kafka.connection import KafkaConnection
from relay.kafka.topics import TopicWanted, ensure_topics
from relay.pipeline.accept import Acceptor
from relay.pipeline.stream import Stream
from relay.telemetry import Telemetry, open_log
from tests.acceptance.conftest import an_event, until
from tests.servers import authority
from tests.servers.kafka import PASSWORD, USER, KafkaServer

pytestmark = pytest.mark.needs("kafka")

CONFIG = """
[journal]
path = "{folder}/journal"

[[destinations]]
name = "web"
event_source = "web"
event_source_id = "PIXEL1"
access_token = "env:TOKEN"
page_url = "https://shop.example/"

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


@dataclass
class Gate:
    """The way into the journal, with a door that a test may shut: `refuses` as a journal does that
    cannot store, and while it is not `open` whoever wants to store waits."""

    stream: Stream
    refuses: bool = False
    open: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0

    def judge(self, messages: Sequence[Message]) -> Sequence[Judged]:
        return self.stream.judge(messages)

    async def store(self, judged: Sequence[Judged]) -> None:
        self.waiting += 1
        await self.open.wait()
        self.waiting -= 1
        if self.refuses:
            raise JournalUnavailable
        await self.stream.store(judged)


@dataclass
class House:
    """One source with a real journal behind it."""

    reader: Reader
    gate: Gate
    journal: RocksJournal
    telemetry: Telemetry
    log: io.BytesIO

    def stored(self) -> int:
        counts = self.journal.counts().get("web")
        return counts.accepted if counts else 0

    async def until_stored(self, count: int) -> None:
        await until(lambda: self.stored() == count, 20, what=f"{count} to be stored")

    async def until_reading(self) -> None:
        await until(lambda: self.log.getvalue().count(b"kafka.assigned") > 0, 20, what="partitions")

    def sample(self, name: str) -> float:
        for line in self.telemetry.scraped().decode().splitlines():
            if line.startswith(name):
                return float(line.rpartition(" ")[2])
        return 0.0


def settings_of(folder: Path, text: str) -> Settings:
    folder.mkdir(exist_ok=True)
    file = folder / "relay.toml"
    file.write_text(text)
    return load(file, {"TOKEN": "t"})


@asynccontextmanager
async def house_of(
    folder: Path, text: str, *, stalled_after_s: float = STALLED_AFTER_S
) -> AsyncIterator[House]:
    settings = settings_of(folder, text)
    clock, log = SystemClock(), io.BytesIO()
    telemetry = Telemetry(version="test", now=clock.now)
    desk = open_log("info", "json", monotonic=clock.monotonic, stream=log)
    async with RocksJournal(assembly.journal_settings_of(settings), clock) as journal:
        acceptor = Acceptor(
            assembly.routes_of(settings), {each.name: each for each in settings.destinations},
            assembly.normalizers_of(settings), journal,
            max_events=100, clock=clock, telemetry=telemetry, log=desk,
        )  # fmt: skip
        (source,) = settings.sources
        stream = Stream(
            assembly.topics_of(source), source.routes, acceptor, journal,
            clock=clock, telemetry=telemetry,
        )  # fmt: skip
        gate = Gate(stream)
        gate.open.set()
        how = replace(assembly.reader_settings_of(source), stalled_after_s=stalled_after_s)
        reader = Reader(how, gate, clock=clock, telemetry=telemetry, log=desk)
        running = asyncio.create_task(reader.run())
        try:
            yield House(reader, gate, journal, telemetry, log)
        finally:
            gate.open.set()
            await reader.stop()
            await asyncio.wait_for(running, 20)


@pytest.fixture(scope="module")
def broker() -> Iterator[KafkaServer]:
    settings = {"group.min.session.timeout.ms": "500"}
    server = KafkaServer(tls=authority.is_available(), settings=settings)
    yield server
    server.remove()


@dataclass
class Topic:
    name: str
    producer: AIOKafkaProducer
    brokers: str

    async def send(self, *event_ids: str) -> None:
        for each in event_ids:
            await self.producer.send(self.name, orjson.dumps(an_event(each)))
        await self.producer.flush()

    def config(self, folder: Path, more: str = "", brokers: str | None = None) -> str:
        return CONFIG.format(
            folder=folder, topic=self.name, brokers=brokers or self.brokers, more=more
        )


@pytest.fixture
async def topic(broker: KafkaServer, unique: str) -> AsyncIterator[Topic]:
    name = f"{unique}-read"
    await ensure_topics(KafkaConnection(broker.brokers), [TopicWanted(name, 2, 1)])
    producer = AIOKafkaProducer(bootstrap_servers=broker.brokers)
    await producer.start()
    yield Topic(name, producer, broker.brokers)
    await producer.stop()


def security(**keys: object) -> str:
    lines = [f'{name} = "{value}"' for name, value in keys.items()]
    return "[sources.security]\n" + "\n".join(lines)


def sasl(
    folder: Path, protocol: str, mechanism: str, password: str = PASSWORD
) -> Mapping[str, Any]:
    (folder / "password").write_text(password)
    return {
        "protocol": protocol,
        "mechanism": mechanism,
        "username": USER,
        "password": f"file:{folder}/password",
    }


@pytest.mark.parametrize("mechanism", ["plain", "scram-sha-256", "scram-sha-512"])
async def test_it_says_who_it_is(
    mechanism: str, broker: KafkaServer, topic: Topic, tmp_path: Path
) -> None:
    more = security(**sasl(tmp_path, "sasl_plaintext", mechanism))
    await topic.send("order-1")

    async with house_of(tmp_path, topic.config(tmp_path, more, broker.sasl_brokers)) as house:
        await house.until_stored(1)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("how", ["sasl_ssl", "ssl", "own certificate"])
async def test_it_speaks_tls(how: str, broker: KafkaServer, topic: Topic, tmp_path: Path) -> None:
    signer = broker.authority
    keys: dict[str, object] = {"protocol": "ssl", "ca_file": signer.ca_file}
    brokers = broker.tls_brokers
    if how == "sasl_ssl":
        keys |= sasl(tmp_path, "sasl_ssl", "scram-sha-512")
        brokers = broker.sasl_tls_brokers
    elif how == "own certificate":
        keys |= {"cert_file": signer.cert_file, "key_file": signer.key_file}
        brokers = broker.mutual_tls_brokers
    await topic.send("order-1")

    async with house_of(tmp_path, topic.config(tmp_path, security(**keys), brokers)) as house:
        await house.until_stored(1)


async def test_a_wrong_password_is_waited_out_and_a_renewed_one_read_by_itself(
    broker: KafkaServer, topic: Topic, tmp_path: Path
) -> None:
    more = security(**sasl(tmp_path, "sasl_plaintext", "scram-sha-256", "wrong-secret"))
    await topic.send("order-1")

    async with house_of(tmp_path, topic.config(tmp_path, more, broker.sasl_brokers)) as house:
        await until(lambda: b"kafka.waiting" in house.log.getvalue(), what="a refusal")
        assert house.reader.state is State.CONNECTING
        assert list(house.reader.problems()) == []
        (tmp_path / "password").write_text(PASSWORD)
        await house.until_stored(1)

    assert b"wrong-secret" not in house.log.getvalue()
    assert PASSWORD.encode() not in house.log.getvalue()


async def test_a_new_group_may_begin_at_the_end_and_goes_on_from_there(
    topic: Topic, tmp_path: Path
) -> None:
    await topic.send("old-1", "old-2", "old-3")
    text = topic.config(tmp_path, 'start = "latest"')

    async with house_of(tmp_path, text) as house:
        await house.until_reading()
        await until(lambda: house.reader.lag() == {topic.name: 0}, what="it to be at the end")
        await topic.send("new-1")
        await house.until_stored(1)
    await topic.send("between-1", "between-2")
    async with house_of(tmp_path, text) as house:
        await house.until_stored(3)


async def test_a_topic_that_is_not_there_yet_is_waited_for(
    broker: KafkaServer, topic: Topic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relay.ingest.kafka.reader._METADATA_EVERY_S", 0.5)
    later = Topic(f"{topic.name}-later", topic.producer, topic.brokers)

    async with house_of(tmp_path, later.config(tmp_path)) as house:
        note = f"there is no topic {later.name}, or it may not be read"
        await until(lambda: list(house.reader.notes()) == [note], what="a note")
        await asyncio.sleep(2)
        assert house.reader.state is State.NO_TOPIC
        assert list(house.reader.problems()) == []

        await ensure_topics(KafkaConnection(broker.brokers), [TopicWanted(later.name, 1, 1)])
        await later.send("order-1")
        await house.until_stored(1)
        await until(lambda: house.reader.state is State.READING, what="it to read")
        assert list(house.reader.notes()) == []


async def test_a_topic_that_is_missing_is_told_though_another_is_read(
    topic: Topic, tmp_path: Path
) -> None:
    missing = f"{topic.name}-mistyped"
    text = topic.config(tmp_path)
    text = text.replace(f'["{topic.name}"]', f'["{topic.name}", "{missing}"]')
    await topic.send("order-1")

    async with house_of(tmp_path, text) as house:
        await house.until_stored(1)
        assert house.reader.state is State.NO_TOPIC
        assert list(house.reader.notes()) == [f"there is no topic {missing}, or it may not be read"]


async def test_what_the_journal_refuses_stays_in_hand_until_it_takes_it(
    topic: Topic, tmp_path: Path
) -> None:
    async with house_of(tmp_path, topic.config(tmp_path)) as house:
        house.gate.refuses = True
        await topic.send(*(f"order-{number}" for number in range(50)))
        await until(lambda: house.reader.state is State.WAITING_FOR_JOURNAL, what="it to wait")
        assert list(house.reader.notes()) == ["waits: the journal cannot store"]
        house.gate.refuses = False

        await house.until_stored(50)
        assert house.sample("relay_arrivals_total") == 50
        await until(lambda: house.reader.state is State.READING, what="it to read")


def has_to_let_go(house: House) -> bool:
    session = house.reader._session
    return session is not None and session._let_go.is_set()


async def test_a_rebalance_waits_for_what_is_in_hand_and_its_commit(
    topic: Topic, tmp_path: Path
) -> None:
    """A second consumer joins while messages are being stored: it gets none of them."""
    async with house_of(tmp_path / "first", topic.config(tmp_path / "first")) as first:
        await first.until_reading()
        first.gate.open.clear()
        await topic.send(*(f"order-{number}" for number in range(40)))
        await until(lambda: first.gate.waiting > 0, what="messages in hand")

        async with house_of(tmp_path / "second", topic.config(tmp_path / "second")) as second:
            await until(lambda: has_to_let_go(first), what="the rebalance")
            assert b"kafka.assigned" not in second.log.getvalue()
            first.gate.open.set()
            await second.until_reading()
            await until(lambda: first.stored() + second.stored() >= 40, what="all to be stored")
            await topic.send(*(f"later-{number}" for number in range(200)))
            await until(lambda: first.stored() + second.stored() >= 240, what="all to be stored")

            assert first.stored() + second.stored() == 240
            assert second.stored() > 0


async def test_what_settles_too_late_for_a_rebalance_is_not_committed(
    topic: Topic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next owner has committed more by then, and must not be set back."""
    monkeypatch.setattr(session, "_SETTLE_S", 0.2)
    async with house_of(tmp_path / "first", topic.config(tmp_path / "first")) as first:
        await first.until_reading()
        first.gate.open.clear()
        await topic.send(*(f"order-{number}" for number in range(40)))
        await until(lambda: first.gate.waiting > 0, what="messages in hand")
        async with house_of(tmp_path / "second", topic.config(tmp_path / "second")) as second:
            await second.until_reading()
            first.gate.open.set()

            def read() -> float:
                name = "relay_kafka_messages_total"
                return first.sample(name) + second.sample(name)

            await until(lambda: read() >= 40, what="each message to be read once more")
    assert read() == 40, "what was too late counted, too"


async def test_partitions_are_let_go_of_while_the_journal_cannot_store(
    topic: Topic, tmp_path: Path
) -> None:
    """The journal of the first is full: what it has in hand goes to the second, unstored."""
    async with house_of(tmp_path / "first", topic.config(tmp_path / "first")) as first:
        first.gate.refuses = True
        await topic.send(*(f"order-{number}" for number in range(40)))
        await until(lambda: first.reader.state is State.WAITING_FOR_JOURNAL, what="it to wait")
        async with house_of(tmp_path / "second", topic.config(tmp_path / "second")) as second:
            began = time.monotonic()
            await second.until_reading()
            assert time.monotonic() - began < 8
            await first.reader.stop()

            await second.until_stored(40)
            assert first.stored() == 0


async def test_a_partition_that_cannot_be_read_is_stalled_and_named(
    broker: KafkaServer, topic: Topic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker compresses the topic in a way that the client cannot undo."""
    monkeypatch.setattr("aiokafka.codec.has_lz4", lambda: False)
    name = f"{topic.name}-lz4"
    wanted = TopicWanted(name, 1, 1, {"compression.type": "lz4"})
    await ensure_topics(KafkaConnection(broker.brokers), [wanted])
    compressed = Topic(name, topic.producer, topic.brokers)
    await compressed.send("order-1")

    async with house_of(tmp_path, compressed.config(tmp_path), stalled_after_s=0.2) as house:
        told = f"{name}/0 is stalled: it has messages, and none is read"
        await until(lambda: list(house.reader.problems()) == [told], what="the stall to be told")
        assert house.stored() == 0


async def test_messages_that_are_in_hand_for_too_long_are_a_problem(
    topic: Topic, tmp_path: Path
) -> None:
    async with house_of(tmp_path, topic.config(tmp_path), stalled_after_s=0.2) as house:
        await house.until_reading()
        house.gate.open.clear()
        await topic.send("order-1")

        def told() -> bool:
            return any("same messages in hand" in each for each in house.reader.problems())

        await until(told, what="a problem")
        house.gate.open.set()
        await house.until_stored(1)
        await until(lambda: not list(house.reader.problems()), what="no problem")


async def test_a_message_that_is_larger_than_what_is_fetched_at_once_holds_nothing_up(
    topic: Topic, tmp_path: Path
) -> None:
    large = an_event("large", context={"x": "y" * (FETCH_BYTES + 100_000)})
    await topic.producer.send(topic.name, orjson.dumps(large), partition=0)
    await topic.producer.send(topic.name, orjson.dumps(an_event("small")), partition=0)
    await topic.producer.flush()

    async with house_of(tmp_path, topic.config(tmp_path)) as house:
        await house.until_stored(2)


async def test_brokers_that_hang_do_not_keep_it_from_leaving(
    own_kafka: KafkaServer, unique: str, tmp_path: Path
) -> None:
    await ensure_topics(KafkaConnection(own_kafka.brokers), [TopicWanted(unique, 1, 1)])
    text = CONFIG.format(folder=tmp_path, topic=unique, brokers=own_kafka.brokers, more="")
    async with house_of(tmp_path, text.replace('"1s"', '"6s"')) as house:
        await house.until_reading()
        own_kafka.pause()
        began = time.monotonic()
        await house.reader.stop()

        assert time.monotonic() - began < 8
    own_kafka.resume()
