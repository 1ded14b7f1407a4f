"""The schema of the relay's configuration as a part of the chart's.

The same tables and keys; other words for what does not fit (see `sentences`), and fewer choices:
Helm lists every branch of an `anyOf` that failed. What it lets through and the relay refuses is
told by `relay check`.
"""

from __future__ import annotations

from typing import Any, Final

from relay.contracts.chart.sentences import told

Schema = dict[str, Any]

#: Under which name it is defined, and what stands before the names of its tables.
NAME: Final = "config"

#: Sizes may be plain numbers, too.
_SIZE_UNITS: Final = "kB|MB"

_NULL: Final = {"type": "null"}


def config_definitions(config: Schema) -> Schema:
    """`$defs` of the chart's schema: the configuration, as `config`, and its tables."""
    whole = {key: value for key, value in config.items() if not key.startswith("$")}
    tables = {f"{NAME}.{name}": _table(value) for name, value in config["$defs"].items()}
    return {NAME: _reshaped({**whole, "title": "relay.toml"}), **tables}


def _table(table: Schema) -> Schema:
    made: Schema = _reshaped(_by_kind(table) if "unevaluatedProperties" in table else table)
    return made


def _by_kind(source: Schema) -> Schema:
    """A source as one closed table for each kind, of which only that of its kind is looked at."""
    common = source["properties"]
    chain: Schema = {}
    for branch in reversed(source["allOf"]):
        own = branch["then"]
        closed = {
            "properties": {**common, **own.get("properties", {})},
            "required": own.get("required", []),
            "additionalProperties": False,
        }
        chain = {"if": branch["if"], "then": closed, **({"else": chain} if chain else {})}
    return {
        "description": source["description"],
        "type": "object",
        "required": source["required"],
        "properties": {"kind": common["kind"]},
        **chain,
    }


def _reshaped(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_reshaped(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    flat = _without_null(schema)
    return _told({key: _moved(key, value) for key, value in flat.items() if _is_kept(key, value)})


def _moved(key: str, value: Any) -> Any:
    if key == "$ref":
        return str(value).replace("#/$defs/", f"#/$defs/{NAME}.")
    if key in ("properties", "patternProperties"):
        return {name: _reshaped(each) for name, each in value.items()}
    return (
        value if key in ("default", "enum", "const", "examples", "required") else _reshaped(value)
    )


def _is_kept(key: str, value: Any) -> bool:
    """The defaults of a table stand with its keys."""
    return not (key == "default" and isinstance(value, dict))


def _without_null(schema: Schema) -> Schema:
    """`null` is Helm's word for leaving a value out. One choice is none; several texts are one."""
    choices = [each for each in schema.get("anyOf", ()) if each != _NULL]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if not choices:
        return schema
    if len(choices) == 1:
        return _without_null({**choices[0], **rest})
    return {**rest, "pattern": "|".join(f"({each['pattern']})" for each in choices)}


def _told(schema: Schema) -> Schema:
    """A kind has a pattern and an `enum`, which says more."""
    pattern = schema.get("pattern")
    if not isinstance(pattern, str):
        return schema
    if "enum" in schema:
        return {key: value for key, value in schema.items() if key != "pattern"}
    if "postgres" in pattern:
        says = "file:/run/secrets/relay/NAME, or an address without a password in it"
        return told({**schema, "says": says})
    if _SIZE_UNITS in pattern:
        return told({**schema, "type": ["string", "integer"]})
    return told(schema)
