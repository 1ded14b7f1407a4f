"""What the configuration's parts must agree on, beyond the shape of each.

A check looks at the parts that are sound in themselves, so that a mistake in one destination does
not hide the mistakes of the others.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from relay.config.management import Management
from relay.config.settings import Destination, Journal, Listen, Settings, Source
from relay.config.traces import Traces
from relay.config.values import as_duration
from relay.errors import Mistake
from relay.model import EventSource
from relay.secrets import Secret, SecretUnavailable


@dataclass(frozen=True, slots=True)
class Parts:
    """The sound parts of a configuration, by key (`destinations[0]`); `declared` are the names of
    all destinations, sound or not."""

    journal: Journal | None
    listen: Listen | None
    management: Management | None
    traces: Traces | None
    destinations: Mapping[str, Destination]
    sources: Mapping[str, Source]
    declared: frozenset[str]


#: What stands around the events of a request: event source, its id, test code, partner name.
ENVELOPE_BYTES = 1024

#: IANA, "opentelemetry": the default of OTLP over gRPC.
_GRPC_PORT = 4317

Check = Callable[[Parts], Iterable[Mistake]]


def something_to_deliver_to(parts: Parts) -> Iterator[Mistake]:
    if not parts.declared:
        yield Mistake("destinations", "there is none", "Add a [[destinations]] table")


def names_are_unique(parts: Parts) -> Iterator[Mistake]:
    for kind, table in (("destination", parts.destinations), ("source", parts.sources)):
        first: dict[str, str] = {}
        for key, part in table.items():
            holder = first.setdefault(part.name, key)
            if holder != key:
                problem = f"{holder} has the same name"
                yield Mistake(f"{key}.name", problem, f"Give each {kind} a name of its own")


def sources_lead_somewhere(parts: Parts) -> Iterator[Mistake]:
    for key, source in parts.sources.items():
        if source.destination is not None and source.destinations:
            yield Mistake(
                f"{key}.destinations", "stands beside `destination`", "Keep one of the two"
            )
        elif not source.routes:
            yield Mistake(
                f"{key}.destination", "missing", "Name the destination that its events go to"
            )
        elif len(set(source.routes)) < len(source.routes):
            yield Mistake(f"{key}.destinations", "names one twice", "Name each once")
        for route in source.routes:
            if route not in parts.declared:
                at = "destinations" if source.destinations else "destination"
                yield Mistake(
                    f"{key}.{at}", "no destination has this name", _nearest(route, parts.declared)
                )


def senders_can_be_verified(parts: Parts) -> Iterator[Mistake]:
    """Whether the secrets fit the kind's way of signing is for the kind to say; `custom` may be for
    files, and then verifies nobody. Who may write to a topic is decided by its brokers."""
    for key, source in parts.sources.items():
        if source.kind == "kafka":
            for name in ("keys", "secrets"):
                if getattr(source, name):
                    problem = "nobody shows it to a topic"
                    yield Mistake(f"{key}.{name}", problem, "Remove it; see `security`")
        elif source.kind == "canonical" and not source.keys:
            problem = "missing: a canonical source is told by the key that its sender shows"
            yield Mistake(f"{key}.keys", problem, 'Add keys = ["env:NAME"]')
        elif source.kind != "custom" and not source.keys and not source.secrets:
            problem = "missing: nothing tells the sender from anybody else"
            yield Mistake(f"{key}.secrets", problem, 'Add secrets = ["env:NAME"]')


def topics_are_read_once(parts: Parts) -> Iterator[Mistake]:
    """A message's receipt names its topic, not its cluster or its source."""
    first: dict[tuple[str, str], str] = {}
    for key, source in parts.sources.items():
        topics = source.options.get("topics") if source.kind == "kafka" else ()
        for index, topic in enumerate(topics if isinstance(topics, list | tuple) else ()):
            for route in source.routes:
                holder = first.setdefault((str(topic), route), key)
                if holder != key:
                    problem = f"{holder} reads a topic of this name for the same destination"
                    mend = "Read it once, or give it another name or destination"
                    yield Mistake(f"{key}.topics[{index}]", problem, mend)


def keys_belong_to_one_source(parts: Parts) -> Iterator[Mistake]:
    first: dict[str, str] = {}
    for key, source in parts.sources.items():
        for index, secret in enumerate(source.keys):
            at = f"{key}.keys[{index}]"
            holder = first.setdefault(_identity(secret), at)
            if holder != at:
                problem = f"the same key as {holder}: it tells which source is sending"
                yield Mistake(at, problem, "Give each source keys of its own")


def groups_are_apart(parts: Parts) -> Iterator[Mistake]:
    """A consumer group has one purpose: its members share out what they subscribe to."""
    journal = parts.journal
    if journal is None or journal.kafka is None:
        return
    for key, source in parts.sources.items():
        if source.kind == "kafka" and source.options.get("group") == journal.group:
            problem = "the group of the processes that deliver (journal.group)"
            yield Mistake(f"{key}.group", problem, "Give the source a group of its own")


def journal_is_whole(parts: Parts) -> Iterator[Mistake]:
    """Topics without tables, or tables without topics, are no journal."""
    journal = parts.journal
    if journal is None or (journal.kafka is None) == (journal.postgres is None):
        return
    if journal.postgres is None:
        problem = "missing: claims, retries and sums are kept in PostgreSQL"
        yield Mistake("journal.postgres", problem, 'Add postgres = "env:RELAY_POSTGRES"')
    else:
        problem = "missing: events wait in Kafka's topics"
        yield Mistake("journal.kafka", problem, 'Add kafka = "host:9092", or remove postgres')


def times_fit_together(parts: Parts) -> Iterator[Mistake]:
    if parts.journal is None:
        return
    retention = parts.journal.retention
    for key, destination in parts.destinations.items():
        for name in ("dedupe_window", "max_event_age"):
            if getattr(destination, name) > retention:
                yield Mistake(
                    f"{key}.{name}",
                    f"longer than journal.retention ({as_duration(retention)})",
                    "Make journal.retention at least as long",
                )


def requests_hold_events(parts: Parts) -> Iterator[Mistake]:
    for key, destination in parts.destinations.items():
        if destination.max_event_bytes + ENVELOPE_BYTES > destination.max_batch_bytes:
            problem = "an event may be larger than a request"
            mend = f"Leave {ENVELOPE_BYTES} bytes between it and max_batch_bytes"
            yield Mistake(f"{key}.max_event_bytes", problem, mend)


def codes_for_tests_run_out(parts: Parts) -> Iterator[Mistake]:
    for key, destination in parts.destinations.items():
        if destination.test_event_code and destination.test_event_code_until is None:
            yield Mistake(
                f"{key}.test_event_code_until",
                "missing: events with a test code do not count, and test codes get forgotten",
                "Say when it ends: 2026-11-30T18:00:00+01:00",
            )
        elif destination.test_event_code_until and not destination.test_event_code:
            yield Mistake(
                f"{key}.test_event_code", "missing", "Add it, or remove test_event_code_until"
            )


def listeners_are_apart(parts: Parts) -> Iterator[Mistake]:
    if parts.listen is None:
        return
    if parts.listen.operator.overlaps(parts.listen.public):
        yield Mistake("listen.operator", "the same address as listen.public", "Use another port")
    if not parts.listen.operator.is_loopback and parts.listen.operator_token is None:
        yield Mistake(
            "listen.operator_token",
            "missing: listen.operator can be reached from other machines",
            'Add operator_token = "env:NAME", or listen on 127.0.0.1',
        )


#: What can be said without reading a secret.
STRUCTURE: tuple[Check, ...] = (
    something_to_deliver_to,
    names_are_unique,
    sources_lead_somewhere,
    senders_can_be_verified,
    topics_are_read_once,
    keys_belong_to_one_source,
    journal_is_whole,
    groups_are_apart,
    times_fit_together,
    requests_hold_events,
    codes_for_tests_run_out,
    listeners_are_apart,
)


def secrets_can_be_read(parts: Parts) -> Iterator[Mistake]:
    """For commands that use them: every secret is there, and can be sent in a header."""
    for key, secret in secrets_of(parts):
        try:
            value = secret.read()
        except SecretUnavailable as unavailable:
            yield Mistake(key, str(unavailable), "Set it, or correct the reference")
            continue
        if ".secrets[" not in key and not (value.isascii() and value.isprintable()):
            problem = f"{secret.reference}: holds characters that no token has"
            yield Mistake(key, problem, "Store the token alone, on one line")


def secrets_of(parts: Parts) -> Iterator[tuple[str, Secret]]:
    """Every secret of the configuration, with its key."""
    for name, secret in _single_secrets(parts):
        if secret is not None:
            yield name, secret
    for key, destination in parts.destinations.items():
        yield f"{key}.access_token", destination.access_token
    for key, source in parts.sources.items():
        for name, secrets in (("secrets", source.secrets), ("keys", source.keys)):
            for index, secret in enumerate(secrets):
                yield f"{key}.{name}[{index}]", secret


def _single_secrets(parts: Parts) -> Iterator[tuple[str, Secret | None]]:
    """Those of tables that there is one of."""
    if parts.listen is not None:
        yield "listen.operator_token", parts.listen.operator_token
    if parts.journal is not None:
        database = parts.journal.postgres
        yield "journal.postgres", None if database is None else database.secret
        yield "journal.security.password", parts.journal.security.password
    if parts.management is not None:
        yield "management.access_token", parts.management.access_token
    if parts.traces is not None:
        yield "traces.authorization", parts.traces.authorization


def warnings(settings: Settings, *, now: float) -> list[Mistake]:
    """What is allowed, but probably not meant. `now` is Unix time."""
    fed = {route for source in settings.sources for route in source.routes}
    found: list[Mistake] = []
    for index, destination in enumerate(settings.destinations):
        key = f"destinations[{index}]"
        found += _doubts(key, destination, now=now)
        if destination.name not in fed:
            problem = "no source names this destination"
            found.append(Mistake(f"{key}.name", problem, "Name it in a source, or remove it"))
    if not settings.sources:
        problem = "there is none: nothing can arrive but by `relay import`"
        found.append(Mistake("sources", problem, "Add a [[sources]] table"))
    return [*found, *base_url_is_safe(settings.tiktok.base_url), *_doubts_about(settings.traces)]


def base_url_is_safe(base_url: str) -> Iterator[Mistake]:
    """For whoever sends a token there."""
    if base_url.startswith("http://") and not _is_local(base_url):
        problem = "not https: tokens travel in the clear"
        yield Mistake("tiktok.base_url", problem, "Write https://")


def _doubts(key: str, destination: Destination, *, now: float) -> Iterator[Mistake]:
    if destination.event_source is EventSource.WEB and destination.page_url is None:
        yield Mistake(
            f"{key}.page_url",
            "missing: TikTok requires `page.url` of web events, and most webhooks carry none",
            'Add page_url = "https://shop.example/"',
        )
    if destination.dedupe_window < 4 * 86_400:
        yield Mistake(
            f"{key}.dedupe_window",
            "senders repeat webhooks for up to three days, and TikTok forgets after 48 hours",
            'Write at least "4d"',
        )
    if destination.test_event_code and destination.test_code_at(now) is None:
        yield Mistake(
            f"{key}.test_event_code_until",
            "has passed: events go out live",
            "Remove test_event_code and test_event_code_until, or set a later time",
        )


def _doubts_about(traces: Traces) -> Iterator[Mistake]:
    endpoint = traces.endpoint
    if endpoint is None:
        return
    if urlsplit(endpoint).port == _GRPC_PORT:
        problem = f"{_GRPC_PORT} is where collectors speak gRPC; the relay speaks OTLP over HTTP"
        yield Mistake("traces.endpoint", problem, "Write the port for HTTP, mostly 4318")
    if traces.authorization and endpoint.startswith("http://") and not _is_local(endpoint):
        problem = "not https: traces.authorization travels in the clear"
        yield Mistake("traces.endpoint", problem, "Write https://, unless the network is your own")


def _is_local(url: str) -> bool:
    return url.startswith(("http://127.", "http://localhost", "http://[::1]"))


def _identity(secret: Secret) -> str:
    """Two keys are the same when their values are; unread, when their references are."""
    try:
        return f"value {secret.read()}"
    except SecretUnavailable:
        return f"reference {secret.reference}"


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"Did you mean `{close[0]}`?" if close else "Add it, or correct the name"
