"""The order "sync returned, then 2xx sent", seen in the system calls of the real process.

`kill -9` leaves the page cache intact, so it cannot show that a 2xx waits for the disk; the calls
can. Faults are injected into the same calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.needs("strace")

SYNC = re.compile(r"\b(fsync|fdatasync)\((\d+)\)\s*=\s*0|<\.\.\. (fsync|fdatasync) resumed>.*=\s*0")
ANSWER = re.compile(r"(?:sendto|write|writev|sendmsg)\(\d+, .*HTTP/1\.1 202")


def traced(folder: Path, *options: str) -> tuple[str, ...]:
    """Run under strace, all threads, with what was written shown in full enough."""
    return (
        "strace", "-f", "-qq", "-s", "64", "-o", str(folder / "calls"),
        "-e", "trace=fsync,fdatasync,sendto,write,writev,sendmsg", *options,
    )  # fmt: skip


async def test_the_2xx_is_written_after_the_sync_has_returned(
    make_relay: Callable[..., Any], make_sender: Any, tmp_path: Path
) -> None:
    relay = make_relay(wrapper=traced(tmp_path))
    relay.start()
    await relay.ready(60)
    sender = make_sender(relay)
    for number in range(20):
        await sender.send(sender.make(f"order-{number}"))
    relay.kill()

    lines = (tmp_path / "calls").read_text(errors="replace").splitlines()
    synced = 0
    answers = 0
    for line in lines:
        if SYNC.search(line):
            synced += 1
        elif ANSWER.search(line):
            answers += 1
            assert synced > 0, "a 2xx left before any sync since the last one"
            synced = 0  # requests come one after the other: each needs a sync of its own

    assert answers == 20


async def test_a_sync_that_fails_gives_503_and_no_receipt(
    make_relay: Callable[..., Any], make_sender: Any, tmp_path: Path
) -> None:
    """A thread's 40th to 42nd sync fail with an input/output error; then the disk works again."""
    inject = "inject=fsync,fdatasync:error=EIO:when=40..42"
    relay = make_relay(wrapper=traced(tmp_path, "-e", inject))
    relay.start()
    await relay.ready(60)
    sender = make_sender(relay)
    statuses: list[int | None] = []

    async def recovered() -> bool:
        statuses.append(await sender.send(sender.make(f"order-{len(statuses)}")))
        return 503 in statuses and statuses[-3:] == [202, 202, 202]

    await sender.until(recovered, 60, what="a failure and the recovery from it")

    assert set(statuses) == {202, 503}
    assert sender.retry_after >= 1
    await relay.until_settled(60)
    assert sender.lacking() == []
