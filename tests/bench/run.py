"""Speed of the relay beside a bare handler: `python tests/bench/run.py`, or `-m tests.bench`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    runpy.run_module("tests.bench", run_name="__main__", alter_sys=True)
