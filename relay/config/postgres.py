"""Where PostgreSQL is: a reference to an address with a password in it, or one without."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema

from relay.config.values import holds_password, refusal
from relay.secrets import REFERENCE, Secret

_ADDRESS = r"^postgres(ql)?://.+$"


class DatabaseUrl:
    """`read` gives the address as it is now."""

    __slots__ = ("_secret", "reference")

    def __init__(self, text: str, environ: Mapping[str, str]) -> None:
        """`env:NAME`, `file:PATH` or `postgresql://user@host/name`; ValueError otherwise."""
        self.reference = text
        self._secret = Secret(text, environ) if re.fullmatch(REFERENCE, text) else None
        if self._secret is None and not re.fullmatch(_ADDRESS, text):
            raise ValueError("neither an address nor a reference to one")

    @property
    def secret(self) -> Secret | None:
        """The reference, where it is one."""
        return self._secret

    def read(self) -> str:
        """Raises `SecretUnavailable`."""
        return self.reference if self._secret is None else self._secret.read()

    def __repr__(self) -> str:
        return f"DatabaseUrl({self.reference!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatabaseUrl) and other.reference == self.reference

    def __hash__(self) -> int:
        return hash(self.reference)


def _database(text: object, info: ValidationInfo) -> DatabaseUrl:
    if isinstance(text, DatabaseUrl):
        return text
    written = text.strip() if isinstance(text, str) else ""
    if holds_password(written):
        raise refusal(
            "secret",
            "a password does not belong in the configuration (it is not shown here)",
            "Put the whole address into an environment variable or a file and write env:NAME or "
            "file:PATH; renew the password if others can read this configuration",
        )
    try:
        return DatabaseUrl(written, (info.context or {}).get("environ", {}))
    except ValueError:
        raise refusal(
            "database",
            "not an address of PostgreSQL",
            'Write "env:NAME", "file:PATH" or "postgresql://user@host:5432/name"',
        ) from None


DatabaseRef = Annotated[
    DatabaseUrl,
    PlainValidator(_database),
    PlainSerializer(lambda url: url.reference, return_type=str),
    WithJsonSchema(
        {"type": "string", "anyOf": [{"pattern": REFERENCE}, {"pattern": _ADDRESS}],
         "examples": ["env:RELAY_POSTGRES"]}
    ),
]  # fmt: skip
