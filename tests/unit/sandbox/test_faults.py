"""When a fault fires, and what it makes of a call."""

from __future__ import annotations

import itertools
import random
import statistics
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from relay.sandbox.conditions import Seen
from relay.sandbox.faults import Decision, Faults
from relay.sandbox.plan import EventRule, FaultPlan, Latency
from relay.sandbox.profiles import PROFILES
from relay.sandbox.state import Tally
from relay.sandbox.world import Reply, World

SEEN = Seen("/open_api/v1.3/event/track/", "C0PIXEL")

Make = Callable[..., dict[str, Any]]
Worlds = Callable[..., World]
Send = Callable[..., Reply]
Track = Callable[..., Mapping[str, Any]]


def _no_roll() -> float:
    raise AssertionError("no chance was needed")


def _faults(*faults: dict[str, Any]) -> Faults:
    return Faults(FaultPlan.model_validate({"faults": faults}), now=0.0)


def _codes(faults: Faults, times: list[float], seen: Seen = SEEN) -> list[int]:
    return [faults.decide(seen, now=now, roll=_no_roll).code for now in times]


def test_without_faults_nothing_happens() -> None:
    assert _faults().decide(SEEN, now=0.0, roll=_no_roll) == Decision()


def test_a_fault_may_be_of_the_first_requests_only() -> None:
    faults = _faults({"kind": "code", "codes": [50000], "count": 3})

    assert _codes(faults, [0.0] * 5) == [50000, 50000, 50000, 0, 0]
    assert faults.fired == {"code": 3}


def test_a_fault_may_let_some_requests_pass_first() -> None:
    faults = _faults({"kind": "code", "codes": [50000], "skip": 2, "count": 1})

    assert _codes(faults, [0.0] * 5) == [0, 0, 50000, 0, 0]


def test_a_fault_may_have_a_window_of_time() -> None:
    faults = _faults({"kind": "code", "codes": [60001], "after_s": 10, "until_s": 70})

    assert _codes(faults, [0.0, 9.9, 10.0, 69.9, 70.0]) == [0, 0, 60001, 60001, 0]


def test_a_fault_may_be_of_one_pixel_only() -> None:
    faults = _faults({"kind": "code", "codes": [40105], "event_source_ids": ["C0BAD"]})

    assert _codes(faults, [0.0]) == [0]
    assert _codes(faults, [0.0], Seen(SEEN.path, "C0BAD")) == [40105]
    assert _codes(faults, [0.0], Seen(SEEN.path, None)) == [0]


def test_a_fault_may_be_of_some_paths_only() -> None:
    faults = _faults({"kind": "code", "codes": [50000], "path": "*/report/*"})

    assert _codes(faults, [0.0]) == [0]
    assert _codes(faults, [0.0], Seen("/open_api/v1.3/report/integrated/get/", None)) == [50000]


def test_requests_that_do_not_fit_are_not_counted() -> None:
    faults = _faults({"kind": "code", "codes": [50000], "event_source_ids": ["C0BAD"], "skip": 1})
    bad = Seen(SEEN.path, "C0BAD")

    assert _codes(faults, [0.0] * 3) == [0, 0, 0]
    assert _codes(faults, [0.0] * 2, bad) == [0, 50000]


def test_a_fault_with_a_probability_asks_chance() -> None:
    faults = _faults({"kind": "code", "codes": [50000], "probability": 0.25})
    rolls = iter([0.24, 0.25, 0.9, 0.0])

    codes = [faults.decide(SEEN, now=0.0, roll=rolls.__next__).code for _ in range(4)]

    assert codes == [50000, 0, 0, 50000]


def test_of_several_codes_chance_picks_one() -> None:
    faults = _faults({"kind": "code", "codes": [50000, 50002, 51010]})
    rolls = iter([0.0, 0.34, 0.99])

    codes = [faults.decide(SEEN, now=0.0, roll=rolls.__next__).code for _ in range(3)]

    assert codes == [50000, 50002, 51010]


def test_delays_add_up_and_the_first_ending_wins() -> None:
    faults = _faults(
        {"kind": "latency", "median_s": 1},
        {"kind": "code", "codes": [50000], "count": 1},
        {"kind": "http", "status": 503},
        {"kind": "latency", "median_s": 2},
        {"kind": "drip", "seconds_per_byte": 0.5},
    )

    first, second = (faults.decide(SEEN, now=0.0, roll=_no_roll) for _ in range(2))

    assert (first.delay_s, first.drip_s, first.code) == (3.0, 0.5, 50000)
    assert second.ending is not None
    assert second.ending.kind == "http"


def test_a_limit_refills_with_time_up_to_its_burst() -> None:
    faults = _faults({"kind": "limit", "per_second": 2, "burst": 3})

    def over(now: float) -> bool:
        return faults.decide(SEEN, now=now, roll=_no_roll).ending is not None

    assert [over(0.0) for _ in range(5)] == [False, False, False, True, True]
    assert [over(0.5), over(0.5)] == [False, True]
    assert [over(100.0) for _ in range(4)] == [False, False, False, True]
    assert faults.fired == {"limit": 4}


def test_latency_has_the_median_and_the_99th_percentile_it_is_given() -> None:
    latency = Latency(median_s=0.18, p99_s=0.9)
    chance = random.Random(1)

    draws = sorted(latency.draw(chance.random) for _ in range(20_000))

    assert latency.draw(lambda: 0.5) == pytest.approx(0.18)
    assert latency.draw(lambda: 0.99) == pytest.approx(0.9)
    assert statistics.median(draws) == pytest.approx(0.18, rel=0.05)
    assert draws[19_800] == pytest.approx(0.9, rel=0.1)


@given(st.floats(0, 1, exclude_max=True))
def test_latency_is_finite_whatever_chance_says(roll: float) -> None:
    assert 0 < Latency(median_s=0.18, p99_s=0.9).draw(lambda: roll) < 60


@pytest.mark.parametrize("p99", [None, 0.1])
def test_latency_may_be_constant(p99: float | None) -> None:
    assert Latency(median_s=0.1, p99_s=p99).draw(_no_roll if p99 is None else lambda: 0.9) == 0.1


EVENT = {
    "event": "Purchase",
    "event_id": "order-poison-1",
    "properties": {"value": 13, "contents": [{"content_id": "A"}]},
}


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        ({"event": "Purchase"}, True),
        ({"event": "Lead"}, False),
        ({"event": "Purch*"}, True),
        ({"event_id": "*poison*"}, True),
        ({"event_id": "poison"}, False),
        ({"field": "properties.value"}, True),
        ({"field": "properties.value", "equals": 13}, True),
        ({"field": "properties.value", "equals": 14}, False),
        ({"field": "properties.value", "equals": None}, False),
        ({"field": "properties.contents.0.content_id", "equals": "A"}, True),
        ({"field": "properties.contents.1.content_id"}, False),
        ({"field": "properties.value.deep"}, False),
        ({"field": "user.email"}, False),
        ({"share": 1.0}, True),
        ({"event": "Purchase", "event_id": "x"}, False),
    ],
)
def test_an_event_rule_holds_when_all_it_says_holds(rule: dict[str, Any], matches: bool) -> None:
    assert EventRule.model_validate(rule).matches(EVENT) is matches


def test_a_share_picks_about_that_many_and_always_the_same() -> None:
    rule = EventRule(share=0.1)
    ids = [f"order-{n}" for n in range(5000)]

    picked = [i for i in ids if rule.matches({"event_id": i})]

    assert 400 < len(picked) < 600
    assert picked == [i for i in ids if rule.matches({"event_id": i})]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "nonsense"},
        {"kind": "code"},
        {"kind": "code", "codes": []},
        {"kind": "code", "codes": [1], "probability": 0},
        {"kind": "code", "codes": [1], "probability": 1.1},
        {"kind": "code", "codes": [1], "count": 0},
        {"kind": "code", "codes": [1], "typo": 1},
        {"kind": "latency", "median_s": 1, "p99_s": 0.5},
        {"kind": "latency", "median_s": 0, "p99_s": 0.5},
        {"kind": "limit", "per_second": 0},
        {"kind": "poison", "rule": {}},
        {"kind": "poison", "rule": {"equals": 1}},
        {"kind": "reset", "before_body": True, "received": True},
        {"kind": "reset", "before_body": True, "event_source_ids": ["C0"]},
        {"kind": "http", "status": 100},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(fault: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FaultPlan.model_validate({"faults": [fault]})


def test_poison_refuses_the_batch_and_names_the_event(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world(faults=PROFILES["poison"].model_dump())

    bad = track(world, a_request("a", "b", "poison-1", "c"))
    assert (bad["code"], bad["message"]) == (40002, "Batch.2.event_id: Invalid value")
    assert world.received.totals == Tally()
    assert track(world, a_request("a", "b", "c"))["code"] == 0
    assert track(world, a_request("poison-1"))["code"] == 40002
    assert world.received.totals == Tally(effects=3)


def test_poison_may_leave_the_event_unnamed(a_world: Worlds, a_request: Make, track: Track) -> None:
    world = a_world(faults=PROFILES["poison_unnamed"].model_dump())

    message = track(world, a_request("a", "poison-1"))["message"]

    assert message == "Invalid value for event_id: invalid value."


def test_poison_may_have_a_code_a_field_and_a_window_of_its_own(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    rule = {"field": "properties.value", "equals": 13}
    fault = {"kind": "poison", "rule": rule, "code": 40000, "message": "Nope", "count": 1}
    world = a_world(faults={"faults": [fault]}, light=True)
    request = a_request("a", properties={"value": 13})

    assert track(world, a_request("a"))["code"] == 0
    bad = track(world, request)
    assert (bad["code"], bad["message"]) == (40000, "Batch.0.properties.value: Nope")
    assert track(world, request)["code"] == 0


def test_partial_lists_the_failed_and_counts_the_others(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world(faults=PROFILES["partial"].model_dump())

    answer = track(world, a_request("a", "partial-1", "b", "partial-2"))

    assert answer["code"] == 20001
    assert answer["data"] == {"failed_events": [{"order_in_batch": 1}, {"order_in_batch": 3}]}
    assert [event.event_id for event in world.received.events] == ["a", "b"]
    assert track(world, a_request("c"))["code"] == 0


def test_duplicated_answers_40050_to_what_brings_nothing_new(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world(faults={"faults": [{"kind": "duplicated"}]})

    assert track(world, a_request("a", "b"))["code"] == 0
    assert track(world, a_request("a", "b"))["code"] == 40050
    assert track(world, a_request("a", "c"))["code"] == 0
    assert track(world, a_request("a") | {"test_event_code": "T"})["code"] == 0
    assert world.received.totals == Tally(effects=3, merged=1, tests=1)


@pytest.mark.parametrize(
    ("profile", "code"), [("revoked", 40105), ("expired", 40102), ("forbidden", 40001)]
)
def test_a_profile_may_be_one_code(
    profile: str, code: int, a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world(faults=PROFILES[profile].model_dump())

    assert track(world, a_request("a"))["code"] == code
    assert world.received.totals == Tally()


def test_maintenance_lasts_a_minute(a_world: Worlds, a_request: Make, track: Track) -> None:
    world = a_world(faults=PROFILES["maintenance"].model_dump())

    assert track(world, a_request("a"), at=59.0)["code"] == 60001
    assert track(world, a_request("a"), at=60.0)["code"] == 0


def test_brownout_is_a_fifth_of_errors_and_a_twentieth_of_resets(
    a_request: Make, send: Send, a_world: Worlds
) -> None:
    chance = random.Random(7)
    world = a_world(
        *(chance.random() for _ in range(20_000)), faults=PROFILES["brownout"].model_dump()
    )

    replies = [send(world, a_request(f"{n}")) for n in range(4000)]

    resets = sum(reply.resets for reply in replies)
    codes = world.received.codes
    assert resets == pytest.approx(200, rel=0.25)
    assert codes["50000"] == pytest.approx(400, rel=0.2)
    assert codes["50002"] == pytest.approx(400, rel=0.2)
    # What got no good answer may have arrived all the same: all but the 50000 did.
    assert world.received.totals.effects == 4000 - codes["50000"]
    assert statistics.median(reply.delay_s for reply in replies) == pytest.approx(0.18, rel=0.1)


def test_limit_answers_40100_or_429_beyond_its_rate(
    a_request: Make, send: Send, track: Track, a_world: Worlds
) -> None:
    by_code = a_world(faults=PROFILES["limit"].model_dump())
    codes = [track(by_code, a_request(f"{n}"))["code"] for n in range(25)]
    assert codes == [0] * 20 + [40100] * 5

    by_http = a_world(faults=PROFILES["limit_http"].model_dump())
    replies = [send(by_http, a_request(f"{n}")) for n in range(21)]
    assert [reply.status for reply in replies] == [200] * 20 + [429]
    assert replies[-1].headers == {"Retry-After": "2"}
    assert by_http.received.totals.effects == 20
    assert send(by_http, a_request("x"), at=1.0).status == 200


def test_http_faults_have_no_envelope(a_request: Make, send: Send, a_world: Worlds) -> None:
    def reply(profile: str) -> Reply:
        return send(a_world(faults=PROFILES[profile].model_dump()), a_request("a"))

    for profile, status in (("html502", 502), ("unreadable", 200), ("outage", 502)):
        bad = reply(profile)
        assert (bad.status, bad.content_type) == (status, "text/html")
        assert bad.body.startswith(b"<html>")
    assert reply("outage_503").headers == {"Retry-After": "5"}


@pytest.mark.parametrize(("body", "size"), [("empty", 0), ("truncated", 40)])
def test_an_answer_may_be_empty_or_cut(
    body: str, size: int, a_request: Make, send: Send, a_world: Worlds
) -> None:
    fault = {"kind": "http", "status": 200, "body": body, "received": True}
    world = a_world(faults={"faults": [fault]})

    reply = send(world, a_request("a"))

    assert len(reply.body) == pytest.approx(size, abs=10)
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(reply.body)
    assert world.received.totals == Tally(effects=1)


def test_a_hang_is_a_long_wait_and_then_a_reset(
    a_request: Make, send: Send, a_world: Worlds
) -> None:
    reply = send(a_world(faults=PROFILES["hang"].model_dump()), a_request("a"))

    assert reply.resets
    assert reply.delay_s == 3600


def test_a_lost_answer_loses_good_news_only(
    a_request: Make, send: Send, track: Track, a_world: Worlds
) -> None:
    world = a_world(faults={"faults": [{"kind": "reset", "received": True}]})

    assert send(world, a_request("a")).resets
    assert track(world, a_request("b"), token=None)["code"] == 40104
    assert world.received.totals == Tally(effects=1)
    assert [request.status for request in world.received.requests] == [None, 200]


def test_a_partial_answer_can_be_lost_too(a_request: Make, send: Send, a_world: Worlds) -> None:
    partial = {"kind": "partial", "rule": {"event_id": "b"}}
    world = a_world(faults={"faults": [partial, {"kind": "reset", "received": True}]})

    assert send(world, a_request("a", "b")).resets
    assert world.received.totals == Tally(effects=1)


def test_outage_by_reset_comes_before_the_body() -> None:
    faults = Faults(PROFILES["outage_reset"], now=0.0)

    assert faults.before_body(SEEN.path, now=59.0, roll=_no_roll)
    assert not faults.before_body(SEEN.path, now=60.0, roll=_no_roll)
    assert faults.decide(SEEN, now=1.0, roll=_no_roll) == Decision()


@pytest.mark.parametrize("name", list(PROFILES))
def test_every_profile_ends_each_call_in_some_way(
    name: str, a_request: Make, send: Send, a_world: Worlds
) -> None:
    rolls = itertools.islice(itertools.cycle([0.01, 0.5, 0.99]), 300)
    world = a_world(*rolls, faults=PROFILES[name].model_dump())

    for number in range(30):
        reply = send(world, a_request(f"{number}", "poison", "partial"), at=float(number))
        assert reply.resets or reply.status == 200 or reply.status >= 400

    assert world.received.request_count == 30
    assert sum(world.received.statuses.values()) == 30
