"""WooCommerce webhooks: orders and customers.

Signature: HMAC-SHA256 in base64 over the raw body (WooCommerce, `class-wc-webhook.php`). The key is
the secret as it was typed: WooCommerce decodes HTML entities before it signs, so write `a&b`, not
`a&amp;b`. The ping at creation, a form body `webhook_id=7`, is not signed.

The status decides, not the topic: the payload is the order's state at delivery, so `order.created`
may already say "processing", and `order.updated` comes six to nine times for one order. A Purchase
has the order's id as `event_id`, and the relay's claims let the first one through.

A meta data entry `_tt_event_id` overrides it. Switch the purchase event of TikTok's own plugin off:
its event ids cannot be derived from the order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from relay.config.settings import Section
from relay.sources import fields, signature
from relay.sources.fields import JsonObject, compact, member, members, text
from relay.sources.protocol import (
    Conversion,
    Conversions,
    Headers,
    Ignored,
    IgnoredReason,
    Reading,
    Recall,
    Source,
    ValueBasis,
)

KIND = "woocommerce"

_SCHEME = signature.Scheme(signature.Algorithm.SHA256, signature.Encoding.BASE64)
_PING = re.compile(rb"webhook_id=[0-9]{1,20}").fullmatch
_SIGNATURE_HEADER = "x-wc-webhook-signature"

#: Line prices are computed, (subtotal + tax) / quantity; WooCommerce itself keeps six decimals.
_PRICE_STEP = Decimal("0.000001")


class ContentId(StrEnum):
    SKU = "sku"
    VARIATION_ID = "variation_id"
    PRODUCT_ID = "product_id"


class Settings(Section):
    """Options of a WooCommerce source."""

    purchase: bool = True
    """Report paid orders."""

    complete_registration: bool = True
    """Report new customers."""

    paid_statuses: frozenset[str] = frozenset({"processing", "completed"})
    """The order statuses that make a sale."""

    on_hold_methods: frozenset[str] = frozenset()
    """Payment methods (`bacs`, `cheque`, …) whose orders count while they are still on hold."""

    ignore_created_via: frozenset[str] = frozenset({"admin", "rest-api"})
    """`created_via` of orders that no visitor placed."""

    renewals: bool = False
    """Whether renewals of a subscription count as sales."""

    registration_roles: frozenset[str] = frozenset({"customer", "subscriber"})
    """Users with other roles are staff."""

    content_id: ContentId = ContentId.SKU
    """Must be the ids of the TikTok catalogue; where a line has none, the next broader one."""

    value_basis: ValueBasis = ValueBasis.CHARGED
    """The value of a sale: as `charged`, `without_shipping`, or `net` of shipping and tax."""

    ttclid_key: str = "_ttclid"
    """The key of the order's meta data that holds the click id."""

    ttp_key: str = "_ttp"
    """The key of the order's meta data that holds the pixel's cookie."""

    consent_key: str = "_tt_consent"
    """The key of the order's meta data that says whether the visitor agreed to be tracked."""

    event_id_key: str = "_tt_event_id"
    """The key of the order's meta data whose value, where there is one, is the event id."""

    page_key: str = "_wc_order_attribution_session_entry"
    """The key of the order's meta data that holds the page the visit began on."""

    referrer_key: str = "_wc_order_attribution_referrer"
    """The key of the order's meta data that holds what led there."""


def build(name: str, secrets: Sequence[str], settings: Settings) -> Source:
    """Raises `ConfigError` when no usable secret is given."""
    return WooCommerce(name, signature.keys_of(secrets), settings)


@dataclass(frozen=True, slots=True)
class WooCommerce:
    """One shop."""

    name: str
    keys: Sequence[bytes] = field(repr=False)
    settings: Settings
    kind: ClassVar[str] = KIND

    def is_ping(self, body: bytes, headers: Headers) -> bool:
        return _SIGNATURE_HEADER not in headers and _PING(body) is not None

    def verify(self, body: bytes, headers: Headers, *, now: float) -> None:
        signature.refuse_empty(body)
        given = signature.presented(headers, _SIGNATURE_HEADER)
        signature.check_hmac(body, (given,), self.keys, _SCHEME)

    def read(self, body: bytes, headers: Headers, *, now: float, recall: Recall) -> Reading:
        payload = fields.parse_object(body)
        topic = headers.get("x-wc-webhook-topic", "")
        if topic in {"order.created", "order.updated"}:
            meta = fields.pairs(members(payload, "meta_data"), "key")
            reason = self._why_no_sale(payload, meta)
            return Ignored(reason) if reason else Conversions([self._purchase(payload, meta)])
        if topic == "customer.created":
            reason = self._why_no_registration(payload)
            return Ignored(reason) if reason else Conversions([_registration(payload)])
        return Ignored(IgnoredReason.TOPIC)

    def _why_no_sale(self, order: JsonObject, meta: Mapping[str, object]) -> IgnoredReason | None:
        settings = self.settings
        if not settings.purchase:
            return IgnoredReason.SWITCHED_OFF
        if text(order.get("created_via")) in settings.ignore_created_via:
            return IgnoredReason.CHANNEL
        renewal = fields.positive_id(order.get("parent_id")) or "_subscription_renewal" in meta
        if renewal and not settings.renewals:
            return IgnoredReason.RENEWAL
        status = text(order.get("status"))
        if status in {"cancelled", "failed", "trash"}:
            return IgnoredReason.CANCELLED
        if status == "refunded":
            return IgnoredReason.REFUND
        awaited = (
            status == "on-hold" and text(order.get("payment_method")) in settings.on_hold_methods
        )
        return None if status in settings.paid_statuses or awaited else IgnoredReason.NOT_PAID

    def _why_no_registration(self, customer: JsonObject) -> IgnoredReason | None:
        if not self.settings.complete_registration:
            return IgnoredReason.SWITCHED_OFF
        known = text(customer.get("role")) in self.settings.registration_roles
        return None if known else IgnoredReason.NO_ACCOUNT

    def _purchase(self, order: JsonObject, meta: Mapping[str, object]) -> Conversion:
        settings = self.settings
        order_id = text(order.get("number"), order.get("id"))
        properties = {
            "value": fields.amount_text(_value(order, settings)),
            "currency": text(order.get("currency")),
            "order_id": order_id,
            **self._contents(order),
        }
        page = {
            "url": fields.web_url(meta.get(settings.page_key)),
            "referrer": fields.web_url(meta.get(settings.referrer_key)),
        }
        conversion = {
            "event": "Purchase",
            "event_id": text(meta.get(settings.event_id_key), order.get("id")),
            # Without `_gmt` the dates are in the site's own time zone, which is not given.
            "event_time": fields.utc_time(
                order.get("date_paid_gmt"), order.get("date_created_gmt")
            ),
            "user": self._user(order, meta),
            "properties": compact(properties),
            "page": compact(page),
            "order_id": order_id,
            "consent": fields.consent(meta.get(settings.consent_key)),
            "country": text(
                member(order, "shipping").get("country"), member(order, "billing").get("country")
            ),
        }
        return compact(conversion)

    def _user(self, order: JsonObject, meta: Mapping[str, object]) -> Conversion:
        settings, billing = self.settings, member(order, "billing")
        user = {
            "email": text(billing.get("email")),
            "phone": text(billing.get("phone"), member(order, "shipping").get("phone")),
            "external_id": fields.positive_id(order.get("customer_id")),
            "ip": text(order.get("customer_ip_address")),
            "user_agent": text(order.get("customer_user_agent")),
            "ttclid": text(meta.get(settings.ttclid_key))
            or fields.query_parameter(meta.get(settings.page_key), "ttclid"),
            "ttp": text(meta.get(settings.ttp_key)),
        }
        return compact(user)

    def _contents(self, order: JsonObject) -> Conversion:
        lines = members(order, "line_items")  # fees and shipping are lists of their own
        contents = [
            compact(
                {
                    "content_id": self._content_id(line),
                    "content_name": text(line.get("name")),
                    "quantity": fields.count(line.get("quantity")),
                    "price": _unit_price(line),
                }
            )
            for line in lines
        ]
        # TikTok docs, Events API 2.0: `product` for sku ids, `product_group` for item group ids.
        group = self.settings.content_id is ContentId.PRODUCT_ID and any(
            fields.positive_id(line.get("variation_id")) for line in lines
        )
        content_type = "product_group" if group else "product"
        return {"content_type": content_type, "contents": contents} if contents else {}

    def _content_id(self, line: JsonObject) -> str | None:
        """The configured id, else the next broader one: a simple product has no variation, and
        TikTok's own plugin sends the SKU, else the product id."""
        product = fields.positive_id(line.get("product_id"))
        if self.settings.content_id is ContentId.PRODUCT_ID:
            return product
        sku = text(line.get("sku")) if self.settings.content_id is ContentId.SKU else None
        return sku or fields.positive_id(line.get("variation_id")) or product


def _registration(customer: JsonObject) -> Conversion:
    customer_id = fields.positive_id(customer.get("id"))
    billing = member(customer, "billing")
    user = {
        "email": text(customer.get("email")),
        "phone": text(billing.get("phone")),
        "external_id": customer_id,
    }
    conversion = {
        "event": "CompleteRegistration",
        "event_id": f"customer:{customer_id}" if customer_id else None,
        "event_time": fields.utc_time(customer.get("date_created_gmt")),
        "user": compact(user),
        "country": text(billing.get("country")),
    }
    return compact(conversion)


def _value(order: JsonObject, settings: Settings) -> Decimal | None:
    """The value as configured. `total` holds tax and shipping, `shipping_total` holds no tax."""
    total = fields.amount(order.get("total"))
    if total is None or settings.value_basis is ValueBasis.CHARGED:
        return total
    net = settings.value_basis is ValueBasis.NET
    taxed = "total_tax" if net else "shipping_tax"
    shipping, tax = fields.amount(order.get("shipping_total")), fields.amount(order.get(taxed))
    return total - (shipping or 0) - (tax or 0)


def _unit_price(line: JsonObject) -> str | None:
    """The list price of one unit with its tax, before coupons (`price` is net and after them)."""
    subtotal, quantity = fields.amount(line.get("subtotal")), fields.count(line.get("quantity"))
    if subtotal is None or not quantity:
        return None
    paid = subtotal + (fields.amount(line.get("subtotal_tax")) or 0)
    unit = paid / quantity
    return fields.amount_text(unit if unit * quantity == paid else unit.quantize(_PRICE_STEP))
