"""What Prometheus gets of an audit. Pure.

What cannot be said has no sample: a gauge that fell to 0 because a report was throttled would wake
somebody. Labels are of a closed set: accounts (by TikTok's id, for a name may be somebody's) and
destinations are the configuration's, events are TikTok's standard ones (any other is `other`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from relay.audit.findings import Audit, Severity, State
from relay.audit.summary import Summary, summarise
from relay.audit.summary.funnel import Flow
from relay.audit.summary.money import Triple
from relay.event_names import BY_EVENT
from relay.telemetry import catalogue
from relay.telemetry.catalogue import Metric


class Gauge(NamedTuple):
    """One sample: `labels` in the order of the metric's own."""

    metric: Metric
    labels: tuple[str, ...]
    value: float


def figures(audits: Sequence[Audit]) -> Iterator[Gauge]:
    """All of a run."""
    for audit in audits:
        yield from _figures(audit, audit.facts.advertiser.id)


def _figures(audit: Audit, advertiser: str) -> Iterator[Gauge]:
    summary = summarise(audit.facts)
    yield Gauge(catalogue.AUDIT_LAST_RUN, (advertiser,), audit.facts.now)
    yield Gauge(catalogue.AUDIT_PARTIAL, (advertiser,), float(audit.is_partial))
    yield from _judged(audit, advertiser)
    yield from _money(summary, advertiser, audit.facts.advertiser.currency)
    yield from _funnels(summary.flows, advertiser)


def _judged(audit: Audit, advertiser: str) -> Iterator[Gauge]:
    for severity in Severity:
        count = sum(each.severity is severity for each in audit.standing)
        yield Gauge(catalogue.AUDIT_FINDINGS, (advertiser, severity.value), count)
    silenced = len(audit.findings) - len(audit.standing)
    yield Gauge(catalogue.AUDIT_SILENCED, (advertiser,), silenced)
    for state in State:
        count = sum(each.state is state for each in audit.judgements)
        yield Gauge(catalogue.AUDIT_CHECKS, (advertiser, state.value), count)


def _money(summary: Summary, advertiser: str, currency: str) -> Iterator[Gauge]:
    yield from _known(catalogue.AUDIT_SPEND, (advertiser, currency), summary.total.spend)
    yield from _known(catalogue.AUDIT_REPORTED, (advertiser,), summary.total.reported)
    yield from _known(catalogue.AUDIT_CLAIMED, (advertiser,), summary.settled.claimed)
    yield from _triple(catalogue.AUDIT_CPA, (advertiser, currency), summary.settled.cpa)
    yield from _triple(catalogue.AUDIT_ROAS, (advertiser,), summary.settled.roas)


def _triple(metric: Metric, labels: tuple[str, ...], triple: Triple) -> Iterator[Gauge]:
    yield from _known(metric, (*labels, "platform"), triple.platform)
    yield from _known(metric, (*labels, "verified"), triple.verified)
    yield from _known(metric, (*labels, "blended"), triple.blended)


def _known(metric: Metric, labels: tuple[str, ...], value: Decimal | int | None) -> Iterator[Gauge]:
    if value is not None:
        yield Gauge(metric, labels, float(value))


def _funnels(flows: Iterable[Flow], advertiser: str) -> Iterator[Gauge]:
    """Of the relay's destinations; custom events are added up."""
    sums: defaultdict[tuple[Metric, str, str], int] = defaultdict(int)
    for flow in flows:
        if not flow.channel.destinations:
            continue
        event = flow.event if flow.event in BY_EVENT else "other"
        for metric, number in _counts(flow):
            if number is not None:
                sums[metric, flow.channel.label, event] += number
    for (metric, destination, event), number in sums.items():
        yield Gauge(metric, (advertiser, destination, event), number)


def _counts(flow: Flow) -> Iterator[tuple[Metric, int | None]]:
    yield catalogue.AUDIT_ARRIVALS, flow.total.arrivals
    yield catalogue.AUDIT_DELIVERED, flow.total.delivered
    yield catalogue.AUDIT_COUNTED, flow.total.server
    yield catalogue.AUDIT_ATTRIBUTED, flow.total.attributed
