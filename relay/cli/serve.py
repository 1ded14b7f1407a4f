"""`relay serve`: the service, from signal handlers to the last log line."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Literal

from relay.app import Relay
from relay.cli import settings as configuration
from relay.cli.terminal import EXIT_FAILED, fail
from relay.cli.version import version
from relay.clock import SystemClock
from relay.config import LogFormat, Settings, warnings
from relay.role import Role
from relay.telemetry import Log, Telemetry, open_log, route_libraries

_CLOCK = SystemClock()


def run(config: Path | None, role: Role = Role.ALL) -> int:
    """Serve until told to stop; the exit code. Raises `ConfigError` and what opening raises."""
    began = _CLOCK.monotonic()
    settings = configuration.for_running(config)
    configuration.for_role(settings, role)
    telemetry = Telemetry(version=version(), role=role, now=_CLOCK.now)
    log = open_log(
        settings.log.level.value,
        _form(settings.log.format),
        monotonic=_CLOCK.monotonic,
        on_withheld=telemetry.log_line_withheld,
    )
    route_libraries(log)
    # An event is a few hundred short-lived objects without cycles: looking less often is cheaper.
    gc.set_threshold(50_000, 20, 50)
    try:
        return _run(_Service(settings, role, telemetry, log, began).live())
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            raise
        fail(_about_addresses(settings, error), code=EXIT_FAILED)


class _Service:
    """One life of the service."""

    def __init__(
        self, settings: Settings, role: Role, telemetry: Telemetry, log: Log, began: float
    ) -> None:
        self._settings = settings
        self._role = role
        self._telemetry = telemetry
        self._log = log
        self._began = began
        self._stop = asyncio.Event()
        self._cut = asyncio.Event()
        self._relay: Relay | None = None

    async def live(self) -> int:
        settings, log = self._settings, self._log
        log.starting(
            version=version(),
            public=str(settings.listen.public),
            operator=str(settings.listen.operator),
            destinations=len(settings.destinations),
            sources=len(settings.sources),
        )
        for doubt in warnings(settings, now=_CLOCK.now()):
            log.doubtful(doubt.key, doubt.problem, doubt.mend)
        self._listen_to_signals()
        relay = Relay(settings, clock=_CLOCK, telemetry=self._telemetry, log=log, role=self._role)
        async with relay:
            self._relay = relay
            log.ready(seconds=_CLOCK.monotonic() - self._began)
            _greet(settings, relay)
            await relay.run(self._stop, self._cut)
            waiting = self._waiting()
        log.stopped(seconds=_CLOCK.monotonic() - self._began, waiting=waiting)
        return EXIT_FAILED if relay.failed_tasks else 0

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told, number)

    def _told(self, number: signal.Signals) -> None:
        """The first signal drains, the second cuts that short, the third kills."""
        if not self._stop.is_set():
            self._log.draining(signal=number.name, waiting=self._waiting())
            self._stop.set()
        elif not self._cut.is_set():
            self._cut.set()
            for each in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().remove_signal_handler(each)

    def _waiting(self) -> int:
        if self._relay is None:
            return 0
        return sum(counts.waiting for counts in self._relay.journal.counts().values())


def _run(service: Coroutine[Any, Any, int]) -> int:
    if sys.platform == "win32":
        return asyncio.run(service)
    import uvloop  # noqa: PLC0415  # there is none for Windows

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(service)


def _form(chosen: LogFormat) -> Literal["json", "text"]:
    if chosen is LogFormat.AUTO:
        return "text" if sys.stderr.isatty() else "json"
    return "text" if chosen is LogFormat.TEXT else "json"


def _greet(settings: Settings, relay: Relay) -> None:
    """Addresses, for a person who starts it by hand."""
    if not sys.stdout.isatty():
        return
    journal = settings.journal
    stored = f"Kafka at {journal.kafka}" if journal.is_distributed else journal.path.absolute()
    lines = [f"relay {version()}"]
    if relay.public is not None:
        senders = relay.public.address.from_here
        lines.append(f"  senders    http://{senders}/v1/events, /webhooks/SOURCE")
    operators = relay.operator.address.from_here
    lines += [
        f"  operator   http://{operators}/metrics, /healthz, /readyz",
        f"  journal    {stored}",
        "  Ctrl-C drains and stops",
    ]
    sys.stdout.write("\n".join(lines) + "\n\n")
    sys.stdout.flush()


def _about_addresses(settings: Settings, error: OSError) -> str:
    reason = os.strerror(error.errno or 0).lower()
    public, operator = settings.listen.public, settings.listen.operator
    return (
        f"cannot listen: {reason}. Set listen.public (now {public}) or listen.operator "
        f"(now {operator}) to another address"
    )
