"""A sample of what was delivered: enough to see orders, clicks and buyers over time. Pure.

Sums cannot tell how long after the click people buy, whether one order came under two ids, or
whether every order is worth the same. The sample can: it keeps, by chance of a digest, whole orders
and whole clicks: every event of a sampled order id, and every event of a sampled click id. A small
shop is sampled whole. Nothing readable is kept of a person: 64-bit digests of digests.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from decimal import Decimal
from sys import intern
from typing import Any, Final, NamedTuple

import orjson

_DIGESTS: Final = 1 << 64


class Sample(NamedTuple):
    """One delivered event that is no test event.

    `order`, `click` and `buyer` are digests (None where the event carries none): of the order id,
    of the `ttclid`, of whatever names the person best. `from_tiktok` says that the page's address
    or its referrer names TikTok, with a click id or without. `share` is what part of all orders and
    clicks was sampled when it was written (1: all); rows of one share or above are complete among
    themselves when those whose digests lie above it are left out, see `within`.
    """

    destination: str
    event: str
    event_id: int
    event_time: int
    delivered_at: float
    order: int | None
    click: int | None
    buyer: int | None
    value: Decimal | None
    currency: str | None
    match_keys: int
    from_tiktok: bool
    share: float


# --- comparing rows ------------------------------------------------------------------------------


def common_share(samples: Iterable[Sample]) -> float:
    """The share that all of these were sampled with at least; 1 where there are none."""
    return min([sample.share for sample in samples], default=1.0)


def within(samples: Iterable[Sample], share: float) -> Iterator[Sample]:
    """Those that a sampler with this share would have kept, of rows of that share or above."""
    limit = share * _DIGESTS
    for sample in samples:
        order, click = sample.order, sample.click
        if order is None and click is None:
            if sample.event_id < limit:
                yield sample
        elif (order is not None and order < limit) or (click is not None and click < limit):
            yield sample


def of_whole_orders(samples: Iterable[Sample], share: float) -> Iterator[Sample]:
    """Those with an order that was sampled for itself: each such order is here with all its
    events. An order that is here for its click only may lack some."""
    limit = share * _DIGESTS
    return (each for each in samples if each.order is not None and each.order < limit)


def of_whole_clicks(samples: Iterable[Sample], share: float) -> Iterator[Sample]:
    """Those with a click that was sampled for itself: each such click is here with all its
    events."""
    limit = share * _DIGESTS
    return (each for each in samples if each.click is not None and each.click < limit)


# --- storing them --------------------------------------------------------------------------------


def pack(sample: Sample) -> bytes:
    """All but the destination, which is part of the row's key. Digests are letters: their digits
    could be taken for a phone number."""
    row: list[Any] = list(sample[1:])
    row[_VALUE] = None if sample.value is None else str(sample.value)
    for place in _PLACES:
        row[place] = None if row[place] is None else _lettered(row[place])
    return orjson.dumps(row)


def _lettered(digest: int) -> str:
    return urlsafe_b64encode(digest.to_bytes(8, "big")).decode()


def _number(text: str) -> int:
    return int.from_bytes(urlsafe_b64decode(text), "big")


def unpack(destination: str, value: bytes) -> Sample:
    """Raises ValueError when it is no sample."""
    row = orjson.loads(value)
    try:
        row[_VALUE] = None if row[_VALUE] is None else Decimal(row[_VALUE])
        # Rows are many, and name few events and currencies.
        row[_EVENT] = intern(row[_EVENT])
        row[_CURRENCY] = None if row[_CURRENCY] is None else intern(row[_CURRENCY])
        for place in _PLACES:
            row[place] = None if row[place] is None else _number(row[place])
        return Sample(destination, *row)
    except (TypeError, LookupError, ArithmeticError, ValueError) as error:
        raise ValueError("not a sample") from error


#: Where the digests stand in a row.
_PLACES: Final = tuple(
    Sample._fields.index(name) - 1 for name in ("event_id", "order", "click", "buyer")
)
_EVENT, _VALUE, _CURRENCY = (
    Sample._fields.index(name) - 1 for name in ("event", "value", "currency")
)
