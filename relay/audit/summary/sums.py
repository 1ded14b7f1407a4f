"""Adding up where something may be unknown: a sum with an unknown part is unknown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Context, Decimal
from typing import Final

#: Sums are exact however large: 28 digits, Python's default, would round.
EXACT: Final = Context(prec=200)


def counted(values: Iterable[int | None]) -> int | None:
    """Their sum; None when one of them is."""
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def added(values: Iterable[Decimal | None]) -> Decimal | None:
    """Their sum; None when one of them is."""
    total = Decimal(0)
    for value in values:
        if value is None:
            return None
        total = EXACT.add(total, value)
    return total


def per(amount: Decimal | int | None, count: Decimal | int | None) -> Decimal | None:
    """`amount / count`; None where one of them is unknown or there is nothing to divide by."""
    if amount is None or not count:
        return None
    return Decimal(amount) / Decimal(count)


def converted(
    amounts: Mapping[str, Decimal], rates: Mapping[str, Decimal], currency: str
) -> Decimal | None:
    """In the account's `currency`; None where a rate is missing."""
    return added(
        None if (rate := rate_of(each, rates, currency)) is None else EXACT.multiply(amount, rate)
        for each, amount in amounts.items()
    )


def rate_of(each: str, rates: Mapping[str, Decimal], currency: str) -> Decimal | None:
    return Decimal(1) if each == currency else rates.get(each)
