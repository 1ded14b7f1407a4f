"""What the stand-in refuses, in which words, and that a refusal takes the whole request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from relay.sandbox.refusals import STANDARD_EVENTS
from relay.sandbox.world import World

DIGEST = "848a771458438fc2ec420560d769fb9b9b86851ee338ec56517baabd79d3bb4f"

Make = Callable[..., dict[str, Any]]
Worlds = Callable[..., World]
Track = Callable[..., Mapping[str, Any]]


def test_every_documented_request_is_accepted_and_counted(
    example: Any, a_world: Worlds, track: Track
) -> None:
    world = a_world()

    assert track(world, example)["code"] == 0
    assert world.received.totals.events == len(example["data"])


def test_an_answer_has_tiktoks_envelope(a_world: Worlds, a_request: Make, track: Track) -> None:
    envelope = track(a_world(), a_request("a"))

    assert envelope["code"] == 0
    assert envelope["message"] == "OK"
    assert envelope["data"] == {}
    assert envelope["request_id"].startswith("20260528202640")
    assert len(envelope["request_id"]) == 32


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"event_id": 7}, 40002, "Batch.1.event_id: Not a valid string"),
        ({"event_time": "1780000000"}, 40002, "Batch.1.event_time: Not a valid integer"),
        ({"event": None}, 40002, "Batch.1.event: Not a valid string"),
        ({"event": "-x"}, 40002, "Batch.1.event: Not a valid event name"),
        ({"event": "x" * 51}, 40002, "Batch.1.event: Not a valid event name"),
        ({"page": {}}, 40002, "Batch.1.page.url: Missing data for required field"),
        ({"page": "x"}, 40002, "Batch.1.page: Invalid input type"),
        (
            {"properties": {"contents": [{"content_id": 5}]}},
            40002,
            "Batch.1.properties.contents.0.content_id: Not a valid string",
        ),
        ({"properties": {"value": "46"}}, 40002, "Batch.1.properties.value: Not a valid number"),
        ({"properties": {"contents": 5}}, 40002, "Batch.1.properties.contents: Not a valid list"),
        (
            {"properties": {"content_type": "x"}},
            40002,
            "Batch.1.properties.content_type: Not a valid choice",
        ),
        ({"properties": {"contents": [{"price": None}]}}, 40000, "Invalid Price Field"),
        ({"properties": {"contents": [{"price": "8"}]}}, 40000, "Invalid Price Field"),
        ({"user": {"email": "a@shop.example"}}, 40062, "Batch.1.user.email: PII is not hashed"),
        ({"user": {"phone": ["+1213"]}}, 40062, "Batch.1.user.phone.0: PII is not hashed"),
        ({"user": {"zip_code": "95110"}}, 40062, "Batch.1.user.zip_code: PII is not hashed"),
        ({"user": {"external_id": "u1"}}, 40062, "Batch.1.user.external_id: PII is not hashed"),
        ({"user": {"email": 5}}, 40002, "Batch.1.user.email: Not a valid string"),
        ({"limited_data_use": "no"}, 40002, "Batch.1.limited_data_use: Not a valid boolean"),
        (
            {"properties": {"currency": "usd"}},
            40002,
            "Batch.1.properties.currency: String does not match expected pattern",
        ),
    ],
)
def test_one_bad_event_refuses_the_request_and_is_named(
    changes: dict[str, Any],
    code: int,
    message: str,
    a_world: Worlds,
    a_request: Make,
    track: Track,
) -> None:
    world, request = a_world(), a_request("a", "b", "c")
    request["data"][1].update(changes)

    envelope = track(world, request)

    assert (envelope["code"], envelope["message"]) == (code, message)
    assert world.received.totals.events == 0
    assert not world.received.events


def test_the_other_form_of_a_refusal_names_the_field_only(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world, request = a_world(names_index=False), a_request("a", "b")
    request["data"][1]["event_id"] = 7

    assert track(world, request)["message"] == "Invalid value for event_id: not a valid string."


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("event_source_id", 7, "Invalid value for event_source_id: not a valid string."),
        (
            "event_source_id",
            ...,
            "Invalid value for event_source_id: missing data for required field.",
        ),
        ("event_source", "tv", "Invalid value for event_source: not a valid choice."),
        ("event_source", ..., "Invalid value for event_source: not a valid choice."),
        ("data", {}, "Invalid value for data: not a valid list."),
        ("data", ..., "Invalid value for data: missing data for required field."),
        ("data", [], "Invalid value for data: shorter than minimum length 1."),
        ("data", [5], "Invalid value for data: Invalid input type."),
        ("test_event_code", 5, "Invalid value for test_event_code: not a valid string."),
    ],
)
def test_a_mistake_of_the_request_itself_is_named(
    field: str, value: object, message: str, a_world: Worlds, a_request: Make, track: Track
) -> None:
    request = a_request("a")
    request.pop(field, None) if value is ... else request.update({field: value})

    envelope = track(a_world(), request)

    assert (envelope["code"], envelope["message"]) == (40002, message)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"a": NaN}'])
def test_what_is_no_json_object_is_refused(body: bytes, a_world: Worlds, track: Track) -> None:
    assert track(a_world(), body)["code"] == 40002


@pytest.mark.parametrize("call", [{"content_type": "text/plain"}, {"content_encoding": "gzip"}])
def test_what_is_not_declared_as_plain_json_is_refused(
    call: dict[str, str], a_world: Worlds, a_request: Make, track: Track
) -> None:
    assert track(a_world(), a_request("a"), **call)["code"] == 40002


@pytest.mark.parametrize(("code", "light"), [(40061, False), (40002, False), (40061, True)])
def test_more_than_a_thousand_events_are_all_rejected(
    code: int, light: bool, a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world(oversize_code=code, light=light)
    ids = [str(i) for i in range(1001)]

    assert track(world, a_request(*ids))["code"] == code
    assert world.received.totals.events == 0
    assert track(world, a_request(*ids[1:]))["code"] == 0
    assert world.received.totals.effects == 1000


def test_a_request_without_a_token_is_refused(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world()

    assert track(world, a_request("a"), token=None)["code"] == 40104
    assert track(world, a_request("a"), token="")["code"] == 40104


def test_a_token_may_be_revoked_or_expired(a_world: Worlds, a_request: Make, track: Track) -> None:
    rules = [{"token": "OLD", "state": "revoked"}, {"token": "STALE", "state": "expired"}]
    world = a_world(access={"tokens": rules})

    assert track(world, a_request("a"), token="OLD")["message"] == (
        "Access token is incorrect or has been revoked."
    )
    assert track(world, a_request("a"), token="OLD")["code"] == 40105
    assert track(world, a_request("a"), token="STALE")["code"] == 40102
    assert track(world, a_request("a"), token="NEW")["code"] == 0


def test_a_token_operates_its_own_pixels_only(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    rules = [{"token": "MINE", "event_source_ids": ["C0OTHER"]}]
    world = a_world(access={"tokens": rules, "others": "revoked"})

    envelope = track(world, a_request("a"), token="MINE")

    assert envelope["code"] == 40001
    assert envelope["message"] == (
        "No permission to operate pixel code: C0PIXEL. "
        "You must be an admin or operator of this advertiser account."
    )
    assert track(world, a_request("a") | {"event_source_id": "C0OTHER"}, token="MINE")["code"] == 0
    assert track(world, a_request("a"), token="ELSE")["code"] == 40105


def test_app_events_need_the_allow_list(
    examples: dict[str, Any], a_world: Worlds, track: Track
) -> None:
    request = examples["app_installapp_ios_attributed"]

    assert track(a_world(rules={"app_allowed": False}), request)["code"] == 40118
    assert track(a_world(), request)["code"] == 0


def test_only_registered_partners_may_name_themselves(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    world = a_world(rules={"partner_names": ["Segment"]})

    assert track(world, a_request("a") | {"partner_name": "Me"})["code"] == 40063
    assert track(world, a_request("a") | {"partner_name": "Segment"})["code"] == 0
    assert track(world, a_request("a"))["code"] == 0


def test_offline_takes_standard_events_of_people_it_can_match(
    examples: dict[str, Any], a_world: Worlds, track: Track
) -> None:
    request = examples["offline_purchase"]
    assert "CompletePayment" in STANDARD_EVENTS

    request["data"][0]["event"] = "Refund"
    assert track(a_world(), request)["message"] == "Batch.0.event: Not a standard event"
    assert track(a_world(rules={"offline_standard_events": False}), request)["code"] == 0

    request["data"][0] |= {"event": "Purchase", "user": {"external_id": DIGEST}}
    assert track(a_world(), request)["message"] == "Batch.0.user: Missing email or phone"
    assert track(a_world(rules={"offline_identity": False}), request)["code"] == 0


def test_crm_names_may_be_of_any_language(
    examples: dict[str, Any], a_world: Worlds, track: Track
) -> None:
    request = examples["crm_event_minimum"]
    request["data"][0]["event"] = "gekaufter Fußboden"

    assert track(a_world(), request)["code"] == 0


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("page_url", {"page": {}}),
        ("hashed_external_id", {"user": {"external_id": "user_12345678"}}),
        ("custom_event_names", {"event": "bought it!"}),
    ],
)
def test_a_rule_whose_enforcement_nobody_has_shown_can_be_switched_off(
    rule: str, changes: dict[str, Any], a_world: Worlds, a_request: Make, track: Track
) -> None:
    assert track(a_world(), a_request("a", **changes))["code"] != 0
    assert track(a_world(rules={rule: False}), a_request("a", **changes))["code"] == 0


def test_a_page_can_be_missing_as_a_whole_where_none_is_required(
    a_world: Worlds, a_request: Make, track: Track
) -> None:
    request = a_request("a", "b")
    del request["data"][0]["page"]
    request["data"][1]["event_id"] = 9

    envelope = track(a_world(rules={"page_url": False}), request)

    assert envelope["message"] == "Batch.1.event_id: Not a valid string"


def test_no_refusal_repeats_a_value(a_world: Worlds, a_request: Make, track: Track) -> None:
    secret = "alice@shop.example"
    for changes in ({"user": {"email": secret}}, {"event": secret}, {"page": {"url": secret}}):
        assert secret not in str(track(a_world(), a_request("a", **changes)))


def test_light_mode_looks_at_ids_only(a_world: Worlds, a_request: Make, track: Track) -> None:
    world = a_world(light=True)

    assert track(world, a_request("a", user={"email": "x"}, page=None))["code"] == 0
    assert track(world, a_request("a", event=5))["code"] == 40002
    request = a_request("a", "b")
    request["data"][1]["event_id"] = []
    assert track(world, request)["code"] == 40002
    del request["data"][1]["event_id"]
    assert track(world, request)["code"] == 0
