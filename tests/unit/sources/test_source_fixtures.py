"""Every fixture of the three platforms becomes exactly what the vectors say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import phonenumbers
import pytest

from relay.sources import registry
from relay.sources.protocol import (
    Control,
    ControlAction,
    Conversions,
    Ignored,
    IgnoredReason,
    Source,
)

SOURCES: dict[str, Source] = {
    "shopify": registry.build(
        "shopify", "shop", ["x"], {"shop_url": "https://fixture-goods.example"}
    ),
    "woocommerce": registry.build("woocommerce", "shop", ["x"], {}),
    "stripe": registry.build("stripe", "shop", ["x"], {"registrations": True}),
}
#: `orders/paid` tells of the same sale: it is the trigger where it is configured to be.
ON_PAID = registry.build("shopify", "shop", ["x"], {"purchase_on": "orders/paid"})

SKIPPED = {
    "shopify/orders_create_draft.json": IgnoredReason.CHANNEL,
    "shopify/orders_create_test.json": IgnoredReason.TEST,
    "shopify/refunds_create.json": IgnoredReason.REFUND,
    "woocommerce/order_created.json": IgnoredReason.NOT_PAID,
    "woocommerce/order_deleted.json": IgnoredReason.TOPIC,
    "stripe/checkout.session.completed_testmode.json": IgnoredReason.TEST,
    "stripe/payment_intent.succeeded.json": IgnoredReason.SWITCHED_OFF,
    "stripe/charge.refunded.json": IgnoredReason.REFUND,
}
CONTROLS = {
    "shopify/app_uninstalled.json": ControlAction.APP_UNINSTALLED,
    "shopify/customers_data_request.json": ControlAction.DATA_REQUEST,
    "shopify/customers_redact.json": ControlAction.ERASE,
    "shopify/shop_redact.json": ControlAction.ERASE_SHOP,
}


def _platform(fixture: str) -> str:
    return fixture.partition("/")[0]


def _headers(fixture: str) -> dict[str, str]:
    platform, _, name = fixture.partition("/")
    topic = name.removesuffix(".json")
    if platform == "shopify":
        for variant in ("_draft", "_test"):
            topic = topic.removesuffix(variant)
        resource, _, action = topic.partition("_")
        return {"x-shopify-topic": f"{resource}/{action}"}
    if platform == "woocommerce":
        return {"x-wc-webhook-topic": topic.removesuffix("_paid").replace("_", ".")}
    return {}


def _wire_shaped(conversion: Mapping[str, Any]) -> dict[str, Any]:
    """The conversion as the vectors write it: what is beside TikTok's item left out, e-mail and
    phone as they are before hashing, amounts as numbers."""
    beside = {"order_id", "consent", "country", "test_event_code"}
    event = {name: value for name, value in conversion.items() if name not in beside}
    if "user" in event:
        user = dict(event["user"])
        if "email" in user:
            user["email"] = user["email"].strip().lower()
        if "phone" in user:
            number = phonenumbers.parse(user["phone"], conversion.get("country"))
            user["phone"] = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        event["user"] = user
    if "properties" in event:
        properties = dict(event["properties"])
        if "value" in properties:
            properties["value"] = float(properties["value"])
        if "contents" in properties:
            properties["contents"] = [
                {**content, "price": float(content["price"])} for content in properties["contents"]
            ]
        event["properties"] = properties
    return event


FIXTURES = [
    "shopify/orders_create.json",
    "shopify/orders_paid.json",
    "shopify/checkouts_create.json",
    "shopify/carts_create.json",
    "shopify/customers_create.json",
    "woocommerce/order_updated_paid.json",
    "woocommerce/customer_created.json",
    "stripe/checkout.session.completed.json",
    "stripe/customer.created.json",
]


@pytest.mark.parametrize("fixture", FIXTURES)
def test_a_fixture_becomes_the_expected_event(
    fixture: str, payload: Any, expected: Any, read: Any
) -> None:
    source = ON_PAID if fixture.endswith("orders_paid.json") else SOURCES[_platform(fixture)]

    reading = source.read(payload(fixture), _headers(fixture), now=0, recall=lambda key: None)

    assert isinstance(reading, Conversions)
    assert [_wire_shaped(item) for item in reading.items] == [expected[fixture]["event"]]  # type: ignore[arg-type]  # a mapping here


def test_a_cart_update_is_the_difference_to_the_cart_before(
    payload: Any, expected: Any, read: Any, memory: Any
) -> None:
    source = SOURCES["shopify"]
    first, second = "shopify/carts_create.json", "shopify/carts_update.json"
    memory.accept(source.read(payload(first), _headers(first), now=0, recall=memory.get))

    reading = source.read(payload(second), _headers(second), now=0, recall=memory.get)

    assert isinstance(reading, Conversions)
    assert [_wire_shaped(item) for item in reading.items] == [expected[second]["event"]]  # type: ignore[arg-type]  # a mapping here


@pytest.mark.parametrize("fixture", sorted(SKIPPED))
def test_a_fixture_that_is_no_conversion_is_ignored_with_its_reason(
    fixture: str, payload: Any
) -> None:
    source = SOURCES[_platform(fixture)]

    reading = source.read(payload(fixture), _headers(fixture), now=0, recall=lambda key: None)

    assert reading == Ignored(SKIPPED[fixture])


@pytest.mark.parametrize("fixture", sorted(CONTROLS))
def test_a_control_fixture_is_a_control_message(fixture: str, payload: Any) -> None:
    reading = SOURCES["shopify"].read(
        payload(fixture), _headers(fixture), now=0, recall=lambda key: None
    )

    assert isinstance(reading, Control)
    assert reading.action is CONTROLS[fixture]


def test_every_fixture_of_the_three_platforms_is_covered(expected: Any) -> None:
    covered = {*FIXTURES, *SKIPPED, *CONTROLS}
    covered |= {"shopify/carts_update.json", "woocommerce/ping.form.txt"}

    assert {name for name in expected if _platform(name) in SOURCES} == covered
