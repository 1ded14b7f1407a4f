"""The budget of one token: fast enough, never too fast, quiet when it is told to be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.management.budget import Budget, Budgets, Limits
from relay.management.codes import meaning_of
from relay.management.endpoints import Rate
from relay.management.envelope import Failure
from relay.management.errors import About


def throttle(message: str | None = None, code: int = 40100, wait_s: float | None = None) -> Failure:
    return Failure(meaning_of(code), About(), message, wait_s)


def most_within(moments: list[float], seconds: float) -> int:
    return max(
        sum(start <= other < start + seconds for other in moments[index : index + 1000])
        for index, start in enumerate(moments)
    )


def test_the_budget_is_used_and_not_exceeded() -> None:
    budget = Budget(Limits())

    moments = [budget.reserve(0.0) for _ in range(1000)]

    assert most_within(moments, 1.0) <= 9
    assert most_within(moments, 60.0) <= 481
    assert 1000 / (moments[-1] - moments[0]) >= 0.95 * 8


def test_a_minute_has_a_limit_of_its_own() -> None:
    budget = Budget(Limits(qps=20, qpm=100))

    moments = [budget.reserve(0.0) for _ in range(350)]

    assert most_within(moments, 60.0) <= 100
    assert moments[-1] < 60 * 3 + 20


@given(st.lists(st.floats(0, 5), min_size=20, max_size=200))
def test_however_calls_come_no_second_has_more_than_the_limit_and_one(gaps: list[float]) -> None:
    budget, now, moments = Budget(Limits()), 0.0, []

    for gap in gaps:
        now += gap / 10
        moments.append(budget.reserve(now))

    assert most_within(sorted(moments), 1.0) <= 9 + 1


@given(st.lists(st.floats(0, 3), min_size=2, max_size=60))
def test_calls_that_a_busy_machine_held_up_never_go_at_once(late: list[float]) -> None:
    budget = Budget(Limits())
    woken = [(budget.reserve(0.0) + delay_s, number) for number, delay_s in enumerate(late)]
    last, gone = max(woken)[0], list[float]()

    while woken:
        woken.sort()
        now, number = woken.pop(0)
        at = budget.goes_at(now)
        if at == now:
            gone.append(now)
        else:
            woken.append((at, number))

    assert len(gone) == len(late)
    assert most_within(gone, 1.0) <= 9
    assert gone[-1] <= last + 3.0


def test_calls_in_time_are_not_held_up() -> None:
    budget = Budget(Limits())

    for moment in [budget.reserve(0.0) for _ in range(50)][1:]:
        assert budget.goes_at(moment) == moment


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
