"""Money: amounts to exact JSON numbers, currencies to ISO 4217.

TikTok wants a number without symbols, letters or separators (TikTok docs, Events API 2.0). Amounts
are read as decimals and rounded half up to the minor unit of their currency. What goes out has at
most 15 digits, so that the double of a JSON number carries it exactly and prints it plainly.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from relay.normalize.fields import Flaw, Flawed, Handler, dropped, kept, words

#: Minor units by ISO 4217, where they are not 2.
_EXPONENTS: Final = {
    **dict.fromkeys(
        words("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"), 0
    ),
    **dict.fromkeys(words("BHD IQD JOD KWD LYD OMR TND"), 3),
    **dict.fromkeys(words("CLF UYW"), 4),
}

#: What TikTok lists (TikTok docs, Events API 2.0); the last line is only in its iOS SDK.
LISTED: Final = words(
    """
    AED ARS AUD BDT BHD BIF BOB BRL CAD CHF CLP CNY COP CRC CZK DKK DZD EGP EUR GBP GTQ HKD HNL HUF
    IDR ILS INR ISK JPY KES KHR KRW KWD KZT MAD MOP MXN MYR NGN NIO NOK NZD OMR PEN PHP PKR PLN PYG
    QAR RON RUB SAR SEK SGD THB TRY TWD UAH USD VES VND ZAR
    BGN IQD JOD LBP TZS
    """
)

_LISTED: Final = {code: code for code in LISTED}
_CODE: Final = re.compile(r"[A-Z]{3}\Z").match

#: What a double carries exactly.
_MAX_DIGITS: Final = 15
_MAX_TEXT: Final = 40
_MAX_PIECES: Final = 10**9

_PLAIN: Final = re.compile(r"\+?([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\Z").match
_GROUPED: Final = re.compile(
    r"\+?([1-9][0-9]{0,2}(?:(?P<group>[,.' \u00a0\u202f\u2019])[0-9]{3})(?:(?P=group)[0-9]{3})*)"
    r"(?:(?!(?P=group))[.,]([0-9]+))?\Z"
).match
_DECIMAL_COMMA: Final = re.compile(r"\+?([0-9]+),([0-9]+)\Z").match
_MINUS: Final = re.compile(r"[-\u2212]").match


def exponent(currency: str) -> int:
    """How many decimals an amount in this currency has (ISO 4217; 2 where nothing is known)."""
    return _EXPONENTS.get(currency, 2)


def currency_code(raw: object) -> str | None:
    """Three uppercase letters, or None."""
    if not isinstance(raw, str) or len(raw) > _MAX_TEXT:
        return None
    text = raw.strip().upper()
    return text if _CODE(text) else None


def currency(raw: object) -> str | Flawed | None:
    """TikTok's `currency`. One that it does not list passes, with a flaw: its fate is not known."""
    if isinstance(raw, str) and raw in _LISTED:
        return raw
    code = currency_code(raw)
    if code is None:
        return None if raw == "" else dropped(Flaw.NOT_A_CURRENCY)
    return code if code in LISTED else kept(code, Flaw.UNLISTED)


def amount(decimals: int) -> Handler:
    """The handler of an amount with at most this many decimals; zero is an amount."""
    limit = 10.0 ** (_MAX_DIGITS - decimals)
    scale = 10.0**decimals
    quantum = Decimal(1).scaleb(-decimals)

    def read(raw: object) -> object:
        if type(raw) is float:
            # Exact: the quotient is the double nearest to so many minor units, and so is `raw`.
            # (Floor division by one, because `int` makes an object.)
            if 0.0 <= raw < limit and (raw * scale + 0.5) // 1.0 / scale == raw:
                return int(raw) if raw.is_integer() else raw
        elif type(raw) is int and 0 <= raw < limit:
            return raw
        number = _decimal(raw, decimals)
        return number if not isinstance(number, Decimal) else _on_the_wire(number, quantum, limit)

    return read


def _on_the_wire(number: Decimal, quantum: Decimal, limit: float) -> int | float | Flawed:
    if not number.is_finite():
        return dropped(Flaw.NOT_A_NUMBER)
    if number < 0:
        return dropped(Flaw.NEGATIVE)
    if number >= limit:
        return dropped(Flaw.TOO_LARGE)
    rounded = number.quantize(quantum, ROUND_HALF_UP)
    if rounded >= limit:
        return dropped(Flaw.TOO_LARGE)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def _decimal(raw: object, decimals: int) -> Decimal | Flawed | None:
    if isinstance(raw, str):
        return _from_text(raw, decimals)
    if isinstance(raw, Decimal):
        return raw
    if isinstance(raw, float):
        return Decimal(repr(raw))
    if isinstance(raw, int) and not isinstance(raw, bool):
        return Decimal(raw)
    return dropped(Flaw.NOT_A_NUMBER)


def _from_text(raw: str, decimals: int) -> Decimal | Flawed | None:
    """An amount as people and shops write it, where that has one meaning.

    "1,234" has two unless the currency has no decimals (yen); "1,234.00", "1.234,00", "12,5" and
    "1 234 567" have one. A single dot is a decimal point: that is how software writes numbers.
    """
    text = raw.strip() if len(raw) <= _MAX_TEXT else "?"
    if not text:
        return None
    if found := _PLAIN(text):
        return Decimal(found[1])
    if found := _GROUPED(text):
        group, whole, rest = found["group"], found[1], found[3]
        if group == "," and rest is None and whole.count(",") == 1 and decimals > 0:
            return dropped(Flaw.AMBIGUOUS)
        return Decimal(whole.replace(group, "") + "." + (rest or "0"))
    if found := _DECIMAL_COMMA(text):
        return Decimal(f"{found[1]}.{found[2]}")
    return dropped(Flaw.NEGATIVE if _MINUS(text) else Flaw.NOT_A_NUMBER)


_exactly: Final = amount(4)


def quantity(raw: object) -> int | Flawed | None:
    """A number of pieces: a whole number below a thousand million; zero is one."""
    if type(raw) is int and 0 <= raw < _MAX_PIECES:
        return raw
    value = _exactly(raw)
    if value is None or type(value) is Flawed:
        return value
    return value if type(value) is int and value < _MAX_PIECES else dropped(Flaw.NOT_A_NUMBER)
