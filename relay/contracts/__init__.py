"""The documents in `schemas/`, made of the models: what goes in, what goes out, what may be set.

`make schemas` writes them, a test fails when they differ from the models, and the wheel brings them
as `relay/schemas/`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from relay import conversion, wire
from relay.audit import document as audit
from relay.contracts import journal_export
from relay.contracts.asyncapi import asyncapi
from relay.contracts.config_schema import config_schema
from relay.contracts.openapi import openapi

__all__ = ["documents", "texts"]


def documents() -> Mapping[str, dict[str, Any]]:
    """File name → document."""
    inside = conversion.CONVERSION.json_schema(ref_template="#/components/schemas/{model}")
    release = version("tiktok-conversions-relay")
    return {
        "conversion.schema.json": conversion.schema(),
        "event.schema.json": wire.schema(),
        "audit.schema.json": audit.schema(),
        "config.schema.json": config_schema(),
        "journal_export.schema.json": journal_export.schema(),
        "openapi.json": openapi(inside, release),
        "asyncapi.json": asyncapi(conversion.schema(), release),
    }


def texts() -> Mapping[str, str]:
    """File name → the document as it is written."""
    return {
        name: json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        for name, document in documents().items()
    }
