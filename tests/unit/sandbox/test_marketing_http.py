"""The Marketing API over a socket: one round trip for each family."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from aiohttp import ClientSession, ClientTimeout

from relay.sandbox.ads.still import StillWorld, small_account
from relay.sandbox.http import Running, running
from relay.sandbox.settings import SandboxSettings

NOON = 1_780_000_000.0
ADVERTISER = "7106541027904733185"
APP = "7336580000000000001"
BACK = "http://127.0.0.1:1/callback"


class StandingClock:
    def now(self) -> float:
        return NOON

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        pass


class Stand:
    """A running stand-in and a client of it."""

    def __init__(self, sandbox: Running, session: ClientSession) -> None:
        self.sandbox, self.session = sandbox, session

    async def get(self, path: str, *, token: str = "TOKEN", **query: object) -> Any:
        asked = {
            name: value if isinstance(value, str) else orjson.dumps(value).decode()
            for name, value in query.items()
        }
        url, headers = self.sandbox.base_url + path, {"Access-Token": token}
        async with self.session.get(url, params=asked, headers=headers) as response:
            assert response.status == 200
            return await response.json()

    async def post(self, path: str, **body: object) -> Any:
        url, headers = self.sandbox.base_url + path, {"Access-Token": "TOKEN"}
        async with self.session.post(url, json=body, headers=headers) as response:
            assert response.status == 200
            return await response.json()


@asynccontextmanager
async def _stand(*faults: dict[str, Any], **marketing: Any) -> AsyncIterator[Stand]:
    settings = SandboxSettings.model_validate(
        {
            "marketing": {"task_queue_s": 0, "task_run_s": 0} | marketing,
            "faults": {"faults": faults},
        }
    )
    async with (
        running(settings, StandingClock()) as sandbox,
        ClientSession(timeout=ClientTimeout(total=5)) as session,
    ):
        yield Stand(sandbox, session)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/user/info/", {}),
        ("/bc/get/", {"page": "1"}),
        ("/advertiser/info/", {"advertiser_ids": [ADVERTISER]}),
        ("/campaign/get/", {"advertiser_id": ADVERTISER}),
        ("/smart_plus/ad/get/", {"advertiser_id": ADVERTISER}),
        ("/pixel/list/", {"advertiser_id": ADVERTISER}),
        ("/crm/list/", {"advertiser_id": ADVERTISER}),
        ("/tool/timezone/", {}),
        (
            "/report/integrated/get/",
            {
                "advertiser_id": ADVERTISER,
                "report_type": "BASIC",
                "data_level": "AUCTION_AD",
                "dimensions": ["ad_id"],
                "start_date": "2026-05-01",
                "end_date": "2026-05-01",
            },
        ),
    ],
)
async def test_each_family_answers(path: str, query: dict[str, Any]) -> None:
    async with _stand() as stand:
        said = await stand.get(path, **query)

        assert (said["code"], said["message"]) == (0, "OK")
        assert said["data"]


async def test_a_login_from_the_page_to_the_list_of_accounts() -> None:
    async with _stand() as stand:
        asked = {"app_id": APP, "redirect_uri": BACK, "state": "secret state"}
        portal = f"{stand.sandbox.url}/portal/auth"
        async with stand.session.get(portal, params=asked) as response:
            page = await response.text()
        links = re.findall(r'id="allow" href="([^"]+)"', page)
        allow = stand.sandbox.url + links[0].replace("&amp;", "&")
        async with stand.session.get(allow, allow_redirects=False) as response:
            assert response.status == 302
            back = parse_qs(urlsplit(response.headers["Location"]).query)

        code, secret = back["auth_code"][0], "sandbox-secret"
        granted = await stand.post(
            "/oauth2/access_token/", app_id=APP, secret=secret, auth_code=code
        )

        assert back["state"] == ["secret state"]
        token = granted["data"]["access_token"]
        listed = await stand.get("/oauth2/advertiser/get/", token=token, app_id=APP, secret=secret)
        assert listed["data"]["list"][0]["advertiser_id"] == ADVERTISER
        async with stand.session.get(f"{stand.sandbox.url}/sandbox/requests") as response:
            seen = await response.text()
        assert not any(hidden in seen for hidden in (code, secret, token))


@pytest.mark.parametrize("kind", ["CSV_STRING", "CSV_DOWNLOAD"])
async def test_a_file_is_streamed_whole(kind: str) -> None:
    async with _stand() as stand:
        created = await stand.post(
            "/report/task/create/",
            advertiser_id=ADVERTISER,
            report_type="BASIC",
            data_level="AUCTION_AD",
            dimensions=["ad_id", "stat_time_day"],
            start_date="2026-04-01",
            end_date="2026-05-27",
            output_format=kind,
        )
        task = {"advertiser_id": ADVERTISER, "task_id": created["data"]["task_id"]}
        assert (await stand.get("/report/task/check/", **task))["data"]["status"] == "SUCCESS"

        url, headers = f"{stand.sandbox.base_url}/report/task/download/", {"Access-Token": "TOKEN"}
        async with stand.session.get(url, params=task, headers=headers) as response:
            body = await response.read()
        if kind == "CSV_DOWNLOAD":
            async with stand.session.get(orjson.loads(body)["data"]["download_url"]) as response:
                body = await response.read()

        assert response.content_type == "text/csv"
        assert body.count(b"\n") == 1 + 8 * 57


async def test_a_file_cut_short_looks_whole_to_http() -> None:
    async with _stand({"kind": "truncated_file"}) as stand:
        created = await stand.post(
            "/report/task/create/",
            advertiser_id=ADVERTISER,
            report_type="BASIC",
            data_level="AUCTION_AD",
            dimensions=["ad_id"],
            start_date="2026-05-01",
            end_date="2026-05-01",
        )
        task = {"advertiser_id": ADVERTISER, "task_id": created["data"]["task_id"]}
        url, headers = f"{stand.sandbox.base_url}/report/task/download/", {"Access-Token": "TOKEN"}

        async with stand.session.get(url, params=task, headers=headers) as response:
            body = await response.read()

        assert response.status == 200
        assert 0 < body.count(b"\n") < 9


async def test_a_file_may_drip() -> None:
    async with _stand({"kind": "drip", "path": "*/download/"}) as stand:
        created = await stand.post(
            "/report/task/create/",
            advertiser_id=ADVERTISER,
            report_type="BASIC",
            data_level="AUCTION_ADVERTISER",
            dimensions=["advertiser_id"],
            start_date="2026-05-01",
            end_date="2026-05-01",
        )
        task = {"advertiser_id": ADVERTISER, "task_id": created["data"]["task_id"]}
        url, headers = f"{stand.sandbox.base_url}/report/task/download/", {"Access-Token": "TOKEN"}

        async with stand.session.get(url, params=task, headers=headers) as response:
            assert (await response.read()).count(b"\n") == 2


@pytest.mark.parametrize(
    ("faults", "ahead"), [([], 0), ([{"kind": "clock_skew", "seconds": 90}], 90)]
)
async def test_the_date_is_that_of_tiktok_s_clock(faults: list[dict[str, Any]], ahead: int) -> None:
    async with _stand(*faults) as stand:
        url = f"{stand.sandbox.base_url}/user/info/"
        async with stand.session.get(url, headers={"Access-Token": "TOKEN"}) as response:
            said = parsedate_to_datetime(response.headers["Date"])

        assert said.timestamp() == NOON + ahead


async def test_cut_ids_are_said_in_a_header() -> None:
    async with _stand(most_ids=3) as stand:
        url = f"{stand.sandbox.base_url}/report/integrated/get/"
        query = {
            "advertiser_id": ADVERTISER,
            "report_type": "BASIC",
            "data_level": "AUCTION_AD",
            "dimensions": '["ad_id"]',
            "start_date": "2026-05-01",
            "end_date": "2026-05-01",
        }

        async with stand.session.get(
            url, params=query, headers={"Access-Token": "TOKEN"}
        ) as response:
            assert "20k" in response.headers["X-Tt-Ads-Throttle"]


async def test_a_stand_in_plays_the_accounts_it_is_given() -> None:
    ads = StillWorld(NOON, small_account(NOON, "42"))
    async with (
        running(SandboxSettings(), StandingClock(), ads=ads) as sandbox,
        ClientSession() as session,
    ):
        stand = Stand(sandbox, session)

        said = await stand.get("/campaign/get/", advertiser_id="42")

        assert {row["advertiser_id"] for row in said["data"]["list"]} == {"42"}
        assert sandbox.world.ads is ads
