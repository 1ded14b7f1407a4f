"""Intervals hold what a set of integers would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relay.journal.intervals import IntervalSet, ranges_of

LIMIT = 40

steps = st.lists(
    st.tuples(st.sampled_from(["add", "remove"]), st.integers(0, LIMIT), st.integers(0, LIMIT)),
    max_size=30,
)


def both(done: list[tuple[str, int, int]]) -> tuple[IntervalSet, set[int]]:
    intervals, plain = IntervalSet(), set[int]()
    for step, start, end in done:
        if step == "add":
            intervals.add(start, end)
            plain |= set(range(start, end))
        else:
            intervals.remove(start, end)
            plain -= set(range(start, end))
    return intervals, plain


@given(steps)
def test_it_holds_what_a_set_would(done: list[tuple[str, int, int]]) -> None:
    intervals, plain = both(done)

    assert [number for number in range(LIMIT) if number in intervals] == sorted(plain)
    assert intervals.total == len(plain)


@given(steps)
def test_its_intervals_are_sorted_disjoint_and_joined_where_they_touch(
    done: list[tuple[str, int, int]],
) -> None:
    intervals, plain = both(done)

    assert list(intervals) == ranges_of(sorted(plain))


@given(steps, st.integers(0, LIMIT), st.integers(0, LIMIT))
def test_it_finds_what_is_free(done: list[tuple[str, int, int]], number: int, limit: int) -> None:
    intervals, plain = both(done)

    free = next(n for n in range(number, 2 * LIMIT + 2) if n not in plain)
    assert intervals.free_from(number) == free
    assert intervals.overlaps(number, limit) == any(n in plain for n in range(number, limit))
    absent = [n for n in range(limit) if n not in plain]
    if absent:
        end = absent[-1] + 1
        start = end
        while start > 0 and start - 1 not in plain:
            start -= 1
        assert intervals.last_free_run(limit) == (start, end)
    else:
        assert intervals.last_free_run(limit) == (limit, limit)
