"""What can be typed, and what the command line says to what cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COMMANDS = (
    "demo", "serve", "sandbox", "check", "normalize", "import", "find", "dead-letters", "journal",
    "login", "accounts", "campaigns", "adgroups", "ads", "pixels", "report",
)  # fmt: skip


def test_help_names_every_command_and_the_exit_codes(relay: Callable[..., Any]) -> None:
    said = relay("--help")

    assert said.code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in said.out
    assert "0 done, 1 failed, 2 wrong usage" in said.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(relay: Callable[..., Any], command: str) -> None:
    said = relay(command, "--help")

    assert said.code == 0
    assert "Usage: relay " in said.out
    assert "completion" not in said.out


def test_help_loads_neither_a_database_nor_a_web_server() -> None:
    heavy = ("rocksdict", "aiohttp", "pydantic", "rich", "structlog")
    program = (
        "import sys; sys.argv = ['relay', '--help']\n"
        "from relay.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )

    assert said.stdout.splitlines()[-1] == "[]"


def test_without_a_command_it_says_how_it_is_used(relay: Callable[..., Any]) -> None:
    said = relay()

    assert said.code == 2
    assert "Usage: relay " in said.out + said.err


def test_a_misspelt_command_is_wrong_usage(relay: Callable[..., Any]) -> None:
    said = relay("servee")

    assert said.code == 2
    assert "serve" in said.err
    assert "Traceback" not in said.err


def test_it_says_its_version(relay: Callable[..., Any]) -> None:
    said = relay("--version")

    assert said.code == 0
    assert said.out.strip()[0].isdigit()


def test_every_mistake_is_told_at_once_with_its_key_and_its_mend(
    relay: Callable[..., Any], folder: Path
) -> None:
    path = folder / "relay.toml"
    path.write_text(
        """
        [journal]
        retention = "a while"

        [[destinations]]
        name = "web"
        event_source = "web"
        event_source_id = "C0"
        access_token = "env:NOT_SET_ANYWHERE"

        [[sources]]
        name = "shop"
        kind = "shopifi"
        destination = "wep"
        secrets = ["env:NOT_SET_EITHER"]
        """
    )

    for command in (("check",), ("serve",)):
        said = relay(*command, "--config", path)

        assert said.code == 2
        assert said.err.startswith("5 mistakes")
        for key in (
            "journal.retention", "destinations[0].access_token", "sources[0].destination",
            "sources[0].kind", "sources[0].secrets[0]",
        ):  # fmt: skip
            assert f"  {key}  " in said.err
        assert said.err.count("    → ") == 5
        assert "Did you mean `web`?" in said.err
        assert "Traceback" not in said.err


def test_a_mistake_in_a_mapping_is_found_by_check(relay: Callable[..., Any], config: Path) -> None:
    text = config.read_text().replace("unix_time(sold)", "unix_tyme(sold)")
    config.write_text(text)

    said = relay("check")

    assert said.code == 2
    assert "sources[2].mapping.event_time" in said.err


def test_nothing_is_coloured_where_nobody_looks(relay: Callable[..., Any], folder: Path) -> None:
    said = relay("check")

    assert "\x1b" not in said.out + said.err


def test_a_configuration_that_is_not_there_is_a_mistake(
    relay: Callable[..., Any], folder: Path
) -> None:
    said = relay("serve", "--config", "nowhere.toml")

    assert said.code == 2
    assert "nowhere.toml" in said.err


def test_the_sandbox_says_where_it_listens_and_leaves_when_told() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "relay", "sandbox", "--port", "0", "--faults", "real,limit"],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    said = process.stdout.readline() + process.stdout.readline()
    process.terminate()

    assert process.wait(20) == 0
    assert b"http://127.0.0.1:" in said
    assert b'base_url = "http://127.0.0.1:' in said
    process.stdout.close()


def test_faults_that_do_not_exist_are_a_mistake(relay: Callable[..., Any]) -> None:
    said = relay("sandbox", "--faults", "earthquake")

    assert said.code == 2
    assert "Profiles: " in said.err
