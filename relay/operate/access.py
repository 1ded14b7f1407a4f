"""Who may ask the operator's listener. Pure.

On loopback no token is needed unless one is configured, but a web page in the operator's browser
must not reach it either: the `Host` header has to name the loopback (a rebound DNS name does not),
and what changes something has to come as JSON, which no plain form can send.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback_name(host: str) -> bool:
    """Whether a `Host` header names this machine's loopback, whatever the port."""
    name = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    return name.lower() in _LOOPBACK_NAMES or name.startswith("127.")


def is_right_token(header: str | None, token: str) -> bool:
    """Whether `Authorization: Bearer TOKEN` shows this token; takes as long for every wrong one."""
    scheme, _, shown = (header or "").partition(" ")
    same = hmac.compare_digest(
        sha256(shown.strip().encode("utf-8", "surrogateescape")).digest(),
        sha256(token.encode()).digest(),
    )
    return scheme.lower() == "bearer" and same
