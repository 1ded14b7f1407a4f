"""The functions that JMESPath lacks and a mapping needs: text, time, money, phones.

They give null for null, and raise for what makes no sense: a value that is there but cannot be read
is a mistake to see, not to pass over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import TypeVar

import phonenumbers
from jmespath import functions

from relay.sources import fields

#: Characters of one text value.
MAX_TEXT = 8192

_MILLISECONDS_FROM, _MICROSECONDS_FROM = 10**11, 10**14
_DIGEST = re.compile(r"[0-9a-fA-F]{64}", re.ASCII).fullmatch

#: ISO 4217 minor units where they are not 2.
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_DECIMALS = {
    **dict.fromkeys(_NONE.split(), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}

_Function = TypeVar("_Function", bound=Callable[..., object])

_TEXT = ("string", "null")
_TEXT_OR_NUMBER = ("string", "number", "null")
_ANYTHING = ()


def _takes(*arguments: tuple[str, ...], more: bool = False) -> Callable[[_Function], _Function]:
    """Declare the JMESPath types of a function's arguments; `more`: the last may be repeated."""
    signature: list[dict[str, object]] = [{"types": list(types)} for types in arguments]
    if more:
        signature[-1]["variadic"] = True

    def declare(function: _Function) -> _Function:
        declared: _Function = functions.signature(*signature)(function)
        return declared

    return declare


class Functions(functions.Functions):  # type: ignore[misc]  # jmespath has no types
    """JMESPath's functions and ours; where both have one, ours keeps its result small."""

    def __init__(self, root: object, headers: Mapping[str, str]) -> None:
        self._root = root
        self._headers = headers

    @_takes()
    def _func_root(self) -> object:
        """The whole body: for elements of a `for_each` that need something from above them."""
        return self._root

    @_takes(("string",))
    def _func_header(self, name: str) -> str | None:
        return self._headers.get(name.lower())

    @_takes(_TEXT)
    def _func_lower(self, value: str | None) -> str | None:
        return None if value is None else value.lower()

    @_takes(_TEXT)
    def _func_trim(self, value: str | None) -> str | None:
        return None if value is None else value.strip()

    @_takes(_TEXT_OR_NUMBER, _TEXT)
    def _func_phone(self, value: object, country: str | None) -> str | None:
        """E.164, or null for what cannot be a number there: no phone beats somebody else's."""
        raw = fields.text(value)
        if raw is None:
            return None
        try:
            number = phonenumbers.parse(raw[:40], fields.text(country))
        except phonenumbers.NumberParseException:
            return None
        if not phonenumbers.is_possible_number(number):
            return None
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    @_takes(_TEXT_OR_NUMBER)
    def _func_unix_time(self, value: object) -> int | None:
        """Seconds, from ISO 8601 (UTC where no offset is given), RFC 2822, or Unix time in
        seconds, milliseconds or microseconds."""
        if value is None or value == "":
            return None
        number = fields.amount(value)
        if number is not None:
            whole = int(number)
            if whole >= _MICROSECONDS_FROM:
                return whole // 1_000_000
            return whole // 1000 if whole >= _MILLISECONDS_FROM else whole
        moment = fields.utc_time(value)
        return int(parsedate_to_datetime(str(value)).timestamp()) if moment is None else moment

    @_takes(_TEXT, ("string",))
    def _func_query_param(self, url: str | None, name: str) -> str | None:
        return fields.query_parameter(url, name)

    @_takes(_TEXT_OR_NUMBER, _TEXT)
    def _func_minor_units(self, value: object, currency: str | None) -> str | None:
        """14220 and "GBP" is "142.20": by ISO 4217, which Stripe for one does not always follow."""
        if value is None or currency is None:
            return None
        return fields.amount_text(_number(value).scaleb(-_DECIMALS.get(currency.upper(), 2)))

    @_takes(_ANYTHING, more=True)
    def _func_default(self, *values: object) -> object:
        """The first value that has something in it."""
        return next((value for value in values if value not in (None, "", [], {})), None)

    @_takes(_TEXT)
    def _func_sha256_hex_or_raw(self, value: str | None) -> str | None:
        """A digest in lower case, or the text as it is: for senders that hash only sometimes.
        Whatever is not a digest is hashed later."""
        text = fields.text(value)
        return text.lower() if text is not None and _DIGEST(text) else text

    @_takes(_TEXT_OR_NUMBER, more=True)
    def _func_concat(self, *values: object) -> str | None:
        """One text; null when a part is: half an id is no id."""
        parts = [_words(value) for value in values]
        whole = [part for part in parts if part is not None]
        return _short("".join(whole)) if len(whole) == len(parts) else None

    @_takes(_TEXT_OR_NUMBER, _TEXT_OR_NUMBER)
    def _func_divide(self, dividend: object, divisor: object) -> str | None:
        if dividend is None or divisor is None:
            return None
        quotient = _number(dividend) / _number(divisor)
        return fields.amount_text(round(quotient, 6).normalize())

    @_takes(("string",), ("array-string",))
    def _func_join(self, separator: str, parts: list[str]) -> str:
        # JMESPath's own would build any length that separator times parts comes to.
        if sum(map(len, parts)) + len(separator) * len(parts) > 2 * MAX_TEXT:
            raise ValueError("text is too long")
        return separator.join(parts)

    @_takes(_ANYTHING)
    def _func_to_string(self, value: object) -> str | None:
        # JMESPath's own writes lists and objects of any size as JSON, and null as "null".
        if isinstance(value, list | dict):
            raise TypeError("a list or an object is no text")
        return _words(value)


#: The functions that standard JMESPath does not have.
OWN_FUNCTIONS = frozenset(Functions.FUNCTION_TABLE) - frozenset(functions.Functions.FUNCTION_TABLE)


def _number(value: object) -> Decimal:
    number = fields.amount(value)
    if number is None:
        raise ValueError("not a number")
    return number


def _words(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _short(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise ValueError("text is too long")
    return text
