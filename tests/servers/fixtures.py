"""The servers as fixtures: one of each for all tests, and some for those that break them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.servers import authority
from tests.servers.kafka import KafkaServer
from tests.servers.postgres import PostgresServer

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def kafka_server() -> Iterator[KafkaServer]:
    """A broker that all tests share, with TLS where `openssl` is; name topics by `topic_prefix`."""
    server = KafkaServer(tls=authority.is_available())
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL that all tests share; each takes a `database`."""
    server = PostgresServer(durable=False)
    yield server
    server.remove()


@pytest.fixture
def own_kafka() -> Iterator[KafkaServer]:
    """A broker to stop and to kill."""
    server = KafkaServer()
    yield server
    server.remove()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL to stop and to kill."""
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture
def database(postgres_server: PostgresServer) -> str:
    """The address of an empty database."""
    return postgres_server.create_database()


@pytest.fixture
def unique() -> str:
    """Begins the names of this test's topics and groups."""
    return f"t{next(_NUMBERS)}"


@pytest.fixture
def topic_prefix(unique: str) -> str:
    """As `journal.topic_prefix`: no other test's topics begin like this."""
    return f"relay-{unique}"
