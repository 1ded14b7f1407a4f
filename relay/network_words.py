"""What went wrong on the way to a server, as a word."""

from __future__ import annotations

import ssl
from typing import Final

import aiohttp

#: Exceptions and the word for each; the first that fits counts.
_WORDS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientConnectorCertificateError, "tls"),
    (aiohttp.ClientSSLError, "tls"),
    (ssl.SSLError, "tls"),
    (aiohttp.ConnectionTimeoutError, "connect_timeout"),
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorError, "connect"),
    (aiohttp.ServerDisconnectedError, "disconnected"),
    (ConnectionError, "reset"),
    (aiohttp.ClientPayloadError, "broken_answer"),
    (aiohttp.ClientResponseError, "broken_answer"),
    (aiohttp.InvalidURL, "address"),
)


def word_of(error: BaseException) -> str:
    """A word from a closed list; never the error's text, which may hold addresses."""
    return next((word for kind, word in _WORDS if isinstance(error, kind)), "connection")
