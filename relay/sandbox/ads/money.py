"""Money in minor units: sums of integers are exact, and levels of a report agree to the cent."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

#: ISO 4217; every other currency that ads are paid in has two digits.
_DIGITS: Final = {
    "CLP": 0, "ISK": 0, "JPY": 0, "KRW": 0, "PYG": 0, "VND": 0,
    "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip


def digits_of(currency: str) -> int:
    """Digits after the point."""
    return _DIGITS.get(currency, 2)


def minor_units(currency: str) -> int:
    """How many minor units one unit of a currency has."""
    return int(10 ** digits_of(currency))


def amount(minor: int, digits: int) -> Decimal:
    return Decimal(minor).scaleb(-digits)


def quotient(dividend: int | Decimal, divisor: int | Decimal, digits: int) -> Decimal:
    """Rounded half up; of nothing 0, as TikTok writes it."""
    if not divisor:
        return Decimal(0).scaleb(-digits)
    return (Decimal(dividend) / Decimal(divisor)).quantize(
        Decimal(1).scaleb(-digits), ROUND_HALF_UP
    )
