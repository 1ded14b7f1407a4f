"""A real Apache Kafka broker (KRaft), from jars that `.ci/kafka` fetches through Maven."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.servers.authority import Authority
from tests.servers.java import java
from tests.servers.process import Server, ServerFailed, free_port

_ROOT = Path(__file__).parents[2]
_JARS = _ROOT / ".venv" / "kafka"

#: Whom the SASL listeners know, by PLAIN and by SCRAM.
USER, PASSWORD = "relay", "broker-test-password"

#: Each listener and how it speaks; the last three where there is an `Authority`.
_LISTENERS = {
    "PLAIN": "PLAINTEXT", "SASL": "SASL_PLAINTEXT", "CONTROLLER": "PLAINTEXT",
    "SASL_TLS": "SASL_SSL", "TLS": "SSL", "MUTUAL_TLS": "SSL",
}  # fmt: skip

#: A Metadata request, version 4: for no topic, whose answer lists the brokers that take requests.
_WHO_IS_THERE = struct.pack(">hhih i ?", 3, 4, 7, -1, 0, False)


@cache
def is_available() -> bool:
    """Fetches the jars where that was not done yet; Maven may have no Java but ours."""
    program = java()
    if program is None:
        return False
    home = os.environ.get("JAVA_HOME") or str(Path(program).resolve().parents[1])
    try:
        fetched = subprocess.run(
            [_ROOT / ".ci" / "kafka", _JARS],
            cwd=_ROOT, env={**os.environ, "JAVA_HOME": home}, check=False, timeout=600,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    return fetched.returncode == 0


class KafkaServer(Server):
    """One broker on loopback that creates no topic by itself: plaintext, and SASL beside it (PLAIN,
    SCRAM-SHA-256, SCRAM-SHA-512). With `tls` also SASL over TLS, TLS, and TLS that asks for the
    client's certificate.
    """

    def __init__(
        self, *, tls: bool = False, settings: Mapping[str, str] | None = None, heap: str = "512m"
    ) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="relay-kafka-")))
        self._heap = heap
        self._authority = Authority(self.folder / "tls") if tls else None
        self._ports = {name: free_port() for name in self._listeners}
        self._format({**self._settings(), **self._tls_settings(), **(settings or {})})
        self.start()

    @property
    def brokers(self) -> str:
        return self._address("PLAIN")

    @property
    def sasl_brokers(self) -> str:
        return self._address("SASL")

    @property
    def sasl_tls_brokers(self) -> str:
        return self._address("SASL_TLS")

    @property
    def tls_brokers(self) -> str:
        return self._address("TLS")

    @property
    def mutual_tls_brokers(self) -> str:
        """Asks for the client's certificate, too."""
        return self._address("MUTUAL_TLS")

    @property
    def authority(self) -> Authority:
        """Who signed its certificate: `ca_file`, and `cert_file` and `key_file` for a client."""
        if self._authority is None:
            raise ServerFailed("this broker was made without TLS")
        return self._authority

    @property
    def _listeners(self) -> dict[str, str]:
        count = 3 if self._authority is None else len(_LISTENERS)
        return dict(list(_LISTENERS.items())[:count])

    def _address(self, listener: str) -> str:
        return f"127.0.0.1:{self._ports[listener]}"

    def start(self) -> None:
        """Also again after `stop` or `kill`: same ports, same data. Raises `ServerFailed`."""
        self.launch([*self._java(self._heap), "kafka.Kafka", str(self._properties)], self._answers)

    def _answers(self) -> bool:
        """Whether it names itself as a broker; its port is open before that."""
        try:
            with socket.create_connection(("127.0.0.1", self._ports["PLAIN"]), 2) as connection:
                connection.sendall(struct.pack(">i", len(_WHO_IS_THERE)) + _WHO_IS_THERE)
                with connection.makefile("rb") as answer:
                    head = answer.read(16)
        except OSError:
            return False
        # Length, correlation id, throttle time, number of brokers.
        return len(head) == 16 and int(struct.unpack(">iiii", head)[3]) > 0

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    @staticmethod
    def _java(heap: str) -> list[str]:
        return [
            java() or "java", f"-Xmx{heap}", "-XX:+UseSerialGC", "-Xshare:auto",
            "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp", f"{_JARS}/*",
        ]  # fmt: skip

    def _settings(self) -> dict[str, str]:
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        plain = (
            "org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'user_{USER}="{PASSWORD}";'
        )
        users = {
            f"listener.name.{listener.lower()}.{mechanism}.sasl.jaas.config": entry
            for listener, protocol in self._listeners.items()
            if protocol.startswith("SASL")
            for mechanism, entry in [
                ("plain", plain), ("scram-sha-256", scram), ("scram-sha-512", scram)
            ]
        }  # fmt: skip
        return users | {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{self._address('CONTROLLER')}",
            "listeners": ",".join(f"{each}://{self._address(each)}" for each in self._listeners),
            "listener.security.protocol.map": ",".join(
                f"{name}:{protocol}" for name, protocol in self._listeners.items()
            ),
            "inter.broker.listener.name": "PLAIN",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self.folder / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "group.initial.rebalance.delay.ms": "0",
            # One that was killed is missed, and may come back, soon.
            "broker.session.timeout.ms": "2000",
            "broker.heartbeat.interval.ms": "500",
            "log.cleaner.dedupe.buffer.size": "8388608",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
        }

    def _tls_settings(self) -> dict[str, str]:
        if self._authority is None:
            return {}
        return {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._authority.server_file),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._authority.ca_file),
            "listener.name.mutual_tls.ssl.client.auth": "required",
        }

    def _format(self, settings: Mapping[str, str]) -> None:
        self._properties.write_text("\n".join(f"{key}={text}" for key, text in settings.items()))
        users = [
            argument
            for bits in (256, 512)
            for argument in ("--add-scram", f"SCRAM-SHA-{bits}=[name={USER},password={PASSWORD}]")
        ]
        formatted = subprocess.run(
            [
                *self._java("128m"), "kafka.tools.StorageTool", "format",
                "-t", "4L6g3nShT-eMCtK--X86sw", "-c", str(self._properties), *users,
            ],
            check=False, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        if formatted.returncode != 0:
            self.remove()
            raise ServerFailed(f"its storage was not formatted:\n{formatted.stderr[-2000:]}")
