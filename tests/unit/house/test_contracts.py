"""The documents in `schemas/`: made of the models, sound, and true."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from relay.contracts import texts
from relay.ingest.routes import place_of

SCHEMAS = Path(__file__).parents[3] / "schemas"

CONFIGURATION = """
[journal]
path = "./relay-data"
retention = "30d"

[listen]
public = "0.0.0.0:8080"

[[destinations]]
name = "web-eu"
event_source = "web"
event_source_id = "C0PIXELCODE0EXAMPLE0"
access_token = "env:TIKTOK_TOKEN_EU"
linger = "500ms"
consent = { unknown = "withhold" }

[[sources]]
name = "shop-eu"
kind = "shopify"
destination = "web-eu"
secrets = ["env:SHOPIFY_SECRET"]
purchase_on = "orders/paid"
"""

CONVERSION = {
    "event": "Purchase",
    "event_time": 1_780_000_000,
    "event_id": 1017,
    "user": {"email": ["jane@example.com"], "phone": "+1 202 555 0143"},
    "properties": {"value": "142.20", "currency": "GBP", "contents": [{"content_id": "A", "x": 1}]},
    "page": {"url": "https://shop.example/thanks"},
    "consent": "granted",
}


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    return found


def is_valid(name: str, value: object) -> bool:
    return bool(Draft202012Validator(document(name)).is_valid(value))


@pytest.mark.parametrize("name", sorted(texts()))
def test_what_is_checked_in_is_what_the_models_say(name: str) -> None:
    """Otherwise: `make schemas`, and look at the difference."""
    assert (SCHEMAS / name).read_text(encoding="utf-8") == texts()[name]


def test_there_is_no_document_beside_these() -> None:
    assert {path.name for path in SCHEMAS.iterdir()} == set(texts())


@pytest.mark.parametrize("name", sorted(name for name in texts() if "schema" in name))
def test_a_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(document(name))


def test_every_reference_leads_somewhere() -> None:
    for name in texts():
        for reference in references(document(name)):
            file, _, place = reference.partition("#")
            here: Any = document(file or name)
            for step in place.strip("/").split("/") if place else ():
                here = here[step]


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from references(each)


def test_the_configuration_of_the_readme_is_valid() -> None:
    assert is_valid("config.schema.json", tomllib.loads(CONFIGURATION))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('retention = "30d"', 'retention = "30 days"'),
        ('path = "./relay-data"', 'paht = "./relay-data"'),
        ('"env:TIKTOK_TOKEN_EU"', '"d41d8cd98f00b204e9800998ecf8427e"'),
        ('event_source = "web"', 'event_source = "website"'),
        ('"C0PIXELCODE0EXAMPLE0"', "7254"),
        ('kind = "shopify"', 'kind = "shoplift"'),
        ('purchase_on = "orders/paid"', 'purchase_on = "sometimes"'),
        ('purchase_on = "orders/paid"', 'purchase_no = "orders/paid"'),
        ('unknown = "withhold"', 'unknown = "maybe"'),
    ],
)
def test_what_the_relay_would_refuse_the_schema_refuses_too(right: str, wrong: str) -> None:
    assert right in CONFIGURATION

    assert not is_valid("config.schema.json", tomllib.loads(CONFIGURATION.replace(right, wrong)))


def test_every_key_of_the_configuration_says_what_it_means() -> None:
    definitions = document("config.schema.json")["$defs"]

    silent = [
        f"{table}.{key}"
        for table, definition in definitions.items()
        if "." not in table
        for key, value in definition.get("properties", {}).items()
        if not value.get("description")
    ]

    assert silent == []


def test_durations_and_sizes_are_documented_as_they_are_written() -> None:
    destination = document("config.schema.json")["$defs"]["Destination"]["properties"]

    assert destination["linger"]["default"] == "500ms"
    assert destination["max_batch_bytes"]["default"] == "1MB"


def test_a_conversion_is_valid_and_one_without_a_time_is_not() -> None:
    incomplete = {key: value for key, value in CONVERSION.items() if key != "event_time"}

    assert is_valid("conversion.schema.json", CONVERSION)
    assert not is_valid("conversion.schema.json", incomplete)


def test_the_documented_addresses_are_those_that_are_served() -> None:
    for path in document("openapi.json")["paths"]:
        assert place_of(path) is not None, path


def test_the_documented_body_takes_one_conversion_or_several() -> None:
    whole = document("openapi.json")
    body = whole["paths"]["/v1/events"]["post"]["requestBody"]["content"]["application/json"]
    validator = Draft202012Validator({**body["schema"], "components": whole["components"]})

    assert validator.is_valid(CONVERSION)
    assert validator.is_valid([CONVERSION, CONVERSION])
    assert not validator.is_valid("Purchase")
