"""`values.schema.json`: what each value may be, by its default and its comment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from relay.contracts.chart.config import config_definitions
from relay.contracts.chart.sentences import told
from relay.contracts.chart.values import Value
from relay.contracts.config_schema import config_schema

Schema = dict[str, Any]

_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}


def values_schema(values: Iterable[Value]) -> Schema:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Values of the chart relay",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **{each.path[-1]: _schema_of(each) for each in values},
            "global": {"type": "object", "description": "Of a parent chart; not looked at."},
        },
        "$defs": config_definitions(config_schema()),
    }


def _schema_of(value: Value) -> Schema:
    if value.children:
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {each.path[-1]: _schema_of(each) for each in value.children},
        }
    text = {"description": value.description}
    if "$ref" in value.schema:
        return {**text, **value.schema}
    own = {**text, **_type_of(value), "default": value.default, **value.schema}
    schema: Schema = _told(own)
    return schema


def _type_of(value: Value) -> Schema:
    """By its default; an `enum` says it all, and a default of null nothing."""
    if "enum" in value.schema or "type" in value.schema:
        return {}
    if isinstance(value.default, dict):
        return {"type": "object"}
    if type(value.default) not in _TYPES:
        raise ValueError(f"{value.key}: say its type with @schema")
    return {"type": _TYPES[type(value.default)]}


def _told(schema: Any) -> Any:
    """Patterns and what is said as sentences, wherever they stand."""
    if isinstance(schema, list):
        return [_told(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {
        key: value if key in ("default", "enum") else _told(value) for key, value in schema.items()
    }
    is_told = isinstance(schema.get("pattern"), str) or isinstance(schema.get("says"), str)
    return told(inner) if is_told else inner
