"""Secrets: named in the configuration, read where they are used, never shown.

The configuration says where a secret is, `env:NAME` or `file:PATH`, never what it is. A file is
read again when it changes, so that a renewed token needs no restart. While a file is missing,
empty or being rewritten, the last good value stays.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from relay.errors import RelayError

#: What a reference looks like; also the pattern in the configuration's JSON Schema.
REFERENCE = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$"

#: No token, key or PEM is longer; a reference to something else is a mistake.
MAX_BYTES = 65_536

_is_reference = re.compile(REFERENCE).fullmatch

#: What tells that a file has changed: modification time, inode, size.
_Stamp = tuple[int, int, int]


class SecretUnavailable(RelayError):
    """A secret cannot be read; the text names the reference and the reason, never the value."""

    def __init__(self, reference: str, reason: str) -> None:
        super().__init__(f"{reference}: {reason}")
        self.reference = reference
        self.reason = reason


class Secret:
    """A secret by reference. `read` gives its present value; nothing else does."""

    __slots__ = ("_environ", "_path", "_stamp", "_value", "reference")

    def __init__(self, reference: str, environ: Mapping[str, str]) -> None:
        """`reference` is `env:NAME` or `file:PATH`; ValueError (without the text) otherwise."""
        if not _is_reference(reference):
            raise ValueError("a secret is written env:NAME or file:PATH")
        kind, _, where = reference.partition(":")
        self.reference = reference
        self._environ = environ
        self._path = Path(where) if kind == "file" else None
        self._stamp: _Stamp | None = None
        self._value = ""

    def read(self) -> str:
        """The secret as it is now, without blanks and line breaks around it.

        Costs a look at the file's date when nothing has changed. Raises `SecretUnavailable` when
        it has never been readable.
        """
        try:
            return self._from_environ() if self._path is None else self._from_file(self._path)
        except SecretUnavailable:
            if self._value:
                return self._value
            raise

    def _from_environ(self) -> str:
        if not self._value:
            name = self.reference.removeprefix("env:")
            if name not in self._environ:
                raise SecretUnavailable(self.reference, "the variable is not set")
            self._value = self._filled(self._environ[name])
        return self._value

    def _from_file(self, path: Path) -> str:
        try:
            seen = path.stat()
            stamp = (seen.st_mtime_ns, seen.st_ino, seen.st_size)
            if stamp != self._stamp:
                with path.open("rb") as file:
                    raw = file.read(MAX_BYTES + 1)
                self._value = self._decoded(raw)
                self._stamp = stamp
        except OSError as exc:
            reason = os.strerror(exc.errno or 0).lower()
            raise SecretUnavailable(self.reference, reason) from exc
        return self._value

    def _decoded(self, raw: bytes) -> str:
        if len(raw) > MAX_BYTES:
            raise SecretUnavailable(self.reference, "too long for a secret")
        try:
            return self._filled(raw.decode())
        except UnicodeDecodeError:
            # Not `from exc`: the exception holds the bytes.
            raise SecretUnavailable(self.reference, "not text (UTF-8)") from None

    def _filled(self, text: str) -> str:
        stripped = text.strip()
        if not stripped:
            raise SecretUnavailable(self.reference, "empty")
        return stripped

    def __repr__(self) -> str:
        return f"Secret({self.reference!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reference == self.reference

    def __hash__(self) -> int:
        return hash(self.reference)
