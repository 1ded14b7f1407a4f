"""What the public listener does not let anybody do to it, and how it leaves."""

from __future__ import annotations

import asyncio
import gzip
import random
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from relay.ingest.protocol import Taken

Post = Callable[..., bytes]
Houses = Callable[..., Awaitable[Any]]

# --- size ----------------------------------------------------------------------------------------


async def test_a_body_that_announces_too_much_is_413_before_it_is_sent(
    houses: Houses, event: Post
) -> None:
    house = await houses(max_body_bytes=1000)
    sender = await house.sender()

    heard = await sender.ask(event(b"", Content_Length="1001"))

    assert heard.status == 413
    assert heard.headers["connection"] == "close"
    assert house.refused() == {"too_large": 1}


async def test_a_small_body_over_the_limit_is_413_too(houses: Houses, event: Post) -> None:
    house = await houses(max_body_bytes=10)

    assert (await house.ask(event(b"1" * 10))).status == 202
    assert (await house.ask(event(b"1" * 11))).status == 413


async def test_a_body_in_chunks_is_cut_where_it_gets_too_large(houses: Houses, event: Post) -> None:
    house = await houses(max_body_bytes=1000)
    sender = await house.sender()
    await sender.send(event(b"", Transfer_Encoding="chunked"))

    heard = await sender.ask(b"3e9\r\n" + b"1" * 1001 + b"\r\n")

    assert heard.status == 413
    assert house.door.asked == []


async def test_a_bomb_is_413(houses: Houses, event: Post) -> None:
    house = await houses(max_body_bytes=1_000_000)
    bomb = gzip.compress(bytes(30_000_000))
    assert len(bomb) < 100_000

    assert (await house.ask(event(bomb, Content_Encoding="gzip"))).status == 413
    assert house.door.asked == []


async def test_bodies_that_are_being_stored_count_until_they_are(
    houses: Houses, event: Post
) -> None:
    house = await houses(max_pending_bytes=1000)
    house.door.open.clear()
    first = await house.sender()
    await first.send(event(b"1" * 600))
    await house.asked()

    refused = await house.ask(event(b"1" * 401))

    assert refused.status == 503
    assert refused.headers["retry-after"] == "1"
    assert orjson.loads(refused.body)["error"] == "too_many_bytes"
    second = await house.sender()
    await second.send(event(b"1" * 400))
    await house.asked(2)
    house.door.open.set()
    assert [(await each.hear()).status for each in (first, second)] == [202, 202]
    assert (await house.ask(event(b"1" * 1000))).status == 202


async def test_what_was_refused_or_failed_does_not_count_for_ever(
    houses: Houses, event: Post
) -> None:
    house = await houses(max_pending_bytes=100_000, max_body_bytes=50_000)
    house.door.says = ZeroDivisionError()

    for _ in range(5):
        assert (await house.ask(event(b"1" * 40_000))).status == 500
        bomb = event(gzip.compress(bytes(60_000)), Content_Encoding="gzip")
        assert (await house.ask(bomb)).status == 413
        broken = event(gzip.compress(bytes(40_000))[:-1], Content_Encoding="gzip")
        assert (await house.ask(broken)).status == 400
        others = house.listener.connections
        left = await house.sender()
        await left.send(event(b"1" * 40_000, Content_Length="50000"))
        await house.connected(others + 1)
        left.writer.close()
        await house.connected(others)

    house.door.says = Taken("r1", 1, 1)
    whole = event(gzip.compress(bytes(50_000)), Content_Encoding="gzip")
    assert (await house.ask(whole)).status == 202


async def test_a_packed_and_an_unpacked_body_both_count_and_both_are_forgotten(
    houses: Houses, event: Post
) -> None:
    house = await houses(max_pending_bytes=50_000, max_body_bytes=50_000)
    noise = random.Random(1)

    for size, status in ((20_000, 202), (30_000, 503), (20_000, 202), (20_000, 202)):
        body = gzip.compress(noise.randbytes(size))
        assert (await house.ask(event(body, Content_Encoding="gzip"))).status == status


async def test_strangers_that_send_slowly_cannot_keep_senders_with_a_key_out(
    houses: Houses, event: Post, post: Post
) -> None:
    house = await houses(max_pending_bytes=100_000, max_body_bytes=40_000)
    strangers = [await house.sender() for _ in range(3)]
    heads = post("/webhooks/shop", b"", Content_Length="40000")

    for stranger in strangers[:2]:
        await stranger.send(heads + b"1" * 20_000)
    third = await strangers[2].ask(heads + b"1" * 20_000)

    assert third.status == 503
    assert (await house.ask(event(b"1" * 40_000))).status == 202
    assert (await house.ask(post("/webhooks/shop", b"1" * 1000))).status == 200


# --- time ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [b"", b"P", b"POST /v1/events HTTP/1.1\r\nHost: relay\r\nX: "])
async def test_who_does_not_finish_its_headers_is_cut_off(houses: Houses, start: bytes) -> None:
    house = await houses(header_timeout=10.0)
    sender = await house.sender()
    await sender.send(start)
    await house.connected(1)

    await house.clock.advance(9)
    await house.connected(1)
    await house.clock.advance(4)

    assert await sender.is_closed()
    assert house.refused() == {"header_timeout": 1}


async def test_a_byte_now_and_then_does_not_help(houses: Houses) -> None:
    house = await houses(header_timeout=10.0)
    sender = await house.sender()
    await sender.send(b"POST / HTTP/1.1\r\nX: ")
    await house.connected(1)

    for _ in range(13):
        if not sender.writer.is_closing():
            sender.writer.write(b"a")
        await house.clock.advance(1)

    assert await sender.is_closed()


async def test_an_idle_connection_may_rest_but_not_begin_and_stop(
    houses: Houses, event: Post
) -> None:
    house = await houses(header_timeout=10.0)
    sender = await house.sender()
    await sender.ask(event())

    await house.clock.advance(500)
    assert (await sender.ask(event())).status == 202
    await house.clock.advance(500)
    await sender.send(event()[:30])
    # Only another connection's answer shows that those thirty bytes have been read.
    assert (await house.ask(event())).status == 202
    await house.clock.advance(15)

    assert await sender.is_closed()


async def test_waiting_for_the_journal_is_not_the_sender_s_fault(
    houses: Houses, event: Post
) -> None:
    house = await houses(header_timeout=10.0)
    house.door.open.clear()
    sender = await house.sender()
    await sender.send(event())
    await house.asked()

    await house.clock.advance(100)
    house.door.open.set()

    assert (await sender.hear()).status == 202


async def test_a_body_that_does_not_come_is_408(houses: Houses, event: Post) -> None:
    house = await houses(body_timeout=0.1)
    sender = await house.sender()

    heard = await sender.ask(event(b"[1,", Content_Length="100"))

    assert heard.status == 408
    assert heard.headers["connection"] == "close"
    assert house.refused() == {"body_timeout": 1}


async def test_who_does_not_take_its_answer_is_cut_off(houses: Houses, post: Post) -> None:
    house = await houses(body_timeout=0.1)
    sender = await house.sender()
    requests = post("/nowhere", b"") * 1000

    async def talk_and_never_listen() -> None:
        while True:
            await sender.send(requests)

    with pytest.raises(ConnectionError):
        await talk_and_never_listen()

    assert house.refused()["answer_unread"] == 1


# --- number -------------------------------------------------------------------------------------


async def test_when_all_places_are_busy_the_next_one_is_503(houses: Houses, event: Post) -> None:
    house = await houses(max_connections=2)
    house.door.open.clear()
    busy = [await house.sender(), await house.sender()]
    for each in busy:
        await each.send(event())
    await house.asked(2)

    late = await house.sender()
    heard = await late.hear()

    assert heard.status == 503
    assert heard.headers["retry-after"] == "1"
    assert await late.is_closed()
    assert house.refused() == {"too_many_connections": 1}
    house.door.open.set()
    assert [(await each.hear()).status for each in busy] == [202, 202]


async def test_when_all_places_are_taken_the_longest_idle_one_makes_way(
    houses: Houses, event: Post
) -> None:
    house = await houses(max_connections=2)
    older, newer = await house.sender(), await house.sender()
    await older.ask(event())
    await house.clock.advance(5)
    await newer.ask(event())

    assert (await house.ask(event())).status == 202
    assert await older.is_closed()
    assert (await newer.ask(event())).status == 202


# --- leaving ------------------------------------------------------------------------------------


async def test_while_it_drains_everybody_new_is_503_and_the_rest_is_answered(
    house: Any, event: Post, post: Post
) -> None:
    house.door.open.clear()
    under_way, idle = await house.sender(), await house.sender()
    await under_way.send(event())
    await house.asked()
    await house.connected(2)

    await house.listener.stop_accepting()

    heard = await idle.ask(event())
    assert heard.status == 503
    assert heard.headers["retry-after"] == "5"
    assert await idle.is_closed()
    assert (await house.ask(post("/webhooks/shop"))).status == 503
    house.door.open.set()
    answered = await under_way.hear()
    assert answered.status == 202
    assert answered.headers["connection"] == "close"
    assert house.refused() == {"draining": 2}


async def test_a_lame_duck_serves_everybody_and_ends_their_connections(
    house: Any, event: Post
) -> None:
    known = await house.sender()
    assert (await known.ask(event())).status == 202

    house.listener.send_elsewhere()

    for sender in (known, await house.sender()):
        heard = await sender.ask(event())
        assert heard.status == 202
        assert heard.headers["connection"] == "close"
        assert await sender.is_closed()
    assert house.refused() == {}


async def test_closing_waits_for_requests_under_way(house: Any, event: Post) -> None:
    house.door.open.clear()
    under_way, idle = await house.sender(), await house.sender()
    await under_way.send(event())
    await house.asked()
    await house.connected(2)

    address = house.listener.address
    closing = asyncio.create_task(house.listener.close())
    assert await idle.is_closed()
    house.door.open.set()

    assert (await under_way.hear()).status == 202
    await closing
    await house.listener.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)


async def test_closing_does_not_wait_for_a_body_that_nobody_wants(house: Any, post: Post) -> None:
    sender = await house.sender()
    assert (await sender.ask(post("/nowhere", b"", Content_Length="1000"))).status == 404

    async with asyncio.timeout(3):
        await house.listener.close()

    assert await sender.is_closed()


async def test_an_address_that_is_taken_is_an_error(houses: Houses) -> None:
    first = await houses()

    with pytest.raises(OSError, match="in use"):
        await houses(address=first.listener.address)
