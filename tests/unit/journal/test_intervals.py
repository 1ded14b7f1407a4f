"""Intervals behave as a set of integers does."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from relay.journal.intervals import IntervalSet, ranges_of

LIMIT = 40
spans = st.tuples(st.integers(0, LIMIT), st.integers(0, LIMIT))
changes = st.lists(st.tuples(st.sampled_from(["add", "remove"]), spans), max_size=12)


def built(steps: list[tuple[str, tuple[int, int]]]) -> tuple[IntervalSet, set[int]]:
    intervals, numbers = IntervalSet(), set[int]()
    for step, (start, end) in steps:
        if step == "add":
            intervals.add(start, end)
            numbers |= set(range(start, end))
        else:
            intervals.remove(start, end)
            numbers -= set(range(start, end))
    return intervals, numbers


@given(changes)
def test_it_holds_what_a_set_would_hold_in_as_few_intervals_as_possible(
    steps: list[tuple[str, tuple[int, int]]],
) -> None:
    intervals, numbers = built(steps)

    assert list(intervals) == ranges_of(sorted(numbers))
    assert len(intervals) == len(ranges_of(sorted(numbers)))
    assert intervals.total == len(numbers)
    assert intervals.end == max(numbers, default=-1) + 1
    assert [number for number in range(LIMIT + 2) if number in intervals] == sorted(numbers)


@given(changes, spans)
def test_it_tells_what_overlaps(
    steps: list[tuple[str, tuple[int, int]]], span: tuple[int, int]
) -> None:
    intervals, numbers = built(steps)

    assert intervals.overlaps(*span) == bool(numbers & set(range(*span)))


@given(changes, st.integers(0, LIMIT), st.integers(0, LIMIT))
def test_it_finds_what_is_not_in_it(
    steps: list[tuple[str, tuple[int, int]]], number: int, more: int
) -> None:
    intervals, numbers = built(steps)
    limit = number + more

    free = intervals.free_from(number)
    assert free not in numbers
    assert set(range(number, free)) <= numbers
    end = intervals.free_until(free, max(free, limit))
    assert not numbers & set(range(free, end))
    assert end == max(free, limit) or end in numbers
    start, end = intervals.last_free_run(limit)
    assert not numbers & set(range(start, end))
    assert set(range(end, limit)) <= numbers
    assert start == 0 or start - 1 in numbers or start == end


@given(st.sets(st.integers(0, LIMIT)))
def test_ranges_hold_just_the_numbers(numbers: set[int]) -> None:
    ranges = ranges_of(sorted(numbers))

    assert [number for start, end in ranges for number in range(start, end)] == sorted(numbers)
    assert all(end < start for (_, end), (start, _) in itertools.pairwise(ranges))
