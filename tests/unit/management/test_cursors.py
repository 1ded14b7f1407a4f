"""Lists that are read by cursors instead of pages: no endpoint of the sandbox is one."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from relay.management import Client
from relay.management.errors import PageChanged
from tests.unit.management.conftest import ACCOUNT, TOKEN, HandClock


async def a_client(aiohttp_server: AiohttpServer, pages: dict[str, Any]) -> Client:
    """A client of a server that has these pages of campaigns, by cursor."""

    async def campaigns(request: web.Request) -> web.Response:
        rows, cursor, total = pages[request.query.get("cursor", "")]
        info = {"has_more": cursor is not None, "cursor": cursor, "total_number": total}
        listed = [{"campaign_id": each} for each in rows]
        return web.json_response({"code": 0, "data": {"list": listed, "page_info": info}})

    app = web.Application()
    app.router.add_get("/open_api/v1.3/campaign/get/", campaigns)
    server = await aiohttp_server(app)
    return Client(TOKEN, base_url=str(server.make_url("/open_api/v1.3")), clock=HandClock())


async def test_cursors_are_followed_to_the_end(aiohttp_server: AiohttpServer) -> None:
    pages = {"": ([1, 2], "a", 5), "a": ([3, 4], 7, 5), "7": ([5], None, 5)}
    async with await a_client(aiohttp_server, pages) as tiktok:
        found = [each.campaign_id async for each in tiktok.campaigns(ACCOUNT)]

    assert found == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    "pages",
    [
        {"": ([1, 2], "a", 5), "a": ([3], None, 5)},
        {"": ([1, 2], "a", 3), "a": ([2], None, 3)},
        {"": ([1, 2], "a", 9), "a": ([3], "b", 9), "b": ([4], "a", 9)},
        {"": ([1, 2], "a", 9), "a": ([], "b", 9), "b": ([4], None, 9)},
    ],
    ids=["lost", "repeated", "in circles", "empty"],
)
async def test_a_list_by_cursors_has_to_prove_itself_too(
    aiohttp_server: AiohttpServer, pages: dict[str, Any]
) -> None:
    async with await a_client(aiohttp_server, pages) as tiktok:
        with pytest.raises(PageChanged):
            await tiktok.campaigns(ACCOUNT).all()
