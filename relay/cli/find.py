"""`relay find`: all that is known of an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from relay.cli import archive
from relay.cli import settings as configuration
from relay.cli.lines import issues, moment
from relay.cli.terminal import EXIT_FAILED, console, say, table, write_json
from relay.model import Attempt, Trace
from relay.normalize.digest import is_digest
from relay.normalize.identity import email
from relay.traces.identity import Sampler

if TYPE_CHECKING:
    from rich.console import Console

_COLORS = {"delivered": "green", "duplicate": "cyan", None: "yellow"}


def run(wanted: str, config: Path | None, journal: Path | None, *, as_json: bool) -> int:
    """Tell every trace; 1 when there is none. Raises `ConfigError`, `JournalUnavailable`."""
    traces = archive.ask(config, journal, lambda each: each.find(token_of(wanted)))
    sampler = _sampler(config) if journal is None else None
    if as_json:
        write_json([_with_trace_id(as_document(trace), sampler) for trace in traces])
    elif traces:
        _tell(traces, sampler)
    else:
        say("nothing is known by this id (settled events are kept for journal.retention)")
    return 0 if traces else EXIT_FAILED


def token_of(wanted: str) -> str:
    """What the journal knows it by: digests in lower case, and of an e-mail address its digest."""
    text = wanted.strip()
    digest = email(text) if "@" in text else None
    if isinstance(digest, str):
        return digest
    return text.lower() if is_digest(text) else text


def as_document(trace: Trace) -> dict[str, object]:
    """The trace as JSON is made of; the event is what TikTok got."""
    document = asdict(trace)
    document["errors"] = [error._asdict() for error in trace.errors]
    document["wire"] = None if trace.wire is None else orjson.loads(trace.wire)
    return document


def _sampler(config: Path | None) -> Sampler | None:
    """Which traces a collector has; None where there is no collector. Raises `ConfigError`."""
    traces = configuration.as_written(config).traces
    return None if traces.endpoint is None else Sampler(traces.sample_ratio)


def _with_trace_id(document: dict[str, object], sampler: Sampler | None) -> dict[str, object]:
    if sampler is None:
        return document
    return {**document, "trace_id": sampler.trace_of(str(document["receipt"]))}


def _tell(traces: Sequence[Trace], sampler: Sampler | None) -> None:
    screen = console()
    for trace in traces:
        _tell_one(screen, trace, sampler)


def _tell_one(screen: Console, trace: Trace, sampler: Sampler | None) -> None:
    outcome = f"{trace.outcome} ({trace.reason})" if trace.outcome else "waiting"
    color = _COLORS.get(trace.outcome, "red")
    screen.print(
        f"{trace.event or 'no event name'}  {trace.event_id or 'no event id'}", style="bold"
    )
    _line(screen, "outcome", outcome, color)
    _line(screen, "way", f"{trace.source} → {trace.destination}")
    _line(screen, "receipt", trace.receipt)
    if sampler is not None:
        _line(screen, "trace", sampler.trace_of(trace.receipt) or "not sampled")
    if trace.order_id:
        _line(screen, "order", trace.order_id)
    _line(screen, "happened", moment(trace.event_time))
    _line(screen, "accepted", moment(trace.accepted_at))
    if trace.settled_at is not None:
        _line(screen, "settled", moment(trace.settled_at))
    if trace.errors:
        _line(screen, "errors", issues(trace.errors), "red")
    if trace.attempts:
        screen.print(_attempts(trace.attempts))
    if trace.wire is not None:
        screen.print_json(trace.wire.decode())
    screen.print()


def _line(screen: Console, name: str, value: str, color: str | None = None) -> None:
    screen.print(f"  {name:<9} ", end="", style="dim")
    screen.print(value, style=color)


def _attempts(attempts: Sequence[Attempt]) -> object:
    shown = table(
        "attempt", "at", "verdict", "code", "events", "TikTok's request id", "message",
        right=("attempt", "events"), fold=("message",),
    )  # fmt: skip
    for attempt in attempts:
        answer = attempt.code if attempt.code is not None else attempt.error or attempt.status
        shown.add_row(
            str(attempt.number),
            moment(attempt.started_at),
            attempt.verdict,
            "" if answer is None else str(answer),
            str(attempt.events),
            attempt.request_id or "",
            attempt.message or "",
        )
    return shown
