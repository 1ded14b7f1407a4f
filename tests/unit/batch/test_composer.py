from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from relay.batch.composer import ENVELOPE_BYTES, Composer, due
from relay.deliver.request import body
from relay.model import Entry, EventSource, Waiting


def an_entry(seq: int = 0, *, size_bytes: int = 700, test_event_code: str | None = None) -> Entry:
    return Entry(
        seq=seq,
        accepted_at=0.0,
        receipt=f"http:r/{seq}",
        source="shop",
        name="Purchase",
        event_id=str(seq),
        event_time=0,
        order_id=None,
        test_event_code=test_event_code,
        value=None,
        currency=None,
        match_keys=0,
        body=b"x" * size_bytes,
    )


def taken(entries: list[Entry], fits: Composer) -> list[Entry]:
    """What a journal takes: in order, up to the first "no"."""
    batch = []
    for entry in entries:
        if not fits(entry):
            break
        batch.append(entry)
    return batch


def test_a_batch_is_full_at_its_count() -> None:
    entries = [an_entry(seq) for seq in range(1500)]

    assert len(taken(entries, Composer())) == 1000
    assert len(taken(entries, Composer(max_events=1))) == 1


def test_a_batch_is_full_at_its_bytes() -> None:
    entries = [an_entry(seq, size_bytes=999) for seq in range(100)]

    assert len(taken(entries, Composer(max_bytes=ENVELOPE_BYTES + 10_000))) == 10
    assert len(taken(entries, Composer(max_bytes=ENVELOPE_BYTES + 9_999))) == 9


def test_an_entry_larger_than_a_request_goes_alone() -> None:
    entries = [an_entry(0, size_bytes=2_000_000), an_entry(1, size_bytes=1)]

    assert taken(entries, Composer()) == entries[:1]
    assert taken(entries[::-1], Composer()) == entries[1:]


def test_test_events_and_live_events_never_share_a_batch() -> None:
    live, test, other = an_entry(0), an_entry(1, test_event_code="T1"), an_entry(2)

    assert taken([live, test], Composer()) == [live]
    assert taken([test, live], Composer()) == [test]
    assert taken([live, other, test], Composer()) == [live, other]


def test_test_events_share_a_batch_with_their_own_code_only() -> None:
    one, two = an_entry(0, test_event_code="T1"), an_entry(1, test_event_code="T1")
    three = an_entry(2, test_event_code="T2")

    assert taken([one, two, three], Composer()) == [one, two]


@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=60),
    st.integers(1, 20),
    st.integers(600, 3000),
)
def test_a_request_of_a_batch_stays_within_both_limits(
    sizes: list[int], max_events: int, max_bytes: int
) -> None:
    entries = [an_entry(seq, size_bytes=size) for seq, size in enumerate(sizes)]

    batch = taken(entries, Composer(max_events=max_events, max_bytes=max_bytes))
    sent = body(
        EventSource.OFFLINE,
        "7" * 64,
        [entry.body for entry in batch],
        test_event_code="TEST12345678",
        partner_name="P" * 64,
    )

    assert 1 <= len(batch) <= max_events
    assert len(sent) <= max_bytes or len(batch) == 1
    if len(batch) < min(len(entries), max_events):
        assert len(sent) + sizes[len(batch)] + ENVELOPE_BYTES > max_bytes


def test_nothing_is_due_when_nothing_waits() -> None:
    assert due(Waiting(0, 0, None), now=5, linger_s=0.5) is None
    assert due(Waiting(3, 900, None), now=5, linger_s=0.5) is None


def test_a_batch_is_due_once_its_oldest_entry_has_lingered() -> None:
    assert due(Waiting(3, 2100, 100.0), now=100.1, linger_s=0.5) == 100.5


def test_a_full_batch_is_due_at_once() -> None:
    assert due(Waiting(1000, 1000, 100.0), now=100, linger_s=60) == -math.inf
    assert due(Waiting(3, 1_000_000, 100.0), now=100, linger_s=60) == -math.inf


def test_a_clock_that_was_set_back_holds_nothing() -> None:
    """An entry from the future would else linger for as long as the clock went back."""
    assert due(Waiting(3, 900, 7200.0), now=3600, linger_s=0.5) == -math.inf
