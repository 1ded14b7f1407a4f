"""The operator's listener: metrics, health, and what the command line asks of a running relay."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import orjson
from aiohttp import web

from relay.config import Address, Listen
from relay.errors import JournalUnavailable, RelayError, UnknownSource
from relay.operate import documents
from relay.operate.access import is_loopback_name, is_right_token
from relay.operate.protocol import Health, Operations
from relay.secrets import SecretUnavailable

#: Prometheus' text format.
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: An import sends parts of files; nothing else is long. Bytes.
_MAX_BODY_BYTES = 64 * 2**20

#: Open to everybody: they say nothing but yes or no, and a kubelet has no token.
_OPEN_PATHS = frozenset({"/healthz", "/readyz"})

#: What every answer carries: nothing here is for a cache, or to be taken for a page.
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

#: Who does not finish the head of a request is cut off after so long, in seconds.
_IDLE_S = 75.0

_DEFAULT_LETTERS = 100
_MOST_LETTERS = 10_000

_KindT = TypeVar("_KindT")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class NotAsked(RelayError):
    """The request is not what this address takes."""


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
                web.get("/api/audit", self._audit),
                web.get("/api/notes", self._notes),
                web.post("/api/notes", self._put_note),
                web.post("/api/notes/drop", self._drop_notes),
                web.post("/api/import", self._import),
            ]
        )
        app.on_response_prepare.append(_finish_headers)
        runner = web.AppRunner(
            app, access_log=None, keepalive_timeout=_IDLE_S, shutdown_timeout=1.0
        )
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
        except NotAsked as error:
            return _error(400, str(error))
        except web.HTTPException as answer:  # aiohttp's own: 404, 405, 413
            told = _error(answer.status, answer.reason.lower())
            if isinstance(answer, web.HTTPMethodNotAllowed):
                told.headers["Allow"] = answer.headers["Allow"]
            return told

    def _refusal(self, request: web.Request) -> web.Response | None:
        on_loopback = self._listen.operator.is_loopback
        if on_loopback and not is_loopback_name(request.headers.get("Host", "")):
            return _error(403, "ask by the loopback's name or address")
        if request.method == "POST" and request.content_type != "application/json":
            return _error(415, "send JSON")
        if request.path in _OPEN_PATHS or self._may_look(request):
            return None
        return _error(401, "a token is needed")

    def _may_look(self, request: web.Request) -> bool:
        token = self._listen.operator_token
        if token is None:
            return self._listen.operator.is_loopback
        try:
            return is_right_token(request.headers.get("Authorization"), token.read())
        except SecretUnavailable:
            return False

    # --- looking ----------------------------------------------------------------------------------

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(
            body=self._operations.metrics(), headers={"Content-Type": _METRICS_TYPE}
        )

    async def _health(self, request: web.Request) -> web.Response:
        """Everybody hears whether; who may look hears what."""
        state = self._operations.health()
        shown = state if self._may_look(request) else Health(state.ok)
        return _json(documents.health(shown), status=200 if state.ok else 503)

    async def _ready(self, request: web.Request) -> web.Response:
        ready = self._operations.ready()
        return _json({"ready": ready}, status=200 if ready else 503)

    async def _find(self, request: web.Request) -> web.Response:
        wanted = request.query.get("id", "")
        if not wanted:
            raise NotAsked("say which: ?id=…")
        found = await self._operations.find(wanted)
        return _json([documents.trace(trace) for trace in found])

    async def _dead_letters(self, request: web.Request) -> web.Response:
        asked = request.query.get("limit", str(_DEFAULT_LETTERS))
        if not (asked.isascii() and asked.isdecimal() and len(asked) < 10):
            raise NotAsked("limit is a number")
        limit = min(int(asked), _MOST_LETTERS)
        letters = await self._operations.dead_letters(request.query.get("destination"), limit)
        return _json([documents.dead_letter(letter) for letter in letters])

    async def _stats(self, request: web.Request) -> web.Response:
        return _json(self._operations.stats())

    async def _lanes(self, request: web.Request) -> web.Response:
        return _json(self._operations.lanes())

    async def _audit(self, request: web.Request) -> web.Response:
        """The report of the last audit, whichever replica made it."""
        report = await self._operations.last_audit()
        if report is None:
            return _error(404, "no audit was made yet")
        return web.Response(body=report, content_type="application/json")

    async def _notes(self, request: web.Request) -> web.Response:
        """`?prefix=…&behind=…`: notes in the order of their keys, as many as fit an answer."""
        prefix, behind = request.query.get("prefix", ""), request.query.get("behind", "")
        with _asked_for():
            return _json(documents.notes(await self._operations.notes(prefix, behind)))

    # --- doing ------------------------------------------------------------------------------------

    async def _replay(self, request: web.Request) -> web.Response:
        """`{"ids": […]}`, `{"destination": "…"}` or `{"all": true}`, each with `dry_run` and
        `force` as one likes: nothing is replayed because somebody forgot to say what."""
        asked = await _object(request)
        ids = _member(asked, "ids", list)
        destination = _member(asked, "destination", str)
        everything = _member(asked, "all", bool) or False
        if [ids is not None, destination is not None, everything].count(True) != 1:
            raise NotAsked("say which: ids, destination, or all")
        if not all(isinstance(each, str) for each in ids or ()):
            raise NotAsked("ids are texts")
        results = await self._operations.replay(
            ids,
            destination,
            dry_run=_member(asked, "dry_run", bool) or False,
            force=_member(asked, "force", bool) or False,
        )
        return _json(results)

    async def _import(self, request: web.Request) -> web.Response:
        """`{"source", "file", "first_line", "items": […]}`: consecutive lines of one file."""
        asked = await _object(request)
        taken = await self._operations.take_lines(
            _needed(asked, "source", str),
            _needed(asked, "file", str),
            _needed(asked, "first_line", int),
            _needed(asked, "items", list),
        )
        return _json(taken)

    async def _put_note(self, request: web.Request) -> web.Response:
        """`{"key", "value"}`, the value in base64."""
        asked = await _object(request)
        key, text = _needed(asked, "key", str), _needed(asked, "value", str)
        try:
            value = b64decode(text, validate=True)
        except ValueError:
            raise NotAsked("value is not base64") from None
        with _asked_for():
            await self._operations.put_note(key, value)
        return _json({"key": key})

    async def _drop_notes(self, request: web.Request) -> web.Response:
        """`{"prefix", "before"}`: what begins so, up to a key."""
        asked = await _object(request)
        prefix, before = _needed(asked, "prefix", str), _needed(asked, "before", str)
        with _asked_for():
            await self._operations.drop_notes(prefix, before)
        return _json({"prefix": prefix, "before": before})


@contextmanager
def _asked_for() -> Iterator[None]:
    """What is wrong with a note is the asker's mistake."""
    try:
        yield
    except ValueError as error:
        raise NotAsked(str(error)) from None


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        asked = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise NotAsked("the body is not JSON") from None
    if not isinstance(asked, dict):
        raise NotAsked("the body is not an object")
    return asked


def _member(asked: dict[str, Any], name: str, kind: type[_KindT]) -> _KindT | None:
    """A member of just this type, or None where there is none."""
    value = asked.get(name)
    if value is None or type(value) is kind:
        return value
    raise NotAsked(f"{name} is of the wrong type")


def _needed(asked: dict[str, Any], name: str, kind: type[_KindT]) -> _KindT:
    value = _member(asked, name, kind)
    if value is None:
        raise NotAsked(f"{name} is missing")
    return value


async def _finish_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Nothing tells which software answers."""
    response.headers.update(_HEADERS)
    response.headers.popall("Server", None)


def _json(document: object, *, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(document), content_type="application/json")


def _error(status: int, message: str) -> web.Response:
    return _json({"error": message}, status=status)
