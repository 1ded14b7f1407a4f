"""Each way in which TikTok can misbehave, against the real process: nothing is lost by it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from relay.sandbox.http import Running


def effects(sandbox: Running) -> int:
    return sandbox.world.received.totals.effects


def ids(prefix: str, count: int) -> list[str]:
    return [f"{prefix}-{number}" for number in range(count)]


PASSING_FAULTS: dict[str, list[dict[str, Any]]] = {
    "slow answers": [{"kind": "latency", "median_s": 0.1, "p99_s": 0.4}],
    "not done 50000": [{"kind": "code", "codes": [50000], "count": 2}],
    "perhaps done 50002": [{"kind": "code", "codes": [50002], "received": True, "count": 2}],
    "throttled by code 40100": [{"kind": "code", "codes": [40100], "count": 2}],
    "throttled by HTTP 429": [{"kind": "http", "status": 429, "retry_after_s": 1, "count": 1}],
    "HTTP 502 with a page": [{"kind": "http", "status": 502, "count": 2}],
    "HTTP 503 with Retry-After": [{"kind": "http", "status": 503, "retry_after_s": 1, "count": 1}],
    "HTTP 200 with a page": [{"kind": "http", "status": 200, "received": True, "count": 2}],
    "reset before reading": [{"kind": "reset", "before_body": True, "count": 2}],
    "reset after reading": [{"kind": "reset", "received": True, "count": 2}],
    "no answer": [{"kind": "hang", "received": True, "count": 1}],
    "slow drip": [{"kind": "drip", "seconds_per_byte": 0.2, "count": 1}],
    "throttled above a rate": [{"kind": "limit", "per_second": 1, "until_s": 4}],
    "an outage of two seconds": [{"kind": "reset", "before_body": True, "until_s": 2}],
    "a code nobody knows": [{"kind": "code", "codes": [59999], "count": 1}],
}


@pytest.mark.parametrize("fault", PASSING_FAULTS)
async def test_everything_arrives_once_when_the_fault_passes(
    fault: str, sandbox: Running, sender: Any
) -> None:
    sender.misbehave(*PASSING_FAULTS[fault])
    sent = ids("order", 40)

    await asyncio.gather(*(sender.send(sender.make(event_id)) for event_id in sent))
    await sender.relay.until_settled(60)

    assert sender.lacking(sent) == []
    assert effects(sandbox) == len(sent)
    assert (await sender.relay.metrics())["relay_conservation_gap"] == 0


@pytest.mark.parametrize(("names_index", "most"), [(False, 21), (True, 3)])
async def test_one_bad_event_among_a_thousand_costs_one_event(
    *,
    names_index: bool,
    most: int,
    sandbox: Running,
    make_relay: Callable[..., Any],
    make_sender: Any,
) -> None:
    relay = make_relay()
    await relay.up()
    sender = make_sender(relay)
    sender.misbehave(
        {"kind": "poison", "rule": {"event_id": "*poison*"}, "names_index": names_index},
    )
    good = ids("order", 999)

    events = [sender.make(event_id) for event_id in good]
    events.insert(417, sender.make("poison"))
    await sender.send(*events)
    await relay.until_settled()

    assert sandbox.world.received.request_count <= most
    assert sender.lacking([*good, "poison"]) == ["poison"]
    await relay.until_outcomes({"delivered": 999, "rejected": 1})


async def test_a_partial_success_settles_the_others_and_rejects_just_those(
    sandbox: Running, sender: Any
) -> None:
    sender.misbehave({"kind": "partial", "rule": {"event_id": "*partial*"}})

    await sender.send(*(sender.make(name) for name in ["a", "b-partial", "c", "d-partial"]))
    await sender.relay.until_settled()

    assert sender.lacking(["a", "b-partial", "c", "d-partial"]) == ["b-partial", "d-partial"]
    await sender.relay.until_outcomes({"delivered": 2, "rejected": 2})


async def test_a_dead_token_costs_two_requests_and_nothing_else(
    sandbox: Running, sender: Any
) -> None:
    sender.misbehave({"kind": "code", "codes": [40105]})
    sent = ids("order", 300)
    for start in range(0, 300, 50):
        await sender.send(*(sender.make(event_id) for event_id in sent[start : start + 50]))
    paused = 'relay_lane_state{destination="web",state="paused_credential"}'
    await sender.until(lambda: sender.sample(paused, 1), what="the lane to pause")
    requests = sandbox.world.received.request_count

    assert requests <= 2

    sender.misbehave()
    renewed = sender.relay.folder / "token"
    renewed.write_text("a-renewed-token")
    began = time.monotonic()
    await sender.relay.until_settled()

    assert time.monotonic() - began < 5
    assert sender.lacking(sent) == []


async def test_live_events_do_not_queue_behind_a_backlog(
    sandbox: Running, make_relay: Callable[..., Any], make_sender: Any
) -> None:
    relay = make_relay(rate=10)
    await relay.up()
    sender = make_sender(relay)
    sender.misbehave({"kind": "http", "status": 503})
    for start in range(0, 60_000, 2000):
        await sender.send(*(sender.make(f"old-{n}") for n in range(start, start + 2000)))
    sender.misbehave({"kind": "latency", "median_s": 0.05})
    await sender.until(lambda: effects(sandbox) > 0, what="the backlog to begin draining")

    lags: list[float] = []
    for number in range(60):
        event_id = f"live-{number}"
        sent_at = time.monotonic()
        await sender.send(sender.make(event_id))
        lags.append(await sender.seconds_until_seen(event_id, sent_at))
        if await relay.waiting() == 0:
            break

    late = sorted(lags)[int(len(lags) * 0.95) - 1]
    assert late < 10, f"95 % of {len(lags)} live events within {late:.1f} s"
    await relay.until_settled(60)
    assert effects(sandbox) == 60_000 + len(lags)


async def test_a_destination_that_hangs_does_not_slow_another(
    sandbox: Running, make_relay: Callable[..., Any], make_sender: Any
) -> None:
    second = (
        '[[destinations]]\nname = "other"\nevent_source = "web"\nevent_source_id = "OTHERPIXEL"\n'
        'access_token = "env:OTHER_TOKEN"\npage_url = "https://other.example/"\nlinger = "50ms"\n'
        '[[sources]]\nname = "second"\nkind = "canonical"\ndestination = "other"\n'
        'keys = ["env:OTHER_KEY"]\n'
    )
    environ = {"OTHER_TOKEN": "other-token", "OTHER_KEY": "other-key"}
    relay = make_relay(more=second, environ=environ)
    await relay.up()
    sender = make_sender(relay)
    sender.misbehave({"kind": "hang", "event_source_ids": ["C0PIXELCODE0EXAMPLE0"]})

    await sender.send(*(sender.make(f"stuck-{n}") for n in range(2000)))
    began = time.monotonic()
    for number in range(20):
        await sender.send(sender.make(f"free-{number}"), key="other-key")
    await sender.until(lambda: effects(sandbox) == 20, what="the free events")

    assert time.monotonic() - began < 5
