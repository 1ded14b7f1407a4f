"""AddToCart from Shopify's `carts/create` and `carts/update`: the difference to the cart before.

A cart topic carries the whole cart and no person. So the last state of each cart is remembered
under a digest of its token, and only units that were added since make an AddToCart, one per
variant. Whether an event without a match key is sent at all is the destination's policy.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import orjson

from relay.sources import fields
from relay.sources.fields import JsonObject, compact, member, members, text
from relay.sources.protocol import (
    Conversion,
    Conversions,
    Ignored,
    IgnoredReason,
    Reading,
    Recall,
)

#: Shopify's carts hold at most 500 lines; what is beyond this is not read.
_MAX_LINES = 1000


@dataclass(frozen=True, slots=True)
class Carts:
    """Reads the cart topics of one source."""

    source: str
    content_id: str
    content_type: str

    def read(self, cart: JsonObject, topic: str, recall: Recall) -> Reading:
        """The units added since the state that `recall` knows of this cart.

        `event_id` is `token:variant:units now in the cart`: two additions of one unit differ, a
        repeated delivery does not, and a browser that knows the cart can compute it too.
        """
        token = text(cart.get("token"), cart.get("id"))
        if token is None:
            return Ignored(IgnoredReason.NO_DATA)
        key = self._key(token)
        before_at, before = _remembered(recall(key))
        at = fields.utc_moment(cart.get("updated_at")) or 0.0
        if at < before_at:
            return Ignored(IgnoredReason.STALE)  # a retry carries the state of its first attempt
        lines = self._units(cart)
        units = {unit: quantity for unit, (quantity, _) in lines.items()}
        if units == before:
            return Ignored(IgnoredReason.NOTHING_ADDED)
        changed = "created_at" if topic == "carts/create" else "updated_at"
        added = [
            {
                "event": "AddToCart",
                "event_id": f"{token}:{unit}:{quantity}",
                "event_time": fields.utc_time(cart.get(changed)),
                "properties": self._properties(line, quantity - before.get(unit, 0)),
            }
            for unit, (quantity, line) in lines.items()
            if quantity > before.get(unit, 0)
        ]
        state = orjson.dumps({"at": at, "units": units})
        return Conversions([compact(item) for item in added], {key: state})

    def _key(self, token: str) -> bytes:
        named = "\0".join(("shopify", self.source, "cart", token))
        return hashlib.sha256(named.encode()).digest()[:16]

    def _units(self, cart: JsonObject) -> dict[str, tuple[int, JsonObject]]:
        """Variant → (units in the cart, one of its lines); several lines may share a variant."""
        found: dict[str, tuple[int, JsonObject]] = {}
        for line in members(cart, "line_items")[:_MAX_LINES]:
            unit = text(line.get("variant_id"), line.get(self.content_id))
            quantity = fields.count(line.get("quantity"))
            if unit is not None and quantity:
                found[unit] = (found.get(unit, (0, line))[0] + quantity, line)
        return found

    def _properties(self, line: JsonObject, added: int) -> Conversion:
        money = member(line, "price_set", "presentment_money")
        price = fields.amount(money.get("amount"))
        content = {
            "content_id": text(line.get(self.content_id)),
            "content_name": text(line.get("title")),
            "quantity": added,
            "price": fields.amount_text(price),
        }
        return compact(
            {
                "value": fields.amount_text(None if price is None else price * added),
                "currency": text(money.get("currency_code")),
                "content_type": self.content_type,
                "contents": [compact(content)],
            }
        )


def _remembered(stored: bytes | None) -> tuple[float, dict[str, int]]:
    """(when the cart was last changed, units per variant), as `Carts.read` wrote it."""
    if stored is None:
        return 0.0, {}
    state = orjson.loads(stored)
    return float(state["at"]), dict(state["units"])
