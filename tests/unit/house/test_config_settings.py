"""The configuration: what is read, from where, and what it becomes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.config import (
    Address,
    ConsentAction,
    Destination,
    Settings,
    load,
    warnings,
)
from relay.config.values import as_duration, as_size, seconds, size_bytes
from relay.errors import ConfigError
from relay.model import EventSource

ENVIRON = {"TOKEN": "a-token", "SECRET": "a-secret", "SECRET_OLD": "an-old-secret"}

EXAMPLE = """
[journal]
path = "./relay-data"
retention = "30d"

[listen]
public = "0.0.0.0:8080"
operator = "127.0.0.1:8081"

[tiktok]
base_url = "https://business-api.tiktok.com/open_api/v1.3"

[[destinations]]
name = "web-eu"
event_source = "web"
event_source_id = "C0PIXELCODE0EXAMPLE0"
access_token = "env:TOKEN"
default_country = "DE"
page_url = "https://shop.example/"
dedupe_window = "7d"
max_event_age = "28d"
linger = "250ms"
consent = { unknown = "send_limited" }
aliases = { CompletePayment = "Purchase" }
test_event_code = "TEST1"
test_event_code_until = 2026-11-30T18:00:00+01:00

[[sources]]
name = "shop-eu"
kind = "shopify"
destination = "web-eu"
secrets = ["env:SECRET", "env:SECRET_OLD"]
purchase_on = "orders/paid"
channels = ["web"]
"""

NOVEMBER_30 = datetime(2026, 11, 30, 17, 0, tzinfo=UTC).timestamp()


@pytest.fixture
def example(tmp_path: Path) -> Path:
    file = tmp_path / "relay.toml"
    file.write_text(EXAMPLE)
    return file


def test_the_readme_s_example_is_read(example: Path) -> None:
    settings = load(example, ENVIRON)

    assert settings.journal.path == Path("relay-data")
    assert settings.journal.retention == 30 * 86_400
    assert settings.journal.max_bytes == 10 * 2**30
    assert settings.listen.public == Address("0.0.0.0", 8080)
    (web,) = settings.destinations
    assert web.event_source is EventSource.WEB
    assert web.linger == 0.25
    assert web.max_batch_bytes == 1_000_000
    assert web.access_token.read() == "a-token"
    assert web.consent.unknown is ConsentAction.SEND_LIMITED
    assert web.consent.denied is ConsentAction.WITHHOLD
    assert web.aliases == {"CompletePayment": "Purchase"}
    (shop,) = settings.sources
    assert shop.routes == ("web-eu",)
    assert [secret.read() for secret in shop.secrets] == ["a-secret", "an-old-secret"]


def test_keys_that_are_a_kind_s_own_become_its_options(example: Path) -> None:
    (shop,) = load(example, ENVIRON).sources

    assert shop.options == {"purchase_on": "orders/paid", "channels": ["web"]}


def test_the_test_code_ends_by_itself(example: Path) -> None:
    (web,) = load(example, ENVIRON).destinations

    assert web.test_code_at(NOVEMBER_30 - 1) == "TEST1"
    assert web.test_code_at(NOVEMBER_30) is None


def test_json_says_the_same_as_toml(tmp_path: Path) -> None:
    file = tmp_path / "relay.json"
    table = {
        "journal": {"retention": "40d"},
        "destinations": [
            {
                "name": "crm",
                "event_source": "crm",
                "event_source_id": "1",
                "access_token": "env:TOKEN",
                "test_event_code": "T",
                "test_event_code_until": "2026-11-30T18:00:00+01:00",
            }
        ],
    }
    file.write_text(json.dumps(table))

    settings = load(file, ENVIRON)

    assert settings.journal.retention == 40 * 86_400
    assert settings.destinations[0].test_code_at(NOVEMBER_30 - 1) == "T"


def test_without_a_file_the_environment_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    settings = load(
        None,
        {
            "RELAY_JOURNAL__PATH": "/data",
            "RELAY_LISTEN__PUBLIC": "[::]:9000",
            "RELAY_LIMITS__MAX_EVENTS": "50",
            "RELAY_DESTINATIONS__0__NAME": "web",
            "RELAY_DESTINATIONS__0__EVENT_SOURCE": "web",
            "RELAY_DESTINATIONS__0__EVENT_SOURCE_ID": "7254",
            "RELAY_DESTINATIONS__0__ACCESS_TOKEN": "env:RELAY_TOKEN",
            "RELAY_DESTINATIONS__0__CONSENT__DENIED": "strip",
            "RELAY_DESTINATIONS__0__HASH_GAID": "true",
            "RELAY_SOURCES": '[{"name": "a", "kind": "canonical", "destination": "web"}]',
            "RELAY_SOURCES__0__KEYS": '["env:RELAY_KEY__A"]',
            "RELAY_TOKEN": "a-token",
            "RELAY_KEY__A": "a-key",
            "RELAY_SERVICE_HOST": "10.0.0.1",
            "PATH": "/bin",
        },
    )

    assert settings.journal.path == Path("/data")
    assert settings.listen.public == Address("::", 9000)
    assert str(settings.listen.public) == "[::]:9000"
    assert settings.limits.max_events == 50
    (web,) = settings.destinations
    assert web.event_source_id == "7254"
    assert web.consent.denied is ConsentAction.STRIP
    assert web.hash_gaid is True
    assert settings.sources[0].keys[0].read() == "a-key"


def test_the_environment_lies_over_the_file(example: Path) -> None:
    settings = load(
        example,
        {
            **ENVIRON,
            "RELAY_DESTINATIONS__0__LINGER": "2s",
            "RELAY_SOURCES__0__SECRETS__1": "env:TOKEN",
            "RELAY_DESTINATIONS__1__NAME": "offline",
            "RELAY_DESTINATIONS__1__EVENT_SOURCE": "offline",
            "RELAY_DESTINATIONS__1__EVENT_SOURCE_ID": "9",
            "RELAY_DESTINATIONS__1__ACCESS_TOKEN": "env:TOKEN",
        },
    )

    assert [each.name for each in settings.destinations] == ["web-eu", "offline"]
    assert settings.destinations[0].linger == 2.0
    assert settings.sources[0].secrets[1].read() == "a-token"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("RELAY_JURNAL__PATH", "no such table"),
        ("RELAY_DESTINATIONS__7__NAME", "does not fit"),
        ("RELAY_DESTINATIONS__X__NAME", "does not fit"),
        ("RELAY_JOURNAL__PATH__X", "does not fit"),
        ("RELAY_JOURNAL__PAHT", "unknown key"),
    ],
)
def test_a_variable_that_fits_nowhere_is_a_mistake(example: Path, name: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(example, {**ENVIRON, name: "x"})

    (mistake,) = caught.value.mistakes
    assert problem in mistake.problem


def test_the_file_can_be_named_by_the_environment(example: Path) -> None:
    settings = load(None, {**ENVIRON, "RELAY_CONFIG": str(example)})

    assert settings.destinations[0].name == "web-eu"


def test_what_is_allowed_but_hardly_meant_is_a_warning() -> None:
    destination = {
        "name": "web",
        "event_source": "web",
        "event_source_id": "7254",
        "access_token": "env:TOKEN",
        "dedupe_window": "1d",
        "test_event_code": "T",
        "test_event_code_until": "2026-11-30T18:00:00+01:00",
    }
    settings = Settings.model_validate(
        {"destinations": [destination], "tiktok": {"base_url": "http://tiktok.example"}}
    )

    found = {doubt.key for doubt in warnings(settings, now=NOVEMBER_30)}

    assert found == {
        "destinations[0].page_url",
        "destinations[0].dedupe_window",
        "destinations[0].test_event_code_until",
        "destinations[0].name",
        "sources",
        "tiktok.base_url",
    }


def test_the_example_gives_no_warning(example: Path) -> None:
    assert warnings(load(example, ENVIRON), now=NOVEMBER_30 - 1) == []


def test_settings_show_no_secret(example: Path) -> None:
    settings = load(example, ENVIRON)

    for shown in (repr(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "a-secret" not in shown
        assert "a-token" not in shown


def test_what_is_written_out_can_be_read_again(example: Path) -> None:
    settings = load(example, ENVIRON)

    again = Settings.model_validate_json(settings.model_dump_json())

    assert again == settings


def test_a_destination_needs_no_more_than_five_lines() -> None:
    destination = Destination.model_validate(
        {"name": "a", "event_source": "app", "event_source_id": "1", "access_token": "env:T"}
    )

    assert (destination.linger, destination.max_batch_events) == (0.5, 1000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("500ms", 0.5), ("90s", 90.0), ("15m", 900.0), ("1.5h", 5400.0), ("28d", 2_419_200.0)],
)
def test_a_duration_has_a_unit(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10GiB", 10 * 2**30), ("16MB", 16_000_000), ("1.5kB", 1500), ("700", 700), (700, 700)],
)
def test_a_size_may_have_a_unit(text: str | int, expected: int) -> None:
    assert size_bytes(text) == expected


@pytest.mark.parametrize(
    "text", ["", "5", "-5s", "5 s", "s", "5S", "1h30m", 5, 5.0, None, "\u0665s", "5s\n"]
)
def test_anything_else_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        seconds(text)


@pytest.mark.parametrize("text", ["", "-5", "5 MB", "MB", "5mb", -5, True, None, 1.5])
def test_anything_else_is_no_size(text: object) -> None:
    with pytest.raises(ValueError, match="not a size"):
        size_bytes(text)


@given(st.integers(min_value=0, max_value=10**10))
def test_durations_and_sizes_survive_being_written(number: int) -> None:
    assert seconds(as_duration(number / 1000)) == pytest.approx(number / 1000, abs=1e-9)
    assert size_bytes(as_size(number)) == number


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ("127.0.0.1:80", "127.0.0.1:80", True),
        ("0.0.0.0:80", "127.0.0.1:80", True),
        (":80", "[::1]:80", True),
        ("127.0.0.1:80", "127.0.0.1:81", False),
        ("127.0.0.1:80", "10.0.0.1:80", False),
        ("127.0.0.1:0", "127.0.0.1:0", False),
    ],
)
def test_two_listeners_cannot_share_an_address(one: str, other: str, *, clash: bool) -> None:
    listen = Settings.model_validate({"listen": {"public": one, "operator": other}}).listen

    assert listen.public.overlaps(listen.operator) is clash
