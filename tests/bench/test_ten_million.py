"""`make soak`: the promises about memory and ingest hold with ten million events waiting."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.soak
@pytest.mark.needs("linux")
def test_ten_million_waiting_cost_neither_memory_nor_speed(tmp_path: Path) -> None:
    """Takes ten minutes and 5 GB of disk."""
    bench = [sys.executable, "-m", "tests.bench", "--full", "--only", "waiting", "--strict"]
    run = subprocess.run(
        [*bench, "--folder", str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stdout + run.stderr
