"""From settings to a relay's parts: sources, normalizers, lanes. No I/O but reading secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relay.config import Destination, Parts, Settings
from relay.config import Source as SourceSettings
from relay.deliver.lane import Lane
from relay.deliver.limiter import Limiter
from relay.deliver.plan import LanePolicy
from relay.errors import ConfigError, Mistake
from relay.journal.rocksdb import JournalSettings
from relay.normalize.consent import Consent, ConsentAction
from relay.normalize.event import Normalizer
from relay.normalize.policy import Policy
from relay.pipeline.accept import Route
from relay.sources import registry


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


def normalizers_of(settings: Settings) -> Mapping[str, Normalizer]:
    return {each.name: Normalizer(policy_of(each)) for each in settings.destinations}


def route_of(source: SourceSettings) -> Route:
    """The source with its secrets as they are now. Raises `ConfigError`, `SecretUnavailable`."""
    secrets = [secret.read() for secret in source.secrets]
    built = registry.build(source.kind, source.name, secrets, source.options)
    return Route(built, source.routes)


def routes_of(settings: Settings) -> dict[str, Route]:
    """Every source. Raises `ConfigError` with the mistakes of all of them."""
    mistakes: list[Mistake] = []
    routes = {}
    for index, source in enumerate(settings.sources):
        try:
            routes[source.name] = route_of(source)
        except ConfigError as error:
            under = f"sources[{index}]"
            mistakes += [Mistake(f"{under}.{each.key}", each.problem, each.mend)
                         for each in error.mistakes]  # fmt: skip
    if mistakes:
        raise ConfigError(mistakes)
    return routes


def lanes_of(settings: Settings) -> Mapping[str, Lane]:
    """A lane per destination; destinations with one token share its request budget."""
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
        lanes[each.name] = Lane(policy, limiters[token])
    return lanes


def journal_settings_of(settings: Settings) -> JournalSettings:
    return JournalSettings(
        path=settings.journal.path,
        max_bytes=settings.journal.max_bytes,
        min_free_bytes=settings.journal.min_free_bytes,
        retention_s=settings.journal.retention,
        dedupe_windows_s={each.name: each.dedupe_window for each in settings.destinations},
    )
