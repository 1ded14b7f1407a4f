"""API keys: which source a key belongs to. Pure; whoever reads the secrets calls `replace`."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from hashlib import sha256


class Keys:
    """Every key by the source it belongs to; made from `{source: its keys}`.

    Keys are kept and looked up as SHA-256 digests, so that neither the time a look-up takes nor a
    dump of the memory tells anything about a key. A key given to two sources belongs to the first;
    an empty one to none.
    """

    def __init__(self, keys: Mapping[str, Iterable[str]]) -> None:
        self._owners: dict[bytes, tuple[bytes, str]] = {}
        self.replace(keys)

    def replace(self, keys: Mapping[str, Iterable[str]]) -> None:
        """From now on these, and only these, are right."""
        owners: dict[bytes, tuple[bytes, str]] = {}
        for source, values in keys.items():
            for value in values:
                if value:
                    digest = _digest(value)
                    owners.setdefault(digest, (digest, source))
        self._owners = owners

    def source_of(self, key: str) -> str | None:
        """The source this key belongs to, or None."""
        digest = _digest(key)
        owner = self._owners.get(digest)
        # The look-up compares a few bits of the hash table, and then all of the digest: this makes
        # the rest of it take the same time for every digest.
        if owner is None or not hmac.compare_digest(owner[0], digest):
            return None
        return owner[1]


def _digest(key: str) -> bytes:
    # A header may hold bytes that are no UTF-8; aiohttp hands them over as surrogates.
    return sha256(key.encode("utf-8", "surrogateescape")).digest()
