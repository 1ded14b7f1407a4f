"""Every alert fires with its numbers, and stays silent in the nearest harmless case."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.watch.alert_cases import (
    CASES,
    CHART,
    FILES,
    alerts,
    cases,
    cases_of,
    needed,
    promtool,
    unit_tests,
)

RUNBOOK = (CHART / "runbook.md").read_text()
ALERTS = sorted(alerts())

#: What somebody needs who was woken.
PARTS = ["**What it means.**", "**Look at.**", "**Do.**", "**Do not.**"]


def expectations(name: str) -> list[list[Any]]:
    return [case["expect"][name] for case in cases() if name in case["expect"]]


@pytest.mark.needs("prometheus")
def test_the_rules_are_well_formed() -> None:
    checked = promtool("check", "rules", "--lint=all", "--lint-fatal", *FILES)

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.needs("prometheus")
@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_alerts_fire_when_they_should(file: Path, tmp_path: Path) -> None:
    """A file with the cases of each interval: promtool evaluates all of a file at one."""
    found = cases_of(file)
    intervals = sorted({case.get("interval", "1m") for case in found})
    for interval in intervals:
        chosen = [case for case in found if case.get("interval", "1m") == interval]
        rules = tmp_path / f"rules-{interval}.yaml"
        rules.write_text(yaml.safe_dump(needed(chosen)))
        tests = unit_tests(chosen, interval, rules)
        (tmp_path / f"{interval}.yaml").write_text(yaml.safe_dump(tests))

    tested = promtool("test", "rules", *(tmp_path / f"{each}.yaml" for each in intervals))

    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_is_tried_both_ways(name: str) -> None:
    tried = expectations(name)

    assert any(tried), "it never fires"
    assert not all(tried), "it is never silent"


@pytest.mark.parametrize("name", [name for name in ALERTS if alerts()[name].hold != "0s"])
def test_every_alert_that_waits_is_seen_waiting(name: str) -> None:
    assert any(name in case.get("pending", ()) for case in cases())


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_says_how_bad_it_is_in_numbers(name: str) -> None:
    alert = alerts()[name]

    assert re.fullmatch(r"Relay[A-Z][A-Za-z0-9]+", name)
    assert alert.severity in {"page", "ticket"}
    assert re.search(r"\d", re.sub(r"{{.*?}}", "7", alert.summary))
    assert alert.summary.endswith(".")
    assert len(alert.description) > 60
    assert alert.description.endswith(".")


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_has_a_section_in_the_runbook(name: str) -> None:
    sections = re.split(r"^### ", RUNBOOK, flags=re.MULTILINE)[1:]
    (section,) = [each for each in sections if each.partition("\n")[0] == name]

    places = [section.find(part) for part in PARTS]
    assert -1 not in places, [part for part in PARTS if part not in section]
    assert places == sorted(places)


def test_the_runbook_has_no_section_too_many() -> None:
    assert sorted(re.findall(r"^### (.*)$", RUNBOOK, flags=re.MULTILINE)) == ALERTS
