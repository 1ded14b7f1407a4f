"""Messages of a topic as conversions: each format, and what a mapping gets to see."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.errors import ConfigError, PayloadRefused, SignatureRefused
from relay.model import Refusal
from relay.sources import registry
from relay.sources.kafka import MAX_CONVERSIONS, Topics, headers_of
from relay.sources.protocol import Conversions, Ignored

NEEDED: dict[str, object] = {"brokers": "kafka:9092", "topics": ["orders"], "group": "relay"}


def source(**options: object) -> Topics:
    built = registry.build("kafka", "topic", [], {**NEEDED, **options})
    assert isinstance(built, Topics)
    return built


def read(topics: Topics, body: bytes, **headers: str) -> Any:
    return topics.read(body, headers, now=0.0, recall=lambda key: None)


def mistakes(**options: object) -> dict[str, str]:
    found = registry.check("kafka", {**NEEDED, **options}, under="sources[0]")
    return {each.key: each.problem for each in found}


def test_a_message_is_one_conversion_or_several() -> None:
    assert read(source(), b'{"event": "Lead"}') == Conversions([{"event": "Lead"}])
    assert read(source(), b'[{"event": "Lead"}, 5]') == Conversions([{"event": "Lead"}, 5])
    assert isinstance(read(source(), b"[]"), Ignored)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"\xff", "not_json"),
        (b"[" * 2000, "not_json"),
        (b'"text"', "not_an_object"),
        (b"null", "not_an_object"),
        (b"[" + b"0," * MAX_CONVERSIONS + b"0]", "too_many"),
        (b'"' + b"a" * 2_000_000 + b'"', "too_large"),
    ],
)
def test_what_cannot_be_read_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(PayloadRefused) as caught:
        read(source(), body)

    assert caught.value.reason == reason


def test_a_mapping_sees_the_message_its_headers_and_its_key() -> None:
    mapping = {
        "event": "kind",
        "event_id": "header('kafka_key')",
        "event_time": "header('kafka_timestamp')",
        "order_id": "header('X-Order')",
        "properties": {"description": "header('kafka_topic')"},
    }
    headers = headers_of(
        [("x-order", b"7"), ("kafka_key", b"forged"), ("bad", b"\xff")],
        key=b"k-1", topic="orders", timestamp_ms=1_790_000_000_000,
    )  # fmt: skip

    (made,) = read(source(format="custom", mapping=mapping), b'{"kind": "Lead"}', **headers).items

    assert made == {
        "event": "Lead",
        "event_id": "k-1",
        "event_time": "1790000000000",
        "order_id": "7",
        "properties": {"description": "orders"},
    }
    assert "bad" not in headers


def test_a_forged_key_does_not_stand_in_for_a_missing_one() -> None:
    headers = headers_of([("KAFKA_KEY", b"forged")], key=None, topic="t", timestamp_ms=-1)

    assert headers == {"kafka_topic": "t"}


def test_a_mapping_of_cloud_events_sees_the_whole_event() -> None:
    topics = source(
        format="cloudevents",
        mapping={"event": "'Purchase'", "event_id": "id", "order_id": "data.order", "when": "data"},
    )
    headers = {"ce_id": "e-1", "ce_source": "/", "ce_specversion": "1.0", "ce_type": "order"}

    (made,) = read(topics, b'{"order": "7"}', **headers).items

    assert made == {"event": "Purchase", "event_id": "e-1", "order_id": "7"}
    assert isinstance(read(topics, b"null", **headers), Ignored)


def test_a_cloud_event_without_its_attributes_is_recorded_as_invalid() -> None:
    (refused,) = read(source(format="cloudevents"), b'{"specversion": "1.0"}').items

    assert isinstance(refused, Refusal)
    assert {issue.field for issue in refused.errors} == {"id", "source", "type"}


def test_nobody_can_sign_for_a_topic() -> None:
    with pytest.raises(SignatureRefused):
        source().verify(b"{}", {}, now=0.0)


@pytest.mark.parametrize(
    ("options", "key", "problem"),
    [
        ({"brokers": "kafka"}, "sources[0].brokers", "has characters"),
        ({"topics": []}, "sources[0].topics", "no topic"),
        ({"topics": ["orders", "orders"]}, "sources[0].topics", "twice"),
        ({"topics": ["a b"]}, "sources[0].topics[0]", "has characters"),
        ({"format": "custom"}, "sources[0]", "there is no mapping"),
        ({"mapping": {"event": "'Lead'"}}, "sources[0]", "does not use"),
        (
            {"format": "custom", "mapping": {"event": "a", "evnt": "a"}},
            "sources[0].mapping.evnt",
            "no member",
        ),
        ({"max_invalid_share": 0}, "sources[0].max_invalid_share", "too small"),
        ({"session_timeout": "1h"}, "sources[0].session_timeout", "out of range"),
        ({"security": {"protocol": "sasl_ssl"}}, "sources[0].security", "not who we are"),
        ({"security": {"protocol": "tls"}}, "sources[0].security.protocol", "not one of"),
        ({"brokrs": "kafka:9092"}, "sources[0].brokrs", "unknown key"),
    ],
)
def test_a_mistake_is_told_at_its_key(options: dict[str, object], key: str, problem: str) -> None:
    found = mistakes(**options)

    assert set(found) == {key}
    assert problem in found[key]


def test_a_password_itself_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        source(security={"protocol": "sasl_ssl", "username": "u", "password": "hunter2"})

    assert "hunter2" not in str(caught.value)


SOURCES = [
    source(),
    source(format="cloudevents"),
    source(
        format="custom",
        mapping={"event": "a", "user": {"email": "lower(b)"}, "event_id": "header('h')"},
    ),
    source(format="custom", mapping={"for_each": "a", "event": "b"}),
]
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "specversion", "data"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    st.sampled_from(SOURCES),
    st.binary() | VALUES.map(lambda value: json.dumps(value).encode()),
    st.lists(st.tuples(st.text(), st.none() | st.binary()), max_size=120),
    st.none() | st.binary(),
)
def test_whatever_comes_is_read_or_refused(
    topics: Topics, body: bytes, headers: list[tuple[str, bytes | None]], key: bytes | None
) -> None:
    found = headers_of(headers, key=key, topic="t", timestamp_ms=None)
    try:
        reading = topics.read(body, found, now=0.0, recall=lambda _: None)
    except PayloadRefused:
        return
    assert isinstance(reading, Conversions | Ignored)
