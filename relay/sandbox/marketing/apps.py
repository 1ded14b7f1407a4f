"""Developers' apps, and the codes that people's consents give them. Pure.

Secrets and codes are kept as digests. A code is good once, and for an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from relay.sandbox.marketing.settings import AppRule

CODE_VALID_S: Final = 3_600.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class App(NamedTuple):
    """An app without its secret."""

    app_id: str
    secret_digest: bytes
    redirect_uris: tuple[str, ...]
    any_loopback: bool
    scopes: tuple[int, ...]
    advertiser_ids: frozenset[str] | None

    def sends_back_to(self, redirect_uri: str) -> bool:
        """Is this address registered?"""
        if redirect_uri in self.redirect_uris:
            return True
        try:
            parts = urlsplit(redirect_uri)
        except ValueError:
            return False
        return self.any_loopback and parts.scheme == "http" and parts.hostname in _LOOPBACK

    def has_secret(self, secret: str) -> bool:
        return compare_digest(self.secret_digest, _digest(secret))


class Apps:
    """The apps that there are, and the codes that wait to be exchanged."""

    def __init__(self, rules: Sequence[AppRule]) -> None:
        self._apps = {rule.app_id: _app(rule) for rule in rules}
        self._codes: dict[bytes, tuple[str, float]] = {}
        self._made = 0

    def find(self, app_id: str) -> App | None:
        return self._apps.get(app_id)

    def consent(self, app: App, now: float) -> str:
        """A code for an app that somebody has consented to."""
        for digest, (_app_id, at) in list(self._codes.items()):
            if now - at > CODE_VALID_S:
                del self._codes[digest]
        code = self._make(app, now)
        self._codes[_digest(code)] = (app.app_id, now)
        return code

    def redeem(self, app: App, code: str, now: float) -> str | None:
        """A token for a code; None: it is not one of this app's, used or too old."""
        app_id, at = self._codes.get(_digest(code), ("", 0.0))
        if app_id != app.app_id or now - at > CODE_VALID_S:
            return None
        del self._codes[_digest(code)]
        return self._make(app, now)

    def _make(self, app: App, now: float) -> str:
        self._made += 1
        return sha256(app.secret_digest + f"{self._made}/{now}".encode()).hexdigest()[:40]


def _app(rule: AppRule) -> App:
    return App(
        rule.app_id,
        _digest(rule.secret.get_secret_value()),
        rule.redirect_uris,
        rule.any_loopback,
        rule.scopes,
        rule.advertiser_ids,
    )


def _digest(secret: str) -> bytes:
    return sha256(secret.encode(errors="surrogateescape")).digest()
