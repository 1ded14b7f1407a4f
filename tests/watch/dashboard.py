"""The dashboard, drawn from `dashboard.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tests.watch.drawing import CALM, SCHEMA, Panel, Row, choice, panels_of

#: Where the runbook is read, until somebody says so: a variable of the dashboard.
RUNBOOK: Final = "https://runbook.invalid/helm/relay/README.md"

_HERE: Final = 'namespace=~"$namespace"'
_JOB: Final = f'{_HERE},job=~"$job"'
_TO: Final = 'destination=~"$destination"'

#: The labels that the dashboard's variables choose.
LABELS: Final = {"here": _HERE, "job": _JOB, "to": f"{_HERE},{_TO}", "job_to": f"{_JOB},{_TO}"}

_FILE: Final = Path(__file__).with_name("dashboard.yaml")


def rows() -> list[Row]:
    document = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return [Row(each["row"], [_panel(**panel) for panel in each["panels"]]) for each in document]


def _panel(
    *,
    queries: Mapping[str, str],
    size: tuple[int, int] = (8, 8),
    steps: Mapping[str | float, str] | None = None,
    **more: Any,
) -> Panel:
    colours = [
        (None if at == "below" else float(at), colour) for at, colour in (steps or {}).items()
    ]
    return Panel(
        queries={legend: _spelled_out(query) for legend, query in queries.items()},
        width=size[0],
        height=size[1],
        steps=colours or CALM,
        **more,
    )


def _spelled_out(query: str) -> str:
    return re.sub(r"@(\w+)", lambda found: LABELS[found[1]], query)


def dashboard() -> dict[str, Any]:
    """The whole document, as Grafana imports it."""
    return {
        "uid": "tiktok-conversions-relay",
        "title": "TikTok conversions relay",
        "description": "Are conversions lost, late or counted twice? The first row says so.",
        "tags": ["relay", "tiktok"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [
            {
                "title": "Runbook", "type": "link", "url": "${runbook}", "icon": "doc",
                "targetBlank": True, "tags": [], "asDropdown": False, "includeVars": False,
                "keepTime": False, "tooltip": "What each alert means, and what to do",
            }
        ],
        "templating": {"list": _variables()},
        "panels": panels_of(rows()),
    }  # fmt: skip


def _variables() -> list[dict[str, Any]]:
    return [
        {
            "name": "datasource", "label": "Prometheus", "type": "datasource",
            "query": "prometheus", "current": {}, "options": [], "regex": "",
            "includeAll": False, "multi": False,
        },
        choice("namespace", "Namespace", "label_values(relay_build_info, namespace)"),
        choice("job", "Job", f"label_values(relay_build_info{{{_HERE}}}, job)"),
        choice(
            "destination",
            "Destination",
            f"label_values(relay_max_event_age_seconds{{{_JOB}}}, destination)",
        ),
        {
            "name": "runbook", "label": "Runbook", "type": "textbox", "query": RUNBOOK,
            "current": {"text": RUNBOOK, "value": RUNBOOK}, "options": [],
            "description": "Where the runbook is read; links lead to its sections.",
        },
    ]  # fmt: skip
