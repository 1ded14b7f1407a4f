"""Stopping and being stopped: nothing acknowledged is lost, nothing has a second effect."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from relay.sandbox.http import Running

SEED = 20_261_123


async def keep_sending(sender: Any, stop: asyncio.Event, name: str, size: int) -> None:
    """Requests of `size` events, one after the other, until told to stop; failures are retried
    with new events, as a sender that never saw an answer may."""
    number = 0
    while not stop.is_set():
        events = [sender.make(f"{name}-{number}-{place}") for place in range(size)]
        status = await sender.send(*events)
        number += 1
        if status is None:
            await asyncio.sleep(0.01)


async def test_a_backlog_survives_a_restart(sandbox: Running, sender: Any) -> None:
    sender.misbehave({"kind": "http", "status": 503})
    await sender.send(*(sender.make(f"order-{n}") for n in range(500)))

    assert await sender.relay.terminate() == 0
    sender.misbehave()
    await sender.relay.up()
    await sender.relay.until_settled()

    assert sender.lacking() == []
    assert len(sender.acknowledged) == 500


async def test_sigterm_under_load_loses_nothing_and_sends_nothing_twice(
    sandbox: Running, sender: Any
) -> None:
    sender.misbehave({"kind": "latency", "median_s": 0.05})
    for cycle in range(3):
        stop = asyncio.Event()
        loads = [
            asyncio.create_task(keep_sending(sender, stop, f"c{cycle}-w{worker}", size))
            for worker, size in enumerate((1, 1, 20, 20))
        ]
        await asyncio.sleep(1.0)  # load, not waiting for something
        code = await sender.relay.terminate()
        stop.set()
        await asyncio.gather(*loads)
        assert code == 0
        await sender.relay.up()
    await sender.relay.until_settled()

    assert sender.lacking() == []
    assert sandbox.world.received.totals.repeats == 0


async def test_a_second_signal_cuts(sandbox: Running, sender: Any) -> None:
    sender.misbehave({"kind": "hang"})
    await sender.send(sender.make("order-1"))
    await sender.until(lambda: sandbox.world.open_calls > 0, what="the request to be under way")

    began = time.monotonic()
    sender.relay.signal(signal.SIGTERM)
    await sender.until(lambda: "service.draining" in sender.relay.log, what="it to drain")
    sender.relay.signal(signal.SIGTERM)
    await sender.relay.ended()

    assert time.monotonic() - began < 2  # the deadline for draining is 10 s, the answer's 2 s


@pytest.mark.parametrize(
    ("fault", "cycles"),
    [("none", 30), ("brownout", 5), pytest.param("none", 1000, marks=pytest.mark.soak)],
)
async def test_kill_9_at_random_moments_loses_nothing(
    fault: str, cycles: int, sandbox: Running, sender: Any
) -> None:
    """`kill -9` while events come in and go out. A sender counts each 2xx as a promise."""
    chance = random.Random(SEED)
    if fault == "brownout":
        sender.misbehave(
            {"kind": "latency", "median_s": 0.02},
            {"kind": "code", "codes": [50002], "probability": 0.1, "received": True},
            {"kind": "reset", "probability": 0.05, "received": True},
        )
    for cycle in range(cycles):
        stop = asyncio.Event()
        loads = [
            asyncio.create_task(keep_sending(sender, stop, f"k{cycle}-w{worker}", size))
            for worker, size in enumerate((1, 1, 1, 25))
        ]
        await asyncio.sleep(chance.uniform(0.05, 0.6))  # the random moment
        sender.relay.kill()
        stop.set()
        await asyncio.gather(*loads)
        await sender.relay.up()
    sender.misbehave()
    await sender.relay.until_settled(60)
    received = sandbox.world.received
    repeated = [request for request in received.requests if request.tally.repeats]

    assert len(sender.acknowledged) > cycles * 10
    assert sender.lacking() == []
    if fault == "none":
        assert len(repeated) <= cycles * 4, "more than the batches in flight were sent again"
    assert (await sender.relay.metrics())["relay_conservation_gap"] == 0
    # Every effect is of one accepted event: TikTok counted none twice.
    stats = await sender.relay.api("/api/journal/stats")
    settled = sum(each["settled"] for each in stats["destinations"])
    assert received.totals.effects == settled


async def test_a_second_relay_on_the_folder_is_told_so(
    relay: Any, make_relay: Callable[..., Any]
) -> None:
    second = make_relay()
    second.write_config()
    text = second.config.read_text().replace(
        str(second.folder / "journal"), str(relay.folder / "journal")
    )
    second.start(config_text=text)

    code = await second.ended()

    assert code == 1
    assert "another relay has the journal folder" in second.log
    assert "Traceback" not in second.log
