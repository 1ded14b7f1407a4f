from __future__ import annotations

from relay.deliver.breaker import Breaker, Cause, LaneState, Standing

CAUSE = Cause("SYS_ERROR", 50000)


def fail(breaker: Breaker, work_id: int, now: float = 0.0, wait_s: float = 1.0) -> None:
    breaker.failed(work_id, breaker.epoch, now, wait_s=wait_s, cause=CAUSE)


def pause(breaker: Breaker, now: float = 0.0, state: LaneState = LaneState.PAUSED_CONFIG) -> None:
    breaker.pause(state, breaker.epoch, now, wait_s=30, cause=CAUSE)


def test_a_lane_opens_with_one_request_then_two_then_four() -> None:
    breaker = Breaker(max_in_flight=4)
    widths = [breaker.width]
    for _ in range(3):
        breaker.answered(breaker.epoch, 0)
        widths.append(breaker.width)

    assert widths == [1, 2, 4, 4]


def test_one_work_that_fails_again_and_again_does_not_stop_the_lane() -> None:
    breaker = Breaker(max_in_flight=4)
    for _ in range(10):
        fail(breaker, 7)

    assert breaker.running


def test_two_works_that_fail_in_a_row_stop_the_lane() -> None:
    breaker = Breaker(max_in_flight=4)
    fail(breaker, 1)
    breaker.answered(breaker.epoch, 0)
    fail(breaker, 2)
    assert breaker.running

    fail(breaker, 3, now=10, wait_s=2)

    assert breaker.state is LaneState.BACKING_OFF
    assert (breaker.since, breaker.probe_at, breaker.cause) == (10, 12, CAUSE)
    assert breaker.allows(0, 0)
    assert not breaker.allows(1, 1)


def test_a_success_before_the_stop_that_is_heard_after_it_does_not_reopen() -> None:
    breaker = Breaker(max_in_flight=4)
    before = breaker.epoch
    pause(breaker)

    assert not breaker.answered(before, 1)
    assert breaker.state is LaneState.PAUSED_CONFIG


def test_a_refusal_of_the_old_token_does_not_close_what_the_new_one_opened() -> None:
    breaker = Breaker(max_in_flight=4)
    old = breaker.epoch
    pause(breaker, state=LaneState.PAUSED_CREDENTIAL)
    breaker.probe_now(5)
    assert breaker.answered(breaker.epoch, 6)

    breaker.pause(LaneState.PAUSED_CREDENTIAL, old, 7, wait_s=30, cause=CAUSE)

    assert breaker.running
    assert breaker.width == 2


def test_a_failed_probe_keeps_a_paused_lane_paused() -> None:
    breaker = Breaker(max_in_flight=4)
    pause(breaker, now=0)
    fail(breaker, 1, now=30, wait_s=4)

    assert breaker.state is LaneState.PAUSED_CONFIG
    assert (breaker.since, breaker.probe_at) == (0, 34)


def test_the_kind_of_pause_follows_the_last_answer() -> None:
    breaker = Breaker(max_in_flight=4)
    fail(breaker, 1)
    fail(breaker, 2)
    pause(breaker, now=5, state=LaneState.PAUSED_CREDENTIAL)
    assert (breaker.state, breaker.since) == (LaneState.PAUSED_CREDENTIAL, 5)

    pause(breaker, now=35, state=LaneState.PAUSED_CREDENTIAL)
    assert (breaker.since, breaker.probe_at) == (5, 65)

    pause(breaker, now=65, state=LaneState.PAUSED_CONFIG)
    assert (breaker.state, breaker.since) == (LaneState.PAUSED_CONFIG, 65)


def test_old_requests_count_against_the_limit_but_not_against_the_opening() -> None:
    breaker = Breaker(max_in_flight=4)
    pause(breaker)

    assert breaker.allows(3, 0)
    assert not breaker.allows(4, 0)


def test_what_another_replica_found_holds_here_and_makes_earlier_answers_stale() -> None:
    finder, told = Breaker(max_in_flight=4), Breaker(max_in_flight=4)
    before = told.epoch
    pause(finder, now=10, state=LaneState.PAUSED_CREDENTIAL)

    told.told(finder.standing)

    assert told.standing == finder.standing
    assert (told.state, told.cause, told.probe_at) == (LaneState.PAUSED_CREDENTIAL, CAUSE, 40)
    assert not told.answered(before, 11)
    assert told.standing == finder.standing


def test_a_lane_that_another_replica_reopened_begins_with_two_requests() -> None:
    prober, told = Breaker(max_in_flight=4), Breaker(max_in_flight=4)
    for breaker in (prober, told):
        pause(breaker, now=10)
    prober.answered(prober.epoch, 50)

    told.told(prober.standing)

    assert told.running
    assert (told.width, told.failures, told.cause) == (2, 0, None)


def test_all_lanes_that_run_have_one_standing_whatever_they_went_through() -> None:
    old, new = Breaker(max_in_flight=4), Breaker(max_in_flight=4)
    pause(old, now=10)
    old.answered(old.epoch, 50)

    assert old.standing._replace(since=None) == new.standing


def test_who_asked_for_a_probe_keeps_its_turn_when_another_is_heard_meanwhile() -> None:
    breaker = Breaker(max_in_flight=4)
    pause(breaker)
    others = breaker.standing._replace(probe_at=600.0)

    breaker.probe_now(5.0)
    breaker.told(others)
    assert breaker.probe_at == 5.0

    pause(breaker, now=6.0)  # it probed, and was refused
    breaker.told(others)
    assert breaker.probe_at == 600.0


def test_a_lane_that_runs_again_forgets_that_a_probe_was_asked_for() -> None:
    breaker = Breaker(max_in_flight=4)
    pause(breaker)
    paused = breaker.standing._replace(probe_at=600.0)

    breaker.probe_now(5.0)
    breaker.told(Standing(LaneState.RUNNING))
    breaker.told(paused)

    assert breaker.probe_at == 600.0
