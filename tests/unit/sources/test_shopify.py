"""Shopify: which orders count, what they are worth, whose they are, and the carts' memory."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.sources import registry
from relay.sources.protocol import Control, ControlAction, Conversions, Ignored, IgnoredReason

TOPIC = "orders/create"


@pytest.fixture
def order(payload: Any) -> dict[str, Any]:
    """The fixture's order, to change."""
    loaded: dict[str, Any] = json.loads(payload("shopify/orders_create.json"))
    return loaded


def _only(reading: Any) -> dict[str, Any]:
    assert isinstance(reading, Conversions), reading
    (item,) = reading.items
    assert isinstance(item, dict)
    return item


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"source_name": "pos"}, IgnoredReason.CHANNEL),
        ({"source_name": "580111"}, IgnoredReason.CHANNEL),
        ({"source_name": None}, IgnoredReason.CHANNEL),
        ({"cancelled_at": "2026-08-20T14:05:00+02:00"}, IgnoredReason.CANCELLED),
        ({"browser_ip": None, "client_details": None}, IgnoredReason.NO_BROWSER),
        ({"test": True}, IgnoredReason.TEST),
        ({"payment_gateway_names": ["bogus"]}, IgnoredReason.TEST),
    ],
)
def test_an_order_that_no_visitor_placed_is_no_purchase(
    change: dict[str, Any], reason: IgnoredReason, order: Any, make: Any, read: Any
) -> None:
    assert read(make("shopify"), order | change, x_shopify_topic=TOPIC) == Ignored(reason)


def test_only_the_configured_topic_reports_a_sale(order: Any, make: Any, read: Any) -> None:
    on_paid = make("shopify", purchase_on="orders/paid")

    assert read(on_paid, order, x_shopify_topic=TOPIC) == Ignored(IgnoredReason.TRIGGER)
    assert _only(read(on_paid, order, x_shopify_topic="orders/paid"))["event"] == "Purchase"


def test_apps_with_a_checkout_of_their_own_can_be_allowed(order: Any, make: Any, read: Any) -> None:
    source = make("shopify", channels=["web", "3890849"], require_browser=False)
    placed = order | {"source_name": "3890849", "browser_ip": None, "client_details": None}

    assert _only(read(source, placed, x_shopify_topic=TOPIC))["event"] == "Purchase"


def test_a_test_order_is_sent_with_the_configured_test_code(
    order: Any, make: Any, read: Any
) -> None:
    source = make("shopify", test_event_code="TEST123")

    tested = _only(read(source, order | {"test": True}, x_shopify_topic=TOPIC))

    assert tested["test_event_code"] == "TEST123"
    assert "test_event_code" not in _only(read(source, order, x_shopify_topic=TOPIC))


@pytest.mark.parametrize(
    ("switch", "topic"),
    [
        ("purchase", "orders/create"),
        ("initiate_checkout", "checkouts/create"),
        ("add_to_cart", "carts/update"),
        ("complete_registration", "customers/create"),
    ],
)
def test_each_event_can_be_switched_off(
    switch: str, topic: str, order: Any, make: Any, read: Any
) -> None:
    off = make("shopify", **{switch: False})

    assert read(off, order, x_shopify_topic=topic) == Ignored(IgnoredReason.SWITCHED_OFF)


@pytest.mark.parametrize(
    "topic", ["orders/updated", "checkouts/update", "products/create", "", "Order"]
)
def test_other_topics_are_ignored_not_refused(topic: str, make: Any, read: Any) -> None:
    assert read(make("shopify"), {"id": 1}, x_shopify_topic=topic) == Ignored(IgnoredReason.TOPIC)


def test_the_events_preview_is_ignored_until_its_payload_is_published(make: Any, read: Any) -> None:
    reading = read(make("shopify"), {"id": 1}, shopify_topic="Order", shopify_action="create")

    assert reading == Ignored(IgnoredReason.TOPIC)


def test_consent_and_country_travel_beside_the_event(order: Any, make: Any, read: Any) -> None:
    conversion = _only(read(make("shopify"), order, x_shopify_topic=TOPIC))

    assert conversion["consent"] == "granted"
    assert conversion["country"] == "GB"


@pytest.mark.parametrize(
    ("said", "consent"),
    [("yes", "granted"), ("TRUE", "granted"), ("denied", "denied"), ("0", "denied"),
     (False, "denied"), ("Perhaps", "perhaps"), ("", None)],
)  # fmt: skip
def test_the_usual_words_for_consent_are_understood_and_others_handed_on(
    said: object, consent: str | None, order: Any, make: Any, read: Any
) -> None:
    order["note_attributes"] = [{"name": "_tt_consent", "value": said}]

    assert _only(read(make("shopify"), order, x_shopify_topic=TOPIC)).get("consent") == consent


def test_cart_attributes_have_configurable_names(order: Any, make: Any, read: Any) -> None:
    source = make("shopify", ttclid_attribute="click", event_id_attribute="eid")
    order["note_attributes"] = [{"name": "click", "value": "E.C.P.x"}, {"name": "eid", "value": 7}]

    conversion = _only(read(source, order, x_shopify_topic=TOPIC))

    assert conversion["user"]["ttclid"] == "E.C.P.x"
    assert conversion["event_id"] == "7"


def test_the_click_id_is_taken_from_the_landing_page_when_no_attribute_has_it(
    order: Any, make: Any, read: Any
) -> None:
    order |= {"note_attributes": [], "landing_site": "/?a=1&ttclid=E.C.P.a%2Bb&x=2#top"}

    assert (
        _only(read(make("shopify"), order, x_shopify_topic=TOPIC))["user"]["ttclid"] == "E.C.P.a+b"
    )


def test_event_id_falls_back_to_the_order_id_and_keeps_every_digit(
    order: Any, make: Any, read: Any
) -> None:
    order |= {"checkout_token": None, "id": 820982911946154508}

    conversion = _only(read(make("shopify"), order, x_shopify_topic=TOPIC))
    by_id = _only(read(make("shopify", event_id="id"), order, x_shopify_topic=TOPIC))

    assert conversion["event_id"] == by_id["event_id"] == "820982911946154508"


def test_value_and_currency_come_from_one_money_object(order: Any, make: Any, read: Any) -> None:
    del order["total_price_set"]["presentment_money"]

    properties = _only(read(make("shopify"), order, x_shopify_topic=TOPIC))["properties"]

    assert (properties["value"], properties["currency"]) == ("166.00", "EUR")
    assert [line["price"] for line in properties["contents"]] == ["129.00", "25.00"]


def test_without_money_sets_the_shop_amounts_are_used_with_the_shop_currency(
    order: Any, make: Any, read: Any
) -> None:
    del order["total_price_set"]
    for line in order["line_items"]:
        del line["price_set"]

    properties = _only(read(make("shopify"), order, x_shopify_topic=TOPIC))["properties"]

    assert (properties["value"], properties["currency"]) == ("166.00", "EUR")
    assert [line["price"] for line in properties["contents"]] == ["129.00", "25.00"]


@pytest.mark.parametrize(
    ("basis", "included", "value"),
    [
        ("charged", True, "142.20"),
        ("without_shipping", True, "138.00"),  # 142.20 - 4.20
        ("without_shipping", False, "137.31"),  # and the tax on shipping, 0.69
        ("net", True, "114.99"),  # 142.20 - 23.70 - (4.20 - 0.69)
        ("net", False, "114.30"),  # 142.20 - 23.70 - 4.20
    ],
)
def test_value_follows_the_configured_basis(
    basis: str, included: bool, value: str, order: Any, make: Any, read: Any
) -> None:
    order["taxes_included"] = included

    source = make("shopify", value_basis=basis)

    assert _only(read(source, order, x_shopify_topic=TOPIC))["properties"]["value"] == value


def test_free_shipping_by_discount_is_not_taken_off_again(order: Any, make: Any, read: Any) -> None:
    money = {"presentment_money": {"amount": "4.20", "currency_code": "GBP"}}
    order["shipping_lines"][0]["discount_allocations"] = [{"amount_set": money}]
    source = make("shopify", value_basis="without_shipping")

    value = _only(read(source, order, x_shopify_topic=TOPIC))["properties"]["value"]

    assert value == "142.20"


@pytest.mark.parametrize(
    ("content_id", "first", "content_type"),
    [("variant_id", "41327142600817", "product"), ("sku", "TR-42-BLK", "product"),
     ("product_id", "7234590408817", "product_group")],
)  # fmt: skip
def test_content_ids_are_those_of_the_catalogue(
    content_id: str, first: str, content_type: str, order: Any, make: Any, read: Any
) -> None:
    source = make("shopify", content_id=content_id)

    properties = _only(read(source, order, x_shopify_topic=TOPIC))["properties"]

    assert properties["contents"][0]["content_id"] == first
    assert properties["content_type"] == content_type


@pytest.mark.parametrize(
    ("options", "own_url", "page"),
    [
        ({"shop_url": "https://a.example/"}, "https://b.example/orders/x?key=k", "https://a.example/p"),
        ({}, "https://b.example/orders/x/authenticate?key=k", "https://b.example/p"),
        ({}, "https://shopify.com/1/orders/x?key=k", "https://c.myshopify.com/p"),
        ({}, "https://user@evil.example/x", "https://c.myshopify.com/p"),
        ({}, None, "https://c.myshopify.com/p"),
    ],
)  # fmt: skip
def test_the_landing_page_is_resolved_against_the_shop(
    options: Any, own_url: Any, page: str, order: Any, make: Any, read: Any
) -> None:
    order |= {"landing_site": "/p", "order_status_url": own_url}

    conversion = _only(
        read(
            make("shopify", **options),
            order,
            x_shopify_topic=TOPIC,
            x_shopify_shop_domain="c.myshopify.com",
        )
    )

    assert conversion["page"]["url"] == page


@pytest.mark.parametrize("landing", [None, "", "//evil.example/x", "javascript:alert(1)", 5, []])
def test_a_landing_page_that_is_none_gives_no_page(
    landing: Any, order: Any, make: Any, read: Any
) -> None:
    order |= {"landing_site": landing, "referring_site": ""}

    assert "page" not in _only(read(make("shopify"), order, x_shopify_topic=TOPIC))


@pytest.mark.parametrize("fixture", ["shopify/orders_create.json", "shopify/checkouts_create.json"])
def test_the_keys_in_shopifys_own_urls_never_leave_the_source(
    fixture: str, payload: Any, make: Any, read: Any
) -> None:
    raw = json.loads(payload(fixture)) | {"landing_site": None}
    topic = fixture.removeprefix("shopify/").removesuffix(".json").replace("_", "/")

    conversion = _only(read(make("shopify"), raw, x_shopify_topic=topic))

    assert "key=" not in json.dumps(conversion)
    assert "page" not in conversion or "url" not in conversion["page"]


def test_the_buyers_address_may_be_missing_everywhere(order: Any, make: Any, read: Any) -> None:
    order |= {
        "customer": None, "shipping_address": [], "billing_address": None, "email": "",
        "contact_email": " late@example.com ", "client_details": None,
    }  # fmt: skip

    conversion = _only(read(make("shopify"), order, x_shopify_topic=TOPIC))

    assert conversion["user"]["email"] == "late@example.com"
    assert "phone" not in conversion["user"]
    assert "country" not in conversion


def test_a_customer_without_an_account_did_not_register(payload: Any, make: Any, read: Any) -> None:
    customer = json.loads(payload("shopify/customers_create.json")) | {"state": "disabled"}

    reading = read(make("shopify"), customer, x_shopify_topic="customers/create")

    assert reading == Ignored(IgnoredReason.NO_ACCOUNT)


# --- privacy ---


def test_a_redact_request_carries_digests_and_nothing_readable(
    payload: Any, make: Any, read: Any
) -> None:
    reading = read(
        make("shopify"),
        payload("shopify/customers_redact.json"),
        x_shopify_topic="customers/redact",
    )

    assert isinstance(reading, Control)
    assert list(reading.erase) == [
        _sha256("ada@example.com"),
        _sha256("+447700900123"),
        _sha256("7358220173425"),
    ]
    assert "ada" not in repr(reading)


def test_identifiers_are_normalized_before_they_are_hashed(make: Any, read: Any) -> None:
    customer = {"email": " Ada@Example.COM ", "phone": "+44 (7700) 900-123", "id": "7"}

    reading = read(make("shopify"), {"customer": customer}, x_shopify_topic="customers/redact")

    assert list(reading.erase) == [
        _sha256("ada@example.com"),
        _sha256("+447700900123"),
        _sha256("7"),
    ]


def test_a_national_phone_is_not_erased_under_a_wrong_number(make: Any, read: Any) -> None:
    customer = {"email": None, "phone": "07700 900123", "id": 7}

    reading = read(make("shopify"), {"customer": customer}, x_shopify_topic="customers/redact")

    assert list(reading.erase) == [_sha256("7")]


def test_a_data_request_asks_but_erases_nothing(payload: Any, make: Any, read: Any) -> None:
    reading = read(
        make("shopify"),
        payload("shopify/customers_data_request.json"),
        x_shopify_topic="customers/data_request",
    )

    assert reading.action is ControlAction.DATA_REQUEST
    assert len(reading.about) == 3
    assert reading.erase == ()


# --- carts ---


def _cart(at: int, *lines: tuple[int, int]) -> dict[str, Any]:
    """A cart at second `at`, of (variant, units) lines."""
    return {
        "token": "cart-1",
        "created_at": "2026-08-20T12:00:00Z",
        "updated_at": f"2026-08-20T12:00:{at:02}.5Z",
        "line_items": [
            {"variant_id": variant, "quantity": units, "title": "Thing",
             "price_set": {"presentment_money": {"amount": "2.50", "currency_code": "EUR"}}}
            for variant, units in lines
        ],
    }  # fmt: skip


def _added(reading: Any) -> list[tuple[str, int]]:
    assert isinstance(reading, Conversions)
    return [
        (item["event_id"], item["properties"]["contents"][0]["quantity"])  # type: ignore[index]  # a mapping here
        for item in reading.items
    ]


def test_only_added_units_are_events_and_each_addition_has_an_id_of_its_own(
    make: Any, read: Any, memory: Any
) -> None:
    source = make("shopify")

    def update(cart: dict[str, Any]) -> Any:
        return read(source, cart, memory=memory, x_shopify_topic="carts/update")

    assert _added(update(_cart(1, (10, 1)))) == [("cart-1:10:1", 1)]
    assert _added(update(_cart(2, (10, 3), (20, 1)))) == [("cart-1:10:3", 2), ("cart-1:20:1", 1)]
    assert _added(update(_cart(3, (20, 1)))) == []
    assert _added(update(_cart(4, (10, 1), (20, 1)))) == [("cart-1:10:1", 1)]


def test_the_value_of_an_addition_is_that_of_the_added_units(
    make: Any, read: Any, memory: Any
) -> None:
    source = make("shopify")
    read(source, _cart(1, (10, 1)), memory=memory, x_shopify_topic="carts/create")

    item = _only(read(source, _cart(2, (10, 4)), memory=memory, x_shopify_topic="carts/update"))

    assert item["properties"]["value"] == "7.50"
    assert item["properties"]["currency"] == "EUR"


def test_an_equal_cart_adds_nothing(make: Any, read: Any, memory: Any) -> None:
    source = make("shopify")
    read(source, _cart(1, (10, 1)), memory=memory, x_shopify_topic="carts/create")

    again = read(source, _cart(1, (10, 1)), memory=memory, x_shopify_topic="carts/create")

    assert again == Ignored(IgnoredReason.NOTHING_ADDED)


def test_an_older_state_that_arrives_late_is_stale(make: Any, read: Any, memory: Any) -> None:
    source = make("shopify")
    read(source, _cart(9, (10, 2)), memory=memory, x_shopify_topic="carts/update")

    late = read(source, _cart(3, (10, 1), (20, 5)), memory=memory, x_shopify_topic="carts/update")

    assert late == Ignored(IgnoredReason.STALE)


def test_the_empty_cart_made_first_is_not_an_event(make: Any, read: Any, memory: Any) -> None:
    reading = read(make("shopify"), _cart(1), memory=memory, x_shopify_topic="carts/create")

    assert reading == Ignored(IgnoredReason.NOTHING_ADDED)


def test_lines_of_one_variant_are_counted_together(make: Any, read: Any) -> None:
    reading = read(make("shopify"), _cart(1, (10, 1), (10, 2)), x_shopify_topic="carts/create")

    assert _added(reading) == [("cart-1:10:3", 3)]


def test_sources_do_not_share_their_memory_and_the_token_is_not_in_it(
    make: Any, read: Any, memory: Any
) -> None:
    first, second = make("shopify", name="one"), make("shopify", name="two")

    for source in (first, second):
        read(source, _cart(1, (10, 1)), memory=memory, x_shopify_topic="carts/create")

    assert len(memory) == 2
    assert all(len(key) == 16 for key in memory)
    assert not any(b"cart-1" in key + value for key, value in memory.items())


@given(states=st.lists(st.dictionaries(st.integers(1, 5), st.integers(1, 9)), max_size=8))
def test_whatever_a_cart_goes_through_the_added_units_add_up(
    states: list[dict[int, int]],
) -> None:
    """Units added, minus units taken out, is what is in the cart at the end."""
    source = registry.build("shopify", "shop", ["x"], {})
    stored: dict[bytes, bytes] = {}
    added, removed, before = 0, 0, dict[int, int]()
    for at, state in enumerate(states):
        body = json.dumps(_cart(at, *state.items())).encode()
        headers = {"x-shopify-topic": "carts/update"}
        reading = source.read(body, headers, now=0, recall=stored.get)
        if isinstance(reading, Conversions):
            stored.update(reading.remember)
            added += sum(quantity for _, quantity in _added(reading))
        removed += sum(max(0, units - state.get(variant, 0)) for variant, units in before.items())
        before = state

    assert added - removed == sum(before.values())
