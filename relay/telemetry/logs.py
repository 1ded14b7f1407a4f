"""Log lines, one function each, so that what can be logged is a closed list.

Lines are JSON objects on standard error, or text on a terminal. A line that a sender or a failing
disk could repeat without end is written once a minute per subject, with the number of those that
were withheld meanwhile.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import BinaryIO, Literal

import orjson
import structlog
from structlog.typing import FilteringBoundLogger, Processor, WrappedLogger

from relay.model import Attempt
from relay.telemetry.catalogue import LOG_LINES

Level = Literal["debug", "info", "warning", "error"]

#: No field is longer; what is may be somebody's data in the wrong place.
MAX_VALUE = 300

#: A repeating line is written at most once in so many seconds.
QUIET_S = 60.0

_ALWAYS = frozenset({"event", "level", "time"})

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class Log:
    """The relay's log. `monotonic` gives seconds, for lines that repeat; `on_withheld` is told the
    name of each line that is not written."""

    def __init__(
        self,
        logger: FilteringBoundLogger,
        *,
        monotonic: Callable[[], float],
        on_withheld: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._logger = logger
        self._monotonic = monotonic
        self._on_withheld = on_withheld
        self._written_at: dict[tuple[str, str], float] = {}
        self._withheld: dict[tuple[str, str], int] = {}

    def starting(
        self, *, version: str, public: str, operator: str, destinations: int, sources: int
    ) -> None:
        self._logger.info(
            "service.starting",
            version=version,
            public=public,
            operator=operator,
            destinations=destinations,
            sources=sources,
        )

    def ready(self, *, seconds: float) -> None:
        self._logger.info("service.ready", seconds=round(seconds, 3))

    def draining(self, *, signal: str, waiting: int) -> None:
        self._logger.info("service.draining", signal=signal, waiting=waiting)

    def stopped(self, *, seconds: float, waiting: int) -> None:
        self._logger.info("service.stopped", seconds=round(seconds, 3), waiting=waiting)

    def doubtful(self, key: str, problem: str, mend: str) -> None:
        self._logger.warning("config.doubtful", key=key, problem=problem, mend=mend)

    def attempted(self, attempt: Attempt, *, level: Level = "info") -> None:
        """The one line of an attempt. TikTok's message stays out: it may quote what was sent."""
        self._logger.log(
            _LEVELS[level],
            "delivery.attempted",
            attempt_id=attempt.attempt_id,
            destination=attempt.destination,
            number=attempt.number,
            events=attempt.events,
            size_bytes=attempt.size_bytes,
            seconds=round(attempt.seconds, 3),
            verdict=attempt.verdict,
            status=attempt.status,
            code=attempt.code,
            request_id=attempt.request_id,
            error=attempt.error,
        )

    def late_repeat(self, destination: str, *, events: int, age_s: float) -> None:
        """Sent again after 48 hours: TikTok may count these twice."""
        self._logger.warning(
            "delivery.late_repeat", destination=destination, events=events, age_s=round(age_s)
        )

    def unknown_code(
        self, destination: str, *, code: int, request_id: str | None, verdict: str
    ) -> None:
        """TikTok answered with a code that no table lists; its range decided."""
        self._logger.warning(
            "delivery.unknown_code",
            destination=destination,
            code=code,
            request_id=request_id,
            verdict=verdict,
        )

    def lane_changed(
        self,
        destination: str,
        state: str,
        before: str,
        *,
        code: int | None = None,
        request_id: str | None = None,
        retry_in_s: float | None = None,
    ) -> None:
        self._logger.warning(
            "lane.changed",
            destination=destination,
            state=state,
            before=before,
            code=code,
            request_id=request_id,
            retry_in_s=None if retry_in_s is None else round(retry_in_s, 1),
        )

    def signature_refused(self, source: str, reason: str) -> None:
        self._sparsely("signature.refused", f"{source} {reason}", source=source, reason=reason)

    def refused_at_the_door(self, reason: str) -> None:
        self._sparsely("door.refused", reason, reason=reason)

    def journal_failing(self, error: BaseException) -> None:
        self._sparsely("journal.failing", type(error).__name__, error=type(error).__name__)

    def journal_trouble(self, what: str, error: BaseException) -> None:
        """Servers of the journal do not do what they should: `what` was being done."""
        self._sparsely("journal.trouble", what, what=what, error=type(error).__name__)

    def journal_recovered(self, *, seconds: float) -> None:
        self._logger.warning("journal.recovered", seconds=round(seconds, 3))

    def journal_damaged(self, records: int) -> None:
        self._sparsely("journal.damaged", "", records=records)

    def secret_unavailable(self, reference: str, reason: str) -> None:
        self._sparsely("secret.unavailable", reference, reference=reference, reason=reason)

    def person_erased(self, source: str, *, traces: int) -> None:
        """A shop passed on that somebody asked to be forgotten."""
        self._logger.info("person.erased", source=source, traces=traces)

    def sender_uninstalled(self, source: str) -> None:
        self._logger.warning("sender.uninstalled", source=source)

    def kafka_waiting(self, source: str, error: BaseException) -> None:
        """A connection to brokers ended, or did not begin; it is tried again."""
        self._sparsely(
            "kafka.waiting",
            f"{source} {type(error).__name__}",
            source=source,
            error=type(error).__name__,
        )

    def kafka_assigned(self, source: str, partitions: int) -> None:
        """The group gave this relay so many partitions."""
        self._logger.info("kafka.assigned", source=source, partitions=partitions)

    def kafka_commit_failed(self, source: str, error: BaseException) -> None:
        self._sparsely("kafka.commit_failed", source, source=source, error=type(error).__name__)

    def kafka_stopped(
        self, source: str, *, partition: str, offset: int, invalid: int, seen: int
    ) -> None:
        """Too many of a partition's messages are invalid: nothing more is read until a restart."""
        self._logger.error(
            "kafka.stopped",
            source=source,
            partition=partition,
            offset=offset,
            invalid=invalid,
            seen=seen,
        )

    def audited(self, *, accounts: int, findings: int, partial: bool, seconds: float) -> None:
        """An audit was made; `findings` are those that stand."""
        self._logger.info(
            "audit.done",
            accounts=accounts,
            findings=findings,
            partial=partial,
            seconds=round(seconds, 1),
        )

    def audit_critical(
        self, *, advertiser: str, check: str, subject: str, since: str | None
    ) -> None:
        """A critical finding stands; `subject` is a word and an id of TikTok's or ours."""
        self._logger.warning(
            "audit.critical", advertiser=advertiser, check=check, subject=subject, since=since
        )

    def audit_failed(
        self,
        error: Exception,
        *,
        advertiser: str | None = None,
        endpoint: str | None = None,
        code: int | None = None,
        request_id: str | None = None,
        retry_in_s: float,
    ) -> None:
        """No audit could be made, of one ad account or (None) at all; which call of TikTok's API it
        was, and what it said."""
        self._logger.warning(
            "audit.failed",
            error=type(error).__name__,
            advertiser=advertiser,
            endpoint=endpoint,
            code=code,
            request_id=request_id,
            retry_in_s=round(retry_in_s),
        )

    def traces_lost(self, result: str, *, spans: int, error: str | None = None) -> None:
        """Spans that no collector will have; `error` is a word for what it did."""
        self._sparsely("traces.lost", "", result=result, spans=spans, error=error)

    def task_failed(self, task: str, error: BaseException) -> None:
        """Something that nobody expected: its kind and place. Its message may hold data."""
        self._logger.error(
            "task.failed",
            task=task,
            error=type(error).__name__,
            where=where(error.__traceback__),
        )

    def library_spoke(
        self, library: str, template: str | None, place: str, error: BaseException | None
    ) -> None:
        """A library logged something at `place`; of its message only the template, not the data."""
        self._sparsely(
            "library.spoke",
            f"{library} {place}",
            library=library,
            template=template,
            error=type(error).__name__ if error else None,
            where=where(error.__traceback__) if error else place,
        )

    def _sparsely(self, line: str, subject: str, **fields: object) -> None:
        key, now = (line, subject), self._monotonic()
        if now - self._written_at.get(key, -QUIET_S) < QUIET_S:
            self._withheld[key] = self._withheld.get(key, 0) + 1
            self._on_withheld(line)
            return
        if len(self._written_at) > 10_000:  # subjects are few; this is for those we did not foresee
            self._written_at.clear()
        self._written_at[key] = now
        self._logger.warning(line, withheld=self._withheld.pop(key, 0), **fields)


def open_log(
    level: str,
    form: Literal["json", "text"],
    *,
    monotonic: Callable[[], float],
    stream: BinaryIO | None = None,
    on_withheld: Callable[[str], None] = lambda line: None,
) -> Log:
    """A log that writes to `stream` (standard error unless told), from `level` upwards."""
    target = stream if stream is not None else sys.stderr.buffer
    logger = structlog.wrap_logger(
        structlog.BytesLogger(target),
        processors=[
            close_fields,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _renderer(form, colors=target.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        cache_logger_on_first_use=True,
    )
    return Log(logger, monotonic=monotonic, on_withheld=on_withheld)


def close_fields(
    logger: WrappedLogger, method: str, line: MutableMapping[str, object]
) -> Mapping[str, object]:
    """Let through the line's own fields only, none empty and none too long."""
    known = LOG_LINES.get(str(line["event"]), ())
    closed: dict[str, object] = {"event": line["event"]}
    for name, value in line.items():
        if name in known and value is not None and (name != "withheld" or value):
            too_long = isinstance(value, str) and len(value) > MAX_VALUE
            closed[name] = "(too long)" if too_long else value
    refused = sorted(line.keys() - known - _ALWAYS)
    return {**closed, "refused_fields": refused} if refused else closed


def where(traceback: TracebackType | None) -> str:
    """The innermost places of a traceback, as `file.py:12 < caller.py:34`; no source lines."""
    places = [f"{Path(frame.f_code.co_filename).name}:{line}" for frame, line in walk_tb(traceback)]
    return " < ".join(reversed(places[-5:]))


def route_libraries(log: Log) -> None:
    """Send what libraries log (aiohttp, asyncio) the same way, from warnings upwards."""
    root = logging.getLogger()
    root.handlers[:] = [_Router(log)]
    root.setLevel(logging.WARNING)
    # Its lines hold addresses and paths; requests are counted instead.
    logging.getLogger("aiohttp.access").disabled = True


class _Router(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        # Without arguments the message is no template: somebody's data may be written into it.
        template = str(record.msg) if record.args else None
        error = record.exc_info[1] if record.exc_info else None
        place = f"{record.filename}:{record.lineno}"
        self._log.library_spoke(record.name, template, place, error)


def _renderer(form: Literal["json", "text"], *, colors: bool) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(serializer=orjson.dumps)
    return _text(colors=colors)


def _text(*, colors: bool) -> Callable[[WrappedLogger, str, MutableMapping[str, object]], bytes]:
    render = structlog.dev.ConsoleRenderer(colors=colors, timestamp_key="time")
    return lambda logger, method, line: render(logger, method, line).encode()
