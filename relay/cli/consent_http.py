"""The browser's way back to this machine: one address on loopback, for as long as a login takes."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from relay.cli.consent import HEADERS, ConsentDenied, Redirect, code_in, is_meant, page
from relay.errors import ConfigError, Mistake
from relay.management.errors import RedirectRefused

#: Seconds in which a browser gets its page when the login ends.
_CLOSE_WITHIN_S: Final = 2.0

#: An address with a code has some hundred characters.
_LONGEST_LINE: Final = 8190


class Return:
    """The browser has come back with a code; it waits for its page until `answer`."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.page: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def answer(self, title: str, text: str) -> None:
        if not self.page.done():
            self.page.set_result(page(title, text))


class Listening:
    """What came so far. Addresses that are not of this login change nothing, for anybody's page may
    send a browser here; `on_stranger` is told why."""

    def __init__(
        self, redirect: Redirect, state: str, on_stranger: Callable[[RedirectRefused], None]
    ) -> None:
        self._redirect = redirect
        self._state = state
        self._on_stranger = on_stranger
        self._came: asyncio.Future[Return] = asyncio.get_running_loop().create_future()

    async def came_back(self, within_s: float) -> Return:
        """Raises `ConsentDenied`, and TimeoutError."""
        async with asyncio.timeout(within_s):
            return await self._came

    def close(self) -> None:
        """Nobody waits any longer; a browser that does gets its page."""
        if self._came.done() and not self._came.cancelled() and not self._came.exception():
            self._came.result().answer("Not logged in", "The terminal says why.")
        self._came.cancel()

    async def handle(self, request: web.BaseRequest) -> web.Response:
        if not is_meant(request.headers.get("Host"), self._redirect):
            return _page(404, "Not here", "Nothing is at this address.")
        if request.method != "GET" or request.path != self._redirect.path:
            return _page(404, "Not here", "Nothing is at this address.")
        if self._came.done():
            return _page(410, "Too late", "This login has ended; the terminal says how.")
        try:
            came = Return(code_in(request.query_string, self._state))
        except ConsentDenied as denied:
            self._came.set_exception(denied)
            return _page(200, "Nothing was granted", "You may close this page.")
        except RedirectRefused as refused:
            self._on_stranger(refused)
            return _page(400, "Not this login", "Use the page that the terminal names.")
        self._came.set_result(came)
        return _response(200, await came.page)


@asynccontextmanager
async def listening(
    redirect: Redirect, state: str, on_stranger: Callable[[RedirectRefused], None]
) -> AsyncIterator[Listening]:
    """Listen at the redirect's address within the block. Raises `ConfigError` where another program
    does."""
    listener = Listening(redirect, state, on_stranger)
    server = web.Server(
        listener.handle, access_log=None, logger=_SILENT, max_line_size=_LONGEST_LINE
    )
    runner = web.ServerRunner(server, shutdown_timeout=_CLOSE_WITHIN_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, redirect.host, redirect.port).start()
        except OSError as error:
            raise _taken(redirect, error) from None
        yield listener
    finally:
        listener.close()
        await runner.cleanup()


def _silent() -> logging.Logger:
    """What the library would log of a broken request holds pieces of it."""
    logger = logging.Logger("silent")  # noqa: LOG001  # not one of the program's: it says nothing
    logger.disabled = True
    return logger


_SILENT: Final = _silent()


def _taken(redirect: Redirect, error: OSError) -> ConfigError:
    reason = os.strerror(error.errno or 0).lower()
    return ConfigError(
        [
            Mistake(
                "--port",
                f"cannot listen on {redirect.host}:{redirect.port} ({reason})",
                "End the program that does, or take another --port and register its address too; "
                "--paste needs none",
            )
        ]
    )


def _page(status: int, title: str, text: str) -> web.Response:
    return _response(status, page(title, text))


def _response(status: int, body: bytes) -> web.Response:
    return web.Response(
        status=status, body=body, content_type="text/html", charset="utf-8", headers=HEADERS
    )
