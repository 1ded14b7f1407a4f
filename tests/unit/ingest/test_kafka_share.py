"""When too many of a partition's messages are invalid."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from relay.ingest.kafka.share import LEAST, WINDOW, Share


def test_rubbish_from_the_start_is_told_with_the_fiftieth() -> None:
    share = Share(0.5)

    assert not share.exceeded_by([True] * (LEAST - 1))
    assert share.exceeded_by([True])
    assert (share.invalid, share.seen) == (50, 50)


def test_a_few_bad_ones_among_good_ones_are_borne_for_ever() -> None:
    share = Share(0.5)

    assert not share.exceeded_by([False, True] * 10_000)


def test_what_was_good_long_ago_does_not_count() -> None:
    share = Share(0.5)

    assert not share.exceeded_by([False] * 10_000)
    assert not share.exceeded_by([True] * (WINDOW // 2))
    assert share.exceeded_by([True])


def test_a_good_message_never_stops_a_source() -> None:
    share = Share(0.5)
    share.exceeded_by([True] * (LEAST - 1))

    assert not share.exceeded_by([False] * 40)


def test_a_share_of_one_bears_everything() -> None:
    assert not Share(1.0).exceeded_by([True] * 1000)


@given(st.lists(st.booleans(), max_size=600), st.floats(0.05, 1.0))
def test_it_is_the_share_of_the_last_messages(messages: Sequence[bool], most: float) -> None:
    share = Share(most)
    for count, invalid in enumerate(messages, start=1):
        told = share.exceeded_by([invalid])
        last = messages[max(0, count - WINDOW) : count]
        assert (share.invalid, share.seen) == (sum(last), len(last))
        assert told == (invalid and len(last) >= LEAST and sum(last) > most * len(last))
