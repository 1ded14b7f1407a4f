"""The real Helm, and what it renders: each set of values once."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
HELM = ROOT / ".venv" / "helm" / "helm"
CHART = ROOT / "helm" / "relay"
CI = CHART / "ci"

#: A helm of `go install` takes the cluster for an old one unless it is told.
KUBERNETES = "1.37.0"

Manifest = dict[str, Any]


class Case(NamedTuple):
    """Values: files of `ci/`, and what is set on top of them, as JSON by key."""

    files: tuple[str, ...]
    sets: tuple[tuple[str, str], ...] = ()

    def with_(self, **sets: str) -> Case:
        """`a__b` is the key `a.b`."""
        more = tuple((key.replace("__", "."), value) for key, value in sets.items())
        return Case(self.files, (*self.sets, *more))

    def having(self, key: str, value: str) -> Case:
        """For keys that are no Python names."""
        return Case(self.files, (*self.sets, (key, value)))


class Refused(Exception):
    """Helm does not render these values; the text is what it says."""


EMBEDDED = Case(("minimal-embedded.yaml",))
DISTRIBUTED = Case(("minimal-distributed.yaml",))
FULL_EMBEDDED = Case(("minimal-embedded.yaml", "everything.yaml", "everything-embedded.yaml"))
FULL_DISTRIBUTED = Case(
    ("minimal-distributed.yaml", "everything.yaml", "everything-distributed.yaml")
)

#: Every switch alone, on top of the least there is.
SWITCHES: dict[str, Case] = {
    f"{mode} {key}={value}": case.having(key, value)
    for mode, case in (("embedded", EMBEDDED), ("distributed", DISTRIBUTED))
    for key, value in (
        ("dashboards.enabled", "true"),
        ("ingress", '{"enabled": true, "hosts": ["events.shop.example"]}'),
        ("httpRoute", '{"enabled": true, "parentRefs": [{"name": "public"}]}'),
        ("networkPolicy.enabled", "false"),
        ("prometheusRule.enabled", "true"),
        ("serviceAccount.create", "false"),
        ("serviceMonitor.enabled", "true"),
        ("service.public.type", '"NodePort"'),
        ("service.public.type", '"LoadBalancer"'),
        ("tests.enabled", "false"),
        ("preStopSleepSeconds", "0"),
        ("topologySpreadConstraints", "[]"),
        ("nameOverride", '"door"'),
        ("fullnameOverride", '"a-name-of-more-than-forty-characters-is-cut-off"'),
    )
}

CASES: dict[str, Case] = {
    "minimal embedded": EMBEDDED,
    "minimal distributed": DISTRIBUTED,
    "nothing embedded": Case(("minimal-embedded.yaml", "nothing-embedded.yaml")),
    "nothing distributed": Case(("minimal-distributed.yaml", "nothing-distributed.yaml")),
    "everything embedded": FULL_EMBEDDED,
    "everything distributed": FULL_DISTRIBUTED,
    **SWITCHES,
    "stopped": EMBEDDED.with_(embedded__replicas="0"),
    "no sources": EMBEDDED.with_(config__sources="[]"),
    "ingest scaled": DISTRIBUTED.with_(ingest__autoscaling__enabled="true"),
    "deliver scaled": DISTRIBUTED.with_(deliver__autoscaling__enabled="true"),
    "deliver scaled by KEDA": DISTRIBUTED.with_(
        deliver__autoscaling__enabled="true",
        deliver__autoscaling__keda='{"enabled": true, "serverAddress": "http://prometheus:9090"}',
    ),
    "no migration": DISTRIBUTED.with_(migration__enabled="false"),
    "moved": DISTRIBUTED.with_(migration__fromEmbedded__enabled="true"),
    "moved without migration": DISTRIBUTED.with_(
        migration__enabled="false", migration__fromEmbedded__enabled="true"
    ),
}


#: libyaml's, where it is there: ten times as fast.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def rendered(case: Case) -> Sequence[Manifest]:
    """The manifests, hooks and tests among them; not to be changed. Raises `Refused`."""
    return tuple(yaml.load_all(text(case), _LOADER))


def text(case: Case) -> str:
    """Release `relay` in the namespace `shop`. Raises `Refused`."""
    told = templated(case)
    if told.returncode != 0:
        raise Refused(told.stderr)
    return told.stdout


@cache
def templated(case: Case) -> subprocess.CompletedProcess[str]:
    return run("template", "relay", str(CHART), *kubernetes(), "-n", "shop", *arguments(case))


def templated_in(cluster: str, case: Case) -> subprocess.CompletedProcess[str]:
    """The same, with what the templates look up in the cluster at this address."""
    asked = ("--dry-run=server", "--kube-apiserver", cluster, "--kubeconfig", os.devnull)
    return run(
        "template", "relay", str(CHART), *kubernetes(), "-n", "shop", *asked, *arguments(case)
    )


def kubernetes() -> tuple[str, str]:
    return "--kube-version", KUBERNETES


def arguments(case: Case) -> list[str]:
    files = [part for name in case.files for part in ("-f", str(CI / name))]
    return files + [part for key, value in case.sets for part in ("--set-json", f"{key}={value}")]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(HELM), *words], capture_output=True, text=True, timeout=60, check=False
    )


def is_available() -> bool:
    return HELM.exists()
