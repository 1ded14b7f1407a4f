"""Plans of faults by name, and from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.errors import ConfigError
from relay.sandbox.http import load_faults
from relay.sandbox.profiles import PROFILES, named, plan_from


def test_profiles_can_be_joined() -> None:
    plan = named("real, limit")

    assert [fault.kind for fault in plan.faults] == ["latency", "limit"]


def test_an_unknown_profile_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"no profile 'reel'.*brownout"):
        named("real,reel")


def test_a_document_holds_profiles_and_faults() -> None:
    plan = plan_from({"profiles": ["real"], "faults": [{"kind": "drip"}]})

    assert [fault.kind for fault in plan.faults] == ["latency", "drip"]


def test_every_mistake_of_a_document_is_said_at_once() -> None:
    faults = [{"kind": "code"}, {"kind": "hang", "seconds": -1}, {"kind": "x"}]

    with pytest.raises(ConfigError) as caught:
        plan_from({"faults": faults, "typo": 1})

    keys = [mistake.key for mistake in caught.value.mistakes]
    assert keys == ["faults.0.code.codes", "faults.1.hang.seconds", "faults.2", "typo"]


@pytest.mark.parametrize("document", [None, 5, [], "real"])
def test_what_is_no_document_is_refused(document: object) -> None:
    with pytest.raises(ConfigError):
        plan_from(document)


def test_faults_are_loaded_by_name_or_from_a_file(tmp_path: Path) -> None:
    json_file, toml_file = tmp_path / "plan.json", tmp_path / "plan.toml"
    json_file.write_text('{"profiles": ["fast"], "faults": [{"kind": "drip"}]}')
    toml_file.write_text('profiles = ["fast"]\n[[faults]]\nkind = "drip"\n')

    assert load_faults("brownout") == PROFILES["brownout"]
    assert load_faults(str(json_file)) == load_faults(str(toml_file))


@pytest.mark.parametrize(("name", "text"), [("a.json", "{"), ("a.toml", "="), ("a.json", "[1]")])
def test_a_file_that_is_no_plan_is_refused(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)

    with pytest.raises(ConfigError):
        load_faults(str(tmp_path / name))


def test_a_name_that_is_neither_profile_nor_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither a profile nor a readable file"):
        load_faults(str(tmp_path / "none.json"))
