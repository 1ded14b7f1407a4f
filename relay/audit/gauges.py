"""What Prometheus gets of an audit. Pure.

What cannot be said has no sample: a gauge that fell to 0 because a report was throttled would wake
somebody. Labels are of a closed set: accounts (by name: labels hold no ids) and destinations are
the configuration's, events are TikTok's standard ones (any other is `other`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from relay.audit.findings import Audit, Severity, State
from relay.audit.funnel import Flow
from relay.audit.money import Triple
from relay.audit.summary import Summary, summarise
from relay.event_names import BY_EVENT
from relay.telemetry import catalogue
from relay.telemetry.catalogue import Metric


class Gauge(NamedTuple):
    """One sample: `labels` in the order of the metric's own."""

    metric: Metric
    labels: tuple[str, ...]
    value: float


def figures(audits: Sequence[Audit]) -> Iterator[Gauge]:
    """All of a run. Accounts of one name are told apart by a number."""
    seen: defaultdict[str, int] = defaultdict(int)
    for audit in audits:
        name = audit.facts.advertiser.name
        seen[name] += 1
        yield from _figures(audit, name if seen[name] == 1 else f"{name} ({seen[name]})")


def _figures(audit: Audit, account: str) -> Iterator[Gauge]:
    summary = summarise(audit.facts)
    yield Gauge(catalogue.AUDIT_LAST_RUN, (account,), audit.facts.now)
    yield Gauge(catalogue.AUDIT_PARTIAL, (account,), float(audit.is_partial))
    yield from _judged(audit, account)
    yield from _money(summary, account, audit.facts.advertiser.currency)
    yield from _funnels(summary.flows, account)


def _judged(audit: Audit, account: str) -> Iterator[Gauge]:
    for severity in Severity:
        count = sum(each.severity is severity for each in audit.standing)
        yield Gauge(catalogue.AUDIT_FINDINGS, (account, severity.value), count)
    silenced = len(audit.findings) - len(audit.standing)
    yield Gauge(catalogue.AUDIT_SILENCED, (account,), silenced)
    for state in State:
        count = sum(each.state is state for each in audit.judgements)
        yield Gauge(catalogue.AUDIT_CHECKS, (account, state.value), count)


def _money(summary: Summary, account: str, currency: str) -> Iterator[Gauge]:
    yield from _known(catalogue.AUDIT_SPEND, (account, currency), summary.total.spend)
    yield from _known(catalogue.AUDIT_REPORTED, (account,), summary.total.reported)
    yield from _known(catalogue.AUDIT_CLAIMED, (account,), summary.settled.claimed)
    yield from _triple(catalogue.AUDIT_CPA, (account, currency), summary.settled.cpa)
    yield from _triple(catalogue.AUDIT_ROAS, (account,), summary.settled.roas)


def _triple(metric: Metric, labels: tuple[str, ...], triple: Triple) -> Iterator[Gauge]:
    yield from _known(metric, (*labels, "platform"), triple.platform)
    yield from _known(metric, (*labels, "verified"), triple.verified)
    yield from _known(metric, (*labels, "blended"), triple.blended)


def _known(metric: Metric, labels: tuple[str, ...], value: Decimal | int | None) -> Iterator[Gauge]:
    if value is not None:
        yield Gauge(metric, labels, float(value))


def _funnels(flows: Iterable[Flow], account: str) -> Iterator[Gauge]:
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
        yield Gauge(metric, (account, destination, event), number)


def _counts(flow: Flow) -> Iterator[tuple[Metric, int | None]]:
    yield catalogue.AUDIT_ARRIVALS, flow.total.arrivals
    yield catalogue.AUDIT_DELIVERED, flow.total.delivered
    yield catalogue.AUDIT_COUNTED, flow.total.server
    yield catalogue.AUDIT_ATTRIBUTED, flow.total.attributed
