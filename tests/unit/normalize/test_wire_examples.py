"""TikTok's own examples, already normalized, come out as they went in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from relay.model import Event, EventSource, FieldIssue
from relay.normalize.event import Normalizer
from relay.normalize.policy import Policy
from tests.unit.normalize.sending import NOW

_FILE = Path(__file__).parents[2] / "vectors" / "wire_examples.json"
ITEMS = [
    pytest.param(EventSource(request["event_source"]), item, id=f"{request['name']} {index}")
    for request in json.loads(_FILE.read_text())["requests"]
    for index, item in enumerate(request["data"])
]


@pytest.mark.parametrize(("source", "item"), ITEMS)
def test_an_example_passes_unchanged(source: EventSource, item: dict[str, Any]) -> None:
    event = Normalizer(Policy("shop", source))(item, now=NOW + 1000)

    assert isinstance(event, Event)
    assert event.issues == (() if "event_id" in item else (FieldIssue("event_id", "derived"),))
    sent = orjson.loads(event.wire)
    # What the relay adds: an id by which a repeat is recognised.
    assert sent == {"event_id": event.event_id, **_as_sent(item)}


def _as_sent(item: dict[str, Any]) -> dict[str, Any]:
    """An array of one identifier is sent as that identifier (TikTok takes both), and a click id
    that is in the URL only also where TikTok looks for it."""
    user = {
        key: value[0] if isinstance(value, list) and len(value) == 1 else value
        for key, value in item.get("user", {}).items()
    }
    url = item.get("page", {}).get("url", "")
    if "ttclid=" in url:
        user.setdefault("ttclid", url.partition("ttclid=")[2])
    return {**item, "user": user} if user else item
