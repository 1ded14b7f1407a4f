"""A server that a test starts: it ends with the test, whatever happens to the test."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.servers import watchdog

#: Below the ports that systems give to outgoing connections: a server that is down for a moment
#: must find its port free again, and a client that tries it must not meet itself there.
_PORTS = range(16_000, 32_000)

_START_WITHIN_S = 90
_STOP_WITHIN_S = 30


class ServerFailed(Exception):
    """It did not start; the message holds the end of its log."""


def free_port() -> int:
    """A port nobody listens on at this moment. Raises `ServerFailed`."""
    for port in random.sample(_PORTS, 200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) and _can_bind(port):
                return port
    raise ServerFailed("no free port")


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class Server:
    """One process, with its log in a file. `folder` is its own: it is removed with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False
        self._watchdog = subprocess.Popen(
            [sys.executable, "-I", watchdog.__file__, str(folder)],
            stdin=subprocess.PIPE, start_new_session=True, text=True,
        )  # fmt: skip

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def start(self) -> None:
        raise NotImplementedError

    def restart(self) -> None:
        """In order; the same ports, the same data."""
        self.stop()
        self.start()

    def launch(
        self,
        command: Sequence[str],
        answers: Callable[[], bool],
        *,
        environ: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        """Start it and wait until it answers. Raises `ServerFailed`."""
        assert not self.is_running, "it runs already"
        options: dict[str, Any] = {} if user is None else {"user": user, "extra_groups": []}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                env={**os.environ, **(environ or {})}, start_new_session=True, **options,
            )  # fmt: skip
        self._tell_watchdog(self._process.pid)
        until = time.monotonic() + _START_WITHIN_S
        while not answers():
            if self._process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise ServerFailed(f"{command[0]} did not start:\n{self.tail()}")
            time.sleep(0.05)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it in order, and wait; by force when it takes too long. Nothing when it is down."""
        if self._process is None:
            return
        self.resume()
        self._process.send_signal(number)
        try:
            self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._forget()

    def kill(self) -> None:
        """End it and its children at once, as a power cut would. Nothing when it is down."""
        if self._process is None:
            return
        members = watchdog.kill_family(self._process.pid)
        self._process.wait()
        until = time.monotonic() + _STOP_WITHIN_S
        while any(map(_holds_anything, members)) and time.monotonic() < until:
            time.sleep(0.005)
        self._forget()

    def _forget(self) -> None:
        self._process = None
        self._paused = False
        self._tell_watchdog(0)

    def pause(self) -> None:
        """It hangs: connections stay open, and from now on nothing answers. Raises `ServerFailed`
        when some of it cannot be stopped.
        """
        self._paused = True
        running = watchdog.stop_family(self.pid, _STOP_WITHIN_S)
        if running:
            self.resume()
            raise ServerFailed(f"told to stop, but still running: processes {running}")

    def resume(self) -> None:
        """Goes on after `pause`; nothing when it was not paused."""
        if self._paused:
            watchdog.send(watchdog.family(self.pid), signal.SIGCONT)
            self._paused = False

    def remove(self) -> None:
        """End it and remove its data. Nothing when that was done."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._watchdog.stdin is not None and not self._watchdog.stdin.closed:
            self._watchdog.stdin.close()
        self._watchdog.wait()

    def _tell_watchdog(self, pid: int) -> None:
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.write(f"{pid}\n")
        self._watchdog.stdin.flush()


def _holds_anything(pid: int) -> bool:
    """Whether a killed process still has files and memory; one that is only unreaped has not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
