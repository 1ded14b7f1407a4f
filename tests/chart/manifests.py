"""Looking at manifests: pods, containers, who selects whom."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.chart.helm import Manifest

Labels = Mapping[str, str]


def of_kind(manifests: Iterable[Manifest], *kinds: str) -> list[Manifest]:
    return [each for each in manifests if each["kind"] in kinds]


def one(manifests: Iterable[Manifest], kind: str, name: str = "") -> Manifest:
    """The only one of this kind, and name where one is given."""
    found = [each for each in of_kind(manifests, kind) if name in ("", each["metadata"]["name"])]
    assert len(found) == 1, [each["metadata"]["name"] for each in found]
    return found[0]


def templates(manifests: Iterable[Manifest]) -> Iterator[tuple[Manifest, Manifest]]:
    """(owner, pod) of everything that has pods; a pod is its own owner."""
    for each in manifests:
        if each["kind"] == "Pod":
            yield each, each
        elif "template" in each.get("spec", {}) and "apiVersion" in each:
            yield each, each["spec"]["template"]


def serving(manifests: Iterable[Manifest]) -> list[tuple[Manifest, Manifest]]:
    """Those that run `relay serve`."""
    return [
        (owner, pod)
        for owner, pod in templates(manifests)
        if owner["kind"] in ("StatefulSet", "Deployment")
    ]


def containers(pod: Manifest) -> list[Manifest]:
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def labels(pod: Manifest) -> Labels:
    found: Labels = pod["metadata"]["labels"]
    return found


def selects(selector: Labels, chosen: Labels) -> bool:
    return bool(selector) and selector.items() <= chosen.items()


def ports(pod: Manifest) -> dict[str, int]:
    """By name, those of the relay's container."""
    (relay,) = (each for each in pod["spec"]["containers"] if each["name"] == "relay")
    return {each["name"]: each["containerPort"] for each in relay["ports"]}


def configuration(manifests: Iterable[Manifest], name: str = "relay") -> str:
    found: str = one(manifests, "ConfigMap", name)["data"]["relay.json"]
    return found


def values_in(value: Any) -> Iterator[str]:
    """Every text in it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from values_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from values_in(each)


def settings(manifests: Iterable[Manifest], name: str = "relay") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(configuration(manifests, name))
    return found
