"""One HTTP call to TikTok: a request out, an `Exchange` in. Trouble on the way is one too.

The token goes into the `Access-Token` header of calls to `base_url`, and nowhere else: files lie at
other addresses and get none. No exception of the library leaves this file, for their texts and
frames hold addresses, and the address of one endpoint holds a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType, SimpleNamespace, TracebackType
from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

import aiohttp

from relay.management.envelope import Exchange
from relay.network_words import word_of

#: A page of a thousand rows with a hundred metrics has 3 MB.
MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024

#: Shorter than servers usually keep an idle connection, so that we are the ones who close it.
_KEEP_ALIVE_S: Final = 10.0

_PIECE_BYTES: Final = 256 * 1024

Write = Callable[[bytes], object]

#: Given the first bytes of an answer: where it goes, or None when it is an answer like others.
Divert = Callable[[bytes], Write | None]


class Request(NamedTuple):
    """What is sent. `path` follows on `base_url`, or is a whole address. Never shown: its query may
    hold a secret."""

    method: str
    path: str
    query: Mapping[str, str] = MappingProxyType({})
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"Request({self.method})"


class _Sink(NamedTuple):
    """Where an answer goes, piece by piece."""

    write: Write
    most_bytes: int | None


class _Body:
    """An answer as it comes; whoever diverts it is asked once, with its first bytes."""

    def __init__(self, divert: Divert | None) -> None:
        self.kept = bytearray()
        self.is_diverted = False
        self._divert = divert
        self._write: Write = self.kept.extend

    def write(self, piece: bytes) -> None:
        if self._divert is not None and piece:
            away, self._divert = self._divert(piece), None
            if away is not None:
                self._write, self.is_diverted = away, True
        self._write(piece)


class Connection:
    """The connections of one client. Use it with `async with`."""

    def __init__(self, base_url: str, *, connect_s: float, trust_env: bool = False) -> None:
        self._base_url = base_url.rstrip("/")
        self._connect_s = connect_s
        self._trust_env = trust_env
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_mark_as_sent)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S),
            trust_env=self._trust_env,
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[trace],
        )
        # Otherwise it sends a GET twice by itself when the connection breaks, past our budget;
        # there is no public switch (aiohttp's own test client uses this one).
        self._session._retry_connection = False  # noqa: SLF001
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def exchange(
        self,
        request: Request,
        token: str | None,
        *,
        within_s: float,
        divert: Divert | None = None,
    ) -> Exchange:
        """Make one call and return what came back. `token` None sends none.

        `divert` is told the first bytes of the answer, and may take all of it away. Raises
        RuntimeError when this is not open; `CancelledError` passes.
        """
        headers = {"Accept": "application/json"}
        if token is not None:
            if not _is_token(token):
                return Exchange(None, error="bad_token", sent=False)
            headers["Access-Token"] = token
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        answer = _Body(divert)
        address = request._replace(path=self._base_url + request.path)
        most_bytes = None if divert else MAX_ANSWER_BYTES
        exchange = await self._talk(address, headers, _Sink(answer.write, most_bytes), within_s)
        if exchange.status is None:
            return exchange
        return exchange._replace(body=bytes(answer.kept), diverted=answer.is_diverted)

    async def fetch(self, url: str, write: Write, *, within_s: float) -> Exchange:
        """Hand the file at `url` to `write` in pieces; `body` of what is returned is empty. No
        token goes there."""
        try:
            scheme = urlsplit(url).scheme
        except ValueError:
            scheme = ""
        if scheme not in ("https", "http"):
            return Exchange(None, error="address", sent=False)
        sink = _Sink(write, most_bytes=None)
        return await self._talk(
            Request("GET", url), {"Accept-Encoding": "identity"}, sink, within_s
        )

    async def _talk(
        self, request: Request, headers: dict[str, str], sink: _Sink, within_s: float
    ) -> Exchange:
        if self._session is None:
            raise RuntimeError("the client is not open: use `async with`")
        progress = SimpleNamespace(sent=False)
        limit = aiohttp.ClientTimeout(total=max(0.001, within_s), sock_connect=self._connect_s)
        try:
            async with self._session.request(
                request.method,
                request.path,
                params=request.query or None,
                data=request.body,
                headers=headers,
                timeout=limit,
                allow_redirects=False,  # a redirect would carry the token to another address
                trace_request_ctx=progress,
            ) as answer:
                return await _copied(answer, sink)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Exchange(None, error=word_of(error), sent=progress.sent)


async def _copied(answer: aiohttp.ClientResponse, sink: _Sink) -> Exchange:
    size = 0
    async for piece in answer.content.iter_chunked(_PIECE_BYTES):
        size += len(piece)
        if sink.most_bytes is not None and size > sink.most_bytes:
            return Exchange(None, error="too_long")
        sink.write(piece)
    return Exchange(
        answer.status,
        retry_after=answer.headers.get("Retry-After"),
        throttle=answer.headers.get("X-Tt-Ads-Throttle"),
    )


async def _mark_as_sent(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _headers: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    context.trace_request_ctx.sent = True


def _is_token(token: str) -> bool:
    return bool(token) and token.isascii() and token.isprintable()
