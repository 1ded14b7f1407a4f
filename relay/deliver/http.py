"""One HTTP call to TikTok: bytes out, `Reply` in. Trouble on the way is a reply too, never raised.

What matters for a request that got no answer is whether TikTok may have it. Nothing has left while
the connection is being made (name, TCP, TLS); from the moment the headers are handed to the socket
the outcome is unknown, keep-alive connections that the other side closed just then included.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from types import SimpleNamespace, TracebackType
from typing import Self

import aiohttp

from relay.deliver.verdict import Reply
from relay.network_words import word_of

CONNECT_TIMEOUT_S = 5.0
TOTAL_TIMEOUT_S = 30.0

#: TikTok's answers have a few hundred bytes; a longer one is cut, and so cannot be read as JSON.
MAX_ANSWER_BYTES = 64 * 1024

#: Shorter than servers usually keep an idle connection, so that we are the ones who close it.
KEEP_ALIVE_S = 10.0

#: aiohttp wants larger bodies as a stream, so that copying them does not hold the loop.
_STREAM_ABOVE_BYTES = 1024 * 1024


@dataclass(slots=True)
class _Progress:
    """How far a request came: its headers were handed to the socket; this status came back."""

    sent: bool = False
    status: int | None = None


class Sender:
    """Sends requests to one TikTok; the connections are its own. Use it with `async with`.

    `base_url` is `https://business-api.tiktok.com/open_api/v1.3` or a stand-in. How many requests
    run at once is for the lanes to decide, here is no limit: one destination's time-outs must not
    make another wait for a connection. `trust_env` uses the proxy of `HTTPS_PROXY`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        total_timeout_s: float = TOTAL_TIMEOUT_S,
        trust_env: bool = False,
    ) -> None:
        self._url = base_url.rstrip("/") + "/event/track/"
        self._timeout = aiohttp.ClientTimeout(
            total=total_timeout_s, connect=connect_timeout_s, sock_connect=connect_timeout_s
        )
        self._trust_env = trust_env
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_mark_as_sent)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
            timeout=self._timeout,
            trust_env=self._trust_env,
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[trace],
        )
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

    async def send(self, token: str, body: bytes) -> Reply:
        """POST `body` to `/event/track/` and return what came back.

        The token goes into the `Access-Token` header and nowhere else. Raises RuntimeError when
        the sender is not open; `CancelledError` passes.
        """
        if self._session is None:
            raise RuntimeError("the sender is not open: use `async with`")
        if not token or not (token.isascii() and token.isprintable()):
            return Reply(None, error="bad_token", sent=False)
        progress = _Progress()
        try:
            return await self._post(self._session, token, body, progress)
        except (aiohttp.ClientError, OSError) as error:
            return Reply(progress.status, error=word_of(error), sent=progress.sent)

    async def _post(
        self, session: aiohttp.ClientSession, token: str, body: bytes, progress: _Progress
    ) -> Reply:
        large = len(body) > _STREAM_ABOVE_BYTES
        async with session.post(
            self._url,
            data=io.BytesIO(body) if large else body,
            headers={
                "Access-Token": token,
                "Content-Type": "application/json",
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # a short answer; and nothing to unpack without end
            },
            allow_redirects=False,  # a redirect would carry the token to another address
            trace_request_ctx=progress,
        ) as answer:
            progress.status = answer.status
            return Reply(
                status=answer.status,
                body=await _read(answer.content),
                retry_after=answer.headers.get("Retry-After"),
            )


async def _mark_as_sent(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _headers: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    context.trace_request_ctx.sent = True


async def _read(content: aiohttp.StreamReader) -> bytes:
    """At most `MAX_ANSWER_BYTES`; what is left behind closes the connection."""
    answer = bytearray()
    while len(answer) < MAX_ANSWER_BYTES:
        piece = await content.read(MAX_ANSWER_BYTES - len(answer))
        if not piece:
            break
        answer += piece
    return bytes(answer)
