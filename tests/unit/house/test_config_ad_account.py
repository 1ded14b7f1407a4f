"""The configuration of somebody who has an ad account and no relay."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.config import load_ad_account
from relay.errors import ConfigError


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def mistakes_of(environ: dict[str, str]) -> dict[str, str]:
    with pytest.raises(ConfigError) as raised:
        load_ad_account(None, environ)
    return {each.key: each.mend for each in raised.value.mistakes}


def test_nothing_is_needed() -> None:
    settings = load_ad_account(None, {})

    assert settings.management.access_token is None
    assert settings.tiktok.base_url.startswith("https://")


def test_the_environment_is_laid_over_nothing() -> None:
    base_url = "http://127.0.0.1:1/open_api/v1.3"

    settings = load_ad_account(
        None, {"RELAY_TIKTOK__BASE_URL": base_url, "RELAY_MANAGEMENT__APP_ID": "7336580000001"}
    )

    assert settings.tiktok.base_url == base_url
    assert settings.management.app_id == "7336580000001"


def test_a_relays_configuration_is_read_for_its_tables_alone(tmp_path: Path) -> None:
    (tmp_path / "relay.toml").write_text(
        """
        [management]
        access_token = "env:RELAY_TOKENS__ADS"
        advertisers = ["7106541027904733185"]
        [[destinations]]
        name = "half"
        """
    )

    settings = load_ad_account(None, {"RELAY_TOKENS__ADS": "t"})

    assert settings.management.advertisers == ("7106541027904733185",)
    assert settings.management.access_token is not None
    assert settings.management.access_token.read() == "t"


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "relay.toml").write_text(
        """
        [managment]
        app_id = "1"
        [management]
        access_token = "9f1e-the-token-itself"
        advertisers = ["seven"]
        app_idd = "1"
        [tiktok]
        base_url = "nowhere"
        """
    )

    found = mistakes_of({"RELAY_MANAGEMNT__APP_ID": "1"})

    assert set(found) == {
        "managment", "management.access_token", "management.advertisers[0]", "management.app_idd",
        "tiktok.base_url", "RELAY_MANAGEMNT__APP_ID",
    }  # fmt: skip
    assert found["managment"] == "Did you mean `management`?"
    assert found["management.app_idd"] == "Did you mean `app_id`?"
    assert "9f1e" not in repr(found)
