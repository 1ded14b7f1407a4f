"""The strict types of TikTok's request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from relay import wire

DIGEST = "848a771458438fc2ec420560d769fb9b9b86851ee338ec56517baabd79d3bb4f"

Make = Callable[..., dict[str, Any]]


def _put(document: Any, path: str, value: object) -> None:
    *way, last = path.split(".")
    for step in way:
        document = document.setdefault(step, {})
    document[last] = value


def test_every_documented_request_is_accepted(example: Any) -> None:
    wire.REQUEST.validate_python(example)


def test_keys_tiktok_does_not_list_are_tolerated(a_request: Make) -> None:
    request = a_request("a", device={"platform": "ios"}, properties={"gtm_version": "2"})
    request["partner_name"] = "Somebody"

    wire.REQUEST.validate_python(request)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("event", ""),
        ("event", 5),
        ("event_id", 100045),
        ("event_id", None),
        ("event_id", ""),
        ("event_time", "1780000000"),
        ("event_time", 1780000000.0),
        ("event_time", True),
        ("event_time", 1780000000000),
        ("event_time", 0),
        ("event_time", None),
        ("user", None),
        ("user.email", "alice@shop.example"),
        ("user.email", DIGEST.upper()),
        ("user.email", DIGEST + "\n"),
        ("user.email", []),
        ("user.email", [DIGEST, "alice@shop.example"]),
        ("user.email", None),
        ("user.phone", "+12133734253"),
        ("user.first_name", [DIGEST]),
        ("user.zip_code", "95110"),
        ("user.ip", 1),
        ("user.idfa", "ea7583cd-a667-48bc-b806-42ecb2b48606"),
        ("user.gaid", "38400000-8CF0-11BD-B23E-10B96E40000D"),
        ("user.att_status", "YES"),
        ("properties.value", "46.00"),
        ("properties.value", True),
        ("properties.value", None),
        ("properties.value", float("inf")),
        ("properties.currency", "usd"),
        ("properties.content_type", "products"),
        ("properties.customer_type", "old"),
        ("properties.content_ids", [1]),
        ("properties.num_items", 2.5),
        ("properties.contents", {"content_id": "1"}),
        ("properties.contents", [{"content_id": 1}]),
        ("properties.contents", [{"price": "8"}]),
        ("properties.contents", [{"price": None}]),
        ("properties.contents", [{"quantity": True}]),
        ("page.url", "shop.example/thanks"),
        ("page.url", None),
        ("ad.attribution_share", 1.5),
        ("ad.attributed", "true"),
        ("limited_data_use", "false"),
        ("limited_data_use", 0),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(a_request: Make, path: str, value: object) -> None:
    request = a_request("a")
    _put(request["data"][0], path, value)

    with pytest.raises(ValidationError):
        wire.REQUEST.validate_python(request)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("user.email", DIGEST),
        ("user.email", [DIGEST, DIGEST]),
        ("user.idfa", "EA7583CD-A667-48BC-B806-42ECB2B48606"),
        ("user.idfa", DIGEST),
        ("user.gaid", "38400000-8cf0-11bd-b23e-10b96e40000d"),
        ("properties.value", 0),
        ("properties.value", 12.5),
        ("properties.value", -3),
        ("page.url", "android-app://com.shop/x"),
        ("event_id", "0"),
    ],
)
def test_a_value_of_the_right_kind_passes(a_request: Make, path: str, value: object) -> None:
    request = a_request("a")
    _put(request["data"][0], path, value)

    wire.REQUEST.validate_python(request)


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("web", {"page": {"url": "https://a.example"}}),
        ("app", {"app": {"app_id": "1"}}),
        ("crm", {"lead": {"lead_id": "7"}}),
    ],
)
def test_each_event_source_has_its_own_required_part(source: str, part: dict[str, Any]) -> None:
    event = {"event": "Purchase", "event_time": 1_780_000_000}
    request = {"event_source": source, "event_source_id": "1", "data": [event]}
    with pytest.raises(ValidationError):
        wire.REQUEST.validate_python(request)
    ((name, inner),) = part.items()
    with pytest.raises(ValidationError):
        wire.REQUEST.validate_python({**request, "data": [{**event, name: {}}]})

    wire.REQUEST.validate_python({**request, "data": [{**event, name: inner}]})


@pytest.mark.parametrize("events", [0, 1001])
def test_a_request_brings_one_to_a_thousand_events(a_request: Make, events: int) -> None:
    request = a_request("a")
    request["data"] = request["data"] * events

    with pytest.raises(ValidationError):
        wire.REQUEST.validate_python(request)


def test_an_error_never_shows_what_was_sent(a_request: Make) -> None:
    request = a_request("a", user={"email": "alice@shop.example"})

    with pytest.raises(ValidationError) as caught:
        wire.REQUEST.validate_python(request)

    assert "alice" not in str(caught.value)


def test_the_schema_describes_the_four_event_sources() -> None:
    schema = wire.schema()

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(schema["discriminator"]["mapping"]) == {"web", "app", "offline", "crm"}
    assert schema["$defs"]["WebEvent"]["required"] == ["event", "event_time", "page"]
    assert schema["$defs"]["CrmEvent"]["required"] == ["event", "event_time", "lead"]
    assert schema["$defs"]["WebRequest"]["properties"]["data"]["maxItems"] == 1000
    assert schema["$defs"]["WireUser"]["additionalProperties"] is True
