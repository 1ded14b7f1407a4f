"""A source's consumer for as long as the relay runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaConsumer

from relay.clock import Clock
from relay.errors import ConfigError
from relay.ingest.kafka.client import ClientTrouble, of_client, unless
from relay.ingest.kafka.protocol import Path
from relay.ingest.kafka.session import POLL_INTERVAL_S, Session, Terms, TooManyInvalid
from relay.ingest.kafka.settings import ReaderSettings, State
from relay.ingest.kafka.standing import Standing
from relay.secrets import SecretUnavailable
from relay.telemetry import Log, Telemetry

#: Bytes that are fetched ahead of each partition, and in one request.
FETCH_BYTES: Final = 512 * 1024
_REQUEST_BYTES: Final = 16 * 1024 * 1024

#: Brokers are tried again after so many seconds, doubled each time.
_FIRST_WAIT_S: Final = 0.25
_LONGEST_WAIT_S: Final = 5.0

_REQUEST_TIMEOUT_S: Final = 15.0
_METADATA_EVERY_S: Final = 30.0

#: Leaving the group takes so long at most.
_GOODBYE_S: Final = 3.0
_HANG_UP_S: Final = 2.0


class Reader:
    """Reads until stopped; brokers that are away are waited for. `run` once."""

    def __init__(
        self, settings: ReaderSettings, path: Path, *, clock: Clock, telemetry: Telemetry, log: Log
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._log = log
        self._standing = Standing(settings.stalled_after_s)
        self._terms = Terms(
            settings.name, settings.topics, settings.starts_at_end, settings.max_invalid_share,
            path, self._standing, clock, telemetry, log,
        )  # fmt: skip
        self._stop = asyncio.Event()
        self._ended = asyncio.Event()
        self._session: Session | None = None
        self._trouble: str | None = None
        self._too_many: TooManyInvalid | None = None

    # --- running ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until `stop`; what nobody expected is raised."""
        wait_s = _FIRST_WAIT_S
        try:
            while not self._stop.is_set():
                began = self._clock.monotonic()
                try:
                    await self._connection()
                except TooManyInvalid as too_many:
                    self._stop_reading(too_many)
                    await self._stop.wait()
                except (ClientTrouble, ConfigError, SecretUnavailable) as error:
                    self._note(error)
                    lasted = self._clock.monotonic() - began
                    wait_s = _FIRST_WAIT_S if lasted > 60 else min(2 * wait_s, _LONGEST_WAIT_S)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._stop.wait(), wait_s)
        finally:
            self._ended.set()

    async def stop(self, deadline_s: float = 10.0) -> None:
        """Stop fetching, settle what is in hand, commit, leave the group."""
        self._stop.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                await self._ended.wait()

    async def _connection(self) -> None:
        """One connection, from hello to goodbye."""
        settings = self.settings
        consumer = AIOKafkaConsumer(
            **settings.connection.options(),
            group_id=settings.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_bytes=_REQUEST_BYTES,
            session_timeout_ms=_ms(settings.session_timeout_s),
            heartbeat_interval_ms=_ms(settings.session_timeout_s / 3.5),
            max_poll_interval_ms=_ms(POLL_INTERVAL_S),
            rebalance_timeout_ms=_ms(POLL_INTERVAL_S),
            request_timeout_ms=_ms(_REQUEST_TIMEOUT_S),
            metadata_max_age_ms=_ms(_METADATA_EVERY_S),
        )
        try:
            with of_client():
                await unless(self._stop, consumer.start())
            self._session = Session(consumer, self._terms, self._stop)
            self._trouble = None
            if not self._stop.is_set():
                await self._session.read()
        finally:
            self._session = None
            await self._goodbye(consumer)

    async def _goodbye(self, consumer: Any) -> None:
        """Leave the group; brokers that do not answer are hung up on, and miss us by themselves."""
        leaving = asyncio.ensure_future(_closed(consumer))
        await asyncio.wait({leaving}, timeout=_GOODBYE_S)
        if not leaving.done():
            with suppress(Exception):
                await consumer._client.close()  # noqa: SLF001  # there is no other way to hang up
            await asyncio.wait({leaving}, timeout=_HANG_UP_S)

    def _note(self, error: Exception) -> None:
        cause = error.cause if isinstance(error, ClientTrouble) else error
        self._trouble = type(cause).__name__
        self._log.kafka_waiting(self.settings.name, cause)

    def _stop_reading(self, too_many: TooManyInvalid) -> None:
        self._too_many = too_many
        self._log.kafka_stopped(
            self.settings.name,
            partition=str(too_many.partition),
            offset=too_many.offset,
            invalid=too_many.invalid,
            seen=too_many.seen,
        )

    # --- what others look at ----------------------------------------------------------------------

    @property
    def state(self) -> State:
        if self._too_many is not None:
            return State.STOPPED
        if self._session is None:
            return State.CONNECTING
        if self._session.waits_for_journal:
            return State.WAITING_FOR_JOURNAL
        return State.NO_TOPIC if self._session.missing_topics() else State.READING

    def lag(self) -> Mapping[str, int]:
        """Messages that are there and not yet read, by topic, of the partitions this relay has."""
        return self._standing.lag()

    def problems(self) -> Iterator[str]:
        """What does not get on, and would not by waiting, but may by a restart."""
        if self._too_many is not None:
            return
        session, now = self._session, self._clock.monotonic()
        if session is not None and session.waits_for_journal:
            return
        if session is not None and session.in_hand_since is not None:
            since = now - session.in_hand_since
            if since > self.settings.stalled_after_s:
                yield f"has had the same messages in hand for {since:.0f} s"
        for partition in self._standing.stalled(now):
            yield f"{partition} is stalled: it has messages, and none is read"

    def notes(self) -> Iterator[str]:
        """What it waits for: servers, or a person who looks. A restart would stop there again."""
        if self._too_many is not None:
            yield f"stopped at offset {self._too_many.offset}: {self._too_many}"
        if self.state is State.CONNECTING:
            yield f"waits for the brokers ({self._trouble or 'connecting'})"
        if self.state is State.WAITING_FOR_JOURNAL:
            yield "waits: the journal cannot store"
        if self._session is not None:
            for topic in self._session.missing_topics():
                yield f"there is no topic {topic}, or it may not be read"


async def _closed(consumer: Any) -> None:
    with suppress(Exception):  # whatever it was, the connection is over
        await consumer.stop()


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
