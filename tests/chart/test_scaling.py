"""How many pods there are: by whom, on what, and how few may be left."""

from __future__ import annotations

import pytest
import yaml

from relay.telemetry.catalogue import JOURNAL_OLDEST_SECONDS
from tests.chart.helm import (
    CASES,
    CHART,
    DISTRIBUTED,
    FULL_DISTRIBUTED,
    FULL_EMBEDDED,
    Case,
    rendered,
)
from tests.chart.manifests import of_kind, one

SCALED = DISTRIBUTED.with_(
    ingest__autoscaling__enabled="true", deliver__autoscaling__enabled="true"
)


def test_the_autoscaler_says_how_many_and_the_deployment_does_not() -> None:
    """Or each upgrade would set the number back."""
    manifests = rendered(SCALED)

    for deployment in of_kind(manifests, "Deployment"):
        assert "replicas" not in deployment["spec"]
        scaler = one(manifests, "HorizontalPodAutoscaler", deployment["metadata"]["name"])
        assert scaler["spec"]["scaleTargetRef"] == {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": deployment["metadata"]["name"],
        }


def test_each_role_is_scaled_apart() -> None:
    manifests = rendered(CASES["ingest scaled"])

    assert [each["metadata"]["name"] for each in of_kind(manifests, "HorizontalPodAutoscaler")] == [
        "relay-ingest"
    ]
    assert one(manifests, "Deployment", "relay-deliver")["spec"]["replicas"] == 2


def test_ingest_is_scaled_on_cpu() -> None:
    (metric,) = one(rendered(SCALED), "HorizontalPodAutoscaler", "relay-ingest")["spec"]["metrics"]

    assert metric["resource"] == {
        "name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": 70},
    }


def test_deliver_is_scaled_on_the_age_of_the_oldest_event() -> None:
    scaler = one(rendered(SCALED), "HorizontalPodAutoscaler", "relay-deliver")
    (metric,) = scaler["spec"]["metrics"]

    assert metric["external"] == {
        "metric": {
            "name": JOURNAL_OLDEST_SECONDS.name,
            "selector": {"matchLabels": {"service": "relay-operator"}},
        },
        "target": {"type": "Value", "value": "60"},
    }


def test_the_adapters_rule_makes_the_metric_that_the_autoscaler_asks_for() -> None:
    """The relay's metric, its greatest value: every pod tells the same age."""
    (rule,) = yaml.safe_load((CHART / "rules" / "adapter.yaml").read_text())["rules"]["external"]
    scaler = one(rendered(SCALED), "HorizontalPodAutoscaler", "relay-deliver")
    metric = scaler["spec"]["metrics"][0]["external"]["metric"]

    assert rule["name"]["as"] == metric["name"]
    assert rule["seriesQuery"].startswith(f"{JOURNAL_OLDEST_SECONDS.name}{{")
    assert rule["metricsQuery"] == "max(<<.Series>>{<<.LabelMatchers>>})"
    assert set(metric["selector"]["matchLabels"]) <= {"service", "namespace"}
    assert rule["resources"]["overrides"] == {"namespace": {"resource": "namespace"}}


def test_keda_takes_the_autoscalers_place() -> None:
    manifests = rendered(CASES["deliver scaled by KEDA"])
    spec = one(manifests, "ScaledObject")["spec"]

    assert of_kind(manifests, "HorizontalPodAutoscaler") == []
    assert "replicas" not in one(manifests, "Deployment", "relay-deliver")["spec"]
    assert spec["scaleTargetRef"]["name"] == "relay-deliver"
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 6)
    assert "fallback" not in spec  # before 2.18 KEDA refuses it for this type
    (trigger,) = spec["triggers"]
    assert trigger["type"] == "prometheus"
    assert trigger["metricType"] == "Value"
    assert trigger["metadata"] == {
        "serverAddress": "http://prometheus:9090",
        "query": 'max(relay_journal_oldest_seconds{namespace="shop",service="relay-operator"})',
        "threshold": "60",
        "ignoreNullValues": "false",
    }


def test_what_keda_is_told_may_be_changed() -> None:
    keda = '{"enabled": true, "serverAddress": "https://p", "query": "vector(1)", '
    keda += '"metadata": {"authModes": "bearer"}, "authenticationRef": {"name": "prometheus"}}'
    case = DISTRIBUTED.with_(deliver__autoscaling__enabled="true", deliver__autoscaling__keda=keda)
    (trigger,) = one(rendered(case), "ScaledObject")["spec"]["triggers"]

    assert trigger["metadata"]["query"] == "vector(1)"
    assert trigger["metadata"]["authModes"] == "bearer"
    assert trigger["authenticationRef"] == {"name": "prometheus"}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_node_can_be_drained(case: Case) -> None:
    """Or on purpose not: embedded with `minAvailable`."""
    if case == FULL_EMBEDDED:
        return
    manifests = rendered(case)
    for budget in of_kind(manifests, "PodDisruptionBudget"):
        spec = budget["spec"]
        if "maxUnavailable" in spec:
            assert spec["maxUnavailable"] not in (0, "0%")
            continue
        name = budget["metadata"]["name"]
        scaler = one(manifests, "HorizontalPodAutoscaler", name)["spec"]
        assert spec["minAvailable"] < scaler["minReplicas"]


def test_a_budget_is_as_it_is_wished() -> None:
    manifests = rendered(FULL_DISTRIBUTED)

    ingest = one(manifests, "PodDisruptionBudget", "conversions-ingest")["spec"]
    deliver = one(manifests, "PodDisruptionBudget", "conversions-deliver")["spec"]
    assert ingest["minAvailable"] == 2
    assert "maxUnavailable" not in ingest
    assert deliver["maxUnavailable"] == "50%"
    assert one(rendered(FULL_EMBEDDED), "PodDisruptionBudget")["spec"]["minAvailable"] == 1
