"""Two relays' dispatchers of one destination, with journals of their own and one PostgreSQL."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpServer

from relay import assembly
from relay.clock import SystemClock
from relay.config import load
from relay.deliver.breaker import LaneState
from relay.deliver.http import Sender
from relay.deliver.lane import Lane
from relay.deliver.plan import LanePolicy
from relay.deliver.shared.postgres import Sharing
from relay.journal.rocksdb import RocksJournal
from relay.pipeline.accept import Acceptor
from relay.pipeline.dispatch import Dispatcher, Outside
from relay.postgres.database import Database
from relay.telemetry import Telemetry, open_log

pytestmark = pytest.mark.needs("postgres")

LONG_S = 30.0

CONFIG = """
[journal]
path = "{path}/journal"
min_free_bytes = "1MiB"

[[destinations]]
name = "web"
event_source = "web"
event_source_id = "PIXEL1"
access_token = "file:{path}/token"
page_url = "https://shop.example/"
linger = "0ms"

[[sources]]
name = "backend"
kind = "canonical"
destination = "web"
keys = ["env:KEY"]
"""


@dataclass
class House:
    """One relay's journal, lane and dispatcher."""

    token: Path
    acceptor: Acceptor
    journal: RocksJournal
    lane: Lane
    log: io.BytesIO

    async def take(self, event_id: str) -> None:
        event = {
            "event": "Purchase",
            "event_time": int(SystemClock().now()),
            "event_id": event_id,
            "user": {"email": "ada@example.com"},
            "properties": {"value": 12.5, "currency": "EUR"},
        }
        await self.acceptor.conversions("backend", orjson.dumps(event))

    @property
    def waiting(self) -> int:
        return self.journal.counts()["web"].waiting


@asynccontextmanager
async def a_relay(
    name: str, folder: Path, dsn: str, tiktok: str, *, token: str = "old"
) -> AsyncIterator[House]:
    path = folder / name
    path.mkdir()
    (path / "token").write_text(token)
    (path / "relay.toml").write_text(CONFIG.format(path=path))
    settings = load(path / "relay.toml", {"KEY": "key"})
    clock, stream = SystemClock(), io.BytesIO()
    log = open_log("info", "json", monotonic=clock.monotonic, stream=stream)
    telemetry = Telemetry(version="test", now=clock.now)
    async with AsyncExitStack() as stack:
        journal = await stack.enter_async_context(
            RocksJournal(assembly.journal_settings_of(settings), clock)
        )
        sender = await stack.enter_async_context(Sender(tiktok, total_timeout_s=5))
        database = await stack.enter_async_context(Database(lambda: dsn))
        web_ = settings.destinations[0]
        sharing = Sharing(database, clock, replica=name)
        budget = sharing.budget("web", "one token", ceiling=50, floor=0.1)
        lane = Lane(LanePolicy(probe_every_s=600), budget)
        outside = Outside(journal, sender, clock, telemetry, log, sharing=sharing)
        dispatcher = Dispatcher(web_, web_.access_token, lane, outside)
        acceptor = Acceptor(
            assembly.routes_of(settings),
            {"web": web_},
            assembly.normalizers_of(settings),
            journal,
            max_events=100,
            clock=clock,
            telemetry=telemetry,
            log=log,
        )
        tasks = [asyncio.create_task(sharing.run()), asyncio.create_task(dispatcher.run())]
        try:
            yield House(path / "token", acceptor, journal, lane, stream)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class TikTok:
    """Remembers the tokens it was shown, and takes those that are good."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.good: set[str] = set()

    async def serve(self, start: AiohttpServer) -> str:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._answer)
        server = await start(app)
        return str(server.make_url("")).rstrip("/")

    async def _answer(self, request: web.Request) -> web.Response:
        await request.read()
        token = request.headers["Access-Token"]
        self.tokens.append(token)
        code = 0 if token in self.good else 40105
        return web.json_response({"code": code, "message": "OK" if code == 0 else "expired"})


async def until(wanted: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONG_S):
        while not wanted():  # noqa: ASYNC110  # state of the relay, which tells nobody
            await asyncio.sleep(0.01)


async def test_a_dead_token_stops_both_relays_and_a_renewed_one_at_one_of_them_starts_both(
    database: str, tmp_path: Path, aiohttp_server: AiohttpServer
) -> None:
    tiktok = TikTok()
    url = await tiktok.serve(aiohttp_server)

    async with (
        a_relay("one", tmp_path, database, url) as one,
        a_relay("two", tmp_path, database, url) as two,
    ):
        await one.take("first")
        await until(lambda: one.lane.status.state is LaneState.PAUSED_CREDENTIAL)
        await until(lambda: two.lane.status.state is LaneState.PAUSED_CREDENTIAL)
        assert two.lane.status.cause is not None
        assert two.lane.status.cause.code == 40105

        tiktok.good.add("new")
        one.token.write_text("new")

        await until(lambda: one.waiting == 0)
        await until(lambda: two.lane.status.state is LaneState.RUNNING)
        assert tiktok.tokens == ["old", "new"]
        two.token.write_text("new")
        await two.take("second")
        await until(lambda: two.waiting == 0)
        for house in (one, two):
            changes = [
                line for line in house.log.getvalue().splitlines() if b"lane.changed" in line
            ]
            states = [orjson.loads(line)["state"] for line in changes]
            assert states == ["paused_credential", "running"]


async def test_a_relay_that_is_started_with_a_new_token_resumes_those_that_were_stopped(
    database: str, tmp_path: Path, aiohttp_server: AiohttpServer
) -> None:
    tiktok = TikTok()
    tiktok.good.add("new")
    url = await tiktok.serve(aiohttp_server)

    async with a_relay("old", tmp_path, database, url) as old:
        await old.take("first")
        await until(lambda: old.lane.status.state is LaneState.PAUSED_CREDENTIAL)

        async with a_relay("new", tmp_path, database, url, token="new") as new:
            await new.take("second")
            await until(lambda: new.waiting == 0)
            assert tiktok.tokens[0] == "old"
            assert "new" in tiktok.tokens
