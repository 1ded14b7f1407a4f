"""Who may come in, and where the relay may go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from relay.config import Settings
from tests.chart.helm import (
    CASES,
    DISTRIBUTED,
    EMBEDDED,
    FULL_DISTRIBUTED,
    FULL_EMBEDDED,
    Case,
    Manifest,
    rendered,
)
from tests.chart.manifests import labels, of_kind, one, selects, serving

KAFKA = "shop-events.example:9192"
#: Without `helm test`, whose pod is let in.
UNTRIED = EMBEDDED.with_(tests__enabled="false")
TRACED = EMBEDDED.with_(config__traces__endpoint='"https://collector.example"')


def policy(case: Case, name: str = "relay") -> Mapping[str, Sequence[Manifest]]:
    found: Mapping[str, Sequence[Manifest]] = one(rendered(case), "NetworkPolicy", name)["spec"]
    return found


def egress_ports(case: Case, name: str = "relay") -> list[int]:
    """Without those of DNS."""
    found = [port["port"] for rule in policy(case, name)["egress"] for port in rule["ports"]]
    return [port for port in found if port != 53]


def test_an_embedded_relay_goes_to_tiktok_alone() -> None:
    assert egress_ports(EMBEDDED) == [443]


def test_who_accepts_does_not_go_to_tiktok() -> None:
    assert egress_ports(DISTRIBUTED, "relay-ingest") == [9092, 5432]
    assert egress_ports(DISTRIBUTED, "relay-deliver") == [443, 9092, 5432]


def test_tiktok_is_the_internet_without_the_private_networks() -> None:
    rule = policy(EMBEDDED)["egress"][1]
    blocks = {peer["ipBlock"]["cidr"]: peer["ipBlock"]["except"] for peer in rule["to"]}

    assert set(blocks) == {"0.0.0.0/0", "::/0"}
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= {
        *blocks["0.0.0.0/0"]
    }
    assert "fc00::/7" in blocks["::/0"]


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("https://business-api.tiktok.com/open_api/v1.3", 443),
        ("https://tiktok.example:8443/open_api/v1.3", 8443),
        ("http://sandbox/open_api/v1.3", 80),
        ("http://[2001:db8::1]:8090/open_api", 8090),
    ],
)
def test_its_port_is_that_of_the_address(url: str, port: int) -> None:
    assert egress_ports(EMBEDDED.with_(config__tiktok__base_url=f'"{url}"')) == [port]


def test_without_an_address_it_is_the_relays_own() -> None:
    assert Settings().tiktok.base_url.startswith("https://business-api.tiktok.com/")


def test_brokers_of_sources_are_reached_by_who_reads_them() -> None:
    source = f'{{"name": "orders", "kind": "kafka", "destination": "web-eu", "brokers": "{KAFKA}",'
    source += ' "topics": ["orders"], "group": "relay-orders"}'

    assert egress_ports(EMBEDDED.with_(config__sources=f"[{source}]")) == [443, 9192]
    case = DISTRIBUTED.with_(config__sources=f"[{source}]")
    assert egress_ports(case, "relay-ingest") == [9092, 9192, 5432]
    assert egress_ports(case, "relay-deliver") == [443, 9092, 5432]


def test_the_collector_is_reached_while_traces_are_on() -> None:
    assert egress_ports(TRACED) == [443, 443]
    assert egress_ports(TRACED.with_(config__traces__endpoint='"http://c:4318"')) == [443, 4318]
    assert len(policy(TRACED)["egress"]) == len(policy(EMBEDDED)["egress"]) + 1


def test_everybody_may_reach_the_public_port_and_the_monitoring_the_operators() -> None:
    public, operator = policy(UNTRIED)["ingress"]

    assert public == {"ports": [{"protocol": "TCP", "port": 8080}]}
    assert operator["ports"] == [{"protocol": "TCP", "port": 8081}]
    assert operator["from"] == [
        {"podSelector": {}},
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}},
    ]


def test_who_delivers_has_no_door() -> None:
    case = DISTRIBUTED.with_(tests__enabled="false")
    (operator,) = policy(case, "relay-deliver")["ingress"]

    assert [port["port"] for port in operator["ports"]] == [8081]


def test_without_a_peer_nobody_reaches_the_operators_port() -> None:
    (public,) = policy(UNTRIED.with_(networkPolicy__operator__from="[]"))["ingress"]

    assert [port["port"] for port in public["ports"]] == [8080]


def test_peers_and_ports_are_as_they_are_wished() -> None:
    rules = policy(FULL_DISTRIBUTED, "conversions-deliver")["egress"]
    found = [(rule["to"], [port["port"] for port in rule["ports"]]) for rule in rules]

    assert found == [
        ([{"ipBlock": {"cidr": "10.96.0.10/32"}}], [53, 53, 5353, 5353]),
        ([{"ipBlock": {"cidr": "203.0.113.7/32"}}], [8443]),
        ([{"podSelector": {"matchLabels": {"app": "kafka"}}}], [9092, 9093]),
        ([{"ipBlock": {"cidr": "10.1.2.3/32"}}], [5432, 6432]),
        (
            [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "otel"}}}],
            [4318],
        ),
        ([{"ipBlock": {"cidr": "192.0.2.9/32"}}], [3128]),
    ]


@pytest.mark.parametrize("case", [EMBEDDED, DISTRIBUTED, FULL_EMBEDDED, FULL_DISTRIBUTED])
def test_each_serving_pod_has_one_policy(case: Case) -> None:
    manifests = rendered(case)
    selectors = [
        each["spec"]["podSelector"]["matchLabels"] for each in of_kind(manifests, "NetworkPolicy")
    ]

    for _, pod in serving(manifests):
        assert sum(selects(selector, labels(pod)) for selector in selectors) == 1


# --- the way in -----------------------------------------------------------------------------------


def test_an_ingress_leads_to_the_public_listener() -> None:
    manifests = rendered(CASES['embedded ingress={"enabled": true, "hosts": '
                               '["events.shop.example"]}'])  # fmt: skip
    spec = one(manifests, "Ingress")["spec"]
    service = one(manifests, "Service", "relay")["spec"]

    (rule,) = spec["rules"]
    (path,) = rule["http"]["paths"]
    assert rule["host"] == "events.shop.example"
    assert (path["path"], path["pathType"]) == ("/", "Prefix")
    assert path["backend"]["service"] == {"name": "relay", "port": {"name": "http"}}
    assert [port["name"] for port in service["ports"]] == ["http"]
    assert service["ports"][0]["targetPort"] == "public"


def test_an_ingress_is_as_it_is_wished() -> None:
    spec = one(rendered(FULL_EMBEDDED), "Ingress")["spec"]

    assert spec["ingressClassName"] == "nginx"
    assert spec["tls"] == [{"hosts": ["events.shop.example"], "secretName": "events-tls"}]
    assert [each["path"] for each in spec["rules"][1]["http"]["paths"]] == [
        "/v1/events",
        "/webhooks",
        "/open_api/v1.3/event/track",
    ]


@pytest.mark.parametrize("case", [FULL_EMBEDDED, FULL_DISTRIBUTED])
def test_a_route_of_the_gateway_leads_to_the_public_listener(case: Case) -> None:
    manifests = rendered(case)
    route = one(manifests, "HTTPRoute")["spec"]
    service = one(manifests, "Service", "conversions")["spec"]

    assert route["parentRefs"] == [
        {"name": "public", "namespace": "gateways", "sectionName": "https"}
    ]
    assert route["hostnames"] == ["events.shop.example"]
    (rule,) = route["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert rule["backendRefs"] == [{"name": "conversions", "port": service["ports"][0]["port"]}]


def test_nothing_leads_to_the_operators_listener_from_outside() -> None:
    for case in CASES.values():
        for manifest in of_kind(rendered(case), "Ingress", "HTTPRoute"):
            assert "-operator" not in str(manifest["spec"])


def test_a_load_balancer_is_as_it_is_wished() -> None:
    spec = one(rendered(FULL_EMBEDDED), "Service", "conversions")["spec"]

    assert spec["type"] == "LoadBalancer"
    assert spec["loadBalancerClass"] == "example.com/internal"
    assert spec["loadBalancerSourceRanges"] == ["203.0.113.0/24"]
    assert spec["externalTrafficPolicy"] == "Local"
    (port,) = spec["ports"]
    assert (port["port"], port["nodePort"], port["targetPort"]) == (80, 30080, "public")
