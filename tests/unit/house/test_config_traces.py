"""`[traces]`: off without an address, and what is wrong with one is said."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from relay import assembly
from relay.config import Check, Settings, load, secrets_can_be_read, warnings
from relay.errors import ConfigError

MINIMAL = """
[[destinations]]
name = "web"
event_source = "web"
event_source_id = "PIXEL1"
access_token = "env:TOKEN"
page_url = "https://shop.example/"

[traces]
"""
CHECKS: tuple[Check, ...] = (secrets_can_be_read, assembly.traces_can_be_sent)


def settings_of(tmp_path: Path, lines: str, **environ: str) -> Settings:
    file = tmp_path / "relay.toml"
    file.write_text(MINIMAL + lines)
    return load(file, {"TOKEN": "token-1", **environ}, checks=CHECKS)


def mistakes_of(tmp_path: Path, lines: str, **environ: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as refused:
        settings_of(tmp_path, lines, **environ)
    return {each.key: f"{each.problem}. {each.mend}" for each in refused.value.mistakes}


def doubts_of(tmp_path: Path, lines: str, **environ: str) -> list[str]:
    found = warnings(settings_of(tmp_path, lines, **environ), now=0.0)
    return [each.problem for each in found if each.key.startswith("traces")]


def test_they_are_off_until_an_address_is_given(tmp_path: Path) -> None:
    traces = settings_of(tmp_path, "").traces

    assert (traces.endpoint, traces.sample_ratio, traces.service_name) == (None, 0.01, "relay")


def test_every_key_may_stand_in_the_environment(tmp_path: Path) -> None:
    traces = settings_of(
        tmp_path,
        "",
        RELAY_TRACES__ENDPOINT="http://collector:4318",
        RELAY_TRACES__SAMPLE_RATIO="0.5",
        RELAY_TRACES__AUTHORIZATION="env:RELAY_COLLECTOR_KEY",
        RELAY_COLLECTOR_KEY="Bearer key",
    ).traces

    assert (traces.endpoint, traces.sample_ratio) == ("http://collector:4318", 0.5)
    assert traces.authorization is not None
    assert traces.authorization.read() == "Bearer key"


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("collector:4318", "not a web address"),
        ("http://collector:4318/v1/traces", "ends in /v1/traces, which is added"),
        ("http://collector/otlp/v1/traces/", "ends in /v1/traces, which is added"),
        ("https://me:canary@collector", "a password"),
        ("https://collector/?key=canary", "a query"),
    ],
)
def test_an_address_that_is_none_is_refused_and_not_repeated(
    tmp_path: Path, endpoint: str, said: str
) -> None:
    mistakes = mistakes_of(tmp_path, f'endpoint = "{endpoint}"')

    assert list(mistakes) == ["traces.endpoint"]
    assert said in mistakes["traces.endpoint"]
    assert "canary" not in mistakes["traces.endpoint"]


@pytest.mark.parametrize("ratio", ["-0.1", "1.1", "nan", '"all"'])
def test_a_share_is_between_nought_and_one(tmp_path: Path, ratio: str) -> None:
    assert list(mistakes_of(tmp_path, f"sample_ratio = {ratio}")) == ["traces.sample_ratio"]


def test_a_key_that_is_not_there_is_told(tmp_path: Path) -> None:
    lines = 'endpoint = "http://collector:4318"\nauthorization = "env:NOWHERE"'

    assert list(mistakes_of(tmp_path, lines)) == ["traces.authorization"]


def test_a_key_itself_is_refused_and_not_repeated(tmp_path: Path) -> None:
    mistakes = mistakes_of(tmp_path, 'authorization = "Bearer canary"')

    assert "canary" not in str(mistakes)
    assert list(mistakes) == ["traces.authorization"]


def test_the_port_of_another_protocol_and_a_key_in_the_clear_are_doubtful(tmp_path: Path) -> None:
    lines = 'endpoint = "http://collector:4317"\nauthorization = "env:KEY"'

    grpc, clear = doubts_of(tmp_path, lines, KEY="Bearer key")

    assert "gRPC" in grpc
    assert "in the clear" in clear
    assert doubts_of(tmp_path, 'endpoint = "http://collector:4318"') == []


def test_without_the_extra_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [each for each in sys.modules if each.partition(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)

    mistakes = mistakes_of(tmp_path, 'endpoint = "http://collector:4318"')

    assert list(mistakes) == ["traces.endpoint"]
    assert 'pip install "tiktok-conversions-relay[traces]"' in mistakes["traces.endpoint"]
    assert settings_of(tmp_path, "sample_ratio = 0.5").traces.endpoint is None
