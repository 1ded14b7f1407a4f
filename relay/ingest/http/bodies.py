"""Bodies, within limits: of one, and of all that are being read, decoded or stored at once."""

from __future__ import annotations

import asyncio

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from relay.config import Limits
from relay.ingest.gunzip import gunzip
from relay.ingest.headers import is_encoded, is_gzip
from relay.ingest.http.connection import Call
from relay.ingest.refusals import (
    BAD_BODY,
    BODY_TIMEOUT,
    BUSY,
    ENCODED,
    TOO_LARGE,
    TurnedAway,
)


class Bodies:
    """What `at_hand`, `of_sender` and `of_stranger` return counts as under way until it is given
    to `release`. All raise `TurnedAway`; the last two `ConnectionError` when the sender leaves."""

    def __init__(self, limits: Limits) -> None:
        self._max_bytes = limits.max_body_bytes
        self._max_pending = limits.max_pending_bytes
        self._timeout_s = limits.body_timeout
        self.pending_bytes = 0

    def at_hand(self, call: Call) -> bytes | None:
        """The body if it came with its head and can be read as it is, as nearly all can; None
        where one of the others has to be asked. So nearly no request waits for its body."""
        content = call.content
        if not content.is_eof() or hdrs.CONTENT_ENCODING in call.message.headers:
            return None
        body = content.read_nowait()
        if len(body) > self._max_bytes:
            raise TurnedAway(TOO_LARGE)
        self._count(body, self._max_pending)
        return body

    async def of_sender(self, call: Call) -> bytes:
        """The body of one who has shown a key, decoded."""
        body = await self._read(call, self._max_pending)
        encoding = call.message.headers.get(hdrs.CONTENT_ENCODING)
        if encoding is None or not is_encoded(encoding):
            return body
        try:
            return await self._decoded(body, encoding)
        finally:
            self.release(body)

    async def of_stranger(self, call: Call) -> bytes:
        """The body of one who is yet to be verified, byte for byte. While it trickles in it may
        use half of what may be under way, so that strangers cannot keep senders out."""
        if is_encoded(call.message.headers.get(hdrs.CONTENT_ENCODING)):
            raise TurnedAway(ENCODED)
        return await self._read(call, self._max_pending // 2)

    def release(self, body: bytes) -> None:
        """The body is not needed any more."""
        self.pending_bytes -= len(body)

    async def _read(self, call: Call, max_pending: int) -> bytes:
        announced = call.message.headers.get(hdrs.CONTENT_LENGTH)
        if announced is not None and int(announced) > self._max_bytes:
            raise TurnedAway(TOO_LARGE)
        if call.expects_continue:
            call.connection.ask_for_body()
        pieces: list[bytes] = []
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._collect(call, pieces, max_pending)
        except TimeoutError:
            self._give_up(pieces)
            raise TurnedAway(BODY_TIMEOUT) from None
        except (web.RequestPayloadError, HttpProcessingError):
            self._give_up(pieces)
            # Not `from exc`: the exception quotes the body.
            raise TurnedAway(BAD_BODY) from None
        except BaseException:
            self._give_up(pieces)
            raise
        return b"".join(pieces)

    async def _collect(self, call: Call, pieces: list[bytes], max_pending: int) -> None:
        size = 0
        while piece := await call.content.readany():
            size += len(piece)
            if size > self._max_bytes:
                raise TurnedAway(TOO_LARGE)
            self._count(piece, max_pending)
            pieces.append(piece)

    async def _decoded(self, body: bytes, encoding: str) -> bytes:
        if not is_gzip(encoding):
            raise TurnedAway(ENCODED)
        pieces: list[bytes] = []
        try:
            for piece in gunzip(body, max_bytes=self._max_bytes):
                if pieces:
                    await asyncio.sleep(0)  # the others are served between pieces
                self._count(piece, self._max_pending)
                pieces.append(piece)
        except BaseException:
            self._give_up(pieces)
            raise
        return b"".join(pieces)

    def _count(self, piece: bytes, max_pending: int) -> None:
        if self.pending_bytes + len(piece) > max_pending:
            raise TurnedAway(BUSY)
        self.pending_bytes += len(piece)

    def _give_up(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            self.release(piece)
