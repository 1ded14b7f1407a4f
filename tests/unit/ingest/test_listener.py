"""What senders hear from the public listener, over real sockets."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from relay.errors import (
    JournalFull,
    JournalUnavailable,
    PayloadRefused,
    SignatureRefused,
    UnknownSource,
)
from relay.ingest.protocol import InvalidItem, Mismatch, Nothing, Taken
from relay.model import FieldIssue

Post = Callable[..., bytes]

BAD = InvalidItem(0, None, [FieldIssue("event", "missing")])


# --- POST /v1/events ----------------------------------------------------------------------------


async def test_events_are_taken_and_counted(house: Any, event: Post) -> None:
    house.door.says = Taken("r1", 2, 1, duplicates=1)

    heard = await house.ask(event(b'[{"event":"a"},{"event":"b"}]'))

    assert heard.status == 202
    assert orjson.loads(heard.body) == {
        "request_id": "r1",
        "accepted": 1,
        "duplicates": 1,
        "invalid": [],
    }
    assert heard.headers["content-type"] == "application/json"
    assert house.door.asked == [("conversions", "backend", b'[{"event":"a"},{"event":"b"}]')]


async def test_nothing_tells_which_software_answers(house: Any, event: Post) -> None:
    heard = await house.ask(event())

    assert set(heard.headers) == {"content-type", "date", "content-length"}
    assert heard.headers["date"] == "thu, 28 may 2026 20:26:40 gmt"


async def test_events_that_are_all_invalid_are_422(house: Any, event: Post) -> None:
    house.door.says = Taken("r1", 1, 0, invalid=[BAD])

    heard = await house.ask(event())

    assert heard.status == 422
    assert house.accepted() == 0


async def test_only_what_was_answered_2xx_is_timed(house: Any, event: Post) -> None:
    await house.ask(event())
    assert house.accepted() == 1

    house.door.says = JournalFull()
    await house.ask(event())
    assert house.accepted() == 1


async def test_a_missing_and_a_wrong_key_hear_the_same(house: Any, post: Post) -> None:
    missing = await house.ask(post("/v1/events"))
    wrong = await house.ask(post("/v1/events", Authorization="Bearer key-of-backenD"))
    other_scheme = await house.ask(post("/v1/events", Authorization="Basic key-of-backend"))

    assert missing == wrong == other_scheme
    assert missing.status == 401
    assert missing.headers["www-authenticate"] == "bearer"
    assert house.door.asked == []
    assert house.refused() == {"no_key": 2, "wrong_key": 1}


async def test_a_replaced_key_works_at_once(house: Any, post: Post) -> None:
    house.keys.replace({"backend": ["renewed"]})

    assert (await house.ask(post("/v1/events", Authorization="Bearer renewed"))).status == 202
    old = await house.ask(post("/v1/events", Authorization="Bearer key-of-backend"))
    assert old.status == 401


@pytest.mark.parametrize(
    ("error", "status", "reason", "retry_after"),
    [
        (PayloadRefused("not_json"), 400, "not_json", None),
        (PayloadRefused("too_many"), 413, "too_many", None),
        (JournalUnavailable(), 503, "journal_unavailable", "5"),
        (JournalFull(), 503, "journal_full", "30"),
    ],
)
async def test_what_the_door_refuses_is_told_with_its_word(
    house: Any, event: Post, error: Exception, status: int, reason: str, retry_after: str | None
) -> None:
    house.door.says = error

    heard = await house.ask(event())

    assert heard.status == status
    assert orjson.loads(heard.body)["error"] == reason
    assert heard.headers.get("retry-after") == retry_after
    assert house.refused() == {reason: 1}


async def test_what_nobody_foresaw_is_500_and_logged_without_its_text(
    house: Any, event: Post
) -> None:
    house.door.says = KeyError("anna@example.com")

    sender = await house.sender()
    heard = await sender.ask(event())

    assert heard.status == 500
    lines = house.lines.getvalue()
    assert b'"task.failed"' in lines
    assert b"KeyError" in lines
    assert b"anna" not in heard.body + lines
    house.door.says = Taken("r1", 1, 1)
    assert (await sender.ask(event())).status == 202


async def test_gzip_is_decoded_for_senders_with_a_key(house: Any, event: Post) -> None:
    body = b'[{"event":"Purchase"}]' * 100

    heard = await house.ask(event(gzip.compress(body), Content_Encoding="gzip"))

    assert heard.status == 202
    assert house.door.asked[0][2] == body


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
async def test_other_encodings_are_415_and_told_which_is_taken(
    house: Any, event: Post, encoding: str
) -> None:
    heard = await house.ask(event(b"{}", Content_Encoding=encoding))

    assert heard.status == 415
    assert heard.headers["accept-encoding"] == "gzip"


async def test_identity_is_no_encoding(house: Any, event: Post) -> None:
    assert (await house.ask(event(b"{}", Content_Encoding="identity"))).status == 202


async def test_a_broken_gzip_is_400(house: Any, event: Post) -> None:
    heard = await house.ask(event(b"{}", Content_Encoding="gzip"))

    assert heard.status == 400
    assert orjson.loads(heard.body)["error"] == "bad_encoding"


async def test_a_body_in_chunks_is_put_together(house: Any, event: Post) -> None:
    chunks = b"3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n"

    heard = await house.ask(event(chunks, Transfer_Encoding="chunked"))

    assert heard.status == 202
    assert house.door.asked[0][2] == b"[1,2]"


async def test_a_body_larger_than_every_buffer_arrives_whole(house: Any, event: Post) -> None:
    body = b"[" + b"1," * 2_000_000 + b"1]"

    heard = await house.ask(event(body))

    assert heard.status == 202
    assert house.door.asked[0][2] == body


async def test_a_request_without_a_body_is_the_door_s_to_refuse(house: Any, event: Post) -> None:
    house.door.says = PayloadRefused("not_json")

    assert (await house.ask(event(b""))).status == 400
    assert house.door.asked == [("conversions", "backend", b"")]


# --- the drop-in --------------------------------------------------------------------------------

TRACK = "/open_api/v1.3/event/track/"


@pytest.mark.parametrize("path", [TRACK, TRACK.rstrip("/")])
async def test_the_drop_in_answers_in_tiktok_s_envelope(house: Any, post: Post, path: str) -> None:
    heard = await house.ask(post(path, b'{"data":[]}', Access_Token="key-of-backend"))

    assert heard.status == 200
    assert orjson.loads(heard.body) == {
        "code": 0,
        "message": "OK",
        "request_id": "r1",
        "data": {},
    }
    assert house.door.asked == [("event_track", "backend", b'{"data":[]}')]


async def test_the_drop_in_tells_a_missing_key_from_a_wrong_one_as_tiktok_does(
    house: Any, post: Post
) -> None:
    missing = await house.ask(post(TRACK, Authorization="Bearer key-of-backend"))
    wrong = await house.ask(post(TRACK, Access_Token="stale"))

    assert (missing.status, orjson.loads(missing.body)["code"]) == (200, 40104)
    assert (wrong.status, orjson.loads(wrong.body)["code"]) == (200, 40105)


@pytest.mark.parametrize(
    ("says", "status", "code"),
    [
        (Mismatch("event_source"), 200, 40001),
        (Taken("r1", 2, 1, invalid=[BAD]), 200, 20001),
        (Taken("r1", 1, 0, invalid=[BAD]), 200, 40002),
        (PayloadRefused("no_data"), 200, 40002),
        (PayloadRefused("too_many"), 413, 40002),
        (JournalUnavailable(), 503, 50000),
        (ZeroDivisionError(), 500, 50000),
    ],
)
async def test_the_drop_in_says_everything_in_codes(
    house: Any, post: Post, says: Any, status: int, code: int
) -> None:
    house.door.says = says

    heard = await house.ask(post(TRACK, Access_Token="key-of-backend"))

    assert (heard.status, orjson.loads(heard.body)["code"]) == (status, code)


# --- webhooks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "says",
    [Taken("r1", 1, 1), Taken("r1", 1, 0, invalid=[BAD]), Nothing("ping")],
)
async def test_a_webhook_hears_200_and_nothing_more(house: Any, post: Post, says: Any) -> None:
    house.door.says = says

    heard = await house.ask(post("/webhooks/shop", b"{}"))

    assert (heard.status, heard.body) == (200, b"")
    assert set(heard.headers) == {"date", "content-length"}


async def test_a_webhook_s_body_and_headers_reach_the_door_as_they_are(
    house: Any, post: Post
) -> None:
    body = '{"email" : "ü"}\r\n '.encode()

    await house.ask(
        post("/webhooks/shop?source=x", body, X_Shopify_Topic="orders/paid", X_Sig="AbC=")
    )

    ((kind, source, received, headers),) = house.door.asked
    assert (kind, source, received) == ("webhook", "shop", body)
    assert headers["x-shopify-topic"] == "orders/paid"
    assert headers["x-sig"] == "AbC="
    assert all(name == name.lower() for name in headers)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SignatureRefused("mismatch"), 401),
        (PayloadRefused("not_json"), 400),
        (PayloadRefused("too_large"), 413),
        (UnknownSource("unknown_source"), 404),
        (JournalFull(), 503),
        (ZeroDivisionError(), 500),
    ],
)
async def test_a_webhook_is_refused_without_a_word(
    house: Any, post: Post, error: Exception, status: int
) -> None:
    house.door.says = error

    heard = await house.ask(post("/webhooks/shop"))

    assert (heard.status, heard.body) == (status, b"")


async def test_signatures_are_counted_behind_the_door_not_here(house: Any, post: Post) -> None:
    house.door.says = SignatureRefused("mismatch")

    await house.ask(post("/webhooks/shop"))

    assert house.refused() == {}


async def test_a_source_that_does_not_exist_is_404_before_its_body_is_read(
    house: Any, post: Post
) -> None:
    heard = await house.ask(post("/webhooks/nobody", b"", Content_Length="1000000"))

    assert heard.status == 404
    assert heard.headers["connection"] == "close"
    assert house.door.asked == []


async def test_a_stranger_cannot_make_us_unpack_anything(house: Any, post: Post) -> None:
    heard = await house.ask(
        post("/webhooks/shop", gzip.compress(bytes(1_000_000)), Content_Encoding="gzip")
    )

    assert heard.status == 415
    assert house.door.asked == []


# --- everything else ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/v1/event", "/webhooks", "/healthz", "/metrics"])
async def test_other_addresses_are_404(house: Any, post: Post, path: str) -> None:
    heard = await house.ask(post(path))

    assert heard.status == 404
    assert orjson.loads(heard.body)["error"] == "not_found"


@pytest.mark.parametrize("path", ["/v1/events", TRACK, "/webhooks/shop"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_other_methods_are_405(house: Any, post: Post, path: str, method: str) -> None:
    heard = await house.ask(post(path, b"", method=method))

    assert heard.status == 405
    assert heard.headers["allow"] == "post"
    assert house.door.asked == []


async def test_head_hears_the_head_and_no_body(house: Any, post: Post) -> None:
    sender = await house.sender()

    await sender.send(post("/nowhere", b"", method="HEAD"))

    head = await sender.reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert (await sender.ask(post("/nowhere"))).status == 404


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS\r\n\r\n",
        b"good morning, relay\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_400_without_an_echo(house: Any, nonsense: bytes) -> None:
    sender = await house.sender()

    heard = await sender.ask(nonsense)

    assert heard.status == 400
    assert orjson.loads(heard.body)["error"] == "malformed_http"
    assert await sender.is_closed()
    assert house.refused() == {"malformed_http": 1}


async def test_a_body_that_breaks_off_in_its_chunks_is_400(house: Any, event: Post) -> None:
    sender = await house.sender()

    await sender.send(event(b"5\r\n[1,2", Transfer_Encoding="chunked"))
    heard = await sender.ask(b"]nonsense\r\n\r\n")

    assert heard.status == 400
    assert await sender.is_closed()
    assert house.door.asked == []


# --- connections --------------------------------------------------------------------------------


async def test_a_connection_serves_many_requests(house: Any, event: Post, post: Post) -> None:
    sender = await house.sender()

    for _ in range(3):
        assert (await sender.ask(event())).status == 202
        assert (await sender.ask(post("/v1/events"))).status == 401
    assert house.listener.connections == 1


async def test_requests_sent_in_one_go_are_answered_in_order(house: Any, event: Post) -> None:
    sender = await house.sender()

    await sender.send(event(b"1") + event(b"2") + event(b"3"))

    assert [(await sender.hear()).status for _ in range(3)] == [202, 202, 202]
    assert [body for _, _, body in house.door.asked] == [b"1", b"2", b"3"]


async def test_who_wants_to_end_the_connection_is_let_go(house: Any, event: Post) -> None:
    sender = await house.sender()

    heard = await sender.ask(event(Connection="close"))

    assert heard.headers["connection"] == "close"
    assert await sender.is_closed()


async def test_http_1_0_is_answered_and_closed(house: Any, event: Post) -> None:
    sender = await house.sender()

    heard = await sender.ask(event().replace(b"HTTP/1.1", b"HTTP/1.0"))

    assert heard.status == 202
    assert await sender.is_closed()


async def test_who_asks_first_is_told_to_send_its_body(house: Any, event: Post) -> None:
    sender = await house.sender()
    head, body = event(b"[1]", Expect="100-continue").split(b"\r\n\r\n")

    assert (await sender.ask(head + b"\r\n\r\n")).status == 100
    assert (await sender.ask(body)).status == 202


async def test_who_asks_first_with_a_wrong_key_never_sends_its_body(house: Any, post: Post) -> None:
    request = post("/v1/events", b"", Expect="100-continue", Content_Length="1000")

    heard = await house.ask(request)

    assert heard.status == 401
    assert heard.headers["connection"] == "close"


async def test_a_sender_that_leaves_while_it_sends_leaves_nothing_behind(
    house: Any, event: Post
) -> None:
    sender = await house.sender()
    await sender.send(event(b"[1", Content_Length="1000"))
    await house.connected(1)

    sender.writer.close()

    await house.connected(0)
    assert house.door.asked == []
    assert (await house.ask(event())).status == 202


async def test_events_are_taken_even_if_their_sender_leaves_before_the_answer(
    house: Any, event: Post
) -> None:
    house.door.open.clear()
    sender = await house.sender()
    await sender.send(event(b"[1]"))
    await house.asked()

    sender.writer.close()
    await house.connected(0)
    house.door.open.set()

    assert (await house.ask(event())).status == 202
    assert house.accepted() == 2
