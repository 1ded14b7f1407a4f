"""Counting: what is counted shows at the scrape, and labels stay a closed set."""

from __future__ import annotations

from timeit import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from relay.model import Attempt, Counts, MatchKey, Outcome, Reason, Waiting
from relay.role import Role
from relay.telemetry import DiskView, JournalView, KafkaView, LaneView, Telemetry
from relay.telemetry.catalogue import AUDIT_GAUGES, MAX_CUSTOM_EVENTS, METRICS

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def telemetry(now: float = 1000.0) -> Telemetry:
    return Telemetry(version="0.1.0", now=lambda: now)


def samples(telemetry: Telemetry) -> Samples:
    """What Prometheus reads: (name, labels) to value."""
    families = text_string_to_metric_families(telemetry.scraped().decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(telemetry: Telemetry, name: str, **labels: str) -> float:
    return samples(telemetry)[name, frozenset(labels.items())]


def attempt(
    code: int | None = None, status: int | None = None, error: str | None = None
) -> Attempt:
    return Attempt("a", "web", 1, 0.0, 0.2, 3, 99, "x", status=status, code=code, error=error)


@pytest.mark.parametrize("role", Role)
def test_a_process_tells_its_role(role: Role) -> None:
    house = Telemetry(version="0.1.0", role=role, now=lambda: 0.0)

    assert value(house, "relay_build_info", version="0.1.0", role=role.value) == 1


def test_arrivals_and_outcomes_are_counted_by_their_labels() -> None:
    house = telemetry()

    house.arrived("shop", 3)
    house.arrived("shop")
    house.settled("web", "Purchase", Outcome.DELIVERED, Reason.ACCEPTED, 2)
    house.settled("web", None, Outcome.INVALID, Reason.NOT_AN_OBJECT)

    assert value(house, "relay_arrivals_total", source="shop") == 4
    delivered = {"outcome": "delivered", "reason": "accepted", "event": "Purchase"}
    invalid = {"outcome": "invalid", "reason": "not_an_object", "event": "none"}
    assert value(house, "relay_outcomes_total", destination="web", **delivered) == 2
    assert value(house, "relay_outcomes_total", destination="web", **invalid) == 1


def test_custom_event_names_beyond_the_limit_share_a_label() -> None:
    """Senders make names up; TikTok's standard ones are always told apart."""
    house = telemetry()

    for number in range(MAX_CUSTOM_EVENTS + 20):
        house.settled("web", f"Custom{number}", Outcome.DELIVERED, Reason.ACCEPTED)
    house.settled("web", "Purchase", Outcome.DELIVERED, Reason.ACCEPTED)
    house.settled("web", "Custom0", Outcome.DELIVERED, Reason.ACCEPTED)

    ended = {"destination": "web", "outcome": "delivered", "reason": "accepted"}
    assert value(house, "relay_outcomes_total", event="other", **ended) == 20
    assert value(house, "relay_outcomes_total", event="Purchase", **ended) == 1
    assert value(house, "relay_outcomes_total", event="Custom0", **ended) == 2


def test_an_attempt_is_counted_by_the_most_telling_word_of_its_answer() -> None:
    house = telemetry()

    house.attempted(attempt(code=40002, status=200))
    house.attempted(attempt(status=503))
    house.attempted(attempt(error="timeout"))
    house.attempted(attempt())

    found = {
        dict(labels)["code"] for name, labels in samples(house) if name == "relay_attempts_total"
    }
    assert found == {"40002", "http_503", "timeout", "none"}
    assert value(house, "relay_attempt_seconds_count") == 4


def test_codes_and_fields_that_others_invent_do_not_grow_without_end() -> None:
    house = telemetry()

    for number in range(5000):
        house.attempted(attempt(code=number))
        house.field_dropped("web", f"properties.f{number}", "too_long")

    assert len(samples(house)) < 500


@given(st.lists(st.floats(min_value=0, max_value=1e6), max_size=50))
def test_a_histogram_counts_each_value_once(values: list[float]) -> None:
    house = telemetry()

    house.delivered_after(values)

    found = samples(house)
    infinite = ("relay_delivery_lag_seconds_bucket", frozenset({("le", "+Inf")}))
    minute = ("relay_delivery_lag_seconds_bucket", frozenset({("le", "60.0")}))
    assert found[infinite] == len(values)
    assert found[minute] == sum(each <= 60.0 for each in values)
    total = found["relay_delivery_lag_seconds_sum", frozenset()]
    assert total == pytest.approx(sum(values))


def test_match_key_coverage_is_a_share_of_the_accepted_events() -> None:
    house = telemetry()

    house.accepted("web", MatchKey.EMAIL | MatchKey.IP)
    house.accepted("web", MatchKey.EMAIL)
    house.accepted("web", 0)
    house.accepted("crm", MatchKey.LEAD_ID)

    assert value(house, "relay_match_key_coverage", destination="web", key="email") == 2 / 3
    assert value(house, "relay_match_key_coverage", destination="web", key="ttclid") == 0
    assert value(house, "relay_match_key_coverage", destination="crm", key="lead_id") == 1


def test_the_journal_is_asked_at_the_scrape() -> None:
    house = telemetry(now=1000.0)
    counts = {"web": Counts(accepted=10, settled=7, waiting=3), "crm": Counts(0, 0, 0)}
    waiting = {"web": Waiting(3, 2100, oldest_at=940.0), "crm": Waiting(0, 0, None)}
    healthy = True

    house.watch_journal(JournalView(lambda: counts, waiting.__getitem__, lambda: healthy))

    assert value(house, "relay_journal_entries", destination="web") == 3
    assert value(house, "relay_journal_bytes", destination="web") == 2100
    assert value(house, "relay_journal_oldest_seconds", destination="web") == 60
    assert value(house, "relay_journal_oldest_seconds", destination="crm") == 0
    assert value(house, "relay_journal_healthy") == 1
    assert value(house, "relay_conservation_gap") == 0

    counts["web"] = Counts(accepted=10, settled=7, waiting=2)
    counts["crm"] = Counts(accepted=0, settled=1, waiting=0)
    assert value(house, "relay_conservation_gap") == 2

    healthy = False
    assert value(house, "relay_journal_healthy") == 0


def test_events_that_are_counted_twice_are_a_gap_as_those_that_are_missing() -> None:
    house = telemetry()
    counts = {"web": Counts(accepted=10, settled=15, waiting=0), "crm": Counts(5, 0, 0)}

    house.watch_journal(JournalView(lambda: counts, lambda _: Waiting(0, 0, None), lambda: True))

    assert value(house, "relay_conservation_gap") == 10


def test_a_journal_in_a_folder_has_a_disk() -> None:
    house = telemetry()
    free: int | None = 7000

    house.watch_journal(JournalView(dict, lambda _: WAITING, lambda: True, disk=None))
    assert not {name for name, _ in samples(house)} & DISK

    disk = DiskView(lambda: free, min_free_bytes=64, max_bytes=5000)
    house.watch_journal(JournalView(dict, lambda _: WAITING, lambda: True, disk))
    assert value(house, "relay_disk_free_bytes") == 7000
    assert value(house, "relay_disk_min_free_bytes") == 64
    assert value(house, "relay_journal_max_bytes") == 5000

    free = None
    assert {name for name, _ in samples(house)} & DISK == DISK - {"relay_disk_free_bytes"}


def test_match_keys_are_counted_against_the_events_that_were_accepted() -> None:
    house = telemetry()

    house.accepted("web", MatchKey.EMAIL | MatchKey.IP)
    house.accepted("web", MatchKey.EMAIL)
    house.accepted("web", 0)

    assert value(house, "relay_accepted_events_total", destination="web") == 3
    assert value(house, "relay_match_keys_total", destination="web", key="email") == 2
    assert value(house, "relay_match_keys_total", destination="web", key="ip") == 1
    assert value(house, "relay_match_keys_total", destination="web", key="ttclid") == 0


def test_what_the_configuration_names_is_counted_from_0_on() -> None:
    """Prometheus sees no rise of a counter whose first sample holds it already."""
    house = telemetry()

    house.expect_destinations({"web": 86400.0})
    house.expect_senders(["shop"], ["mismatch"], ["journal_full"])

    assert value(house, "relay_max_event_age_seconds", destination="web") == 86400
    assert value(house, "relay_arrivals_total", source="shop") == 0
    assert value(house, "relay_signature_failures_total", source="shop", reason="mismatch") == 0
    assert value(house, "relay_door_refusals_total", reason="journal_full") == 0
    assert value(house, "relay_accepted_events_total", destination="web") == 0
    assert value(house, "relay_match_keys_total", destination="web", key="email") == 0
    assert value(house, "relay_resends_after_48h_total", destination="web") == 0
    assert "relay_match_key_coverage" not in {name for name, _ in samples(house)}

    house.accepted("web", MatchKey.EMAIL)
    assert value(house, "relay_match_key_coverage", destination="web", key="email") == 1


def test_audits_are_counted_from_0_on_where_they_are_configured() -> None:
    house = telemetry()
    assert not {name for name, _ in samples(house)} & {
        "relay_audit_runs_total", "relay_audit_every_seconds",
    }  # fmt: skip

    house.watch_audit(tuple, 21600.0)
    house.audited("failed")

    assert value(house, "relay_audit_every_seconds") == 21600
    assert value(house, "relay_audit_runs_total", result="whole") == 0
    assert value(house, "relay_audit_runs_total", result="failed") == 1


def test_problems_are_counted_at_the_scrape() -> None:
    house = telemetry()
    problems = ["lane web: runs, has events, and does nothing"]

    house.watch_health(lambda: len(problems))
    assert value(house, "relay_health_problems") == 1

    problems.clear()
    assert value(house, "relay_health_problems") == 0


def test_a_lane_is_in_exactly_one_state() -> None:
    house = telemetry()
    current = {"web": "running", "crm": "paused_credential"}

    house.watch_lanes(LaneView(("running", "paused_credential"), lambda: current))

    states = {
        (dict(labels)["destination"], dict(labels)["state"]): found
        for (name, labels), found in samples(house).items()
        if name == "relay_lane_state"
    }
    assert states == {
        ("web", "running"): 1,
        ("web", "paused_credential"): 0,
        ("crm", "running"): 0,
        ("crm", "paused_credential"): 1,
    }


def watch_everything(house: Telemetry) -> None:
    house.expect_destinations({"web": 60.0})
    house.expect_senders(["shop"], ["mismatch"], ["journal_full"])
    house.watch_health(lambda: 0)
    house.watch_audit(
        lambda: [(metric, ("x",) * len(metric.labels), 1.0) for metric in AUDIT_GAUGES], 60.0
    )
    house.watch_kafka(KAFKA)
    disk = DiskView(lambda: 1, 1, 1)
    house.watch_journal(
        JournalView(lambda: {"web": Counts(1, 1, 0)}, lambda _: WAITING, lambda: True, disk)
    )
    house.watch_lanes(LaneView(("running",), lambda: {"web": "running"}))


def test_every_metric_of_the_catalogue_can_be_counted_and_no_other() -> None:
    house = telemetry()
    house.arrived("shop")
    house.settled("web", "Purchase", Outcome.DELIVERED, Reason.ACCEPTED)
    house.accepted("web", 1)
    house.delivered_after([0.5])
    house.field_dropped("web", "user.phone", "not_possible")
    house.resent_late("web", 1)
    house.answered(0.01)
    house.ignored("shop", "topic")
    house.signature_refused("shop", "mismatch")
    house.refused_at_the_door("too_large")
    house.attempted(attempt(code=0))
    house.journal_damaged(1)
    house.log_line_withheld("signature.refused")
    house.kafka_consumed("orders-topic", "orders", 3)
    house.kafka_committed("orders-topic", done=True)
    house.audited("whole")
    house.spans_ended("exported", 3)
    watch_everything(house)

    found = samples(house)

    shown = {name for name, _ in found if name.startswith("relay_")}
    histograms = {metric.name for metric in METRICS if metric.kind == "histogram"}
    parts = {f"{name}_{part}" for name in histograms for part in ("bucket", "count", "sum")}
    assert shown == {metric.name for metric in METRICS} - histograms | parts
    for metric in METRICS:
        for name, labels in found:
            if name == metric.name:
                assert tuple(sorted(metric.labels)) == tuple(sorted(dict(labels)))


WAITING = Waiting(0, 0, None)
DISK = {"relay_disk_free_bytes", "relay_disk_min_free_bytes", "relay_journal_max_bytes"}
KAFKA = KafkaView(
    ("connecting", "reading"),
    lambda: {"orders-topic": "reading"},
    lambda: {"orders-topic": {"orders": 7}},
)


def test_the_state_and_the_lag_of_a_topic_s_reader_are_asked_at_the_scrape() -> None:
    house = telemetry()
    house.watch_kafka(KAFKA)

    state = {"source": "orders-topic", "state": "reading"}
    assert value(house, "relay_kafka_source_state", **state) == 1
    assert value(house, "relay_kafka_source_state", **{**state, "state": "connecting"}) == 0
    assert value(house, "relay_kafka_lag_messages", source="orders-topic", topic="orders") == 7


def test_the_process_is_measured_too() -> None:
    assert value(telemetry(), "process_resident_memory_bytes") > 0


def test_two_relays_in_one_process_do_not_count_together() -> None:
    one, other = telemetry(), telemetry()

    one.arrived("shop")

    assert ("relay_arrivals_total", frozenset({("source", "shop")})) not in samples(other)


def test_counting_an_event_costs_less_than_reading_it() -> None:
    """Meant for the hot path: three counts an event, each well under what a lock would cost."""
    house = telemetry()

    def count() -> None:
        house.settled("web", "Purchase", Outcome.DELIVERED, Reason.ACCEPTED)
        house.accepted("web", 34)
        house.arrived("shop")

    best = min(repeat(count, number=1000, repeat=20)) / 1000
    assert best < 20e-6
