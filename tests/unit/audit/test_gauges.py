"""What Prometheus gets: true, bounded, and no sample where nothing can be said."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from relay.audit.findings import Audit, Severity
from relay.audit.gauges import Gauge, figures
from relay.journal.ledger import LedgerRow, Sums
from relay.model import Outcome
from relay.telemetry.catalogue import AUDIT_GAUGES
from tests.unit.audit import story

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(audit: Audit) -> Samples:
    found = [*figures([audit])]
    made = {(each.metric.name, labelled(each)): each.value for each in found}
    assert len(made) == len(found), "two samples of one name and the same labels"
    return made


def labelled(sample: Gauge) -> frozenset[tuple[str, str]]:
    return frozenset(zip(sample.metric.labels, sample.labels, strict=True))


def value(audit: Audit, name: str, **labels: str) -> float:
    account = {"advertiser": story.ADVERTISER.id, **labels}
    return samples(audit)[name, frozenset(account.items())]


def names(audit: Audit) -> set[str]:
    return {each.metric.name for each in figures([audit])}


def test_the_sums_of_the_account_are_exported() -> None:
    audit = story.an_audit()

    assert value(audit, "relay_audit_spend", currency="EUR") == 4628.4
    assert value(audit, "relay_audit_reported") == 315
    purchases = {"destination": "web-eu", "event": "Purchase"}
    assert value(audit, "relay_audit_delivered", **purchases) == 807
    assert value(audit, "relay_audit_counted", **purchases) == 443
    assert value(audit, "relay_audit_last_run_timestamp_seconds") == story.NOW
    assert value(audit, "relay_audit_roas", basis="platform") == pytest.approx(4.1179, abs=1e-4)


def test_findings_are_counted_by_severity_those_that_are_explained_apart() -> None:
    audit = story.an_audit()

    counts = {each: value(audit, "relay_audit_findings", severity=each) for each in Severity}
    assert [*counts.values()] == [1, 1, 1, 0, 1]
    assert value(audit, "relay_audit_findings_silenced") == 2
    assert value(audit, "relay_audit_checks", state="passed") == 5


def test_what_cannot_be_said_has_no_sample() -> None:
    partial = story.a_partial_audit()

    assert value(partial, "relay_audit_partial") == 1
    assert not names(partial) & {"relay_audit_spend", "relay_audit_reported", "relay_audit_cpa"}
    assert "relay_audit_delivered" in names(partial)
    assert value(story.a_clean_audit(), "relay_audit_partial") == 0


def test_custom_events_share_a_label_and_are_added_up() -> None:
    facts = story.some_facts()
    rows = [
        LedgerRow(story.hour(story.FIRST, 12), "web-eu", f"Mine{n}", Outcome.DELIVERED, Sums(2))
        for n in range(500)
    ]
    audit = Audit(replace(facts, ledger=rows), [], [])

    other = value(audit, "relay_audit_delivered", destination="web-eu", event="other")
    assert other == 1000
    assert len([*figures([audit])]) < 60


def test_every_gauge_is_described_and_no_label_is_made_of_a_name() -> None:
    hostile = replace(story.ADVERTISER, name="jane@example.com")
    audit = story.an_audit()
    audit = replace(audit, facts=replace(audit.facts, advertiser=hostile))

    found = [*figures([audit])]
    assert names(audit) == {metric.name for metric in AUDIT_GAUGES}
    assert {key for each in found for key in each.metric.labels} == {
        "advertiser", "destination", "event", "severity", "state", "currency", "basis",
    }  # fmt: skip
    assert not any("jane" in text for each in found for text in each.labels)


def test_a_value_that_is_exact_stays_close_as_a_float() -> None:
    facts = story.some_facts()
    days = [replace(each, spend=Decimal("0.10")) for each in facts.days]

    audit = Audit(replace(facts, days=days), [], [])

    assert value(audit, "relay_audit_spend", currency="EUR") == 3.0
