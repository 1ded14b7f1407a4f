"""What happened: `properties`, and what a sender may add to it."""

from __future__ import annotations

import pytest

from relay.model import EventSource
from tests.unit.normalize.sending import Sending

WEB = Sending()


def flaws(**properties: object) -> dict[str, str]:
    return {
        path.removeprefix("properties."): why
        for path, why in WEB.flaws(properties=properties).items()
    }


def test_ids_are_strings_to_the_digit() -> None:
    sent = WEB.properties(
        order_id=820982911946154508,
        shop_id=12.0,
        content_ids=[1, "b", 2.5],
        contents=[{"content_id": 41327142600817}],
    )

    assert sent == {
        "order_id": "820982911946154508",
        "shop_id": "12",
        "content_ids": ["1", "b", "2.5"],
        "contents": [{"content_id": "41327142600817"}],
    }


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (True, "not_text"),
        ({}, "not_text"),
        (float("inf"), "not_text"),
        (10**41, "not_text"),
        ("x" * 256, "too_long"),
        ("undefined", "placeholder"),
        ("[object Object]", "placeholder"),
        ("ada@example.com", "personal_data"),
    ],
)
def test_what_is_no_id_is_dropped(raw: object, why: str) -> None:
    assert flaws(order_id=raw) == {"order_id": why}


def test_an_id_is_printable() -> None:
    assert WEB.properties(order_id="\ud800a\x00b\x00") == {"order_id": "a b"}
    assert WEB.properties(order_id=" ") == {}


def test_amounts_are_rounded_to_their_currency() -> None:
    assert WEB.properties(currency="USD", value="46.005", contents=[{"price": 8.999}]) == {
        "currency": "USD",
        "value": 46.01,
        "contents": [{"price": 9}],
    }
    assert WEB.properties(currency="jpy", value="13,300", contents=[{"price": 99.5}]) == {
        "currency": "JPY",
        "value": 13300,
        "contents": [{"price": 100}],
    }
    assert WEB.properties(value=1.23456, currency="€") == {"value": 1.2346}
    assert WEB.properties(value=1.2345, currency="TND") == {"value": 1.235, "currency": "TND"}


def test_a_line_without_anything_is_no_line() -> None:
    assert WEB.properties(contents=[{}, None, {"quantity": 1}, {"price": None}]) == {
        "contents": [{"quantity": 1}]
    }
    assert WEB.properties(contents=[]) == {}
    assert WEB.properties(contents=[{}]) == {}


def test_a_bad_line_costs_only_itself() -> None:
    contents = ["mug", {"content_id": "1", "price": "free", "quantity": 1.5}, {"content_id": True}]

    assert WEB.properties(contents=contents) == {"contents": [{"content_id": "1"}]}
    assert flaws(contents=contents) == {
        "contents[]": "not_an_object",
        "contents[].price": "not_a_number",
        "contents[].quantity": "not_a_number",
        "contents[].content_id": "not_text",
    }
    assert flaws(contents="mug") == {"contents": "not_a_list"}


def test_lines_are_bounded() -> None:
    assert flaws(contents=[{"quantity": 1}] * 1001) == {"contents": "too_many"}


def test_the_content_type_belongs_to_the_event() -> None:
    item = {"content_id": "1", "content_type": "product"}

    assert WEB.properties(contents=[item])["content_type"] == "product"
    assert WEB.properties(contents=[item], content_type="product_group")["content_type"] == (
        "product_group"
    )
    assert "content_type" not in WEB.properties(contents=[{"content_id": "1"}])
    assert flaws(content_type="vehicle") == {"content_type": "unlisted"}


def test_free_text_is_trimmed_and_cut() -> None:
    assert WEB.properties(description=" a\x07mug ", content_name=7, query="é\ud800è") == {
        "description": "a\x07mug",
        "content_name": "7",
        "query": "é è",
    }
    assert WEB.properties(search_string="x" * 1001) == {"search_string": "x" * 1000}
    assert WEB.properties(search_string=" " * 1001) == {}
    assert flaws(search_string="x" * 1001) == {"search_string": "shortened"}
    assert flaws(search_string=True) == {"search_string": "not_text"}


@pytest.mark.parametrize("key", ["description", "search_string", "content_name", "note"])
@pytest.mark.parametrize("text", ["mail ada@example.com now", "ada@example.com " + "x" * 2000])
def test_text_with_an_email_address_is_dropped(key: str, text: str) -> None:
    assert flaws(**{key: text}) == {key if key != "note" else "*": "personal_data"}
    assert WEB.properties(description="meet @ada at 5@home") == {
        "description": "meet @ada at 5@home"
    }


def test_other_properties_pass_as_they_are() -> None:
    others = {
        "year": 2025,
        "mileage": {"value": 12, "unit": "KM"},
        "preferred_price_range": [20000, 35000.5],
        "on_sale": True,
        "größe": "M",
        "deep": {"a": {"b": {"c": 1}}},
    }

    assert WEB.properties(**others) == others
    assert WEB.properties(contents=[{"content_id": "1", "sale": 1.5}]) == {
        "contents": [{"content_id": "1", "sale": 1.5}]
    }


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (2**64, "too_large"),
        (float("nan"), "unsupported"),
        (object(), "unsupported"),
        ({"a": {"b": {"c": {"d": 1}}}}, None),
        ({"a": {"b": {"c": {"d": {"e": 1}}}}}, "too_deep"),
        ([["x" * 900] * 3] * 2, "too_large"),
        ({"e": "ada@example.com"}, "personal_data"),
        (["ada@example.com"], "personal_data"),
        ({"a": list(range(101))}, "too_many"),
    ],
)
def test_other_properties_are_bounded(raw: object, why: str | None) -> None:
    found = set(flaws(extra=raw).values())

    assert found == (set() if why is None else {why})


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("ada@example.com", "personal_data"),
        ("x" * 65, "bad_key"),
        ("a\nb", "bad_key"),
        ("\ud800", "bad_key"),
    ],
)
def test_a_key_of_the_senders_own_is_checked_and_never_repeated(key: str, why: str) -> None:
    assert WEB.properties(**{key: 1}) == {}
    assert flaws(**{key: 1}) == {"*": why}


def test_a_key_that_is_no_text_is_dropped() -> None:
    assert WEB.flaws(properties={7: 1}) == {"properties.*": "bad_key"}


def test_the_number_of_properties_is_bounded() -> None:
    sent = WEB.properties(**{f"key{number}": number for number in range(200)})

    assert len(sent) == 100


def test_an_object_of_a_thousand_keys_is_none() -> None:
    assert flaws(x={str(number): 1 for number in range(1001)}) == {"*": "too_many"}
    assert WEB.flaws(user={f"key{number}": 1 for number in range(1001)}) == {"user": "too_many"}


def test_a_flood_of_flaws_is_cut() -> None:
    line = {f"a@b.c{number}": 1 for number in range(1000)}

    assert flaws(contents=[line] * 200) == {"contents[].*": "personal_data"}


def test_a_frequent_slip_is_named() -> None:
    assert WEB.flaws(timestamp=1, context={}, whatever=2) == {
        "timestamp": "unknown_field",
        "context": "unknown_field",
        "*": "unknown_field",
    }


def test_an_order_id_beside_the_event_becomes_its_property() -> None:
    assert WEB.wire(order_id=7)["properties"] == {"order_id": "7"}
    assert WEB.wire(order_id="7", properties={"value": 1})["properties"] == {
        "value": 1,
        "order_id": "7",
    }
    assert WEB.event(order_id="7", properties={"order_id": "8"}).order_id == "8"
    assert WEB.event(order_id={}).order_id is None
    assert WEB.flaws(order_id={}) == {"order_id": "not_text"}


def test_properties_that_are_no_object_cost_only_themselves() -> None:
    assert WEB.flaws(properties="mug") == {"properties": "not_an_object"}
    assert WEB.flaws(properties={"currency": ["EUR"], "value": 1}) == {
        "properties.currency": "not_a_currency"
    }


def test_an_ad_has_what_its_source_allows() -> None:
    ad = {"attribution_share": 0.25, "attributed": "true", "callback": "CLICK", "ad_id": 7}

    web = WEB.wire(ad=ad)
    app = Sending(EventSource.APP).wire(ad=ad, app={"app_id": 343200656})

    assert web["ad"] == {"attribution_share": 0.25}
    assert app["ad"] == {**ad, "attributed": True, "ad_id": "7"}
    assert app["app"] == {"app_id": "343200656"}
    assert WEB.flaws(ad={"attribution_share": 1.5}) == {"ad.attribution_share": "not_a_number"}


@pytest.mark.parametrize("raw", ["yes", 2, [], "x" * 300, float("nan")])
def test_what_is_no_boolean_is_dropped(raw: object) -> None:
    app = Sending(EventSource.APP)

    assert app.flaws(ad={"attributed": raw}) == {"ad.attributed": "not_a_boolean"}


def test_no_text_is_no_boolean() -> None:
    app = Sending(EventSource.APP)

    assert "ad" not in app.wire(ad={"attributed": ""})


def test_client_hints_pass_on_web_events() -> None:
    assert WEB.wire(device={"model": "x"})["device"] == {"model": "x"}
