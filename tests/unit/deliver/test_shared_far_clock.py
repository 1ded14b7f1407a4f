"""The database's clock, seen from here."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.deliver.shared.far_clock import FarClock


@given(
    offset=st.floats(-1e6, 1e6),
    questions=st.lists(
        st.tuples(st.floats(0, 1e4), st.floats(0, 5), st.floats(0, 1)), min_size=1, max_size=20
    ),
    far=st.floats(0, 1e6),
)
def test_the_true_time_lies_between_the_two_that_are_given(
    offset: float, questions: list[tuple[float, float, float]], far: float
) -> None:
    clock = FarClock()
    for asked_at, took, share in questions:
        said = asked_at + share * took + offset
        clock.heard(said, asked_at=asked_at, heard_at=asked_at + took)

    true = far - offset
    assert clock.not_after(far) <= true + 1e-6
    assert clock.not_before(far) >= true - 1e-6
    shortest = min(took for _, took, _ in questions)
    assert clock.not_before(far) - clock.not_after(far) <= shortest + 1e-6


def test_a_clock_that_was_set_is_believed_at_once() -> None:
    clock = FarClock()
    clock.heard(1000.0, asked_at=0.0, heard_at=0.1)
    clock.heard(5000.0, asked_at=1.0, heard_at=1.2)

    assert clock.not_before(5000.0) == pytest.approx(1.2)
    assert clock.there(1.2) == pytest.approx(5000.0)


def test_never_stays_never() -> None:
    clock = FarClock()
    clock.heard(1000.0, asked_at=0.0, heard_at=0.1)

    assert clock.not_before(-math.inf) == -math.inf
    assert clock.there(-math.inf) == -math.inf


def test_before_the_first_word_nothing_is_known() -> None:
    with pytest.raises(ValueError, match="not said"):
        FarClock().not_before(1.0)
