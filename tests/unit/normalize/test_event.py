"""From a conversion to an event or a refusal."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256

import orjson
import pytest

from relay.model import EventSource, FieldIssue, MatchKey, Outcome, Reason, Refusal
from tests.unit.normalize.sending import HAPPENED, NOW, Sending, a_conversion

WEB = Sending()
DAY = 86_400
URL = "https://shop.example/thanks"
ADA = sha256(b"ada@example.com").hexdigest()


def test_an_event_says_what_the_ledger_and_find_need() -> None:
    event = WEB.event(
        user={"email": ["ada@example.com", "bob@example.com"], "external_id": 7, "ip": "1.1.1.1"},
        properties={"value": "142.20", "currency": "gbp", "order_id": 1017},
        test_event_code="TEST1",
    )

    assert (event.name, event.event_id, event.event_time) == ("Purchase", "order-1", HAPPENED)
    assert (event.value, event.currency, event.order_id) == (Decimal("142.2"), "GBP", "1017")
    assert event.test_event_code == "TEST1"
    assert event.match_keys == MatchKey.EMAIL | MatchKey.EXTERNAL_ID | MatchKey.IP
    assert event.issues == ()
    assert event.tokens == (
        b"order-1",
        b"1017",
        ADA.encode(),
        sha256(b"bob@example.com").hexdigest().encode(),
        sha256(b"7").hexdigest().encode(),
    )


def test_an_event_without_money_has_no_value() -> None:
    event = WEB.event()

    assert (event.value, event.currency, event.order_id, event.match_keys) == (None, None, None, 0)
    assert event.tokens == (b"order-1",)


def test_the_wire_is_tiktoks_item_in_a_fixed_order() -> None:
    event = WEB.event(
        limited_data_use=False,
        device={"model": "x"},
        ad={"attribution_share": 1},
        page={"url": URL},
        properties={"value": 1},
        user={"ttp": "x"},
        order_id="7",
        consent="granted",
        country="DE",
        test_event_code="TEST1",
        destination="shop",
    )

    assert list(orjson.loads(event.wire)) == [
        "event",
        "event_time",
        "event_id",
        "user",
        "properties",
        "page",
        "ad",
        "device",
        "limited_data_use",
    ]


def test_nothing_readable_of_the_person_is_on_the_wire() -> None:
    user = {
        "email": "ada@example.com",
        "phone": "+447700900123",
        "external_id": "customer 7",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "zip_code": "SW1A 1AA",
    }

    event = WEB.event(user=user)

    everything = repr(event).lower()
    for raw in ("ada@", "7700900123", "customer 7", '"ada"', "lovelace", "sw1a"):
        assert raw not in everything
    assert set(orjson.loads(event.wire)["user"]) == set(user)


@pytest.mark.parametrize("conversion", [None, [], "Purchase", 7, True])
def test_what_is_no_object_is_no_conversion(conversion: object) -> None:
    assert WEB.result(conversion) == Refusal(
        Outcome.INVALID, Reason.NOT_AN_OBJECT, None, None, None, None, ()
    )


def test_all_that_is_missing_is_said_at_once() -> None:
    refusal = WEB.result({"event_id": 7, "order_id": 8})

    assert refusal == Refusal(
        Outcome.INVALID,
        Reason.MISSING_FIELD,
        None,
        "7",
        "8",
        None,
        (FieldIssue("event", "missing"), FieldIssue("event_time", "missing")),
    )


def test_a_refusal_can_be_found() -> None:
    refusal = WEB.refusal(event_time="soon", properties={"order_id": 8}, order_id=9)

    assert refusal == Refusal(
        Outcome.INVALID,
        Reason.BAD_FIELD,
        "Purchase",
        "order-1",
        "8",
        None,
        (FieldIssue("event_time", "not_a_time"),),
    )


@pytest.mark.parametrize(
    ("source", "fields", "reason", "errors"),
    [
        ("app", {"app": None}, "missing_field", [("app.app_id", "missing")]),
        ("app", {"app": {"app_id": True}}, "bad_field", [("app.app_id", "not_text")]),
        (
            "app",
            {"app": "x"},
            "missing_field",
            [("app", "not_an_object"), ("app.app_id", "missing")],
        ),
        ("crm", {"lead": {}}, "missing_field", [("lead.lead_id", "missing")]),
        (
            "offline",
            {"user": {}},
            "missing_field",
            [("user.email", "missing"), ("user.phone", "missing")],
        ),
        (
            "offline",
            {"user": {"email": "x", "phone": "x"}},
            "bad_field",
            [("user.email", "not_an_email"), ("user.phone", "not_a_phone")],
        ),
        (
            "offline",
            {"user": {"email": ["x"]}},
            "bad_field",
            [("user.email[]", "not_an_email"), ("user.phone", "missing")],
        ),
    ],
)
def test_an_event_has_what_its_source_needs(
    source: str, fields: dict[str, object], reason: str, errors: list[tuple[str, str]]
) -> None:
    refusal = Sending(EventSource(source)).refusal(**fields)

    assert (refusal.outcome, refusal.reason) == (Outcome.INVALID, reason)
    assert list(refusal.errors) == errors


def test_a_web_event_without_a_page_is_sent_and_said_so() -> None:
    for page in (None, {}, {"referrer": "https://www.tiktok.com/"}):
        assert "page" not in WEB.wire(page=page)
        assert WEB.flaws(page=page) == {"page.url": "missing"}

    assert "page" not in WEB.wire(page={"url": "/thanks"})
    assert WEB.flaws(page={"url": "/thanks"}) == {"page.url": "not_a_url"}


def test_the_page_of_the_policy_stands_in() -> None:
    web = Sending(page_url="https://shop.example/")

    assert web.wire(page=None)["page"] == {"url": "https://shop.example/"}
    assert web.flaws(page=None) == {}
    assert web.wire(page={"referrer": "https://www.tiktok.com/"})["page"] == {
        "url": "https://shop.example/",
        "referrer": "https://www.tiktok.com/",
    }
    assert web.wire(page={"url": URL})["page"] == {"url": URL}


def test_a_click_id_in_the_url_only_is_found() -> None:
    page = {"url": "https://shop.example/?ttclid=E.C.P%2Ex"}

    assert WEB.wire(page=page)["user"] == {"ttclid": "E.C.P.x"}
    assert WEB.wire(page=page, user={"ttp": "t"})["user"] == {"ttp": "t", "ttclid": "E.C.P.x"}
    assert WEB.wire(page=page, user={"ttclid": "own"})["user"] == {"ttclid": "own"}
    assert WEB.event(page=page).match_keys == MatchKey.TTCLID
    assert "user" not in WEB.wire(page={"url": "https://shop.example/?ttclid=__CLICKID__"})
    assert "user" not in WEB.wire(page={"url": "https://shop.example/?ttclid="})


def test_a_lead_id_in_the_user_is_the_leads() -> None:
    crm = Sending(EventSource.CRM)

    def lead(**fields: object) -> object:
        sent = crm.wire(**fields)
        assert "lead_id" not in sent.get("user", {})
        return sent["lead"]

    assert lead(lead=None, user={"lead_id": 7}) == {"lead_id": "7"}
    assert lead(lead={"lead_event_source": "CRM"}, user={"lead_id": "7"}) == {
        "lead_event_source": "CRM",
        "lead_id": "7",
    }
    assert lead(lead={"lead_id": "8"}, user={"lead_id": "7"}) == {"lead_id": "8"}
    assert crm.event().match_keys == MatchKey.LEAD_ID


@pytest.mark.parametrize("source", list(EventSource))
def test_identifiers_of_other_sources_are_kept_back_unless_wanted(source: EventSource) -> None:
    user = {
        "email": "ada@example.com",
        "external_id": "7",
        "ttclid": "x",
        "idfv": "B5372DB0-C21E-11E4-8DFC-AA07A5B093DB",
        "first_name": "Ada",
    }
    listed = {
        EventSource.WEB: {"email", "external_id", "ttclid", "first_name"},
        EventSource.APP: {"email", "idfv", "first_name"},
        EventSource.OFFLINE: {"email"},
        EventSource.CRM: {"email", "external_id", "first_name"},
    }[source]

    assert set(Sending(source).user(**user)) == listed
    assert set(Sending(source, keep_unlisted_identifiers=True).user(**user)) == set(user)


def test_objects_of_other_sources_are_dropped_and_said_so() -> None:
    fields = {"page": {"url": URL}, "app": {"app_id": "1"}, "lead": {"lead_id": "1"}, "ad": {}}

    assert set(Sending(EventSource.OFFLINE).wire(**fields)) == {
        "event",
        "event_time",
        "event_id",
        "user",
    }
    assert Sending(EventSource.OFFLINE).flaws(**fields) == dict.fromkeys(fields, "not_for_source")


def test_an_old_event_is_expired() -> None:
    refusal = WEB.refusal(event_time=NOW - 29 * DAY)

    assert (refusal.outcome, refusal.reason) == (Outcome.EXPIRED, Reason.TOO_OLD)
    assert refusal.event_time == int(NOW - 29 * DAY)


def test_an_event_of_tomorrow_is_invalid() -> None:
    refusal = WEB.refusal(event_time=NOW + DAY)

    assert (refusal.outcome, refusal.reason) == (Outcome.INVALID, Reason.FUTURE)


def test_a_clock_that_runs_ahead_is_set_right_and_said_so() -> None:
    event = WEB.event(event_time=NOW + 60)

    assert event.event_time == int(NOW)
    assert orjson.loads(event.wire)["event_time"] == int(NOW)
    assert event.issues == (FieldIssue("event_time", "clamped"),)


def test_an_event_that_matches_no_one_is_withheld_where_that_is_wanted() -> None:
    careful = Sending(without_match_key="withhold")

    for user in ({}, {"user_agent": "Mozilla"}, {"city": "Berlin"}):
        refusal = careful.refusal(user=user)
        assert (refusal.outcome, refusal.reason) == (Outcome.WITHHELD, Reason.NO_MATCH_KEY)
    assert careful.event(user={"ip": "1.1.1.1"}).match_keys == MatchKey.IP


def test_a_test_event_with_a_broken_code_is_not_sent_as_a_real_one() -> None:
    refusal = WEB.refusal(test_event_code=["TEST1"])

    assert (refusal.outcome, refusal.reason) == (Outcome.INVALID, Reason.BAD_FIELD)
    assert refusal.errors == (FieldIssue("test_event_code", "not_text"),)
    assert WEB.event(test_event_code="").test_event_code is None
    assert WEB.event(test_event_code="undefined").test_event_code is None
    assert "test_event_code" not in WEB.wire(test_event_code="TEST1")


def test_an_event_larger_than_a_request_may_be_is_refused() -> None:
    small = Sending(max_event_bytes=1000)

    refusal = small.refusal(properties={"description": "x" * 999})

    assert (refusal.outcome, refusal.reason) == (Outcome.INVALID, Reason.TOO_LARGE)


def test_flaws_are_said_once_and_not_without_end() -> None:
    event = WEB.event(
        properties={"contents": [{"price": "x"}] * 500, **{f"a@b.c{n}": 1 for n in range(500)}}
    )

    assert event.issues == (
        FieldIssue("properties.contents[].price", "not_a_number"),
        FieldIssue("properties.*", "personal_data"),
    )


# Ids ---------------------------------------------------------------------------------------------


def test_an_order_id_is_an_event_id_where_there_is_none() -> None:
    assert WEB.event(event_id=None, order_id="7").event_id == "7"
    assert WEB.event(event_id="", properties={"order_id": 7}).event_id == "7"
    assert WEB.event(event_id="undefined", order_id="7").event_id == "7"
    assert WEB.event(event_id=None, order_id="7").issues == (
        FieldIssue("event_id", "from_order_id"),
    )
    assert WEB.event(event_id="undefined", order_id="7").issues == (
        FieldIssue("event_id", "placeholder"),
        FieldIssue("event_id", "from_order_id"),
    )


def test_an_event_without_any_id_gets_the_digest_of_its_content() -> None:
    first = WEB.event(event_id=None, user={"email": "ada@example.com", "phone": "+447700900123"})
    again = WEB.event(event_id=None, user={"phone": "+44 7700 900123", "email": "ADA@example.com "})
    other = WEB.event(event_id=None, user={"email": "bob@example.com"})

    assert len(first.event_id) == 32
    assert first.event_id == again.event_id != other.event_id
    assert orjson.loads(first.wire)["event_id"] == first.event_id
    assert first.issues == (FieldIssue("event_id", "derived"),)


def test_a_time_in_milliseconds_is_read_and_said_and_hides_nothing_else() -> None:
    event = WEB.event(event_time=HAPPENED * 1000)
    refusal = WEB.refusal(event=None, event_time=HAPPENED * 1000)

    assert event.event_time == HAPPENED
    assert event.issues == (FieldIssue("event_time", "milliseconds"),)
    assert refusal.reason is Reason.MISSING_FIELD
    assert refusal.errors == (
        FieldIssue("event_time", "milliseconds"),
        FieldIssue("event", "missing"),
    )


def test_a_derived_id_does_not_depend_on_when_it_is_sent() -> None:
    conversion = a_conversion(event_id=None, event_time=NOW + 60)

    ids = {getattr(WEB.result(conversion, now), "event_id", None) for now in (NOW, NOW + 30)}

    assert len(ids) == 1


@pytest.mark.parametrize("raw", ["ada@example.com-7", "x" * 256])
def test_an_id_that_cannot_be_kept_becomes_its_digest(raw: str) -> None:
    event = WEB.event(event_id=raw)

    assert event.event_id == sha256(raw.encode()).hexdigest()
    assert event.issues == (FieldIssue("event_id", "hashed"),)
    assert WEB.refusal(event_id=raw, event_time=1).event_id == event.event_id


def test_a_claim_tells_name_and_id_apart() -> None:
    claims = {
        WEB.event(event=name, event_id=event_id).claim
        for name, event_id in [("ab", "c"), ("a", "bc"), ("abc", "1"), ("ab", "c1"), ("AB", "c")]
    }

    assert len(claims) == 5
    assert {len(claim) for claim in claims} == {16}


def test_a_claim_depends_on_name_and_id_only() -> None:
    first = WEB.event(user={"ttp": "a"})
    second = WEB.event(user={"ttp": "b"}, event_time=HAPPENED + 5)

    assert first.claim == second.claim
