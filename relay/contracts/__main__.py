"""Writes what is made of the models.

python -m relay.contracts FOLDER            the documents; `make schemas`
python -m relay.contracts chart FOLDER      the chart's schema and README; `make chart`
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from relay.contracts import chart, texts


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    *what, place = sys.argv[1:]
    _write(Path(place), chart.texts(Path(place)) if what == ["chart"] else texts())
