"""What becomes of events: effects, repeats, and that memory is bounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.sandbox.state import MERGE_S, REPEAT_S, Batch, Effect, Memory, Received, Tally
from relay.sandbox.world import World

Make = Callable[..., dict[str, Any]]
Worlds = Callable[..., World]
Track = Callable[..., Mapping[str, Any]]

HOUR = 3600.0


@pytest.mark.parametrize("light", [False, True])
@pytest.mark.parametrize(
    ("after_s", "tally"),
    [
        (0.0, Tally(1, 1, 0)),
        (MERGE_S - 1, Tally(1, 1, 0)),
        (MERGE_S, Tally(1, 0, 1)),
        (REPEAT_S - 1, Tally(1, 0, 1)),
        (REPEAT_S, Tally(2, 0, 0)),
        (REPEAT_S + MERGE_S, Tally(2, 0, 0)),
        (10 * REPEAT_S, Tally(2, 0, 0)),
    ],
)
def test_a_repeat_is_merged_then_dropped_then_counted_again(
    light: bool, after_s: float, tally: Tally, a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world(light=light)

    track(world, a_request("a"))
    track(world, a_request("a"), at=after_s)

    assert world.received.totals == tally
    if not light:
        listed = [event.effect for event in world.received.events]
        assert tally == Tally(*(listed.count(effect) for effect in Effect))


def test_the_48_hours_run_from_the_first_and_not_from_the_last(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world()

    for hour in (0, 30, 47, 49, 90, 96, 98):
        track(world, a_request("a"), at=hour * HOUR)

    assert [event.effect for event in world.received.events] == [
        "effect", "dropped", "dropped", "effect", "dropped", "dropped", "effect",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        {"event_source_id": "C0OTHER"},
        {"data": [{"event": "AddToCart"}]},
        {"data": [{"event_id": "b"}]},
    ],
)
def test_pixel_name_and_id_together_make_an_event_unique(
    other: dict[str, Any], a_world: Worlds, a_request: Make, track: Track
) -> None:
    world, request = a_world(), a_request("a")
    track(world, request)
    if "data" in other:
        request["data"][0] |= other["data"][0]
    else:
        request |= other

    track(world, request)

    assert world.received.totals == Tally(effects=2)


def test_a_repeat_within_one_request_is_a_repeat(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world()

    track(world, a_request("a", "a", "b"))

    assert world.received.totals == Tally(2, 1)


def test_events_without_an_id_are_all_effects(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world, request = a_world(), a_request("a")
    del request["data"][0]["event_id"]

    track(world, request)
    track(world, request)

    assert world.received.totals == Tally(effects=2)


def test_test_events_are_listed_and_have_no_effect(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world()

    track(world, a_request("a") | {"test_event_code": "TEST1"})
    assert world.received.totals == Tally(tests=1)
    assert [event.effect for event in world.received.events] == ["test"]
    track(world, a_request("a"))

    assert world.received.totals == Tally(effects=1, tests=1)


def test_a_refused_request_leaves_no_trace_of_its_ids(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world, request = a_world(), a_request("a", "b")
    request["data"][1]["event_id"] = 5
    track(world, request)

    track(world, a_request("a"))

    assert world.received.totals == Tally(effects=1)


def test_only_the_last_events_and_requests_are_kept(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world(keep_events=3, keep_requests=2)

    for number in range(5):
        track(world, a_request(f"{number}a", f"{number}b"))

    received = world.received
    assert [event.event_id for event in received.events] == ["3b", "4a", "4b"]
    assert [request.number for request in received.requests] == [4, 5]
    assert received.totals.effects == received.event_count == 10
    assert received.request_count == 5


def test_light_mode_keeps_no_event_and_still_knows_which_ids_came(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world(light=True)

    track(world, a_request("a", "b"))

    assert not world.received.events
    asked = world.received.missing("C0PIXEL", "Purchase", ["a", "b", "c"], now=1_780_000_001.0)
    assert list(asked) == ["c"]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 60 * HOUR)), min_size=1, max_size=30)
)
def test_memory_says_what_a_list_of_all_sightings_would_say(
    sightings: list[tuple[str, float]],
) -> None:
    memory, firsts, now = Memory(), dict[str, float](), 0.0
    for key, pause in sightings:
        now += pause
        first = firsts.get(key)
        known = first is not None and now - first < REPEAT_S

        assert memory.knows(key, now) is known
        assert memory.ages([key], now) == [now - first if known and first is not None else None]
        if not known:
            firsts[key] = now


def test_memory_forgets_what_is_older_than_two_generations() -> None:
    memory = Memory()
    memory.ages([f"{n}" for n in range(1000)], 0.0)

    memory.ages(["x"], REPEAT_S)
    memory.ages(["y"], 2 * REPEAT_S)

    assert len(memory._young) + len(memory._old) == 2


def test_both_modes_count_alike() -> None:
    ids = ["a", "b", "a", "c", "b"]
    events = [{"event": "Purchase", "event_id": i} for i in ids] + [{"event": "Lead"}]
    batch = Batch("r", "web", "C0PIXEL", is_test=False, events=events)
    full = Received(keep_events=10, keep_requests=1, light=False)
    light = Received(keep_events=10, keep_requests=1, light=True)

    assert full.record(batch, now=0.0) == light.record(batch, now=0.0) == Tally(4, 2)
    assert full.effects == light.effects
