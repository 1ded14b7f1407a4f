"""Nothing a test starts outlives the tests, however they end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.servers.postgres import PostgresServer
from tests.servers.process import ServerFailed

ROOT = Path(__file__).parents[2]

STARTS_ONE_AND_HANGS = """
import signal
from tests.servers.postgres import PostgresServer
server = PostgresServer(durable=False)
print(server.pid, server.folder, flush=True)
signal.pause()
"""


def ended_within(pid: int, seconds: float) -> bool:
    """Waits for a process that is nobody's child here."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            return bool(select.select([descriptor], [], [], seconds)[0])
        finally:
            os.close(descriptor)
    return True


def gone_within(folder: Path, seconds: float) -> bool:
    """Its removal comes just after the process's end, and nothing tells of it: so it is asked."""
    until = time.monotonic() + seconds
    while folder.exists() and time.monotonic() < until:
        time.sleep(0.02)
    return not folder.exists()


@pytest.mark.needs("postgres", "linux")
def test_a_server_ends_with_its_starter_even_when_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_ONE_AND_HANGS], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        pid, folder = starter.stdout.readline().split()
        starter.send_signal(signal.SIGKILL)

    assert ended_within(int(pid), 20)
    assert gone_within(Path(folder), 20)


@pytest.mark.needs("postgres")
def test_a_server_that_does_not_start_says_why(own_postgres: PostgresServer) -> None:
    own_postgres.stop()
    (own_postgres.folder / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")

    with pytest.raises(ServerFailed, match="no_such_setting"):
        own_postgres.start()
