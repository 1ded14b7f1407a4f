"""Event names and aliases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.model import EventSource, Outcome, Reason
from relay.normalize.names import alias_mistakes, aliases, is_allowed, reader
from tests.unit.normalize.sending import Sending


@pytest.mark.parametrize(
    ("source", "name", "sent"),
    [
        ("web", "Purchase", "Purchase"),
        ("web", " Purchase ", "Purchase"),
        ("web", "CompletePayment", "Purchase"),
        ("web", " CompletePayment", "Purchase"),
        ("web", "Registration", "CompleteRegistration"),
        ("web", "SubmitForm", "SubmitForm"),
        ("web", "Lead", "Lead"),
        ("web", "Checkout", "Checkout"),
        ("web", "my_event-2", "my_event-2"),
        ("app", "Registration", "Registration"),
        ("app", "LaunchAPP", "LaunchAPP"),
        ("app", "CompletePayment", "Purchase"),
        ("offline", "CompletePayment", "Purchase"),
        ("crm", "CompletePayment", "CompletePayment"),
        ("crm", "qualified lead", "qualified lead"),
        ("crm", "見込み客", "見込み客"),
        ("crm", "AddToCart", "AddToCart"),
    ],
)
def test_a_name_is_sent_as_tiktok_knows_it(source: str, name: str, sent: str) -> None:
    sending = Sending(EventSource(source))

    event = sending.event(event=name)

    assert event.name == sent


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("web", "1st"),
        ("web", "with space"),
        ("web", "Käufe"),
        ("web", "x" * 51),
        ("web", 7),
        ("web", ["Purchase"]),
        ("web", "x" * 100_000),
        ("offline", "my_event"),
        ("offline", "purchase"),
        ("crm", "x" * 101),
        ("crm", "call ada@example.com"),
    ],
)
def test_a_name_tiktok_would_refuse_is_invalid(source: str, name: object) -> None:
    refusal = Sending(EventSource(source)).refusal(event=name)

    assert (refusal.outcome, refusal.reason) == (Outcome.INVALID, Reason.BAD_FIELD)
    assert refusal.errors == (("event", "bad_event_name"),)
    assert refusal.name is None


@pytest.mark.parametrize("name", [None, "", "  ", "\x00"])
def test_an_event_has_a_name(name: object) -> None:
    refusal = Sending().refusal(event=name)

    assert refusal.reason is Reason.MISSING_FIELD
    assert refusal.errors == (("event", "missing"),)


def test_a_standard_name_in_another_case_is_a_custom_event_and_said_so() -> None:
    web = Sending()

    assert web.event(event="purchase").name == "purchase"
    assert web.flaws(event="purchase") == {"event": "case_differs"}


def test_an_alias_of_ones_own_goes_before_the_defaults() -> None:
    web = Sending(aliases={"CompletePayment": "CompletePayment", "order_done": "Purchase"})

    assert web.event(event="CompletePayment").name == "CompletePayment"
    assert web.event(event="order_done").name == "Purchase"
    assert web.event(event="StartCheckout").name == "InitiateCheckout"


def test_where_the_pixel_still_says_complete_payment_so_does_the_relay() -> None:
    web = Sending(aliases={"Purchase": "CompletePayment"})

    assert web.event(event="Purchase").name == "CompletePayment"
    assert web.event(event="CompletePayment").name == "CompletePayment"


def test_a_chain_of_aliases_is_followed_to_its_end() -> None:
    assert aliases(EventSource.CRM, {"a": "b", "b": "c"}) == {"a": "c", "b": "c"}


@pytest.mark.parametrize(
    ("source", "own", "key", "problem"),
    [
        ("web", {"a": "b", "b": "a"}, "aliases.a", "leads in a circle"),
        ("web", {"a": "no name"}, "aliases.a", "no web event may be called 'no name'"),
        ("offline", {"a": "b"}, "aliases.a", "no offline event may be called 'b'"),
    ],
)
def test_an_alias_that_cannot_work_is_a_mistake(
    source: str, own: dict[str, str], key: str, problem: str
) -> None:
    mistake = next(alias_mistakes(EventSource(source), own))

    assert (mistake.key, mistake.problem) == (key, problem)


NAMES = st.sampled_from(["Purchase", "CompletePayment", "Lead", "a", "b", "c"])


@given(st.sampled_from(EventSource), st.dictionaries(NAMES, NAMES), st.one_of(NAMES, st.text()))
def test_a_name_that_was_read_is_read_the_same_again(
    source: EventSource, own: dict[str, str], name: str
) -> None:
    if list(alias_mistakes(source, own)):
        return
    read = reader(source, own)

    once = read(name)

    if isinstance(once, str):
        assert is_allowed(once, source)
        assert read(once) == once
