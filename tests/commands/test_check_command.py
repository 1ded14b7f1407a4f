"""`relay check`: what is sound, what is doubtful, and what TikTok says to the tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from relay.cli import check, servers_on_trial
from relay.config import Settings
from relay.deliver.http import Sender
from relay.kafka.connection import KafkaConnection

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


# --- of one half ----------------------------------------------------------------------------------

HALVES = """
[[sources]]
name = "orders"
kind = "kafka"
destination = "web"
brokers = "orders.example:9092"
topics = ["orders"]
group = "relay"
"""


@pytest.fixture
def asked(config: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who is asked; all of them answer. The journal is on servers, and a source on others."""

    async def brokers(connection: KafkaConnection, _topics: Sequence[str]) -> None:
        names.append(connection.brokers)

    async def ad_accounts(_settings: Settings) -> None:
        names.append("ad accounts")

    async def database(_settings: Settings) -> None:
        names.append("database")

    async def token(_sender: Sender, settings: Settings, index: int) -> check.Tried:
        names.append("tiktok")
        return check.Tried(settings.destinations[index].name, 40002, accepted=True)

    names: list[str] = []
    monkeypatch.setattr(servers_on_trial, "_ask_brokers", brokers)
    monkeypatch.setattr(servers_on_trial, "_ask_ad_accounts", ad_accounts)
    monkeypatch.setattr(servers_on_trial, "_ask_database", database)
    monkeypatch.setattr(check, "_try_one", token)
    with_an_ad_account(config, "7106541027904733185")
    servers = '[journal]\nkafka = "journal.example:9092"\npostgres = "postgresql://me@db/relay"'
    config.write_text(config.read_text().replace("[journal]", servers, 1) + HALVES)
    return names


@pytest.mark.parametrize(
    ("role", "who"),
    [
        ("ingest", ["journal.example:9092", "database", "orders.example:9092"]),
        ("deliver", ["tiktok", "journal.example:9092", "database", "ad accounts"]),
        ("all", ["tiktok", "journal.example:9092", "database", "orders.example:9092",
                 "ad accounts"]),
    ],
)  # fmt: skip
def test_a_half_asks_those_that_it_speaks_to(
    relay: RELAY, asked: list[str], role: str, who: list[str]
) -> None:
    """A NetworkPolicy may let it out to no others."""
    said = relay("check", "--online", "--role", role)

    assert said.code == 0, said.err
    assert asked == who


def test_without_a_role_all_are_asked(relay: RELAY, asked: list[str]) -> None:
    assert relay("check", "--online").code == 0
    assert len(asked) == 5


def test_a_journal_in_a_folder_has_no_halves(relay: RELAY, config: Path) -> None:
    said = relay("check", "--role", "ingest", "--json")

    assert said.code == 2
    assert [each["key"] for each in said.json["mistakes"]] == ["--role"]
