from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.backoff import Backoff, delay
from relay.deliver.limiter import Limiter


def test_requests_are_spaced_by_the_rate() -> None:
    limiter = Limiter(ceiling=10)

    assert [round(limiter.reserve(100.0), 6) for _ in range(4)] == [100.0, 100.1, 100.2, 100.3]


def test_unused_time_is_not_saved_beyond_the_burst() -> None:
    limiter = Limiter(ceiling=10, burst=3)
    limiter.reserve(0.0)

    moments = [round(limiter.reserve(60.0), 6) for _ in range(4)]

    assert moments == [60.0, 60.0, 60.0, 60.1]


@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 5), st.floats(0.5, 50))
def test_no_window_holds_more_than_rate_and_burst(
    gaps: list[float], burst: int, rate: float
) -> None:
    limiter = Limiter(ceiling=rate, floor=0.1, burst=burst)
    now, moments = 0.0, []
    for gap in gaps:
        now += gap
        moments.append(limiter.reserve(now))

    assert moments == sorted(moments)
    for index, first in enumerate(moments):
        inside = sum(moment < first + 1.0 for moment in moments[index:])
        assert inside <= rate + burst + 1


def test_lanes_that_share_a_token_are_served_in_the_order_of_asking() -> None:
    """A lane that asks all the time must not starve one that asks now and then."""
    limiter = Limiter(ceiling=10)
    busy = limiter.reserve(0.0)
    quiet = limiter.reserve(0.0)
    busy_again = limiter.reserve(busy)

    assert busy < quiet < busy_again


def test_a_throttle_holds_everybody_and_lowers_the_rate() -> None:
    limiter = Limiter(ceiling=10)
    reserved = limiter.reserve(0.0)
    limiter.throttled(1.0, started_at=0.5, hold_s=4.0)

    assert not limiter.still_good(reserved)
    assert limiter.reserve(1.0) == 5.0
    assert limiter.rate == pytest.approx(8.0)


def test_throttles_without_a_success_between_cut_deeper_down_to_the_floor() -> None:
    limiter = Limiter(ceiling=10, floor=0.1)
    rates = []
    for second in range(8):
        limiter.throttled(second + 0.5, started_at=second, hold_s=0)
        rates.append(limiter.rate)

    assert rates[:3] == [pytest.approx(8), pytest.approx(4), pytest.approx(2)]
    assert rates[-1] == 0.1
    assert limiter.streak == 8


def test_requests_under_way_at_a_cut_do_not_cut_again() -> None:
    limiter = Limiter(ceiling=10)
    for _ in range(4):
        limiter.throttled(1.0, started_at=0.9, hold_s=1.0)

    assert limiter.rate == pytest.approx(8)
    assert limiter.streak == 1


def test_the_rate_climbs_back_while_requests_succeed_and_no_higher_than_the_ceiling() -> None:
    limiter = Limiter(ceiling=10)
    for second in range(6):
        limiter.throttled(second + 0.5, started_at=second, hold_s=0)
    low = limiter.rate
    for tenth in range(600):
        limiter.succeeded(10 + tenth / 10)

    assert low < 0.5
    assert limiter.rate == 10


def test_time_without_an_answer_is_no_proof() -> None:
    limiter = Limiter(ceiling=10)
    limiter.throttled(1.0, started_at=0.5, hold_s=0)
    limiter.succeeded(10_000.0)

    assert limiter.rate < 8.5


def test_a_floor_above_the_ceiling_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="floor"):
        Limiter(ceiling=1, floor=2)
    with pytest.raises(ValueError, match="floor"):
        Limiter(ceiling=1, floor=0)


class TikTok:
    """Allows `limit` requests a second, with a bucket of one second."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._tokens = 1.0
        self._at = 0.0

    def allows(self, now: float) -> bool:
        self._tokens = min(max(1.0, self.limit), self._tokens + (now - self._at) * self.limit)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def use_after_20_s(limiter: Limiter, tiktok: TikTok, begin: float) -> tuple[float, float]:
    """Send for two minutes as fast as allowed, answers after 0.2 s; returns the share of the real
    limit that was used and the share of throttled requests, both after the first 20 s."""
    answers: list[tuple[float, float, bool]] = []
    at, sent, accepted = begin, 0, 0
    while at < begin + 120:
        at = limiter.reserve(at)
        while answers and answers[0][0] <= at:
            ended, started, good = answers.pop(0)
            if good:
                limiter.succeeded(ended)
                continue
            hold_s = delay(limiter.streak + 1, Backoff(), 0.5)
            limiter.throttled(ended, started_at=started, hold_s=hold_s)
        if not limiter.still_good(at):
            continue
        good = tiktok.allows(at)
        answers.append((at + 0.2, at, good))
        if at > begin + 20:
            sent, accepted = sent + 1, accepted + good
    return accepted / (100 * tiktok.limit), 1 - accepted / sent


@pytest.mark.parametrize("limits", [(20, 8, 35), (30, 5, 30), (12, 25, 12)])
def test_the_rate_finds_a_limit_that_moves(limits: tuple[float, ...]) -> None:
    """Within 20 s of a change it uses most of what TikTok allows and is hardly ever throttled."""
    limiter, tiktok, begin = Limiter(ceiling=40), TikTok(limits[0]), 0.0
    for limit in limits:
        tiktok.limit = limit
        used, throttled = use_after_20_s(limiter, tiktok, begin)
        begin += 120

        assert used > 0.9, limit
        assert throttled < 0.02, limit


def test_under_the_ceiling_nothing_is_ever_throttled() -> None:
    used, throttled = use_after_20_s(Limiter(ceiling=10), TikTok(16.7), 0.0)

    assert throttled == 0
    assert used == pytest.approx(10 / 16.7, rel=0.02)
