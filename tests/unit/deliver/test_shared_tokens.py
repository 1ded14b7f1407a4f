"""A token's budget that replicas share: what they lease is never more than the rate."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.deliver.limiter import Limiter, LimiterState
from relay.deliver.shared.far_clock import FarClock
from relay.deliver.shared.tokens import (
    AHEAD_S,
    GOOD_FOR_S,
    Grant,
    Ledger,
    Report,
    Request,
    TokenShare,
    lease,
)

RATE = 10.0
ONE = frozenset({1})


def a_limiter() -> Limiter:
    return Limiter(ceiling=RATE, floor=0.1)


def a_ledger() -> Ledger:
    return Ledger(LimiterState(RATE))


def same_clock() -> FarClock:
    clock = FarClock()
    clock.heard(0.0, asked_at=0.0, heard_at=0.0)
    return clock


class Lease(NamedTuple):
    """What one replica asks of the row, so long after the one before."""

    after: float
    replica: str
    waiting: int
    ahead: int


LEASES = st.lists(
    st.builds(
        Lease,
        st.floats(0, 2),
        st.sampled_from(["a", "b", "c"]),
        st.integers(0, 4),
        st.integers(0, 30),
    ),
    max_size=40,
)


# --- the row ------------------------------------------------------------------------------------


@given(LEASES)
def test_all_moments_of_all_replicas_are_a_gap_apart_and_none_is_in_the_past(
    asked: list[Lease],
) -> None:
    ledger, now = a_ledger(), 1000.0
    moments: list[float] = []
    for each in asked:
        now += each.after
        request = Request(frozenset(range(each.waiting)), each.ahead)
        grant = lease(ledger, a_limiter(), request, lessee=each.replica, now=now)
        ledger = grant.ledger
        assert len(grant.moments) >= each.waiting
        assert all(moment >= now for moment in grant.moments)
        moments += grant.moments

    gaps = [later - one for one, later in itertools.pairwise(moments)]
    assert all(gap >= 1 / RATE - 1e-9 for gap in gaps)


@given(LEASES)
def test_nobody_leases_further_ahead_than_lanes_wait(asked: list[Lease]) -> None:
    ledger, now, waited = a_ledger(), 1000.0, 0
    for each in asked:
        now += each.after
        request = Request(frozenset(range(each.waiting)), each.ahead)
        grant = lease(ledger, a_limiter(), request, lessee=each.replica, now=now)
        ledger = grant.ledger
        waited += each.waiting
        assert ledger.limits.next_at <= now + AHEAD_S + (waited + 1) / RATE + 1e-9


def test_who_is_alone_gets_some_ahead_and_who_is_not_gets_what_its_lanes_wait_for() -> None:
    first = lease(a_ledger(), a_limiter(), Request(ONE, 30), lessee="a", now=0.0)
    second = lease(first.ledger, a_limiter(), Request(ONE, 30), lessee="b", now=0.01)
    third = lease(second.ledger, a_limiter(), Request(ONE, 30), lessee="a", now=0.02)
    later = lease(third.ledger, a_limiter(), Request(ONE, 30), lessee="a", now=5.0)

    assert len(first.moments) == 1 + int(AHEAD_S * RATE)
    assert first.alone
    assert [len(each.moments) for each in (second, third)] == [1, 1]
    assert len(later.moments) == 1 + int(AHEAD_S * RATE)


def test_a_throttle_that_one_reports_holds_the_next_moments_of_all() -> None:
    before = lease(a_ledger(), a_limiter(), Request(ONE), lessee="a", now=0.0)
    told = Request(reports=(Report(1.0, started_at=0.5, hold_s=30.0),))
    throttled = lease(before.ledger, a_limiter(), told, lessee="a", now=1.1)
    other = lease(throttled.ledger, a_limiter(), Request(ONE), lessee="b", now=2.0)

    assert throttled.moments == ()
    assert other.moments == (31.0,)
    assert other.ledger.limits.rate == pytest.approx(0.8 * RATE)


def test_throttles_of_several_replicas_at_once_cut_the_rate_once() -> None:
    ledger = a_ledger()
    for replica in "abc":
        told = Request(reports=(Report(1.0, started_at=0.5, hold_s=3.0),))
        ledger = lease(ledger, a_limiter(), told, lessee=replica, now=1.1).ledger

    assert ledger.limits.rate == pytest.approx(0.8 * RATE)
    assert ledger.limits.streak == 1


# --- one replica's share --------------------------------------------------------------------------


class Desk:
    """A share, and the row behind it."""

    def __init__(self) -> None:
        self.asked = 0
        self.share = TokenShare(self._ask)
        self.ledger = a_ledger()
        self.clock = same_clock()

    def _ask(self) -> None:
        self.asked += 1

    def serve(self, now: float, *, lessee: str = "a") -> Grant | None:
        request = self.share.request(now)
        if request is None:
            return None
        grant = lease(self.ledger, a_limiter(), request, lessee=lessee, now=now)
        self.ledger = grant.ledger
        self.share.granted(grant, self.clock)
        return grant


def test_a_lane_that_asks_gets_its_moment_once_the_row_was_asked() -> None:
    desk = Desk()

    assert desk.share.take(1, 5.0) == math.inf
    assert desk.asked == 1
    desk.serve(5.0)

    assert desk.share.take(1, 5.0) == 5.0
    assert not desk.share.still_good(math.inf, 5.0)


def test_two_lanes_get_a_moment_each_and_a_lane_that_asks_twice_gets_one() -> None:
    desk = Desk()
    for lane in (1, 2, 1):
        desk.share.take(lane, 0.0)

    grant = desk.serve(0.0)

    assert grant is not None
    assert len(grant.moments) == 2


def test_a_moment_that_is_out_of_date_is_not_used() -> None:
    desk = Desk()
    desk.share.take(1, 0.0)
    desk.serve(0.0)

    assert desk.share.still_good(0.0, GOOD_FOR_S)
    assert not desk.share.still_good(0.0, GOOD_FOR_S + 0.01)
    assert desk.share.take(1, 100.0) == math.inf


def test_a_throttle_holds_this_replica_before_anybody_was_told() -> None:
    desk = Desk()
    desk.share.take(1, 0.0)
    desk.serve(0.0)
    desk.share.throttled(0.1, started_at=0.0, hold_s=9.0)

    assert desk.share.take(1, 0.1) == math.inf
    grant = desk.serve(0.1)
    assert grant is not None
    assert list(grant.moments) == pytest.approx([9.1])
    assert desk.share.streak == 1


def test_a_throttle_that_another_replica_reported_holds_this_one() -> None:
    desk = Desk()
    desk.share.take(1, 0.0)
    desk.serve(0.0)
    desk.share.seen(LimiterState(8.0, held_until=20.0, cut_at=0.0, streak=3), desk.clock)

    assert not desk.share.still_good(0.0, 0.0)
    assert (desk.share.streak, desk.share.rate) == (3, 8.0)


def test_what_could_not_be_asked_is_asked_again_with_all_that_was_to_tell() -> None:
    desk = Desk()
    desk.share.take(1, 0.0)
    desk.share.throttled(0.0, started_at=-1.0, hold_s=5.0)
    request = desk.share.request(0.0)
    assert request is not None

    desk.share.failed(request)

    assert desk.share.request(0.1) == request


def test_successes_wait_for_the_next_request_and_only_the_last_is_told() -> None:
    desk = Desk()
    for at in range(5):
        desk.share.succeeded(float(at))

    assert desk.share.request(5.0) is None
    desk.share.take(1, 5.0)
    request = desk.share.request(5.0)
    assert request is not None
    assert request.reports == (Report(4.0),)


def test_one_that_works_alone_asks_once_for_several_moments() -> None:
    desk = Desk()
    now, sent, served = 0.0, 0, 0
    while sent < 100:
        moment = desk.share.take(1, now)
        if desk.asked > served:
            served = desk.asked
            desk.serve(now)
        if moment < math.inf:
            now = max(now, moment)
            sent += 1

    assert now <= 100 / RATE
    assert served <= 60
