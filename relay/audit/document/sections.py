"""The parts of one account's audit, as the document says them. Pure."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal

from relay.audit.document import types, values
from relay.audit.document.values import amount, text, three
from relay.audit.facts import Edit, Facts, Gathered, Period
from relay.audit.findings import Audit, Figure, Finding, Judgement
from relay.audit.summary import Coverage, Summary, summarise
from relay.audit.summary.channels import Channel
from relay.audit.summary.funnel import Flow, Passage
from relay.audit.summary.money import Money
from relay.audit.verdict import verdict_of


def audit_said(audit: Audit) -> types.AdvertiserAudit:
    facts, summary = audit.facts, summarise(audit.facts)
    currency, verdict = facts.advertiser.currency, verdict_of(audit)
    return {
        "account": _account(facts),
        "period": _days(facts.period),
        "verdict": {"answer": verdict.answer, "sentence": text(verdict.sentence)},
        "worst": audit.worst,
        "partial": audit.is_partial,
        "money": _money(summary, currency),
        "funnels": [_funnel(flow, currency) for flow in summary.flows],
        "coverage": [_coverage(each) for each in summary.coverage],
        "not_delivered": [
            {
                "destination": text(each.destination),
                "outcome": each.outcome,
                "reason": text(each.reason),
                "count": each.count,
            }
            for each in summary.undelivered
        ],
        "dead_letters": [
            {
                "destination": text(each.destination),
                "code": each.code,
                "reason": text(each.reason),
                "count": each.count,
            }
            for each in facts.refused
        ],
        "findings": [_finding(each, currency) for each in audit.findings],
        "checks": [_check(each) for each in audit.judgements],
        "changes": [_change(each) for each in facts.edits],
        "gathered": [_part(each, facts) for each in facts.gathered.values()],
    }


def _account(facts: Facts) -> types.Account:
    account = facts.advertiser
    return {
        "id": text(account.id),
        "name": text(account.name),
        "currency": text(account.currency),
        "time_zone": text(account.display_timezone or account.timezone),
        "utc_offset": values.moment(facts.now, account.zone)[-6:],
        "status": text(account.status),
        "balance": amount(account.balance, account.currency),
    }


def _days(period: Period) -> types.Days:
    return {"first": period.first.isoformat(), "last": period.last.isoformat()}


def _part(each: Gathered, facts: Facts) -> types.PartRead:
    return {
        "part": each.part,
        "at": values.moment(each.at, facts.advertiser.zone),
        "rows": each.rows,
        "problem": None if each.problem is None else text(each.problem),
        "code": each.code,
    }


def _money(summary: Summary, currency: str) -> types.MoneyPart:
    mature, settled = summary.mature, summary.settled
    return {
        "events": [text(each) for each in summary.basis.events],
        "destinations": [
            text(name) for channel in summary.basis.channels for name in channel.destinations
        ],
        "window_days": summary.window,
        "immature": values.days(summary.immature),
        "total": _sums(summary.total, currency),
        "mature": _sums(settled, currency),
        "ratios": {
            "days": values.days(mature),
            "cpa": three(settled.cpa),
            "roas": three(settled.roas),
            "claimed": values.ratio(settled.claimed),
        },
        "days": [
            {
                "day": day.isoformat(),
                "mature": mature is not None and day <= mature.last,
                **_sums(money, currency),
            }
            for day, money in summary.days.items()
        ],
        "running": [
            {"day": day.isoformat(), "cpa": three(money.cpa), "roas": three(money.roas)}
            for day, money in summary.running
        ],
        "unconvertible": [text(each) for each in summary.unconvertible],
    }


def _sums(money: Money, currency: str) -> types.MoneySums:
    return {
        "spend": amount(money.spend, currency),
        "reported": money.reported,
        "reported_by_event_day": money.happened,
        "reported_value": amount(money.reported_value, currency),
        "delivered": money.delivered,
        "clicked": money.clicked,
        "delivered_value": amount(money.delivered_value, currency),
        "clicked_value": amount(money.clicked_value, currency),
    }


def _source(channel: Channel) -> types.Source:
    return {
        "id": None if channel.id is None else text(channel.id),
        "kind": channel.event_source,
        "name": text(channel.pixel_name),
        "destinations": [text(each) for each in channel.destinations],
    }


def _funnel(flow: Flow, currency: str) -> types.Funnel:
    return {
        "event_source": _source(flow.channel),
        "event": text(flow.event),
        "optimised_for": flow.is_paid_for,
        "total": _passage(flow.total, currency),
        "days": [
            {"day": day.isoformat(), **_passage(passage, currency)}
            for day, passage in flow.days.items()
        ],
    }


def _passage(passage: Passage, currency: str) -> types.FunnelSums:
    return {
        "arrivals": passage.arrivals,
        "delivered": passage.delivered,
        "server": passage.server,
        "browser": passage.browser,
        "counted": passage.counted,
        "attributed": passage.attributed,
        "reported": passage.reported,
        "spend": amount(passage.spend, currency),
    }


def _coverage(each: Coverage) -> types.KeyCoverage:
    return {
        "event_source": _source(each.channel),
        "delivered": each.delivered,
        "keys": {text(key): count for key, count in each.keys.items()},
    }


def _finding(finding: Finding, currency: str) -> types.FindingSaid:
    about = finding.subject
    return {
        "check": finding.check,
        "family": finding.family,
        "severity": finding.severity,
        "certainty": finding.certainty,
        "silenced": finding.is_silenced,
        "subject": {"kind": about.kind, "id": text(about.id), "name": text(about.name)},
        "says": text(finding.says),
        "expected": _figure(finding.expected),
        "found": _figure(finding.found),
        "do": text(finding.do),
        "source": text(finding.source),
        "since": values.day(finding.since),
        "at_stake": amount(finding.at_stake, currency),
        "details": [_figure(each) for each in finding.details],
        "explained_by": [*finding.explained_by],
        "changed_before": [text(each) for each in finding.changed_before],
    }


def _figure(figure: Figure) -> types.FigureSaid:
    value = figure.value
    said = f"{value:f}" if isinstance(value, Decimal) else value
    return {
        "label": text(figure.label),
        "value": None if said is None else text(str(said)),
        "unit": text(figure.unit),
    }


def _check(each: Judgement) -> types.CheckSaid:
    return {
        "check": each.check,
        "title": text(each.title),
        "state": each.state,
        "why": text(each.why),
    }


def _change(each: Edit) -> types.Change:
    at = each.at if each.at.tzinfo else each.at.replace(tzinfo=UTC)
    return {
        "at": at.isoformat(),
        "kind": text(each.kind),
        "id": text(each.object_id),
        "what": text(each.what),
    }
