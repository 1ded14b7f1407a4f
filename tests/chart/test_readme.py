"""What the chart's README tells people to write is taken, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

from relay.config import Settings
from tests.chart.helm import CHART, EMBEDDED, KUBERNETES, Manifest, rendered, run
from tests.chart.manifests import containers, of_kind, serving
from tests.chart.test_manifests import VERSIONS, mistakes

TEMPLATE = (CHART / "README.template.md").read_text(encoding="utf-8")
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEMPLATE, re.DOTALL)
SHELL = "".join(dedent(each) for each in re.findall(r"```sh\n(.*?)```", TEMPLATE, re.DOTALL))

MANIFESTS = [
    yaml.safe_load(each) for each in re.findall(r"<<'END'\n(.*?)\nEND\n", SHELL, re.DOTALL)
]

QUICK, *MORE = BLOCKS


@pytest.mark.parametrize("more", [[], *([each] for each in MORE), MORE])
def test_the_values_that_it_shows_are_taken(more: list[str], tmp_path: Path) -> None:
    files = []
    for number, block in enumerate((QUICK, *more)):
        file = tmp_path / f"{number}.yaml"
        file.write_text(block, encoding="utf-8")
        files += ["-f", str(file)]

    told = run("template", "relay", str(CHART), "--kube-version", KUBERNETES, *files)

    assert told.returncode == 0, told.stderr


def test_the_quick_start_is_short() -> None:
    assert len(QUICK.splitlines()) <= 16


def test_the_secret_that_it_makes_has_every_key_that_the_values_name() -> None:
    made = set(re.findall(r"--from-(?:literal|file)=([a-z-]+)=", SHELL))
    secrets = yaml.safe_load(QUICK)["secrets"].values()

    assert made == {each["key"] for each in secrets}
    assert {each["existingSecret"] for each in secrets} == {"relay"}


@pytest.mark.parametrize(
    "key", sorted(set(re.findall(r"(?:`|--set )([a-z]\w*(?:\.\w+)+)", TEMPLATE)))
)
def test_a_value_that_it_names_is_one(key: str) -> None:
    place: Any = VALUES
    words = key.split(".")
    if words[0] not in VALUES:
        assert words[-1] in ("toml", "yaml", "secretKeyRef"), key
        return
    if words[0] == "config":
        section = Settings.model_fields[words[1]].default
        assert len(words) == 2 or words[2] in type(section).model_fields
        return
    for word in words:
        assert word in place, key
        place = place[word]


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda each: each["kind"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_manifest_that_it_shows_is_taken(manifest: Manifest, version: str) -> None:
    assert mistakes(manifest, version) == []


def test_the_pod_by_hand_has_what_the_charts_pods_have() -> None:
    (by_hand,) = of_kind(MANIFESTS, "Pod")
    (claim,) = of_kind(MANIFESTS, "PersistentVolumeClaim")
    manifests = rendered(EMBEDDED)
    ((_, pod),) = serving(manifests)
    (own,), (relay,) = containers(by_hand), containers(pod)

    def place_of(container: Manifest) -> dict[str, str]:
        return {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}

    assert own["securityContext"] == relay["securityContext"]
    ours = {**pod["spec"]["securityContext"]}
    del ours["fsGroupChangePolicy"]
    assert by_hand["spec"]["securityContext"] == ours
    assert set(place_of(own).values()) == set(place_of(relay).values())
    assert claim["metadata"]["name"] == "journal-relay-0"
    (volume,) = (each for each in by_hand["spec"]["volumes"] if each["name"] == "journal")
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:rules|ci)/[\w.]*)`", TEMPLATE))))
def test_a_file_that_it_names_is_there(path: str) -> None:
    assert (CHART / path).exists()
