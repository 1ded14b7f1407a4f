"""What Prometheus gets of an audit. Pure.

What cannot be said has no sample: a gauge that fell to 0 because a report was throttled would wake
somebody. Labels are of a closed set: accounts and destinations are the configuration's, events are
TikTok's standard ones (any other is `other`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from relay.audit.findings import Audit, Severity, State
from relay.audit.funnel import Flow
from relay.audit.money import Triple
from relay.audit.summary import Summary, summarise
from relay.event_names import BY_EVENT


class Gauge(NamedTuple):
    name: str
    labels: Mapping[str, str]
    value: float


#: Name → what it says; each has the label `advertiser`.
GAUGES: Mapping[str, str] = {
    "relay_audit_last_run_timestamp_seconds": "When the facts of the last audit were gathered.",
    "relay_audit_partial": "1 when facts were missing, so that not everything was judged.",
    "relay_audit_findings": "Findings that stand, by severity.",
    "relay_audit_findings_silenced": "Findings that another one explains.",
    "relay_audit_checks": "Checks by what became of them.",
    "relay_audit_spend": "Spend of the days looked at, in the account's currency.",
    "relay_audit_reported": "Conversions that TikTok reports for the days looked at.",
    "relay_audit_arrivals": "Arrivals of the days looked at.",
    "relay_audit_delivered": "Events delivered, of the days looked at.",
    "relay_audit_counted": "Events that TikTok counts from a server, of the days looked at.",
    "relay_audit_attributed": "Events that TikTok attributes to ads, of the days looked at.",
    "relay_audit_cpa": "Cost of a conversion over mature days, by whose count.",
    "relay_audit_roas": "Value per unit of spend over mature days, by whose count.",
    "relay_audit_claimed_ratio": "Share of delivered conversions that TikTok reports as its own.",
}


def figures(audit: Audit) -> Iterable[Gauge]:
    """All of one account."""
    account = {"advertiser": audit.facts.advertiser.id}
    summary = summarise(audit.facts)
    yield Gauge("relay_audit_last_run_timestamp_seconds", account, audit.facts.now)
    yield Gauge("relay_audit_partial", account, float(audit.is_partial))
    yield from _judged(audit, account)
    yield from _money(summary, account, audit.facts.advertiser.currency)
    yield from _funnels(summary.flows, account)


def _judged(audit: Audit, account: Mapping[str, str]) -> Iterator[Gauge]:
    for severity in Severity:
        count = sum(each.severity is severity for each in audit.standing)
        yield Gauge("relay_audit_findings", {**account, "severity": severity.value}, count)
    silenced = len(audit.findings) - len(audit.standing)
    yield Gauge("relay_audit_findings_silenced", account, silenced)
    for state in State:
        count = sum(each.state is state for each in audit.judgements)
        yield Gauge("relay_audit_checks", {**account, "state": state.value}, count)


def _money(summary: Summary, account: Mapping[str, str], currency: str) -> Iterator[Gauge]:
    in_currency = {**account, "currency": currency}
    yield from _known("relay_audit_spend", in_currency, summary.total.spend)
    yield from _known("relay_audit_reported", account, summary.total.reported)
    yield from _known("relay_audit_claimed_ratio", account, summary.settled.claimed)
    yield from _triple("relay_audit_cpa", in_currency, summary.settled.cpa)
    yield from _triple("relay_audit_roas", account, summary.settled.roas)


def _triple(name: str, labels: Mapping[str, str], triple: Triple) -> Iterator[Gauge]:
    yield from _known(name, {**labels, "basis": "platform"}, triple.platform)
    yield from _known(name, {**labels, "basis": "verified"}, triple.verified)
    yield from _known(name, {**labels, "basis": "blended"}, triple.blended)


def _known(name: str, labels: Mapping[str, str], value: Decimal | int | None) -> Iterator[Gauge]:
    if value is not None:
        yield Gauge(name, labels, float(value))


def _funnels(flows: Iterable[Flow], account: Mapping[str, str]) -> Iterator[Gauge]:
    """Of the relay's destinations; custom events are added up."""
    sums: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for flow in flows:
        if not flow.channel.destinations:
            continue
        event = flow.event if flow.event in BY_EVENT else "other"
        for name, number in _counts(flow):
            if number is not None:
                sums[name, flow.channel.label, event] += number
    for (name, destination, event), number in sums.items():
        yield Gauge(name, {**account, "destination": destination, "event": event}, number)


def _counts(flow: Flow) -> Iterator[tuple[str, int | None]]:
    yield "relay_audit_arrivals", flow.total.arrivals
    yield "relay_audit_delivered", flow.total.delivered
    yield "relay_audit_counted", flow.total.server
    yield "relay_audit_attributed", flow.total.attributed
