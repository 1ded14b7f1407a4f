"""Ends a server whose starter is gone, and removes its folder.

It runs beside each server and reads the server's process id, anew after each start, from a pipe
that only the starter holds: when the pipe ends, however that came, nobody is left who would tidy
up. (Linux can kill a child with its parent, but means the parent's *thread*: a server restarted
from a worker thread would die with that.)
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path


def family(pid: int) -> list[int]:
    """A process and all below it, the eldest first: PostgreSQL's are in no common group."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    found = [pid]
    for each in found:  # grows meanwhile
        found += children.get(each, [])
    return found


def send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def stop_family(pid: int, within: float) -> list[int]:
    """Stop it and all below it, the eldest first: what has stopped starts no more, so nobody is
    missed. Answers who still runs after `within` seconds.

    A signal stops a process later than it is sent: one of its threads has to get the processor to
    see it, and until then the others go on working.
    """
    until = time.monotonic() + within
    stopped: set[int] = set()
    while fresh := [each for each in family(pid) if each not in stopped]:
        send(fresh[:1], signal.SIGSTOP)
        while not has_stopped(fresh[0]):
            if time.monotonic() > until:
                return fresh
            time.sleep(0.002)
        stopped.add(fresh[0])
    return []


def has_stopped(pid: int) -> bool:
    """Whether not one of its threads does anything any more. Where nobody tells, it has."""
    threads = _threads(pid)
    return all(_state(each) in "TtZX" for each in threads) and threads == _threads(pid)


def _threads(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:  # it ended, or this is no Linux
        return []


def _state(thread: Path) -> str:
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # it ended while we looked
        return "X"


def kill_family(pid: int) -> list[int]:
    """End it and all below it at once; answers who they were."""
    stop_family(pid, 1)
    members = family(pid)
    send(members, signal.SIGKILL)
    return members


def _parents() -> list[tuple[int, int]]:
    """Every process with its parent."""
    if not Path("/proc/self/stat").exists():
        listing = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
        ).stdout
        return [(int(pid), int(ppid)) for pid, ppid in map(str.split, listing.splitlines())]
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended while we looked
            found.append(
                (int(stat.parent.name), int(stat.read_text().rpartition(")")[2].split()[1]))
            )
    return found


def watch(folder: Path) -> None:
    """Read process ids, 0 for none, until nobody can write any more."""
    pid = 0
    for line in sys.stdin:
        pid = int(line)
    if pid:
        kill_family(pid)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
