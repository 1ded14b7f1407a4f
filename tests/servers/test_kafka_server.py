"""The broker that tests start is a real one: it keeps what it acknowledged, and it can hang."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from tests.servers import kafka
from tests.servers.kafka import KafkaServer

pytestmark = pytest.mark.needs("kafka")


@contextlib.asynccontextmanager
async def producing(brokers: str, **options: object) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=brokers, acks="all", enable_idempotence=True, **options
    )
    try:
        await producer.start()
        yield producer
    finally:
        await producer.stop()  # also one that did not start: it holds sockets


async def create(server: KafkaServer, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=server.brokers)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()


async def everything_in(brokers: str, topic: str, **options: object) -> list[bytes | None]:
    """The values of all records that a topic of one partition has."""
    partition = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=brokers, auto_offset_reset="earliest", **options)
    await consumer.start()
    try:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        found: list[bytes | None] = []
        while len(found) < end:
            found.append((await asyncio.wait_for(consumer.getone(), 20)).value)
        return found
    finally:
        await consumer.stop()


async def test_a_record_comes_out_as_it_went_in(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}.web"
    await create(kafka_server, topic)

    async with producing(kafka_server.brokers) as producer:
        await producer.send_and_wait(topic, b"one", key=b"k")

    assert await everything_in(kafka_server.brokers, topic) == [b"one"]


async def test_no_topic_comes_into_being_by_being_named(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_server.brokers)
    await admin.start()
    try:
        (described,) = await admin.describe_topics([f"{topic_prefix}.never-made"])
        names = await admin.list_topics()
    finally:
        await admin.close()

    assert described["error_code"] == UnknownTopicOrPartitionError.errno
    assert f"{topic_prefix}.never-made" not in names


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_the_sasl_listener_takes_the_right_password_alone(
    kafka_server: KafkaServer, topic_prefix: str, mechanism: str
) -> None:
    topic = f"{topic_prefix}.web"
    await create(kafka_server, topic)
    login = {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": mechanism,
        "sasl_plain_username": kafka.USER,
        "sasl_plain_password": kafka.PASSWORD,
    }

    async with producing(kafka_server.sasl_brokers, **login) as producer:
        await producer.send_and_wait(topic, b"one")

    wrong = {**login, "sasl_plain_password": "another"}
    with pytest.raises(KafkaError):
        async with producing(kafka_server.sasl_brokers, **wrong):
            pass


@pytest.mark.needs("openssl")
async def test_the_tls_listeners_show_a_certificate_of_their_authority(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}.web"
    await create(kafka_server, topic)
    trusting = ssl.create_default_context(cafile=str(kafka_server.authority.ca_file))
    sasl = {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": kafka.USER,
        "sasl_plain_password": kafka.PASSWORD,
    }

    plain_tls = {"security_protocol": "SSL", "ssl_context": trusting}
    async with producing(kafka_server.tls_brokers, **plain_tls) as producer:
        await producer.send_and_wait(topic, b"one")
    async with producing(kafka_server.sasl_tls_brokers, ssl_context=trusting, **sasl) as producer:
        await producer.send_and_wait(topic, b"two")

    assert await everything_in(kafka_server.brokers, topic) == [b"one", b"two"]
    strangers = {"security_protocol": "SSL", "ssl_context": ssl.create_default_context()}
    with pytest.raises(KafkaError):
        async with producing(kafka_server.tls_brokers, **strangers):
            pass


@pytest.mark.needs("openssl")
async def test_mutual_tls_asks_for_the_client_s_certificate(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}.web"
    await create(kafka_server, topic)
    authority = kafka_server.authority
    nameless = ssl.create_default_context(cafile=str(authority.ca_file))
    named = ssl.create_default_context(cafile=str(authority.ca_file))
    named.load_cert_chain(authority.cert_file, authority.key_file)

    with pytest.raises(KafkaError):
        async with producing(
            kafka_server.mutual_tls_brokers, security_protocol="SSL", ssl_context=nameless
        ):
            pass
    async with producing(
        kafka_server.mutual_tls_brokers, security_protocol="SSL", ssl_context=named
    ) as producer:
        await producer.send_and_wait(topic, b"one")


async def test_a_broker_keeps_its_data_and_ports_when_stopped_killed_or_hung(
    own_kafka: KafkaServer,
) -> None:
    """One test, because each start takes seconds. What follows a pause is sent, not sent twice."""
    await create(own_kafka, "t")
    brokers = own_kafka.brokers
    async with producing(brokers) as producer:
        await producer.send_and_wait("t", b"before the kill")
        await asyncio.to_thread(own_kafka.kill)
        assert not own_kafka.is_running

        await asyncio.to_thread(own_kafka.start)
        await producer.send_and_wait("t", b"after the kill")
        await asyncio.to_thread(own_kafka.restart)
        await producer.send_and_wait("t", b"after the restart")

        own_kafka.pause()
        held = asyncio.ensure_future(producer.send_and_wait("t", b"after the pause"))
        await asyncio.wait([held], timeout=1)
        assert not held.done(), f"neither answered nor failed while it hangs, but: {held}"
        own_kafka.resume()
        await asyncio.wait_for(held, 30)

    assert own_kafka.brokers == brokers
    assert await everything_in(brokers, "t") == [
        b"before the kill", b"after the kill", b"after the restart", b"after the pause",
    ]  # fmt: skip
