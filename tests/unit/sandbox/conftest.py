"""What the tests of the stand-in share: requests as they travel, and a world to send them to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from relay.sandbox import events, gateway
from relay.sandbox.ads.model import Advertiser
from relay.sandbox.ads.still import StillWorld, small_account
from relay.sandbox.http import FAMILIES
from relay.sandbox.marketing.door import PREFIX
from relay.sandbox.settings import SandboxSettings
from relay.sandbox.world import Call, Reply, World

NOON = 1_780_000_000.0

#: Requests by name: made of TikTok's documented fields and of what public integrations send.
EXAMPLES: dict[str, Any] = json.loads((Path(__file__).parent / "requests.json").read_text())


@pytest.fixture(params=list(EXAMPLES))
def example(request: pytest.FixtureRequest) -> Any:
    return deepcopy(EXAMPLES[request.param])


@pytest.fixture
def examples() -> dict[str, Any]:
    return deepcopy(EXAMPLES)


@pytest.fixture
def a_request() -> Callable[..., dict[str, Any]]:
    """`a_request("a", "b", event=…)`: a web request with one right event for each id."""

    def make(*event_ids: str, **changes: object) -> dict[str, Any]:
        event = {
            "event": "Purchase",
            "event_time": 1_780_000_000,
            "page": {"url": "https://shop.example/thanks"},
            **changes,
        }
        data = [{**deepcopy(event), "event_id": event_id} for event_id in event_ids or ("a",)]
        return {"event_source": "web", "event_source_id": "C0PIXEL", "data": data}

    return make


@pytest.fixture
def a_world() -> Callable[..., World]:
    """A world with these settings, started at noon; `rolls` are the chances it will get."""

    def make(*rolls: float, **settings: Any) -> World:
        chances = iter(rolls)
        return World(
            SandboxSettings.model_validate(settings),
            started_at=NOON,
            roll=lambda: next(chances),
        )

    return make


@pytest.fixture
def send() -> Callable[..., Reply]:
    """Send a document, or raw bytes, `at` seconds after noon, and get the reply."""

    def make(
        world: World, document: object, *, at: float = 0.0, token: str | None = "TOKEN", **call: str
    ) -> Reply:
        body = document if isinstance(document, bytes) else orjson.dumps(document)
        sent = Call(
            "POST",
            call.get("path", events.PATH),
            {},
            token,
            call.get("content_type", "application/json"),
            call.get("content_encoding", ""),
            body,
        )
        return gateway.answer_call(world, events.ROUTES[0], sent, now=NOON + at)

    return make


@pytest.fixture
def track(send: Callable[..., Reply]) -> Callable[..., Mapping[str, Any]]:
    """As `send`, but gives TikTok's envelope."""

    def make(world: World, document: object, **kw: Any) -> Mapping[str, Any]:
        reply = send(world, document, **kw)
        assert reply.status == 200
        assert not reply.resets
        envelope: Mapping[str, Any] = orjson.loads(reply.body)
        return envelope

    return make


ADVERTISER = "7106541027904733185"
OTHER = "7002238017842757633"
PIXEL = "7291000000000000077"
BC = "7212000000000000010"

#: The routes of the Marketing API, by method and path.
MARKETING = {(route.method, route.path): route for family in FAMILIES for route in family}


def _queried(parameters: Mapping[str, object]) -> dict[str, str]:
    """A query as it travels: what is no text is JSON."""
    return {
        name: value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in parameters.items()
    }


@pytest.fixture
def an_account() -> Callable[..., Advertiser]:
    """The small account, with as many ads as wanted beside its eight."""

    def make(advertiser_id: str = ADVERTISER, *, more_ads: int = 0) -> Advertiser:
        account = small_account(NOON, advertiser_id)
        last = max(account.ads.values(), key=lambda ad: ad.ad_id)
        for number in range(1, more_ads + 1):
            ad_id = str(int(last.ad_id) + number)
            at = last.create_time + number
            account.ads[ad_id] = replace(
                last, ad_id=ad_id, ad_name=f"More {number}", create_time=at
            )
        return account

    return make


@pytest.fixture
def a_market(an_account: Callable[..., Advertiser]) -> Callable[..., World]:
    """A world with these accounts (the small one by default) and these settings of the Marketing
    API; without limits where none are given."""

    def make(*accounts: Advertiser, faults: object = (), **marketing: Any) -> World:
        settings = SandboxSettings.model_validate(
            {
                "marketing": {"calls_per_second": 0, "tasks_per_second": 0} | marketing,
                "faults": {"faults": faults},
            }
        )
        ads = StillWorld(NOON, *(accounts or (an_account(),)))
        return World(settings, started_at=NOON, roll=lambda: 0.5, ads=ads)

    return make


@pytest.fixture
def call() -> Callable[..., Reply]:
    """Ask `GET path?…`, or `POST path` where there is a `body`, `at` seconds after noon."""

    def make(
        world: World,
        path: str,
        *,
        at: float = 0.0,
        token: str | None = "TOKEN",
        body: object = None,
        **query: object,
    ) -> Reply:
        whole = path if path.startswith(("/portal", "/wsos")) else f"{PREFIX}{path}"
        method = "GET" if body is None else "POST"
        named = "/wsos_v2/statistics/object/{name}" if path.startswith("/wsos") else whole
        sent = Call(
            method,
            whole,
            _queried(query),
            token,
            "application/json",
            "",
            b"" if body is None else orjson.dumps(body),
            "http://tiktok.example",
        )
        return gateway.answer_call(world, MARKETING[method, named], sent, now=NOON + at)

    return make


@pytest.fixture
def ask(call: Callable[..., Reply]) -> Callable[..., Any]:
    """As `call`, but gives the envelope."""

    def make(world: World, path: str, **kw: Any) -> Any:
        reply = call(world, path, **kw)
        assert reply.status == 200
        return orjson.loads(reply.body)

    return make


@pytest.fixture
def data(ask: Callable[..., Any]) -> Callable[..., Any]:
    """As `ask`, but gives the `data` of a good answer."""

    def make(world: World, path: str, **kw: Any) -> Any:
        said = ask(world, path, **kw)
        assert (said["code"], said["message"]) == (0, "OK")
        return said["data"]

    return make
