"""`schemas/asyncapi.json`: sound in itself, and true of what is read and written."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft7Validator

from relay import config
from relay.journal.distributed import Topics
from relay.journal.distributed.message import HEADER, encode
from relay.model import Arrival, FieldIssue, Outcome, Reason, Refusal
from tests.contract.journals import NOW, a_refusal, an_event
from tests.contract.topic_document import SCHEMAS, TopicDocument

CLOUDEVENTS = Path(__file__).parents[1] / "vectors" / "fixtures" / "cloudevents"


@pytest.fixture(scope="module")
def document() -> TopicDocument:
    return TopicDocument()


# --- the document itself --------------------------------------------------------------------------


def test_it_is_asyncapi_3_and_names_no_host(document: TopicDocument) -> None:
    whole = document.whole

    assert whole["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(whole["info"])
    assert "servers" not in whole
    assert (
        re.search(r"://|localhost|:[0-9]{4,5}\b", (SCHEMAS / "asyncapi.json").read_text()) is None
    )


def test_every_channel_names_its_parameters_and_its_messages(document: TopicDocument) -> None:
    for channel in document.whole["channels"].values():
        assert set(re.findall(r"\{(\w+)\}", channel["address"])) == set(channel["parameters"])
        assert channel["messages"]
        for name, reference in channel["messages"].items():
            assert reference == {"$ref": f"#/components/messages/{name}"}


def test_every_operation_is_about_messages_of_its_channel(document: TopicDocument) -> None:
    for operation in document.whole["operations"].values():
        assert operation["action"] in ("send", "receive")
        channel = operation["channel"]["$ref"]
        listed = document.whole["channels"][channel.removeprefix("#/channels/")]["messages"]
        assert [each["$ref"] for each in operation["messages"]] == [
            f"{channel}/messages/{name}" for name in listed
        ]


def test_no_message_and_no_schema_is_left_over(document: TopicDocument) -> None:
    text = (SCHEMAS / "asyncapi.json").read_text()

    for part in ("messages", "schemas"):
        for name in document.whole["components"][part]:
            assert f'"#/components/{part}/{name}"' in text, name


def test_every_schema_is_one_of_the_draft_that_asyncapi_speaks(document: TopicDocument) -> None:
    for schema in schemas_of(document.whole):
        Draft7Validator.check_schema(schema)


def schemas_of(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from whole["components"]["schemas"].values()
    for message in whole["components"]["messages"].values():
        yield message["payload"]
        yield message.get("headers", {})
        yield message.get("bindings", {}).get("kafka", {}).get("key", {})


def test_the_journal_s_topics_are_described_as_the_relay_makes_them(
    document: TopicDocument,
) -> None:
    journal = config.Settings().journal
    (topic,) = Topics(
        journal.topic_prefix, journal.partitions, journal.replication, journal.retention
    ).wanted(["web"])
    described = document.whole["channels"]["journal"]["bindings"]["kafka"]

    assert (described["partitions"], described["replicas"]) == (topic.partitions, topic.replication)
    assert set(described["topicConfiguration"]) == set(topic.settings)
    assert described["topicConfiguration"]["retention.ms"] == 30 * 86_400_000


# --- what sources read ----------------------------------------------------------------------------


def a_conversion(event_id: str = "order-1", **changes: Any) -> dict[str, Any]:
    return {
        "event": "Purchase",
        "event_time": int(time.time()),
        "event_id": event_id,
        "consent": "granted",
        "user": {"email": f"canary.{event_id}@example.com", "ip": "8.8.8.8"},
        "page": {"url": "https://shop.example/thanks"},
        **changes,
    }


def test_a_topic_of_our_json_holds_conversions_or_arrays_of_them(document: TopicDocument) -> None:
    place = "asyncapi.json#/components/messages/canonical/payload"

    assert document.mistakes(place, a_conversion()) == []
    assert document.mistakes(place, [a_conversion(), a_conversion("order-2")]) == []
    assert document.mistakes(place, {"event": "Purchase"})
    assert document.mistakes(place, "Purchase")


def test_a_binary_cloud_event_gives_its_data_an_id_and_a_time(document: TopicDocument) -> None:
    fixture = json.loads((CLOUDEVENTS / "kafka_binary.json").read_text("utf-8"))
    headers = [(name, value.encode()) for name, value in fixture["headers"]]
    data = {name: value for name, value in a_conversion().items() if not name.startswith("event_")}
    value = orjson.dumps(data)

    assert document.mistakes_in("cloudEventBinary", None, value, headers) == []
    assert document.mistakes_in("cloudEventBinary", None, value, headers[2:])


def test_a_structured_cloud_event_holds_its_data_or_that_in_base64(document: TopicDocument) -> None:
    event = json.loads((CLOUDEVENTS / "structured.json").read_text("utf-8"))
    place = "asyncapi.json#/components/messages/cloudEventStructured/payload"
    event["data"] = a_conversion()
    encoded = {name: value for name, value in event.items() if name != "data"}

    assert document.mistakes(place, event) == []
    assert document.mistakes(place, {**encoded, "data_base64": "e30="}) == []
    assert document.mistakes(place, encoded)
    assert document.mistakes(place, {**event, "specversion": "0.3"})


# --- what the journal keeps -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "receipt", ["http:1f/0", "kafka:orders/3@17.2", "import:ab/9", "replay:x/0"]
)
@pytest.mark.parametrize(
    ("result", "message"),
    [
        (an_event(test_event_code="TEST1"), "event"),
        (an_event(value=None), "event"),
        (an_event()._replace(issues=(FieldIssue("user.phone", "not_a_phone"),)), "event"),
        (a_refusal(), "refusal"),
        (a_refusal(None, Outcome.EXPIRED, at=None), "refusal"),
        (Refusal(Outcome.INVALID, Reason.NOT_AN_OBJECT, None, None, None, None, ()), "refusal"),
    ],
)
def test_what_is_written_is_as_described(
    document: TopicDocument, receipt: str, result: Any, message: str
) -> None:
    if message == "event":
        result = result._replace(wire=b'{"event":"Purchase","event_time":1780000000}')

    encoded = encode(Arrival(receipt, "shop", "web", result), NOW)

    assert document.mistakes_in(message, *encoded) == []


def test_what_nobody_should_write_is_refused(document: TopicDocument) -> None:
    event = an_event()._replace(wire=b'{"event":"Purchase","event_time":1780000000}')
    sound = encode(Arrival("http:1f/0", "shop", "web", event), NOW)
    head = json.loads(sound.headers[0][1])
    readable = orjson.dumps({**json.loads(sound.value), "user": {"email": "jane@example.com"}})
    more = [(HEADER, orjson.dumps({**head, "email": "jane@example.com"}))]
    less = [(HEADER, orjson.dumps({name: head[name] for name in head if name != "receipt"}))]

    for wrong in (
        sound._replace(value=readable), sound._replace(key=sound.key[1:]),
        sound._replace(headers=[]), sound._replace(headers=more), sound._replace(headers=less),
    ):  # fmt: skip
        assert document.mistakes_in("event", *wrong)
