"""From settings to a relay's parts: sources, normalizers, lanes. No I/O but reading secrets."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relay.clock import Clock
from relay.config import Destination, Parts, Settings
from relay.config import Source as SourceSettings
from relay.deliver.budget import Budget
from relay.deliver.lane import Lane
from relay.deliver.limiter import Limiter
from relay.deliver.plan import LanePolicy
from relay.errors import ConfigError, Mistake
from relay.ingest.kafka import ReaderSettings
from relay.journal.protocol import Journal
from relay.journal.rocksdb import JournalSettings, RocksJournal
from relay.kafka.connection import KafkaConnection
from relay.model import Outcome, Reason
from relay.normalize.consent import Consent, ConsentAction
from relay.normalize.event import Normalizer
from relay.normalize.policy import Policy
from relay.pipeline.accept import Route
from relay.role import Role
from relay.secrets import SecretUnavailable
from relay.sources import kafka, registry
from relay.telemetry import DiskView, JournalView
from relay.traces import OFF, Tracer, Traces, extra

if TYPE_CHECKING:
    from relay.deliver.shared.postgres import Sharing
    from relay.journal.distributed import DistributedRecords, DistributedSettings
    from relay.journal.distributed.claiming import Fate
    from relay.journal.distributed.message import Arrived
    from relay.postgres.database import Database


def policy_of(destination: Destination) -> Policy:
    """What normalizing for this destination goes by."""
    return Policy(
        destination=destination.name,
        event_source=destination.event_source,
        default_country=destination.default_country,
        cn_phone_without_country_code=destination.cn_phone_without_country_code,
        hash_idfa=destination.hash_idfa,
        hash_gaid=destination.hash_gaid,
        keep_unlisted_identifiers=destination.keep_unlisted_identifiers,
        aliases=destination.aliases,
        consent={
            Consent.GRANTED: ConsentAction(destination.consent.granted.value),
            Consent.DENIED: ConsentAction(destination.consent.denied.value),
            Consent.UNKNOWN: ConsentAction(destination.consent.unknown.value),
        },
        page_url=destination.page_url,
        max_event_age_s=destination.max_event_age,
        max_future_s=destination.max_future,
        without_match_key=destination.without_match_key.value,
        max_event_bytes=destination.max_event_bytes,
    )


def policies_make_sense(parts: Parts) -> Sequence[Mistake]:
    """A check for `config.load`: what normalizing says about each destination's policy."""
    return [
        Mistake(f"{key}.{mistake.key}", mistake.problem, mistake.mend)
        for key, destination in parts.destinations.items()
        for mistake in policy_of(destination).mistakes()
    ]


def sources_make_sense(parts: Parts) -> Sequence[Mistake]:
    """A check for `config.load`: what each kind of source says about its own options."""
    return [
        mistake
        for key, source in parts.sources.items()
        for mistake in registry.check(source.kind, source.options, under=key)
    ]


def brokers_can_be_asked(parts: Parts) -> Sequence[Mistake]:
    """A check for `config.load`: the passwords and certificates that Kafka sources name."""
    mistakes: list[Mistake] = []
    for key, source in parts.sources.items():
        if source.kind != kafka.KIND or registry.check(source.kind, source.options):
            continue
        connection = reader_settings_of(source).connection
        try:
            if connection.security.password is not None:
                connection.security.password.read()
        except SecretUnavailable as unavailable:
            at = f"{key}.security.password"
            mistakes.append(Mistake(at, str(unavailable), "Set it, or correct the reference"))
        with suppress(SecretUnavailable):  # told above
            mistakes += _unusable(connection, under=key)
    return mistakes


def _unusable(connection: KafkaConnection, *, under: str) -> Sequence[Mistake]:
    try:
        connection.options()
    except ConfigError as error:
        return [Mistake(f"{under}.{each.key}", each.problem, each.mend) for each in error.mistakes]
    return ()


def traces_can_be_sent(parts: Parts) -> Sequence[Mistake]:
    """A check for `config.load`: what sends spans is an extra."""
    if parts.traces is None or parts.traces.endpoint is None or extra.is_installed():
        return []
    problem = "OpenTelemetry is not installed"
    return [Mistake("traces.endpoint", problem, f"{extra.MEND}, or leave [traces] out")]


@asynccontextmanager
async def traces_of(
    settings: Settings, version: str, told: Callable[[str, int, str | None], None]
) -> AsyncIterator[Traces]:
    """Who is told what happens; `told` hears what became of spans: a word, how many, and why."""
    traces = settings.traces
    if traces.endpoint is None:
        yield OFF
        return
    # Only here: it takes 0.2 s to load, and is an extra.
    with extra.unheard(os.environ):
        from relay.traces.otlp import Target, exporting  # noqa: PLC0415

    instance = str(uuid.uuid4())
    target = Target(traces.endpoint, traces.authorization, traces.service_name, version, instance)
    async with exporting(target, told) as offer:
        yield Tracer(
            traces.sample_ratio, offer, lambda error: told("broken", 1, type(error).__name__)
        )


def topics_of(source: SourceSettings) -> kafka.Topics:
    """What the messages of a Kafka source mean. Raises `ConfigError`."""
    built = registry.build(source.kind, source.name, (), source.options)
    assert isinstance(built, kafka.Topics)  # noqa: S101  # it is of that kind
    return built


def reader_settings_of(source: SourceSettings) -> ReaderSettings:
    """How a Kafka source is read. Raises `ConfigError`."""
    options = topics_of(source).settings
    return ReaderSettings(
        name=source.name,
        connection=KafkaConnection(options.brokers, options.security),
        topics=options.topics,
        group=options.group,
        starts_at_end=options.start is kafka.Start.LATEST,
        max_invalid_share=options.max_invalid_share,
        session_timeout_s=options.session_timeout,
    )


def normalizers_of(settings: Settings) -> Mapping[str, Normalizer]:
    return {each.name: Normalizer(policy_of(each)) for each in settings.destinations}


def route_of(source: SourceSettings) -> Route:
    """The source with its secrets as they are now. Raises `ConfigError`, `SecretUnavailable`."""
    secrets = [secret.read() for secret in source.secrets]
    built = registry.build(source.kind, source.name, secrets, source.options)
    return Route(built, source.routes)


def routes_of(settings: Settings) -> dict[str, Route]:
    """Every source that somebody speaks to; topics are read instead. Raises `ConfigError` with
    the mistakes of all of them."""
    mistakes: list[Mistake] = []
    routes = {}
    for index, source in enumerate(settings.sources):
        if source.kind == kafka.KIND:
            continue
        try:
            routes[source.name] = route_of(source)
        except ConfigError as error:
            under = f"sources[{index}]"
            mistakes += [Mistake(f"{under}.{each.key}", each.problem, each.mend)
                         for each in error.mistakes]  # fmt: skip
    if mistakes:
        raise ConfigError(mistakes)
    return routes


def lanes_of(settings: Settings, sharing: Sharing | None = None) -> Mapping[str, Lane]:
    """A lane per destination; destinations with one token share its request budget, and with
    `sharing` all replicas do."""
    limiters: dict[str, Limiter] = {}
    lanes = {}
    for each in settings.destinations:
        token = each.access_token.reference
        if token not in limiters:
            ceiling = min(
                other.requests_per_second
                for other in settings.destinations
                if other.access_token.reference == token
            )
            limiters[token] = Limiter(ceiling=ceiling, floor=min(0.1, ceiling))
        policy = LanePolicy(
            max_in_flight=each.concurrency,
            max_events=each.max_batch_events,
            backlog_after_s=5.0 + each.linger,
            probe_every_s=each.probe_every,
        )
        budget: Budget = limiters[token]
        if sharing is not None:
            ceiling = each.requests_per_second
            budget = sharing.budget(each.name, token, ceiling=ceiling, floor=min(0.1, ceiling))
        lanes[each.name] = Lane(policy, budget)
    return lanes


def journal_view_of(journal: Journal, settings: Settings) -> JournalView:
    """What a scrape asks the journal; a disk has only one that is kept in a folder."""
    disk = None
    if isinstance(journal, RocksJournal):
        limits = settings.journal
        disk = DiskView(lambda: journal.free_bytes, limits.min_free_bytes, limits.max_bytes)
    return JournalView(journal.counts, journal.waiting, lambda: journal.healthy, disk)


def sharing_of(journal: Journal, clock: Clock) -> Sharing | None:
    """What replicas share, through the database of their journal; None where there are none."""
    if isinstance(journal, RocksJournal):
        return None
    from relay.deliver.shared.postgres import Sharing  # noqa: PLC0415  # see `journal_of`
    from relay.journal.distributed import DistributedJournal  # noqa: PLC0415  # as above

    assert isinstance(journal, DistributedJournal)  # noqa: S101  # there are two kinds
    return Sharing(journal.database, clock, replica=journal.owner)


@dataclass(frozen=True, slots=True)
class JournalWatchers:
    """Who is told of records that cannot be read, of errors that stop a folder or (with what it
    was about) servers, and of events that ended as they were claimed: their destination, name,
    outcome and reason."""

    damaged: Callable[[int], None]
    failing: Callable[[Exception], None]
    trouble: Callable[[str, Exception], None]
    ended: Callable[[str, str | None, Outcome, Reason], None]


@asynccontextmanager
async def journal_of(
    settings: Settings, role: Role, clock: Clock, watchers: JournalWatchers
) -> AsyncIterator[Journal]:
    """The journal that the configuration names, open. Raises what opening it raises."""
    if not settings.journal.is_distributed:
        async with RocksJournal(
            journal_settings_of(settings),
            clock,
            on_damage=watchers.damaged,
            on_failure=watchers.failing,
        ) as folder:
            yield folder
        return
    # Only here: what a folder never needs costs tens of milliseconds and megabytes.
    from relay.journal import distributed  # noqa: PLC0415

    def claimed(destination: str, found: Sequence[tuple[Arrived, Fate]]) -> None:
        """Refusals were counted at the door."""
        for message, fate in found:
            if message.refusal is None and fate.outcome is not None and fate.reason is not None:
                watchers.ended(destination, message.fields[3], fate.outcome, fate.reason)

    async with distributed.DistributedJournal(
        distributed_settings_of(settings, role),
        database_of(settings, watchers, working=True),
        clock,
        distributed.Watchers(watchers.trouble, watchers.damaged, claimed),
    ) as journal:
        yield journal


@asynccontextmanager
async def records_of(
    settings: Settings, clock: Clock, watchers: JournalWatchers
) -> AsyncIterator[DistributedRecords]:
    """What servers know, for looking. Raises `DatabaseUnavailable`."""
    from relay.journal import distributed  # noqa: PLC0415  # as above

    async with distributed.DistributedRecords(
        distributed_settings_of(settings, Role.INGEST), database_of(settings, watchers), clock
    ) as records:
        yield records


def database_of(
    settings: Settings, watchers: JournalWatchers, *, working: bool = False
) -> Database:
    """PostgreSQL as the journal uses it. Who is `working` makes the schema, and does not take one
    whose journal was moved elsewhere; who looks makes nothing."""
    from relay.journal.distributed import identity  # noqa: PLC0415  # as above
    from relay.postgres.database import Database  # noqa: PLC0415  # as above

    url = settings.journal.postgres
    assert url is not None  # noqa: S101  # a check of the configuration
    return Database(
        url.read,
        schema=settings.journal.database_schema,
        on_trouble=lambda error: watchers.trouble("database", error),
        require=identity.refuse_sealed if working else None,
        making=working,
    )


def distributed_settings_of(settings: Settings, role: Role) -> DistributedSettings:
    """Where the topics are, and what this process does of them."""
    from relay.journal.distributed import DistributedSettings, Topics  # noqa: PLC0415  # as above

    journal = settings.journal
    return DistributedSettings(
        kafka=KafkaConnection(journal.kafka or "", journal.security),
        topics=Topics(
            journal.topic_prefix, journal.partitions, journal.replication, journal.retention
        ),
        group=journal.group,
        destinations=[each.name for each in settings.destinations],
        delivers=role.delivers,
        retention_s=journal.retention,
        dedupe_windows_s={each.name: each.dedupe_window for each in settings.destinations},
    )


def journal_settings_of(settings: Settings) -> JournalSettings:
    return JournalSettings(
        path=settings.journal.path,
        max_bytes=settings.journal.max_bytes,
        min_free_bytes=settings.journal.min_free_bytes,
        retention_s=settings.journal.retention,
        dedupe_windows_s={each.name: each.dedupe_window for each in settings.destinations},
    )
