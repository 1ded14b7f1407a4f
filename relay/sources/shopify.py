"""Shopify webhooks: orders, checkouts, carts, customers, and the mandatory privacy topics.

Signature: HMAC-SHA256 in base64 over the raw body (Shopify docs, "Verify webhook deliveries"). The
key is the app's client secret, or for a webhook made in the admin the one shown there; after a
rotation both may sign, so all configured secrets are tried. No header is signed, nor a timestamp.

`event_id` of a Purchase is the checkout token, because the browser knows it too: in a custom pixel
`analytics.subscribe('checkout_completed', e => ttq.track('Purchase', …, {event_id:
e.data.checkout.token}))`. An order attribute `_tt_event_id` overrides it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from relay.config.settings import Section
from relay.config.values import HttpUrl
from relay.sources import fields, shopify_money, signature
from relay.sources.fields import JsonObject, compact, member, members, text
from relay.sources.protocol import (
    Control,
    ControlAction,
    Conversion,
    Conversions,
    Headers,
    Ignored,
    IgnoredReason,
    Reading,
    Recall,
    Source,
    TestEventCode,
    ValueBasis,
)
from relay.sources.shopify_cart import Carts
from relay.sources.shopify_page import landing_page

KIND = "shopify"

_SCHEME = signature.Scheme(signature.Algorithm.SHA256, signature.Encoding.BASE64)
_CONTROL = {
    "app/uninstalled": ControlAction.APP_UNINSTALLED,
    "customers/data_request": ControlAction.DATA_REQUEST,
    "customers/redact": ControlAction.ERASE,
    "shop/redact": ControlAction.ERASE_SHOP,
}


class PurchaseOn(StrEnum):
    ORDERS_CREATE = "orders/create"
    ORDERS_PAID = "orders/paid"


class ContentId(StrEnum):
    VARIANT_ID = "variant_id"
    PRODUCT_ID = "product_id"
    SKU = "sku"


class EventId(StrEnum):
    CHECKOUT_TOKEN = "checkout_token"  # noqa: S105  # a member's name, no secret
    ID = "id"


class Settings(Section):
    """Options of a Shopify source."""

    purchase: bool = True
    """Report orders."""

    add_to_cart: bool = True
    """Report units added to a cart. Cart topics carry nothing to match a person by."""

    initiate_checkout: bool = True
    """Report checkouts, once each, when they are begun."""

    complete_registration: bool = True
    """Report customers with an account."""

    purchase_on: PurchaseOn = PurchaseOn.ORDERS_CREATE
    """The one topic that reports a sale: `orders/create` is the moment of the browser's event,
    `orders/paid` is better for cash on delivery and bank transfer."""

    channels: frozenset[str] = frozenset({"web"})
    """`source_name`s that count: `web`, and the ids of apps with a checkout of their own."""

    require_browser: bool = True
    """Leave out orders without a browser's IP address: no visitor placed them."""

    content_id: ContentId = ContentId.VARIANT_ID
    """Must be the ids of the TikTok catalogue."""

    value_basis: ValueBasis = ValueBasis.CHARGED
    """The value of a sale: as `charged`, `without_shipping`, or `net` of shipping and tax."""

    event_id: EventId = EventId.CHECKOUT_TOKEN
    """What the browser's event carries too."""

    shop_url: HttpUrl | None = None
    """For `page.url`: Shopify gives only the path of the landing page."""

    test_event_code: TestEventCode | None = None
    """Test orders are sent with it; without it they are left out."""

    ttclid_attribute: str = "_ttclid"
    """The cart attribute that holds the click id. A theme or an app fills cart attributes, and
    they return on the order."""

    ttp_attribute: str = "_ttp"
    """The cart attribute that holds the pixel's cookie."""

    consent_attribute: str = "_tt_consent"
    """The cart attribute that says whether the visitor agreed to be tracked."""

    event_id_attribute: str = "_tt_event_id"
    """The cart attribute whose value, where there is one, is the event id."""

    @property
    def content_type(self) -> str:
        # TikTok docs, Events API 2.0: `product` for sku ids, `product_group` for item group ids.
        return "product_group" if self.content_id is ContentId.PRODUCT_ID else "product"


def build(name: str, secrets: Sequence[str], settings: Settings) -> Source:
    """Raises `ConfigError` when no usable secret is given."""
    carts = Carts(name, settings.content_id, settings.content_type)
    return Shopify(name, signature.keys_of(secrets), settings, carts)


@dataclass(frozen=True, slots=True)
class Shopify:
    """One shop."""

    name: str
    keys: Sequence[bytes] = field(repr=False)
    settings: Settings
    carts: Carts
    kind: ClassVar[str] = KIND

    def is_ping(self, body: bytes, headers: Headers) -> bool:
        return False

    def verify(self, body: bytes, headers: Headers, *, now: float) -> None:
        signature.refuse_empty(body)
        # The second name is that of the Events preview, whose headers have no "X-".
        given = signature.presented(headers, "x-shopify-hmac-sha256", "shopify-hmac-sha256")
        signature.check_hmac(body, (given,), self.keys, _SCHEME)

    def read(self, body: bytes, headers: Headers, *, now: float, recall: Recall) -> Reading:
        payload = fields.parse_object(body)
        topic = headers.get("x-shopify-topic", "")
        if topic in _CONTROL:
            return _control(_CONTROL[topic], payload)
        reason = self._why_not(topic, payload)
        if reason is not None:
            return Ignored(reason)
        if topic.startswith("carts/"):
            return self.carts.read(payload, topic, recall)
        if topic == "customers/create":
            return Conversions([_registration(payload)])
        if topic == "checkouts/create":
            return Conversions([self._initiate_checkout(payload, headers)])
        return Conversions([self._purchase(payload, headers)])

    def _why_not(self, topic: str, payload: JsonObject) -> IgnoredReason | None:
        """Why this topic with this payload reports nothing, or None when it does."""
        settings = self.settings
        if topic in {"orders/create", "orders/paid"}:
            return self._why_no_sale(topic, payload) if settings.purchase else _SWITCHED_OFF
        if topic in {"carts/create", "carts/update"}:
            return None if settings.add_to_cart else _SWITCHED_OFF
        if topic == "checkouts/create":
            other = None if self._in_channels(payload) else IgnoredReason.CHANNEL
            return other if settings.initiate_checkout else _SWITCHED_OFF
        if topic == "customers/create":
            # The topic fires as well when staff import customers and when a guest checks out.
            other = None if payload.get("state") == "enabled" else IgnoredReason.NO_ACCOUNT
            return other if settings.complete_registration else _SWITCHED_OFF
        return IgnoredReason.REFUND if topic == "refunds/create" else IgnoredReason.TOPIC

    def _why_no_sale(self, topic: str, order: JsonObject) -> IgnoredReason | None:
        settings = self.settings
        # Both topics tell of one sale; with immediate capture they arrive together.
        if topic != settings.purchase_on:
            return IgnoredReason.TRIGGER
        if not self._in_channels(order):
            return IgnoredReason.CHANNEL
        if order.get("cancelled_at") is not None:
            return IgnoredReason.CANCELLED
        if settings.require_browser and _browser_ip(order) is None:
            return IgnoredReason.NO_BROWSER
        untold = _is_test(order) and settings.test_event_code is None
        return IgnoredReason.TEST if untold else None

    def _in_channels(self, order: JsonObject) -> bool:
        return text(order.get("source_name")) in self.settings.channels

    def _purchase(self, order: JsonObject, headers: Headers) -> Conversion:
        settings = self.settings
        notes = fields.pairs(members(order, "note_attributes"), "name")
        token = order.get("checkout_token") if settings.event_id is EventId.CHECKOUT_TOKEN else None
        order_id, own_url = text(order.get("name"), order.get("id")), order.get("order_status_url")
        total = shopify_money.charged(order)
        value = shopify_money.on_basis(order, total, settings.value_basis)
        properties = {
            "value": fields.amount_text(value),
            "currency": total.currency,
            "order_id": order_id,
            **self._contents(
                order, lambda line: shopify_money.in_set(line, "price_set", total.side)
            ),
        }
        conversion = {
            "event": "Purchase",
            "event_id": text(notes.get(settings.event_id_attribute), token, order.get("id")),
            "event_time": fields.utc_time(order.get("processed_at"), order.get("created_at")),
            "properties": compact(properties),
            "page": landing_page(order, own_url, headers, settings.shop_url),
            "order_id": order_id,
            "test_event_code": settings.test_event_code if _is_test(order) else None,
            **self._person(order, notes),
        }
        return compact(conversion)

    def _initiate_checkout(self, checkout: JsonObject, headers: Headers) -> Conversion:
        notes = fields.pairs(members(checkout, "note_attributes"), "name")
        own_url = checkout.get("abandoned_checkout_url")
        properties = {
            "value": fields.amount_text(fields.amount(checkout.get("total_price"))),
            "currency": text(checkout.get("presentment_currency"), checkout.get("currency")),
            **self._contents(checkout, lambda line: fields.amount(line.get("price"))),
        }
        conversion = {
            "event": "InitiateCheckout",
            "event_id": text(checkout.get("token"), checkout.get("id")),
            "event_time": fields.utc_time(checkout.get("created_at")),
            "properties": compact(properties),
            "page": landing_page(checkout, own_url, headers, self.settings.shop_url),
            **self._person(checkout, notes),
        }
        return compact(conversion)

    def _person(self, order: JsonObject, notes: Mapping[str, object]) -> Conversion:
        """`user`, and what tells how to treat it: the phone's country and the consent."""
        customer, client = member(order, "customer"), member(order, "client_details")
        shipping, billing = member(order, "shipping_address"), member(order, "billing_address")
        phones = (order, customer, shipping, billing)
        user = {
            "email": text(order.get("email"), order.get("contact_email"), customer.get("email")),
            "phone": text(*(holder.get("phone") for holder in phones)),
            "external_id": fields.positive_id(customer.get("id")),
            "ip": _browser_ip(order),
            "user_agent": text(client.get("user_agent")),
            # The landing page may be cut short, so the attribute comes first.
            "ttclid": text(notes.get(self.settings.ttclid_attribute))
            or fields.query_parameter(order.get("landing_site"), "ttclid"),
            "ttp": text(notes.get(self.settings.ttp_attribute)),
            "locale": text(order.get("customer_locale")),
        }
        return {
            "user": compact(user),
            "country": text(shipping.get("country_code"), billing.get("country_code")),
            "consent": fields.consent(notes.get(self.settings.consent_attribute)),
        }

    def _contents(
        self, order: JsonObject, price_of: Callable[[JsonObject], Decimal | None]
    ) -> Conversion:
        contents = [
            compact(
                {
                    "content_id": text(line.get(self.settings.content_id)),
                    "content_name": text(line.get("title")),
                    "quantity": fields.count(line.get("quantity")),
                    "price": fields.amount_text(price_of(line)),
                }
            )
            for line in members(order, "line_items")
        ]
        content_type = self.settings.content_type
        return {"content_type": content_type, "contents": contents} if contents else {}


_SWITCHED_OFF = IgnoredReason.SWITCHED_OFF


def _registration(customer: JsonObject) -> Conversion:
    customer_id = fields.positive_id(customer.get("id"))
    user = {
        "email": text(customer.get("email")),
        "phone": text(customer.get("phone")),
        "external_id": customer_id,
    }
    conversion = {
        "event": "CompleteRegistration",
        "event_id": f"customer:{customer_id}" if customer_id else None,
        "event_time": fields.utc_time(customer.get("created_at")),
        "user": compact(user),
        "country": text(member(customer, "default_address").get("country_code")),
    }
    return compact(conversion)


def _control(action: ControlAction, payload: JsonObject) -> Control:
    customer = member(payload, "customer")
    about = fields.person_digests(
        email=customer.get("email"), phone=customer.get("phone"), external_id=customer.get("id")
    )
    return Control(action, tuple(about))


def _is_test(order: JsonObject) -> bool:
    gateways = order.get("payment_gateway_names")
    return order.get("test") is True or (isinstance(gateways, list) and "bogus" in gateways)


def _browser_ip(order: JsonObject) -> str | None:
    return text(order.get("browser_ip"), member(order, "client_details").get("browser_ip"))
