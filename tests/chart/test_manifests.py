"""Each manifest is one that Kubernetes takes, in each of its last four versions."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from kubernetes_validate.utils import schema_contents

from tests.chart.helm import (
    CASES,
    DISTRIBUTED,
    EMBEDDED,
    Case,
    Manifest,
    arguments,
    kubernetes,
    rendered,
    run,
    text,
)
from tests.chart.helm import CHART as PLACE
from tests.chart.manifests import one, serving

VERSIONS = ("1.34.0", "1.35.0", "1.36.0", "1.37.0")

#: What Kubernetes does not know by itself; other tests look at what stands in them.
CUSTOM = {
    "ServiceMonitor": "monitoring.coreos.com/v1",
    "PrometheusRule": "monitoring.coreos.com/v1",
    "ExternalSecret": "external-secrets.io/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "ScaledObject": "keda.sh/v1alpha1",
}


@cache
def _contents(version: str, name: str) -> dict[str, Any]:
    """What `kubernetes_validate.validate` reads, megabytes of it, for each manifest anew."""
    text = json.dumps(
        schema_contents(f"kubernetes-json-schema/v{version}-local-strict/{name}.json", version)
    )
    found: dict[str, Any] = json.loads(text.replace("/api/_definitions.json#", "#"))
    return found


@cache
def _validator(version: str, kind: str, api: str) -> Draft202012Validator:
    group, _, of = api.rpartition("/")
    name = "-".join(filter(None, (kind.lower(), group.split(".")[0], of)))
    return Draft202012Validator(_contents(version, "_definitions") | _contents(version, name))


def mistakes(manifest: Manifest, version: str) -> list[str]:
    validator = _validator(version, manifest["kind"], manifest["apiVersion"])
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_kubernetes_takes_every_manifest(case: Case) -> None:
    for manifest in rendered(case):
        kind = manifest["kind"]
        if kind in CUSTOM:
            assert manifest["apiVersion"] == CUSTOM[kind]
            continue
        for version in VERSIONS:
            assert mistakes(manifest, version) == [], (version, kind)


def test_a_manifest_with_a_wrong_key_is_not_taken() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "spec": {"prots": []}}

    assert mistakes(service, VERSIONS[0])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_names_are_unique_and_short_enough(case: Case) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in rendered(case)]

    assert len(set(names)) == len(names)
    assert all(len(name) <= 63 for _, name in names)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_labels_are_those_that_kubernetes_recommends(case: Case) -> None:
    recommended = {"name", "instance", "version", "managed-by", "component"}
    for manifest in rendered(case):
        labels = manifest["metadata"]["labels"]
        if manifest["kind"] != "Pod":
            assert {f"app.kubernetes.io/{word}" for word in recommended} <= labels.keys()
            assert labels["helm.sh/chart"] == "relay-0.1.0"


def test_helm_lint_is_content() -> None:
    for name in ("minimal", "everything"):
        for mode in ("embedded", "distributed"):
            case = CASES[f"{name} {mode}"]
            told = run("lint", "--strict", str(PLACE), *kubernetes(), *arguments(case))
            assert told.returncode == 0, told.stdout + told.stderr
            assert "[WARNING]" not in told.stdout


def test_what_is_packed_renders_the_same(tmp_path: Path) -> None:
    """Rules, dashboards and the program of `helm test` are in the package."""
    packed = run("package", str(PLACE), "-d", str(tmp_path))
    assert packed.returncode == 0, packed.stderr
    (archive,) = tmp_path.glob("relay-*.tgz")

    case = CASES["everything distributed"]
    told = run("template", "relay", str(archive), *kubernetes(), "-n", "shop", *arguments(case))

    assert told.stdout == text(case)


@pytest.mark.parametrize("role", ["ingest", "deliver"])
def test_what_comes_of_recreate_is_taken(role: str) -> None:
    """The default has `rollingUpdate`, which Helm keeps beside the other type."""
    manifests = rendered(DISTRIBUTED.having(f"{role}.strategy.type", '"Recreate"'))
    strategy = one(manifests, "Deployment", f"relay-{role}")["spec"]["strategy"]

    assert strategy == {"type": "Recreate"}


def test_a_pod_of_a_new_configuration_is_a_new_one_whatever_is_annotated() -> None:
    """And no key stands there twice."""
    case = EMBEDDED.with_(podAnnotations='{"checksum/config": "theirs", "example.com/a": "b"}')
    ((_, pod),) = serving(rendered(case))
    ((_, own),) = serving(rendered(EMBEDDED))

    expected = {**own["metadata"]["annotations"], "example.com/a": "b"}
    assert pod["metadata"]["annotations"] == expected
    written = text(case).partition("kind: StatefulSet")[2].partition("\n---")[0]
    assert written.count("checksum/config:") == 1
