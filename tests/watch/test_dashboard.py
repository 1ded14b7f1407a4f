"""The dashboard's file: whole, readable, and with a unit and a description everywhere."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.watch.__main__ import FILE, text
from tests.watch.alert_cases import alerts
from tests.watch.dashboard import dashboard
from tests.watch.drawing import WIDTH

DOCUMENT = json.loads(FILE.read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = [each for each in DOCUMENT["panels"] if each["type"] != "row"]
TITLES = [f"{each['id']} {each['title']}" for each in PANELS]


def test_it_was_drawn_from_its_source() -> None:
    assert FILE.read_text(encoding="utf-8") == text(dashboard()) + "\n"


def test_the_first_row_asks_about_money() -> None:
    rows = [each["title"] for each in DOCUMENT["panels"] if each["type"] == "row"]

    assert DOCUMENT["panels"][0]["title"] == "Are we losing money?"
    assert rows[1:6] == [
        "Ingest", "Deliver, by destination", "Journal", "Kafka as a source",
        "Audit of the ad account",
    ]  # fmt: skip


def test_its_names_are_its_own() -> None:
    assert re.fullmatch(r"[a-z-]{1,40}", DOCUMENT["uid"])
    numbers = [each["id"] for each in DOCUMENT["panels"]]
    assert len(set(numbers)) == len(numbers)
    variables = [each["name"] for each in DOCUMENT["templating"]["list"]]
    assert variables == ["datasource", "namespace", "job", "destination", "runbook"]


@pytest.mark.parametrize("panel", PANELS, ids=TITLES)
def test_a_panel_can_be_read(panel: dict[str, Any]) -> None:
    field = panel["fieldConfig"]["defaults"]

    assert field["unit"]
    assert panel["description"].endswith(".")
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert [each["color"] for each in field["thresholds"]["steps"]]
    assert field["thresholds"]["steps"][0]["value"] is None
    assert all(target["expr"] and target["legendFormat"] for target in panel["targets"])


@pytest.mark.parametrize("panel", PANELS, ids=TITLES)
def test_what_a_reader_chose_is_obeyed(panel: dict[str, Any]) -> None:
    """Each query asks for the namespace, and for the destination where it has one."""
    for target in panel["targets"]:
        assert 'namespace=~"$namespace"' in target["expr"]


@pytest.mark.parametrize("panel", PANELS, ids=TITLES)
def test_links_lead_to_sections_of_the_runbook(panel: dict[str, Any]) -> None:
    sections = {name.lower() for name in alerts()}
    for link in panel["links"]:
        address, _, section = link["url"].partition("#")

        assert address == "${runbook}"
        assert section in sections


def test_every_alert_has_a_panel_that_shows_why() -> None:
    linked = {link["url"].partition("#")[2] for panel in PANELS for link in panel["links"]}

    assert {name.lower() for name in alerts()} == linked


def test_panels_fill_their_places_and_no_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DOCUMENT["panels"]:
        at = panel["gridPos"]
        cells = {
            (at["x"] + right, at["y"] + down) for right in range(at["w"]) for down in range(at["h"])
        }
        assert at["x"] + at["w"] <= WIDTH
        assert not cells & taken
        taken |= cells
