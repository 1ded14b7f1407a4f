"""`relay health`: does the relay that runs here make progress? For a container's health check."""

from __future__ import annotations

import contextlib
import http.client
from pathlib import Path

import orjson

from relay.cli import settings as configuration
from relay.cli.terminal import EXIT_FAILED, GREEN, RED, say
from relay.config import Settings
from relay.secrets import SecretUnavailable

_TIMEOUT_S = 5.0


def run(config: Path | None, *, ready: bool) -> int:
    """Ask, tell, and return the exit code. Raises `ConfigError`."""
    settings = configuration.as_written(config)
    path = "/readyz" if ready else "/healthz"
    try:
        status, told = _ask(settings, path)
    except (OSError, http.client.HTTPException) as error:
        where = settings.listen.operator.from_here
        say(f"no relay answers at listen.operator ({where}): {type(error).__name__}", color=RED)
        return EXIT_FAILED
    if told is None:
        where = settings.listen.operator.from_here
        say(f"what answers at listen.operator ({where}) is no relay (HTTP {status})", color=RED)
        return EXIT_FAILED
    well = status == 200
    for line in told:
        say(f"  {line}")
    word = "ready" if ready else "healthy"
    say(word if well else f"not {word} (HTTP {status})", color=GREEN if well else RED)
    return 0 if well else EXIT_FAILED


def _ask(settings: Settings, path: str) -> tuple[int, list[str] | None]:
    """The status, and what a relay tells those who show its token; None of anything else."""
    address, token = settings.listen.operator.from_here, settings.listen.operator_token
    headers = {}
    if token is not None:
        with contextlib.suppress(SecretUnavailable):  # whether it is well is told to everybody
            headers["Authorization"] = f"Bearer {token.read()}"
    connection = http.client.HTTPConnection(*address, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, _lines(answer.read())
    finally:
        connection.close()


def _lines(body: bytes) -> list[str] | None:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(told, dict) or told.keys().isdisjoint({"status", "ready"}):
        return None
    return [str(each) for name in ("problems", "notes") for each in told.get(name, ())]
