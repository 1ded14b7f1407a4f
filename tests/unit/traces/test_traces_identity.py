"""A receipt names its trace: the same for all events of a request, another for any other one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.traces.identity import (
    Sampler,
    attempt_of,
    batch_of,
    below,
    read_traceparent,
    request_of,
    root_of,
)

ids = st.text("0123456789abcdef", min_size=1, max_size=30)
topics = st.text("abcABC019._-", min_size=1, max_size=20)
numbers = st.integers(0, 2**63)
receipts = st.one_of(
    st.builds("http:{}/{}".format, ids, numbers),
    st.builds("kafka:{}/{}@{}".format, topics, numbers, numbers),
    st.builds("import:{}/{}".format, ids, numbers),
    st.builds("replay:{}/0".format, ids),
)


def trace(receipt: str) -> int:
    return root_of(request_of(receipt)).trace_id


@pytest.mark.parametrize(
    ("receipt", "request_part"),
    [
        ("http:0192f3a4b5c6/0", "http:0192f3a4b5c6"),
        ("http:0192f3a4b5c6/999", "http:0192f3a4b5c6"),
        ("kafka:shop.orders/3@17", "kafka:shop.orders/3@17"),
        ("kafka:shop.orders/3@17.2", "kafka:shop.orders/3@17"),
        ("import:9f86d081884c/12", "import:9f86d081884c/12"),
        ("import:9f86d081884c/12.1", "import:9f86d081884c/12"),
        ("replay:web-000000000001/0", "replay:web-000000000001"),
        ("", ""),
        ("damaged", "damaged"),
    ],
)
def test_the_part_that_a_request_s_events_have_in_common(receipt: str, request_part: str) -> None:
    assert request_of(receipt) == request_part


def test_the_ids_of_a_receipt_are_these_for_ever() -> None:
    """Entries that wait in a journal are traced on by the next release, and by other replicas."""
    root = root_of("http:0192f3a4b5c6")

    assert root.trace == "bf04c211b8f4182d04ee0255f79d1778"
    assert f"{root.span_id:016x}" == "5b9eb50488f4036b"


@given(ids, numbers, numbers)
def test_events_of_one_request_share_a_trace(request_id: str, one: int, other: int) -> None:
    assert trace(f"http:{request_id}/{one}") == trace(f"http:{request_id}/{other}")


@given(receipts, receipts)
def test_requests_do_not_share_one(one: str, other: str) -> None:
    assert (trace(one) == trace(other)) == (request_of(one) == request_of(other))


@given(st.text(st.characters(), max_size=60))
def test_whatever_a_damaged_receipt_is_it_has_an_identity(receipt: str) -> None:
    root = root_of(request_of(receipt))

    assert 0 < root.trace_id < 2**128
    assert 0 < root.span_id < 2**64


@given(ids, st.lists(st.text(max_size=10), unique=True, max_size=10))
def test_spans_below_a_root_stay_in_its_trace_and_differ(request_id: str, names: list[str]) -> None:
    root = root_of(f"http:{request_id}")
    spans = [below(root, name) for name in names]

    assert {each.trace_id for each in spans} <= {root.trace_id}
    assert len({root, *spans}) == len(names) + 1


@given(ids)
def test_an_attempt_and_a_batch_have_traces_of_their_own(name: str) -> None:
    contexts = (root_of(f"web/{name}"), attempt_of("web", name), batch_of(f"web/{name}"))

    assert len({each.trace_id for each in contexts}) == 3


# --- sampling -------------------------------------------------------------------------------------


@given(receipts, st.floats(0, 1), st.floats(0, 1))
def test_what_a_ratio_keeps_a_higher_one_keeps(receipt: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    if Sampler(low).keeps(trace(receipt)):
        assert Sampler(high).keeps(trace(receipt))


@given(receipts)
def test_one_keeps_all_and_nought_none(receipt: str) -> None:
    assert Sampler(1.0).keeps(trace(receipt))
    assert not Sampler(0.0).keeps(trace(receipt))


def test_every_process_and_release_keeps_the_same_traces() -> None:
    """Who accepts and who delivers never speak of it: what one keeps the other has to keep."""
    kept = [n for n in range(40) if Sampler(0.25).keeps(trace(f"http:{n:x}/0"))]

    assert kept == [5, 6, 8, 10, 13, 19, 22, 23, 28, 31, 39]


@pytest.mark.parametrize("ratio", [0.001, 0.01, 0.5, 0.9])
def test_the_share_that_is_kept_is_the_ratio(ratio: float) -> None:
    sampler = Sampler(ratio)
    kept = sum(sampler.keeps(trace(f"http:{number:x}/0")) for number in range(50_000))

    expected = 50_000 * ratio
    assert abs(kept - expected) < 5 * (expected * (1 - ratio)) ** 0.5 + 1


@given(st.lists(receipts, max_size=30), st.sampled_from([0.0, 0.3, 1.0]))
def test_many_receipts_are_judged_as_each_alone(several: list[str], ratio: float) -> None:
    sampler = Sampler(ratio)

    assert list(sampler.roots_of(several)) == [
        sampler.root_of(request_of(each)) for each in several
    ]


def test_the_trace_of_a_receipt_is_told_where_it_is_kept() -> None:
    assert Sampler(1.0).trace_of("http:a/3") == root_of("http:a").trace
    assert Sampler(0.0).trace_of("http:a/3") is None


# --- a sender's own span --------------------------------------------------------------------------

GOOD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_traceparent_is_read() -> None:
    context = read_traceparent(GOOD)

    assert context is not None
    assert context.trace == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert context.span_id == 0x00F067AA0BA902B7
    assert read_traceparent(f"cc{GOOD[2:]}-what.comes.later") == context


@pytest.mark.parametrize(
    "value",
    [
        None, "", "canary@example.com", GOOD.upper(), f"{GOOD}-more", f"ff{GOOD[2:]}", GOOD[:-1],
        f"{GOOD}\n", f" {GOOD}", "00-" + "0" * 32 + GOOD[35:], GOOD[:36] + "0" * 16 + "-01",
    ],
)  # fmt: skip
def test_what_is_none_is_passed_over(value: str | None) -> None:
    assert read_traceparent(value) is None


@given(st.text(max_size=80))
def test_nothing_that_a_sender_writes_there_raises(value: str) -> None:
    context = read_traceparent(value)

    assert context is None or context.trace in value
