"""WooCommerce: the status decides, the ping is none, and prices are those of the shop window."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relay.sources.protocol import Conversions, Ignored, IgnoredReason

TOPIC = "order.updated"


@pytest.fixture
def order(payload: Any) -> dict[str, Any]:
    """The fixture's paid order, to change."""
    loaded: dict[str, Any] = json.loads(payload("woocommerce/order_updated_paid.json"))
    return loaded


def _only(reading: Any) -> dict[str, Any]:
    assert isinstance(reading, Conversions), reading
    (item,) = reading.items
    assert isinstance(item, dict)
    return item


def test_the_ping_at_creation_is_recognised_before_any_signature(payload: Any, make: Any) -> None:
    source = make("woocommerce")
    form = {"content-type": "application/x-www-form-urlencoded"}

    assert source.is_ping(payload("woocommerce/ping.form.txt"), form)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"webhook_id":7}', {}),
        (b"webhook_id=7&status=completed", {}),
        (b"webhook_id=", {}),
        (b"webhook_id=7\n", {}),
        (b"webhook_id=7", {"x-wc-webhook-signature": "abc"}),
    ],
)
def test_nothing_else_passes_for_a_ping(body: bytes, headers: Any, make: Any) -> None:
    assert not make("woocommerce").is_ping(body, headers)


@pytest.mark.parametrize("topic", ["order.created", "order.updated"])
def test_either_topic_reports_a_paid_order_under_the_same_id(
    topic: str, order: Any, make: Any, read: Any
) -> None:
    assert _only(read(make("woocommerce"), order, x_wc_webhook_topic=topic))["event_id"] == "100580"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "pending"}, IgnoredReason.NOT_PAID),
        ({"status": "checkout-draft"}, IgnoredReason.NOT_PAID),
        ({"status": "on-hold", "payment_method": "bacs"}, IgnoredReason.NOT_PAID),
        ({"status": "failed"}, IgnoredReason.CANCELLED),
        ({"status": "cancelled"}, IgnoredReason.CANCELLED),
        ({"status": "refunded"}, IgnoredReason.REFUND),
        ({"created_via": "admin"}, IgnoredReason.CHANNEL),
        ({"created_via": "rest-api"}, IgnoredReason.CHANNEL),
        ({"parent_id": 99}, IgnoredReason.RENEWAL),
        ({"meta_data": [{"key": "_subscription_renewal", "value": "5"}]}, IgnoredReason.RENEWAL),
    ],
)
def test_an_order_that_is_no_sale_is_ignored_with_its_reason(
    change: dict[str, Any], reason: IgnoredReason, order: Any, make: Any, read: Any
) -> None:
    reading = read(make("woocommerce"), order | change, x_wc_webhook_topic=TOPIC)

    assert reading == Ignored(reason)


def test_offline_payment_methods_can_count_while_on_hold(order: Any, make: Any, read: Any) -> None:
    source = make("woocommerce", on_hold_methods=["bacs"])
    held = order | {"status": "on-hold", "payment_method": "bacs", "date_paid_gmt": None}

    conversion = _only(read(source, held, x_wc_webhook_topic=TOPIC))

    assert conversion["event_time"] == 1787227401  # of the order, for want of a payment
    other = held | {"payment_method": "cheque"}
    assert read(source, other, x_wc_webhook_topic=TOPIC) == Ignored(IgnoredReason.NOT_PAID)


def test_statuses_channels_and_renewals_are_configuration(order: Any, make: Any, read: Any) -> None:
    source = make(
        "woocommerce", paid_statuses=["shipped"], ignore_created_via=["pos"], renewals=True
    )
    placed = order | {"status": "shipped", "created_via": "admin", "parent_id": 99}

    assert _only(read(source, placed, x_wc_webhook_topic=TOPIC))["event"] == "Purchase"


@pytest.mark.parametrize(
    "topic", ["order.deleted", "order.restored", "action.woocommerce_add_to_cart", ""]
)
def test_other_topics_are_ignored_not_refused(topic: str, make: Any, read: Any) -> None:
    reading = read(make("woocommerce"), {"id": 1}, x_wc_webhook_topic=topic)

    assert reading == Ignored(IgnoredReason.TOPIC)


@pytest.mark.parametrize("switch", ["purchase", "complete_registration"])
def test_each_event_can_be_switched_off(switch: str, order: Any, make: Any, read: Any) -> None:
    topic = "order.updated" if switch == "purchase" else "customer.created"

    reading = read(make("woocommerce", **{switch: False}), order, x_wc_webhook_topic=topic)

    assert reading == Ignored(IgnoredReason.SWITCHED_OFF)


def test_a_guest_has_no_external_id(order: Any, make: Any, read: Any) -> None:
    conversion = _only(
        read(make("woocommerce"), order | {"customer_id": 0}, x_wc_webhook_topic=TOPIC)
    )

    assert "external_id" not in conversion["user"]


@pytest.mark.parametrize(
    ("content_id", "ids", "content_type"),
    [
        ("sku", ["TR-42-BLK", "47400"], "product"),
        ("variation_id", ["47395", "47400"], "product"),
        ("product_id", ["47390", "47400"], "product_group"),
    ],
)
def test_content_ids_fall_back_to_the_next_broader_one(
    content_id: str, ids: list[str], content_type: str, order: Any, make: Any, read: Any
) -> None:
    order["line_items"][1]["sku"] = ""
    source = make("woocommerce", content_id=content_id)

    properties = _only(read(source, order, x_wc_webhook_topic=TOPIC))["properties"]

    assert [line["content_id"] for line in properties["contents"]] == ids
    assert properties["content_type"] == content_type


@pytest.mark.parametrize(
    ("basis", "value"),
    [("charged", "166.00"), ("without_shipping", "161.10"), ("net", "134.25")],
)
def test_value_follows_the_configured_basis(
    basis: str, value: str, order: Any, make: Any, read: Any
) -> None:
    source = make("woocommerce", value_basis=basis)

    properties = _only(read(source, order, x_wc_webhook_topic=TOPIC))["properties"]

    assert properties["value"] == value


def test_a_price_that_does_not_divide_is_rounded_not_endless(
    order: Any, make: Any, read: Any
) -> None:
    order["line_items"] = [{"sku": "A", "quantity": 3, "subtotal": "100.00"}]

    properties = _only(read(make("woocommerce"), order, x_wc_webhook_topic=TOPIC))["properties"]

    assert properties["contents"][0]["price"] == "33.333333"


def test_a_line_without_units_has_no_price(order: Any, make: Any, read: Any) -> None:
    order["line_items"] = [{"sku": "A", "quantity": 0, "subtotal": "1.00"}]

    properties = _only(read(make("woocommerce"), order, x_wc_webhook_topic=TOPIC))["properties"]

    assert properties["contents"] == [{"content_id": "A", "quantity": 0}]


def test_the_click_id_in_the_meta_data_beats_that_of_the_entry_page(
    order: Any, make: Any, read: Any
) -> None:
    order["meta_data"].append({"key": "_ttclid", "value": "E.C.P.own"})
    order["meta_data"].append({"key": "_tt_consent", "value": "no"})

    conversion = _only(read(make("woocommerce"), order, x_wc_webhook_topic=TOPIC))

    assert conversion["user"]["ttclid"] == "E.C.P.own"
    assert conversion["consent"] == "denied"


def test_staff_accounts_are_no_registrations(payload: Any, make: Any, read: Any) -> None:
    customer = json.loads(payload("woocommerce/customer_created.json")) | {"role": "shop_manager"}

    reading = read(make("woocommerce"), customer, x_wc_webhook_topic="customer.created")

    assert reading == Ignored(IgnoredReason.NO_ACCOUNT)
