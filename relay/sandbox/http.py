"""The stand-in as an aiohttp application, and how it is run. The only file here that does I/O.

Everything is decided before this file waits or writes: a call is answered, and its events counted,
in one step without an `await`, so no two calls mix.
"""

from __future__ import annotations

import asyncio
import gc
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Final, NamedTuple

import orjson
from aiohttp import hdrs, web

from relay.clock import Clock
from relay.errors import ConfigError, Mistake
from relay.sandbox import events, gateway, inspection
from relay.sandbox.ads.model import AdWorld
from relay.sandbox.inspection import QUESTIONS, Question
from relay.sandbox.marketing import (
    accounts,
    campaigns,
    consent,
    oauth,
    pixels,
    report_tasks,
    reports,
    tools,
)
from relay.sandbox.plan import FaultPlan
from relay.sandbox.profiles import PROFILES, named, plan_from_text
from relay.sandbox.settings import SandboxSettings
from relay.sandbox.world import JSON, Call, Reply, Route, World

WORLD: Final = web.AppKey("world", World)
CLOCK: Final = web.AppKey("clock", Clock)
STOPPING: Final = web.AppKey("stopping", asyncio.Event)

#: The families of TikTok's API that are stood in for.
FAMILIES: Final[tuple[tuple[Route, ...], ...]] = (
    events.ROUTES,
    consent.ROUTES,
    oauth.ROUTES,
    accounts.ROUTES,
    campaigns.ROUTES,
    pixels.ROUTES,
    tools.ROUTES,
    reports.ROUTES,
    report_tasks.ROUTES,
)

#: Bodies of a full batch are read with few pauses.
_READ_BYTES: Final = 1024 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Running(NamedTuple):
    """A stand-in that listens; `base_url` is what a relay's `tiktok.base_url` is set to."""

    url: str
    base_url: str
    world: World


def create_app(
    settings: SandboxSettings, clock: Clock, *, ads: AdWorld | None = None
) -> web.Application:
    """The stand-in, ready to be served; `ads` are the ad accounts it plays."""
    # Chance here decides faults, not secrets.
    chance = random.Random(settings.seed)  # noqa: S311  # see above
    app = web.Application(client_max_size=settings.max_body_bytes)
    app[WORLD] = World(settings, started_at=clock.now(), roll=chance.random, ads=ads)
    app[CLOCK] = clock
    app[STOPPING] = asyncio.Event()
    app.on_shutdown.append(_stop)
    for question in QUESTIONS:
        app.router.add_route(question.method, question.path, _asking(question))
    for route in (route for family in FAMILIES for route in family):
        app.router.add_route(route.method, route.path, _answering(route))
    app.router.add_route("*", gateway.NOT_FOUND.path, _answering(gateway.NOT_FOUND))
    return app


@asynccontextmanager
async def running(
    settings: SandboxSettings,
    clock: Clock,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ads: AdWorld | None = None,
) -> AsyncIterator[Running]:
    """Serve within the block; port 0 takes a free one. Leaving resets what still waits.

    `ads` are the ad accounts that are played, a small one that stands still by default.
    """
    app = create_app(settings, clock, ads=ads)
    # A handler whose client has gone is cancelled: a hung or slow answer holds nothing.
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,
        handle_signals=False,
        read_bufsize=_READ_BYTES,
        shutdown_timeout=1.0,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
        bound = runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        url = f"http://{shown}:{bound[1]}"
        yield Running(url, f"{url}/open_api/v1.3", app[WORLD])
    finally:
        await runner.cleanup()


async def serve(  # noqa: PLR0913  # what to serve, where, and until when
    settings: SandboxSettings,
    clock: Clock,
    *,
    host: str = "127.0.0.1",
    port: int = 8090,
    ads: AdWorld | None = None,
    ready: Callable[[Running], None],
    stop: asyncio.Event,
) -> None:
    """Serve until `stop` is set. `ready` is told the address as soon as it listens.

    For a process of its own: the garbage collector is asked to look less often.
    """
    # A thousand parsed events are sixteen thousand new objects, all gone with the request.
    gc.set_threshold(100_000, 20, 50)
    async with running(settings, clock, host=host, port=port, ads=ads) as sandbox:
        ready(sandbox)
        await stop.wait()


def load_faults(given: str) -> FaultPlan:
    """What `--faults` names: profiles (`real`, or `real,limit`), or a JSON or TOML file.

    Raises `ConfigError` with every mistake.
    """
    if given.partition(",")[0].strip() in PROFILES:
        return named(given)
    path = Path(given)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        problem = f"{given!r} is neither a profile nor a readable file ({type(exc).__name__})"
        mend = f"Profiles: {', '.join(PROFILES)}."
        raise ConfigError([Mistake("faults", problem, mend)]) from exc
    return plan_from_text(text, is_toml=path.suffix == ".toml")


async def _stop(app: web.Application) -> None:
    app[STOPPING].set()


def _now(request: web.Request) -> float:
    return request.app[WORLD].time(request.app[CLOCK].now())


async def _call(request: web.Request) -> Call:
    return Call(
        request.method,
        request.path,
        request.query,
        request.headers.get("Access-Token"),
        request.content_type,
        request.headers.get(hdrs.CONTENT_ENCODING, "").lower(),
        await request.read(),
        str(request.url.origin()),
    )


def _asking(question: Question) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        call = await _call(request)
        page = inspection.ask(question, request.app[WORLD], call, now=_now(request))
        return web.Response(status=page.status, body=orjson.dumps(page.document), content_type=JSON)

    return handle


def _answering(route: Route) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        world = request.app[WORLD]
        world.begin_call()
        try:
            return await _answer(request, route)
        finally:
            world.end_call()

    return handle


async def _answer(request: web.Request, route: Route) -> web.StreamResponse:
    world = request.app[WORLD]
    if gateway.resets_early(world, request.method, request.path, now=_now(request)):
        return _reset(request)
    call = await _call(request)
    reply = gateway.answer_call(world, route, call, now=_now(request))
    if reply.delay_s and not await _waited(request, reply.delay_s):
        return _reset(request)
    if reply.resets:
        return _reset(request)
    if reply.chunks is not None and not reply.drip_s:
        return await _streamed(request, reply, reply.chunks)
    return await _dripped(request, reply) if reply.drip_s else _response(reply)


def _headers(reply: Reply) -> dict[str, str]:
    return {hdrs.DATE: formatdate(reply.at, usegmt=True), **reply.headers}


def _response(reply: Reply) -> web.Response:
    return web.Response(
        status=reply.status,
        body=reply.body,
        content_type=reply.content_type,
        headers=_headers(reply),
    )


async def _streamed(
    request: web.Request, reply: Reply, chunks: Iterator[bytes]
) -> web.StreamResponse:
    """Write what is made as it goes; a client that has gone ends the making."""
    response = web.StreamResponse(status=reply.status, headers=_headers(reply))
    response.content_type = reply.content_type
    await response.prepare(request)
    await response.write(reply.body)
    for chunk in chunks:
        await response.write(chunk)
        await asyncio.sleep(0)
    await response.write_eof()
    return response


async def _dripped(request: web.Request, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=_headers(reply))
    response.content_type = reply.content_type
    body = reply.body + b"".join(reply.chunks or ())
    response.content_length = len(body)
    await response.prepare(request)
    for byte in body:
        if not await _waited(request, reply.drip_s):
            return _reset(request)
        await response.write(bytes((byte,)))
    await response.write_eof()
    return response


async def _waited(request: web.Request, seconds: float) -> bool:
    """Wait; False when the stand-in stops meanwhile."""
    stopping = request.app[STOPPING]
    sleeping = asyncio.ensure_future(request.app[CLOCK].sleep(seconds))
    stopped = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({sleeping, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleeping.cancel()
        stopped.cancel()
    return not stopping.is_set()


def _reset(request: web.Request) -> web.Response:
    """Send RST, so that the client sees a reset and not a polite end."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response(status=500)  # never written: the transport is closing
