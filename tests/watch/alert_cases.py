"""The cases that alerts are tried on, and their way into promtool.

A file of `cases/` is a list: `case` says what happens, `series` are samples by series, in
promtool's notation, one each `interval` (1m), `at` is when it is looked, and `expect` what then
fires: by alert the labels and the summary of each, or none. `pending` are alerts whose
condition holds then, but not for long enough. `shows` are the samples of expressions at that
time. `@a` stands for the labels of the process `a`.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CHART = Path(__file__).parents[2] / "helm" / "relay"
RULES = CHART / "rules"
FILES = (RULES / "recording.yaml", RULES / "alerts.yaml")
CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))

_PROCESS = r'namespace="shop",job="relay",instance="\1:8081"'


_IS_PENDING = 'max(ALERTS{alertname="%s", alertstate="pending"})'
_YES = [{"labels": {}, "value": "1"}]


class Alert(NamedTuple):
    """One rule of alerts.yaml."""

    name: str
    expr: str
    hold: str
    severity: str
    summary: str
    description: str


@cache
def groups_of(file: Path) -> dict[str, list[dict[str, Any]]]:
    return {each["name"]: each["rules"] for each in yaml.safe_load(file.read_text())["groups"]}


def rules_of(file: Path) -> list[dict[str, Any]]:
    return [rule for rules in groups_of(file).values() for rule in rules]


@cache
def alerts() -> dict[str, Alert]:
    found = [
        Alert(
            each["alert"],
            each["expr"],
            each.get("for", "0s"),
            each["labels"]["severity"],
            each["annotations"]["summary"],
            each["annotations"]["description"],
        )
        for each in rules_of(RULES / "alerts.yaml")
    ]
    return {each.name: each for each in found}


def cases() -> list[dict[str, Any]]:
    return [case for file in CASES for case in cases_of(file)]


@cache
def cases_of(file: Path) -> list[dict[str, Any]]:
    # All of it as text: `0x20` is no number here.
    return [_filled(each) for each in yaml.load(file.read_text(), yaml.BaseLoader)]


def _filled(case: dict[str, Any]) -> dict[str, Any]:
    """What is pending does not fire, and shows as pending."""
    pending = case.get("pending", [])
    return {
        **case,
        "expect": {**case.get("expect", {}), **{name: [] for name in pending}},
        "shows": {**case.get("shows", {}), **{_IS_PENDING % name: _YES for name in pending}},
    }


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120
    )


def needed(of: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A rule file with the alerts of these cases and what they are made of, as they stand in ours:
    to evaluate all rules over a week of samples takes promtool a minute."""
    names = {name for case in of for name in case["expect"]}
    text = "".join(yaml.safe_dump(each) for each in _chosen(RULES / "alerts.yaml", names))
    text += " ".join(expr for case in of for expr in case["shows"])
    recorded = rules_of(RULES / "recording.yaml")
    for each in reversed(recorded):  # made of those above
        if each["record"] in text:
            text += each["expr"]
    records = {each["record"] for each in recorded if each["record"] in text}
    return {
        "groups": [
            {"name": "recording", "rules": _chosen(RULES / "recording.yaml", records)},
            {"name": "alerts", "rules": _chosen(RULES / "alerts.yaml", names)},
        ]
    }


def _chosen(file: Path, names: set[str]) -> list[dict[str, Any]]:
    return [each for each in rules_of(file) if (each.get("alert") or each["record"]) in names]


def unit_tests(of: Sequence[Mapping[str, Any]], interval: str, rules: Path) -> dict[str, Any]:
    """A file for `promtool test rules`."""
    return {
        "rule_files": [str(rules)],
        "evaluation_interval": interval,
        "group_eval_order": ["recording", "alerts"],
        "tests": [_unit_test(case, interval) for case in of],
    }


def _unit_test(case: Mapping[str, Any], interval: str) -> dict[str, Any]:
    return {
        "name": case["case"],
        "interval": interval,
        "input_series": [
            {"series": re.sub(r"@([a-z])", _PROCESS, series), "values": values}
            for series, values in case["series"].items()
        ],
        "alert_rule_test": [
            {"alertname": name, "eval_time": case["at"], "exp_alerts": _expected(name, expected)}
            for name, expected in case["expect"].items()
        ],
        "promql_expr_test": [
            {"expr": expr, "eval_time": case["at"], "exp_samples": _samples(shown)}
            for expr, shown in case["shows"].items()
        ],
    }


def _samples(shown: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "labels": _written(each["labels"]),
            "value": float(each["value"]),
        }
        for each in shown
    ]


def _expected(name: str, expected: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    alert = alerts()[name]
    return [
        {
            "exp_labels": {"severity": alert.severity, **each["labels"]},
            "exp_annotations": {"summary": each["summary"], "description": alert.description},
        }
        for each in expected
    ]


def _written(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
