"""What watches the relay: monitor, rules and dashboards; and where its secrets come from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.helm import (
    CHART,
    DISTRIBUTED,
    EMBEDDED,
    FULL_DISTRIBUTED,
    FULL_EMBEDDED,
    Case,
    arguments,
    kubernetes,
    rendered,
    run,
)
from tests.chart.manifests import of_kind, one, selects

#: As `ci/everything.yaml` has it.
RUNBOOK = "https://runbooks.example/relay"

RULES = """
groups:
- name: relay.made-up
  interval: 30s
  rules:
  - record: relay:made_up
    expr: max by (destination) (relay_journal_oldest_seconds)
  - alert: MadeUpWaits
    expr: relay:made_up > 10000000
    for: 5m
    labels: {severity: page, team: nobody}
    annotations:
      summary: 'Events of {{ $labels.destination }} wait for {{ $value | humanizeDuration }}.'
- name: relay.other
  rules:
  - alert: MadeUpLeaves
    expr: vector(1)
    labels: {severity: ticket}
"""


@pytest.fixture(scope="session")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With rules of our own, to look at what becomes of them."""
    folder = tmp_path_factory.mktemp("chart") / "relay"
    shutil.copytree(CHART, folder)
    for path in (folder / "rules").glob("*.yaml"):
        if path.name != "adapter.yaml":
            path.unlink()
    (folder / "rules" / "made-up.yaml").write_text(RULES)
    (folder / "dashboards").mkdir(exist_ok=True)
    (folder / "dashboards" / "made-up.json").write_text('{"title": "{{ value }}"}\n')
    return folder


def rules_of(chart: Path, **values: str) -> list[dict[str, Any]]:
    """The groups, of these values of `prometheusRule`."""
    case = EMBEDDED.with_(prometheusRule__enabled="true", **values)
    told = run("template", "relay", str(chart), *kubernetes(), *arguments(case))
    assert told.returncode == 0, told.stderr
    rule = one(list(yaml.safe_load_all(told.stdout)), "PrometheusRule")
    groups: list[dict[str, Any]] = rule["spec"]["groups"]
    return groups


def test_rules_arrive_as_they_are_written(chart: Path) -> None:
    assert rules_of(chart) == [
        {**group, "rules": [rule | without(rule) for rule in group["rules"]]}
        for group in yaml.safe_load(RULES)["groups"]
    ]


def without(rule: dict[str, Any]) -> dict[str, Any]:
    """An alert always has annotations."""
    return {"annotations": rule.get("annotations", {})} if "alert" in rule else {}


def test_the_templates_of_prometheus_are_left_to_it(chart: Path) -> None:
    alert = rules_of(chart)[0]["rules"][1]

    assert "{{ $labels.destination }}" in alert["annotations"]["summary"]
    assert alert["expr"] == "relay:made_up > 10000000"


def test_each_alert_leads_to_its_part_of_the_runbook(chart: Path) -> None:
    groups = rules_of(chart, prometheusRule__runbookUrl='"https://runbooks.example/relay"')
    links = {
        rule["alert"]: rule["annotations"]["runbook_url"]
        for group in groups
        for rule in group["rules"]
        if "alert" in rule
    }

    assert links == {
        "MadeUpWaits": "https://runbooks.example/relay#madeupwaits",
        "MadeUpLeaves": "https://runbooks.example/relay#madeupleaves",
    }


def test_alerts_may_be_left_out_and_a_group_without_rules_goes(chart: Path) -> None:
    groups = rules_of(chart, prometheusRule__disabled='["MadeUpLeaves"]')

    assert [group["name"] for group in groups] == ["relay.made-up"]
    assert len(groups[0]["rules"]) == 2


def test_labels_for_routing_go_before_the_rules_own(chart: Path) -> None:
    groups = rules_of(chart, prometheusRule__alertLabels='{"team": "growth"}')

    assert groups[0]["rules"][1]["labels"] == {"severity": "page", "team": "growth"}
    assert "labels" not in groups[0]["rules"][0]


def test_an_alert_that_is_left_out_and_does_not_exist_is_told(chart: Path) -> None:
    case = EMBEDDED.with_(prometheusRule__disabled='["MadeUpWait"]')
    told = run("template", "relay", str(chart), *kubernetes(), *arguments(case))

    assert "there is no such alert. There are: MadeUpLeaves, MadeUpWaits." in told.stderr


def test_every_rule_file_is_in_the_object() -> None:
    """The adapter's is none."""
    names = [
        group["name"]
        for path in sorted((CHART / "rules").glob("*.yaml"))
        for group in yaml.safe_load(path.read_text()).get("groups", [])
    ]
    object_ = one(rendered(FULL_EMBEDDED), "PrometheusRule")

    assert [group["name"] for group in object_["spec"]["groups"]] == names
    assert object_["metadata"]["labels"]["release"] == "prometheus"


def test_dashboards_are_found_by_the_sidecar_and_arrive_as_they_are(chart: Path) -> None:
    case = EMBEDDED.with_(dashboards__enabled="true")
    told = run("template", "relay", str(chart), *kubernetes(), *arguments(case))
    assert told.returncode == 0, told.stderr
    made = one(list(yaml.safe_load_all(told.stdout)), "ConfigMap", "relay-dashboard-made-up")

    assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert made["metadata"]["annotations"]["grafana_folder"] == "Relay"
    assert json.loads(made["data"]["made-up.json"]) == {"title": "{{ value }}"}


def test_each_dashboard_has_a_config_map_and_leads_to_the_runbook() -> None:
    placeholder, runbook = "https://runbook.invalid/helm/relay/README.md", RUNBOOK
    wanted = {
        path.name: json.loads(path.read_text().replace(placeholder, runbook))
        for path in CHART.glob("dashboards/*.json")
    }
    found = {
        name: json.loads(text)
        for each in of_kind(rendered(FULL_EMBEDDED), "ConfigMap")
        for name, text in each["data"].items()
        if each["metadata"]["labels"].get("grafana_dashboard")
    }

    assert found == wanted


@pytest.mark.parametrize("case", [EMBEDDED, DISTRIBUTED])
def test_the_monitor_finds_the_operators_service_and_shows_its_token(case: Case) -> None:
    manifests = rendered(case.with_(serviceMonitor__enabled="true"))
    spec = one(manifests, "ServiceMonitor")["spec"]
    (endpoint,) = spec["endpoints"]

    chosen = [
        each
        for each in of_kind(manifests, "Service")
        if selects(spec["selector"]["matchLabels"], each["metadata"]["labels"])
    ]
    assert [each["metadata"]["name"] for each in chosen] == ["relay-operator"]
    assert endpoint["port"] in [port["name"] for port in chosen[0]["spec"]["ports"]]
    assert endpoint["path"] == "/metrics"
    assert endpoint["authorization"] == {
        "type": "Bearer",
        "credentials": {"name": "relay", "key": "operator-token"},
    }


def test_the_monitor_is_as_it_is_wished() -> None:
    monitor = one(rendered(FULL_DISTRIBUTED), "ServiceMonitor")
    (endpoint,) = monitor["spec"]["endpoints"]

    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert (endpoint["interval"], endpoint["scrapeTimeout"]) == ("15s", "5s")
    assert endpoint["relabelings"][0]["targetLabel"] == "node"
    assert endpoint["metricRelabelings"][0]["action"] == "drop"


def test_the_monitor_takes_a_token_that_external_secrets_bring() -> None:
    external = '{"enabled": true, "store": {"name": "vault"}, '
    external += '"data": {"brought": {"key": "relay"}}}'
    case = EMBEDDED.with_(
        config__listen__operator_token='"file:/run/secrets/relay/brought"',
        externalSecrets=external,
        serviceMonitor__enabled="true",
    )
    (endpoint,) = one(rendered(case), "ServiceMonitor")["spec"]["endpoints"]

    assert endpoint["authorization"]["credentials"] == {
        "name": "relay-external",
        "key": "brought",
    }


def test_external_secrets_are_fetched_into_the_secret_that_is_mounted() -> None:
    manifests = rendered(FULL_EMBEDDED)
    spec = one(manifests, "ExternalSecret")["spec"]
    pod = one(manifests, "StatefulSet")["spec"]["template"]["spec"]
    (volume,) = (each for each in pod["volumes"] if each["name"] == "secrets")
    mounted = {
        source["secret"]["items"][0]["key"]
        for source in volume["projected"]["sources"]
        if source["secret"]["name"] == spec["target"]["name"]
    }

    assert spec["secretStoreRef"] == {"name": "vault", "kind": "ClusterSecretStore"}
    assert spec["refreshInterval"] == "5m"
    assert spec["target"]["creationPolicy"] == "Owner"
    assert {each["secretKey"] for each in spec["data"]} == mounted
    assert {"key": "prod/relay", "property": "ads", "version": "3"} in [
        each["remoteRef"] for each in spec["data"]
    ]
