"""Build every object once, run until told to stop, drain, leave.

    async with Relay(settings, clock=SystemClock(), telemetry=..., log=...) as relay:
        await relay.run(stop)

Stopping (the first SIGTERM or SIGINT): not ready; while it is a lame duck it serves on, and ends
each connection; 503 at the door; what lingers is sent; requests under way end until the drain
deadline; the rest stays in the journal. A second signal cuts.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any

from relay import assembly
from relay.clock import Clock
from relay.config import Settings
from relay.deliver.breaker import LaneState
from relay.deliver.http import Sender
from relay.deliver.lane import Lane
from relay.errors import ConfigError, JournalUnavailable
from relay.ingest.http import Listener
from relay.ingest.kafka import State
from relay.ingest.keys import Keys
from relay.ingest.refusals import REFUSALS
from relay.journal.protocol import Journal
from relay.operate.http import OperatorListener
from relay.operations import LiveOperations
from relay.pipeline.accept import Acceptor, Route
from relay.pipeline.dispatch import Dispatcher, Outside
from relay.pipeline.replay import Replayer
from relay.pipeline.stream import Stream
from relay.role import Role
from relay.secrets import SecretUnavailable
from relay.sources import kafka
from relay.sources.signature import SignatureReason
from relay.telemetry import KafkaView, LaneView, Log, Telemetry

if TYPE_CHECKING:
    from relay.ingest.kafka.reader import Reader

#: Secrets given as files are looked at this often, in seconds.
_SECRETS_EVERY_S = 2.0

#: What is past its time is forgotten this often, in seconds.
_UPKEEP_EVERY_S = 60.0


class Relay:
    """A relay that runs in this process. Raises what opening its parts raises."""

    journal: Journal

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        telemetry: Telemetry,
        log: Log,
        role: Role = Role.ALL,
    ) -> None:
        self.settings = settings
        self.role = role
        self.telemetry = telemetry
        self._clock = clock
        self._log = log
        self._stack = AsyncExitStack()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failed: dict[str, str] = {}
        self._listening = False
        self._draining = False
        self.public: Listener | None = None
        self.lanes: Mapping[str, Lane] = {}
        self.dispatchers: dict[str, Dispatcher] = {}
        self.readers: Mapping[str, Reader] = {}

    # --- opening and closing --------------------------------------------------------------------

    async def __aenter__(self) -> Relay:
        async with AsyncExitStack() as stack:
            await self._open(stack)
            self._stack = stack.pop_all()
        # What was built stays: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        return self

    async def _open(self, stack: AsyncExitStack) -> None:
        settings, clock = self.settings, self._clock
        self.routes: dict[str, Route] = assembly.routes_of(settings)
        normalizers = assembly.normalizers_of(settings)
        self.journal = await stack.enter_async_context(
            assembly.journal_of(settings, self.role, clock, self._journal_watchers())
        )
        self.traces = await stack.enter_async_context(
            assembly.traces_of(settings, self.telemetry.version, self._spans_ended)
        )
        sender = await stack.enter_async_context(
            Sender(settings.tiktok.base_url, total_timeout_s=settings.tiktok.timeout)
        )
        stack.push_async_callback(self._end_tasks)
        if self.role.delivers:
            self._open_lanes(sender)
            self._open_audit()
        self._start("upkeep", self._upkeep())
        self._watch()
        acceptor = Acceptor(
            self.routes,
            {each.name: each for each in settings.destinations},
            normalizers,
            self.journal,
            max_events=settings.limits.max_events,
            clock=clock,
            telemetry=self.telemetry,
            log=self._log,
        )
        self.keys = Keys(self._keys())
        self._start("secrets", self._refresh_secrets())
        self.operations = LiveOperations(
            self,
            Replayer(self.journal, normalizers, clock, self.traces),
            acceptor,
            clock,
            self.traces,
        )
        self.telemetry.watch_health(lambda: len(self.operations.health().problems))
        self.operator = await stack.enter_async_context(
            OperatorListener(self.operations, settings.listen)
        )
        if self.role.ingests:
            await self._open_doors(stack, acceptor)
        self._listening = True

    def _open_lanes(self, sender: Sender) -> None:
        """What takes events out of the journal."""
        sharing = assembly.sharing_of(self.journal, self._clock)
        outside = Outside(
            self.journal,
            sender,
            self._clock,
            self.telemetry,
            self._log,
            sharing=sharing,
            traces=self.traces,
        )
        self.lanes = assembly.lanes_of(self.settings, sharing)
        self.dispatchers = {
            each.name: Dispatcher(each, each.access_token, self.lanes[each.name], outside)
            for each in self.settings.destinations
        }
        if sharing is not None:
            self._start("sharing", sharing.run())
        for dispatcher in self.dispatchers.values():
            self._start(f"lane {dispatcher.name}", dispatcher.run())

    def _open_audit(self) -> None:
        """Off without a token of the Marketing API."""
        token = self.settings.management.access_token
        if token is None:
            return
        from relay.audit.schedule import Schedule  # noqa: PLC0415  # it takes 0.2 s to load

        schedule = Schedule(
            self.settings, token, self.journal, self._clock,
            telemetry=self.telemetry, log=self._log,
        )  # fmt: skip
        self._start("audit", schedule.run())

    async def _open_doors(self, stack: AsyncExitStack, acceptor: Acceptor) -> None:
        """What senders speak to, and the topics that are read."""
        self.public = await stack.enter_async_context(
            Listener(
                acceptor,
                self.keys,
                self.settings,
                clock=self._clock,
                telemetry=self.telemetry,
                log=self._log,
                traces=self.traces,
            )
        )
        self.readers = self._readers(acceptor)
        for reader in self.readers.values():
            self._start(f"source {reader.settings.name}", reader.run())

    def _readers(self, acceptor: Acceptor) -> Mapping[str, Reader]:
        """A consumer for each Kafka source."""
        sources = [each for each in self.settings.sources if each.kind == kafka.KIND]
        if not sources:
            return {}
        from relay.ingest.kafka.reader import Reader  # noqa: PLC0415  # see its `settings`

        clock, telemetry, log = self._clock, self.telemetry, self._log
        readers = {}
        for each in sources:
            path = Stream(
                assembly.topics_of(each), each.routes, acceptor, self.journal,
                clock=clock, telemetry=telemetry, traces=self.traces,
            )  # fmt: skip
            settings = assembly.reader_settings_of(each)
            readers[each.name] = Reader(settings, path, clock=clock, telemetry=telemetry, log=log)
        telemetry.watch_kafka(
            KafkaView(
                tuple(state.value for state in State),
                lambda: {name: each.state.value for name, each in readers.items()},
                lambda: {name: each.lag() for name, each in readers.items()},
            )
        )
        return readers

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    # --- running ----------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event, cut: asyncio.Event) -> None:
        """Until `stop` is set; then drain until all is sent, the deadline, or `cut`."""
        await stop.wait()
        await self.drain(cut)

    async def drain(self, cut: asyncio.Event) -> None:
        """Take nothing more, send what lingers, let requests under way end."""
        self._draining = True
        cutting: asyncio.Future[Any] = asyncio.ensure_future(cut.wait())
        await self._send_elsewhere(cutting)
        readers = (reader.stop() for reader in self.readers.values())
        doors = () if self.public is None else (self.public.stop_accepting(),)
        closed: asyncio.Future[Any] = asyncio.gather(*doors, *readers)
        await asyncio.wait([closed, cutting], return_when=asyncio.FIRST_COMPLETED)
        self.journal.drain()
        for dispatcher in self.dispatchers.values():
            dispatcher.drain()
        lanes = [task for name, task in self._tasks.items() if name.startswith("lane ")]
        drained: asyncio.Future[Any] = asyncio.gather(*lanes, return_exceptions=True)
        await asyncio.wait(
            [drained, cutting],
            timeout=self.settings.shutdown.drain_deadline,
            return_when=asyncio.FIRST_COMPLETED,
        )
        cutting.cancel()
        drained.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await drained

    async def _send_elsewhere(self, cutting: asyncio.Future[Any]) -> None:
        """A balancer learns late that this replica leaves: serve what it still brings."""
        lame_duck_s = self.settings.shutdown.lame_duck
        if self.public is None or not lame_duck_s:
            return
        self.public.send_elsewhere()
        await asyncio.wait([cutting], timeout=lame_duck_s)

    # --- what runs beside -------------------------------------------------------------------------

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks[name] = task
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._failed[task.get_name()] = type(error).__name__
            self._log.task_failed(task.get_name(), error)
        elif not self._draining:  # they run until told to stop
            self._failed[task.get_name()] = "nothing"

    async def _end_tasks(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _upkeep(self) -> None:
        while True:
            with contextlib.suppress(JournalUnavailable):
                await self.journal.tidy()
            await self._clock.sleep(_UPKEEP_EVERY_S)

    async def _refresh_secrets(self) -> None:
        """Renewed secrets of senders need no restart; lanes look at their tokens themselves."""
        seen = self._sender_secrets()
        while True:
            await self._clock.sleep(_SECRETS_EVERY_S)
            found = self._sender_secrets()
            if found == seen:
                continue
            seen = found
            for source in self.settings.sources:
                if source.name in self.routes:
                    with contextlib.suppress(ConfigError, SecretUnavailable):
                        self.routes[source.name] = assembly.route_of(source)
            with contextlib.suppress(SecretUnavailable):
                self.keys.replace(self._keys())

    def _sender_secrets(self) -> list[str]:
        found = []
        for source in self.settings.sources:
            for secret in (*source.secrets, *source.keys):
                try:
                    found.append(secret.read())
                except SecretUnavailable as missing:
                    self._log.secret_unavailable(missing.reference, missing.reason)
        return found

    def _keys(self) -> Mapping[str, Sequence[str]]:
        """API keys by source. Raises `SecretUnavailable`."""
        return {
            source.name: [key.read() for key in source.keys] for source in self.settings.sources
        }

    # --- what others look at ----------------------------------------------------------------------

    def _watch(self) -> None:
        settings = self.settings
        self.telemetry.expect_destinations(
            {each.name: each.max_event_age for each in settings.destinations}
        )
        if self.role.ingests:
            self.telemetry.expect_senders(
                [each.name for each in settings.sources],
                tuple(SignatureReason),
                [each.reason for each in REFUSALS],
            )
        self.telemetry.watch_journal(assembly.journal_view_of(self.journal, settings))
        self.telemetry.watch_lanes(
            LaneView(
                tuple(state.value for state in LaneState),
                lambda: {name: lane.status.state.value for name, lane in self.lanes.items()},
            )
        )

    def _journal_watchers(self) -> assembly.JournalWatchers:
        return assembly.JournalWatchers(
            damaged=self._damaged,
            failing=self._log.journal_failing,
            trouble=self._log.journal_trouble,
            ended=self.telemetry.settled,
        )

    def _damaged(self, records: int) -> None:
        self.telemetry.journal_damaged(records)
        self._log.journal_damaged(records)

    def _spans_ended(self, result: str, spans: int, why: str | None) -> None:
        self.telemetry.spans_ended(result, spans)
        if result != "exported":
            self._log.traces_lost(result, spans=spans, error=why)

    @property
    def failed_tasks(self) -> Mapping[str, str]:
        """Background tasks that ended with an error: name and kind of error."""
        return self._failed

    @property
    def is_open(self) -> bool:
        """Listening to senders, and not about to leave."""
        return self._listening and not self._draining
