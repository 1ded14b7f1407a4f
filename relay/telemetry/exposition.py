"""The counts as samples, in the types that `prometheus_client` writes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from relay.model import Counts, MatchKey, Waiting
from relay.telemetry import catalogue
from relay.telemetry.catalogue import Metric

#: The values of a metric's labels, in their order.
Labels = tuple[str, ...]

#: A gauge as somebody else counted it.
Sample = tuple[Metric, Labels, float]


@dataclass(frozen=True, slots=True)
class DiskView:
    """What a folder may take: the bytes that are free, None where they cannot be told, asked at
    each scrape; how many stay free; and how many the events that wait may have."""

    free_bytes: Callable[[], int | None]
    min_free_bytes: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class JournalView:
    """What the journal knows, asked at each scrape; `disk` of one that is kept in a folder."""

    counts: Callable[[], Mapping[str, Counts]]
    waiting: Callable[[str], Waiting]
    healthy: Callable[[], bool]
    disk: DiskView | None = None


@dataclass(frozen=True, slots=True)
class LaneView:
    """The state of each destination's lane, asked at each scrape; `states` are all there are."""

    states: tuple[str, ...]
    current: Callable[[], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class KafkaView:
    """The Kafka sources, asked at each scrape: of each its state, of `states` that there are, and
    by topic how many messages it has not read."""

    states: tuple[str, ...]
    current: Callable[[], Mapping[str, str]]
    lag: Callable[[], Mapping[str, Mapping[str, int]]]


class _Scrape(Collector):
    def __init__(self, families: Callable[[], Iterator[Family]]) -> None:
        self._families = families

    def collect(self) -> Iterator[Family]:
        return self._families()


def registry_of(families: Callable[[], Iterator[Family]]) -> CollectorRegistry:
    """A registry of its own: the library's global one would be shared between tests."""
    registry = CollectorRegistry()
    registry.register(_Scrape(families))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def counter(metric: Metric, counts: Mapping[Labels, int]) -> Family:
    family = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, count in counts.items():
        family.add_metric(labels, count)
    return family


def gauge(metric: Metric, values: Mapping[Labels, float]) -> Family:
    family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def histogram(metric: Metric, counts: Sequence[int], total: float) -> Family:
    """`counts` per bucket, one more than the metric has bounds; `total` of all values."""
    family = HistogramMetricFamily(metric.name, metric.help)
    names = [str(bound) for bound in metric.buckets] + ["+Inf"]
    cumulative = [float(count) for count in accumulate(counts)]
    family.add_metric((), buckets=list(zip(names, cumulative, strict=True)), sum_value=total)
    return family


#: Events by destination and the bits of the match keys that they carried.
Carried = Mapping[tuple[str, int], int]


def of_match_keys(seen: Carried) -> Iterator[Family]:
    """`seen` may hold destinations with no event yet: their counters stand at 0."""
    events: dict[Labels, int] = {}
    carrying: dict[Labels, int] = {}
    for (destination, match_keys), count in seen.items():
        events[destination,] = events.get((destination,), 0) + count
        for key in MatchKey:
            labels = (destination, (key.name or "").lower())
            carrying[labels] = carrying.get(labels, 0) + (count if match_keys & key else 0)
    yield counter(catalogue.ACCEPTED_EVENTS, events)
    yield counter(catalogue.MATCH_KEYS, carrying)
    shares = {
        labels: count / events[labels[0],]
        for labels, count in carrying.items()
        if events[labels[0],]
    }
    yield gauge(catalogue.MATCH_KEY_COVERAGE, shares)


def of_journal(view: JournalView, now: float) -> Iterator[Family]:
    counts = view.counts()
    waiting = {name: view.waiting(name) for name in counts}
    ages: dict[Labels, float] = {
        (name,): max(0.0, now - (now if each.oldest_at is None else each.oldest_at))
        for name, each in waiting.items()
    }
    yield gauge(
        catalogue.JOURNAL_ENTRIES, {(name,): each.entries for name, each in waiting.items()}
    )
    yield gauge(
        catalogue.JOURNAL_BYTES, {(name,): each.size_bytes for name, each in waiting.items()}
    )
    yield gauge(catalogue.JOURNAL_OLDEST_SECONDS, ages)
    yield gauge(catalogue.JOURNAL_HEALTHY, {(): float(view.healthy())})
    yield gauge(catalogue.CONSERVATION_GAP, {(): sum(abs(each.gap) for each in counts.values())})
    if view.disk is not None:
        yield from of_disk(view.disk)


def of_disk(view: DiskView) -> Iterator[Family]:
    free_bytes = view.free_bytes()
    if free_bytes is not None:
        yield gauge(catalogue.DISK_FREE_BYTES, {(): free_bytes})
    yield gauge(catalogue.DISK_MIN_FREE_BYTES, {(): view.min_free_bytes})
    yield gauge(catalogue.JOURNAL_MAX_BYTES, {(): view.max_bytes})


def of_kafka(view: KafkaView) -> Iterator[Family]:
    yield gauge(catalogue.KAFKA_STATE, states_of(view))
    lags: dict[Labels, float] = {
        (source, topic): lag
        for source, topics in view.lag().items()
        for topic, lag in topics.items()
    }
    yield gauge(catalogue.KAFKA_LAG, lags)


def of_audit(samples: Iterable[Sample]) -> Iterator[Family]:
    by_metric: dict[Metric, dict[Labels, float]] = {}
    for metric, labels, value in samples:
        by_metric.setdefault(metric, {})[labels] = value
    for metric, values in by_metric.items():
        yield gauge(metric, values)


def states_of(view: LaneView | KafkaView) -> Mapping[Labels, float]:
    return {
        (name, state): float(state == current)
        for name, current in view.current().items()
        for state in view.states
    }
