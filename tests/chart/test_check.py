"""What is looked at before anything is replaced: the new configuration, by the relay itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relay.cli import check
from tests.chart.helm import CASES, DISTRIBUTED, EMBEDDED, FULL_EMBEDDED, Case, Manifest, rendered
from tests.chart.manifests import (
    configuration,
    containers,
    labels,
    of_kind,
    one,
    selects,
    serving,
)

CHECKED = {name: case for name, case in CASES.items() if not name.startswith("nothing")}
every_case = pytest.mark.parametrize("case", CHECKED.values(), ids=CHECKED.keys())

HOOK, WEIGHT = "helm.sh/hook", "helm.sh/hook-weight"
MAPPING = (
    '[{"name": "till", "kind": "custom", "destination": "web-eu", "mapping": '
    '{"event": "\'Purchase\'", "event_id": "receipt", "event_time": "unix_time(("}}]'
)


def parts_of(case: Case) -> tuple[Manifest, Manifest]:
    """Its Job and its pod."""
    (job,) = (
        each
        for each in of_kind(rendered(case), "Job")
        if each["metadata"]["name"].endswith("-check")
    )
    return job, job["spec"]["template"]


def weight(manifest: Manifest) -> int:
    return int(manifest["metadata"]["annotations"][WEIGHT])


@every_case
def test_it_runs_before_everything_else(case: Case) -> None:
    job, pod = parts_of(case)
    name = job["metadata"]["name"]
    (container,) = containers(pod)
    own = [each for each in rendered(case) if each["metadata"]["name"] == name]

    assert container["args"] == [
        "check", "--without-secrets", "--config", "/etc/relay/relay.json"
    ]  # fmt: skip
    for each in own:
        assert each["metadata"]["annotations"][HOOK] == "pre-install,pre-upgrade"
    assert max(weight(each) for each in own) == weight(job)
    for other in rendered(case):
        hook = other["metadata"].get("annotations", {}).get(HOOK, "")
        if hook.startswith("pre-") and other not in own:
            assert weight(other) > weight(job)


@every_case
def test_it_waits_for_nothing_that_may_be_missing(case: Case) -> None:
    """A Secret that an operator has yet to bring would hold its pod up until it is given up."""
    _, pod = parts_of(case)
    (container,) = containers(pod)
    volumes = pod["spec"]["volumes"]

    assert "serviceAccountName" not in pod["spec"]
    assert [each["name"] for each in volumes] == ["config", "tmp"]
    assert one(rendered(case), "ConfigMap", volumes[0]["configMap"]["name"])
    assert "envFrom" not in container
    assert all("value" in each for each in container.get("env", []))


def test_it_sees_the_variables_that_are_no_secrets() -> None:
    """A misspelt one is a mistake to the relay."""
    _, pod = parts_of(FULL_EMBEDDED)
    (container,) = containers(pod)

    assert {"name": "TZ", "value": "UTC"} in container["env"]


@pytest.mark.parametrize("case", [EMBEDDED, DISTRIBUTED, FULL_EMBEDDED, CASES["moved"]])
def test_it_may_go_nowhere(case: Case) -> None:
    _, pod = parts_of(case)
    chosen = [
        policy["spec"]
        for policy in of_kind(rendered(case), "NetworkPolicy")
        if selects(policy["spec"]["podSelector"]["matchLabels"], labels(pod))
    ]

    (spec,) = chosen
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert spec["egress"] == []
    assert "ingress" not in spec


@every_case
def test_the_relay_takes_what_it_looks_at_without_a_secret(case: Case, tmp_path: Path) -> None:
    name = parts_of(case)[0]["metadata"]["name"]
    looked_at = configuration(rendered(case), name)
    (_, pod), *_ = serving(rendered(case))
    (volume,) = (each for each in pod["spec"]["volumes"] if each["name"] == "config")

    assert looked_at == configuration(rendered(case), volume["configMap"]["name"])
    assert code_of(looked_at, tmp_path) == 0


@pytest.mark.parametrize("case", [EMBEDDED, DISTRIBUTED])
def test_a_mistake_that_only_the_relay_knows_is_found(case: Case, tmp_path: Path) -> None:
    mistaken = case.with_(config__sources=MAPPING)

    assert code_of(configuration(rendered(mistaken), "relay-check"), tmp_path) == 2
    assert code_of(configuration(rendered(case), "relay-check"), tmp_path) == 0


def code_of(text: str, folder: Path) -> int:
    file = folder / "relay.json"
    file.write_text(text)
    return check.run(file, online=False, as_json=False, without_secrets=True)


def test_a_mistake_is_not_looked_at_again_and_is_shown() -> None:
    """Exit code 2; a pod that was evicted is another matter. Helm prints the log."""
    job, pod = parts_of(EMBEDDED)

    (rule,) = job["spec"]["podFailurePolicy"]["rules"]
    assert rule["action"] == "FailJob"
    assert rule["onExitCodes"]["values"] == [2]
    assert rule["onExitCodes"]["containerName"] == containers(pod)[0]["name"]
    assert pod["spec"]["restartPolicy"] == "Never"  # which such a policy asks for
    assert job["spec"]["backoffLimit"] > 0
    assert job["metadata"]["annotations"]["helm.sh/hook-output-log-policy"] == "hook-failed"


def test_helm_hears_of_it_before_it_gives_up_itself() -> None:
    job, _ = parts_of(EMBEDDED)

    assert job["spec"]["activeDeadlineSeconds"] < 5 * 60


@pytest.mark.parametrize("case", [EMBEDDED, DISTRIBUTED])
def test_it_can_be_left_out(case: Case) -> None:
    manifests = rendered(case.with_(check__enabled="false"))

    assert "relay-check" not in [each["metadata"]["name"] for each in manifests]
    assert json.dumps(manifests).count("without-secrets") == 0
