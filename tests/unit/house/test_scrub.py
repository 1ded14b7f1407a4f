from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.scrub import MAX_CHARS, message, request_id

DIGEST = "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Invalid value for user.email: jane.doe+x@example.com", "user.email: <email>"),
        ('bad address "jane@example.com".', 'bad address "<email>".'),
        ("bad address jane%40example.com", "bad address <email>"),
        ("phone +49 (151) 234-56789 is not hashed", "phone <number> is not hashed"),
        ("phone_4915123456789", "phone_<number>"),
        (f"email {DIGEST} is a poison digest", "email <digest> is a poison digest"),
        (f"email {DIGEST.upper()}!", "email <digest>!"),
        ("token a1b2c3d4e5a1b2c3d4e5a1b2c3d4e5a1b2c3d4e5 revoked", "token <token> revoked"),
        ("ttclid E.C.P.CrEBBVBkjlkW6yyDtVFkjlkW6yyDtV1zq", "ttclid E.C.P.<token>"),
        ("ip 203.0.113.77 is private", "ip <ip> is private"),
        ("ip 2001:db8::8a2e:370:7334 is private", "ip <ip> is private"),
        (
            "url https://shop.example/thanks?name=Jane&mail=j is wrong",
            "url https://shop.example/… is wrong",
        ),
        ("url https://jane:secret@shop.example is wrong", "url https://shop.example/… is wrong"),
    ],
)
def test_what_could_be_personal_or_secret_is_masked(said: str, kept: str) -> None:
    shown = message(said)

    assert shown is not None
    assert shown.endswith(kept)


@pytest.mark.parametrize(
    "said",
    [
        "OK",
        "Access token is incorrect or has been revoked.",
        "Invalid value for event_id: not a valid string.",
        "Batch.0.properties.contents.0.content_id: Not a valid string",
        (
            "No permission to operate pixel code: C0PIXELCODE0EXAMPLE0. You must be an admin or "
            "operator of this advertiser account."
        ),
        "UNSUPPORTED_SOMETHING_IN_THE_SANDBOX",
        "40002 at 12:30",
    ],
)
def test_what_an_operator_needs_is_kept(said: str) -> None:
    assert message(said) == said


def test_a_message_is_one_short_line() -> None:
    assert message("first\nsecond\x1b[31m\u202e") == "first second [31m"
    assert len(message("no " * 5000) or "") == MAX_CHARS


@pytest.mark.parametrize("said", [None, 7, "", "  \n", ["x"]])
def test_no_text_is_no_message(said: object) -> None:
    assert message(said) is None


@given(st.text(max_size=3000))
def test_any_text_can_be_scrubbed(said: str) -> None:
    shown = message(said)

    assert shown is None or (0 < len(shown) <= MAX_CHARS and "\n" not in shown)


@given(st.text(max_size=200), st.text(max_size=200))
def test_an_address_never_survives(before: str, after: str) -> None:
    shown = message(f"{before} canary.person@example.com {after}") or ""

    assert "canary" not in shown


@pytest.mark.parametrize("char", ["a", "1", "a@", "1.", "a1", " 1", "=", "https://", "a:"])
def test_no_text_takes_long_to_scrub(char: str) -> None:
    """Patterns that look far ahead would take seconds on such a text."""
    assert len(message(char * 100_000) or "") <= MAX_CHARS


def test_a_request_id_is_kept_when_it_looks_like_one() -> None:
    assert request_id("20260528202640F8A7B6C5D4") == "20260528202640F8A7B6C5D4"
    assert request_id("a b") is None
    assert request_id("x" * 65) is None
    assert request_id(7) is None
