"""Chunks, door records and attempt records: what is packed is unpacked, what is broken is told."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.journal import attempts, chunk, door, layout
from relay.journal.attempts import AttemptRecord, Ended
from relay.model import Answer, Arrival, Entry, Event, Outcome, Reason
from tests.contract.journals import a_refusal, an_attempt, an_event, arriving

text = st.text(st.characters(codec="utf-8"), max_size=20)
events = st.builds(
    Event,
    name=text,
    event_id=text,
    event_time=st.integers(-(2**31), 2**40),
    wire=st.binary(max_size=60),
    claim=st.binary(min_size=16, max_size=16),
    order_id=st.none() | text,
    test_event_code=st.none() | text,
    value=st.none() | st.decimals(allow_nan=False, allow_infinity=False),
    currency=st.none() | text,
    match_keys=st.integers(0, 1023),
    issues=st.just(()),
    tokens=st.just(()),
)
arrivals = st.lists(
    st.builds(Arrival, receipt=text, source=text, destination=st.just("web"), result=events),
    min_size=1,
    max_size=8,
)


def refuses(unpack: Callable[[bytes], object], value: bytes) -> bool:
    try:
        unpack(value)
    except ValueError:
        return True
    return False


def events_of(arrivals: list[Arrival]) -> list[Event]:
    return [arrival.result for arrival in arrivals if isinstance(arrival.result, Event)]


@given(arrivals, st.floats(0, 2**33), st.integers(0, 2**60))
def test_a_chunk_gives_back_its_entries_and_claims(
    arrivals: list[Arrival], at: float, seq: int
) -> None:
    packed = chunk.pack(chunk.of_arrivals(at, arrivals))
    stored = chunk.unpack(packed)

    assert chunk.count(packed) == stored.size == len(arrivals)
    assert [stored.claim(index) for index in range(stored.size)] == [
        event.claim for event in events_of(arrivals)
    ]
    assert stored.entries(seq) == [
        Entry(
            seq + index, at, arrival.receipt, arrival.source, event.name, event.event_id,
            event.event_time, event.order_id, event.test_event_code,
            None if event.value is None else str(event.value), event.currency,
            event.match_keys, event.wire,
        )
        for index, (arrival, event) in enumerate(zip(arrivals, events_of(arrivals), strict=True))
    ]  # fmt: skip


@given(arrivals, st.data())
def test_a_chunk_that_was_cut_or_grew_is_told(arrivals: list[Arrival], data: st.DataObject) -> None:
    packed = chunk.pack(chunk.of_arrivals(1.0, arrivals))
    cut = data.draw(st.integers(0, len(packed) - 1))

    assert refuses(chunk.unpack, packed[:cut])
    assert refuses(chunk.unpack, packed + b"x")


def test_a_claim_of_another_length_cannot_be_packed() -> None:
    poison = an_event()._replace(claim=b"short")

    with pytest.raises(ValueError, match="16 bytes"):
        chunk.pack(chunk.of_arrivals(1.0, [arriving(poison)]))


def test_bodies_can_be_replaced_and_nothing_else_changes() -> None:
    both = [arriving(an_event("a"), "http:1/0"), arriving(an_event("b"), "http:1/1")]
    stored = chunk.of_arrivals(5.0, both)

    erased = chunk.unpack(chunk.pack(chunk.with_bodies(stored, [b"{}", stored.bodies[1]])))

    first, second = erased.entries(0)
    assert (first.body, second.body) == (b"{}", an_event("b").wire)
    assert first._replace(body=an_event("a").wire) == stored.entries(0)[0]
    assert erased.claims == stored.claims


@given(st.lists(st.integers(0, 400_000), max_size=2200))
def test_portions_are_full_by_number_or_bytes_and_hold_everything(sizes: list[int]) -> None:
    portions = chunk.portions(sizes)

    assert [at for start, end in portions for at in range(start, end)] == list(range(len(sizes)))
    for start, end in portions:
        assert end - start <= chunk.MAX_ENTRIES
        assert sum(sizes[start:end]) <= chunk.MAX_BYTES or end - start == 1


def test_door_records_come_back_as_they_were() -> None:
    refused = door.of_arrival(
        arriving(a_refusal("x")), Answer(Outcome.INVALID, Reason.MISSING_FIELD)
    )
    duplicate = door.of_arrival(
        arriving(an_event("y", value="1"), "kafka:t/0@1"),
        Answer(Outcome.DUPLICATE, Reason.SAME_EVENT),
    )

    at, records = door.unpack(door.pack(7.5, [refused, duplicate]))

    assert (at, records) == (7.5, [refused, duplicate])
    assert records[0].errors == [["event_time", "missing"]]
    assert sorted(records[1].tokens) == [b"no-y", b"y"]
    for broken in (b"", b"[]", b"[1, [[2]]]", b"3"):
        assert refuses(door.unpack, broken)


def test_attempt_records_come_back_as_they_were() -> None:
    record = AttemptRecord(
        9.5, an_attempt(unknown=True), [(0, 5), (7, 9)],
        [Ended(0, 2, Outcome.DELIVERED, Reason.ACCEPTED)],
    )  # fmt: skip

    again = attempts.unpack(attempts.pack(record))

    assert again == record
    assert [again.carried(seq) for seq in (0, 4, 5, 8, 9)] == [True, True, False, True, False]
    assert again.end_of(1) == record.ended[0]
    assert again.end_of(2) is None
    for broken in (b"", b"[]", b"[1, {}, [], []]", b'[1, null, [], [[0, 1, "nothing", ""]]]'):
        assert refuses(attempts.unpack, broken)


def test_a_record_that_spans_far_is_stored_in_pieces_that_are_found_nearby() -> None:
    ended = [Ended(10, 30_000, Outcome.EXPIRED, Reason.WAITED_TOO_LONG)]
    record = AttemptRecord(1.0, None, [(10, 30_000), (70_000, 70_001)], ended)

    pieces = list(attempts.pieces(record))

    for seq in (10, 8201, 8202, 29_999, 70_000):
        (piece,) = [piece for _, piece in pieces if piece.carried(seq)]
        (first,) = [first for first, each in pieces if each is piece]
        assert first <= seq <= first + layout.MAX_SPAN
        assert (piece.end_of(seq) is not None) == (seq < 30_000)
    assert not any(piece.carried(50_000) for _, piece in pieces)


def test_sums_are_kept_as_text_and_not_as_floating_point() -> None:
    event = an_event(value="0.1")
    (entry,) = chunk.of_arrivals(1.0, [arriving(event)]).entries(0)

    assert Decimal(entry.value or "") == Decimal("0.1")
