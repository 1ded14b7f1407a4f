"""Calls against every fault: tried again as often as it helps, ended by a named error, and nothing
of a secret anywhere."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.clock import SystemClock
from relay.management import Client, Listing, NoticeKind, Patience
from relay.management.errors import (
    AnswerUnreadable,
    CallRefused,
    CredentialRefused,
    DeadlineExceeded,
    ManagementError,
    PermissionRefused,
    Throttled,
    TimedOut,
    Unreachable,
)
from tests.unit.management.conftest import ACCOUNT, HASTY, PIXEL, TODAY, TOKEN, HandClock, Play
from tests.unit.management.conftest import playing as a_stage

SECRET = "s3cret-of-the-app-0123456789abcdef"
CODE = "auth-code-9f1e2d3c4b5a69788796a5b4"

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def a_peer(peer: Peer) -> AsyncIterator[str]:
    """A bare TCP server that does what `peer` does to every connection; yields its base URL."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await peer(reader, writer)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/open_api/v1.3"
    finally:
        server.close()
        await server.wait_closed()


def answering(head: str, body: bytes = b"") -> Peer:
    async def peer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {head}\r\nConnection: close\r\n".encode() + b"\r\n" + body)
        await writer.drain()

    return peer


async def error_at(base_url: str, kind: type[ManagementError]) -> ManagementError:
    async with Client(TOKEN, base_url=base_url, clock=HandClock(), patience=HASTY) as tiktok:
        with pytest.raises(kind) as caught:
            await tiktok.user()
        return caught.value


# --- what is tried again --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "code", "codes": [50000], "count": 2},
        {"kind": "code", "codes": [51012, 52001], "count": 2},
        {"kind": "code", "codes": [60001], "count": 2},
        {"kind": "code", "codes": [40700], "count": 1},
        {"kind": "code", "codes": [51010], "count": 1},
        {"kind": "code", "codes": [40201], "count": 5},
        {"kind": "code", "codes": [40100], "count": 4},
        {"kind": "http", "status": 502, "count": 2},
        {"kind": "http", "status": 200, "body": "truncated", "count": 2},
        {"kind": "http", "status": 200, "body": "empty", "count": 2},
        {"kind": "http", "status": 429, "retry_after_s": 7, "count": 2},
        {"kind": "reset", "count": 2},
        {"kind": "reset", "before_body": True, "count": 2},
        {"kind": "hang", "seconds": 0.1, "count": 1},
        {"kind": "clock_skew", "seconds": -86400},
    ],
    ids=str,
)
async def test_what_passes_by_itself_is_not_noticed(play: Play, fault: dict[str, Any]) -> None:
    async with play(fault) as stage:
        assert len(await stage.tiktok.campaigns(ACCOUNT).all()) == 2


@pytest.mark.parametrize(
    ("fault", "kind", "tries"),
    [
        ({"kind": "code", "codes": [50000]}, Unreachable, 3),
        ({"kind": "code", "codes": [40700]}, Unreachable, 2),
        ({"kind": "code", "codes": [51010]}, TimedOut, 2),
        ({"kind": "code", "codes": [40002]}, CallRefused, 1),
        ({"kind": "code", "codes": [40001]}, PermissionRefused, 1),
        ({"kind": "code", "codes": [40105]}, CredentialRefused, 1),
        ({"kind": "http", "status": 200, "body": "truncated"}, AnswerUnreadable, 3),
        ({"kind": "http", "status": 404}, CallRefused, 1),
        ({"kind": "reset"}, Unreachable, 3),
    ],
    ids=str,
)
async def test_what_does_not_pass_ends_by_name(
    play: Play, fault: dict[str, Any], kind: type[ManagementError], tries: int
) -> None:
    async with play(fault) as stage:
        with pytest.raises(kind) as caught:
            await stage.tiktok.campaigns(ACCOUNT).all()

    assert type(caught.value) is kind
    assert caught.value.endpoint == "/campaign/get/"
    assert stage.world.faults.fired[fault["kind"]] == tries


async def test_a_code_that_may_have_been_used_is_not_sent_twice(play: Play) -> None:
    async with play({"kind": "reset"}, client={"token": None}) as stage:
        with pytest.raises(Unreachable):
            await stage.tiktok.exchange("7336580000000000001", SECRET, CODE)

    assert stage.world.faults.fired["reset"] == 1


async def test_no_answer_in_time_is_a_time_out(play: Play) -> None:
    hasty = {"patience": HASTY}
    async with play({"kind": "hang"}, client=hasty, clock=SystemClock()) as stage:
        with pytest.raises(TimedOut):
            await stage.tiktok.user()


async def test_what_timed_out_twice_is_not_asked_again_for_ten_minutes(play: Play) -> None:
    async with play({"kind": "code", "codes": [51010]}) as stage:
        for _ in range(3):
            with pytest.raises(TimedOut):
                await stage.tiktok.campaigns(ACCOUNT).all()

    assert stage.world.faults.fired["code"] == 2


async def test_a_lost_account_does_not_stop_the_others(play: Play) -> None:
    lost = {"kind": "lost_advertiser", "advertiser_ids": [ACCOUNT], "skip": 1}
    async with play(lost) as stage:
        assert len(await stage.tiktok.campaigns(ACCOUNT).all()) == 2
        with pytest.raises(PermissionRefused):
            await stage.tiktok.campaigns(ACCOUNT).all()
        assert len(await stage.tiktok.business_centers().all()) == 1


# --- throttles, deadlines, tokens -----------------------------------------------------------------


async def test_three_throttles_in_a_row_are_five_minutes_of_silence(play: Play) -> None:
    async with play({"kind": "code", "codes": [40100], "count": 3}) as stage:
        began = stage.clock.now()
        await stage.tiktok.user()

    assert 300 <= stage.clock.now() - began <= 320


async def test_a_call_that_may_not_wait_so_long_says_when_to_come_back(play: Play) -> None:
    hasty = {"patience": Patience(call_s=60)}
    async with play({"kind": "code", "codes": [40100]}, client=hasty) as stage:
        with pytest.raises(Throttled) as caught:
            await stage.tiktok.user()

    assert caught.value.retry_in_s is not None
    assert 240 <= caught.value.retry_in_s <= 300
    assert stage.world.faults.fired["code"] == 3


async def test_a_call_has_a_deadline_for_all_its_tries(play: Play) -> None:
    hasty = {"patience": Patience(call_s=15)}
    async with play({"kind": "code", "codes": [60001]}, client=hasty) as stage:
        with pytest.raises(DeadlineExceeded, match="MAINTENANCE"):
            await stage.tiktok.user()


async def test_a_token_that_was_renewed_meanwhile_is_used(play: Play) -> None:
    tokens = iter(["revoked-token-00000000", "renewed-token-00000000"])
    present = ["revoked-token-00000000"]

    def token() -> str:
        present[0] = next(tokens, present[0])
        return present[0]

    access = {"tokens": [{"token": "revoked-token-00000000", "state": "revoked"}]}
    async with play(access=access, client={"token": token}) as stage:
        assert (await stage.tiktok.user()).display_name == "Sandbox"


async def test_a_token_that_is_revoked_in_the_middle_stops_the_list(play: Play) -> None:
    fault = {"kind": "code", "codes": [40105], "skip": 2}
    async with play(fault) as stage:
        listing = stage.tiktok.event_statistics(ACCOUNT, [PIXEL], TODAY - timedelta(days=20), TODAY)
        with pytest.raises(CredentialRefused):
            await listing.all()


@pytest.mark.parametrize("token", ["", "two\nlines", "ümlaut", "a\x00b"])
async def test_what_can_be_no_token_is_not_sent(play: Play, token: str) -> None:
    async with play(client={"token": token}) as stage:
        with pytest.raises(CredentialRefused):
            await stage.tiktok.user()

    assert stage.calls("/user/info/") == 0


# --- raw trouble ----------------------------------------------------------------------------------


async def test_a_body_that_breaks_off_is_not_believed() -> None:
    body = b'{"code":0,"message":"OK","data":{"display_name":"x"}}'
    async with a_peer(answering("200 OK\r\nContent-Length: 500", body)) as base_url:
        error = await error_at(base_url, Unreachable)

    assert "broke off" in str(error)


async def test_a_redirect_is_not_followed_with_a_token() -> None:
    async with a_peer(answering("302 Found\r\nLocation: http://127.0.0.1:1/")) as base_url:
        error = await error_at(base_url, CallRefused)

    assert "leads elsewhere" in str(error)


async def test_no_server_at_all_is_unreachable() -> None:
    async with a_peer(answering("200 OK")) as base_url:
        pass

    assert "no connection" in str(await error_at(base_url, Unreachable))


async def test_a_client_that_is_not_open_says_so() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Client(TOKEN, clock=HandClock()).user()


# --- cancellation ---------------------------------------------------------------------------------


async def test_cancelling_leaves_no_task_and_no_open_call(play: Play) -> None:
    async with play({"kind": "hang"}, clock=SystemClock()) as stage:
        before = asyncio.all_tasks()
        listing = stage.tiktok.event_statistics(ACCOUNT, [PIXEL], TODAY - timedelta(days=20), TODAY)
        reading = asyncio.ensure_future(listing.all())
        await until(lambda: stage.world.open_calls > 1)

        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await until(lambda: stage.world.open_calls == 0)

        ours = {task for task in asyncio.all_tasks() - before if "Client" in repr(task)}
        assert ours == set()
        assert len(stage.tiktok._tasks) == 0


async def test_a_list_that_nobody_reads_to_the_end_leaves_nothing(play: Play) -> None:
    async with play() as stage:
        days = TODAY - timedelta(days=29)
        async for _ in stage.tiktok.event_statistics(ACCOUNT, [PIXEL], days, TODAY):
            break
        await until(lambda: len(stage.tiktok._tasks) == 0)


async def test_closing_ends_what_is_under_way(play: Play) -> None:
    async with play({"kind": "hang"}, clock=SystemClock()) as stage:
        async with Client(TOKEN, base_url=stage.base_url) as tiktok:
            reading = asyncio.ensure_future(tiktok.campaigns(ACCOUNT).all())
            await until(lambda: stage.world.open_calls == 1)
        with pytest.raises(asyncio.CancelledError):
            await reading
        await until(lambda: stage.world.open_calls == 0)


async def until(true: Callable[[], bool]) -> None:
    """Let others run until it is true."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  # nobody sets an event for this
            await asyncio.sleep(0.001)


# --- notices --------------------------------------------------------------------------------------


async def test_notices_reach_the_listing_and_whoever_asked_for_them(play: Play) -> None:
    told: list[NoticeKind] = []
    partial = {"kind": "junk", "body": {"code": 20001, "data": {"list": []}}}
    client = {"on_notice": lambda notice: told.append(notice.kind)}
    async with play(partial, client=client) as stage:
        listing = stage.tiktok.advertisers([ACCOUNT])
        await listing.all()

    assert not listing.is_complete
    assert [each.kind for each in listing.notices] == told == [NoticeKind.PARTIAL]


# --- whatever comes -------------------------------------------------------------------------------

anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from((
            "list", "page_info", "total_number", "total_page", "has_more", "cursor", "pixels",
            "events", "results", "diagnosis", "suggestions", "event_track", "statistics", "bc_info",
            "campaign_id", "adgroup_id", "ad_id", "pixel_id", "advertiser_id", "timezones",
            "event_set_list", "crm_event_sets", "access_token", "utm_params", "create_time",
            "changelog", "file_data", "status", "task_id", "dimensions", "metrics", "budget",
        )),
        inner, max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


def reads(tiktok: Client) -> Iterator[Listing[Any]]:
    yield from (
        tiktok.campaigns(ACCOUNT), tiktok.adgroups(ACCOUNT), tiktok.ads(ACCOUNT),
        tiktok.smart_plus_ads(ACCOUNT), tiktok.pixels(ACCOUNT), tiktok.offline_sets(ACCOUNT),
        tiktok.crm_sets(ACCOUNT), tiktok.custom_conversions(ACCOUNT, PIXEL),
        tiktok.event_sums(ACCOUNT, [PIXEL], TODAY, TODAY), tiktok.business_centers(),
        tiktok.assets("1", "PIXEL"), tiktok.pixel_links("1", "C0"), tiktok.zones(),
        tiktok.advertisers([ACCOUNT]), tiktok.diagnosis(ACCOUNT, ["1"]),
        tiktok.granted_accounts("1", SECRET),
    )  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=anything, data_only=st.booleans())
async def test_any_json_in_place_of_an_answer_gives_a_named_error(
    body: Any, *, data_only: bool
) -> None:
    junk = {"kind": "junk", "body": body, "data_only": data_only}
    patience = Patience(call_s=60, task_s=60)
    async with a_stage(junk, client={"patience": patience}) as stage:
        for listing in reads(stage.tiktok):
            with suppress(ManagementError):
                await listing.all()
        for single in (stage.tiktok.user, lambda: stage.tiktok.exchange("1", SECRET, CODE),
                       lambda: stage.tiktok.changes(ACCOUNT, TODAY, TODAY)):  # fmt: skip
            with suppress(ManagementError):
                await single()


# --- secrets --------------------------------------------------------------------------------------


ECHO = f"token {TOKEN} secret {SECRET} code {CODE}"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "code", "codes": [40105], "message": ECHO},
        {"kind": "code", "codes": [40002], "message": ECHO},
        {"kind": "reset"},
        {"kind": "hang"},
        {"kind": "http", "status": 200, "body": "truncated"},
        {"kind": "junk", "body": {"code": 0, "data": {"list": 5, "access_token": 5}}},
    ],
    ids=lambda fault: str(fault["kind"]),
)
async def test_no_secret_is_in_a_log_an_error_or_a_traceback(
    play: Play, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = ""
    async with play(fault, client={"patience": HASTY}) as stage:
        tiktok = stage.tiktok
        for call in (
            tiktok.user,
            tiktok.granted_accounts("1", SECRET).all,
            lambda: tiktok.exchange("1", SECRET, CODE),
            lambda: tiktok.revoke("1", SECRET),
        ):
            try:
                await call()
            except ManagementError as error:
                trace = traceback.TracebackException.from_exception(error, capture_locals=True)
                ours = [frame for frame in trace.stack if "relay/management" in frame.filename]
                shown += f"{error!r} {error} {error.__cause__!r} {error.__context__!r}"
                shown += "".join(str(frame.locals) for frame in ours)
        shown += repr(tiktok) + repr(vars(tiktok)) + repr(vars(tiktok._caller))

    shown += caplog.text
    assert shown
    for secret in (TOKEN, SECRET, CODE):
        assert secret not in shown
