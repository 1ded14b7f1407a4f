"""Stripe: what was paid, in which money, and which of its events report it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relay.sources.protocol import Conversions, Ignored, IgnoredReason


@pytest.fixture
def event(payload: Any) -> dict[str, Any]:
    """The fixture's completed session, to change."""
    loaded: dict[str, Any] = json.loads(payload("stripe/checkout.session.completed.json"))
    return loaded


def _session(event: dict[str, Any], **change: Any) -> dict[str, Any]:
    event["data"]["object"] |= change
    return event


def _only(reading: Any) -> dict[str, Any]:
    assert isinstance(reading, Conversions), reading
    (item,) = reading.items
    assert isinstance(item, dict)
    return item


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"payment_status": "unpaid"}, IgnoredReason.NOT_PAID),
        ({"payment_status": None}, IgnoredReason.NOT_PAID),
        ({"mode": "setup", "payment_status": "no_payment_required"}, IgnoredReason.NOT_A_SALE),
    ],
)
def test_a_session_that_is_not_paid_is_no_purchase(
    change: dict[str, Any], reason: IgnoredReason, event: Any, make: Any, read: Any
) -> None:
    assert read(make("stripe"), _session(event, **change)) == Ignored(reason)


def test_a_bank_debit_counts_when_its_payment_succeeds(event: Any, make: Any, read: Any) -> None:
    source = make("stripe")
    event["type"] = "checkout.session.async_payment_succeeded"

    assert _only(read(source, event))["event_id"] == "100580"

    event["type"] = "checkout.session.async_payment_failed"
    assert read(source, event) == Ignored(IgnoredReason.NOT_PAID)


@pytest.mark.parametrize(
    ("currency", "minor", "value"),
    [
        ("gbp", 14220, "142.20"),
        ("jpy", 500, "500"),
        ("mga", 500, "500"),  # two decimals in ISO 4217, none at Stripe
        ("isk", 500, "5.00"),  # none in ISO 4217, still written with two at Stripe
        ("ugx", 500, "5.00"),
        ("kwd", 5120, "5.120"),
        ("usd", 0, "0.00"),
    ],
)
def test_minor_units_follow_stripes_own_table(
    currency: str, minor: int, value: str, event: Any, make: Any, read: Any
) -> None:
    paid = _session(event, currency=currency, amount_total=minor)

    properties = _only(read(make("stripe"), paid))["properties"]

    assert (properties["value"], properties["currency"]) == (value, currency.upper())


def test_the_money_the_buyer_saw_wins_where_prices_adapt(event: Any, make: Any, read: Any) -> None:
    shown = {"presentment_amount": 1980, "presentment_currency": "jpy"}
    paid = _session(event, currency="eur", amount_total=1234, presentment_details=shown)

    properties = _only(read(make("stripe"), paid))["properties"]

    assert (properties["value"], properties["currency"]) == ("1980", "JPY")


@pytest.mark.parametrize(
    ("basis", "value"), [("charged", "142.20"), ("without_shipping", "136.20"), ("net", "116.20")]
)
def test_value_follows_the_configured_basis(
    basis: str, value: str, event: Any, make: Any, read: Any
) -> None:
    paid = _session(
        event,
        shipping_cost={"amount_subtotal": 500, "amount_tax": 100, "amount_total": 600},
        total_details={"amount_tax": 2100},
    )

    properties = _only(read(make("stripe", value_basis=basis), paid))["properties"]

    assert properties["value"] == value


def test_ids_fall_back_from_metadata_to_the_reference_to_the_session(
    event: Any, make: Any, read: Any
) -> None:
    source = make("stripe")

    by_reference = _only(read(source, _session(event, metadata={})))
    by_session = _only(read(source, _session(event, metadata={}, client_reference_id=None)))

    assert by_reference["event_id"] == by_reference["order_id"] == "order-100580"
    assert by_session["event_id"] == by_session["order_id"] == "cs_live_a1FixtureSession0001"


def test_test_mode_is_sent_with_the_configured_test_code(
    payload: Any, event: Any, make: Any, read: Any
) -> None:
    source = make("stripe", test_event_code="TEST9")

    tested = _only(read(source, payload("stripe/checkout.session.completed_testmode.json")))

    assert tested["test_event_code"] == "TEST9"
    assert "test_event_code" not in _only(read(source, event))


def test_payment_intents_report_sales_only_where_configured(
    payload: Any, make: Any, read: Any
) -> None:
    source = make("stripe", payment_intents=True)

    conversion = _only(read(source, payload("stripe/payment_intent.succeeded.json")))

    assert conversion["event_id"] == "pi_FixturePI0001"
    assert conversion["properties"] == {"value": "142.20", "currency": "GBP", "order_id": "100580"}
    assert conversion["user"]["email"] == "ada@example.com"
    assert conversion["country"] == "GB"
    assert "secret" not in json.dumps(conversion)


def test_customers_are_registrations_only_where_configured(
    payload: Any, make: Any, read: Any
) -> None:
    reading = read(make("stripe"), payload("stripe/customer.created.json"))

    assert reading == Ignored(IgnoredReason.SWITCHED_OFF)


def test_sales_can_be_switched_off(event: Any, make: Any, read: Any) -> None:
    assert read(make("stripe", purchase=False), event) == Ignored(IgnoredReason.SWITCHED_OFF)


@pytest.mark.parametrize("topic", ["invoice.paid", "", None, ["charge.refunded"], 7])
def test_other_types_are_ignored_not_refused(topic: Any, event: Any, make: Any, read: Any) -> None:
    assert read(make("stripe"), event | {"type": topic}) == Ignored(IgnoredReason.TOPIC)


def test_metadata_keys_are_configuration(event: Any, make: Any, read: Any) -> None:
    source = make("stripe", ttclid_key="click", consent_key="ok")
    paid = _session(event, metadata={"click": "E.C.P.x", "ok": "true"}, locale="de")

    conversion = _only(read(source, paid))

    assert conversion["user"]["ttclid"] == "E.C.P.x"
    assert conversion["user"]["locale"] == "de"
    assert conversion["consent"] == "granted"


def test_an_expanded_customer_is_known_by_its_id(event: Any, make: Any, read: Any) -> None:
    expanded = _session(event, customer={"id": "cus_9", "email": "other@example.com"})

    assert _only(read(make("stripe"), expanded))["user"]["external_id"] == "cus_9"
