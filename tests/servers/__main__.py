"""`make servers`: the Kafka and the PostgreSQL of the tests, for a person to try the relay on."""

from __future__ import annotations

import signal
import sys
import threading

from tests.servers import kafka, postgres
from tests.servers.kafka import KafkaServer
from tests.servers.postgres import PostgresServer
from tests.servers.process import Server, ServerFailed

_ANNOUNCEMENT = """
Kafka on {brokers}, PostgreSQL on {address}. Ctrl-C ends both; their data goes with them.

For relay.toml:

    [journal]
    kafka = "{brokers}"
    postgres = "env:RELAY_POSTGRES"
    replication = 1

and in the shell:

    export RELAY_POSTGRES={database}

"""


def main() -> int:
    if not (kafka.is_available() and postgres.is_available()):
        sys.stderr.write("needs Java 17 or later, Maven, and PostgreSQL 14 or later\n")
        return 1
    told_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told_to_stop.set())
    started: list[Server] = []
    try:
        database = PostgresServer()
        started.append(database)
        broker = KafkaServer()
        started.append(broker)
        announce(broker, database)
        told_to_stop.wait()
    except ServerFailed as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    finally:
        for server in started:
            server.stop()
            server.remove()
    return 0


def announce(broker: KafkaServer, database: PostgresServer) -> None:
    sys.stdout.write(
        _ANNOUNCEMENT.format(
            brokers=broker.brokers,
            address=f"127.0.0.1:{database.port}",
            database=database.create_database(),
        )
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
