"""`relay check`: what is sound, what is doubtful, and what TikTok says to the tokens."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RELAY = Callable[..., Any]


def pointed_at(config: Path, url: str) -> None:
    config.write_text(config.read_text().replace("http://127.0.0.1:9/open_api/v1.3", url))


def test_a_sound_configuration_is_called_so(relay: RELAY, config: Path) -> None:
    said = relay("check")

    assert said.code == 0
    assert "the configuration is sound: 1 destination, 3 sources" in said.err


def test_what_is_doubtful_is_told_and_is_no_failure(relay: RELAY, config: Path) -> None:
    config.write_text(config.read_text().replace('page_url = "https://shop.example/"', ""))

    said = relay("check")

    assert said.code == 0
    assert "destinations[0].page_url" in said.err


def test_the_same_as_json(relay: RELAY, config: Path) -> None:
    config.write_text(config.read_text().replace('"web"\ndefault', '"web"\nlingers = 1\ndefault'))

    sound = relay("check", "--json")
    config.write_text(config.read_text() + '\n[listen]\npublic = "everywhere"\n')
    mistaken = relay("check", "--json")

    assert sound.code == 0
    assert sound.json == {"mistakes": [], "warnings": [], "tokens": [], "servers": []}
    assert mistaken.code == 2
    assert [each["key"] for each in mistaken.json["mistakes"]] == ["listen.public"]
    assert set(mistaken.json["mistakes"][0]) == {"key", "problem", "mend"}


def test_without_secrets_what_is_written_is_looked_at_alone(
    relay: RELAY, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in set(re.findall(r"env:([A-Z_]+)", config.read_text())):
        monkeypatch.delenv(name, raising=False)

    with_them = relay("check", "--json")
    written = relay("check", "--without-secrets", "--json")
    config.write_text(config.read_text().replace('destination = "web"', 'destination = "wbe"'))
    mistaken = relay("check", "--without-secrets", "--json")

    assert with_them.code == 2
    assert written.code == 0
    assert written.json["mistakes"] == []
    assert mistaken.code == 2
    assert {each["problem"] for each in mistaken.json["mistakes"]} == {
        "no destination has this name"
    }


def test_tiktok_is_not_asked_without_secrets(relay: RELAY, config: Path) -> None:
    said = relay("check", "--without-secrets", "--online", "--json")

    assert said.code == 2
    assert [each["key"] for each in said.json["mistakes"]] == ["--online"]


def test_a_token_that_tiktok_takes(
    relay: RELAY, config: Path, sandbox_with: Callable[..., str]
) -> None:
    pointed_at(config, sandbox_with())

    said = relay("check", "--online", "--json")

    assert said.code == 0
    assert said.json["tokens"] == [{"destination": "web", "accepted": True, "code": 40002}]


@pytest.mark.parametrize(
    ("rule", "key", "code"),
    [
        ({"state": "revoked"}, "destinations[0].access_token", 40105),
        ({"state": "expired"}, "destinations[0].access_token", 40102),
        ({"event_source_ids": ["C0ANOTHER"]}, "destinations[0].event_source_id", 40001),
    ],
)
def test_a_token_that_tiktok_refuses_is_a_mistake(
    relay: RELAY, config: Path, sandbox_with: Callable[..., str], rule: Any, key: str, code: int
) -> None:
    pointed_at(config, sandbox_with(**rule))

    said = relay("check", "--online")

    assert said.code == 2
    assert key in said.err
    assert str(code) in said.err
    assert "test_token-0123456789" not in said.err + said.out


def test_nobody_answering_is_a_failure_and_not_a_mistake(relay: RELAY, config: Path) -> None:
    said = relay("check", "--online")

    assert said.code == 1
    assert "cannot be tried now (no answer: connect)" in said.err


def with_an_ad_account(config: Path, advertiser_id: str) -> None:
    config.write_text(
        config.read_text()
        + f'''
[management]
access_token = "env:TEST_TOKEN"
advertisers = ["{advertiser_id}"]
'''
    )


def test_an_ad_account_that_the_token_may_read(
    relay: RELAY, config: Path, sandbox_with: Callable[..., str]
) -> None:
    pointed_at(config, sandbox_with())
    with_an_ad_account(config, "7106541027904733185")

    said = relay("check", "--online", "--json")

    assert said.code == 0
    assert said.json["servers"] == [{"name": "management", "problem": None}]


def test_an_ad_account_that_it_may_not(
    relay: RELAY, config: Path, sandbox_with: Callable[..., str]
) -> None:
    pointed_at(config, sandbox_with())
    with_an_ad_account(config, "7106541027904733999")

    said = relay("check", "--online")

    assert said.code == 1
    assert "management  TikTok does not permit this" in said.err
    assert "test_token-0123456789" not in said.err + said.out


def test_a_token_of_the_ad_account_that_is_nowhere_is_a_mistake(relay: RELAY, config: Path) -> None:
    with_an_ad_account(config, "7106541027904733185")
    config.write_text(
        config.read_text().replace('env:TEST_TOKEN"\nadvertisers', 'env:NOWHERE"\nadvertisers')
    )

    said = relay("check")

    assert said.code == 2
    assert "management.access_token" in said.err
