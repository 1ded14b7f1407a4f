"""A server that is told to hang does nothing any more, whatever it was doing."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.process import Server

THREADS = 20
COUNTS = f"""
import os, sys, threading

def count(name):
    with open(name, "wb", buffering=0) as file:
        while True:
            file.write(b".")

who = "child" if os.fork() == 0 else "parent"
for number in range({THREADS}):
    threading.Thread(target=count, args=[f"counted-{{who}}-{{number}}"]).start()
"""


class Counter(Server):
    """Two processes of many threads, each of which makes a file of its own longer."""

    def start(self) -> None:
        (self.folder / "count.py").write_text(COUNTS)
        self.launch([sys.executable, "count.py"], lambda: len(self.counts()) == 2 * THREADS)

    def counts(self) -> dict[str, int]:
        return {each.name: each.stat().st_size for each in self.folder.glob("counted-*")}


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    server = Counter(tmp_path)
    server.start()
    yield server
    server.remove()


@pytest.mark.needs("linux")
def test_no_thread_of_it_works_any_more_once_it_is_paused(counter: Counter) -> None:
    for _ in range(10):
        counter.pause()
        at_once = counter.counts()
        time.sleep(0.05)
        assert counter.counts() == at_once

        counter.resume()
        until = time.monotonic() + 20
        while counter.counts() == at_once and time.monotonic() < until:
            time.sleep(0.005)
        assert counter.counts() != at_once
