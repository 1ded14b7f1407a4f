"""Who may ask the operator's listener. Pure.

On loopback no token is needed unless one is configured, but a web page in the operator's browser
must not reach it either: the `Host` header has to name the loopback (a rebound DNS name does not),
and what changes something has to come as JSON, which no plain form can send.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from hashlib import sha256

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::[0-9]*)?", re.ASCII | re.IGNORECASE)


def is_loopback_name(host: str) -> bool:
    """Whether a `Host` header names this machine's loopback, whatever the port.

    A name that merely looks like an address, such as `127.attacker.example`, does not.
    """
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = match[1] or match[2]
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_right_token(header: str | None, token: str) -> bool:
    """Whether `Authorization: Bearer TOKEN` shows this token; takes as long for every wrong one."""
    scheme, _, shown = (header or "").partition(" ")
    same = hmac.compare_digest(
        sha256(shown.strip().encode("utf-8", "surrogateescape")).digest(),
        sha256(token.encode()).digest(),
    )
    return scheme.lower() == "bearer" and same
