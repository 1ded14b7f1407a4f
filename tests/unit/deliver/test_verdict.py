from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.deliver.codes import MEANINGS
from relay.deliver.verdict import Reply, Verdict, VerdictKind, read
from relay.model import Reason

K = VerdictKind
HTML_502 = b"<html>\r\n<head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


def answer(code: Any, message: str = "said", status: int | None = 200, **data: Any) -> Reply:
    body = {"code": code, "message": message, "request_id": "2026ABC", "data": data}
    return Reply(status, orjson.dumps(body))


def judge(reply: Reply, events: int = 3) -> Verdict:
    return read(reply, events, now=1_792_567_620.0)


# --- success --------------------------------------------------------------------------------------


def test_code_0_delivers() -> None:
    verdict = judge(answer(0, "OK"))

    assert verdict.kind is K.DELIVERED
    assert verdict.reason is Reason.ACCEPTED
    assert (verdict.code, verdict.message, verdict.request_id) == (0, "OK", "2026ABC")
    assert verdict.status == 200
    assert not verdict.unknown


def test_a_repeated_request_counts_as_delivered_with_its_own_reason() -> None:
    verdict = judge(answer(40050))

    assert (verdict.kind, verdict.reason) == (K.DELIVERED, Reason.ALREADY_RECEIVED)


@pytest.mark.parametrize("status", [199, 301, 400, 401, 403, 429, 500, 502, 503])
def test_a_success_in_an_answer_that_says_it_is_none_is_not_believed(status: int) -> None:
    assert judge(answer(0, status=status)).kind is not K.DELIVERED
    assert judge(answer(40050, status=status)).kind is not K.DELIVERED


@pytest.mark.parametrize("code", [False, None, "", "OK", 0.0, 0.5, [], {}, "-0", "0x0", "\uff11"])
def test_what_only_resembles_code_0_is_no_success(code: object) -> None:
    verdict = judge(answer(code))

    assert (verdict.kind, verdict.unknown, verdict.code) == (K.RETRY, True, None)


def test_a_code_in_quotes_is_read() -> None:
    assert judge(answer("40105")).kind is K.PAUSE_CREDENTIAL
    assert judge(answer("0")).kind is K.DELIVERED


@given(st.integers(-(2**63), 2**64 - 1), st.sampled_from([200, 201, 400, 500]))
def test_no_code_but_two_ever_delivers_everything(code: int, status: int) -> None:
    delivered = judge(answer(code, status=status)).kind is K.DELIVERED

    assert not delivered or (code in (0, 40050) and status < 300)


# --- refusals -------------------------------------------------------------------------------------


REFUSALS = sorted(code for code, meaning in MEANINGS.items() if meaning.kind is K.REJECT)


@pytest.mark.parametrize("code", [*REFUSALS, 40061, 42000])
def test_a_refusal_of_several_splits_and_of_one_rejects(code: int) -> None:
    several, one = judge(answer(code), events=2), judge(answer(code), events=1)

    assert several.kind is K.SPLIT
    assert one.kind is K.REJECT
    assert one.reason is several.reason is not None


def test_a_refusal_names_the_culprit() -> None:
    reply = answer(40002, "Batch.2.properties.contents.0.content_id: Not a valid string")

    assert judge(reply, events=3).culprit == 2
    assert judge(reply, events=2).culprit is None


@pytest.mark.parametrize(
    "message", ["Batch.x.event", "Batch.", "Rebatch.1.event", "Batch.-1.event", "", "Batch.9999999"]
)
def test_a_message_that_names_nobody_names_nobody(message: str) -> None:
    assert judge(answer(40002, message)).culprit is None


def test_an_unknown_code_is_marked_for_the_log() -> None:
    assert not judge(answer(42000)).known
    assert judge(answer(40002)).known
    assert judge(Reply(502, HTML_502)).known


# --- partial success ------------------------------------------------------------------------------


def places(*orders: object) -> dict[str, Any]:
    return {"failed_events": [{"order_in_batch": order} for order in orders]}


def test_a_partial_success_names_those_that_failed() -> None:
    verdict = judge(answer(20001, **places(2, 0, 2)))

    assert (verdict.kind, verdict.failed) == (K.PARTIAL, (0, 2))
    assert verdict.reason is Reason.FAILED_IN_BATCH


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"failed_events": None},
        {"failed_events": []},
        {"failed_events": {"order_in_batch": 1}},
        {"failed_events": [1]},
        {"failed_events": [{"order": 1}]},
        places(3),
        places(-1),
        places(0, 3),
        places(True),
        places("1"),
        places(1.0),
        places(None),
    ],
)
def test_a_partial_success_that_cannot_be_attributed_is_none(data: dict[str, Any]) -> None:
    """Some failed and nobody says which: ask again in parts, and believe no part of it."""
    verdict = judge(answer(20001, **data))

    assert (verdict.kind, verdict.failed) == (K.SPLIT, ())


def test_a_partial_success_of_one_event_that_names_nobody_is_a_refusal() -> None:
    verdict = judge(answer(20001), events=1)

    assert (verdict.kind, verdict.reason) == (K.REJECT, Reason.FAILED_IN_BATCH)


# --- lanes: throttles, failures, pauses -----------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind", "slow"),
    [
        (40100, K.THROTTLED, False),
        (40132, K.THROTTLED, True),
        (61000, K.THROTTLED, True),
        (60001, K.RETRY, True),
        (50000, K.RETRY, False),
        (40105, K.PAUSE_CREDENTIAL, False),
        (40001, K.PAUSE_CONFIG, False),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("events", [1, 1000])
def test_the_body_decides_whatever_the_http_status_says(
    code: int, kind: VerdictKind, slow: bool, status: int, events: int
) -> None:
    verdict = judge(answer(code, status=status), events=events)

    assert (verdict.kind, verdict.slow, verdict.reason) == (kind, slow, None)


@pytest.mark.parametrize(
    ("status", "kind", "unknown"),
    [
        (200, K.RETRY, True),
        (204, K.RETRY, True),
        (302, K.PAUSE_CONFIG, False),
        (400, K.RETRY, False),
        (401, K.PAUSE_CREDENTIAL, False),
        (403, K.PAUSE_CONFIG, False),
        (404, K.PAUSE_CONFIG, False),
        (408, K.RETRY, False),
        (413, K.SPLIT, False),
        (422, K.RETRY, False),
        (425, K.RETRY, False),
        (429, K.THROTTLED, False),
        (500, K.RETRY, True),
        (502, K.RETRY, True),
        (503, K.RETRY, True),
        (504, K.RETRY, True),
    ],
)
@pytest.mark.parametrize("body", [b"", HTML_502, b"[]", b'{"error": 1}', b'{"code": 0', b"\xff"])
def test_without_a_readable_code_the_http_status_decides(
    status: int, kind: VerdictKind, unknown: bool, body: bytes
) -> None:
    verdict = judge(Reply(status, body))

    assert (verdict.kind, verdict.unknown) == (kind, unknown)
    assert (verdict.code, verdict.status) == (None, status)


def test_one_event_that_is_too_large_for_the_way_is_rejected_as_such() -> None:
    verdict = judge(Reply(413, b""), events=1)

    assert (verdict.kind, verdict.reason) == (K.REJECT, Reason.TOO_LARGE)


def test_without_an_answer_it_matters_whether_the_request_left() -> None:
    assert judge(Reply(None, error="connect", sent=False)) == Verdict(
        K.RETRY, "NOT_PROCESSED", error="connect"
    )
    assert judge(Reply(None, error="timeout")) == Verdict(
        K.RETRY, "UNREADABLE", unknown=True, error="timeout"
    )


def test_a_token_that_cannot_be_sent_pauses_the_lane() -> None:
    assert judge(Reply(None, error="bad_token", sent=False)).kind is K.PAUSE_CREDENTIAL


def test_a_wish_to_wait_is_read_with_any_verdict() -> None:
    assert judge(Reply(503, b"", retry_after="7")).retry_after_s == 7.0
    assert judge(Reply(429, b"", retry_after="Wed, 21 Oct 2026 07:28:00 GMT")).retry_after_s == 60


def test_what_tiktok_says_is_scrubbed() -> None:
    verdict = judge(answer(40002, "bad value jane@example.com"))

    assert verdict.message == "bad value <email>"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 70_000) | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["code", "message", "request_id", "data", "failed_events", "order_in_batch"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(
    st.binary(max_size=50) | JSON.map(orjson.dumps),
    st.none() | st.integers(100, 599),
    st.integers(1, 1000),
    st.none() | st.text(max_size=20),
    st.booleans(),
)
def test_any_answer_has_a_verdict(
    body: bytes, status: int | None, events: int, retry_after: str | None, sent: bool
) -> None:
    verdict = judge(Reply(status, body, retry_after, None, sent), events)

    assert all(0 <= place < events for place in verdict.failed)
    assert (verdict.kind is K.PARTIAL) == bool(verdict.failed)
    assert verdict.culprit is None or 0 <= verdict.culprit < events
    assert verdict.kind is not K.REJECT or (events == 1 and verdict.reason is not None)
    assert verdict.kind is not K.SPLIT or events > 1
