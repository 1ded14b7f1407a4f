"""The OpenAPI document of the public listener."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from relay.config import Limits
from relay.contracts.answers import Accepted, Envelope, Refused
from relay.ingest import refusals

Schema = dict[str, Any]

_LIMITS = Limits()

_BODY_LIMITS = (
    f"At most {_LIMITS.max_events} events and {_LIMITS.max_body_bytes // 10**6} MB decoded, unless "
    "configured otherwise; `Content-Encoding: gzip` is accepted."
)

_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds after which to send the same request again.",
        "schema": {"type": "integer", "minimum": 1},
    }
}

#: What the listener may say before a request's events are looked at; by status.
_REFUSALS: dict[int, list[refusals.Refused]] = {}
for _each in (
    refusals.MALFORMED,
    refusals.BAD_BODY,
    refusals.BAD_ENCODING,
    refusals.NO_KEY,
    refusals.SIGNATURE,
    refusals.UNKNOWN_SOURCE,
    refusals.BODY_TIMEOUT,
    refusals.TOO_LARGE,
    refusals.ENCODED,
    refusals.FAILED,
    refusals.BUSY,
    refusals.CROWDED,
    refusals.DRAINING,
    refusals.UNAVAILABLE,
    refusals.FULL,
):
    _REFUSALS.setdefault(_each.status, []).append(_each)


def openapi(conversion: Schema, version: str) -> Schema:
    """The document. `conversion` is the JSON Schema of a conversion."""
    schemas: Schema = {}
    one = _component("Conversion", conversion, schemas)
    for answer in (Accepted, Refused, Envelope):
        template = "#/components/schemas/{model}"
        schema = TypeAdapter(answer).json_schema(ref_template=template)
        _component(answer.__name__, schema, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Conversions relay, public listener",
            "version": version,
            "description": "A 2xx is a receipt: the events are on disk. Anything else means that "
            "nothing of the request was kept.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/v1/events": {"post": _events(one)},
            "/webhooks/{source}": {"post": _webhooks()},
            "/open_api/v1.3/event/track/": {"post": _event_track(one)},
        },
        "components": {"schemas": schemas, "securitySchemes": _SECURITY},
    }


_SECURITY = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "One of the `keys` of a source.",
    },
    "access_token": {
        "type": "apiKey",
        "in": "header",
        "name": "Access-Token",
        "description": "One of the `keys` of a source, where TikTok's own token would be.",
    },
}


def _events(conversion: Schema) -> Schema:
    several = {"type": "array", "items": conversion, "maxItems": _LIMITS.max_events}
    body = {"oneOf": [conversion, several]}
    return {
        "operationId": "sendConversions",
        "summary": "Hand over conversions",
        "description": f"One conversion, or an array of them. {_BODY_LIMITS}",
        "security": [{"key": []}],
        "requestBody": {"required": True, "content": _json(body)},
        "responses": {
            "202": _answer("Stored. Some of the events may be invalid: they are listed.", Accepted),
            "422": _answer("Every event is invalid; nothing will be delivered.", Accepted),
            **_refusals(400, 401, 408, 413, 415, 500, 503),
        },
    }


def _webhooks() -> Schema:
    source = {
        "name": "source",
        "in": "path",
        "required": True,
        "description": "The `name` of a source in the configuration.",
        "schema": {"type": "string"},
    }
    return {
        "operationId": "receiveWebhook",
        "summary": "Hand over a shop's webhook",
        "description": "The body and the headers are those of the shop; which signature is asked "
        "for depends on the source's `kind`. Messages that are no conversion, and greetings, are "
        "answered 200 as well: shops switch webhooks off that answer otherwise.",
        "security": [],
        "parameters": [source],
        "requestBody": {"required": True, "content": {"*/*": {}}},
        "responses": {
            "200": {"description": "Stored, or nothing to store."},
            **_silent(_refusals(400, 401, 404, 408, 413, 415, 500, 503)),
        },
    }


def _event_track(conversion: Schema) -> Schema:
    body = {
        "type": "object",
        "required": ["event_source", "event_source_id", "data"],
        "properties": {
            "event_source": {"enum": ["web", "app", "offline", "crm"]},
            "event_source_id": {"type": "string"},
            "data": {"type": "array", "minItems": 1, "items": conversion},
            "test_event_code": {"type": "string"},
            "partner_name": {"type": "string"},
        },
    }
    told = _answer("What became of the request is in `code`, as with TikTok.", Envelope)
    statuses = _refusals(408, 413, 415, 500, 503)
    others = {status: {**answer, "content": told["content"]} for status, answer in statuses.items()}
    return {
        "operationId": "trackEvents",
        "summary": "TikTok's own endpoint",
        "description": "For an integration that sends to TikTok today: change its base URL, and "
        f"put a key of the relay in the place of the token. {_BODY_LIMITS}",
        "security": [{"access_token": []}],
        "requestBody": {"required": True, "content": _json(body)},
        "responses": {"200": told, **others},
    }


def _refusals(*statuses: int) -> Schema:
    return {str(status): _refusal(_REFUSALS[status]) for status in statuses}


def _refusal(cases: list[refusals.Refused]) -> Schema:
    """The answer of one status; its cases are told apart by `error`."""
    words = [f"`{each.reason}`: {each.message}" for each in cases]
    answer = _answer("\n".join(words), Refused)
    if any(each.retry_after_s is not None for each in cases):
        answer["headers"] = _RETRY_AFTER
    return answer


def _silent(answers: Schema) -> Schema:
    """The same statuses without a body."""
    return {
        status: {key: value for key, value in answer.items() if key != "content"}
        for status, answer in answers.items()
    }


def _answer(description: str, answer: type) -> Schema:
    return {"description": description, "content": _json(_ref(answer.__name__))}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _component(name: str, schema: Schema, schemas: Schema) -> Schema:
    """Put a schema and its definitions among the components; the reference to it."""
    for inner, definition in schema.get("$defs", {}).items():
        schemas[inner] = definition
    schemas[name] = {key: value for key, value in schema.items() if key not in ("$defs", "$schema")}
    return _ref(name)
