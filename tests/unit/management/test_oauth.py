"""The way to a token: what is sent to the browser, and what it brings back."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.management.errors import About, AnswerUnreadable, RedirectRefused, RequestInvalid
from relay.management.fields import Record
from relay.management.oauth import consent_url, read_grant, read_redirect

STATE = "7f3c" * 8


def test_the_consent_page_is_told_who_asks_and_where_to_go() -> None:
    url = consent_url("7336580000000000001", "http://127.0.0.1:8765/callback?a=b", STATE)

    assert url.startswith("https://business-api.tiktok.com/portal/auth?")
    assert parse_qs(urlsplit(url).query) == {
        "app_id": ["7336580000000000001"],
        "state": [STATE],
        "redirect_uri": ["http://127.0.0.1:8765/callback?a=b"],
    }


def test_a_state_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(RequestInvalid, match="token_urlsafe"):
        consent_url("1", "http://127.0.0.1/", "123")


@pytest.mark.parametrize(
    "brought",
    [
        f"https://a.example/x?auth_code=2c1f&code=2c1f&state={STATE}",
        f"https://a.example/x?auth_code=2c1f&code=other&state={STATE}",
        f"https://a.example/x?code=2c1f&state={STATE}#here",
        f"auth_code=2c1f&state={STATE}",
        f"?auth_code=2c1f&state={STATE}",
        f"/x?auth_code=2c1f&state={STATE}\n",
    ],
)
def test_the_code_is_found_in_the_address_or_its_query(brought: str) -> None:
    assert read_redirect(brought, STATE) == "2c1f"


@pytest.mark.parametrize(
    ("brought", "why"),
    [
        ("https://a.example/x?auth_code=s3cret", "state"),
        ("https://a.example/x?auth_code=s3cret&state=other", "state"),
        (f"https://a.example/x?auth_code=s3cret&state={STATE}&state=other", "state"),
        (f"https://a.example/x?state={STATE}", "auth_code"),
        (f"https://a.example/x?auth_code=&state={STATE}", "auth_code"),
        (f"https://a.example/x?auth_code=s3cret&auth_code=b&state={STATE}", "several"),
        ("http://[s3cret", "address"),
        ("", "state"),
    ],
)
def test_what_cannot_be_used_is_refused_without_showing_it(brought: str, why: str) -> None:
    with pytest.raises(RedirectRefused, match=why) as caught:
        read_redirect(brought, STATE)

    assert "s3cret" not in str(caught.value)


def test_without_an_expected_state_nothing_passes() -> None:
    with pytest.raises(RedirectRefused):
        read_redirect("auth_code=a&state=", "")


@given(st.text())
def test_whatever_is_pasted_is_refused_by_name(text: str) -> None:
    with pytest.raises(RedirectRefused):
        read_redirect(text, STATE)


def test_scopes_beyond_53_bits_survive_and_the_token_is_not_shown() -> None:
    data = {"access_token": "9f1e-s3cret", "advertiser_ids": ["7"], "scope": [100, 2**63]}

    grant = read_grant(Record(data, About()))

    assert grant.scope == ("100", str(2**63))
    assert "s3cret" not in repr(grant)


@pytest.mark.parametrize("token", [None, "", "a\nb", "ü", 5])
def test_what_is_no_token_is_refused(token: object) -> None:
    with pytest.raises(AnswerUnreadable) as caught:
        read_grant(Record({"access_token": token}, About()))

    assert caught.value.field == "access_token"
