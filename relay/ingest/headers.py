"""What the door reads from headers. Pure."""

from __future__ import annotations

from collections.abc import Mapping


def in_lower_case(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers for `Door.webhook`: names in lower case; of a repeated header the first value.

    aiohttp stands surrogates in for bytes that are no UTF-8. They become question marks, so that
    nothing behind the door meets text that cannot be encoded.
    """
    lowered: dict[str, str] = {}
    for name, value in headers.items():
        text = value if value.isascii() else value.encode("utf-8", "replace").decode()
        lowered.setdefault(name.lower(), text)
    return lowered


def bearer(authorization: str | None) -> str:
    """The key of `Authorization: Bearer KEY` (RFC 6750); empty where there is none."""
    if authorization is None or authorization[:7].lower() != "bearer ":
        return ""
    return authorization[7:].strip()


def is_encoded(content_encoding: str | None) -> bool:
    """Whether a body has to be decoded before it can be read."""
    return content_encoding is not None and content_encoding.strip().lower() not in ("", "identity")


def is_gzip(content_encoding: str) -> bool:
    """`x-gzip` is the same (RFC 9110, 8.4.1.3)."""
    return content_encoding.strip().lower() in ("gzip", "x-gzip")
