"""The chart's README: its template, with the table of the values and the runbook put in."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

from relay.contracts.chart.values import Value

VALUES: Final = "<!-- values -->"
RUNBOOK: Final = "<!-- runbook -->"

_NOTE: Final = (
    "<!-- Made of README.template.md, values.yaml and runbook.md by `make chart`: edit those. -->\n"
)

#: Longer defaults are looked up.
_LONGEST: Final = 60


def readme(template: str, values: Iterable[Value], runbook: str) -> str:
    """ValueError where the template has no place for one of the two."""
    for mark in (VALUES, RUNBOOK):
        if template.count(mark) != 1:
            raise ValueError(f"README.template.md needs {mark}, once")
    filled = template.replace(VALUES, _tables(values).rstrip())
    return _NOTE + filled.replace(RUNBOOK, runbook.strip()).rstrip() + "\n"


def _tables(values: Iterable[Value]) -> str:
    return "\n".join(
        _table(section, [leaf for value in group for leaf in value.leaves()])
        for section, group in groupby(values, key=lambda value: value.section)
    )


def _table(section: str, leaves: Iterable[Value]) -> str:
    lines = [f"### {section}", "", "| value | type | default | |", "|---|---|---|---|"]
    lines += [
        f"| `{leaf.key}` | {_type(leaf)} | {_default(leaf.default)} | {_cell(leaf.description)} |"
        for leaf in leaves
    ]
    return "\n".join(lines) + "\n"


def _type(value: Value) -> str:
    if "enum" in value.schema:
        return " ".join(f"`{_plain(each)}`" for each in value.schema["enum"])
    given = value.schema.get("type")
    if given is not None:
        return given if isinstance(given, str) else " ".join(given)
    names = {bool: "boolean", int: "integer", str: "string", list: "list", dict: "table"}
    return names[type(value.default)]


def _default(default: Any) -> str:
    written = json.dumps(default, ensure_ascii=False)
    return f"`{_cell(written)}`" if len(written) <= _LONGEST else "see `values.yaml`"


def _plain(word: Any) -> str:
    return word if isinstance(word, str) else json.dumps(word)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
