"""The AsyncAPI document of the topics: those that sources read, and those of the journal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pydantic import TypeAdapter

from relay.config.settings import Journal
from relay.contracts.messages import EventHead, Refusal, RefusalHead
from relay.journal.chunk import CLAIM_BYTES
from relay.journal.distributed.message import HEADER
from relay.journal.distributed.topics import Topics
from relay.sources.kafka import MAX_CONVERSIONS

Schema = dict[str, Any]

#: Of Kafka's bindings; from it on a topic may have any setting.
_BINDING: Final = "0.5.0"

_JSON: Final = "application/json"
_CONVERSION: Final = "conversion.schema.json"
_EVENT: Final = "event.schema.json"

#: What a CloudEvent says by itself where its data does not.
_GIVEN_BY_THE_EVENT: Final = frozenset({"event_id", "event_time"})

_JOURNAL: Final = Journal()


def asyncapi(conversion: Schema, version: str) -> Schema:
    """The document. `conversion` is the JSON Schema of a conversion; it and that of the event are
    referred to as the files beside this one."""
    schemas = {
        "Conversions": _conversions(),
        "CloudEventData": _cloud_event_data(conversion),
        "CloudEvent": _cloud_event(),
        "CloudEventHeaders": _cloud_event_headers(),
        "AnyJson": {"type": ["object", "array"], "description": "What the source's mapping reads."},
        "Event": _event(),
        **{each.__name__: _typed(each) for each in (EventHead, Refusal, RefusalHead)},
    }
    messages = {**_source_messages(), **_journal_messages()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Conversions relay, topics",
            "version": version,
            "description": "What sources of kind `kafka` read, and what the journal on Kafka keeps.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": _JSON,
        "channels": {
            "source": _source_channel(_source_messages()),
            "journal": _journal_channel(_journal_messages()),
        },
        "operations": {
            "readSource": _operation(
                "receive", "source", _source_messages(),
                "Read conversions. Offsets are committed once the journal has them.",
                group="`group` of the source",
            ),
            "store": _operation(
                "send", "journal", _journal_messages(),
                "Accept: idempotent, acknowledged by all replicas in sync (`acks=all`) before the "
                "sender gets its 2xx.",
            ),
            "deliver": _operation(
                "receive", "journal", _journal_messages(),
                "Claim and deliver. What is settled is committed up to the lowest that is not.",
                group=f"`journal.group`, by default `{_JOURNAL.group}`",
            ),
        },
        "components": {"schemas": schemas, "messages": messages},
    }  # fmt: skip


# --- channels and operations ----------------------------------------------------------------------


def _source_channel(messages: Iterable[str]) -> Schema:
    return {
        "address": "{topic}",
        "title": "A topic that a source reads",
        "description": "Which of these messages it holds is the source's `format`. A message "
        "without a value (a tombstone) is passed over and counted; one that cannot be read ends as "
        "`invalid`. Any key will do.",
        "parameters": {"topic": {"description": "One of the source's `topics`."}},
        "messages": {name: _ref("messages", name) for name in messages},
    }


def _journal_channel(messages: Iterable[str]) -> Schema:
    (topic,) = Topics(
        _JOURNAL.topic_prefix, _JOURNAL.partitions, _JOURNAL.replication, _JOURNAL.retention
    ).wanted(["any"])
    return {
        "address": "{prefix}.{destination}",
        "title": "Where events wait for one destination",
        "description": "The relay alone writes here, one message an arrival. Nothing in it is "
        "readable about a person that TikTok does not want readable: identifiers are digests. The "
        "partition is the key's first eight bytes, a big-endian number, modulo their count.",
        "parameters": {
            "prefix": {"default": _JOURNAL.topic_prefix, "description": "`journal.topic_prefix`"},
            "destination": {"description": "The `name` of a destination."},
        },
        "messages": {name: _ref("messages", name) for name in messages},
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "replicas": topic.replication,
                "topicConfiguration": {
                    name: _setting(name, value) for name, value in topic.settings.items()
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _setting(name: str, value: str) -> object:
    """As bindings want it: Kafka itself takes text for everything."""
    if name == "cleanup.policy":
        return value.split(",")
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value.isdigit() else value


def _operation(
    action: str, channel: str, messages: Iterable[str], summary: str, *, group: str | None = None
) -> Schema:
    operation: Schema = {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }
    if group is not None:
        schema = {"type": "string", "description": group}
        operation["bindings"] = {"kafka": {"groupId": schema, "bindingVersion": _BINDING}}
    return operation


# --- messages -------------------------------------------------------------------------------------


def _source_messages() -> dict[str, Schema]:
    return {
        "canonical": {
            "title": 'format = "canonical"',
            "summary": "A conversion, or an array of them.",
            "payload": _ref("schemas", "Conversions"),
        },
        "cloudEventBinary": {
            "title": 'format = "cloudevents", binary',
            "summary": "Attributes in headers, data in the value.",
            "description": "Without `event_time` in the data `ce_time` is needed. With a `mapping` "
            "the data is any JSON.",
            "headers": _ref("schemas", "CloudEventHeaders"),
            "payload": _ref("schemas", "CloudEventData"),
        },
        "cloudEventStructured": {
            "title": 'format = "cloudevents", structured',
            "summary": "The whole event in the value.",
            "description": "Without `event_time` in the data `time` is needed. With a `mapping` "
            "the data is any JSON.",
            "contentType": "application/cloudevents+json",
            "payload": _ref("schemas", "CloudEvent"),
        },
        "custom": {
            "title": 'format = "custom"',
            "summary": "Whatever the source's `mapping` understands.",
            "payload": _ref("schemas", "AnyJson"),
        },
    }


def _journal_messages() -> dict[str, Schema]:
    return {
        "event": {
            "title": "An event that waits",
            "summary": "The value is what TikTok gets in `data[]`, byte for byte.",
            "headers": _headers("EventHead"),
            "payload": _ref("schemas", "Event"),
            "bindings": _keyed(
                "a digest of event name and event id, so that equal ones share a partition"
            ),
        },
        "refusal": {
            "title": "A conversion that ended at the door",
            "summary": "Kept so that it can be found; nothing is delivered.",
            "headers": _headers("RefusalHead"),
            "payload": _ref("schemas", "Refusal"),
            "bindings": _keyed("a digest of the receipt"),
        },
    }


def _headers(head: str) -> Schema:
    return {
        "type": "object",
        "required": [HEADER],
        "properties": {
            HEADER: {
                "type": "string",
                "contentMediaType": _JSON,
                "contentSchema": _ref("schemas", head),
            }
        },
    }


def _keyed(what: str) -> Schema:
    key = {
        "type": "string",
        "contentEncoding": "binary",
        "minLength": CLAIM_BYTES,
        "maxLength": CLAIM_BYTES,
        "description": f"{CLAIM_BYTES} bytes: {what}",
    }
    return {"kafka": {"key": key, "bindingVersion": _BINDING}}


# --- schemas --------------------------------------------------------------------------------------


def _conversions() -> Schema:
    one = {"$ref": _CONVERSION}
    return {"oneOf": [one, {"type": "array", "items": one, "maxItems": MAX_CONVERSIONS}]}


def _cloud_event_data(conversion: Schema) -> Schema:
    """A conversion that may leave out what its event says already."""
    return {
        "type": "object",
        "description": "A conversion; `event_id` and `event_time` default to the event's id, time.",
        "required": [each for each in conversion["required"] if each not in _GIVEN_BY_THE_EVENT],
        "properties": {
            name: {"$ref": f"{_CONVERSION}#/properties/{name}"} for name in conversion["properties"]
        },
    }


_ATTRIBUTES: Final[Schema] = {
    "specversion": {"const": "1.0"},
    "id": {"type": "string", "minLength": 1, "description": "the `event_id` of data without one"},
    "source": {"type": "string", "minLength": 1},
    "type": {"type": "string", "minLength": 1},
    "time": {"type": "string", "description": "the `event_time` of data without one"},
}
_REQUIRED: Final = ("specversion", "id", "source", "type")


def _cloud_event() -> Schema:
    return {
        "type": "object",
        "description": "CloudEvents 1.0; other attributes are allowed. `data`, or `data_base64`.",
        "required": [*_REQUIRED],
        "properties": {
            **_ATTRIBUTES,
            "data": _ref("schemas", "CloudEventData"),
            "data_base64": {"type": "string", "description": "the same, encoded"},
        },
        "oneOf": [{"required": ["data"]}, {"required": ["data_base64"]}],
    }


def _cloud_event_headers() -> Schema:
    return {
        "type": "object",
        "description": "CloudEvents 1.0 in headers; other attributes are allowed.",
        "required": [f"ce_{name}" for name in _REQUIRED],
        "properties": {
            **{f"ce_{name}": schema for name, schema in _ATTRIBUTES.items()},
            "content-type": {"type": "string", "examples": [_JSON]},
        },
    }


def _event() -> Schema:
    """Which of them depends on the destination's event source."""
    kinds = ("WebEvent", "AppEvent", "OfflineEvent", "CrmEvent")
    return {"anyOf": [{"$ref": f"{_EVENT}#/$defs/{kind}"} for kind in kinds]}


def _typed(kind: type) -> Schema:
    """The schema of a type, with what it refers to inside it."""
    template = f"#/components/schemas/{kind.__name__}/$defs/{{model}}"
    return TypeAdapter(kind).json_schema(ref_template=template)


def _ref(part: str, name: str) -> Schema:
    return {"$ref": f"#/components/{part}/{name}"}
