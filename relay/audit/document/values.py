"""Single values as the document writes them. Pure."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal

from relay.audit.document.types import Days, Three
from relay.audit.facts import Period
from relay.audit.summary.money import Triple
from relay.audit.summary.sums import EXACT
from relay.normalize.money import exponent

_RATIO_DIGITS = 4


def amount(value: Decimal | None, currency: str) -> str | None:
    """Not rounded below what a price in this currency has: `0.5` of EUR is `0.50`."""
    if value is None:
        return None
    return decimal(value, max(exponent(currency), _digits(value)))


def ratio(value: Decimal | None) -> str | None:
    return None if value is None else decimal(value, _RATIO_DIGITS)


def decimal(value: Decimal, digits: int) -> str:
    """Never an exponent, never minus nothing."""
    rounded = value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, EXACT)
    return f"{rounded or abs(rounded):f}"


def _digits(value: Decimal) -> int:
    exponent_ = value.normalize(EXACT).as_tuple().exponent
    return max(0, -exponent_) if isinstance(exponent_, int) else 0


def three(triple: Triple) -> Three:
    return {
        "platform": ratio(triple.platform),
        "verified": ratio(triple.verified),
        "blended": ratio(triple.blended),
    }


def day(when: date | None) -> str | None:
    return None if when is None else when.isoformat()


def days(period: Period | None) -> Days | None:
    if period is None:
        return None
    return {"first": period.first.isoformat(), "last": period.last.isoformat()}


def moment(at: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(at, zone).isoformat()


def text(value: str) -> str:
    """As it was given, but for halves of characters, which UTF-8 cannot write."""
    return value.encode("utf-8", "replace").decode("utf-8")
