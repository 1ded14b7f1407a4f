"""The operator's listener: metrics, health, and what the command line asks of a running relay."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web

from relay.config import Address, Listen
from relay.errors import JournalUnavailable, UnknownSource
from relay.operate import documents
from relay.operate.access import is_loopback_name, is_right_token
from relay.operate.protocol import Operations
from relay.secrets import SecretUnavailable

#: Prometheus' text format.
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: An import sends parts of files; nothing else is long. Bytes.
_MAX_BODY_BYTES = 64 * 2**20

#: Open to everybody: they say nothing but yes or no, and a kubelet has no token.
_OPEN_PATHS = frozenset({"/healthz", "/readyz"})

_DEFAULT_LETTERS = 100
_MOST_LETTERS = 10_000

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class OperatorListener:
    """Listens within `async with`. Entering raises OSError when the address cannot be had."""

    def __init__(self, operations: Operations, listen: Listen) -> None:
        self._operations = operations
        self._listen = listen
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._guard], client_max_size=_MAX_BODY_BYTES)
        app.add_routes(
            [
                web.get("/metrics", self._metrics),
                web.get("/healthz", self._health),
                web.get("/readyz", self._ready),
                web.get("/api/find", self._find),
                web.get("/api/dead-letters", self._dead_letters),
                web.post("/api/dead-letters/replay", self._replay),
                web.get("/api/journal/stats", self._stats),
                web.get("/api/lanes", self._lanes),
                web.post("/api/import", self._import),
            ]
        )
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            wanted = self._listen.operator
            await web.TCPSite(runner, wanted.host or None, wanted.port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def address(self) -> Address:
        """Where it listens, with the port it got."""
        if self._runner is None:
            return self._listen.operator
        host, port = self._runner.addresses[0][:2]
        return Address(host, port)

    # --- who may ask ------------------------------------------------------------------------------

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        try:
            return await handler(request)
        except JournalUnavailable:
            return _error(503, "the journal cannot be used right now")
        except UnknownSource:
            return _error(404, "no source has this name")
        except (ValueError, TypeError, KeyError):
            return _error(400, "the request is not what this address takes")

    def _refusal(self, request: web.Request) -> web.Response | None:
        on_loopback = self._listen.operator.is_loopback
        if on_loopback and not is_loopback_name(request.headers.get("Host", "")):
            return _error(403, "ask by the loopback's name or address")
        if request.method == "POST" and request.content_type != "application/json":
            return _error(415, "send JSON")
        token = self._listen.operator_token
        if token is None or request.path in _OPEN_PATHS:
            return None
        try:
            right = is_right_token(request.headers.get("Authorization"), token.read())
        except SecretUnavailable:
            right = False
        return None if right else _error(401, "a token is needed")

    # --- looking ----------------------------------------------------------------------------------

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(
            body=self._operations.metrics(), headers={"Content-Type": _METRICS_TYPE}
        )

    async def _health(self, request: web.Request) -> web.Response:
        state = self._operations.health()
        return _json(documents.health(state), status=200 if state.ok else 503)

    async def _ready(self, request: web.Request) -> web.Response:
        ready = self._operations.ready()
        return _json({"ready": ready}, status=200 if ready else 503)

    async def _find(self, request: web.Request) -> web.Response:
        found = self._operations.find(request.query["id"])
        return _json([documents.trace(trace) for trace in found])

    async def _dead_letters(self, request: web.Request) -> web.Response:
        limit = min(int(request.query.get("limit", _DEFAULT_LETTERS)), _MOST_LETTERS)
        letters = self._operations.dead_letters(request.query.get("destination"), limit)
        return _json([documents.dead_letter(letter) for letter in letters])

    async def _stats(self, request: web.Request) -> web.Response:
        return _json(self._operations.stats())

    async def _lanes(self, request: web.Request) -> web.Response:
        return _json(self._operations.lanes())

    # --- doing ------------------------------------------------------------------------------------

    async def _replay(self, request: web.Request) -> web.Response:
        """`{"ids": […] | null, "destination"?, "dry_run"?, "force"?}`."""
        asked = await _object(request)
        ids: Sequence[str] | None = asked.get("ids")
        results = await self._operations.replay(
            ids,
            asked.get("destination"),
            dry_run=bool(asked.get("dry_run", False)),
            force=bool(asked.get("force", False)),
        )
        return _json(results)

    async def _import(self, request: web.Request) -> web.Response:
        """`{"source", "file", "first_line", "items": […]}`: consecutive lines of one file."""
        asked = await _object(request)
        taken = await self._operations.take_lines(
            str(asked["source"]), str(asked["file"]), int(asked["first_line"]), list(asked["items"])
        )
        return _json(taken)


async def _object(request: web.Request) -> dict[str, Any]:
    asked = orjson.loads(await request.read())
    if not isinstance(asked, dict):
        raise TypeError("not an object")
    return asked


def _json(document: object, *, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(document), content_type="application/json")


def _error(status: int, message: str) -> web.Response:
    return _json({"error": message}, status=status)
