"""TikTok's answer, opened: whatever comes becomes an answer or a named failure."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.management.codes import Kind
from relay.management.endpoints import CAMPAIGN, REPORT
from relay.management.envelope import Answer, Exchange, Failure, opened
from relay.management.errors import (
    About,
    AnswerUnreadable,
    CallRefused,
    CredentialRefused,
    ManagementError,
    PermissionRefused,
    Retired,
    Throttled,
    TimedOut,
    Unreachable,
)
from relay.management.notices import NoticeKind
from relay.management.proof import Changed, Proof, key_by, page_of
from relay.management.retry import error_of

ABOUT = About("/campaign/get/")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(("code", "message", "request_id", "data", "list", "page_info", "pixels",
                         "total_number", "total_page", "extra_info", "cursor", "has_more")),
        inner,
    ),
    max_leaves=20,
)  # fmt: skip


def outcome(body: Any, *, status: int | None = 200, **more: Any) -> Answer | Failure:
    sent = body if isinstance(body, bytes) else orjson.dumps(body)
    return opened(Exchange(status, sent, **more), ABOUT, now=0, mask=lambda text: text)


def error(body: Any, **more: Any) -> ManagementError:
    found = outcome(body, **more)
    assert isinstance(found, Failure)
    return error_of(found)


def an_answer(**envelope: Any) -> Answer:
    found = outcome({"code": 0, "message": "OK", "request_id": "202611", "data": {}} | envelope)
    assert isinstance(found, Answer)
    return found


def test_a_success_is_code_0_in_an_answer_that_says_2xx() -> None:
    assert an_answer().about.request_id == "202611"
    assert isinstance(outcome({"code": 0, "data": {}}, status=500), Failure)
    assert isinstance(outcome({"code": False, "data": {}}), Failure)
    assert isinstance(outcome({"data": {}}), Failure)


def test_data_may_be_absent_but_not_another_thing() -> None:
    assert isinstance(outcome({"code": 0}), Answer)
    assert isinstance(outcome({"code": 0, "data": None}), Answer)
    assert isinstance(error({"code": 0, "data": []}), AnswerUnreadable)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (40002, CallRefused), (41001, Retired), (40105, CredentialRefused),
        (40001, PermissionRefused), (40100, Throttled), (50000, Unreachable), (51010, TimedOut),
        (12345, CallRefused),
    ],
)  # fmt: skip
def test_each_kind_of_code_has_its_error(code: int, kind: type[ManagementError]) -> None:
    found = error({"code": code, "message": "no such field: budget", "request_id": "2026"})

    assert type(found) is kind
    assert (found.code, found.request_id, found.endpoint) == (code, "2026", "/campaign/get/")
    assert "no such field: budget" in str(found)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, CredentialRefused), (403, PermissionRefused), (404, CallRefused), (302, CallRefused),
        (429, Throttled), (500, Unreachable), (502, Unreachable), (504, TimedOut), (408, TimedOut),
        (200, AnswerUnreadable),
    ],
)  # fmt: skip
def test_without_an_envelope_the_status_decides(status: int, kind: type[ManagementError]) -> None:
    assert type(error(b"<html>", status=status)) is kind


def test_no_answer_in_time_is_a_time_out_and_no_connection_is_none() -> None:
    assert type(error(b"", status=None, error="timeout")) is TimedOut
    assert type(error(b"", status=None, error="connect", sent=False)) is Unreachable


def test_retry_after_is_read() -> None:
    found = outcome({"code": 40100}, retry_after="7")

    assert isinstance(found, Failure)
    assert found.retry_after_s == 7


@pytest.mark.parametrize(
    ("envelope", "more", "kind"),
    [
        ({"code": 20001}, {}, NoticeKind.PARTIAL),
        ({}, {"throttle": "only return the top 20k id's results"}, NoticeKind.IDS_CUT),
        ({"extra_info": {"search_ads_throttle": "x"}}, {}, NoticeKind.SEARCH_ADS_CUT),
        ({"extra_info": {"uv_invalid": True}}, {}, NoticeKind.UV_MISSING),
    ],
)
def test_what_is_said_beside_an_answer_makes_it_incomplete(
    envelope: dict[str, Any], more: dict[str, Any], kind: NoticeKind
) -> None:
    found = outcome({"code": 0, "data": {}} | envelope, **more)

    assert isinstance(found, Answer)
    assert [(each.kind, each.incomplete) for each in found.notices] == [(kind, True)]


def test_messages_lose_secrets_and_what_could_be_somebody_s() -> None:
    exchange = Exchange(200, orjson.dumps({"code": 40105, "message": "token abc of a@b.example"}))

    found = opened(exchange, ABOUT, now=0, mask=lambda text: text.replace("abc", "<hidden>"))

    assert isinstance(found, Failure)
    assert found.message == "token <hidden> of <email>"


@given(st.binary(max_size=200) | json_values.map(lambda value: orjson.dumps(value, default=str)
                                                 if _fits(value) else b"{}"),
       st.none() | st.integers(100, 599))  # fmt: skip
def test_arbitrary_bytes_are_an_answer_or_a_named_failure(body: bytes, status: int | None) -> None:
    found = outcome(body, status=status)

    if isinstance(found, Failure):
        assert isinstance(error_of(found), ManagementError)
        assert found.meaning.kind is not Kind.OK


def _fits(value: object) -> bool:
    """orjson writes no integers beyond 64 bits."""
    try:
        orjson.dumps(value)
    except (orjson.JSONEncodeError, UnicodeEncodeError):
        return False
    return True


# --- pages ----------------------------------------------------------------------------------------


def page(ids: list[int], *, total: int, pages: int) -> Any:
    rows = [{"campaign_id": str(each)} for each in ids]
    info = {"page": 1, "page_size": 1000, "total_number": total, "total_page": pages}
    return page_of(CAMPAIGN, an_answer(data={"list": rows, "page_info": info}))


def proof() -> Proof:
    return Proof(CAMPAIGN, key_by(CAMPAIGN))


def test_pages_that_agree_are_one_list() -> None:
    found = proof()

    found.take(page([3, 2], total=3, pages=2), 1)
    found.take(page([1], total=3, pages=2), 2)
    found.end()

    assert (found.rows, found.total) == (3, 3)


def test_a_leaf_proves_what_its_page_does_and_keeps_no_rows() -> None:
    found = proof()
    first, second = page([3, 2], total=3, pages=2), page([2], total=3, pages=2)

    leaf = found.leaf(first)
    found.take(leaf, 1)

    assert (leaf.count, leaf.total, leaf.pages) == (2, 3, 2)
    assert leaf.body == first.answer.body
    with pytest.raises(Changed, match="repeats a row"):
        found.take(found.leaf(second), 2)


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (page([1], total=4, pages=2), "another number of rows"),
        (page([2], total=3, pages=2), "repeats a row"),
        (page([], total=3, pages=2), "empty"),
        (page([1, 0], total=3, pages=2), "more rows"),
    ],
)
def test_a_page_that_changed_under_the_reader_is_noticed(second: Any, reason: str) -> None:
    found = proof()
    found.take(page([3, 2], total=3, pages=2), 1)

    with pytest.raises(Changed, match=reason):
        found.take(second, 2)


def test_rows_that_were_counted_and_did_not_come_are_missed() -> None:
    found = proof()
    found.take(page([3], total=2, pages=1), 1)

    with pytest.raises(Changed, match="not all rows"):
        found.end()


def test_a_count_of_pages_that_cannot_be_is_not_believed() -> None:
    with pytest.raises(AnswerUnreadable, match="total_page"):
        proof().take(page([1], total=10**12, pages=2), 1)


@given(json_values)
def test_arbitrary_data_is_a_page_or_a_named_error(data: Any) -> None:
    found = outcome({"code": 0, "data": data}) if _fits(data) else None
    if not isinstance(found, Answer):
        return
    for endpoint in (CAMPAIGN, REPORT):
        reading = Proof(endpoint, key_by(endpoint))
        try:
            reading.take(page_of(endpoint, found), 1)
            reading.end()
        except (ManagementError, Changed):
            pass
