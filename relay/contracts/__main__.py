"""`python -m relay.contracts FOLDER` writes the documents; `make schemas` calls it."""

from __future__ import annotations

import sys
from pathlib import Path

from relay.contracts import texts

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts().items():
        (folder / name).write_text(text, encoding="utf-8")
