"""Who reaches which port, by the network policies."""

from __future__ import annotations

import pytest

from tests.chart.helm import CASES, Case, Manifest, rendered
from tests.chart.manifests import Labels, labels, of_kind, ports, selects, serving, templates

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@every_case
def test_the_pod_of_helm_test_reaches_every_port_that_it_asks(case: Case) -> None:
    manifests = rendered(case)
    testers = [labels(pod) for owner, pod in templates(manifests) if owner["kind"] == "Pod"]
    policies = of_kind(manifests, "NetworkPolicy")

    for tester in testers if policies else []:
        for _, pod in serving(manifests):
            reached = {
                port["port"]
                for policy in policies
                if selects(policy["spec"]["podSelector"]["matchLabels"], labels(pod))
                for rule in policy["spec"]["ingress"]
                if lets(rule, tester)
                for port in rule["ports"]
            }
            assert reached >= set(ports(pod).values())


def lets(rule: Manifest, pod: Labels) -> bool:
    """Whether a pod of the same namespace is named among the peers."""
    near = [each for each in rule.get("from", []) if "namespaceSelector" not in each]
    chosen = [each["podSelector"].get("matchLabels", {}) for each in near if "podSelector" in each]
    return "from" not in rule or any(selects(each, pod) or not each for each in chosen)


@every_case
def test_what_is_reached_is_a_port_that_the_pods_have(case: Case) -> None:
    manifests = rendered(case)
    extra = {8443} if "everything.yaml" in case.files else set()

    for policy in of_kind(manifests, "NetworkPolicy"):
        selector = policy["spec"]["podSelector"]["matchLabels"]
        for _, pod in serving(manifests):
            if selects(selector, labels(pod)):
                named = {
                    port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]
                }
                assert named <= {*ports(pod).values(), *extra}
