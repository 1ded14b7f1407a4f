"""What happened, as spans: of a closed list, bounded, and pointing at each other."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from relay.model import Attempt, Entry, Outcome, Reason, Settlement
from relay.traces import Moment
from relay.traces.arriving import MAX_TRACES
from relay.traces.catalogue import SPANS
from relay.traces.delivering import of_attempt, of_expiry
from relay.traces.identity import Sampler, attempt_of, request_of, root_of
from relay.traces.span import Span

ALL = Sampler(1.0)
DELIVERED = (Outcome.DELIVERED, Reason.ACCEPTED)
REJECTED = (Outcome.REJECTED, Reason.FAILED_IN_BATCH)


def entry(seq: int, receipt: str) -> Entry:
    body = b'{"event_id":"canary","user":{"email":"canary"}}'
    return Entry(
        seq, 1.0, receipt, "shop", "Canary", "canary", 1, "canary", None, "9", "EUR", 3, body
    )


def entries(*receipts: str) -> list[Entry]:
    return [entry(seq, receipt) for seq, receipt in enumerate(receipts, 1)]


def attempt(events: int, **changes: object) -> Attempt:
    fields: dict[str, object] = {
        "verdict": "delivered", "status": 200, "code": 0, "request_id": "2026ABC",
        "message": "canary",
    }  # fmt: skip
    return Attempt(
        "a1",
        "web",
        2,
        1000.0,
        0.25,
        events,
        999,
        **{**fields, **changes},  # type: ignore[arg-type]  # a test's table
    )


def told(spans: Sequence[Span], name: str) -> list[Span]:
    return [each for each in spans if each.name == name]


def spans_of(sent: Sequence[Entry], *settled: Settlement, **changes: object) -> list[Span]:
    return list(of_attempt(ALL, attempt(len(sent), **changes), sent, settled))


def test_an_attempt_and_the_requests_it_carried_point_at_each_other() -> None:
    sent = entries("http:a/0", "http:a/1", "kafka:t/0@7")

    spans = spans_of(sent, Settlement(sent, *DELIVERED))

    (deliver,) = told(spans, "relay.deliver")
    roots = [root_of("http:a"), root_of("kafka:t/0@7")]
    assert deliver.context == attempt_of("web", "a1")
    assert sorted(deliver.links) == sorted(roots)
    assert (deliver.start_ns, deliver.end_ns) == (10**12, 10**12 + 250_000_000)
    answers = {each.parent: each for each in told(spans, "relay.answer")}
    assert sorted(each for each in answers if each) == sorted(roots)
    assert [answers[each].attributes["relay.events"] for each in roots] == [2, 1]
    for root, answer in answers.items():
        assert root is not None
        assert answer.context.trace_id == root.trace_id
        assert answer.links == (deliver.context,)
        assert answer.attributes["tiktok.request_id"] == "2026ABC"
        assert answer.attributes["relay.outcome"] == "delivered"


def test_a_partial_success_is_told_by_what_became_of_each() -> None:
    sent = entries("http:a/0", "http:a/1", "http:b/0")
    settled = [Settlement(sent[1:], *DELIVERED), Settlement(sent[:1], *REJECTED)]

    spans = spans_of(sent, *settled, verdict="partial", code=20001)

    ends = {
        (each.parent, each.attributes["relay.outcome"]): (
            each.failed,
            "error.type" in each.attributes,
        )
        for each in told(spans, "relay.answer")
    }
    a, b = root_of("http:a"), root_of("http:b")
    assert ends == {
        (a, "delivered"): (False, False),
        (a, "rejected"): (True, True),
        (b, "delivered"): (False, False),
    }
    assert len({each.context for each in spans}) == len(spans)


def test_what_waits_for_another_attempt_has_no_outcome() -> None:
    spans = spans_of(entries("http:a/0"), verdict="retry", status=None, code=None, error="timeout")

    (answer,) = told(spans, "relay.answer")
    assert "relay.outcome" not in answer.attributes
    assert answer.attributes["error.type"] == "timeout"
    assert answer.failed
    assert "http.response.status_code" not in answer.attributes


def test_an_attempt_without_a_sampled_request_is_not_told() -> None:
    assert list(of_attempt(Sampler(0.0), attempt(1), entries("http:a/0"), [])) == []


def test_a_full_batch_of_single_events_tells_of_a_bounded_number_the_same_each_time() -> None:
    sent = entries(*(f"http:{number:x}/0" for number in range(1000)))

    first = spans_of(sent, verdict="retry")
    again = spans_of(sent[:900], Settlement(sent[:900], *DELIVERED))

    (deliver,) = told(first, "relay.deliver")
    assert len(deliver.links) == len(told(first, "relay.answer")) == MAX_TRACES
    assert deliver.attributes["relay.sampled"] == 1000
    before = {each.parent for each in told(first, "relay.answer")}
    after = {each.parent for each in told(again, "relay.answer")}
    kept = {root_of(request_of(each.receipt)) for each in sent[:900]}
    assert before & kept <= after


def test_what_grew_too_old_is_told_in_its_own_trace() -> None:
    spans = list(
        of_expiry(ALL, "web", entries("http:a/0", "http:a/1"), Reason.WAITED_TOO_LONG, 5.0)
    )

    (expire,) = spans
    assert expire.parent == root_of("http:a")
    assert expire.attributes["relay.events"] == 2
    assert expire.attributes["relay.reason"] == "waited_too_long"


def test_many_that_grew_too_old_at_once_are_told_of_in_a_bounded_number() -> None:
    old = entries(*(f"http:{number:x}/0" for number in range(1000)))

    assert len(list(of_expiry(ALL, "web", old, Reason.WAITED_TOO_LONG, 5.0))) == MAX_TRACES


receipts = st.builds("http:{}/{}".format, st.sampled_from("abcdef"), st.integers(0, 3))
ends = st.sampled_from([None, DELIVERED, REJECTED])


@given(st.lists(st.tuples(receipts, ends), min_size=1, max_size=30), st.floats(0, 1))
def test_every_entry_of_a_sampled_request_is_counted_once_by_how_it_ended(
    sent: list[tuple[str, tuple[Outcome, Reason] | None]], ratio: float
) -> None:
    every = entries(*(receipt for receipt, _ in sent))
    settled = [Settlement([each], *end) for each, (_, end) in zip(every, sent, strict=True) if end]

    spans = list(of_attempt(Sampler(ratio), attempt(len(sent)), every, settled))

    counted: dict[tuple[object, object], int] = {}
    for each in told(spans, "relay.answer"):
        outcome = each.attributes.get("relay.outcome")
        counted[each.parent, outcome] = int(each.attributes["relay.events"])
    expected: dict[tuple[object, object], int] = {}
    for receipt, end in sent:
        root = root_of(request_of(receipt))
        if Sampler(ratio).keeps(root.trace_id):
            key = (root, end[0].value if end else None)
            expected[key] = expected.get(key, 0) + 1
    assert counted == expected
    for span in spans:
        assert set(span.attributes) <= SPANS[span.name].attributes
        assert "canary" not in repr(span).lower()


def test_a_clock_that_steps_back_makes_no_span_end_before_it_began() -> None:
    assert Moment(100.0, 7.0).ns(6.0) == 100 * 10**9
