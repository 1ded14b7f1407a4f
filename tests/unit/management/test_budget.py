"""The budget of one token: fast enough, never too fast, quiet when it is told to be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.management.budget import Budget, Budgets, Limits
from relay.management.codes import meaning_of
from relay.management.endpoints import Rate
from relay.management.envelope import Failure
from relay.management.errors import About
from relay.management.http.slots import Slots
from relay.management.window import Window


def throttle(message: str | None = None, code: int = 40100, wait_s: float | None = None) -> Failure:
    return Failure(meaning_of(code), About(), message, wait_s)


def most_within(moments: list[float], seconds: float) -> int:
    return max(
        sum(start <= other < start + seconds for other in moments[index : index + 1000])
        for index, start in enumerate(moments)
    )


def counted(answers: Callable[[float], float], calls: int) -> list[float]:
    """When a server counts so many calls that are made as soon as the budget lets them go, if it
    answers a call that was sent at some moment at `answers(moment)`, and counts it just then."""
    budget, now, moments = Budget(Limits()), 0.0, list[float]()
    under_way, waiting = list[tuple[float, float]](), list[float]()
    while len(moments) < calls:
        while len(waiting) + len(under_way) < Limits().in_flight:
            waiting.append(budget.reserve(now))
        for ended, sent in [each for each in sorted(under_way) if each[0] <= now]:
            budget.ended(sent, ended)
            under_way.remove((ended, sent))
        while waiting and waiting[0] <= now and budget.has_room(now):
            waiting.pop(0)
            budget.sent(now)
            moments.append(answers(now))
            under_way.append((moments[-1], now))
        now += 0.005
    return sorted(moments)


def test_the_budget_is_used_and_not_exceeded() -> None:
    moments = counted(lambda sent: sent + 0.03, 1000)

    assert most_within(moments, 1.0) <= 10
    assert most_within(moments, 60.0) <= 481
    assert 1000 / (moments[-1] - moments[0]) >= 0.95 * 8


@pytest.mark.parametrize("stall_s", [0.3, 0.7, 1.0, 2.5, 6.0])
def test_a_server_that_stalls_never_counts_more_than_ten_in_a_second(stall_s: float) -> None:
    """It counts what came meanwhile in one moment, then goes on as if nothing had been."""
    moments = counted(lambda sent: max(sent + 0.03, sent // 10 * 10 + stall_s), 1000)

    assert most_within(moments, 1.0) <= 10


def test_what_a_stall_cost_is_made_up_for() -> None:
    moments = counted(lambda sent: max(sent + 0.03, sent // 20 * 20 + 1.5), 1000)

    assert 1000 / (moments[-1] - moments[0]) >= 0.95 * 8


@pytest.mark.parametrize("latency_s", [0.18, 0.5, 1.0])
def test_answers_that_are_always_slow_cost_nothing(latency_s: float) -> None:
    moments = counted(lambda sent: sent + latency_s, 1000)

    assert 1000 / (moments[-1] - moments[0]) >= 0.95 * 8


def test_a_minute_has_a_limit_of_its_own() -> None:
    budget = Budget(Limits(qps=20, qpm=100))

    moments = [budget.reserve(0.0) for _ in range(350)]

    assert most_within(moments, 60.0) <= 100
    assert moments[-1] < 60 * 3 + 20


@given(st.lists(st.floats(0.001, 3), min_size=20, max_size=100))
def test_whatever_answers_take_no_second_has_more_than_ten(latencies: list[float]) -> None:
    """Each is counted soon, or where it is late with its answer."""
    window, moments, under_way = Window(10), list[float](), list[tuple[float, float]]()

    for step, latency in enumerate(latencies):
        now = step * 0.05
        for ended, sent in [each for each in sorted(under_way) if each[0] <= now]:
            window.answered(sent, ended)
            under_way.remove((ended, sent))
        if window.has_room(now):
            window.sent(now)
            under_way.append((now + latency, now))
            moments.append(now + min(latency, 0.15))

    assert most_within(sorted(moments), 1.0) <= 10


def test_report_tasks_have_a_rate_of_their_own_and_hold_nobody_else() -> None:
    budget = Budget(Limits())

    tasks = [budget.reserve_own(Rate.REPORT_TASK, 0.0) for _ in range(4)]

    assert tasks == [0, 1, 2, 3]
    assert budget.reserve_own(Rate.GENERAL, 0.0) == 0
    assert budget.reserve(0.0) < 0.2


def test_after_a_throttle_nobody_calls_for_a_while() -> None:
    budget = Budget(Limits())
    early = budget.reserve(10.0)

    budget.throttled(throttle("App reaches the QPS limit."), 10.0, started_at=10.0, roll=0.999)

    assert not budget.still_good(early)
    assert 11 <= budget.reserve(10.0) <= 12


def test_retry_after_is_kept() -> None:
    budget = Budget(Limits())

    budget.throttled(throttle(wait_s=42.0), 0.0, started_at=0.0, roll=0.0)

    assert budget.reserve(0.0) >= 42


def test_three_throttles_in_a_row_are_a_pause() -> None:
    budget, now = Budget(Limits()), 0.0

    for _ in range(3):
        now = budget.reserve(now)
        budget.throttled(throttle(), now, started_at=now, roll=0.5)

    assert budget.held_until == now + 300


def test_a_success_between_them_is_no_row() -> None:
    budget, now = Budget(Limits()), 0.0

    for _ in range(6):
        now = budget.reserve(now)
        budget.throttled(throttle(), now, started_at=now, roll=0.5)
        now = budget.reserve(now)
        budget.succeeded(now)

    assert budget.held_until < now + 60


def test_calls_that_were_under_way_together_are_one_throttle() -> None:
    budget = Budget(Limits())

    for _ in range(8):
        budget.throttled(throttle(), 5.0, started_at=4.9, roll=0.5)

    assert budget.held_until < 10


@pytest.mark.parametrize(
    "failure",
    [
        throttle("Due to too many requests, requests from App 1 are temporarily restricted."),
        throttle(code=61000),
    ],
)
def test_an_app_that_is_shut_out_waits_five_minutes_at_once(failure: Failure) -> None:
    budget = Budget(Limits())

    budget.throttled(failure, 0.0, started_at=0.0, roll=0.0)

    assert budget.held_until == 300


def test_a_throttled_token_goes_slower_and_climbs_back() -> None:
    budget = Budget(Limits())

    budget.throttled(throttle(), 0.0, started_at=0.0, roll=0.5)
    slower = budget.rate
    for second in range(60):
        budget.succeeded(second)

    assert slower < 8
    assert budget.rate == 8


def test_time_outs_stop_short_of_what_tiktok_penalises() -> None:
    budget = Budget(Limits())

    for number in range(5):
        budget.timed_out(number, 1.0 + number)

    assert budget.held_until >= 15


def test_slow_time_outs_hold_nobody() -> None:
    budget = Budget(Limits())

    for number in range(5):
        budget.timed_out(number, 10.0 * number)

    assert budget.reserve(41.0) == 41


def test_a_request_that_timed_out_twice_is_not_made_for_ten_minutes() -> None:
    budget = Budget(Limits())
    for now in (0.0, 100.0):
        assert budget.may_ask(7, now)
        budget.timed_out(7, now)

    assert not budget.may_ask(7, 101.0)
    assert budget.may_ask(8, 101.0)
    assert budget.may_ask(7, 601.0)


def test_tokens_have_budgets_of_their_own() -> None:
    budgets = Budgets()

    assert budgets.of("a") is budgets.of("a")
    assert budgets.of("a") is not budgets.of("b")


@pytest.mark.parametrize("wrong", [{"qps": 0}, {"qpm": 0}, {"in_flight": 0}, {"task_qps": -1}])
def test_limits_have_to_be_limits(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        Limits(**wrong)  # type: ignore[arg-type]  # that is the point


# --- slots ----------------------------------------------------------------------------------------


async def test_what_is_wanted_first_goes_first() -> None:
    slots, order = Slots(1), list[str]()

    async def use(name: str, rank: int) -> None:
        async with slots.one(rank):
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(use("a", 5), use("b", 5), use("c", 0), use("d", 5), use("e", 0))

    assert order == ["a", "c", "e", "b", "d"]


async def test_whoever_is_cancelled_leaves_no_slot_behind() -> None:
    slots = Slots(2)

    async def use() -> None:
        async with slots.one(0):
            await asyncio.sleep(0)

    async with slots.one(0), slots.one(0):
        waiting = [asyncio.ensure_future(use()) for _ in range(5)]
        await asyncio.sleep(0)
        for task in waiting[:3]:
            task.cancel()
    waiting[3].cancel()  # its turn has just come
    await asyncio.gather(*waiting, return_exceptions=True)

    async with asyncio.timeout(1), slots.one(0), slots.one(0):
        pass
