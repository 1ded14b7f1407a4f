"""Processes on a core of their own, and what the kernel says of them and of the cores. Linux."""

from __future__ import annotations

import asyncio
import os
import platform
import socket
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple

from tests.servers import watchdog

_ROOT = Path(__file__).resolve().parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")
_NOTHING: Mapping[str, str] = {}

#: Every core this process may use, as it was started.
EVERYWHERE: Final = frozenset(os.sched_getaffinity(0)) if sys.platform == "linux" else frozenset()


class Cores(NamedTuple):
    """The relay's (or the bare handler's) core, and the one of sender and sandbox."""

    measured: int
    beside: int


def cores() -> Cores:
    """The first two cores this process may use; the same twice where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[0], allowed[1 % len(allowed)])


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def placed(on: Collection[int]) -> Iterator[None]:
    """Whoever is started within the block runs on these cores, from its first moment."""
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, on)
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


class Child:
    """A Python process; what it prints goes to a file."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @classmethod
    async def start(
        cls,
        arguments: Sequence[str],
        *,
        core: int | None,
        log: Path,
        env: Mapping[str, str] = _NOTHING,
    ) -> Child:
        """Start it on one core, or (None) on all."""
        with placed(EVERYWHERE if core is None else {core}), log.open("ab") as printed:
            process = await asyncio.create_subprocess_exec(
                sys.executable, *arguments, cwd=_ROOT, env={**os.environ, **env},
                stdin=asyncio.subprocess.DEVNULL, stdout=printed, stderr=printed,
            )  # fmt: skip
        return cls(process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def until_answers(self, port: int, path: str) -> None:
        """Wait until it answers, and not with 503; stop it and raise RuntimeError if it never does.

        The error shows what it printed last.
        """
        give_up_at = perf_counter() + 120
        while not 0 < await _status(port, path) < 500:
            if self._process.returncode is not None or perf_counter() > give_up_at:
                await self.stop()
                tail = self._log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self._log.stem} does not answer {path}:\n{tail}")
            await asyncio.sleep(0.004)

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL when it does not leave."""
        if self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(60):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def ended(self, *, within_s: float) -> None:
        """Wait until it ends by itself. Raises RuntimeError, with what it printed last, when it
        fails or takes longer."""
        try:
            async with asyncio.timeout(within_s):
                code = await self._process.wait()
        except TimeoutError:
            code = None
        if code != 0:
            await self.stop()
            tail = self._log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{self._log.stem} ended with {code}:\n{tail}")

    def cpu_s(self) -> float:
        """CPU seconds it has used, user and system, all its threads."""
        user, system, *_ = _ticks(self._process.pid)
        return (user + system) / _TICKS

    def memory_bytes(self) -> tuple[int, int]:
        """Resident memory now, and the most it ever was."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        found = dict(line.split(":", 1) for line in status.splitlines())
        now, peak = (int(found[key].split()[0]) * 1024 for key in ("VmRSS", "VmHWM"))
        return now, peak

    async def until_quiet(self, *, deadline_s: float = 5.0) -> None:
        """Wait until it does next to nothing, so that it does not disturb what is measured next."""
        give_up_at = perf_counter() + deadline_s
        before = -1.0
        while self.cpu_s() - before > 0.01 and perf_counter() < give_up_at:
            before = self.cpu_s()
            await asyncio.sleep(0.2)


def _ticks(pid: int) -> list[int]:
    """A process's own time (user, system), and that of its children that ended (the same two)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [int(each) for each in fields[11:15]]


def family_cpu_s(pid: int) -> float:
    """CPU seconds of a process and all below it, those that ended as well."""
    ticks = 0
    for each in watchdog.family(pid):
        with suppress(OSError):  # it ended while we looked, and counts with its parent
            ticks += sum(_ticks(each))
    return ticks / _TICKS


async def _status(port: int, path: str) -> int:
    """The status of a GET; 0 when nothing listens."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        line = await reader.readline()
        writer.close()
        return int(line.split()[1])
    except (OSError, IndexError):
        return 0


def busy_s(core: int) -> float:
    """How long a core was busy since the machine started, for whomever."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _wait, irq, softirq, steal = map(int, ticks[:8])
            return (user + nice + system + irq + softirq + steal) / _TICKS
    raise RuntimeError(f"the kernel says nothing of core {core}")


def filesystem(folder: Path) -> str:
    """The kind of file system that holds `folder`: `ext4`, `tmpfs`, …"""
    mounts = [line.split()[1:3] for line in Path("/proc/self/mounts").read_text().splitlines()]
    holding = [(len(at), kind) for at, kind in mounts if folder.resolve().is_relative_to(at)]
    return max(holding, default=(0, "unknown"))[1]


def description(folder: Path) -> dict[str, str]:
    """The machine, for whoever reads the figures later."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "filesystem": filesystem(folder),
    }
