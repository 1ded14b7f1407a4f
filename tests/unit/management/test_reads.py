"""Every read, against the strict sandbox over real HTTP."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from relay.clock import SystemClock
from relay.management import Client, Limits, NoticeKind, consent_url, read_redirect
from relay.management.errors import (
    AnswerUnreadable,
    CredentialRefused,
    PageChanged,
    PermissionRefused,
    RequestInvalid,
    Unreachable,
)
from relay.sandbox.ads.model import Ad, Advertiser, Change, CustomConversion, Suggestion
from relay.sandbox.ads.still import small_account
from tests.unit.management.conftest import ACCOUNT, PIXEL, START, TODAY, TOKEN, Play

APP = ("7336580000000000001", "sandbox-secret")


def a_crowded_account(ads: int, *, deleted: int = 0) -> Advertiser:
    """An account with so many ads in its first group."""
    account = small_account(START)
    group = next(iter(account.adgroups.values()))
    account.ads.clear()
    for number in range(ads):
        ad_id = str(1_790_020_000_000_000 + number)
        account.ads[ad_id] = Ad(
            ACCOUNT, group.campaign_id, group.adgroup_id, ad_id, f"Ad {number}",
            operation_status="DELETE" if number < deleted else "ENABLE",
            secondary_status="AD_STATUS_DELETE" if number < deleted else "AD_STATUS_DELIVERY_OK",
            create_time=START - 86_400, modify_time=None,
        )  # fmt: skip
    return account


# --- accounts and tokens --------------------------------------------------------------------------


async def test_a_code_is_exchanged_for_a_token_which_reads_and_is_revoked(play: Play) -> None:
    async with play(client={"token": None}, marketing={"auto_approve": True}) as stage:
        state = "0123456789abcdef"
        back = "http://127.0.0.1:1/callback"
        portal = stage.base_url.replace("/open_api/v1.3", "/portal/auth")
        page = consent_url(APP[0], back, state, portal_url=portal)
        code = read_redirect(await redirect_of(page), state)
        grant = await stage.tiktok.exchange(*APP, code)

        async with Client(grant.access_token, base_url=stage.base_url, clock=stage.clock) as tiktok:
            granted = await tiktok.granted_accounts(*APP).all()
            user = await tiktok.user()
            revoked = await tiktok.revoke(*APP)
            with pytest.raises(CredentialRefused) as caught:
                await tiktok.user()

    assert grant.advertiser_ids == (ACCOUNT,)
    assert [each.advertiser_id for each in granted] == [ACCOUNT]
    assert user.display_name == "Sandbox"
    assert revoked.advertiser_ids == (ACCOUNT,)
    assert caught.value.code == 40105


async def redirect_of(page: str) -> str:
    """Where a browser would be sent: the client follows no redirects."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(page, allow_redirects=False) as answer,
    ):
        return answer.headers["Location"]


async def test_a_code_that_was_used_is_refused_and_not_tried_again(play: Play) -> None:
    async with play(client={"token": None}) as stage:
        with pytest.raises(CredentialRefused) as caught:
            await stage.tiktok.exchange(*APP, "used")

    assert caught.value.code == 40110


async def test_a_client_without_a_token_says_so(play: Play) -> None:
    async with play(client={"token": None}) as stage:
        with pytest.raises(CredentialRefused, match="without a token"):
            await stage.tiktok.user()


async def test_an_account_has_its_currency_zone_and_balance(play: Play) -> None:
    async with play() as stage:
        found = await stage.tiktok.advertiser(ACCOUNT)

    assert (found.currency, found.timezone, found.balance) == ("EUR", "Etc/GMT-1", Decimal(10000))
    assert datetime(2026, 7, 1, tzinfo=found.zone).utcoffset() == timedelta(hours=1)


async def test_business_centers_their_assets_and_pixel_links(play: Play) -> None:
    async with play() as stage:
        tiktok = stage.tiktok
        (center,) = await tiktok.business_centers().all()
        pixels = await tiktok.assets(center.bc_id, "PIXEL").all()
        accounts = await tiktok.assets(center.bc_id, "ADVERTISER").all()
        links = await tiktok.pixel_links(center.bc_id, pixels[0].pixel_code or "").all()

    assert center.user_role == "ADMIN"
    assert [each.asset_id for each in pixels] == [PIXEL]
    assert [each.asset_id for each in accounts] == [ACCOUNT]
    assert [each.advertiser_id for each in links] == [ACCOUNT]


async def test_an_account_that_was_not_granted_is_a_permission_error(play: Play) -> None:
    async with play() as stage:
        with pytest.raises(PermissionRefused) as caught:
            await stage.tiktok.campaigns("7000000000000000001").all()

    assert caught.value.code == 40001
    assert "7000000000000000001" in str(caught.value)


# --- the hierarchy --------------------------------------------------------------------------------


async def test_campaigns_groups_and_ads_are_read(play: Play) -> None:
    async with play() as stage:
        tiktok = stage.tiktok
        campaigns = [each async for each in tiktok.campaigns(ACCOUNT)]
        groups = await tiktok.adgroups(ACCOUNT).all()
        ads = await tiktok.ads(ACCOUNT).all()
        some = await tiktok.ads(ACCOUNT, campaign_ids=[campaigns[0].campaign_id]).all()

    assert (len(campaigns), len(groups), len(ads), len(some)) == (2, 4, 8, 4)
    assert {each.pixel_id for each in groups} == {PIXEL}
    assert {each.click_window_days for each in groups} == {7}
    assert {each.campaign_id for each in some} == {campaigns[0].campaign_id}


async def test_deleted_ads_and_those_without_a_time_of_change_are_among_them(play: Play) -> None:
    async with play(account=a_crowded_account(10, deleted=4)) as stage:
        every = await stage.tiktok.ads(ACCOUNT).all()
        left = await stage.tiktok.ads(ACCOUNT, include_deleted=False).all()

    assert (len(every), len(left)) == (10, 6)
    assert {each.modify_time for each in every} == {None}


async def test_a_list_of_many_pages_is_proven_whole(play: Play) -> None:
    async with play(account=a_crowded_account(3_500)) as stage:
        listing = stage.tiktok.ads(ACCOUNT)
        ids = [each.ad_id async for each in listing]

    assert len(set(ids)) == listing.rows == 3_500
    assert listing.is_complete
    assert stage.calls("/ad/get/") == 4


async def test_more_ids_than_a_filter_takes_are_asked_for_in_parts(play: Play) -> None:
    account = a_crowded_account(250)
    async with play(account=account) as stage:
        found = await stage.tiktok.ads(ACCOUNT, ad_ids=list(account.ads)).all()

    assert {each.ad_id for each in found} == set(account.ads)
    assert stage.calls("/ad/get/") == 3


async def test_a_listing_can_be_read_once(play: Play) -> None:
    async with play() as stage:
        listing = stage.tiktok.campaigns(ACCOUNT)
        await listing.all()
        with pytest.raises(RuntimeError, match="once"):
            await listing.all()


@pytest.mark.parametrize("wrong", ["", "71 06", "7106541027904733185.0", 7106541027904733185])
async def test_what_is_no_id_is_refused_before_it_is_sent(play: Play, wrong: Any) -> None:
    async with play() as stage:
        with pytest.raises(RequestInvalid, match="advertiser_id"):
            stage.tiktok.campaigns(wrong)


# --- pages that change under the reader -----------------------------------------------------------


async def test_a_list_that_changed_under_the_reader_is_read_again(play: Play) -> None:
    fault = {"kind": "page_shift", "path": "*/ad/get/", "count": 1}
    async with play(fault, account=a_crowded_account(2_500)) as stage:
        listing = stage.tiktok.ads(ACCOUNT)
        ids = [each.ad_id async for each in listing]

    assert len(set(ids)) == len(ids) == 2_500
    assert listing.is_complete
    assert [each.kind for each in listing.notices] == [NoticeKind.READ_AGAIN]


async def test_a_list_that_changes_all_the_time_is_given_up(play: Play) -> None:
    fault = {"kind": "page_shift", "path": "*/ad/get/", "count": None}
    async with play(fault, account=a_crowded_account(2_500)) as stage:
        with pytest.raises(PageChanged, match="every reading"):
            await stage.tiktok.ads(ACCOUNT).all()

        assert stage.world.desk.limits.calls["/open_api/v1.3/ad/get/"] <= 4 * 3


async def test_a_page_that_is_too_short_is_missed(play: Play) -> None:
    fault = {"kind": "short_page", "path": "*/ad/get/", "skip": 1}
    async with play(fault, account=a_crowded_account(2_500)) as stage:
        with pytest.raises(PageChanged):
            await stage.tiktok.ads(ACCOUNT).all()


async def test_a_changed_type_says_which_field_of_which_endpoint(play: Play) -> None:
    fault = {"kind": "changed_type", "path": "*/campaign/get/", "field": "list.1.budget",
             "to": "object"}  # fmt: skip
    async with play(fault) as stage:
        with pytest.raises(AnswerUnreadable) as caught:
            await stage.tiktok.campaigns(ACCOUNT).all()

    assert caught.value.field == "list[1].budget"
    assert caught.value.endpoint == "/campaign/get/"


# --- events ---------------------------------------------------------------------------------------


async def test_pixels_come_with_their_events(play: Play) -> None:
    async with play() as stage:
        (pixel,) = await stage.tiktok.pixels(ACCOUNT).all()

    assert (pixel.pixel_id, pixel.pixel_code) == (PIXEL, "C0PIXELCODE0EXAMPLE0")
    assert pixel.advanced_matching_fields == {"email": True, "phone_number": True}
    assert [each.optimization_event for each in pixel.events] == ["SHOPPING", "ON_WEB_CART", None]


async def test_statistics_are_asked_for_each_day_of_utc(play: Play) -> None:
    first = TODAY - timedelta(days=4)
    async with play() as stage:
        found = await stage.tiktok.event_statistics(ACCOUNT, [PIXEL], first, TODAY).all()
        sums = await stage.tiktok.event_sums(ACCOUNT, [PIXEL], first, TODAY).all()

    purchases = [each for each in found if each.event == "SHOPPING"]
    assert [each.first for each in purchases] == [first + timedelta(days=n) for n in range(5)]
    (whole,) = [each for each in sums if each.event == "SHOPPING"]
    assert whole.total_count == sum(each.total_count or 0 for each in purchases)
    assert stage.calls("/pixel/event/stats/") == 6


async def test_more_pixels_than_one_question_takes_are_asked_for_in_parts(play: Play) -> None:
    account = small_account(START)
    pixel = account.pixels[PIXEL]
    for number in range(24):
        pixel_id = str(int(PIXEL) + 1 + number)
        account.pixels[pixel_id] = type(pixel)(
            ACCOUNT, pixel_id, f"C0PIXEL{number:013}", f"Pixel {number}"
        )
    async with play(account=account) as stage:
        pixels = await stage.tiktok.pixels(ACCOUNT).all()
        ids = [each.pixel_id for each in pixels]
        await stage.tiktok.event_statistics(ACCOUNT, ids, TODAY, TODAY).all()

    assert len(pixels) == 25
    assert stage.calls("/pixel/list/") == 2
    assert stage.calls("/pixel/event/stats/") == 3


def test_a_sum_of_more_than_30_days_is_refused_with_the_mend() -> None:
    tiktok = Client(TOKEN)

    with pytest.raises(RequestInvalid, match="30 days at a time"):
        tiktok.event_sums(ACCOUNT, [PIXEL], date(2026, 1, 1), date(2026, 1, 31))


async def test_sets_conversions_and_advice(play: Play) -> None:
    account = small_account(START)
    groups = list(account.adgroups)
    account.custom_conversions["74"] = CustomConversion("74", "High value", PIXEL)
    account.suggestions.append(Suggestion(groups[0], pixel_code="C0", at=START))
    async with play(account=account) as stage:
        tiktok = stage.tiktok
        offline = await tiktok.offline_sets(ACCOUNT).all()
        crm = await tiktok.crm_sets(ACCOUNT).all()
        conversions = await tiktok.custom_conversions(ACCOUNT, PIXEL).all()
        advice = await tiktok.diagnosis(ACCOUNT, groups * 30).all()

    assert [each.name for each in offline] == ["Store POS"]
    assert crm == []
    assert [each.custom_conversion_id for each in conversions] == ["74"]
    assert [(each.adgroup_id, each.issue) for each in advice] == [(groups[0], "PIXEL")]


async def test_twenty_groups_at_a_time_are_diagnosed(play: Play) -> None:
    async with play() as stage:
        ids = [str(1_790_000_000_000_000 + number) for number in range(45)]
        await stage.tiktok.diagnosis(ACCOUNT, ids).all()

    assert stage.calls("/tool/diagnosis/get/") == 3


async def test_the_change_log_is_made_waited_for_and_read(play: Play) -> None:
    account = small_account(START)
    for days in (1, 20, 50):
        account.changes.append(
            Change(ACCOUNT, START - days * 86_400, "BUDGET", "CAMPAIGN", str(days), "budget 5 → 9")
        )
    async with play(account=account) as stage:
        edits = await stage.tiktok.changes(ACCOUNT, TODAY - timedelta(days=60), TODAY)

    assert [each.object_id for each in edits] == ["50", "20", "1"]
    assert edits[-1].at == datetime.fromtimestamp(START - 86_400, UTC)
    assert edits[0].details[0].after == "budget 5 → 9"
    assert stage.calls("/changelog/task/create/") == 3


async def test_zones_are_listed(play: Play) -> None:
    async with play() as stage:
        zones = await stage.tiktok.zones().all()

    assert "Europe/Berlin" in {each.timezone for each in zones}


# --- the budget, over real HTTP -------------------------------------------------------------------


async def test_lists_read_at_once_share_one_budget_and_none_is_throttled(play: Play) -> None:
    """Ten times as fast as TikTok's limit and ours, in real time."""
    ours = {"limits": Limits(qps=80, qpm=4_800)}
    theirs = {"calls_per_second": 100, "calls_per_minute": 6_000}
    async with play(client=ours, marketing=theirs, clock=SystemClock()) as stage:
        began = time.monotonic()
        await asyncio.gather(
            *(
                stage.tiktok.event_statistics(
                    ACCOUNT, [PIXEL], TODAY - timedelta(days=39), TODAY
                ).all()
                for _ in range(3)
            )
        )
        seconds = time.monotonic() - began

    assert stage.calls("/pixel/event/stats/") == 120
    assert stage.world.desk.limits.throttled == {}
    assert 120 / 80 * 0.95 <= seconds <= 120 / 80 / 0.8


async def test_a_client_that_is_too_fast_is_throttled_and_gets_there_all_the_same(
    play: Play,
) -> None:
    fast = {"limits": Limits(qps=40, qpm=10_000, in_flight=16)}
    async with play(account=a_crowded_account(30_000), client=fast) as stage:
        ads = await stage.tiktok.ads(ACCOUNT).all()

    assert len(ads) == 30_000
    assert sum(stage.world.desk.limits.throttled.values()) > 0


async def test_what_always_fails_is_given_up_after_three_tries(play: Play) -> None:
    async with play({"kind": "code", "codes": [50000]}) as stage:
        with pytest.raises(Unreachable) as caught:
            await stage.tiktok.campaigns(ACCOUNT).all()

    assert caught.value.code == 50000
    assert stage.world.faults.fired["code"] == 3
