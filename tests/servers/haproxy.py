"""A real balancer of TCP connections in front of several relays, which asks each whether it is
ready: the place that a Kubernetes Service has."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.servers.process import Server, free_port

_CONFIG = """
global
    maxconn 2000
defaults
    mode tcp
    timeout connect 2s
    timeout client 60s
    timeout server 60s
frontend senders
    bind 127.0.0.1:{port}
    default_backend relays
backend relays
    balance roundrobin
    option redispatch 1
    retries 3
    option httpchk
    http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host 127.0.0.1
    default-server inter 200ms fall 1 rise 1 check
{servers}
"""


def program() -> str | None:
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")


def is_available() -> bool:
    return program() is not None


class HAProxy(Server):
    """Passes connections on, in turn, to those of `backends` (their public and operator's ports, on
    loopback) that are ready; looks five times a second."""

    def __init__(self, backends: Sequence[tuple[int, int]]) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="relay-haproxy-")))
        self.port = free_port()
        servers = "\n".join(
            f"    server relay{number} 127.0.0.1:{public} port {operator}"
            for number, (public, operator) in enumerate(backends)
        )
        self._config = self.folder / "haproxy.cfg"
        self._config.write_text(_CONFIG.format(port=self.port, servers=servers))
        self.start()

    def start(self) -> None:
        """Raises `ServerFailed`."""
        self.launch([program() or "haproxy", "-db", "-f", str(self._config)], self._answers)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
