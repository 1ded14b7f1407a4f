"""What holds for any input: a result, the same again, and nothing the schemas would refuse."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from relay.conversion import CONVERSION, schema
from relay.model import Event, EventSource, Outcome, Refusal
from relay.normalize.consent import Consent, ConsentAction
from relay.normalize.event import Normalizer
from relay.normalize.fields import Flaw
from relay.normalize.policy import Policy
from relay.wire import AppEvent, CrmEvent, OfflineEvent, WireEvent
from tests.unit.normalize.sending import HAPPENED, NOW

DIGEST = "848a771458438fc2ec420560d769fb9b9b86851ee338ec56517baabd79d3bb4f"
POISON = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

POLICIES = [
    Policy("web", EventSource.WEB, default_country="DE"),
    Policy("page", EventSource.WEB, page_url="https://shop.example/", aliases={"a": "Lead"}),
    Policy("app", EventSource.APP),
    Policy("hash", EventSource.APP, hash_idfa=True, hash_gaid=True),
    Policy("offline", EventSource.OFFLINE, default_country="GB"),
    Policy("all", EventSource.OFFLINE, keep_unlisted_identifiers=True),
    Policy("crm", EventSource.CRM, cn_phone_without_country_code=True),
    Policy(
        "strip",
        EventSource.WEB,
        without_match_key="withhold",
        consent={Consent.DENIED: ConsentAction.STRIP, Consent.UNKNOWN: ConsentAction.SEND_LIMITED},
    ),
]
NORMALIZERS = [pytest.param(Normalizer(policy), id=policy.destination) for policy in POLICIES]
#: What TikTok gets, as the wire's own types have it; `page` may be missing.
WIRE: dict[EventSource, TypeAdapter[Any]] = {
    EventSource.WEB: TypeAdapter(WireEvent),
    EventSource.APP: TypeAdapter(AppEvent),
    EventSource.OFFLINE: TypeAdapter(OfflineEvent),
    EventSource.CRM: TypeAdapter(CrmEvent),
}

# Input that looks like a conversion, with anything in any place ----------------------------------

TEXTS = st.one_of(
    st.text(max_size=20),
    st.text(st.characters(codec=None), max_size=10),
    st.sampled_from(
        [
            "", " ", "null", "undefined", DIGEST, DIGEST.upper(), POISON, "ada@example.com",
            " ADA@Example.com", "+447700900123", "07700 900123", "+86 138 0000 0000", "O'Neil",
            "M5V 3L9", "San José", "Nu-ll", "DE", "gb", "10.0.0.1, 203.0.113.10", "2001:db8::1",
            "EA7583CD-A667-48BC-B806-42ECB2B48606", "en_US", "12.345", "1,234.00", "1.234,5", "USD",
            "jpy", "xof", "product", "NEW", "2026-05-28T20:26:40Z", "granted", "denied", "true",
            "https://shop.example/t?ttclid=E.C.P.x&email=ada@example.com#top", "https://u:p@s.example",
            "x" * 300, "x" * 1100, "note ada@example.com", "E.C.P.x", "Purchase", "CompletePayment",
        ]
    ),
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(),
    st.integers(HAPPENED - 10, HAPPENED + 10),
    st.floats(),
    st.floats(0, 10**6),
    st.sampled_from(
        [0, 1, HAPPENED * 1000, 2**63, 2**64, 10**30, 10**400, 1e300, 0.1 + 0.2, 12.345]
    ),
)
SCALARS = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none())
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
VALUES = st.one_of(SCALARS, SCALARS, ANYTHING, st.lists(TEXTS, max_size=4))


def objects(*keys: str) -> st.SearchStrategy[Any]:
    """An object with some of these keys and anything in them; now and then no object at all."""
    known = st.dictionaries(st.sampled_from(keys), VALUES, max_size=8)
    return st.one_of(known, known, known, st.dictionaries(st.text(max_size=8), VALUES), VALUES)


ITEMS = objects("content_id", "content_name", "content_type", "brand", "price", "quantity", "x")
USERS = objects(
    "email", "phone", "external_id", "ttclid", "ttp", "ip", "user_agent", "idfa", "idfv", "gaid",
    "locale", "att_status", "first_name", "last_name", "zip_code", "city", "state", "country",
    "lead_id", "phone_number",
)  # fmt: skip
PROPERTIES = st.builds(
    lambda base, contents: {**base, "contents": contents} if isinstance(base, dict) else base,
    objects(
        "value", "currency", "content_ids", "content_type", "num_items", "order_id", "shop_id",
        "search_string", "query", "description", "customer_type", "year", "é",
    ),
    st.one_of(st.lists(ITEMS, max_size=3), VALUES),
)  # fmt: skip
OTHERS = st.fixed_dictionaries(
    {},
    optional={
        "event_id": VALUES,
        "user": USERS,
        "properties": PROPERTIES,
        "page": objects("url", "referrer", "title"),
        "app": objects("app_id", "app_name", "app_version"),
        "ad": objects("callback", "ad_id", "is_retargeting", "attribution_share"),
        "lead": objects("lead_id", "lead_event_source"),
        "device": VALUES,
        "limited_data_use": VALUES,
        "order_id": VALUES,
        "consent": st.one_of(VALUES, st.sampled_from(["granted", "denied", "unknown"])),
        "country": VALUES,
        "test_event_code": TEXTS,
        "context": VALUES,
    },
)
HEADS = st.fixed_dictionaries(
    {
        "event": st.one_of(st.sampled_from(["Purchase", "CompletePayment", "a", "é"]), VALUES),
        "event_time": st.one_of(st.integers(HAPPENED - 10**6, HAPPENED + 1000), VALUES),
    }
)
NEEDED = {
    "app": {"app_id": "343200656"},
    "lead": {"lead_id": "7"},
    "user": {"email": "ada@example.com", "ttp": "x"},
}
CONVERSIONS = st.builds(
    lambda head, needed, others: {**head, **needed, **others},
    HEADS,
    st.sampled_from([NEEDED, {}]),
    OTHERS,
)


@pytest.mark.parametrize("normalize", NORMALIZERS)
@given(st.one_of(CONVERSIONS, ANYTHING))
def test_anything_becomes_an_event_or_a_refusal(normalize: Normalizer, conversion: object) -> None:
    result = normalize(conversion, now=NOW)

    assert isinstance(result, Event | Refusal)
    issues = result.issues if isinstance(result, Event) else result.errors
    assert {issue.reason for issue in issues} <= {flaw.value for flaw in Flaw}
    assert len(issues) <= 50


@pytest.mark.parametrize("normalize", NORMALIZERS)
@given(CONVERSIONS)
def test_a_conversion_stays_as_it_was(normalize: Normalizer, conversion: dict[str, object]) -> None:
    before = repr(conversion)

    normalize(conversion, now=NOW)

    assert repr(conversion) == before


@pytest.mark.parametrize("normalize", NORMALIZERS)
@given(CONVERSIONS)
def test_a_wire_that_is_normalized_again_is_the_same(
    normalize: Normalizer, conversion: dict[str, object]
) -> None:
    once = normalize(conversion, now=NOW)
    if not isinstance(once, Event):
        return

    # Consent is not on the wire, so it is said again.
    said = {"consent": conversion["consent"]} if "consent" in conversion else {}
    again = normalize({**orjson.loads(once.wire), **said}, now=NOW)

    assert isinstance(again, Event)
    assert again.wire == once.wire
    assert again[:4] == once[:4]
    assert again.claim == once.claim
    assert again.tokens == once.tokens
    assert (again.value, again.currency, again.match_keys) == (
        once.value,
        once.currency,
        once.match_keys,
    )
    # All that was wrong was put right; what is still said is not about the field itself.
    assert {issue.reason for issue in again.issues} <= {
        "missing", "unlisted", "case_differs", "not_a_consent",
    }  # fmt: skip


@pytest.mark.parametrize("policy", POLICIES, ids=[policy.destination for policy in POLICIES])
@given(conversion=CONVERSIONS)
def test_what_is_sent_is_what_the_wire_allows(
    policy: Policy, conversion: dict[str, object]
) -> None:
    result = Normalizer(policy)(conversion, now=NOW)

    if isinstance(result, Event):
        WIRE[policy.event_source].validate_python(orjson.loads(result.wire), strict=True)
        assert POISON.encode() not in result.wire
        assert b"ada@example.com" not in result.wire
        assert b"ada@example.com" not in repr(result).encode()


# Input that the schema calls valid ---------------------------------------------------------------

TIMES = st.one_of(
    st.integers(HAPPENED - 10**6, HAPPENED),
    st.floats(HAPPENED - 10**6, HAPPENED),
    st.datetimes().map(lambda _: "2026-05-28T20:26:40Z"),
)
NAMES = {
    EventSource.WEB: st.from_regex(r"\A[A-Za-z][A-Za-z0-9_-]{0,49}\Z"),
    EventSource.APP: st.from_regex(r"\A[A-Za-z][A-Za-z0-9_-]{0,49}\Z"),
    EventSource.OFFLINE: st.sampled_from(["Purchase", "Contact", "SubmitForm", "CompletePayment"]),
    EventSource.CRM: st.text(min_size=1, max_size=100),
}
NEEDS: dict[EventSource, dict[str, object]] = {
    EventSource.WEB: {},
    EventSource.APP: {"app": {"app_id": 343200656}},
    EventSource.OFFLINE: {"user": {"email": "ada@example.com"}},
    EventSource.CRM: {"lead": {"lead_id": "7"}},
}


@pytest.mark.parametrize("source", list(EventSource))
@given(data=st.data())
def test_what_the_schema_accepts_is_accepted(source: EventSource, data: st.DataObject) -> None:
    head = {"event": data.draw(NAMES[source]), "event_time": data.draw(TIMES)}
    conversion = {**data.draw(OTHERS), **head, **NEEDS[source]}
    # Keep of the drawn fields those that are valid.
    for key in [*conversion]:
        try:
            CONVERSION.validate_python({**head, key: conversion[key]}, strict=True)
        except ValidationError:
            del conversion[key]
    if "event" not in conversion or not str(conversion["event"]).strip():
        return
    CONVERSION.validate_python(conversion, strict=True)

    result = Normalizer(Policy("shop", source))(conversion, now=NOW)

    assert isinstance(result, Event) or result.outcome is Outcome.WITHHELD


def test_the_schema_describes_every_field() -> None:
    defs = schema()["$defs"]

    assert schema()["required"] == ["event", "event_time"]
    assert {"ConversionUser", "ConversionProperties", "ConversionPage"} <= set(defs)
    assert all("description" in found for found in defs.values())
    for key, field in schema()["properties"].items():
        assert "$ref" in field or "description" in field, key
