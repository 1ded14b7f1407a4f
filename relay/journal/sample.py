"""A sample of what was delivered: enough to see orders, clicks and buyers over time. Pure.

Sums cannot tell how long after the click people buy, whether one order came under two ids, or
whether every order is worth the same. The sample can: it keeps, by chance of a digest, whole orders
and whole clicks: every event of a sampled order id, and every event of a sampled click id. A small
shop is sampled whole. Nothing readable is kept of a person: 64-bit digests of digests.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class Sample(NamedTuple):
    """One delivered event that is no test event.

    `order`, `click` and `buyer` are digests (None where the event carries none): of the order id, of
    the `ttclid`, of whatever names the person best. `from_tiktok` says that the page's address or
    its referrer names TikTok, with a click id or without. `share` is what part of all orders and
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
