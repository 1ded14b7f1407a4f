"""The stand-in over a socket: what a client sees. Time is owned, so that nothing waits."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import (
    ClientConnectionResetError,
    ClientOSError,
    ClientSession,
    ClientTimeout,
    ServerDisconnectedError,
)
from aiohttp.test_utils import TestClient, TestServer

from relay.sandbox.http import Running, create_app, running, serve
from relay.sandbox.settings import SandboxSettings

Make = Callable[..., dict[str, Any]]

HEADERS = {"Access-Token": "TOKEN", "Content-Type": "application/json"}
RESETS = (ClientOSError, ServerDisconnectedError, ClientConnectionResetError)


class OwnedClock:
    """A clock that stands still, and whose sleeps are only noted; `forever` never wakes."""

    def __init__(self, *, forever: bool = False) -> None:
        self.slept: list[float] = []
        self.forever = forever
        self.asleep = asyncio.Event()
        self.let_go = asyncio.Event()

    def now(self) -> float:
        return 1_780_000_000.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.asleep.set()
        try:
            if self.forever:
                await asyncio.Event().wait()
        finally:
            self.let_go.set()


class Stand:
    """A running stand-in and a client of it."""

    def __init__(self, sandbox: Running, session: ClientSession, clock: OwnedClock) -> None:
        self.sandbox, self.session, self.clock = sandbox, session, clock

    async def track(self, document: object, **headers: str) -> tuple[int, bytes]:
        body = document if isinstance(document, bytes) else orjson.dumps(document)
        url = f"{self.sandbox.base_url}/event/track/"
        async with self.session.post(url, data=body, headers=HEADERS | headers) as response:
            return response.status, await response.read()

    async def ask(self, method: str, path: str, document: object = None) -> Any:
        body = None if document is None else orjson.dumps(document)
        async with self.session.request(method, self.sandbox.url + path, data=body) as response:
            return await response.json()


@asynccontextmanager
async def _stand(*, forever: bool = False, **settings: Any) -> AsyncIterator[Stand]:
    clock = OwnedClock(forever=forever)
    async with (
        running(SandboxSettings.model_validate(settings), clock) as sandbox,
        ClientSession(timeout=ClientTimeout(total=5)) as session,
    ):
        yield Stand(sandbox, session, clock)


def _with(*faults: dict[str, Any]) -> dict[str, Any]:
    return {"faults": {"faults": faults}}


async def test_an_event_sent_is_an_event_seen(a_request: Make) -> None:
    async with _stand() as stand:
        status, body = await stand.track(a_request("a"))

        assert (status, orjson.loads(body)["code"]) == (200, 0)
        events = (await stand.ask("GET", "/sandbox/events?event_id=a"))["events"]
        assert [event["effect"] for event in events] == ["effect"]
        assert stand.clock.slept == []


async def test_a_token_goes_into_its_own_header(a_request: Make) -> None:
    async with _stand() as stand:
        _, body = await stand.track(a_request("a"), **{"Access-Token": ""})
        assert orjson.loads(body)["code"] == 40104

        _, body = await stand.track(a_request("a"), **{"Content-Type": "text/plain"})
        assert orjson.loads(body)["code"] == 40002


async def test_a_compressed_body_is_refused(a_request: Make) -> None:
    async with _stand() as stand:
        body = gzip.compress(orjson.dumps(a_request("a")))

        status, answer = await stand.track(body, **{"Content-Encoding": "gzip"})

        assert (status, orjson.loads(answer)["code"]) == (200, 40002)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/open_api/v1.3/event/track"),
        ("GET", "/open_api/v1.3/event/track/"),
        ("POST", "/open_api/v1.2/event/track/"),
        ("GET", "/"),
        ("GET", "/sandbox/nothing"),
        ("DELETE", "/sandbox/events"),
    ],
)
async def test_an_unknown_route_is_40400(method: str, path: str) -> None:
    async with _stand() as stand:
        answer = await stand.ask(method, path)

        assert answer["code"] == 40400


async def test_a_body_that_is_too_large_is_413(a_request: Make) -> None:
    async with _stand(max_body_bytes=100) as stand:
        status, _ = await stand.track(a_request("a"))

        assert status == 413


async def test_latency_is_slept_once_the_events_are_counted(a_request: Make) -> None:
    async with _stand(**_with({"kind": "latency", "median_s": 30})) as stand:
        status, _ = await stand.track(a_request("a"))

        assert status == 200
        assert stand.clock.slept == [30.0]


@pytest.mark.parametrize(
    ("fault", "effects"),
    [
        ({"kind": "reset"}, 0),
        ({"kind": "reset", "received": True}, 1),
        ({"kind": "reset", "before_body": True}, 0),
        ({"kind": "hang"}, 0),
        ({"kind": "hang", "received": True}, 1),
    ],
)
async def test_a_reset_connection_is_seen_as_one(
    fault: dict[str, Any], effects: int, a_request: Make
) -> None:
    async with _stand(**_with(fault)) as stand:
        with pytest.raises(RESETS):
            await stand.track(a_request("a"))

        summary = await stand.ask("GET", "/sandbox/summary")
        assert summary["effects"] == effects
        assert summary["by_status"] == {"none": 1}
        assert summary["by_fault"] == {fault["kind"]: 1}


async def test_an_answer_that_drips_is_whole_in_the_end(a_request: Make) -> None:
    async with _stand(**_with({"kind": "drip", "seconds_per_byte": 0.5})) as stand:
        status, body = await stand.track(a_request("a"))

        assert (status, orjson.loads(body)["code"]) == (200, 0)
        assert stand.clock.slept == [0.5] * len(body)


async def test_429_carries_retry_after(a_request: Make) -> None:
    fault = {"kind": "limit", "per_second": 1, "answer": "http", "retry_after_s": 7}
    async with _stand(**_with(fault)) as stand:
        await stand.track(a_request("a"))
        url = f"{stand.sandbox.base_url}/event/track/"

        async with stand.session.post(url, json=a_request("b"), headers=HEADERS) as response:
            assert response.status == 429
            assert response.headers["Retry-After"] == "7"
            assert response.content_type == "text/html"


async def test_faults_can_be_put_and_taken_away_while_it_runs(a_request: Make) -> None:
    async with _stand() as stand:
        await stand.ask("PUT", "/sandbox/faults", {"profile": "html502"})
        assert (await stand.track(a_request("a")))[0] == 502

        await stand.ask("PUT", "/sandbox/faults", [])
        assert (await stand.track(a_request("a")))[0] == 200


async def test_a_client_that_gives_up_is_let_go(a_request: Make) -> None:
    async with _stand(forever=True, **_with({"kind": "hang"})) as stand:
        call = asyncio.create_task(stand.track(a_request("a")))
        await stand.clock.asleep.wait()
        assert stand.sandbox.world.open_calls == 1

        call.cancel()

        with pytest.raises(asyncio.CancelledError):
            await call
        await stand.clock.let_go.wait()
        assert stand.sandbox.world.open_calls == 0
        assert stand.sandbox.world.received.most_open_calls == 1


async def test_stopping_does_not_wait_for_those_who_hang(a_request: Make) -> None:
    async with _stand(forever=True, **_with({"kind": "hang"})) as stand:
        call = asyncio.create_task(stand.track(a_request("a")))
        await stand.clock.asleep.wait()

    with pytest.raises((*RESETS, asyncio.CancelledError, RuntimeError)):
        await call


async def test_serve_tells_its_address_and_stops_when_told() -> None:
    stop: asyncio.Event = asyncio.Event()
    said: list[Running] = []

    def ready(sandbox: Running) -> None:
        said.append(sandbox)
        stop.set()

    await serve(SandboxSettings(), OwnedClock(), port=0, ready=ready, stop=stop)

    assert said[0].base_url.startswith("http://127.0.0.1:")
    assert said[0].base_url.endswith("/open_api/v1.3")


async def test_a_seed_makes_chance_repeatable(a_request: Make) -> None:
    fault = {"kind": "code", "codes": [50000, 50002], "probability": 0.5}

    async def codes() -> list[int]:
        async with _stand(seed=1, **_with(fault)) as stand:
            answers = [await stand.track(a_request(f"{n}")) for n in range(20)]
            return [orjson.loads(body)["code"] for _, body in answers]

    first = await codes()
    assert first == await codes()
    assert set(first) == {0, 50000, 50002}


async def test_the_application_can_be_served_by_anyone(a_request: Make) -> None:
    app = create_app(SandboxSettings(light=True), OwnedClock())
    async with TestClient(TestServer(app)) as client:
        url = "/open_api/v1.3/event/track/"

        response = await client.post(url, data=orjson.dumps(a_request("a")), headers=HEADERS)

        assert (await response.json())["code"] == 0


async def test_nothing_is_logged_of_what_was_sent(
    a_request: Make, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    async with _stand() as stand:
        await stand.track(a_request("secret-id", user={"email": "alice@shop.example"}))
        await stand.track(b"{secret-id", **{"Access-Token": "secret-token"})

    printed = caplog.text + "".join(capfd.readouterr())
    assert "secret" not in printed
    assert "alice" not in printed
