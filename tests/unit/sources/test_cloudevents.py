"""CloudEvents as Kafka carries them: both modes, and what is no CloudEvent."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.errors import PayloadRefused
from relay.model import FieldIssue, Outcome, Reason, Refusal
from relay.sources import cloudevents

JSON = {"content-type": "application/cloudevents+json; charset=utf-8"}
BINARY = {"ce_id": "1", "ce_source": "/shop", "ce_specversion": "1.0", "ce_type": "order"}


def event(**changes: object) -> dict[str, object]:
    whole = {"id": "1", "source": "/shop", "specversion": "1.0", "type": "order", **changes}
    return {name: value for name, value in whole.items() if value is not ...}


def read(value: object, headers: Mapping[str, str] = JSON) -> Any:
    return cloudevents.read(json.dumps(value).encode(), headers)


def test_both_modes_say_the_same(payload: Callable[[str], bytes]) -> None:
    binary = json.loads(payload("cloudevents/kafka_binary.json"))
    structured = json.loads(payload("cloudevents/structured.json"))

    one = cloudevents.read(json.dumps(binary["value"]).encode(), dict(binary["headers"]))
    other = read(structured)

    assert not isinstance(one, Refusal)
    assert one == {name: value for name, value in other.items() if name != "subject"}
    assert one["data"] == structured["data"]


def test_an_event_names_and_dates_a_conversion_that_does_not_itself() -> None:
    data = {"event": "Purchase", "event_id": "mine"}
    whole = event(data=data, time="2026-08-20T12:03:22Z")

    made = cloudevents.conversion(read(whole))

    assert made == {**data, "event_time": "2026-08-20T12:03:22Z"}
    assert cloudevents.conversion(read(event(data={})))["event_id"] == "1"


@pytest.mark.parametrize(
    "content_type",
    ["application/cloudevents+json", "APPLICATION/CloudEvents+JSON ; charset=UTF-8"],
)
def test_the_content_type_is_read_without_regard_to_case(content_type: str) -> None:
    assert read(event(data={"a": 1}), {"content-type": content_type})["data"] == {"a": 1}


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/json"}])
def test_a_structured_event_is_known_by_its_specversion_too(headers: dict[str, str]) -> None:
    assert read(event(data={"a": 1}), headers)["data"] == {"a": 1}


def test_data_may_be_base64() -> None:
    encoded = base64.b64encode(b'{"a": 1}').decode()

    assert read(event(data_base64=encoded))["data"] == {"a": 1}


@pytest.mark.parametrize("name", ["id", "source", "specversion", "type"])
@pytest.mark.parametrize("value", [..., "", None])
def test_a_required_attribute_that_is_missing_is_named_as_it_is_written(
    name: str, value: object
) -> None:
    structured = read(event(**{name: value}))
    binary = read({}, {key: text for key, text in BINARY.items() if key != f"ce_{name}"})

    assert structured.outcome is Outcome.INVALID
    assert structured.reason is Reason.MISSING_FIELD
    assert structured.errors == (FieldIssue(name, "missing"),)
    assert binary.errors == (FieldIssue(f"ce_{name}", "missing"),)


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"specversion": "0.3"}, "specversion", "unknown_version"),
        ({"id": 17}, "id", "not_a_text"),
        ({"data": {}, "data_base64": ""}, "data_base64", "beside_data"),
    ],
)
def test_a_wrong_attribute_is_named(changes: dict[str, object], field: str, reason: str) -> None:
    refused = read(event(**changes))

    assert refused.reason is Reason.BAD_FIELD
    assert refused.errors == (FieldIssue(field, reason),)


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (b"[]", {"content-type": "application/cloudevents-batch+json"}, "format"),
        (b"x", {"content-type": "application/cloudevents+avro"}, "format"),
        (b"{", JSON, "not_json"),
        (b"[1]", JSON, "not_an_object"),
        (b"<a/>", BINARY, "not_json"),
        (json.dumps(event(data_base64="?")).encode(), JSON, "format"),
        (json.dumps(event(data_base64="e30")).encode(), JSON, "format"),
        (json.dumps(event(data_base64=5)).encode(), JSON, "format"),
    ],
)
def test_what_cannot_be_read_says_why(body: bytes, headers: dict[str, str], reason: str) -> None:
    with pytest.raises(PayloadRefused) as caught:
        cloudevents.read(body, headers)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("data", "reason"), [(..., "no_data"), (None, "no_data"), ("x", "not_an_object")]
)
def test_an_event_without_an_object_in_it_is_no_conversion(data: object, reason: str) -> None:
    with pytest.raises(PayloadRefused) as caught:
        cloudevents.conversion(read(event(data=data)))

    assert caught.value.reason == reason


def test_a_binary_event_without_a_value_has_no_data() -> None:
    assert "data" not in cloudevents.read(b"", BINARY)


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = st.sampled_from(["id", "source", "specversion", "type", "time", "data", "data_base64"])
NAMES = st.sampled_from([*BINARY, "content-type", "ce_data", "ce_", "x"])
TEXTS = st.sampled_from(["", "1.0", "application/cloudevents", *JSON.values()]) | st.text()


@given(
    st.binary()
    | (st.dictionaries(MEMBERS, JSON_VALUES) | JSON_VALUES).map(
        lambda value: json.dumps(value).encode()
    ),
    st.dictionaries(NAMES, TEXTS),
)
def test_whatever_comes_is_an_event_a_refusal_or_refused(
    body: bytes, headers: dict[str, str]
) -> None:
    try:
        found = cloudevents.read(body, headers)
        if not isinstance(found, Refusal):
            assert found["specversion"] == "1.0"
            cloudevents.conversion(found)
    except PayloadRefused:
        pass
