"""How a value that does not fit its pattern is told.

Helm's own words for a pattern repeat the value, which may be a token in the wrong place, and the
pattern, which says little. Its words for a constant are `value must be '…'`: so a text that does
not fit is told to be a sentence.
"""

from __future__ import annotations

from typing import Any, Final

from relay.secrets import REFERENCE

Schema = dict[str, Any]

#: What a value without quotes may turn out to be.
_SCALARS: Final = ("string", "number", "boolean")

_SENTENCES: Final = {
    REFERENCE: "a reference, file:/run/secrets/relay/NAME or env:NAME, never the secret itself",
    r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$": "a number and a unit, such as 500ms, 20s, 15m or 7d",
    r"^[0-9]+(\.[0-9]+)?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?$": (
        "a number and a unit, such as 16MB or 10GiB"
    ),
    r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*):[0-9]{1,5}$": "HOST:PORT, such as 0.0.0.0:8080",
    r"^https?://.+$": "a web address in full, such as https://shop.example/",
    r"^[A-Z]{2}$": 'a country of two capital letters, in quotes, such as "DE"',
    r"^[^\s,:\[\]]+:[0-9]{1,5}(,[^\s,:\[\]]+:[0-9]{1,5})*$": (
        "HOST:PORT, several with commas, such as kafka-1.example:9092,kafka-2.example:9092"
    ),
    r"^[0-9]{1,20}$": "an id of digits, in quotes",
    r"^[!-~]{1,100}$": "an id of at most 100 characters, without blanks, in quotes",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$": (
        "a name of letters, digits, dots, dashes and underscores, at most 63 of them"
    ),
    r"^[A-Za-z0-9._-]{1,100}$": "letters, digits, dots, dashes and underscores, at most 100",
    r"^[A-Za-z0-9._-]{1,200}$": "letters, digits, dots, dashes and underscores, at most 200",
    r"^/": "a path that begins with /",
}


def told(schema: Schema) -> Schema:
    """The schema of a text, or of a table, with what it `says` in the place of Helm's words.

    YAML reads a text without quotes as a number or as yes and no, so that these are told the same:
    "got number, want string" would name no mend, and a table written as a text may be a secret.
    """
    pattern = schema.get("pattern")
    if pattern is None and "says" not in schema:
        return schema
    rest = {key: value for key, value in schema.items() if key not in ("pattern", "says")}
    sentence = schema.get("says") or _SENTENCES.get(str(pattern), f"text that matches {pattern}")
    wanted: Schema = {} if pattern is None else {"pattern": pattern}
    if schema.get("type") in ("string", "object"):
        wanted["type"] = schema["type"]
        rest["type"] = [schema["type"], *(each for each in _SCALARS if each != schema["type"])]
    return {**rest, "if": {"not": wanted}, "then": {"const": sentence}}
