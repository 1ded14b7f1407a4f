"""How one field is read: a handler per key, and what a handler may answer.

A handler takes a value that is not None and returns what goes on the wire, `None` where there is
nothing to send, or a `Flawed`. What is clean comes back as the same object. Nothing is raised: a
bad field is expected here. `record` builds the handler of an object from the handlers of its keys,
so that the rules of an object are a table.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from enum import StrEnum
from itertools import islice
from typing import Any, Final, NamedTuple

from relay.model import FieldIssue

Handler = Callable[[Any], Any]


def words(text: str) -> frozenset[str]:
    """The words of a text: for tables that read better without quotes and commas."""
    return frozenset(text.split())


class Flaw(StrEnum):
    """Why a field was dropped or changed: the closed list behind `FieldIssue.reason`."""

    MISSING = "missing"
    # its type or size
    NOT_AN_OBJECT = "not_an_object"
    NOT_A_LIST = "not_a_list"
    NOT_TEXT = "not_text"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_BOOLEAN = "not_a_boolean"
    UNSUPPORTED = "unsupported"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    TOO_DEEP = "too_deep"
    SHORTENED = "shortened"  # kept, cut to its limit
    # what it says
    PLACEHOLDER = "placeholder"  # "undefined", "null", …: what software writes for nothing
    POISON_DIGEST = "poison_digest"  # the digest of a placeholder
    NOT_AN_EMAIL = "not_an_email"
    NOT_A_PHONE = "not_a_phone"
    NOT_A_NAME = "not_a_name"
    NOT_AN_IP = "not_an_ip"
    NOT_PUBLIC = "not_public"
    NOT_A_DEVICE_ID = "not_a_device_id"
    NOT_A_LOCALE = "not_a_locale"
    NOT_A_COUNTRY = "not_a_country"
    NOT_A_CLICK_ID = "not_a_click_id"
    NOT_A_URL = "not_a_url"
    NOT_A_TIME = "not_a_time"
    NOT_A_CURRENCY = "not_a_currency"
    NOT_A_CONSENT = "not_a_consent"  # read as denied
    MUST_NOT_BE_HASHED = "must_not_be_hashed"
    NEGATIVE = "negative"
    AMBIGUOUS = "ambiguous"
    UNLISTED = "unlisted"  # not one of TikTok's values
    PERSONAL_DATA = "personal_data"
    CLAMPED = "clamped"  # kept, moved to now
    HASHED = "hashed"  # kept as its digest
    MILLISECONDS = "milliseconds"  # kept, read as such
    DERIVED = "derived"  # there was none: a digest of the event stands in
    FROM_ORDER_ID = "from_order_id"  # there was none: the order's id stands in
    BAD_EVENT_NAME = "bad_event_name"
    CASE_DIFFERS = "case_differs"  # kept: a custom event that is a standard one but for its case
    # where it stands
    UNKNOWN_FIELD = "unknown_field"
    BAD_KEY = "bad_key"
    NOT_FOR_SOURCE = "not_for_source"  # TikTok does not list it for this event source


#: Each flaw once, in order. Paths are made of known keys, `[]` and `*`: there are not many.
_Flaws = dict[tuple[str, Flaw], None]


class Flawed(NamedTuple):
    """A field with flaws: what could be kept of it (None: nothing), and where below it and why."""

    kept: Any
    flaws: tuple[tuple[str, Flaw], ...]


def dropped(flaw: Flaw) -> Flawed:
    return Flawed(None, (("", flaw),))


def kept(value: object, flaw: Flaw) -> Flawed:
    return Flawed(value, (("", flaw),))


def take(handler: Handler, raw: object, path: str, issues: list[FieldIssue]) -> Any:
    """Read one field; its flaws go to `issues`, under `path`. None: there is nothing to send."""
    if raw is None:
        return None
    value = handler(raw)
    if value is not raw and type(value) is Flawed:
        return _told(value, path, issues)
    return value


def _told(value: Flawed, path: str, issues: list[FieldIssue]) -> Any:
    """Note the flaws; what could be kept. Apart from `take`, as its generator is dear to set up."""
    issues.extend(FieldIssue(path + below, flaw.value) for below, flaw in value.flaws)
    return value.kept


def not_for_source(_: object) -> Flawed:
    return dropped(Flaw.NOT_FOR_SOURCE)


def _noted(flaws: _Flaws | None, path: str, value: Flawed) -> _Flaws:
    """These flaws and those of the value at `path`. Most objects have none, so there is no dict."""
    flaws = {} if flaws is None else flaws
    flaws.update(((path + below, flaw), None) for below, flaw in value.flaws)
    return flaws


def list_of(one: Handler, max_length: int) -> Handler:
    """The handler of an array; elements with nothing to send are left out."""

    def read(raw: object) -> object:
        if not isinstance(raw, list):
            return dropped(Flaw.NOT_A_LIST) if raw else None
        values: list[object] = []
        flaws: _Flaws | None = None
        if len(raw) > max_length:
            raw, flaws = raw[:max_length], {("", Flaw.TOO_MANY): None}
        for element in raw:
            value = None if element is None else one(element)
            if value is not element and type(value) is Flawed:
                flaws = _noted(flaws, "[]", value)
                value = value.kept
            if value is not None:
                values.append(value)
        return Flawed(values or None, tuple(flaws)) if flaws else values or None

    return read


#: More identifiers of one kind than one person has; the rest is dropped.
_MAX_VALUES: Final = 20


def one_or_several(one: Handler) -> Handler:
    """The handler of a field that TikTok takes as a string or an array of strings.

    Repeats are dropped, an array of one becomes the string, an array without any is absent.
    """
    several = list_of(one, _MAX_VALUES)

    def read(raw: object) -> object:
        if not isinstance(raw, list):
            return one(raw)
        values = several(raw)
        if type(values) is Flawed:
            return Flawed(_distinct(values.kept), values.flaws)
        return _distinct(values)

    return read


def _distinct(values: list[object] | None) -> object:
    found = list(dict.fromkeys(values or ()))
    return found if len(found) > 1 else found[0] if found else None


#: More keys than any event of a shop has: the rest of the sender's own is dropped.
_MAX_KEYS: Final = 100
#: So many are no object of an event, but an attempt to keep us busy.
_TOO_MANY_KEYS: Final = 1000
_MAX_KEY_LENGTH: Final = 64


def record(table: Mapping[str, Handler], extra: Handler | None = None) -> Handler:
    """The handler of an object: `table` reads its known keys, `extra` (if any) all others.

    Keys keep their order. An object of which nothing is left is absent. One in which nothing
    changes is returned itself, so whoever changes what a handler returned has to copy it first.
    """
    find = table.get

    def read(raw: object) -> object:
        if not isinstance(raw, dict):
            # PHP writes an empty object as [].
            return dropped(Flaw.NOT_AN_OBJECT) if raw else None
        result: dict[str, object] = raw
        flaws: _Flaws | None = None
        for key, element in raw.items():
            handler = find(key)
            if handler is not None and element is not None:
                value = handler(element)
                if value is element:
                    continue
            elif len(raw) > _TOO_MANY_KEYS:
                return dropped(Flaw.TOO_MANY)
            else:
                value = None if element is None else _unlisted(key, element, extra, result)
            result = raw.copy() if result is raw else result
            if value is None or type(value) is Flawed:
                flaws = _less(result, key, value, flaws, table)
            else:
                result[key] = value
        return Flawed(result or None, tuple(flaws)) if flaws else result or None

    return read


def _less(
    result: dict[str, object],
    key: str,
    value: Flawed | None,
    flaws: _Flaws | None,
    known: Container[object],
) -> _Flaws | None:
    """Leave in `result` what could be kept of the value of `key`; the flaws with those of it."""
    if value is not None:
        flaws = _noted(flaws, f".{shown(key, known)}", value)
        value = value.kept
    if value is None:
        del result[key]
    else:
        result[key] = value
    return flaws


def _unlisted(key: object, raw: object, extra: Handler | None, result: dict[str, object]) -> object:
    """The value of a key that no table knows. `result` holds what is kept before it, and what is
    not read yet."""
    if extra is None:
        return dropped(Flaw.UNKNOWN_FIELD)
    if not isinstance(key, str) or len(key) > _MAX_KEY_LENGTH or not key.isprintable():
        return dropped(Flaw.BAD_KEY)
    if "@" in key:
        return dropped(Flaw.PERSONAL_DATA)
    if len(result) > _MAX_KEYS and key not in islice(result, _MAX_KEYS):
        return dropped(Flaw.TOO_MANY)
    return extra(raw)


#: Keys of Events API 1.0 and common slips: unknown, but worth naming.
_FREQUENT_SLIPS: Final = words(
    """
    timestamp context pixel_code event_set_id event_source event_source_id partner_name phone_number
    phone_numbers emails hashed_email hashed_phone sha256_email sha256_phone_number contents_ids
    """
)


def shown(key: object, table: Container[object] = _FREQUENT_SLIPS) -> str:
    """A key as part of a path: a known one, or `*`, for a sender's own could be personal data."""
    return str(key) if key in table or key in _FREQUENT_SLIPS else "*"
