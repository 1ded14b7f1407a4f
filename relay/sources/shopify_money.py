"""What a Shopify order is worth, from its money sets.

Every amount of an order exists twice, in shop money and in presentment money (what the buyer saw);
142.20 GBP and 166.00 EUR may be one order. Value, currency and prices are all taken from the same
side, so that they never mix.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from relay.sources import fields
from relay.sources.fields import JsonObject, member, members, text
from relay.sources.protocol import ValueBasis


class Charged(NamedTuple):
    """What the buyer was charged, and on which side of the money sets that was found."""

    side: str
    value: Decimal | None
    currency: str | None


def charged(order: JsonObject) -> Charged:
    """The order's total: presentment money, else shop money, else the plain members."""
    for side in ("presentment_money", "shop_money"):
        total = member(order, "total_price_set", side)
        value, currency = fields.amount(total.get("amount")), text(total.get("currency_code"))
        if value is not None and currency is not None:
            return Charged(side, value, currency)
    # `total_price` is in shop money, whose currency is `currency`.
    value, currency = fields.amount(order.get("total_price")), text(order.get("currency"))
    return Charged("shop_money", value, currency)


def in_set(parent: JsonObject, money_set: str, side: str) -> Decimal | None:
    """One amount of a money set; the plain member beside it repeats the shop money."""
    found = fields.amount(member(parent, money_set, side).get("amount"))
    if found is None and side == "shop_money":
        return fields.amount(parent.get(money_set.removesuffix("_set")))
    return found


def on_basis(order: JsonObject, total: Charged, basis: ValueBasis) -> Decimal | None:
    """The value as configured: as charged, without shipping, or without shipping and tax.

    `taxes_included` says whether shipping prices hold their tax (Shopify docs, "ShippingLine").
    """
    if total.value is None or basis is ValueBasis.CHARGED:
        return total.value
    shipping, shipping_tax = _shipping(order, total.side)
    included = order.get("taxes_included") is True
    if basis is ValueBasis.WITHOUT_SHIPPING:
        return total.value - shipping - (0 if included else shipping_tax)
    taxes = in_set(order, "total_tax_set", total.side) or Decimal(0)
    return total.value - taxes - shipping + (shipping_tax if included else 0)


def _shipping(order: JsonObject, side: str) -> tuple[Decimal, Decimal]:
    """(shipping after discounts, the tax on it)."""
    shipping = shipping_tax = Decimal(0)
    for line in members(order, "shipping_lines"):
        if line.get("is_removed") is True:
            continue
        shipping += in_set(line, "price_set", side) or 0
        # `discounted_price_set` used to leave out cart-level discounts such as free shipping.
        for discount in members(line, "discount_allocations"):
            shipping -= in_set(discount, "amount_set", side) or 0
        for tax in members(line, "tax_lines"):
            shipping_tax += in_set(tax, "price_set", side) or 0
    return shipping, shipping_tax
