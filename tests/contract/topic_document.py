"""`schemas/asyncapi.json`, asked whether a message is as it says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

SCHEMAS = Path(__file__).parents[2] / "schemas"


class TopicDocument:
    """AsyncAPI's schemas are those of JSON Schema draft 7, so that is what validates here."""

    def __init__(self) -> None:
        known = {path.name: json.loads(path.read_text("utf-8")) for path in SCHEMAS.iterdir()}
        self.whole: dict[str, Any] = known["asyncapi.json"]
        self._together = {name: _placed(value, name) for name, value in known.items()}

    def mistakes(self, place: str, value: object) -> list[str]:
        """What is wrong with a value by the schema at this place of a document, `FILE#/a/b`."""
        schema = _placed({"$ref": place}, "asyncapi.json")
        validator = Draft7Validator({"documents": self._together, **schema})
        return [
            f"{each.json_path}: {each.validator} {each.validator_value}"
            for each in validator.iter_errors(value)
        ]

    def mistakes_in(
        self,
        message: str,
        key: bytes | None,
        value: bytes,
        headers: Iterable[tuple[str, bytes]],
    ) -> list[str]:
        """What is wrong with a message, as it is on the broker, by the document's of this name."""
        described = self.whole["components"]["messages"][message]
        at = f"asyncapi.json#/components/messages/{message}"
        found = self.mistakes(f"{at}/payload", json.loads(value))
        if "headers" in described:
            texts = {name: content.decode() for name, content in headers}
            found += self.mistakes(f"{at}/headers", texts)
            found += self._inside_headers(f"{at}/headers", described["headers"], texts)
        if "bindings" in described:
            text = None if key is None else key.decode("latin-1")  # a character a byte
            found += self.mistakes(f"{at}/bindings/kafka/key", text)
        return found

    def _inside_headers(
        self, at: str, described: Mapping[str, Any], texts: Mapping[str, str]
    ) -> list[str]:
        """JSON within a header: `contentSchema` is for those who read it."""
        found: list[str] = []
        for name, schema in described.get("properties", {}).items():
            if "contentSchema" in schema and name in texts:
                place = f"{at}/properties/{name}/contentSchema"
                found += self.mistakes(place, json.loads(texts[name]))
        return found


def _placed(value: Any, file: str) -> Any:
    """The documents refer to one another by file name: to places of one document that holds all."""
    if isinstance(value, list):
        return [_placed(each, file) for each in value]
    if not isinstance(value, dict):
        return value
    found = {name: _placed(each, file) for name, each in value.items()}
    if isinstance(value.get("$ref"), str):
        other, _, place = value["$ref"].partition("#")
        found["$ref"] = f"#/documents/{other or file}{place}"
    return found
