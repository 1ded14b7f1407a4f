"""`accounts`, `campaigns`, `adgroups`, `ads`, `pixels`: what is shown, of whom, and how."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from relay.cli.ad_columns import has_status
from relay.sandbox.ads.model import Campaign
from relay.sandbox.ads.still import StillWorld, small_account
from relay.sandbox.http import Running
from tests.commands.conftest import TOKEN

RELAY = Callable[..., Any]
START = Callable[..., Running]

BERLIN, SEATTLE = "7106541027904733185", "7106541027904733999"
CAMPAIGN = "1790018437245954"


def two_accounts() -> StillWorld:
    """One with names that mean harm, one in another zone and currency."""
    harm, other = small_account(time.time(), BERLIN), small_account(time.time(), SEATTLE)
    harm.campaigns[CAMPAIGN].campaign_name = '=HYPERLINK("http://evil.example")'
    harm.campaigns[CAMPAIGN].budget = Decimal("1234.5")
    other.name, other.currency, other.timezone = "\x1b]0;owned\x07 US", "USD", "Etc/GMT+8"
    other.balance = Decimal("-5.25")
    for campaign in other.campaigns.values():
        campaign.operation_status = "DISABLE"
        campaign.secondary_status = "CAMPAIGN_STATUS_DELETE"
    return StillWorld(time.time(), harm, other)


def rows_of(said: Any) -> list[dict[str, str]]:
    assert said.code == 0, said
    return list(csv.DictReader(io.StringIO(said.out, newline="")))


# --- whose token, which accounts ------------------------------------------------------------------


def test_the_first_token_that_there_is_counts(
    relay: RELAY, ad_account: START, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--token-file`, the configuration, the environment, the file of the login."""
    ad_account()
    (folder / "wrong").write_text("wrong-token")
    (folder / "right").write_text(f"{TOKEN}\n")
    kept = folder / "home/.config/relay/tiktok-token"
    kept.parent.mkdir(parents=True)

    def code(*arguments: str) -> int:
        return int(relay("accounts", BERLIN, *arguments).code)

    assert code() == 0
    assert code("--token-file", "wrong") == 1
    (folder / "relay.toml").write_text('[management]\naccess_token = "file:wrong"\n')
    assert code() == 1
    assert code("--token-file", "right") == 0
    (folder / "relay.toml").unlink()
    kept.write_text("wrong-token")
    assert code() == 0
    monkeypatch.delenv("TIKTOK_ACCESS_TOKEN")
    assert code() == 1
    kept.write_text(TOKEN)
    assert code() == 0
    kept.unlink()
    assert code() == 2


def test_a_token_is_never_shown(
    relay: RELAY, ad_account: START, monkeypatch: pytest.MonkeyPatch
) -> None:
    ad_account(rule={"state": "revoked"})

    said = relay("accounts", BERLIN)

    assert said.code == 1
    assert "The token is that of TIKTOK_ACCESS_TOKEN; run `relay login`" in said.err
    assert TOKEN not in said.out + said.err
    monkeypatch.setenv("TIKTOK_ACCESS_TOKEN", "two words\u202e of a t0ken")
    said = relay("accounts", BERLIN)
    assert said.code == 2
    assert "t0ken" not in said.out + said.err


def test_mistakes_of_the_configuration_are_told(
    relay: RELAY, ad_account: START, folder: Path
) -> None:
    ad_account()
    (folder / "relay.toml").write_text('[management]\naccess_tokn = "env:X"\nadvertisers = ["x"]\n')

    said = relay("accounts")

    assert said.code == 2
    assert said.err.startswith("2 mistakes")
    assert "Did you mean `access_token`?" in said.err


def test_without_an_app_the_business_centers_say_which_accounts(
    relay: RELAY, ad_account: START
) -> None:
    ad_account(two_accounts())

    assert {row["advertiser_id"] for row in rows_of(relay("accounts", "--csv"))} == {
        BERLIN, SEATTLE,
    }  # fmt: skip


def test_the_configuration_chooses_accounts_and_an_option_others(
    relay: RELAY, ad_account: START, folder: Path
) -> None:
    ad_account(two_accounts())
    (folder / "relay.toml").write_text(f'[management]\nadvertisers = ["{SEATTLE}"]\n')

    def ids(*arguments: str) -> list[str]:
        return [row["advertiser_id"] for row in rows_of(relay("accounts", "--csv", *arguments))]

    assert ids() == [SEATTLE]
    assert ids(BERLIN) == [BERLIN]
    assert ids("--advertiser", SEATTLE, "--advertiser", BERLIN) == [SEATTLE, BERLIN]


def test_an_account_that_is_lost_holds_up_no_other(relay: RELAY, ad_account: START) -> None:
    ad_account(two_accounts(), rule={"advertiser_ids": [BERLIN]})

    said = relay("campaigns", "--csv", "--advertiser", SEATTLE, "--advertiser", BERLIN)

    assert said.code == 1
    assert f"left out  {SEATTLE}" in said.err
    assert said.out.count(BERLIN) == 2


# --- what is shown --------------------------------------------------------------------------------


def test_accounts_say_their_real_offset_and_their_money(relay: RELAY, ad_account: START) -> None:
    ad_account(two_accounts())

    said = relay("accounts")

    assert said.code == 0
    assert "Etc/GMT-1 (UTC+01:00)" in said.out
    assert "Etc/GMT+8 (UTC-08:00)" in said.out
    assert "-5.25 USD" in said.out
    assert "10,000.00 EUR" in said.out or "10,000 EUR" in said.out


def test_nothing_that_a_stranger_named_steers_a_terminal(relay: RELAY, ad_account: START) -> None:
    ad_account(two_accounts())

    for form in ((), ("--csv",), ("--json",)):
        for command in ("accounts", "campaigns", "report"):
            said = relay(command, *form)
            assert not set(said.out + said.err) & set("\x1b\x07\x9b"), (command, form)
    assert "\\x1b]0;owned\\x07 US" in relay("accounts").out
    assert relay("accounts", SEATTLE, "--json").lines[0]["name"] == "\x1b]0;owned\x07 US"


def test_no_cell_of_csv_is_a_formula_and_numbers_stay_numbers(
    relay: RELAY, ad_account: START
) -> None:
    ad_account(two_accounts())

    campaigns = rows_of(relay("campaigns", BERLIN, "--csv"))
    accounts = rows_of(relay("accounts", SEATTLE, "--csv"))

    names = {row["campaign_id"]: row["campaign_name"] for row in campaigns}
    assert names[CAMPAIGN] == '\'=HYPERLINK("http://evil.example")'
    assert accounts[0]["balance"] == "-5.25"
    assert all(cell[:1] not in set("=+@") for row in campaigns for cell in row.values())


def test_several_accounts_have_a_column_and_one_has_none(relay: RELAY, ad_account: START) -> None:
    ad_account(two_accounts())

    assert "advertiser id" in relay("campaigns").out
    alone = relay("campaigns", BERLIN)
    assert "advertiser id" not in alone.out
    assert "1,234.50 EUR" in alone.out


def test_json_is_an_object_a_line_with_all_that_is_known(relay: RELAY, ad_account: START) -> None:
    ad_account()

    for command, key, count in (
        ("campaigns", "campaign_id", 2), ("adgroups", "adgroup_id", 4), ("ads", "ad_id", 8),
        ("pixels", "pixel_id", 1),
    ):  # fmt: skip
        rows = relay(command, "--json").lines
        assert len({row[key] for row in rows}) == count
        assert {row["advertiser_id"] for row in rows} == {BERLIN}


def test_pixels_have_their_events_and_the_accounts_that_may_use_them(
    relay: RELAY, ad_account: START
) -> None:
    ad_account()

    (row,) = rows_of(relay("pixels", "--csv"))

    assert row["events"].startswith("Purchase (SHOPPING); Add to Cart (ON_WEB_CART)")
    assert row["linked_accounts"] == BERLIN
    assert row["pixel_code"] == "C0PIXELCODE0EXAMPLE0"


def test_business_centers(relay: RELAY, ad_account: START) -> None:
    ad_account()

    (row,) = rows_of(relay("accounts", "--business-centers", "--csv"))

    assert (row["name"], row["user_role"]) == ("Nordlicht BC", "ADMIN")


# --- which of them --------------------------------------------------------------------------------


def test_filters_narrow_down(relay: RELAY, ad_account: START) -> None:
    ad_account(two_accounts())

    def count(*arguments: str) -> int:
        return len(rows_of(relay(*arguments, "--csv")))

    assert count("adgroups", BERLIN) == 4
    assert count("adgroups", BERLIN, "--campaign", CAMPAIGN) == 2
    assert count("ads", BERLIN, "--campaign", CAMPAIGN) == 4
    assert count("ads", BERLIN, "--adgroup", "1790018437246954") == 2
    assert count("campaigns", "--status", "enable") == 2
    assert count("campaigns", "--status", "delete") == 2
    assert count("campaigns", SEATTLE, "--no-deleted") == 0


def test_a_status_that_nothing_has_is_answered_with_those_that_there_are(
    relay: RELAY, ad_account: START
) -> None:
    ad_account()

    said = relay("campaigns", "--status", "paused")

    assert said.code == 0
    assert "no campaigns" in said.err
    assert "there are: enable" in said.err


@pytest.mark.parametrize(
    ("wanted", "status", "fits"),
    [
        ("enable", "CAMPAIGN_STATUS_ENABLE", True),
        ("enable", "CAMPAIGN_STATUS_DISABLE", False),
        ("delivery ok", "ADGROUP_STATUS_DELIVERY_OK", True),
        ("delete", "ADGROUP_STATUS_CAMPAIGN_DELETE", True),
        ("audit", "ADGROUP_STATUS_AUDIT_DENY", False),
        ("pixel-unbind", "AD_STAUS_PIXEL_UNBIND", True),
        ("ADGROUP_STATUS_AUDIT", "ADGROUP_STATUS_AUDIT", True),
        ("able", "ENABLE", False),
    ],
)
def test_a_status_is_meant_by_its_last_words(wanted: str, status: str, fits: bool) -> None:
    assert has_status(wanted, status, None) is fits


def test_an_id_that_went_through_a_spreadsheet_is_a_mistake(
    relay: RELAY, ad_account: START
) -> None:
    ad_account()

    said = relay("campaigns", "7.10654E+18")

    assert said.code == 2
    assert "--advertiser  is not an id" in said.err


def test_two_forms_at_once_are_a_mistake(relay: RELAY, ad_account: START) -> None:
    ad_account()

    assert relay("ads", "--csv", "--json").code == 2


def test_a_table_is_cut_with_a_note_and_a_file_is_not(relay: RELAY, ad_account: START) -> None:
    world = two_accounts()
    for number in range(300):
        made = Campaign(BERLIN, str(10**15 + number), f"More {number}")
        world.advertisers[BERLIN].campaigns[made.campaign_id] = made
    ad_account(world)

    table, whole = relay("campaigns", BERLIN), relay("campaigns", BERLIN, "--csv")

    assert table.code == 0
    assert "the first 200 rows; there are more" in table.err
    assert table.out.count("More ") < 200
    assert len(rows_of(whole)) == 302
    assert "there are more" not in relay("campaigns", BERLIN, "--rows", "302").err


def test_without_a_network_it_says_so(
    relay: RELAY, ad_account: START, monkeypatch: pytest.MonkeyPatch
) -> None:
    ad_account()
    monkeypatch.setenv("RELAY_TIKTOK__BASE_URL", "http://127.0.0.1:9/open_api/v1.3")

    said = relay("accounts", BERLIN)

    assert said.code == 1
    assert "no connection can be made" in said.err
    assert "Traceback" not in said.err
