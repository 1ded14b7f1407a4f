"""What rules and dashboard ask for exists: metrics with their labels, and what is recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from relay.telemetry.catalogue import METRICS
from tests.watch.alert_cases import RULES, rules_of
from tests.watch.dashboard import rows

#: The labels that Prometheus gives to a target, and those of a histogram's buckets.
TARGET = {"namespace", "job", "instance", "pod"}

#: What every Python process shows, and Prometheus itself.
STANDARD = {
    "up": set(),
    "ALERTS": {"alertname", "alertstate", "severity"},
    "process_start_time_seconds": set(),
    "process_cpu_seconds_total": set(),
    "process_resident_memory_bytes": set(),
}

RECORDED = rules_of(RULES / "recording.yaml")


def known() -> dict[str, set[str]]:
    """Every name that may be asked for, with the labels that it may be asked by."""
    names = {name: set(labels) for name, labels in STANDARD.items()}
    for metric in METRICS:
        ends = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        for end in ends:
            more = {"le"} if end == "_bucket" else set()
            names[metric.name + end] = {*metric.labels, *more}
    for each in RECORDED:
        names[each["record"]] = labels_left(each["expr"])
    return names


def labels_left(expr: str) -> set[str]:
    """What an aggregation keeps: `by`, the first, which is the outermost; without one all."""
    kept = re.search(r"\bby \(([^)]*)\)", expr)
    return set(re.split(r",\s*", kept[1])) if kept else set()


def expressions() -> Iterator[tuple[str, str]]:
    for rule in RECORDED:
        yield rule["record"], rule["expr"]
    for rule in rules_of(RULES / "alerts.yaml"):
        yield rule["alert"], rule["expr"]
        for asked in re.findall(r'with printf "([^"]*)"', rule["annotations"]["summary"]):
            yield f"{rule['alert']}'s summary", asked
    for row in rows():
        for panel in row.panels:
            for legend, query in panel.queries.items():
                yield f"{panel.title}: {legend}", query


EXPRESSIONS = list(expressions())


@pytest.mark.parametrize(
    "expr", [expr for _, expr in EXPRESSIONS], ids=[at for at, _ in EXPRESSIONS]
)
def test_every_name_is_known(expr: str) -> None:
    names = known()
    asked = re.findall(r"\b(?:relay[_:]|process_|python_|up\b|ALERTS\b)[a-z0-9_:]*", expr)

    assert asked
    assert not {name for name in asked if name not in names}


@pytest.mark.parametrize(
    "expr", [expr for _, expr in EXPRESSIONS], ids=[at for at, _ in EXPRESSIONS]
)
def test_every_selector_asks_for_labels_that_there_are(expr: str) -> None:
    names = known()
    for name, selector in re.findall(r"([a-zA-Z_:0-9]+)\{([^}]*)\}", expr):
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))

        assert labels <= names[name] | TARGET, f"{name} has no {labels - names[name] - TARGET}"


@pytest.mark.parametrize(
    "expr", [expr for _, expr in EXPRESSIONS], ids=[at for at, _ in EXPRESSIONS]
)
def test_every_grouping_is_by_labels_that_there_are(expr: str) -> None:
    names = known()
    asked = re.findall(r"\b(?:relay[_:]|process_|up\b|ALERTS\b)[a-z0-9_:]*", expr)
    there = TARGET.union(*(names[name] for name in asked))
    for grouping in re.findall(r"\b(?:by|on|without) \(([^)]*)\)", expr):
        assert set(re.split(r",\s*", grouping)) <= there


def test_every_metric_of_the_catalogue_is_watched() -> None:
    """By an alert or a panel; what nobody looks at need not be counted."""
    asked = " ".join(expr for _, expr in EXPRESSIONS)

    assert not {metric.name for metric in METRICS if metric.name not in asked} - NOT_WATCHED


#: The share since the start of a process, where what is watched is that of the last hour; and what
#: there is only where traces are on, which cost nobody anything when they are lost.
NOT_WATCHED = {"relay_match_key_coverage", "relay_trace_spans_total"}
