"""CloudEvents 1.0, as Kafka carries them: binary (attributes in headers) and structured.

    binary        `ce_*` headers; the message's value is the data, `content-type` says what it is
    structured    content-type `application/cloudevents+json`: the value is the whole event

A structured event whose producer forgot the content type is recognised by its `specversion`.
Batches do not exist on Kafka. Whatever is lacking is named as it was written: `ce_id` or `id`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final

from relay.errors import PayloadRefused
from relay.model import FieldIssue, Outcome, Reason, Refusal
from relay.sources import fields
from relay.sources.protocol import Conversion, Headers, PayloadReason

#: An event as an object: its attributes, extensions too, and `data`.
CloudEvent = Mapping[str, object]

_MARK: Final = "ce_"
_CONTENT_TYPE: Final = "content-type"
_FAMILY: Final = "application/cloudevents"
_STRUCTURED: Final = "application/cloudevents+json"
_REQUIRED: Final = ("id", "source", "specversion", "type")
_VERSION: Final = "1.0"


def read(body: bytes, headers: Headers) -> CloudEvent | Refusal:
    """The event of a message; header names are in lower case.

    A `Refusal` names attributes that are missing or wrong. Raises `PayloadRefused` when there is
    no event to speak of.
    """
    content_type = headers.get(_CONTENT_TYPE, "").strip().lower()
    if content_type.startswith(_FAMILY):
        if content_type.partition(";")[0].rstrip() != _STRUCTURED:
            raise PayloadRefused(PayloadReason.FORMAT)
        return _structured(fields.parse_object(body))
    if not any(name.startswith(_MARK) for name in headers):
        value = fields.parse_object(body)
        if "specversion" in value:
            return _structured(value)
    return _binary(body, headers, content_type)


def conversion(event: CloudEvent) -> Conversion:
    """The event's data as a conversion, named and dated by the event where it is not itself.

    Raises `PayloadRefused` when the data is no object.
    """
    data = event.get("data")
    if data is None:
        raise PayloadRefused(PayloadReason.NO_DATA)
    if not isinstance(data, dict):
        raise PayloadRefused(PayloadReason.NOT_AN_OBJECT)
    made: Conversion = dict(data)
    for name, attribute in (("event_id", "id"), ("event_time", "time")):
        if made.get(name) is None and attribute in event:
            made[name] = event[attribute]
    return made


def _binary(body: bytes, headers: Headers, content_type: str) -> CloudEvent | Refusal:
    event: dict[str, object] = {
        name.removeprefix(_MARK): value
        for name, value in headers.items()
        if name.startswith(_MARK) and name != f"{_MARK}data"
    }
    refused = _refused(event, _MARK)
    if refused is not None:
        return refused
    if content_type:
        event["datacontenttype"] = content_type
    if body:
        event["data"] = fields.parse(body)
    return event


def _structured(value: Mapping[str, object]) -> CloudEvent | Refusal:
    event = {name: member for name, member in value.items() if member is not None}
    refused = _refused(event, "")
    if refused is not None or "data_base64" not in event:
        return refused or event
    if "data" in event:
        return _refusal(Reason.BAD_FIELD, [FieldIssue("data_base64", "beside_data")])
    event["data"] = fields.parse(_decoded(event.pop("data_base64")))
    return event


def _decoded(text: object) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "?", validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise PayloadRefused(PayloadReason.FORMAT) from wrong


def _refused(event: Mapping[str, object], mark: str) -> Refusal | None:
    """Why this is no CloudEvent, by its attributes. `mark` stands before their names."""
    missing = [name for name in _REQUIRED if event.get(name) in (None, "")]
    if missing:
        issues = [FieldIssue(f"{mark}{name}", "missing") for name in missing]
        return _refusal(Reason.MISSING_FIELD, issues)
    wrong = [name for name in _REQUIRED if not isinstance(event[name], str)]
    if wrong:
        issues = [FieldIssue(f"{mark}{name}", "not_a_text") for name in wrong]
        return _refusal(Reason.BAD_FIELD, issues)
    if event["specversion"] != _VERSION:
        issues = [FieldIssue(f"{mark}specversion", "unknown_version")]
        return _refusal(Reason.BAD_FIELD, issues)
    return None


def _refusal(reason: Reason, issues: list[FieldIssue]) -> Refusal:
    """Without the event's id: what lacks its attributes may hold anything there."""
    return Refusal(Outcome.INVALID, reason, None, None, None, None, tuple(issues))
