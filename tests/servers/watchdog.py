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

#: A thread that does not get its turn may take so long to halt, in seconds.
_STOPPED_WITHIN_S = 5.0
#: States of threads that do nothing: stopped, traced, a zombie, dead.
_HALTED = "TtZX"


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


def stop(pids: list[int]) -> None:
    """Halt processes; when it returns, none of their threads runs any more. The signal goes to one
    thread, which halts the others once it gets its turn: until then they go on as before."""
    send(pids, signal.SIGSTOP)
    until = time.monotonic() + _STOPPED_WITHIN_S
    while any(map(_runs, pids)) and time.monotonic() < until:
        time.sleep(0.001)


def _runs(pid: int) -> bool:
    """Has it a thread that is neither stopped nor gone?"""
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(OSError):  # it ended while we looked
            if stat.read_text().rpartition(")")[2].split()[0] not in _HALTED:
                return True
    return False


def kill_family(pid: int) -> list[int]:
    """End it and all below it at once; answers who they were. What is stopped starts no more."""
    stop([pid])
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
