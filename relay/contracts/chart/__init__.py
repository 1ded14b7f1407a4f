"""What is made of the chart's `values.yaml`: its schema and its README.

`make chart` writes them, a test fails when they differ. Needs pyyaml, which the relay itself does
not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from relay.contracts.chart.readme import readme
from relay.contracts.chart.schema import values_schema
from relay.contracts.chart.values import read_values

__all__ = ["texts"]


def texts(chart: Path) -> Mapping[str, str]:
    """File name → text, of the chart in this folder."""
    values = read_values((chart / "values.yaml").read_text(encoding="utf-8"))
    template = (chart / "README.template.md").read_text(encoding="utf-8")
    runbook = (chart / "runbook.md").read_text(encoding="utf-8")
    schema = json.dumps(values_schema(values), indent=2, ensure_ascii=False)
    return {
        "values.schema.json": schema + "\n",
        "README.md": readme(template, values, runbook),
    }
