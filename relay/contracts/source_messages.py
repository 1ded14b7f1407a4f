"""Messages of the topics that sources read, for the AsyncAPI document."""

from __future__ import annotations

from typing import Any, Final

from relay.sources.kafka import MAX_CONVERSIONS

Schema = dict[str, Any]

_CONVERSION: Final = "conversion.schema.json"

#: What a CloudEvent says by itself where its data does not.
_GIVEN_BY_THE_EVENT: Final = frozenset({"event_id", "event_time"})

_REQUIRED: Final = ("specversion", "id", "source", "type")
_ATTRIBUTES: Final[Schema] = {
    "specversion": {"const": "1.0"},
    "id": {"type": "string", "minLength": 1, "description": "the `event_id` of data without one"},
    "source": {"type": "string", "minLength": 1},
    "type": {"type": "string", "minLength": 1},
    "time": {"type": "string", "description": "the `event_time` of data without one"},
}


def messages() -> dict[str, Schema]:
    """By name; a source's `format` says which of them it understands."""
    return {
        "canonical": {
            "title": 'format = "canonical"',
            "summary": "A conversion, or an array of them.",
            "payload": _ref("Conversions"),
        },
        "cloudEventBinary": {
            "title": 'format = "cloudevents", binary',
            "summary": "Attributes in headers, data in the value.",
            "description": "Without `event_time` in the data `ce_time` is needed. With a `mapping` "
            "the data is any JSON.",
            "headers": _ref("CloudEventHeaders"),
            "payload": _ref("CloudEventData"),
        },
        "cloudEventStructured": {
            "title": 'format = "cloudevents", structured',
            "summary": "The whole event in the value.",
            "description": "Without `event_time` in the data `time` is needed. With a `mapping` "
            "the data is any JSON.",
            "contentType": "application/cloudevents+json",
            "payload": _ref("CloudEvent"),
        },
        "custom": {
            "title": 'format = "custom"',
            "summary": "Whatever the source's `mapping` understands.",
            "payload": _ref("AnyJson"),
        },
    }


def schemas(conversion: Schema) -> dict[str, Schema]:
    """What the messages refer to. `conversion` is the JSON Schema of a conversion."""
    one = {"$ref": _CONVERSION}
    several = {"type": "array", "items": one, "maxItems": MAX_CONVERSIONS}
    return {
        "Conversions": {"oneOf": [one, several]},
        "CloudEventData": _cloud_event_data(conversion),
        "CloudEvent": _cloud_event(),
        "CloudEventHeaders": _cloud_event_headers(),
        "AnyJson": {"type": ["object", "array"], "description": "What the source's mapping reads."},
    }


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


def _cloud_event() -> Schema:
    return {
        "type": "object",
        "description": "CloudEvents 1.0; other attributes are allowed.",
        "required": [*_REQUIRED],
        "properties": {
            **_ATTRIBUTES,
            "data": _ref("CloudEventData"),
            "data_base64": {"type": "string", "description": "the JSON of `data`, in base64"},
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
            "content-type": {"type": "string", "examples": ["application/json"]},
        },
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
