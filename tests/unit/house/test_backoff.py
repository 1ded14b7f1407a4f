from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.backoff import MAX_RETRY_AFTER_S, Backoff, delay, retry_after_s

ROLLS = st.floats(0, 1, exclude_max=True)
POLICY = Backoff(base_s=1.0, cap_s=60.0, floor_s=0.1)


@given(st.integers(-5, 10_000), ROLLS)
def test_a_wait_is_within_its_jitter(attempt: int, roll: float) -> None:
    limit = min(60.0, 2.0 ** min(max(attempt, 1) - 1, 60))

    assert 0.1 <= delay(attempt, POLICY, roll) <= max(0.1, limit)


def test_the_limit_doubles_up_to_the_cap() -> None:
    limits = [delay(attempt, POLICY, 0.999_999) for attempt in range(1, 9)]

    assert [round(limit) for limit in limits] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_the_worst_roll_still_waits() -> None:
    """Full jitter may roll 0 again and again: that must not become a busy loop."""
    assert delay(1, POLICY, 0.0) == 0.1


@given(st.integers(1, 20), ROLLS, st.floats(0, 1e9))
def test_nobody_returns_before_the_time_they_were_asked_to_wait(
    attempt: int, roll: float, asked: float
) -> None:
    wait = delay(attempt, POLICY, roll, asked)

    assert wait >= min(asked, MAX_RETRY_AFTER_S)
    assert wait <= max(MAX_RETRY_AFTER_S, 60)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 60.0),
        ("Wed, 21 Oct 2026 07:28:00", 60.0),
        ("Wednesday, 21-Oct-26 07:28:00 GMT", 60.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("1e999", None),
        ("12 minutes", None),
        ("Wed, 99 Oct 2026 07:28:00 GMT", None),
        (None, None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, now=1_792_567_620.0) == seconds


@given(st.text())
def test_any_retry_after_can_be_read(header: str) -> None:
    seconds = retry_after_s(header, now=1_792_567_620.0)

    assert seconds is None or seconds >= 0
