"""Grafana's JSON from panels. Pure. The schema is Grafana 12's; what 9 lacks is not used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

#: The version of the dashboard's own schema (Grafana 12).
SCHEMA: Final = 41
WIDTH: Final = 24
DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}

#: From which value on a colour holds; None is the lowest.
Steps = Sequence[tuple[float | None, str]]

CALM: Final[Steps] = ((None, "green"),)


@dataclass(frozen=True, slots=True)
class Panel:
    """`queries` by their legend; `unit` is Grafana's word; `runbook` names alerts."""

    title: str
    unit: str
    description: str
    queries: Mapping[str, str]
    kind: str = "timeseries"
    width: int = 8
    height: int = 8
    steps: Steps = CALM
    runbook: Sequence[str] = ()
    decimals: int | None = None
    stacked: bool = False
    shows: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: Sequence[Panel]


def panels_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows below each other, panels from left to right."""
    drawn: list[dict[str, Any]] = []
    top = 0
    for row in rows:
        drawn.append(_row(row.title, len(drawn) + 1, top))
        top += 1
        left = tallest = 0
        for panel in row.panels:
            if left + panel.width > WIDTH:
                top, left, tallest = top + tallest, 0, 0
            drawn.append(_panel(panel, len(drawn) + 1, left, top))
            left += panel.width
            tallest = max(tallest, panel.height)
        top += tallest
    return drawn


def _row(title: str, number: int, top: int) -> dict[str, Any]:
    return {
        "id": number, "type": "row", "title": title, "collapsed": False, "panels": [],
        "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1},
    }  # fmt: skip


def _panel(panel: Panel, number: int, left: int, top: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": {"x": left, "y": top, "w": panel.width, "h": panel.height},
        "targets": [
            _target(legend, expr, chr(ord("A") + index), instant=panel.kind == "stat")
            for index, (legend, expr) in enumerate(panel.queries.items())
        ],
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "options": _options(panel),
        "links": [_runbook(alert) for alert in panel.runbook],
    }


def _target(legend: str, expr: str, letter: str, *, instant: bool) -> dict[str, Any]:
    return {
        "refId": letter, "datasource": DATASOURCE, "expr": expr, "legendFormat": legend,
        "instant": instant, "range": not instant, "editorMode": "code",
    }  # fmt: skip


def _field(panel: Panel) -> dict[str, Any]:
    steps = [{"value": value, "color": colour} for value, colour in panel.steps]
    field: dict[str, Any] = {
        "unit": panel.unit,
        "thresholds": {"mode": "absolute", "steps": steps},
        "color": {"mode": "thresholds" if panel.kind == "stat" else "palette-classic"},
        "noValue": "no data",
    }
    if panel.decimals is not None:
        field["decimals"] = panel.decimals
    field["min"] = 0
    if panel.shows is not None:
        options = {
            value: {"text": text, "index": index}
            for index, (value, text) in enumerate(panel.shows.items())
        }
        field["mappings"] = [{"type": "value", "options": options}]
    if panel.kind == "timeseries":
        field["custom"] = _drawing(panel)
    return field


def _drawing(panel: Panel) -> dict[str, Any]:
    return {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 20 if panel.stacked else 5,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "line" if len(panel.steps) > 1 else "off"},
    }


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        return {
            "colorMode": "background" if len(panel.steps) > 1 else "value",
            "graphMode": "none", "textMode": "auto", "justifyMode": "center",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        }  # fmt: skip
    if panel.kind == "state-timeline":
        return {
            "showValue": "never", "mergeValues": True, "rowHeight": 0.8,
            "legend": {"showLegend": False}, "tooltip": {"mode": "single"},
        }  # fmt: skip
    return {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def _runbook(alert: str) -> dict[str, Any]:
    return {
        "title": f"Runbook: {alert}", "url": f"${{runbook}}#{alert.lower()}", "targetBlank": True,
    }  # fmt: skip


def choice(name: str, label: str, query: str) -> dict[str, Any]:
    """A variable of Prometheus' labels; all of them at first. `.*` takes those without it."""
    return {
        "name": name, "label": label, "type": "query", "datasource": DATASOURCE,
        "query": {"query": query, "refId": name}, "definition": query,
        "refresh": 2, "sort": 1, "multi": True, "includeAll": True, "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]}, "options": [],
    }  # fmt: skip
