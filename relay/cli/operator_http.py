"""The API of a running relay, as commands use it."""

from __future__ import annotations

import http.client
import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import orjson

from relay.config import Settings
from relay.errors import JournalUnavailable, RelayError
from relay.secrets import SecretUnavailable

_TIMEOUT_S = 60.0

#: A relay that cannot store asks us to come again; a full journal may take its time.
_PAUSE_S = 1.0
_PATIENCE_S = 600.0


class RelayUnreachable(RelayError):
    """A relay has the journal open, but cannot be asked."""


class RunningRelay:
    """Asks the relay that runs with these settings."""

    def __init__(self, settings: Settings) -> None:
        address = settings.listen.operator.from_here
        self._where = str(address)
        self._connection = http.client.HTTPConnection(*address, timeout=_TIMEOUT_S)
        self._headers = {"Content-Type": "application/json"}
        token = settings.listen.operator_token
        if token is not None:
            try:
                self._headers["Authorization"] = f"Bearer {token.read()}"
            except SecretUnavailable as missing:
                raise RelayUnreachable(f"listen.operator_token: {missing}") from missing

    def replay(
        self, letter_ids: list[str], *, dry_run: bool, force: bool
    ) -> list[Mapping[str, str]]:
        """What became of each. Raises `RelayUnreachable`, `JournalUnavailable`."""
        asked = {"ids": letter_ids, "dry_run": dry_run, "force": force}
        answered: list[Mapping[str, str]] = self._post("/api/dead-letters/replay", asked)
        return answered

    def take_lines(
        self, source: str, file: str, first_line: int, items: list[object]
    ) -> Mapping[str, Any]:
        """Part of a file; waits while the relay cannot store. Raises as `replay`."""
        asked = {"source": source, "file": file, "first_line": first_line, "items": items}
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                taken: Mapping[str, Any] = self._post("/api/import", asked)
            except JournalUnavailable:
                if time.monotonic() > until:
                    raise
                time.sleep(_PAUSE_S)
                continue
            return taken

    def put_note(self, key: str, value: bytes) -> None:
        """Durable when it returns. Raises as `replay`."""
        self._post("/api/notes", {"key": key, "value": b64encode(value).decode()})

    def drop_notes(self, prefix: str, before: str) -> None:
        """Forget the notes whose keys begin so and sort before `before`. Raises as `replay`."""
        self._post("/api/notes/drop", {"prefix": prefix, "before": before})

    def close(self) -> None:
        self._connection.close()

    def _post(self, path: str, asked: Mapping[str, object]) -> Any:
        try:
            self._connection.request("POST", path, orjson.dumps(asked), self._headers)
            answer = self._connection.getresponse()
            status, body = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise RelayUnreachable(
                f"a relay has the journal open, but does not answer at listen.operator "
                f"({self._where}): {type(error).__name__}. Is the configuration that of the "
                "running relay?"
            ) from error
        if status == 503:
            raise JournalUnavailable("the relay cannot store right now; repeat the command")
        if status != 200:
            raise RelayUnreachable(f"the relay at {self._where} answered {status}: {_said(body)}")
        return orjson.loads(body)


def _said(body: bytes) -> str:
    try:
        return str(orjson.loads(body)["error"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "no reason given"
