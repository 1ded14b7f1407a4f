"""Reading members of JSON that somebody else wrote: a wrong type is an absent value, no error.

Payloads come with `customer: null`, `shipping_address: []`, `email: ""`, ids as numbers or text,
amounts as text or numbers; each of these getters takes any object and answers in one type or None.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import unquote

import orjson

from relay.errors import PayloadRefused
from relay.sources.protocol import PayloadReason

JsonObject = Mapping[str, object]

_NOTHING: JsonObject = {}
_AMOUNT = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,12})?", re.ASCII).fullmatch
_COUNT = re.compile(r"[0-9]{1,15}", re.ASCII).fullmatch
_PHONE_MARKS = str.maketrans("", "", " -.()/\t\u00a0\u202f")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII).fullmatch

_CONSENT_WORDS = {
    **dict.fromkeys(("granted", "grant", "true", "yes", "1", "on", "allow", "allowed"), "granted"),
    **dict.fromkeys(("denied", "deny", "false", "no", "0", "off", "revoked", "refused"), "denied"),
}


def parse(body: bytes) -> object:
    """The JSON value of a body; integers keep all their digits. Raises `PayloadRefused`."""
    try:
        return orjson.loads(body)
    except ValueError as exc:
        raise PayloadRefused(PayloadReason.NOT_JSON) from exc


def parse_object(body: bytes) -> JsonObject:
    """The JSON object of a body. Raises `PayloadRefused`."""
    value = parse(body)
    if not isinstance(value, dict):
        raise PayloadRefused(PayloadReason.NOT_AN_OBJECT)
    return value


def member(parent: JsonObject, *path: str) -> JsonObject:
    """The object at a path; an empty one where there is none."""
    value: object = parent
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else _NOTHING


def members(parent: JsonObject, name: str) -> list[JsonObject]:
    """The objects in the list under `name`; whatever else the list holds is left out."""
    value = parent.get(name)
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]


def text(*values: object) -> str | None:
    """The first value that is text with something in it, or a whole number, as text."""
    for value in values:
        if isinstance(value, str):
            stripped = value.strip()
            if stripped:
                return stripped
        elif isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None


def positive_id(value: object) -> str | None:
    """An id as text, where 0 means "none" (a WooCommerce guest has `customer_id` 0)."""
    found = text(value)
    return None if found == "0" else found


def count(value: object) -> int | None:
    """A whole number from 0 on, given as a number or as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    if isinstance(value, str) and _COUNT(value):
        return int(value)
    return None


def amount(value: object) -> Decimal | None:
    """An amount of money given as text or as a number; never an infinity, never an exponent."""
    if isinstance(value, str):
        stripped = value.strip()
        return Decimal(stripped) if _AMOUNT(stripped) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return amount(format(Decimal(str(value)), "f"))


def amount_text(value: Decimal | None) -> str | None:
    """An amount as canonical text: plain digits with the decimals it came with."""
    return None if value is None else format(value, "f")


def utc_time(*values: object) -> int | None:
    """Unix time in seconds of the first ISO 8601 text; one without an offset is UTC."""
    for value in values:
        moment = utc_moment(value)
        if moment is not None:
            return math.floor(moment)
    return None


def utc_moment(value: object) -> float | None:
    """Unix time of an ISO 8601 text, with its fraction."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def web_url(value: object) -> str | None:
    """A full http(s) URL, or None."""
    found = text(value)
    return found if found and found.startswith(("https://", "http://")) else None


def query_parameter(url: object, name: str) -> str | None:
    """One parameter of a URL's query, decoded."""
    if not isinstance(url, str) or f"{name}=" not in url:
        return None
    match = re.search(rf"[?&]{re.escape(name)}=([^&#]+)", url)
    return text(unquote(match[1])) if match else None


def pairs(entries: Iterable[JsonObject], key: str) -> dict[str, object]:
    """`[{key: …, "value": …}]` as a mapping; the first of equal keys wins."""
    found: dict[str, object] = {}
    for entry in entries:
        name = entry.get(key)
        if isinstance(name, str):
            found.setdefault(name, entry.get("value"))
    return found


def consent(value: object) -> str | None:
    """A consent word of a shop as "granted" or "denied"; an unknown word is handed on as it is,
    in lower case, so that it is refused in the open rather than taken for either."""
    if isinstance(value, bool):
        return "granted" if value else "denied"
    word = text(value)
    return None if word is None else _CONSENT_WORDS.get(word.lower(), word.lower())


def compact(values: Mapping[str, object]) -> dict[str, object]:
    """The members that have a value: no None, no empty text, object or list."""
    return {
        name: value
        for name, value in values.items()
        if value or (value is not None and value not in ("", {}, []))
    }


def person_digests(*, email: object, phone: object, external_id: object) -> list[str]:
    """SHA-256 digests that the stored events of this person carry (TikTok docs, Events API 2.0:
    e-mail trimmed and lower-cased, phone in E.164, external id as it is). A national phone number
    is left out: without its country it would be the digest of somebody else."""
    found = [text(email), text(phone), text(external_id)]
    normal = [
        found[0].lower() if found[0] else None,
        found[1].translate(_PHONE_MARKS) if found[1] else None,
        found[2],
    ]
    if normal[1] is not None and not _E164(normal[1]):
        normal[1] = None
    return [hashlib.sha256(value.encode()).hexdigest() for value in normal if value]
