"""The three ways to say what became of a request."""

from __future__ import annotations

import orjson
import pytest

from relay.errors import (
    JournalFull,
    JournalUnavailable,
    PayloadRefused,
    SignatureRefused,
    UnknownSource,
)
from relay.ingest import refusals
from relay.ingest.answers import CANONICAL, Answer
from relay.ingest.envelope import ENVELOPE
from relay.ingest.protocol import InvalidItem, Mismatch, Nothing, Taken
from relay.ingest.refusals import Refused, TurnedAway, refusal_of
from relay.ingest.silence import SILENT
from relay.model import FieldIssue

NO_TIME = InvalidItem(1, "order-7", [FieldIssue("event_time", "missing")])
NO_OBJECT = InvalidItem(0, None, [FieldIssue("", "not_an_object")])

EVERY_REFUSAL = [each for each in vars(refusals).values() if isinstance(each, Refused)]


def told(answer: Answer) -> dict[str, object]:
    """The JSON of an answer."""
    value = orjson.loads(answer.body)
    assert isinstance(value, dict)
    return value


# --- ours ---------------------------------------------------------------------------------------


def test_what_was_taken_is_told_with_its_counts() -> None:
    answer = CANONICAL.taken(Taken("r1", 3, 2, duplicates=1))

    assert answer.status == 202
    assert told(answer) == {"request_id": "r1", "accepted": 2, "duplicates": 1, "invalid": []}


def test_invalid_events_are_named_by_index_id_and_fields() -> None:
    answer = CANONICAL.taken(Taken("r1", 2, 1, invalid=[NO_TIME]))

    assert answer.status == 202
    assert told(answer)["invalid"] == [
        {
            "index": 1,
            "event_id": "order-7",
            "errors": [{"field": "event_time", "reason": "missing"}],
        }
    ]


def test_all_invalid_is_422_and_nothing_at_all_is_202() -> None:
    assert CANONICAL.taken(Taken("r1", 2, 0, invalid=[NO_OBJECT, NO_TIME])).status == 422
    assert CANONICAL.taken(Taken("r1", 2, 0, duplicates=1, invalid=[NO_TIME])).status == 202
    assert CANONICAL.taken(Taken("r1", 0, 0)).status == 202


def test_events_that_ended_at_once_are_counted_so_that_the_sum_is_right() -> None:
    answer = told(CANONICAL.taken(Taken("r1", 4, 1, 1, ended=1, invalid=[NO_TIME])))

    invalid = answer["invalid"]
    assert isinstance(invalid, list)
    assert answer["ended"] == 1
    assert answer["accepted"] == answer["duplicates"] == len(invalid) == 1


def test_a_missing_and_a_wrong_key_are_told_the_same() -> None:
    missing, wrong = CANONICAL.refused(refusals.NO_KEY), CANONICAL.refused(refusals.WRONG_KEY)

    assert missing == wrong
    assert b"WWW-Authenticate: Bearer\r\n" in missing.head


def test_an_answer_travels_with_date_length_and_if_asked_the_end_of_the_connection() -> None:
    answer = CANONICAL.refused(refusals.BUSY)

    message = answer.message(date=b"Sun, 06 Nov 1994 08:49:37 GMT", close=True)
    head, body = message.split(b"\r\n\r\n")
    assert head.decode().split("\r\n") == [
        "HTTP/1.1 503 Service Unavailable",
        "Content-Type: application/json",
        "Retry-After: 1",
        "Date: Sun, 06 Nov 1994 08:49:37 GMT",
        "Connection: close",
        f"Content-Length: {len(body)}",
    ]
    assert body == answer.body
    assert b"Connection" not in answer.message(date=b"", close=False)
    assert answer.message(date=b"", close=False, with_body=False).endswith(b"\r\n\r\n")


@pytest.mark.parametrize("refused", EVERY_REFUSAL, ids=lambda refused: refused.reason)
def test_every_refusal_can_be_told_in_every_dialect(refused: Refused) -> None:
    for dialect in (CANONICAL, ENVELOPE, SILENT):
        answer = dialect.refused(refused)
        assert answer.head.startswith(f"HTTP/1.1 {answer.status} ".encode())
        assert answer.head.endswith(b"\r\n")
        assert (b"Retry-After: " in answer.head) == (refused.retry_after_s is not None)


# --- TikTok's -----------------------------------------------------------------------------------


def test_the_drop_in_says_code_0_when_all_was_taken() -> None:
    answer = ENVELOPE.taken(Taken("r1", 2, 1, duplicates=1))

    assert answer.status == 200
    assert told(answer) == {"code": 0, "message": "OK", "request_id": "r1", "data": {}}


def test_the_drop_in_names_the_invalid_by_their_place_in_the_batch() -> None:
    answer = told(ENVELOPE.taken(Taken("r1", 2, 1, invalid=[NO_TIME])))

    assert answer["code"] == 20001
    assert answer["data"] == {
        "failed_events": [
            {
                "order_in_batch": 1,
                "event_id": "order-7",
                "errors": [{"field": "event_time", "reason": "missing"}],
            }
        ]
    }


def test_the_drop_in_says_40002_with_a_path_when_all_are_invalid() -> None:
    nameless = InvalidItem(0, None, [])

    assert told(ENVELOPE.taken(Taken("r1", 1, 0, invalid=[nameless])))["code"] == 40002
    answer = told(ENVELOPE.taken(Taken("r1", 2, 0, invalid=[NO_TIME, NO_OBJECT])))
    assert answer["code"] == 40002
    assert answer["message"] == "Batch.1.event_time: missing."


def test_the_drop_in_says_40001_for_another_event_source_than_the_key_s() -> None:
    answer = told(ENVELOPE.taken(Mismatch("event_source_id")))

    assert answer["code"] == 40001
    assert answer["message"] == (
        "No permission: event_source_id does not match the destination of this key."
    )


@pytest.mark.parametrize(
    ("refused", "status", "code"),
    [
        (refusals.NO_KEY, 200, 40104),
        (refusals.WRONG_KEY, 200, 40105),
        (refusals.BAD_ENCODING, 200, 40002),
        (refusals.TOO_LARGE, 413, 40002),
        (refusals.ENCODED, 415, 40002),
        (refusals.BODY_TIMEOUT, 408, 50000),
        (refusals.UNAVAILABLE, 503, 50000),
        (refusals.FULL, 503, 50000),
        (refusals.FAILED, 500, 50000),
    ],
)
def test_the_drop_in_refuses_in_tiktok_s_codes(refused: Refused, status: int, code: int) -> None:
    answer = ENVELOPE.refused(refused)

    assert answer.status == status
    assert told(answer)["code"] == code
    assert told(answer)["data"] == {}


# --- a webhook's --------------------------------------------------------------------------------


def test_a_webhook_hears_200_and_nothing_else_whatever_became_of_it() -> None:
    outcomes = (
        Taken("r1", 1, 1),
        Taken("r1", 1, 0, duplicates=1),
        Taken("r1", 1, 0, invalid=[NO_TIME]),
        Nothing("topic"),
    )

    assert {SILENT.taken(outcome) for outcome in outcomes} == {
        Answer(200, b"HTTP/1.1 200 OK\r\n", b"")
    }


def test_a_webhook_is_refused_without_a_word() -> None:
    assert SILENT.refused(refusals.SIGNATURE) == Answer(401, b"HTTP/1.1 401 Unauthorized\r\n", b"")
    assert SILENT.refused(refusals.FULL).head == (
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\n"
    )


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (PayloadRefused("not_json"), 400, "not_json"),
        (PayloadRefused("too_many"), 413, "too_many"),
        (PayloadRefused("too_large"), 413, "too_large"),
        (PayloadRefused("too_complex"), 413, "too_complex"),
        (PayloadRefused("a_new_word"), 400, "a_new_word"),
        (SignatureRefused("mismatch"), 401, "signature"),
        (UnknownSource("unknown_source"), 404, "unknown_source"),
        (JournalFull(), 503, "journal_full"),
        (JournalUnavailable(), 503, "journal_unavailable"),
        (ConnectionResetError(), 400, "sender_gone"),
        (TurnedAway(refusals.BUSY), 503, "too_many_bytes"),
    ],
)
def test_each_error_means_one_refusal(error: Exception, status: int, reason: str) -> None:
    refused = refusal_of(error)

    assert refused is not None
    assert (refused.status, refused.reason) == (status, reason)


def test_an_error_that_nobody_foresaw_means_none() -> None:
    assert refusal_of(KeyError("event")) is None


def test_every_refusal_that_the_door_counts_is_foreseen() -> None:
    """What is not in the list begins with its first request, which Prometheus does not see rise."""
    named = {each for each in vars(refusals).values() if isinstance(each, refusals.Refused)}

    assert set(refusals.REFUSALS) == named - {refusals.SIGNATURE}
