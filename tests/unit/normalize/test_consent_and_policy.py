"""What the person allowed, and what an operator may decide."""

from __future__ import annotations

from typing import Any

import pytest

from relay.errors import ConfigError
from relay.model import EventSource, FieldIssue, Outcome, Reason
from relay.normalize.consent import DEFAULTS, Consent, ConsentAction
from relay.normalize.event import Normalizer
from relay.normalize.policy import Policy
from tests.unit.normalize.sending import Sending

USER = {"email": "ada@example.com", "ttclid": "CLICK", "ip": "1.1.1.1", "locale": "en"}
WEB = Sending()


@pytest.mark.parametrize("word", ["granted", " GRANTED ", True, "true", None, "unknown", ""])
def test_events_of_those_who_did_not_refuse_are_sent(word: object) -> None:
    sent = WEB.wire(consent=word, user=USER)

    assert set(sent["user"]) == set(USER)
    assert "limited_data_use" not in sent
    assert "consent" not in sent


@pytest.mark.parametrize("word", ["denied", "Denied", False, "false"])
def test_events_of_those_who_refused_are_withheld(word: object) -> None:
    refusal = WEB.refusal(consent=word, user=USER)

    assert (refusal.outcome, refusal.reason) == (Outcome.WITHHELD, Reason.CONSENT_DENIED)
    assert (refusal.name, refusal.event_id) == ("Purchase", "order-1")


@pytest.mark.parametrize("word", ["nope", 1, [], {"ad_storage": "denied"}, "x" * 1000])
def test_a_consent_that_cannot_be_read_is_a_refusal(word: object) -> None:
    refusal = WEB.refusal(consent=word)

    assert refusal.reason is Reason.CONSENT_DENIED
    assert refusal.errors == (FieldIssue("consent", "not_a_consent"),)


def test_withholding_the_unknown_is_said_as_such() -> None:
    strict = Sending(consent={Consent.UNKNOWN: ConsentAction.WITHHOLD})

    assert strict.refusal().reason is Reason.CONSENT_UNKNOWN
    assert strict.refusal(consent="unknown").reason is Reason.CONSENT_UNKNOWN
    assert strict.event(consent="granted").name == "Purchase"


def test_sending_limited_says_so_to_tiktok() -> None:
    limiting = Sending(consent={Consent.DENIED: ConsentAction.SEND_LIMITED})

    sent = limiting.wire(consent="denied", user=USER, limited_data_use=False)

    assert sent["limited_data_use"] is True
    assert set(sent["user"]) == set(USER)


def test_stripping_leaves_nothing_that_identifies() -> None:
    stripping = Sending(consent={Consent.DENIED: ConsentAction.STRIP})

    event = stripping.event(
        consent="denied",
        user=USER,
        page={"url": "https://s.example/t?ttclid=CLICK", "referrer": "https://t.example/?c=CLICK"},
        properties={"value": 1},
    )
    sent = stripping.wire(consent="denied", user=USER, properties={"value": 1})

    assert b"CLICK" not in event.wire
    assert event.match_keys == 0
    assert event.tokens == (b"order-1",)
    assert "user" not in sent
    assert sent["properties"] == {"value": 1}


def test_stripping_an_app_event_takes_its_click_id_too() -> None:
    stripping = Sending(EventSource.APP, consent={Consent.DENIED: ConsentAction.STRIP})

    assert "ad" not in stripping.wire(consent="denied", ad={"callback": "CLICK"})
    assert stripping.wire(consent="denied", ad={"callback": "CLICK", "ad_id": "1"})["ad"] == {
        "ad_id": "1"
    }
    assert stripping.wire(consent="denied", ad={"ad_id": "1"})["ad"] == {"ad_id": "1"}


@pytest.mark.parametrize(
    ("raw", "sent"), [(True, True), (False, False), ("true", True), (0, False)]
)
def test_limited_data_use_is_handed_on(raw: object, sent: bool) -> None:
    assert WEB.wire(limited_data_use=raw)["limited_data_use"] is sent


def test_a_limit_that_cannot_be_read_limits() -> None:
    assert WEB.wire(limited_data_use="yes")["limited_data_use"] is True
    assert WEB.flaws(limited_data_use="yes") == {"limited_data_use": "not_a_boolean"}
    assert "limited_data_use" not in WEB.wire(limited_data_use="")


def test_a_policy_without_options_sends_what_was_not_refused() -> None:
    assert Policy("shop", EventSource.WEB).actions() == DEFAULTS


@pytest.mark.parametrize(
    ("source", "options", "key"),
    [
        ("web", {"default_country": "Germany"}, "default_country"),
        ("web", {"page_url": "shop.example"}, "page_url"),
        ("web", {"page_url": "https://shop.example/?email=a@b.cd"}, "page_url"),
        ("web", {"page_url": " "}, "page_url"),
        ("web", {"aliases": {"a": "no name"}}, "aliases.a"),
        ("web", {"max_event_age_s": 0}, "max_event_age_s"),
        ("web", {"max_event_bytes": -1}, "max_event_bytes"),
        ("web", {"max_future_s": -1}, "max_future_s"),
        ("web", {"consent": {Consent.GRANTED: ConsentAction.WITHHOLD}}, "consent.granted"),
        ("crm", {"consent": {Consent.DENIED: ConsentAction.STRIP}}, "consent.denied"),
        ("offline", {"consent": {Consent.UNKNOWN: ConsentAction.SEND_LIMITED}}, "consent.unknown"),
    ],
)
def test_a_policy_that_cannot_work_is_refused(
    source: str, options: dict[str, Any], key: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        Normalizer(Policy("shop", EventSource(source), **options))

    assert [mistake.key for mistake in caught.value.mistakes] == [f"destinations.shop.{key}"]


def test_every_mistake_is_said_at_once() -> None:
    policy = Policy("shop", EventSource.WEB, default_country="?", page_url="?", max_future_s=-1)

    assert len(list(policy.mistakes())) == 3
