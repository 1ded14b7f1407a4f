"""What the Dockerfile says, without performing it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.image.dockerfile import stages

ROOT = Path(__file__).parents[2]
BUILD, SHIPPED = stages(ROOT / "Dockerfile")


@pytest.mark.needs("hadolint")
def test_hadolint_finds_nothing() -> None:
    program = shutil.which("hadolint", path=ROOT / ".venv" / "bin") or shutil.which("hadolint")
    assert program is not None

    done = subprocess.run(
        [program, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_it_runs_as_nobody_and_takes_the_signals_itself() -> None:
    assert SHIPPED.one("USER").rest == "65532:65532"
    assert SHIPPED.one("ENTRYPOINT").rest == '["relay"]'
    assert SHIPPED.one("CMD").rest == '["serve"]'
    assert SHIPPED.one("STOPSIGNAL").rest == "SIGTERM"


def test_nothing_but_the_relay_is_taken_over_from_the_stage_that_builds() -> None:
    assert [each.rest for each in SHIPPED.all("COPY")] == ["--from=build /opt/relay /opt/relay"]
    assert not any("pip" in each.rest for each in SHIPPED.all("RUN"))


def test_its_labels_are_those_of_the_open_container_initiative() -> None:
    prefix = "org.opencontainers.image."
    names = {name.removeprefix(prefix) for name in SHIPPED.labels if name.startswith(prefix)}

    assert names >= {"title", "description", "licenses", "version", "revision", "created"}


def test_the_version_is_that_of_the_project() -> None:
    (version,) = [
        line.split('"')[1]
        for line in (ROOT / "pyproject.toml").read_text().splitlines()
        if line.startswith("version = ")
    ]

    assert f"VERSION={version}" in [each.rest for each in SHIPPED.all("ARG")]


def test_what_is_copied_is_there_and_nothing_else_is_sent_to_the_engine() -> None:
    copied = {name.rstrip("/") for each in BUILD.all("COPY") for name in each.words[:-1]}
    lines = (ROOT / ".dockerignore").read_text().splitlines()

    assert all((ROOT / name).exists() for name in copied)
    assert {line[1:] for line in lines if line.startswith("!")} == copied
    assert "*" in lines
