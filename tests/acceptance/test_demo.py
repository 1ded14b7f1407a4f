"""`relay demo`, as a stranger runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

#: The demo is to take less than 90 seconds on a machine that has nothing else to do.
PATIENCE_S = 180


class Told(NamedTuple):
    """What the demo said, and what it left in the folder for temporary files."""

    by: subprocess.CompletedProcess[str]
    left: list[Path]


def demo(*arguments: str, tmp: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "relay", "demo", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={**os.environ, "TMPDIR": str(tmp)},
        check=False,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One demo for all tests that only look at it."""
    tmp = tmp_path_factory.mktemp("demo")
    return Told(demo(tmp=tmp), list(tmp.iterdir()))


def test_the_demo_adds_up(told: Told) -> None:
    assert told.by.returncode == 0, told.by.stdout + told.by.stderr
    assert told.by.stderr == ""
    assert "It adds up, in" in told.by.stdout

    lines = re.findall(r"^ +(\S)  (.*?) +([\d,]+) ([=≠]) ([\d,]+) *$", told.by.stdout, re.MULTILINE)
    assert len(lines) == 9
    for mark, says, left, sign, right in lines:
        assert (mark, sign) == ("✓", "="), says
        assert left == right, says
    numbers = {says: int(left.replace(",", "")) for _, says, left, _, _ in lines}
    assert numbers["events sent = acknowledged with a 2xx"] > 2000
    assert numbers["delivered = had an effect at TikTok"] > 2000


def test_it_ends_with_an_audit_that_names_the_planted_fault(told: Told) -> None:
    (audit,) = re.findall(r"The audit: (.*)It adds up", told.by.stdout, re.DOTALL)

    assert re.search(r"CRITICAL CFG-02 .*Retargeting, old shop", audit)
    assert audit.count("CRITICAL") == 1
    assert re.search(r"^web +[\d,]+ +2,\d+ +2,\d+ ", audit, re.MULTILINE)  # delivered, counted
    assert "found and named" in audit
    assert "PARTIAL" not in audit


def test_the_demo_shows_every_source_every_outcome_and_every_trouble(told: Told) -> None:
    for word in (
        "shopify", "woocommerce", "stripe", "backend", "tills", "drop-in",
        "delivered", "duplicate", "invalid", "withheld", "expired", "rejected",
        "40100", "40105", "40002", "kill -9", "poison-0", "247 accepted, 3 invalid", "247 known",
    ):  # fmt: skip
        assert word in told.by.stdout, word


def test_the_demo_leaves_nothing_behind(told: Told) -> None:
    assert told.left == []


def test_a_folder_with_something_in_it_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")

    told = demo("--folder", str(tmp_path), tmp=tmp_path)

    assert told.returncode == 2
    assert "is not empty" in told.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize(("told", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_demo_leaves_quietly_and_takes_its_relay_along(
    told: signal.Signals, code: int, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "relay", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert process.stdout is not None
    folder = ""
    for line in process.stdout:
        folder = folder or (line.rpartition(", in ")[2].strip() if ", in " in line else "")
        if "ready in" in line:
            break
    process.send_signal(told)
    _, err = process.communicate(timeout=60)

    assert process.returncode == code
    assert err == ""
    assert folder.startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert not any(folder in line for line in command_lines())


def command_lines() -> list[str]:
    """What runs on this machine; nothing where that cannot be seen."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_text(errors="replace").replace("\0", " "))
        except OSError:
            continue
    return found
