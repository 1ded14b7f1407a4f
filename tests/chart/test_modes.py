"""Two modes, what each has, and how pods start, leave and are moved."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.chart.helm import (
    CASES,
    DISTRIBUTED,
    EMBEDDED,
    FULL_DISTRIBUTED,
    FULL_EMBEDDED,
    Case,
    rendered,
)
from tests.chart.manifests import labels, of_kind, one, selects, serving

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def test_an_embedded_relay_is_one_process_with_its_volume() -> None:
    manifests = rendered(EMBEDDED)
    spec = one(manifests, "StatefulSet")["spec"]

    assert of_kind(manifests, "Deployment", "HorizontalPodAutoscaler") == []
    assert spec["replicas"] == 1
    assert spec["podManagementPolicy"] == "Parallel"
    assert spec["persistentVolumeClaimRetentionPolicy"] == {
        "whenDeleted": "Retain",
        "whenScaled": "Retain",
    }
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "20Gi"}},
    }
    headless = one(manifests, "Service", spec["serviceName"])
    assert headless["spec"]["clusterIP"] == "None"


def test_the_volume_is_as_it_is_wished() -> None:
    spec = one(rendered(FULL_EMBEDDED), "StatefulSet")["spec"]

    (claim,) = spec["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    assert claim["metadata"]["annotations"] == {"example.com/backup": "daily"}
    assert spec["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Delete"


def test_a_stopped_relay_keeps_its_volume() -> None:
    spec = one(rendered(CASES["stopped"]), "StatefulSet")["spec"]

    assert spec["replicas"] == 0
    assert spec["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == "Retain"


def test_a_distributed_relay_is_two_deployments_without_a_volume() -> None:
    manifests = rendered(DISTRIBUTED)
    names = [each["metadata"]["name"] for each in of_kind(manifests, "Deployment")]

    assert sorted(names) == ["relay-deliver", "relay-ingest"]
    assert of_kind(manifests, "StatefulSet", "PersistentVolumeClaim") == []
    assert {each["spec"]["replicas"] for each in of_kind(manifests, "Deployment")} == {2}
    ingest = one(manifests, "Deployment", "relay-ingest")["spec"]["strategy"]
    assert ingest["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


@pytest.mark.parametrize("case", [EMBEDDED, DISTRIBUTED, FULL_EMBEDDED, FULL_DISTRIBUTED])
def test_senders_reach_those_that_accept_and_operators_reach_all(case: Case) -> None:
    manifests = rendered(case)
    name = serving(manifests)[0][0]["metadata"]["name"].partition("-")[0]

    public = one(manifests, "Service", name)["spec"]["selector"]
    operator = one(manifests, "Service", f"{name}-operator")["spec"]["selector"]

    for owner, pod in serving(manifests):
        accepts = not owner["metadata"]["name"].endswith("-deliver")
        assert selects(public, labels(pod)) == accepts
        assert selects(operator, labels(pod))
    assert one(manifests, "Service", f"{name}-operator")["spec"]["type"] == "ClusterIP"


# --- starting and leaving -------------------------------------------------------------------------


@every_case
def test_probes_ask_what_they_mean(case: Case) -> None:
    for _, pod in serving(rendered(case)):
        relay = pod["spec"]["containers"][0]
        paths = {
            name: relay[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")
        }
        assert paths == {
            "startup": {"path": "/healthz", "port": "operator"},
            "readiness": {"path": "/readyz", "port": "operator"},
            "liveness": {"path": "/healthz", "port": "operator"},
        }
        startup = relay["startupProbe"]
        assert startup["failureThreshold"] * startup["periodSeconds"] >= 600


@pytest.mark.parametrize(
    ("shutdown", "sleep", "seconds"),
    [
        ("{}", "5", 40),  # 5, the chart's lame duck of 5 s and drain of 20 s, 10
        ('{"drain_deadline": "0s"}', "5", 20),
        ('{"drain_deadline": "500ms", "lame_duck": "250ms"}', "0", 11),
        ('{"drain_deadline": "1.5m", "lame_duck": "0s"}', "10", 110),
        ('{"drain_deadline": "1h", "lame_duck": "1m"}', "5", 3675),
    ],
)
def test_a_pod_has_the_time_that_leaving_takes(shutdown: str, sleep: str, seconds: int) -> None:
    case = EMBEDDED.with_(preStopSleepSeconds=sleep)
    for key, value in yaml.safe_load(shutdown).items():
        case = case.having(f"config.shutdown.{key}", f'"{value}"')
    (_, pod), *_ = serving(rendered(case))

    assert pod["spec"]["terminationGracePeriodSeconds"] == seconds


@every_case
def test_a_pod_waits_until_balancers_have_forgotten_it(case: Case) -> None:
    for _, pod in serving(rendered(case)):
        hook = pod["spec"]["containers"][0].get("lifecycle")
        wanted = {"preStop": {"sleep": {"seconds": 5}}}
        if "preStopSleepSeconds" in str(case) or "nothing" in case.files[-1]:
            assert hook is None
        elif "everything.yaml" in case.files:
            assert hook == {"preStop": {"sleep": {"seconds": 10}}}
        else:
            assert hook == wanted


def test_a_longer_time_to_leave_is_taken() -> None:
    for _, pod in serving(rendered(FULL_DISTRIBUTED)):
        assert pod["spec"]["terminationGracePeriodSeconds"] == 120


# --- where pods run -------------------------------------------------------------------------------


def test_replicas_are_spread_over_nodes_and_zones() -> None:
    for owner, pod in serving(rendered(DISTRIBUTED)):
        spread = pod["spec"]["topologySpreadConstraints"]
        assert [each["topologyKey"] for each in spread] == [
            "kubernetes.io/hostname",
            "topology.kubernetes.io/zone",
        ]
        for each in spread:
            assert each["whenUnsatisfiable"] == "ScheduleAnyway"
            assert each["labelSelector"] == owner["spec"]["selector"]


def test_a_spread_with_a_selector_of_its_own_keeps_it() -> None:
    own = '[{"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule", '
    own += '"labelSelector": {"matchLabels": {"a": "b"}}}]'
    for _, pod in serving(rendered(DISTRIBUTED.with_(topologySpreadConstraints=own))):
        (spread,) = pod["spec"]["topologySpreadConstraints"]
        assert spread["labelSelector"]["matchLabels"]["a"] == "b"


def test_a_roles_own_placement_goes_before_that_of_all() -> None:
    pods = {
        owner["metadata"]["name"]: pod["spec"] for owner, pod in serving(rendered(FULL_DISTRIBUTED))
    }

    assert pods["conversions-ingest"]["nodeSelector"] == {"pool": "edge"}
    assert pods["conversions-deliver"]["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert pods["conversions-ingest"]["tolerations"] == [{"key": "edge", "operator": "Exists"}]


def test_what_people_add_is_there() -> None:
    for _, pod in serving(rendered(FULL_EMBEDDED)):
        spec, relay = pod["spec"], pod["spec"]["containers"][0]
        assert pod["metadata"]["labels"]["sidecar.istio.io/inject"] == "false"
        assert pod["metadata"]["annotations"]["example.com/pod"] == "yes"
        assert spec["imagePullSecrets"] == [{"name": "registry"}]
        assert spec["priorityClassName"] == "high"
        assert spec["hostAliases"][0]["ip"] == "192.0.2.9"
        assert spec["initContainers"][0]["name"] == "wait"
        assert spec["serviceAccountName"] == "conversions-relay"
        assert {"name": "TZ", "value": "UTC"} in relay["env"]
        assert relay["envFrom"] == [{"configMapRef": {"name": "more"}}]
        assert "/etc/certificates" in [mount["mountPath"] for mount in relay["volumeMounts"]]
        assert relay["startupProbe"]["failureThreshold"] == 360
        assert relay["startupProbe"]["periodSeconds"] == 5
    for manifest in rendered(FULL_EMBEDDED):
        assert manifest["metadata"]["annotations"]["example.com/owner"] == "growth"
        if manifest["kind"] != "Pod":
            assert manifest["metadata"]["labels"]["team"] == "growth"


def test_without_an_account_of_its_own_a_pod_uses_the_namespaces() -> None:
    case = CASES["embedded serviceAccount.create=false"]
    for _, pod in serving(rendered(case)):
        assert pod["spec"]["serviceAccountName"] == "default"
        assert pod["spec"]["automountServiceAccountToken"] is False


def test_no_value_is_left_unused() -> None:
    """Every value is read by some template."""
    chart = Path(__file__).parents[2] / "helm" / "relay"
    text = "".join(path.read_text() for path in (chart / "templates").rglob("*") if path.is_file())
    values = yaml.safe_load((chart / "values.yaml").read_text())

    assert [key for key in values if f".{key}" not in text and f'"{key}"' not in text] == []
