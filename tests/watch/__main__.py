"""`python -m tests.watch` draws the dashboard; a test fails when it was forgotten."""

from __future__ import annotations

import json

from tests.watch.alert_cases import CHART
from tests.watch.dashboard import dashboard

FILE = CHART / "dashboards" / "relay.json"

_LINE = 150


def text(document: object, indent: str = "") -> str:
    """JSON that people can read: what fits into a line stands in one."""
    short = json.dumps(document, ensure_ascii=False)
    if len(indent) + len(short) <= _LINE or not isinstance(document, dict | list):
        return short
    deeper = indent + "  "
    if isinstance(document, dict):
        parts = [f"{json.dumps(key)}: {text(value, deeper)}" for key, value in document.items()]
        opening, closing = "{}"
    else:
        parts = [text(value, deeper) for value in document]
        opening, closing = "[]"
    lines = f",\n{deeper}".join(parts)
    return f"{opening}\n{deeper}{lines}\n{indent}{closing}"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(dashboard()) + "\n", encoding="utf-8")
