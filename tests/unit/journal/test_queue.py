"""A queue's numbers, before and after what is on disk says otherwise."""

from __future__ import annotations

import pytest

from relay.journal.layout import Counters
from relay.journal.queue import Queue


def a_queue(count: int = 10, *, at: float = 100.0) -> Queue:
    queue = Queue("web", 0)
    queue.appended(at, count, count * 10)
    queue.is_durable()
    return queue


def test_what_is_settled_is_taken_until_that_is_durable() -> None:
    queue = a_queue()
    queue.take(0, 5)
    queue.settle([(0, 3)], 30)
    assert not queue.is_on_its_way(0)
    assert (queue.waiting, queue.settled_count, queue.size_bytes) == (7, 3, 70)

    queue.load(Counters(10, 0, 10, 100), [])  # the write was lost

    assert queue.is_on_its_way(0)
    assert queue.available == 5
    assert list(queue.free_runs()) == [(5, 10)]


def test_what_turns_out_to_be_settled_is_not_on_its_way_any_more() -> None:
    queue = a_queue()
    queue.take(0, 5)

    queue.load(Counters(10, 3, 10, 70), [(0, 3)])

    assert [queue.is_on_its_way(seq) for seq in (2, 3)] == [False, True]
    assert (queue.available, queue.waiting) == (5, 7)


def test_seqs_that_are_taken_are_never_given_to_others() -> None:
    """Entries were handed out, and the record that held them is lost."""
    queue = a_queue()
    queue.take(0, 10)

    queue.load(Counters(4, 0, 4, 40), [])

    assert queue.next_seq == 10
    assert queue.accepted == queue.settled_count + queue.waiting
    queue.settle([(0, 10)], 40)
    assert (queue.waiting, queue.size_bytes) == (0, 0)


def test_an_empty_queue_has_no_size_whatever_was_lost_on_the_way() -> None:
    queue = a_queue()
    queue.settle([(0, 9)], 0)
    assert queue.size_bytes == 100

    queue.settle([(9, 10)], 0)

    assert queue.size_bytes == 0


def test_what_is_settled_cannot_be_given_back_or_settled_again() -> None:
    queue = a_queue()
    queue.take(0, 4)
    queue.settle([(1, 2)], 10)

    with pytest.raises(ValueError, match="settled"):
        queue.give_back(0, 4)
    assert [queue.may_settle(*span) for span in ((0, 1), (1, 2), (0, 3), (9, 11))] == [
        True, False, False, False,
    ]  # fmt: skip
    queue.give_back_free(0, 4)
    assert list(queue.free_runs()) == [(0, 1), (2, 10)]


def test_the_newest_run_is_below_what_is_taken() -> None:
    queue = a_queue(100)
    assert queue.newest_run(30) == (70, 100)

    queue.take(70, 100)
    assert queue.newest_run(30) == (40, 70)
    queue.take(0, 65)
    assert queue.newest_run(30) == (65, 70)
    queue.take(65, 70)
    start, end = queue.newest_run(30)
    assert start == end


def test_acceptance_times_of_recent_chunks_are_known() -> None:
    queue = Queue("web", 0)
    for chunk in range(2000):
        queue.appended(float(chunk), 3, 1)

    assert [queue.accepted_at(seq) for seq in (5999, 5997, 5996, 3000)] == [
        1999.0, 1999.0, 1998.0, 1000.0,
    ]  # fmt: skip
    assert queue.accepted_at(100) is None


def test_days_that_hold_what_waits_are_needed() -> None:
    queue = a_queue(30)
    queue.days = [(0, 0, "20260101"), (10, 4, "20260102"), (20, 9, "20260103")]

    assert queue.needed_days() == {"20260101", "20260102", "20260103"}
    queue.settle([(0, 12)], 0)
    assert queue.needed_days() == {"20260102", "20260103"}
    queue.settle([(12, 30)], 0)
    assert queue.needed_days() == set()
    assert [queue.day_of(seq) for seq in (9, 10, 29)] == ["20260101", "20260102", "20260103"]
    assert [queue.door_day_of(seq) for seq in (3, 4)] == ["20260101", "20260102"]
    assert [queue.day_end(seq) for seq in (0, 9, 10, 25)] == [10, 10, 20, 30]
