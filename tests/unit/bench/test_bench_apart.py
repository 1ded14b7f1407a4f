"""What the benchmark of several processes adds up."""

from __future__ import annotations

import os
import subprocess
import sys

import orjson
import pytest

from tests.bench.corpus import Corpus
from tests.bench.fleet import Spent
from tests.bench.machine import EVERYWHERE, family_cpu_s, placed

_CHILD_THAT_COMPUTED = """
import subprocess, sys, time
subprocess.run([sys.executable, "-c", "import time\\nwhile time.process_time() < 0.3: pass"])
print("done", flush=True)
sys.stdin.read()
"""


def test_what_was_spent_is_told_by_kind_and_for_a_million() -> None:
    before, after = Spent(1.0, 2.0, 3.0, 4.0), Spent(1.5, 3.0, 3.0, 4.25)

    assert after.since(before) == Spent(0.5, 1.0, 0.0, 0.25)
    assert after.since(before).per_million(100_000) == Spent(5.0, 10.0, 0.0, 2.5)


@pytest.mark.needs("linux")
def test_a_child_that_ended_counts_with_its_parent() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD_THAT_COMPUTED],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        assert parent.stdout.readline() == "done\n"
        assert family_cpu_s(parent.pid) >= 0.3
        parent.communicate()


@pytest.mark.needs("linux")
def test_who_is_placed_on_a_core_is_there_until_the_block_ends() -> None:
    own = os.sched_getaffinity(0)
    core = min(EVERYWHERE)

    with placed({core}):
        assert os.sched_getaffinity(0) == {core}

    assert os.sched_getaffinity(0) == own


def test_messages_and_requests_never_hold_the_same_event() -> None:
    corpus = Corpus(1_790_000_000)
    messages = [orjson.loads(each)["event_id"] for each in corpus.messages(3)]
    event_id, request = corpus.single()
    (later,) = [orjson.loads(each)["event_id"] for each in corpus.messages(1)]

    assert orjson.loads(request.partition(b"\r\n\r\n")[2])["event_id"] == event_id
    assert len({*messages, event_id, later}) == 5
