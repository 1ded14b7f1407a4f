"""`relay audit`: what it says and writes, how it leaves, what it keeps for the next time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from relay.cli.audit import EXIT_CRITICAL
from relay.clock import SystemClock
from relay.journal.rocksdb import JournalSettings, RocksJournal
from relay.sandbox.ads.life import LivingWorld
from relay.sandbox.ads.plan import WorldPlan
from relay.sandbox.http import Running
from tests.commands.conftest import TOKEN

RELAY = Callable[..., Any]
START = Callable[..., Running]

PIXEL = "C0PIXELCODE0EXAMPLE0"
ADVERTISER = "7106541027904733185"
SCHEMA = Path(__file__).parents[2] / "schemas" / "audit.schema.json"
DAY_S = 86_400.0


def a_world(*, wrong_pixel: bool = False) -> LivingWorld:
    """Ads that began to run yesterday; with a fault, an ad group whose pixel nobody feeds."""
    now = time.time()
    plan = WorldPlan(
        seed=5, orders_per_day=40.0, adgroups=2, pixel_code=PIXEL, timezone="Etc/GMT",
        display_timezone="UTC", started_at=now - now % DAY_S - DAY_S,
    )  # fmt: skip
    world = LivingWorld(plan)
    account = world.markets[ADVERTISER].account
    if wrong_pixel:
        group = list(account.adgroups.values())[-1]
        group.adgroup_name, group.pixel_id = "Old shop", list(account.pixels)[1]
    return world


@pytest.fixture
def asked(relay: RELAY, ad_account: START, config: Path) -> Callable[..., Any]:
    """Runs `relay audit` against such an account; the journal is empty."""

    def ask(*arguments: str | Path, world: LivingWorld | None = None, **settings: Any) -> Any:
        ad_account(world or a_world(), marketing={"task_queue_s": 0, "task_run_s": 0}, **settings)
        return relay("audit", "--since", "2d", *arguments)

    return ask


@pytest.fixture(autouse=True)
async def journal(config: Path) -> None:
    """A folder in which a relay has run."""
    async with RocksJournal(JournalSettings(config.parent / "journal"), SystemClock()):
        pass


def test_a_critical_finding_is_named_and_exits_3(asked: Callable[..., Any]) -> None:
    said = asked(world=a_world(wrong_pixel=True))

    assert said.code == EXIT_CRITICAL == 3
    assert "CRITICAL CFG-02" in said.out
    assert "Old shop" in said.out
    assert TOKEN not in said.out + said.err


def test_its_json_is_what_the_schema_says(asked: Callable[..., Any]) -> None:
    said = asked("--json", world=a_world(wrong_pixel=True))

    jsonschema.validate(said.json, json.loads(SCHEMA.read_text()))
    (audit,) = said.json["audits"]
    assert "CFG-02" in {each["check"] for each in audit["findings"]}


def test_a_page_is_written_beside_it(asked: Callable[..., Any], folder: Path) -> None:
    page = folder / "audit.html"

    said = asked("--html", page, world=a_world(wrong_pixel=True))

    assert "CFG-02" in page.read_text(encoding="utf-8")
    assert str(page) in said.err


def test_its_report_and_its_days_are_kept(asked: Callable[..., Any], config: Path) -> None:
    async def kept() -> list[str]:
        settings = JournalSettings(config.parent / "journal")
        async with RocksJournal(settings, SystemClock()) as journal:
            return [key async for key, _ in journal.notes("audit/")]

    asked()

    keys = asyncio.run(kept())
    assert [key for key in keys if key.startswith("audit/reports/")]
    assert [key for key in keys if key.startswith(f"audit/days/{ADVERTISER}/")]


def test_what_could_not_be_read_makes_it_partial(asked: Callable[..., Any]) -> None:
    fault = {"kind": "code", "codes": [40002], "path": "/open_api/v1.3/pixel/event/stats/"}

    said = asked("--json", faults={"faults": [fault]})

    (audit,) = said.json["audits"]
    states = {each["check"]: each["state"] for each in audit["checks"]}
    assert audit["partial"] is True
    assert states["DEL-03"] == "not_judged"
    assert said.code in {1, EXIT_CRITICAL}


def test_a_revoked_token_says_what_to_do(asked: Callable[..., Any]) -> None:
    said = asked(rule={"state": "revoked"})

    assert said.code == 1
    assert "relay login" in said.err
    assert TOKEN not in said.out + said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("days", ["0d", "91d", "x", "-1d", "1h", "٣d"])
def test_days_that_cannot_be_looked_at(relay: RELAY, config: Path, days: str) -> None:
    said = relay("audit", f"--since={days}")

    assert said.code == 2
    assert "--since" in said.err


def test_a_page_that_cannot_be_written_is_told_before_anything_is_asked(
    asked: Callable[..., Any], folder: Path
) -> None:
    said = asked("--html", folder / "nowhere" / "audit.html")

    assert said.code == 2
    assert "--html" in said.err


def test_without_a_token_it_says_how_to_get_one(
    relay: RELAY, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TIKTOK_ACCESS_TOKEN", raising=False)
    monkeypatch.setenv("HOME", str(config.parent / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)

    said = relay("audit")

    assert said.code == 2
    assert "relay login" in said.err


def test_one_lost_account_does_not_cost_the_others_theirs(asked: Callable[..., Any]) -> None:
    said = asked("--advertiser", ADVERTISER, "--advertiser", "7106541027904733999")

    assert said.code == 1
    assert ADVERTISER in said.out
    assert "left out  7106541027904733999" in said.err


def test_a_page_that_cannot_be_written_costs_the_page_alone(
    asked: Callable[..., Any], folder: Path
) -> None:
    (folder / "full").symlink_to("/dev/full")

    said = asked("--html", folder / "full", world=a_world(wrong_pixel=True))

    assert said.code == EXIT_CRITICAL
    assert "CRITICAL CFG-02" in said.out
    assert "the page cannot be written" in said.err
