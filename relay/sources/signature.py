"""The signature schemes the senders share. Pure; hostile input raises `SignatureRefused` only.

Every comparison covers all configured secrets and all presented signatures in constant time, and
compares the *encoded* digests: nothing an attacker sent is ever decoded.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from relay.errors import ConfigError, Mistake, SignatureRefused

#: More signatures than this in one header is not a rotation of secrets.
_MAX_SIGNATURES = 16

_WHOLE_SECONDS = re.compile(r"[0-9]{1,15}", re.ASCII).fullmatch

#: Timestamps from here on are milliseconds (the year 5138 in seconds, 1973 in milliseconds).
_MILLISECONDS_FROM = 100_000_000_000


class Algorithm(StrEnum):
    """The hash function of an HMAC."""

    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA512 = "sha512"


class Encoding(StrEnum):
    """How a digest is written."""

    HEX = "hex"
    BASE64 = "base64"


_ENCODE: Mapping[Encoding, Callable[[bytes], bytes]] = {
    Encoding.HEX: lambda digest: digest.hex().encode("ascii"),
    Encoding.BASE64: base64.b64encode,
}


class SignatureReason(StrEnum):
    """Why a sender was not believed: for our counters, never for the answer."""

    EMPTY_BODY = "empty_body"
    NO_SIGNATURE = "no_signature"
    MALFORMED = "malformed"
    MISMATCH = "mismatch"
    OUTSIDE_TOLERANCE = "outside_tolerance"
    NO_SCHEME = "no_scheme"  # this source has no signature scheme: it is not for webhooks


class Scheme(NamedTuple):
    """How a sender makes its signatures."""

    algorithm: Algorithm
    encoding: Encoding


def keys_of(secrets: Sequence[str]) -> tuple[bytes, ...]:
    """The HMAC keys, without the line break that pasting or a file adds to a secret.

    Raises `ConfigError` when there is none, or one is empty: anyone can sign with an empty key.
    """
    keys = tuple(secret.rstrip("\r\n").encode() for secret in secrets)
    if not keys:
        mend = 'Give the signing secret, as "env:NAME" or "file:PATH"'
        raise ConfigError([Mistake("secrets", "is missing", mend)])
    if not all(keys):
        mend = "Check the variable or the file that it is read from"
        raise ConfigError([Mistake("secrets", "holds an empty secret", mend)])
    return keys


def presented(headers: Mapping[str, str], *names: str) -> str:
    """The first of these headers that has a value. Raises `SignatureRefused` without one."""
    for name in names:
        value = headers.get(name)
        if value:
            return value
    raise SignatureRefused(SignatureReason.NO_SIGNATURE)


def refuse_empty(body: bytes) -> None:
    """Raise `SignatureRefused` for an empty body (Shopify's own library does so before hashing)."""
    if not body:
        raise SignatureRefused(SignatureReason.EMPTY_BODY)


def check_hmac(
    signed: bytes, signatures: Sequence[str], keys: Sequence[bytes], scheme: Scheme
) -> None:
    """Return if any key made any of the signatures over `signed`; else raise `SignatureRefused`."""
    encode = _ENCODE[scheme.encoding]
    expected = [encode(hmac.digest(key, signed, scheme.algorithm)) for key in keys]
    check_equal(expected, signatures)


def check_equal(expected: Sequence[bytes], signatures: Sequence[str]) -> None:
    """Return if one of `signatures` is one of `expected`, comparing all pairs in constant time.

    Raises `SignatureRefused`.
    """
    # `surrogatepass`: an HTTP server hands undecodable header bytes over as lone surrogates.
    given = [text.encode("utf-8", "surrogatepass") for text in signatures[:_MAX_SIGNATURES]]
    found = False
    for right in expected:
        for candidate in given:
            found |= hmac.compare_digest(right, candidate)
    if not found:
        raise SignatureRefused(SignatureReason.MISMATCH)


def check_recent(timestamp: str, *, now: float, tolerance_s: float) -> None:
    """Return if `timestamp` (Unix time, seconds or milliseconds) lies within the tolerance of now.

    The window is symmetric: a sender's clock may run ahead as well. Raises `SignatureRefused`.
    """
    if _WHOLE_SECONDS(timestamp) is None:
        raise SignatureRefused(SignatureReason.MALFORMED)
    at = int(timestamp)
    seconds = at / 1000 if at >= _MILLISECONDS_FROM else at
    if abs(now - seconds) > tolerance_s:
        raise SignatureRefused(SignatureReason.OUTSIDE_TOLERANCE)


def stripe_parts(header: str) -> tuple[str, Sequence[str]]:
    """The timestamp and the `v1` signatures of `t=…,v1=…[,v1=…][,v0=…]`.

    Only the scheme `v1` counts: `v0` is a fake for test mode (Stripe docs, "Verify manually").
    Raises `SignatureRefused`.
    """
    timestamp = ""
    signatures: list[str] = []
    for part in header.split(","):
        scheme, _, value = part.strip().partition("=")
        if scheme == "t":
            timestamp = value
        elif scheme == "v1" and value:
            signatures.append(value)
    if not timestamp or not signatures:
        raise SignatureRefused(SignatureReason.MALFORMED)
    return timestamp, signatures
