"""Mappings: from anybody's JSON to conversions, with every mistake told at start."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.errors import ConfigError, PayloadRefused
from relay.model import FieldIssue, Outcome, Reason, Refusal
from relay.sources.mapping import CompiledMapping

ORDER = {
    "order": {
        "id": 820982911946154508,
        "status": "paid",
        "placed_at": "2026-08-20T12:03:22.215000Z",
        "total": 14220,
        "currency": "GBP",
        "customer": {"email": "ada@example.com", "tel": "07700 900123"},
        "ship_to": {"country": "GB"},
        "landing": "https://shop.example/p?ttclid=E.C.P.x&a=1",
        "lines": [
            {"sku": 7, "qty": 1, "price": 11050},
            {"sku": "B", "qty": 2, "price": 2142, "gift": True},
        ],
    }
}
MAPPING = {
    "event": "'Purchase'",
    "event_id": "order.id",
    "event_time": "unix_time(order.placed_at)",
    "user": {
        "email": "order.customer.email",
        "phone": "phone(order.customer.tel, order.ship_to.country)",
        "ttclid": "query_param(order.landing, 'ttclid')",
        "ttp": "order.nothing",
    },
    "properties": {
        "value": "minor_units(order.total, order.currency)",
        "currency": "order.currency",
        "contents": {
            "for_each": "order.lines",
            "when": "!gift",
            "content_id": "to_string(sku)",
            "quantity": "qty",
            "price": "minor_units(price, root().order.currency)",
        },
    },
    "page": {"url": "order.page"},
    "limited_data_use": False,
    "when": "order.status == 'paid'",
}


def _mapped(spec: Any, payload: Any, **headers: str) -> list[Any]:
    return list(CompiledMapping(spec).conversions(payload, headers))


def _mistakes(spec: Any) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        CompiledMapping(spec)
    assert all(mistake.mend for mistake in caught.value.mistakes)
    return {mistake.key: mistake.problem for mistake in caught.value.mistakes}


def test_a_mapping_makes_a_conversion_and_leaves_out_what_is_not_there() -> None:
    assert _mapped(MAPPING, ORDER) == [
        {
            "event": "Purchase",
            "event_id": 820982911946154508,
            "event_time": 1787227402,
            "user": {
                "email": "ada@example.com",
                "phone": "+447700900123",
                "ttclid": "E.C.P.x",
            },
            "properties": {
                "value": "142.20",
                "currency": "GBP",
                "contents": [{"content_id": "7", "quantity": 1, "price": "110.50"}],
            },
            "limited_data_use": False,
        }
    ]


def test_a_mapping_may_be_json_text() -> None:
    assert _mapped(json.dumps(MAPPING), ORDER) == _mapped(MAPPING, ORDER)


def test_a_message_whose_condition_does_not_hold_makes_nothing() -> None:
    assert _mapped(MAPPING, {"order": {"status": "open"}}) == []


def test_a_top_for_each_makes_one_conversion_of_each_element() -> None:
    spec = {
        "for_each": "events",
        "when": "ok",
        "event": "name",
        "event_id": "concat(root().shop, '-', id)",
    }
    payload = {"shop": "s", "events": [{"name": "A", "id": 1, "ok": True}, {"name": "B", "id": 2}]}

    assert _mapped(spec, payload) == [{"event": "A", "event_id": "s-1"}]


def test_a_list_body_is_gone_through_with_the_current_node() -> None:
    spec = {"for_each": "@", "event": "name"}

    assert _mapped(spec, [{"name": "A"}, {"name": "B"}]) == [{"event": "A"}, {"event": "B"}]


def test_a_single_object_stands_for_a_list_of_one() -> None:
    assert _mapped({"for_each": "e", "event": "name"}, {"e": {"name": "A"}}) == [{"event": "A"}]
    assert _mapped({"for_each": "e", "event": "name"}, {}) == []


def test_headers_can_be_read() -> None:
    assert _mapped({"event": "header('X-Topic')"}, {}, **{"x-topic": "Lead"}) == [{"event": "Lead"}]


def test_a_list_of_leaves_makes_a_list_without_the_missing() -> None:
    spec = {"event": "'Lead'", "user": {"email": ["a", "b", "c"]}}

    assert _mapped(spec, {"a": "1@x.example", "c": "2@x.example"}) == [
        {"event": "Lead", "user": {"email": ["1@x.example", "2@x.example"]}}
    ]


def test_a_leaf_may_select_a_whole_object() -> None:
    assert _mapped({"event": "'Lead'", "user": "who"}, {"who": {"email": "a@x.example"}}) == [
        {"event": "Lead", "user": {"email": "a@x.example"}}
    ]


def test_a_conversion_without_an_event_is_passed_on_to_be_called_invalid() -> None:
    assert _mapped({"event": "name", "event_id": "id"}, {"id": "7"}) == [{"event_id": "7"}]


def test_what_cannot_be_computed_refuses_its_conversion_and_names_the_leaf() -> None:
    spec = MAPPING | {"for_each": "orders", "when": "`true`", "order_id": "'o-1'"}
    spoilt = {"order": ORDER["order"] | {"placed_at": "yesterday", "landing": 5}}

    good, bad = _mapped(spec, {"orders": [ORDER, spoilt]})

    assert good["event"] == "Purchase"
    assert isinstance(bad, Refusal)
    assert (bad.outcome, bad.reason) == (Outcome.INVALID, Reason.UNMAPPABLE)
    assert (bad.name, bad.event_id, bad.order_id, bad.event_time) == ("Purchase", None, "o-1", None)
    assert list(bad.errors) == [
        FieldIssue("event_time", "not_computable"),
        FieldIssue("user.ttclid", "not_computable"),
    ]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("x" * 8193, "too_long"),
        (2**63, "too_large"),
        ([[]] * 2001, "too_large"),
        (["x" * 8193], "too_long"),
        ({"a": [2**63]}, "too_large"),
        ([[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]], "too_large"),
    ],
)
def test_a_value_that_cannot_stand_in_an_event_refuses_the_conversion(
    value: Any, reason: str
) -> None:
    (refusal,) = _mapped({"event": "'Lead'", "user": {"email": "v"}}, {"v": value})

    assert refusal.errors == (FieldIssue("user.email", reason),)


@pytest.mark.parametrize(
    "expression", ["to_number('1e999')", "to_number('nan')", "&name", "[&name]"]
)
def test_what_is_no_json_refuses_the_conversion(expression: str) -> None:
    (refusal,) = _mapped({"event": "'Lead'", "event_time": expression}, {})

    assert [issue.field for issue in refusal.errors] == ["event_time"]


def test_a_for_each_over_something_else_refuses_the_message() -> None:
    (refusal,) = _mapped({"for_each": "e", "event": "'Lead'"}, {"e": "text"})
    (inner,) = _mapped(
        {"event": "'Lead'", "properties": {"contents": {"for_each": "e", "price": "p"}}}, {"e": 5}
    )

    assert refusal.errors == (FieldIssue("for_each", "not_a_list"),)
    assert inner.errors == (FieldIssue("properties.contents.for_each", "not_a_list"),)


def test_more_elements_than_allowed_refuse_the_message() -> None:
    spec = CompiledMapping({"for_each": "@", "event": "'Lead'"})

    assert len(spec.conversions([{}] * 1000, {})) == 1000
    with pytest.raises(PayloadRefused, match="too_many"):
        spec.conversions([{}] * 1001, {})


def test_a_mapping_that_multiplies_a_large_body_is_stopped() -> None:
    """`root()` in a filter makes the work quadratic; the budget ends it."""
    spec = CompiledMapping({"for_each": "@", "event": "root()[?a == root()[0].a] | [0].a"})

    with pytest.raises(PayloadRefused, match="too_complex"):
        spec.conversions([{"a": "x"}] * 1000, {})


# --- mistakes at start ---


def test_every_mistake_of_a_mapping_is_told_at_once_at_its_leaf() -> None:
    spec = {
        "event": "Purchase",
        "usr": {"email": "e"},
        "when": 5,
        "user": {"email": "lowr(e)", "phone": ["phone(tel)", "a b"], "ttp": None},
        "properties": {"contents": {"for_each": "lines[", "price": "p"}},
    }

    assert _mistakes(spec) == {
        "event": "names a member of the body, not an event",
        "usr": "is no member of a conversion",
        "when": "is not an expression",
        "user.email": "calls lowr(), which does not exist",
        "user.phone[0]": "calls phone() with 1 arguments",
        "user.phone[1]": "is not JMESPath",
        "user.ttp": "is neither an expression nor an object",
        "properties.contents.for_each": "is not JMESPath",
    }


@pytest.mark.parametrize("spec", ["{", "5", "null", [], 7, None])
def test_a_mapping_that_is_no_object_is_a_mistake(spec: Any) -> None:
    assert list(_mistakes(spec)) == [""]


def test_a_mapping_must_say_which_event_it_makes() -> None:
    assert _mistakes({"user": {"email": "e"}}) == {"event": "is missing"}


def test_objects_are_not_nested_without_end() -> None:
    spec: Any = "a"
    for _ in range(12):
        spec = {"a": spec}

    (key,) = _mistakes({"event": "'Lead'", "properties": spec})

    assert key == "properties" + ".a" * 8


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["order", "lines", "id", "total", "customer", "tel"]), inner
        )
    ),
    max_leaves=12,
)


@given(payload=JSON)
def test_any_body_makes_conversions_or_refusals_and_raises_nothing(payload: Any) -> None:
    for spec in (MAPPING | {"when": "`true`"}, MAPPING | {"for_each": "order.lines || [@]"}):
        for item in CompiledMapping(spec).conversions(payload, {}):
            assert isinstance(item, dict | Refusal)


MEMBERS = st.sampled_from(["event", "user", "when", "for_each", "event_id", "x", ""])
SPECS: st.SearchStrategy[Any] = st.recursive(
    st.text("abc()[]{}|&@*?!.,'`\"<=0 ", max_size=20)
    | st.none()
    | st.integers()
    | st.sampled_from(["'Lead'", "root()", "a.b", "to_string(@)"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=4),
    max_leaves=8,
)


@given(spec=SPECS, payload=JSON)
def test_any_mapping_compiles_or_is_a_mistake_and_then_runs(spec: Any, payload: Any) -> None:
    try:
        mapping = CompiledMapping(spec)
    except ConfigError:
        return

    for item in mapping.conversions(payload, {}):
        assert isinstance(item, dict | Refusal)
