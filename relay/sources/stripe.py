"""Stripe webhooks: Checkout Sessions, and where configured PaymentIntents and customers.

Signature: HMAC-SHA256 in hex over `t.body`, in `Stripe-Signature: t=…,v1=…` (Stripe docs, "Verify
webhook signatures manually"). The key is the whole `whsec_…` string. While a secret is rolled the
header carries several `v1`. The tolerance is symmetric; Stripe's own library checks only for "too
old", which a clock running ahead can defeat.

A session says nothing of the browser: put `ttclid`, `ttp`, `client_ip`, … into its `metadata`, and
copy them to `payment_intent_data.metadata` if PaymentIntents are the trigger. Its line items need
an API call and are not sent. `event_id` reaches the browser as `{CHECKOUT_SESSION_ID}` in
`success_url`, unless `metadata.tt_event_id` or `client_reference_id` is set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, ClassVar

from relay.config.settings import Section
from relay.config.values import Seconds, between, seconds
from relay.sources import fields, signature
from relay.sources.fields import JsonObject, compact, member, text
from relay.sources.protocol import (
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

KIND = "stripe"

_SCHEME = signature.Scheme(signature.Algorithm.SHA256, signature.Encoding.HEX)

#: Stripe docs, "Zero-decimal currencies" (read 2026-09). Not ISO 4217: MGA has none here and two
#: there; ISK and UGX have none there, but Stripe keeps writing them with two.
_WITHOUT = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_ZERO_DECIMALS = frozenset(_WITHOUT.split())
_THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})

_SESSION_PAID = {"checkout.session.completed", "checkout.session.async_payment_succeeded"}
_NOTHING_CHARGED = {"checkout.session.async_payment_failed", "checkout.session.expired"}


class Settings(Section):
    """Options of a Stripe source."""

    purchase: bool = True
    """Report paid Checkout Sessions."""

    payment_intents: bool = False
    """Report PaymentIntents too, each the same payment as its Checkout Session: only where
    Checkout is not used."""

    registrations: bool = False
    """Report new customers. Stripe creates them for buyers too, who never signed up."""

    value_basis: ValueBasis = ValueBasis.CHARGED
    """The value of a sale: as `charged`, `without_shipping`, or `net` of shipping and tax."""

    tolerance: Annotated[Seconds, between("1s", "7d")] = seconds("300s")
    """How far a signature's time may be from ours."""

    test_event_code: TestEventCode | None = None
    """Test mode's events are sent with it; without it they are left out."""

    ttclid_key: str = "ttclid"
    """The key of the metadata that holds the click id."""

    ttp_key: str = "ttp"
    """The key of the metadata that holds the pixel's cookie."""

    event_id_key: str = "tt_event_id"
    """The key of the metadata whose value, where there is one, is the event id."""

    order_id_key: str = "order_id"
    """The key of the metadata that holds the shop's order id."""

    consent_key: str = "tt_consent"
    """The key of the metadata that says whether the visitor agreed to be tracked."""

    ip_key: str = "client_ip"
    """The key of the metadata that holds the visitor's address."""

    user_agent_key: str = "client_user_agent"
    """The key of the metadata that holds the visitor's browser."""

    page_key: str = "landing_page"
    """The key of the metadata that holds the page the visit began on."""

    referrer_key: str = "referrer"
    """The key of the metadata that holds what led there."""


def build(name: str, secrets: Sequence[str], settings: Settings) -> Source:
    """Raises `ConfigError` when no usable secret is given."""
    return Stripe(name, signature.keys_of(secrets), settings)


@dataclass(frozen=True, slots=True)
class Stripe:
    """One webhook endpoint of a Stripe account."""

    name: str
    keys: Sequence[bytes] = field(repr=False)
    settings: Settings
    kind: ClassVar[str] = KIND

    def is_ping(self, body: bytes, headers: Headers) -> bool:
        return False

    def verify(self, body: bytes, headers: Headers, *, now: float) -> None:
        signature.refuse_empty(body)
        header = signature.presented(headers, "stripe-signature")
        timestamp, signatures = signature.stripe_parts(header)
        signature.check_recent(timestamp, now=now, tolerance_s=self.settings.tolerance)
        signature.check_hmac(timestamp.encode() + b"." + body, signatures, self.keys, _SCHEME)

    def read(self, body: bytes, headers: Headers, *, now: float, recall: Recall) -> Reading:
        event = fields.parse_object(body)
        subject = member(event, "data", "object")
        topic = text(event.get("type")) or ""
        reason = self._why_not(topic, event, subject)
        if reason is not None:
            return Ignored(reason)
        if topic == "customer.created":
            return Conversions([self._finish(self._registration(subject), event, subject)])
        if topic == "payment_intent.succeeded":
            return Conversions([self._finish(self._payment(subject), event, subject)])
        return Conversions([self._finish(self._session(subject), event, subject)])

    def _why_not(self, topic: str, event: JsonObject, subject: JsonObject) -> IgnoredReason | None:
        settings = self.settings
        wanted = {
            **dict.fromkeys(_SESSION_PAID, settings.purchase),
            "payment_intent.succeeded": settings.purchase and settings.payment_intents,
            "customer.created": settings.registrations,
        }
        if topic not in wanted:
            return _why_unmapped(topic)
        if not wanted[topic]:
            return IgnoredReason.SWITCHED_OFF
        if event.get("livemode") is not True and settings.test_event_code is None:
            return IgnoredReason.TEST
        if topic in _SESSION_PAID:
            return _why_no_sale(subject)
        return None

    def _session(self, session: JsonObject) -> Conversion:
        details = member(session, "customer_details")
        delivery = member(session, "collected_information", "shipping_details")
        user = {
            "email": text(details.get("email"), session.get("customer_email")),
            "phone": text(details.get("phone")),
            "external_id": _id_of(session.get("customer")),
            "locale": None if session.get("locale") == "auto" else text(session.get("locale")),
        }
        country = text(
            member(delivery, "address").get("country"), member(details, "address").get("country")
        )
        order = (session.get("client_reference_id"), session.get("id"))
        value, currency = _session_value(session, self.settings.value_basis)
        return self._purchase(session, user, (value, currency), order) | {"country": country}

    def _payment(self, payment: JsonObject) -> Conversion:
        shipping = member(payment, "shipping")
        user = {
            "email": text(payment.get("receipt_email")),
            "phone": text(shipping.get("phone")),
            "external_id": _id_of(payment.get("customer")),
        }
        money = _major(payment.get("amount_received"), payment.get("currency"))
        country = text(member(shipping, "address").get("country"))
        return self._purchase(payment, user, money, (payment.get("id"),)) | {"country": country}

    def _purchase(
        self,
        subject: JsonObject,
        user: Mapping[str, object],
        money: tuple[Decimal | None, str | None],
        ids: Sequence[object],
    ) -> Conversion:
        metadata = member(subject, "metadata")
        order_id = text(metadata.get(self.settings.order_id_key), *ids)
        properties = {
            "value": fields.amount_text(money[0]),
            "currency": money[1],
            "order_id": order_id,
        }
        return {
            "event": "Purchase",
            "event_id": text(metadata.get(self.settings.event_id_key), *ids),
            "user": user,
            "properties": compact(properties),
            "order_id": order_id,
        }

    def _registration(self, customer: JsonObject) -> Conversion:
        customer_id = text(customer.get("id"))
        user = {
            "email": text(customer.get("email")),
            "phone": text(customer.get("phone")),
            "external_id": customer_id,
        }
        return {
            "event": "CompleteRegistration",
            "event_id": f"customer:{customer_id}" if customer_id else None,
            "user": user,
            "country": text(
                member(customer, "shipping", "address").get("country"),
                member(customer, "address").get("country"),
            ),
        }

    def _finish(self, started: Conversion, event: JsonObject, subject: JsonObject) -> Conversion:
        """Add what the envelope and the metadata tell, whatever the object is."""
        settings, metadata = self.settings, member(subject, "metadata")
        user = {
            **member(started, "user"),
            "ip": text(metadata.get(settings.ip_key)),
            "user_agent": text(metadata.get(settings.user_agent_key)),
            "ttclid": text(metadata.get(settings.ttclid_key)),
            "ttp": text(metadata.get(settings.ttp_key)),
        }
        page = {
            "url": fields.web_url(metadata.get(settings.page_key)),
            "referrer": fields.web_url(metadata.get(settings.referrer_key)),
        }
        live = event.get("livemode") is True
        conversion = {
            **started,
            "event_time": fields.count(event.get("created")),
            "user": compact(user),
            "page": compact(page),
            "consent": fields.consent(metadata.get(settings.consent_key)),
            "test_event_code": None if live else settings.test_event_code,
        }
        return compact(conversion)


def _why_unmapped(topic: str) -> IgnoredReason:
    if topic in _NOTHING_CHARGED:
        return IgnoredReason.NOT_PAID
    return IgnoredReason.REFUND if topic == "charge.refunded" else IgnoredReason.TOPIC


def _why_no_sale(session: JsonObject) -> IgnoredReason | None:
    if session.get("mode") == "setup":
        return IgnoredReason.NOT_A_SALE
    # A bank debit completes its session unpaid; async_payment_succeeded follows days later.
    paid = text(session.get("payment_status")) in {"paid", "no_payment_required"}
    return None if paid else IgnoredReason.NOT_PAID


def _session_value(session: JsonObject, basis: ValueBasis) -> tuple[Decimal | None, str | None]:
    """What the buyer was charged, in the currency the buyer saw.

    Since API version 2025-03-31 a session with Adaptive Pricing keeps its own currency and tells
    the buyer's in `presentment_details`, but only for the whole amount (Stripe changelog, "Adds
    presentment details"); so on another basis the session's currency stays.
    """
    if basis is ValueBasis.CHARGED:
        shown = member(session, "presentment_details")
        value, currency = _major(shown.get("presentment_amount"), shown.get("presentment_currency"))
        if value is not None and currency is not None:
            return value, currency
        return _major(session.get("amount_total"), session.get("currency"))
    total = fields.count(session.get("amount_total"))
    shipping = member(session, "shipping_cost")
    less = fields.count(shipping.get("amount_total")) or 0
    if basis is ValueBasis.NET:
        tax = fields.count(member(session, "total_details").get("amount_tax")) or 0
        less += tax - (fields.count(shipping.get("amount_tax")) or 0)
    return _major(None if total is None else max(total - less, 0), session.get("currency"))


def _major(minor: object, currency: object) -> tuple[Decimal | None, str | None]:
    """Minor units in major units, and the currency in upper case."""
    units, code = fields.count(minor), text(currency)
    if code is None:
        return None, None
    code = code.upper()
    if units is None:
        return None, code
    decimals = 0 if code in _ZERO_DECIMALS else 3 if code in _THREE_DECIMALS else 2
    return Decimal(units).scaleb(-decimals), code


def _id_of(reference: object) -> str | None:
    """An id, or the id of an expanded object."""
    return text(reference.get("id")) if isinstance(reference, dict) else text(reference)
