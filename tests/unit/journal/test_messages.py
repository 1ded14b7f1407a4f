"""Messages of a journal topic, and how far a partition is."""

from __future__ import annotations

from decimal import Decimal
from zlib import crc32

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.journal.distributed import message
from relay.journal.distributed.message import HEADER, LaterVersion
from relay.journal.distributed.progress import Progress, open_ranges
from relay.model import Arrival, Entry, Event, FieldIssue, Outcome, Reason, Refusal

EVENT = Event(
    "Purchase", "order-1", 1_789_981_200, b'{"event_id":"order-1"}', b"c" * 16, "no-1", "TEST1",
    Decimal("19.90"), "EUR", 3, (), (b"order-1", b"no-1"),
)  # fmt: skip
REFUSAL = Refusal(
    Outcome.INVALID, Reason.BAD_FIELD, "Purchase", None, "no-1", None,
    [FieldIssue("event_time", "missing")],
)  # fmt: skip


def there_and_back(arrival: Arrival, at: float = 5.25) -> message.Arrived:
    encoded = message.encode(arrival, at)
    return message.decode(7, encoded.key, encoded.value, encoded.headers)


def test_an_event_comes_back_as_an_entry_byte_for_byte() -> None:
    read = there_and_back(Arrival("http:r/0", "shop", "web", EVENT))

    assert read.entry(41) == Entry(
        41, 5.25, "http:r/0", "shop", "Purchase", "order-1", 1_789_981_200, "no-1", "TEST1",
        "19.90", "EUR", 3, EVENT.wire,
    )  # fmt: skip
    assert (read.offset, read.claim, read.refusal) == (7, EVENT.claim, None)
    assert list(read.prints) == [crc32(b"order-1"), crc32(b"no-1")]


def test_what_was_noted_at_the_door_travels_along() -> None:
    issues = (FieldIssue("user.phone", "not_a_phone"), FieldIssue("event_id", "derived"))
    noted = there_and_back(Arrival("http:r/0", "shop", "web", EVENT._replace(issues=issues)))
    sound = message.encode(Arrival("http:r/0", "shop", "web", EVENT), 5.25)

    assert tuple(noted.issues) == issues
    assert noted.test_event_code == "TEST1"
    assert there_and_back(Arrival("http:r/1", "shop", "web", REFUSAL)).issues == REFUSAL.errors
    assert "issues" not in orjson.loads(sound.headers[0][1])  # as an earlier release writes it
    assert list(message.decode(0, sound.key, sound.value, sound.headers).issues) == []


def test_a_refusal_comes_back_with_its_reason() -> None:
    read = there_and_back(Arrival("kafka:orders/0@1", "shop", "web", REFUSAL))

    assert read.refusal == REFUSAL
    assert (read.receipt, read.accepted_at) == ("kafka:orders/0@1", 5.25)


@pytest.mark.parametrize(
    "headers", [[], [(HEADER, b"nonsense")], [(HEADER, b"{}")], [(HEADER, b"[1]")]]
)
def test_what_no_relay_wrote_is_an_error_of_its_own(headers: list[tuple[str, bytes]]) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        message.decode(0, b"k" * 16, b"{}", headers)

    assert not isinstance(raised.value, LaterVersion)


def test_a_message_of_a_later_release_is_told_from_nonsense() -> None:
    encoded = message.encode(Arrival("http:r/0", "shop", "web", EVENT), 1.0)
    head = {**orjson.loads(encoded.headers[0][1]), "v": message.VERSION + 1}

    with pytest.raises(LaterVersion):
        message.decode(0, encoded.key, encoded.value, [(HEADER, orjson.dumps(head))])


def test_an_entry_can_be_packed_alone() -> None:
    entry = there_and_back(Arrival("http:r/0", "shop", "web", EVENT)).entry(3)

    assert message.unpack_entry(9, message.pack_entry(entry)) == entry._replace(seq=9)


@given(st.lists(st.tuples(st.integers(0, 8), st.sets(st.integers(0, 40), max_size=8)), max_size=12))
def test_progress_is_what_a_set_of_offsets_would_say(steps: list[tuple[int, set[int]]]) -> None:
    progress = Progress(1, 0, 0, ())
    claimed, done = 0, set[int]()
    for more, settled in steps:
        claimed += more
        known = {each for each in settled if each < claimed}
        done |= known
        progress = progress.after(claimed, known)

    assert progress.open == claimed - len(done)
    assert [each for each in range(claimed) if not progress.is_done(each)] == sorted(
        set(range(claimed)) - done
    )
    assert progress.low == min(set(range(claimed + 1)) - done)
    assert {
        each for start, end in open_ranges(progress, claimed) for each in range(start, end)
    } == set(range(claimed)) - done


@given(st.sets(st.integers(0, 30)), st.integers(0, 40))
def test_what_retention_took_is_done(done: set[int], behind: int) -> None:
    progress = Progress(1, 0, 0, ()).after(31, done).without(behind)

    assert all(progress.is_done(each) for each in range(behind))
    assert progress.low >= min(behind, 31)
    assert progress.claimed == max(31, behind)
