"""The JSON Schema of the configuration, with the docstrings of its keys as descriptions."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from relay.config import Settings, audit, kafka, management, settings, traces
from relay.sources import registry

Schema = dict[str, Any]

#: Files of tables that stand in others.
_TABLES = (kafka, traces, management, audit)


def config_schema() -> Schema:
    """What `relay.toml` may hold; the options of a source depend on its `kind`."""
    schema = _described(Settings, settings)
    kinds = {kind: importlib.import_module(f"relay.sources.{kind}") for kind in registry.kinds()}
    source = schema["$defs"]["Source"]
    source["properties"]["kind"]["enum"] = list(kinds)
    # Gathered from the keys beside it, and not meant to be written.
    del source["properties"]["options"], source["additionalProperties"]
    source["unevaluatedProperties"] = False
    source["allOf"] = [
        {
            "if": {"properties": {"kind": {"const": kind}}},
            "then": _options(schema, kind, module),
        }
        for kind, module in kinds.items()
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of the relay",
        "description": "`relay.toml`; every key also as RELAY_… in the environment.",
        **schema,
    }


def _options(schema: Schema, kind: str, module: ModuleType) -> Schema:
    """What this kind adds to a source; what that refers to joins the definitions."""
    options = _described(module.Settings, module, prefix=f"{kind}.")
    for name, definition in options.get("$defs", {}).items():
        schema["$defs"][f"{kind}.{name}"] = definition
    return {key: options[key] for key in ("properties", "required") if options.get(key)}


def _described(model: type[BaseModel], module: ModuleType, *, prefix: str = "") -> Schema:
    """The model's schema as it is written out: defaults have their units, keys their docstrings.
    `prefix` stands before the names of the definitions that it refers to."""
    template = f"#/$defs/{prefix}{{model}}"
    schema = model.model_json_schema(mode="serialization", ref_template=template)
    texts = {key: text for each in (*_TABLES, module) for key, text in _docstrings(each)}
    for name, table in (*schema.get("$defs", {}).items(), (model.__name__, schema)):
        table.pop("title", None)
        for key, value in table.get("properties", {}).items():
            value.pop("title", None)
            if (name, key) in texts:
                value["description"] = texts[name, key]
            if value.get("default", ...) is None:
                del value["default"]
            elif value.get("uniqueItems"):  # a set: its order differs from run to run
                value["default"] = sorted(value.get("default", ()))
    return schema


def _docstrings(module: ModuleType) -> Iterator[tuple[tuple[str, str], str]]:
    """The text below each annotated key of each class: ((class, key), text)."""
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ClassDef):
            for statement, following in zip(node.body, node.body[1:], strict=False):
                text = _text(following)
                if text and isinstance(statement, ast.AnnAssign):
                    yield (node.name, ast.unparse(statement.target)), text


def _text(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return " ".join(str(node.value.value).split())
    return None
