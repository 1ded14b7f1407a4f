"""What `helm install` says at its end: addresses, what to do next, and what is doubtful."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
import yaml

from tests.chart.helm import (
    CASES,
    CHART,
    DISTRIBUTED,
    EMBEDDED,
    FULL_DISTRIBUTED,
    FULL_EMBEDDED,
    Case,
    arguments,
    kubernetes,
    run,
)

MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data:
  notes: |
    {{- include "notes" . | nindent 4 }}
"""


@cache
def _chart() -> Path:
    """With its notes as a manifest: `helm install` shows them, and takes a cluster to do so."""
    folder = Path(mkdtemp(prefix="relay-chart-")) / "relay"
    shutil.copytree(CHART, folder)
    text = (folder / "templates" / "NOTES.txt").read_text()
    (folder / "templates" / "_notes.tpl").write_text(f'{{{{ define "notes" }}}}{text}{{{{ end }}}}')
    (folder / "templates" / "notes.yaml").write_text(MANIFEST)
    return folder


@cache
def notes(case: Case) -> str:
    only = ("--show-only", "templates/notes.yaml")
    told = run(
        "template", "relay", str(_chart()), "-n", "shop", *only, *kubernetes(), *arguments(case)
    )
    assert told.returncode == 0, told.stderr
    found: str = yaml.safe_load(told.stdout)["data"]["notes"]
    return found


@pytest.mark.parametrize("case", [EMBEDDED, DISTRIBUTED, FULL_EMBEDDED, FULL_DISTRIBUTED])
def test_addresses_and_next_steps_are_told(case: Case) -> None:
    told = notes(case)
    is_full = "everything.yaml" in case.files
    name, port = ("conversions", 80) if is_full else ("relay", 8080)

    assert f"http://{name}.shop.svc:{port}/v1/events" in told
    assert f"http://{name}-operator.shop.svc:{9090 if is_full else 8081}/metrics" in told
    assert "helm -n shop test relay" in told
    assert "relay check --online" in told
    assert "  \n" not in told


def test_each_half_is_asked_about_those_that_it_may_reach() -> None:
    """`deliver` may not go to the brokers of a source, and `ingest` not to TikTok."""
    told = notes(FULL_DISTRIBUTED)

    for role in ("ingest", "deliver"):
        assert f"exec deploy/conversions-{role} -- relay check --online --role {role}\n" in told
    assert told.count("relay check --online") == 2
    assert "exec statefulset/relay -- relay check --online\n" in notes(EMBEDDED)
    assert "--role" not in notes(EMBEDDED)


def test_ways_from_outside_and_webhooks_are_told() -> None:
    told = notes(FULL_EMBEDDED)

    assert "https://events.shop.example/v1/events" in told
    assert "shop: /webhooks/shop" in told
    assert "stripe: /webhooks/stripe" in told
    assert "orders: /webhooks" not in told
    assert "Only the cluster" not in told
    assert "Nobody is told" not in told


@pytest.mark.parametrize(
    ("case", "doubt"),
    [
        (EMBEDDED, "NOTE One process"),
        (EMBEDDED, "NOTE Only the cluster reaches the public listener"),
        (EMBEDDED, "WARNING Nobody is told when something is wrong"),
        (CASES["stopped"], "WARNING embedded.replicas is 0"),
        (CASES["no sources"], "WARNING config.sources is empty"),
        (CASES["embedded networkPolicy.enabled=false"], "WARNING networkPolicy.enabled is false"),
        (DISTRIBUTED.with_(ingest__replicas="1"), "WARNING ingest has fewer than 2 pods"),
        (
            DISTRIBUTED.with_(
                deliver__replicas="5",
                deliver__autoscaling='{"enabled": true, "minReplicas": 1}',
            ),
            "WARNING deliver has fewer than 2 pods",
        ),
        (DISTRIBUTED.with_(deliver__replicas="13"), "WARNING deliver.replicas is more than 12"),
        (CASES["moved"], "delete pvc journal-relay-0"),
        (DISTRIBUTED, "NOTE networkPolicy.kafka.to is as it comes"),
        (DISTRIBUTED, "NOTE networkPolicy.postgres.to is as it comes"),
        (FULL_DISTRIBUTED, "delete pvc old-journal"),
    ],
)
def test_what_is_doubtful_is_told(case: Case, doubt: str) -> None:
    assert doubt in notes(case)


def test_what_is_not_doubtful_is_not() -> None:
    told = notes(FULL_DISTRIBUTED)

    assert "WARNING" not in told
    assert "has fewer than" not in notes(DISTRIBUTED)
    assert "stand by" not in notes(DISTRIBUTED)
    assert "as it comes" not in told
    assert "as it comes" not in notes(EMBEDDED)
    assert "as it comes" not in notes(DISTRIBUTED.with_(networkPolicy__enabled="false"))
