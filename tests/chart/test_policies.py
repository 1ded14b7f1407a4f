"""What holds for every pod and every rule, whatever the values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pytest

from tests.chart.helm import CASES, DISTRIBUTED, EMBEDDED, Case, Manifest, rendered, templated
from tests.chart.manifests import (
    containers,
    labels,
    of_kind,
    ports,
    selects,
    serving,
    templates,
    values_in,
)

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())

VERSIONED = {"helm.sh/chart", "app.kubernetes.io/version", "app.kubernetes.io/managed-by"}


@every_case
def test_every_container_has_limits_and_requests(case: Case) -> None:
    for _, pod in templates(rendered(case)):
        for container in containers(pod):
            resources = container["resources"]
            assert set(resources["limits"]) >= {"cpu", "memory"}
            assert set(resources["requests"]) >= {"cpu", "memory"}


@every_case
def test_every_pod_is_restricted(case: Case) -> None:
    """The `restricted` Pod Security Standard, and a root file system that is not written to."""
    for _, pod in templates(rendered(case)):
        spec = pod["spec"]
        security = spec["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert security["runAsUser"] == security["runAsGroup"] == security["fsGroup"] == 65532
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        for volume in spec.get("volumes", []):
            kinds = {"configMap", "emptyDir", "projected", "secret", "persistentVolumeClaim"}
            assert len(volume.keys() & kinds) == 1, volume
        for container in containers(pod):
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False
            assert own["readOnlyRootFilesystem"] is True
            assert own["capabilities"] == {"drop": ["ALL"]}
            assert not own.get("privileged")


@every_case
def test_no_pod_holds_a_token_of_the_cluster_or_hears_of_services(case: Case) -> None:
    manifests = rendered(case)

    for _, pod in templates(manifests):
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["enableServiceLinks"] is False
    for account in of_kind(manifests, "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False


@every_case
def test_what_is_written_to_is_bounded(case: Case) -> None:
    for _, pod in templates(rendered(case)):
        for volume in pod["spec"].get("volumes", []):
            if "emptyDir" in volume:
                assert volume["emptyDir"]["sizeLimit"]


@every_case
def test_no_secret_stands_in_clear(case: Case) -> None:
    """Secrets are not made, only referred to; what the configuration names is a reference."""
    manifests = rendered(case)

    assert of_kind(manifests, "Secret") == []
    for owner, pod in templates(manifests):
        for container in containers(pod):
            for variable in container.get("env", []):
                is_plain = variable["name"] in {"RELAY_CONFIG", "TZ"}
                assert is_plain or "secretKeyRef" in variable["valueFrom"], owner["metadata"]
    for name, value in secret_keys(manifests):
        assert re.match(r"(file:/run/secrets/relay/|env:[A-Z_]+$)", value), name


def secret_keys(manifests: Sequence[Manifest]) -> Iterator[tuple[str, str]]:
    """The keys of rendered configurations that hold references, by their names."""
    words = "access_token|operator_token|app_secret|password|authorization|postgres"
    for config in of_kind(manifests, "ConfigMap"):
        for content in config["data"].values():
            yield from re.findall(rf'"({words})": "(.*)"', content)
            for block in re.findall(r'"(?:keys|secrets)": \[(.*?)\]', content, re.DOTALL):
                yield from (("keys", value) for value in re.findall(r'"(.*?)"', block))


@every_case
def test_secrets_are_mounted_for_the_relay_alone_to_read(case: Case) -> None:
    for _, pod in templates(rendered(case)):
        for volume in pod["spec"].get("volumes", []):
            if volume["name"] == "secrets":
                projected = volume["projected"]
                items = [item for each in projected["sources"] for item in each["secret"]["items"]]
                assert projected["defaultMode"] == 0o440
                assert {item["mode"] for item in items} == {0o440}
        for container in containers(pod):
            for mount in container.get("volumeMounts", []):
                if mount["mountPath"].startswith(("/etc/relay", "/run/secrets")):
                    assert mount["readOnly"] is True


@every_case
def test_every_selector_finds_its_pods(case: Case) -> None:
    manifests = rendered(case)
    everybody = [labels(pod) for _, pod in templates(manifests)]

    for owner, pod in serving(manifests):
        assert selects(owner["spec"]["selector"]["matchLabels"], labels(pod))
    for manifest in of_kind(manifests, "Service", "NetworkPolicy", "PodDisruptionBudget"):
        spec = manifest["spec"]
        found = spec.get("podSelector") or spec["selector"]
        selector = found.get("matchLabels", found)
        assert [each for each in everybody if selects(selector, each)], manifest["metadata"]


@every_case
def test_services_lead_to_pods_that_serve_and_to_ports_that_they_have(case: Case) -> None:
    manifests = rendered(case)
    ending = [labels(pod) for owner, pod in templates(manifests) if owner["kind"] in ("Job", "Pod")]

    for service in of_kind(manifests, "Service"):
        selector = service["spec"]["selector"]
        chosen = [pod for _, pod in serving(manifests) if selects(selector, labels(pod))]
        assert chosen, service["metadata"]["name"]
        assert not any(selects(selector, each) for each in ending)
        for port in service["spec"]["ports"]:
            for pod in chosen:
                assert port["targetPort"] in ports(pod), service["metadata"]["name"]


@every_case
def test_a_new_chart_version_restarts_no_pod_and_fits_old_volumes(case: Case) -> None:
    for owner, pod in templates(rendered(case)):
        assert not VERSIONED & labels(pod).keys()
        for claim in owner["spec"].get("volumeClaimTemplates", []):
            assert not VERSIONED & claim["metadata"]["labels"].keys()


@every_case
def test_each_workload_has_its_own_pods(case: Case) -> None:
    """Two that selected each other's would fight."""
    workloads = serving(rendered(case))
    for owner, _ in workloads:
        selector = owner["spec"]["selector"]["matchLabels"]
        found = [other for other, pod in workloads if selects(selector, labels(pod))]
        assert found == [owner]


@every_case
def test_nothing_is_let_out_everywhere(case: Case) -> None:
    for policy in of_kind(rendered(case), "NetworkPolicy"):
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        for rule in policy["spec"]["egress"]:
            assert rule["to"]
            assert rule["ports"]
            assert all(isinstance(port["port"], int) for port in rule["ports"])
            for peer in rule["to"]:
                assert peer
                block = peer.get("ipBlock", {})
                if block.get("cidr") in ("0.0.0.0/0", "::/0"):
                    assert block["except"]
                    assert len(rule["ports"]) == 1


@every_case
def test_no_rule_lets_strangers_to_the_operators_port(case: Case) -> None:
    manifests = rendered(case)
    pods = [pod for _, pod in serving(manifests)]
    operator = ports(pods[0])["operator"]

    for policy in of_kind(manifests, "NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            if operator in [port["port"] for port in rule["ports"]]:
                assert rule["from"]


@pytest.mark.parametrize("case", [EMBEDDED, DISTRIBUTED])
def test_the_rendered_text_is_the_same_each_time(case: Case) -> None:
    """Or every upgrade would restart the pods."""
    assert templated(case).stdout == templated.__wrapped__(case).stdout


@every_case
def test_images_have_a_tag_or_a_digest(case: Case) -> None:
    for _, pod in templates(rendered(case)):
        for container in containers(pod):
            assert re.search(r"(:[\w.-]+|@sha256:[0-9a-f]{64})$", container["image"])
            assert not container["image"].endswith(":latest")
    assert all("\t" not in each for each in values_in([*rendered(case)]) if "{{" in each)
