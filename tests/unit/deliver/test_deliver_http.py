"""The sender against real sockets: what came back, and whether the request may have arrived."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from relay.deliver.http import MAX_ANSWER_BYTES, Sender
from relay.deliver.verdict import Reply, VerdictKind, read

TOKEN = "a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0"
BODY = b'{"event_source":"web","event_source_id":"C0","data":[{}]}'

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def reply_of(
    aiohttp_server: AiohttpServer, handler: Handler, total_timeout_s: float = 5
) -> Reply:
    """What `Sender.send` makes of a server with this handler."""
    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.router.add_post("/open_api/v1.3/event/track/", handler)
    server = await aiohttp_server(app)
    async with Sender(
        str(server.make_url("/open_api/v1.3")), total_timeout_s=total_timeout_s
    ) as sender:
        return await sender.send(TOKEN, BODY)


@asynccontextmanager
async def a_peer(peer: Peer) -> AsyncIterator[int]:
    """A bare TCP server that does what `peer` does; yields its port."""
    talks: list[asyncio.Task[None]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await peer(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.create_task(talk(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.gather(*talks)


async def reply_of_peer(peer: Peer, *, scheme: str = "http", total_timeout_s: float = 5) -> Reply:
    async with (
        a_peer(peer) as port,
        Sender(
            f"{scheme}://127.0.0.1:{port}/open_api/v1.3/", total_timeout_s=total_timeout_s
        ) as sender,
    ):
        return await sender.send(TOKEN, BODY)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(len(BODY))


def judged(reply: Reply) -> tuple[VerdictKind, bool]:
    verdict = read(reply, 1, now=0)
    return verdict.kind, verdict.unknown


# --- answers --------------------------------------------------------------------------------------


async def test_a_request_carries_the_token_and_the_bytes_as_they_are(
    aiohttp_server: AiohttpServer,
) -> None:
    seen: list[tuple[str, str, bytes]] = []

    async def track(request: web.Request) -> web.Response:
        headers = request.headers
        seen.append((headers["Access-Token"], headers["Content-Type"], await request.read()))
        return web.json_response({"code": 0, "message": "OK"}, headers={"Retry-After": "3"})

    reply = await reply_of(aiohttp_server, track)

    assert seen == [(TOKEN, "application/json", BODY)]
    assert reply == Reply(200, b'{"code": 0, "message": "OK"}', retry_after="3")
    assert judged(reply) == (VerdictKind.DELIVERED, False)


async def test_a_page_of_a_gateway_is_an_answer_too(aiohttp_server: AiohttpServer) -> None:
    async def track(request: web.Request) -> web.Response:
        return web.Response(status=502, text="<html>nginx</html>", content_type="text/html")

    reply = await reply_of(aiohttp_server, track)

    assert (reply.status, reply.body, reply.error) == (502, b"<html>nginx</html>", None)
    assert judged(reply) == (VerdictKind.RETRY, True)


async def test_an_endless_answer_is_cut(aiohttp_server: AiohttpServer) -> None:
    async def track(request: web.Request) -> web.Response:
        return web.Response(body=b'{"code":0,"message":"' + b"x" * 1_000_000 + b'"}')

    reply = await reply_of(aiohttp_server, track)

    assert len(reply.body) == MAX_ANSWER_BYTES
    assert judged(reply) == (VerdictKind.RETRY, True)


async def test_a_redirect_is_not_followed(aiohttp_server: AiohttpServer) -> None:
    seen = []

    async def track(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=307, headers={"Location": "/open_api/v1.3/event/track/"})

    reply = await reply_of(aiohttp_server, track)

    assert len(seen) == 1
    assert judged(reply) == (VerdictKind.PAUSE_CONFIG, False)


async def test_a_body_of_several_megabytes_arrives_whole(aiohttp_server: AiohttpServer) -> None:
    large = b"x" * (3 * 1024 * 1024)
    sizes = []

    async def track(request: web.Request) -> web.Response:
        sizes.append(len(await request.read()))
        return web.json_response({"code": 0})

    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.router.add_post("/event/track/", track)
    server = await aiohttp_server(app)
    async with Sender(str(server.make_url("/"))) as sender:
        reply = await sender.send(TOKEN, large)

    assert (reply.status, sizes) == (200, [len(large)])


async def test_cookies_are_not_kept(aiohttp_server: AiohttpServer) -> None:
    seen = []

    async def track(request: web.Request) -> web.Response:
        seen.append(dict(request.cookies))
        response = web.json_response({"code": 0})
        response.set_cookie("session", "x")
        return response

    app = web.Application()
    app.router.add_post("/event/track/", track)
    server = await aiohttp_server(app)
    async with Sender(str(server.make_url("/"))) as sender:
        await sender.send(TOKEN, BODY)
        await sender.send(TOKEN, BODY)

    assert seen == [{}, {}]


# --- nothing was sent -----------------------------------------------------------------------------


async def test_a_refused_connection_sent_nothing(unused_tcp_port: int) -> None:
    async with Sender(f"http://127.0.0.1:{unused_tcp_port}") as sender:
        reply = await sender.send(TOKEN, BODY)

    assert reply == Reply(None, error="connect", sent=False)
    assert judged(reply) == (VerdictKind.RETRY, False)


async def test_a_failed_tls_handshake_sent_nothing() -> None:
    async def no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    reply = await reply_of_peer(no_tls, scheme="https")

    assert reply == Reply(None, error="tls", sent=False)


async def test_a_handshake_that_never_ends_sent_nothing() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with (
        a_peer(silent) as port,
        Sender(f"https://127.0.0.1:{port}", connect_timeout_s=0.2) as sender,
    ):
        reply = await sender.send(TOKEN, BODY)

    assert reply == Reply(None, error="connect_timeout", sent=False)


@pytest.mark.parametrize("token", ["", "with\nnewline", "with\r", "tökén", "tab\there"])
async def test_a_token_that_is_no_header_value_is_never_sent(
    unused_tcp_port: int, token: str
) -> None:
    async with Sender(f"http://127.0.0.1:{unused_tcp_port}") as sender:
        reply = await sender.send(token, BODY)

    assert reply == Reply(None, error="bad_token", sent=False)
    assert judged(reply)[0] is VerdictKind.PAUSE_CREDENTIAL


# --- it may have arrived --------------------------------------------------------------------------


async def test_a_connection_reset_after_the_request_leaves_the_outcome_unknown() -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.transport.abort()

    reply = await reply_of_peer(reset)

    assert (reply.status, reply.sent) == (None, True)
    assert reply.error in {"reset", "disconnected"}
    assert judged(reply) == (VerdictKind.RETRY, True)


async def test_an_answer_that_does_not_come_in_time_leaves_the_outcome_unknown() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    reply = await reply_of_peer(silent, total_timeout_s=0.3)

    assert reply == Reply(None, error="timeout", sent=True)
    assert judged(reply) == (VerdictKind.RETRY, True)


async def test_an_answer_that_drips_beyond_the_time_leaves_the_outcome_unknown(
    aiohttp_server: AiohttpServer,
) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            for _ in range(200):
                await response.write(b" ")
                await asyncio.sleep(0.02)
        except ConnectionError:
            pass
        return response

    reply = await reply_of(aiohttp_server, drip, total_timeout_s=0.3)

    assert reply == Reply(200, error="timeout", sent=True)
    assert judged(reply) == (VerdictKind.RETRY, True)


async def test_an_answer_that_breaks_off_leaves_the_outcome_unknown() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"code": 0')
        await writer.drain()

    reply = await reply_of_peer(half)

    assert reply == Reply(200, error="broken_answer", sent=True)
    assert judged(reply) == (VerdictKind.RETRY, True)


async def test_an_answer_that_is_not_http_leaves_the_outcome_unknown() -> None:
    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"220 smtp.example ready\r\n\r\n")
        await writer.drain()

    reply = await reply_of_peer(garbage)

    assert reply == Reply(None, error="broken_answer", sent=True)
    assert judged(reply) == (VerdictKind.RETRY, True)


async def test_a_kept_connection_that_was_just_closed_leaves_the_outcome_unknown() -> None:
    """The server may have read the request before it hung up: never sent twice behind our back."""
    requests = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await read_request(reader))
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"code":0}')
        requests.append(await read_request(reader))

    async with a_peer(once) as port, Sender(f"http://127.0.0.1:{port}") as sender:
        first = await sender.send(TOKEN, BODY)
        second = await sender.send(TOKEN, BODY)

    assert judged(first) == (VerdictKind.DELIVERED, False)
    assert second == Reply(None, error="disconnected", sent=True)
    assert judged(second) == (VerdictKind.RETRY, True)
    assert len(requests) == 2


# --- opening and leaving --------------------------------------------------------------------------


async def test_a_cancelled_request_is_cancelled() -> None:
    arrived = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        arrived.set()
        await reader.read()

    async with a_peer(silent) as port, Sender(f"http://127.0.0.1:{port}") as sender:
        request = asyncio.create_task(sender.send(TOKEN, BODY))
        await arrived.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request


async def test_a_sender_that_is_not_open_says_so() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Sender("http://127.0.0.1").send(TOKEN, BODY)


async def test_a_reply_never_holds_the_token(unused_tcp_port: int) -> None:
    async with Sender(f"http://127.0.0.1:{unused_tcp_port}") as sender:
        assert TOKEN not in repr(await sender.send(TOKEN, BODY))
        assert TOKEN not in repr(vars(sender))
