"""Counting, at a price the hot path can pay, and showing the counts to Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric as Family

from relay.model import Attempt, Outcome, Reason
from relay.role import Role
from relay.telemetry import catalogue, exposition
from relay.telemetry.catalogue import MAX_CUSTOM_EVENTS, STANDARD_EVENTS
from relay.telemetry.exposition import JournalView, KafkaView, Labels, LaneView, Sample

#: Answers carry codes of TikTok's choosing: this many are labels of their own.
_MAX_CODES = 100

#: Senders may put anything anywhere: this many names of dropped fields are labels of their own.
_MAX_FIELDS = 200

#: Made at the scrape, of what is counted once.
_DERIVED = frozenset({catalogue.ACCEPTED_EVENTS, catalogue.MATCH_KEYS})


class Tally:
    """Counts by labels. Not for several threads."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: dict[Labels, int] = {}

    def add(self, labels: Labels, count: int = 1) -> None:
        counts = self.counts
        counts[labels] = counts.get(labels, 0) + count


class Spread:
    """How values spread over buckets. Not for several threads."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float, count: int = 1) -> None:
        self.counts[bisect_left(self.bounds, value)] += count
        self.total += value * count


class Admitted:
    """Label values that others choose: the first `limit`, and "other" for the rest."""

    __slots__ = ("_limit", "_values")

    def __init__(self, known: Iterable[str], limit: int) -> None:
        self._values = {value: value for value in known}
        self._limit = len(self._values) + limit

    def label(self, value: str) -> str:
        return self._values.get(value) or self._admit(value)

    def _admit(self, value: str) -> str:
        if len(self._values) >= self._limit:
            return "other"
        return self._values.setdefault(value, value)


class Telemetry:
    """Every metric of the relay. The methods that events pass are named for what happened."""

    def __init__(self, *, version: str, role: Role = Role.ALL, now: Callable[[], float]) -> None:
        self._now = now
        self.version = version
        self._role = role
        self._events = Admitted(STANDARD_EVENTS, MAX_CUSTOM_EVENTS)
        self._codes = Admitted(("0",), _MAX_CODES)
        self._fields = Admitted((), _MAX_FIELDS)
        self._tallies = {
            metric: Tally()
            for metric in catalogue.METRICS
            if metric.kind == "counter" and metric not in _DERIVED
        }
        self._spreads = {
            metric: Spread(metric.buckets)
            for metric in catalogue.METRICS
            if metric.kind == "histogram"
        }
        # Looking a metric up costs more than counting: those of every event are kept at hand.
        self._arrivals = self._tallies[catalogue.ARRIVALS]
        self._outcomes = self._tallies[catalogue.OUTCOMES]
        self._match_keys: dict[tuple[str, int], int] = {}
        self._journal: JournalView | None = None
        self._lanes: LaneView | None = None
        self._kafka: KafkaView | None = None
        self._audit: Callable[[], Iterable[Sample]] | None = None
        self._audit_every_s = 0.0
        self._problems: Callable[[], int] | None = None
        self._max_event_ages: dict[Labels, float] = {}
        self._registry = exposition.registry_of(self.families)

    # What can be foreseen: its counters begin at 0, for Prometheus does not see the first rise of
    # one that begins with it.

    def expect_destinations(self, max_event_ages: Mapping[str, float]) -> None:
        """Those of the configuration, with the greatest age of an event in seconds."""
        for destination, age_s in max_event_ages.items():
            self._max_event_ages[destination,] = age_s
            self._match_keys.setdefault((destination, 0), 0)
            self._tallies[catalogue.LATE_REPEATS].add((destination,), 0)

    def expect_senders(
        self, sources: Iterable[str], signature_reasons: Sequence[str], refusals: Iterable[str]
    ) -> None:
        """The sources of the configuration, and why a sender may be turned away."""
        for source in sources:
            self._arrivals.add((source,), 0)
            for reason in signature_reasons:
                self._tallies[catalogue.SIGNATURE_FAILURES].add((source, reason), 0)
        for refusal in refusals:
            self._tallies[catalogue.DOOR_REFUSALS].add((refusal,), 0)

    # What happened to events -------------------------------------------------------------------

    def arrived(self, source: str, count: int = 1) -> None:
        """A sender handed over so many events."""
        self._arrivals.add((source,), count)

    def settled(
        self, destination: str, event: str | None, outcome: Outcome, reason: Reason, count: int = 1
    ) -> None:
        """So many arrivals ended like this; `event` is None where it has no name."""
        label = self._events.label(event) if event else "none"
        self._outcomes.add((destination, label, outcome, reason), count)

    def accepted(self, destination: str, match_keys: int) -> None:
        """An event was journaled; `match_keys` are `MatchKey` bits."""
        key = (destination, match_keys)
        self._match_keys[key] = self._match_keys.get(key, 0) + 1

    def delivered_after(self, seconds: Iterable[float]) -> None:
        """Events were settled by TikTok's answer, so long after they were accepted."""
        add = self._spreads[catalogue.DELIVERY_LAG_SECONDS].add
        for each in seconds:
            add(each)

    def field_dropped(self, destination: str, field: str, reason: str) -> None:
        """A field was left out of an event; `reason` is a word of a closed list."""
        label = self._fields.label(field)
        self._tallies[catalogue.DROPPED_FIELDS].add((destination, label, reason))

    def resent_late(self, destination: str, count: int) -> None:
        """So many events were sent again after 48 hours."""
        self._tallies[catalogue.LATE_REPEATS].add((destination,), count)

    # What happened to requests -----------------------------------------------------------------

    def answered(self, seconds: float) -> None:
        """A request with events was answered 2xx, so long after its last byte."""
        self._spreads[catalogue.ACCEPT_SECONDS].add(seconds)

    def ignored(self, source: str, reason: str) -> None:
        """A verified message was no conversion."""
        self._tallies[catalogue.IGNORED].add((source, reason))

    def signature_refused(self, source: str, reason: str) -> None:
        """A sender could not be verified."""
        self._tallies[catalogue.SIGNATURE_FAILURES].add((source, reason))

    def refused_at_the_door(self, reason: str) -> None:
        """A request was turned away before its events were looked at."""
        self._tallies[catalogue.DOOR_REFUSALS].add((reason,))

    def attempted(self, attempt: Attempt) -> None:
        """A request to TikTok came to its end, whatever it was."""
        code = self._codes.label(code_of(attempt))
        self._tallies[catalogue.ATTEMPTS].add((attempt.destination, code))
        self._spreads[catalogue.ATTEMPT_SECONDS].add(attempt.seconds)

    # What happened to topics -------------------------------------------------------------------

    def kafka_consumed(self, source: str, topic: str, count: int) -> None:
        """So many messages are durable, or were passed over."""
        self._tallies[catalogue.KAFKA_MESSAGES].add((source, topic), count)

    def kafka_committed(self, source: str, *, done: bool) -> None:
        """Offsets were committed, or could not be."""
        self._tallies[catalogue.KAFKA_COMMITS].add((source, "done" if done else "failed"))

    # What happened to the house ----------------------------------------------------------------

    def journal_damaged(self, records: int) -> None:
        """So many records of the journal could not be read."""
        self._tallies[catalogue.JOURNAL_DAMAGED].add((), records)

    def log_line_withheld(self, line: str) -> None:
        """A log line was not written because the same was written a moment before."""
        self._tallies[catalogue.LOG_LINES_WITHHELD].add((line,))

    def spans_ended(self, result: str, count: int) -> None:
        """So many spans were exported, or will never be."""
        self._tallies[catalogue.TRACE_SPANS].add((result,), count)

    def watch_journal(self, view: JournalView) -> None:
        """Ask this journal at each scrape."""
        self._journal = view

    def watch_lanes(self, view: LaneView) -> None:
        """Ask these lanes at each scrape."""
        self._lanes = view

    def watch_kafka(self, view: KafkaView) -> None:
        """Ask these sources at each scrape."""
        self._kafka = view

    def audited(self, result: str) -> None:
        """An audit ended: `whole`, `partial` or `failed`."""
        self._tallies[catalogue.AUDIT_RUNS].add((result,))

    def watch_audit(self, view: Callable[[], Iterable[Sample]], every_s: float) -> None:
        """Ask for what the last audit found at each scrape; one is made so often."""
        self._audit = view
        self._audit_every_s = every_s
        for result in ("whole", "partial", "failed"):
            self._tallies[catalogue.AUDIT_RUNS].add((result,), 0)

    def watch_health(self, problems: Callable[[], int]) -> None:
        """Ask how many problems there are at each scrape."""
        self._problems = problems

    def scraped(self) -> bytes:
        """The text that Prometheus reads; on the thread that counts."""
        return generate_latest(self._registry)

    # What a scrape sees ------------------------------------------------------------------------

    def families(self) -> Iterator[Family]:
        """Every metric with its present samples."""
        for metric, tally in self._tallies.items():
            counts = tally.counts or ({} if metric.labels else {(): 0})
            yield exposition.counter(metric, counts)
        for metric, spread in self._spreads.items():
            yield exposition.histogram(metric, spread.counts, spread.total)
        yield exposition.gauge(catalogue.BUILD_INFO, {(self.version, self._role.value): 1})
        yield exposition.gauge(catalogue.MAX_EVENT_AGE_SECONDS, self._max_event_ages)
        yield from exposition.of_match_keys(self._match_keys)
        if self._journal is not None:
            yield from exposition.of_journal(self._journal, self._now())
        if self._lanes is not None:
            yield exposition.gauge(catalogue.LANE_STATE, exposition.states_of(self._lanes))
        if self._kafka is not None:
            yield from exposition.of_kafka(self._kafka)
        if self._audit is not None:
            yield exposition.gauge(catalogue.AUDIT_EVERY, {(): self._audit_every_s})
            yield from exposition.of_audit(self._audit())
        if self._problems is not None:
            yield exposition.gauge(catalogue.HEALTH_PROBLEMS, {(): self._problems()})


def code_of(attempt: Attempt) -> str:
    """The word that an attempt's answer is counted under."""
    if attempt.code is not None:
        return str(attempt.code)
    return f"http_{attempt.status}" if attempt.status is not None else attempt.error or "none"
