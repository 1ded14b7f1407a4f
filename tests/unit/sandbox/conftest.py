"""What the tests of the stand-in share: requests as they travel, and a world to send them to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest

from relay.sandbox import events, gateway
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
