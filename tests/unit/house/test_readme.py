"""The README is complete: what operators may set, count, type or meet stands in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.main import get_command

from relay.cli import app
from relay.model import Outcome, Reason
from relay.telemetry.catalogue import METRICS

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()


def settings() -> list[str]:
    schema = json.loads((ROOT / "schemas" / "config.schema.json").read_text())
    return sorted({key for part in schema["$defs"].values() for key in part.get("properties", {})})


@pytest.mark.parametrize("key", settings())
def test_every_setting_is_described(key: str) -> None:
    assert f"`{key}`" in README


@pytest.mark.parametrize("metric", [metric.name for metric in METRICS])
def test_every_metric_is_described(metric: str) -> None:
    assert f"`{metric}`" in README


@pytest.mark.parametrize("word", [*Outcome, *Reason])
def test_every_outcome_and_reason_is_explained(word: str) -> None:
    assert f"`{word}`" in README


@pytest.mark.parametrize("command", sorted(getattr(get_command(app), "commands", {})))
def test_every_command_is_described(command: str) -> None:
    assert f"`relay {command}`" in README


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_leads_to_a_file(link: str) -> None:
    assert (ROOT / link).exists()
