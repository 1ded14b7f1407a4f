"""`relay normalize`: a dry run. What would TikTok get, and if nothing, why?"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson
import typer

from relay import assembly
from relay.cli import settings as configuration
from relay.cli.terminal import EXIT_FAILED, EXIT_MISTAKE, fail, say, write_line
from relay.clock import SystemClock
from relay.config import DEFAULT_FILE, Settings
from relay.errors import ConfigError, Mistake, PayloadRefused
from relay.model import Event, EventSource, FieldIssue, Reason, Refusal
from relay.normalize.event import Normalizer
from relay.normalize.policy import Policy
from relay.sources.protocol import Control, Conversions, Ignored
from relay.sources.protocol import Source as AnySource

_Normalizers = Mapping[str, Normalizer]


@dataclass(frozen=True, slots=True)
class Asked:
    """What to read, and for whom."""

    file: str
    source: str | None
    destination: str | None
    headers_file: Path | None
    headers: tuple[str, ...]


def run(
    asked: Asked, config: Path | None, *, event_source: str | None, country: str | None
) -> None:
    """Write a line of JSON for each conversion and destination."""
    normalizers: _Normalizers
    source = None
    if event_source is None and country is None and _is_configured(config):
        settings = configuration.for_dry_run(config)
        source, normalizers = _configured(settings, asked)
    elif asked.source or asked.destination:
        fail("--source and --destination name parts of a configuration", code=EXIT_MISTAKE)
    else:
        policy = Policy("?", EventSource(event_source or "web"), default_country=country)
        normalizers = {"": Normalizer(policy)}
    with _opened(asked.file) as stream:
        if source is None:
            _each_line(stream, normalizers)
        else:
            _one_body(source, stream.read(), _headers(asked), normalizers)
    sys.stdout.buffer.flush()


def _is_configured(config: Path | None) -> bool:
    return config is not None or bool(os.environ.get("RELAY_CONFIG")) or DEFAULT_FILE.exists()


def _configured(settings: Settings, asked: Asked) -> tuple[AnySource | None, _Normalizers]:
    """The source to read with (None: canonical conversions), and the destinations to make for."""
    every = assembly.normalizers_of(settings)
    names = list(every)
    source = None
    if asked.source is not None:
        found = configuration.source_named(settings, asked.source)
        names = list(found.routes)
        if found.kind != "canonical":
            source = configuration.route_without_secrets(found).source
    if asked.destination is not None:
        if asked.destination not in names:
            mend = f"There are: {', '.join(names)}"
            raise ConfigError([Mistake("--destination", "no such destination here", mend)])
        names = [asked.destination]
    return source, {name: every[name] for name in names}


# --- reading --------------------------------------------------------------------------------------


def _opened(file: str) -> BinaryIO:
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        fail(f"{file}: {reason}", code=EXIT_MISTAKE)


def _each_line(stream: BinaryIO, normalizers: _Normalizers) -> None:
    for number, item in _items(stream):
        _each_destination({"line": number}, item, normalizers)


def _items(stream: BinaryIO) -> Iterator[tuple[int, object]]:
    """Conversions with their line: one a line, or a whole JSON document, maybe an array."""
    first = stream.readline()
    whole = _parsed(first)
    if first.strip() and isinstance(whole, _Unreadable):
        document = first + stream.read()
        parsed = _parsed(document)
        if not isinstance(parsed, _Unreadable):
            yield from enumerate(parsed if isinstance(parsed, list) else [parsed], start=1)
            return
        lines: Iterable[bytes] = document.splitlines()
        start = 1
    elif isinstance(whole, list):
        yield from enumerate(whole, start=1)
        lines, start = stream, 2
    else:
        if first.strip():
            yield 1, whole
        lines, start = stream, 2
    for number, line in enumerate(lines, start):
        if line.strip():
            yield number, _parsed(line)


class _Unreadable:
    """A line that is not JSON."""


def _parsed(line: bytes) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return _Unreadable()


def _headers(asked: Asked) -> Mapping[str, str]:
    """Header names in lower case, from the file and from `-H`."""
    headers: dict[str, str] = {}
    lines: list[str] = []
    if asked.headers_file is not None:
        text = asked.headers_file.read_text(encoding="utf-8")
        document = _parsed(text.encode()) if text.lstrip().startswith("{") else None
        if isinstance(document, dict):
            headers = {str(name).lower(): str(value) for name, value in document.items()}
        else:
            lines = text.splitlines()
    for line in (*lines, *asked.headers):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return headers


# --- writing --------------------------------------------------------------------------------------


def _one_body(
    source: AnySource, body: bytes, headers: Mapping[str, str], normalizers: _Normalizers
) -> None:
    if source.is_ping(body, headers):
        _write_object({"ignored": "ping"})
        return
    now = SystemClock().now()
    try:
        reading = source.read(body, headers, now=now, recall=lambda key: None)
    except PayloadRefused as refused:
        _write_object({"refused": refused.reason})
        raise typer.Exit(EXIT_FAILED) from None
    match reading:
        case Ignored(reason):
            _write_object({"ignored": reason})
            if reason == "topic":
                say("the topic is told by a header: name it with -H or --headers")
        case Control(action=action):
            _write_object({"control": action})
        case Conversions(items):
            _each_item(items, normalizers)


def _each_item(items: Sequence[object], normalizers: _Normalizers) -> None:
    for index, item in enumerate(items):
        _each_destination({"index": index}, item, normalizers)


def _each_destination(place: dict[str, object], item: object, normalizers: _Normalizers) -> None:
    now = SystemClock().now()
    for name, normalizer in normalizers.items():
        line = place | ({"destination": name} if name else {})
        if isinstance(item, _Unreadable):
            _write_object(line | {"outcome": "invalid", "reason": "not_json"})
            continue
        result = item if isinstance(item, Refusal) else normalizer(item, now=now)
        line |= _outcome(result) if isinstance(result, Refusal) else _event(result)
        if isinstance(result, Refusal) and result.reason is Reason.TOO_OLD:
            # Saved payloads are old, and a mapping is to be seen all the same.
            fresh = normalizer(item, now=result.event_time or now)
            line |= _event(fresh) if isinstance(fresh, Event) else {}
        _write_object(line)


def _event(event: Event) -> dict[str, object]:
    line: dict[str, object] = {"event": orjson.Fragment(event.wire)}
    if event.test_event_code is not None:
        line["test_event_code"] = event.test_event_code
    if event.issues:
        line["dropped"] = _issues(event.issues)
    return line


def _outcome(refusal: Refusal) -> dict[str, object]:
    line: dict[str, object] = {"outcome": refusal.outcome, "reason": refusal.reason}
    if refusal.errors:
        line["errors"] = _issues(refusal.errors)
    return line


def _issues(issues: Iterable[FieldIssue]) -> list[dict[str, str]]:
    return [{"field": issue.field, "reason": issue.reason} for issue in issues]


def _write_object(line: dict[str, object]) -> None:
    write_line(orjson.dumps(line))
