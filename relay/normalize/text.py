"""Text, ids and whatever else a sender may put into `properties`.

Free text can hold what it should not: text with an e-mail address in it is dropped whole, because
TikTok flags personal data in free text ("potentially prohibited data", Events Manager diagnostics)
and because we promise to store none.
"""

from __future__ import annotations

import math
import re
from typing import Final

import orjson

from relay.normalize.digest import PLACEHOLDERS, digest
from relay.normalize.fields import Flaw, Flawed, Handler, dropped, kept, list_of, record

#: Long enough for any title or description of a product.
MAX_TEXT: Final = 1000
#: TikTok publishes no limit for ids; longer than any id in use, short enough to index.
MAX_ID: Final = 255
_MAX_DEPTH: Final = 4
_MAX_ELEMENTS: Final = 100
_MAX_EXTRA_BYTES: Final = 4096
#: The range of JSON integers that the serializer can write.
_INT_RANGE: Final = range(-(2**63), 2**64)
#: Beyond this a number is no id, and slow to print.
_MAX_NUMBER_ID: Final = 10**40

_EMAIL_INSIDE: Final = re.compile(r"[^\s@]@[^\s@.]++\.[^\s@.]").search
#: Control characters, and halves of surrogate pairs, which UTF-8 cannot carry.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")


def has_email(text: str) -> bool:
    """Whether an e-mail address stands anywhere in `text`."""
    return "@" in text and _EMAIL_INSIDE(text) is not None


def clean(text: str) -> str:
    """`text` trimmed, without control characters and without what UTF-8 cannot carry."""
    text = text.strip()
    if text.isprintable():
        return text
    return _UNPRINTABLE.sub(" ", text).strip()


def free_text(raw: object) -> str | Flawed | None:
    """A name, description or search text: trimmed, cut to 1000 characters, no e-mail inside."""
    if not isinstance(raw, str):
        return _number_as_text(raw)
    if len(raw) > MAX_TEXT:
        return _shortened(raw)
    text = raw.strip()
    if not text.isascii():
        text = clean(text)
    if "@" in text and has_email(text):
        return dropped(Flaw.PERSONAL_DATA)
    return text or None


def _shortened(raw: str) -> Flawed | None:
    # Cut first: the search for addresses must not walk through megabytes.
    head = clean(raw[: 2 * MAX_TEXT])
    if has_email(head):
        return dropped(Flaw.PERSONAL_DATA)
    return kept(head[:MAX_TEXT].rstrip(), Flaw.SHORTENED) if head else None


def _number_as_text(raw: object) -> str | Flawed:
    """A number where text belongs; a whole float loses its `.0`, big integers stay exact."""
    if not isinstance(raw, int | float) or isinstance(raw, bool) or not abs(raw) < _MAX_NUMBER_ID:
        return dropped(Flaw.NOT_TEXT)
    return str(int(raw)) if isinstance(raw, int) or raw.is_integer() else repr(raw)


def identifier(raw: object) -> str | Flawed | None:
    """An id of a thing (order, product, shop): always a string, as TikTok refuses numbers.

    Observed answer to a number: 40002 "Not a valid string".
    """
    if not isinstance(raw, str):
        return _number_as_text(raw)
    text = raw.strip()
    if len(text) > MAX_ID:
        return dropped(Flaw.TOO_LONG)
    if not text.isprintable():
        text = clean(text)
    if text in PLACEHOLDERS:
        return dropped(Flaw.PLACEHOLDER) if text else None
    if "@" in text and has_email(text):
        return dropped(Flaw.PERSONAL_DATA)
    return text


def event_identifier(raw: object) -> str | Flawed | None:
    """An `event_id`. One that cannot be kept as it is becomes its digest, not nothing.

    The id must stay a function of what was sent, or repeats would no longer be recognised.
    TikTok takes event ids "hashed or plain" (TikTok docs, Events API 2.0).
    """
    text = identifier(raw)
    if text is raw or not isinstance(text, Flawed) or not isinstance(raw, str):
        return text
    return kept(digest(clean(raw)), Flaw.HASHED) if text.flaws[0][1] in _HASHABLE else text


_HASHABLE: Final = frozenset({Flaw.TOO_LONG, Flaw.PERSONAL_DATA})


def choice(*allowed: str) -> Handler:
    """The handler of a text with a closed list of values, matched without regard to case.

    `allowed` is in the case TikTok wants.
    """
    known = {value.lower(): value for value in allowed}
    exact = {value: value for value in allowed}

    def read(raw: object) -> object:
        value = exact.get(raw) if isinstance(raw, str) else None
        return value or other(raw)

    def other(raw: object) -> object:
        text = free_text(raw)
        if text is None or isinstance(text, Flawed):
            return text
        return known.get(text.lower()) or dropped(Flaw.UNLISTED)

    return read


def boolean(raw: object) -> bool | Flawed | None:
    """A boolean; `"true"`, `"false"`, 0 and 1 are taken for what they mean."""
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str):
        raw = raw.strip().lower() if len(raw) <= MAX_ID else "?"
    if raw == "":
        return None
    value = _BOOLEANS.get(raw) if isinstance(raw, str | int | float) else None
    return dropped(Flaw.NOT_A_BOOLEAN) if value is None else value


_BOOLEANS: Final[dict[object, bool]] = dict.fromkeys(("true", "1", 1), True) | dict.fromkeys(
    ("false", "0", 0), False
)


def _number(raw: object) -> object:
    if isinstance(raw, int):
        return raw if raw in _INT_RANGE else dropped(Flaw.TOO_LARGE)
    if isinstance(raw, float) and math.isfinite(raw):
        return raw
    return dropped(Flaw.UNSUPPORTED)


def _nested(depth: int) -> Handler:
    """The handler of any JSON value of at most `depth` levels."""
    inner = _nested(depth - 1) if depth else None
    read_object = record({}, inner)
    read_array = list_of(inner, _MAX_ELEMENTS) if inner else None

    def read(raw: object) -> object:
        if isinstance(raw, str):
            return free_text(raw)
        if not isinstance(raw, dict | list):
            return _number(raw)
        if read_array is None:
            return dropped(Flaw.TOO_DEEP)
        return read_object(raw) if isinstance(raw, dict) else read_array(raw)

    return read


_any_json = _nested(_MAX_DEPTH)


def extra(raw: object) -> object:
    """A property TikTok does not list: JSON of at most 4 levels and 4 kB, no e-mail inside."""
    value = _any_json(raw)
    if isinstance(raw, dict | list):
        content = value.kept if isinstance(value, Flawed) else value
        if content is not None and len(orjson.dumps(content)) > _MAX_EXTRA_BYTES:
            return dropped(Flaw.TOO_LARGE)
    return value
