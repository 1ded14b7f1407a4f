"""Identifiers of a person."""

from __future__ import annotations

import unicodedata
from hashlib import sha256

import pytest

from relay.model import EventSource
from tests.unit.normalize.sending import Sending

WEB = Sending()
APP = Sending(EventSource.APP)
DIGEST = sha256(b"ada@example.com").hexdigest()


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def in_app(**user: object) -> dict[str, object]:
    sent: dict[str, object] = APP.wire(user=user).get("user", {})
    return sent


@pytest.mark.parametrize(
    ("field", "raw", "normalized"),
    [
        ("email", "Ada@Example.com\u200b", "ada@example.com"),
        ("email", "\ufeffADA@MÜHLE.example ", "ada@mühle.example"),
        ("email", unicodedata.normalize("NFD", "josé@example.com"), "josé@example.com"),
        ("email", '"a b"@example.com'.replace(" ", "."), '"a.b"@example.com'),
        ("phone", 12133734253, None),
        ("phone", "+44 7700 900123", "+447700900123"),
        ("external_id", 820982911946154508, "820982911946154508"),
        ("external_id", " User 7 ", "User 7"),
        ("external_id", "0a7E4C-uuid", "0a7E4C-uuid"),
        ("external_id", unicodedata.normalize("NFD", "é7"), "é7"),
        ("first_name", "O\u2019Neil-Łukasz 3rd", "oneilłukaszrd"),
        ("first_name", "李 明", "李明"),
        ("first_name", "नरेन्द्र", "नरेन्द्र"),
        ("last_name", "D'Arcy", "darcy"),
        ("zip_code", 95110, "95110"),
        ("zip_code", "SW1A\u20101AA", "sw1a1aa"),
    ],
)
def test_a_personal_identifier_is_normalized_and_hashed(
    field: str, raw: object, normalized: str | None
) -> None:
    expected = {} if normalized is None else {field: hashed(normalized)}

    assert WEB.user(**{field: raw}) == expected


@pytest.mark.parametrize(
    ("field", "raw", "sent"),
    [
        ("city", "San José", "sanjosé"),
        ("city", "St. John's 2", "stjohns2"),
        ("state", " CA ", "ca"),
        ("country", "de", "de"),
        ("country", " UK", "gb"),
        ("ttp", " 2EXAMPLE ", "2EXAMPLE"),
        ("locale", "en_US", "en-US"),
        ("locale", "de", "de"),
        ("locale", "ZH-hans-cn", "zh-Hans-CN"),
        ("locale", "en_US.UTF-8", "en-US"),
        ("locale", "de-DE,de;q=0.9", "de-DE"),
        ("locale", "es-419", "es-419"),
    ],
)
def test_what_is_not_hashed_is_tidied(field: str, raw: object, sent: str) -> None:
    assert WEB.user(**{field: raw}) == {field: sent}


@pytest.mark.parametrize(
    ("field", "raw", "why"),
    [
        ("email", "ada at example.com", "not_an_email"),
        ("email", "ada@localhost", "not_an_email"),
        ("email", "Ada <ada@example.com>", "not_an_email"),
        ("email", "a@b@example.com", "not_an_email"),
        ("email", "ada@example..com", "not_an_email"),
        ("email", "\ud800@example.com", "not_text"),
        ("email", "a" * 400, "too_long"),
        ("email", True, "not_text"),
        ("email", {}, "not_text"),
        ("phone", "07700 900123", "not_a_phone"),
        ("phone", "1" * 70, "not_a_phone"),
        ("phone", "+" + "1" * 400, "too_long"),
        ("phone", 1.5, "not_text"),
        ("external_id", 0, "placeholder"),
        ("external_id", "\ud800é", "not_text"),
        ("external_id", "x" * 400, "too_long"),
        ("external_id", 10**50, "not_text"),
        ("external_id", False, "not_text"),
        ("first_name", "12", "not_a_name"),
        ("first_name", "ada@example.com", "not_a_name"),
        ("last_name", "nu-ll", "placeholder"),
        ("first_name", "\udc00a", "not_text"),
        ("zip_code", "- -", "placeholder"),
        ("zip_code", [], "not_text"),
        ("city", "ada@example.com", "personal_data"),
        ("city", DIGEST, "must_not_be_hashed"),
        ("city", "-.-", "placeholder"),
        ("city", "Null!", "placeholder"),
        ("state", 7.5, "not_text"),
        ("country", "Germany", "not_a_country"),
        ("country", "XX", "not_a_country"),
        ("country", ["DE"], "not_a_country"),
        ("ttclid", "a b", "not_a_click_id"),
        ("ttclid", "x" * 1001, "too_long"),
        ("ttclid", "__CLICKID__", "placeholder"),
        ("ttclid", "null", "placeholder"),
        ("ttp", 7, "not_a_click_id"),
        ("ttp", "ada@example.com", "not_a_click_id"),
        ("locale", "english", "not_a_locale"),
        ("locale", "C", "not_a_locale"),
        ("locale", 7, "not_a_locale"),
        ("locale", "x" * 100, "not_a_locale"),
        ("phone_number", "+447700900123", "unknown_field"),
        ("idfa", "EA7583CD-A667-48BC-B806-42ECB2B48606", "not_for_source"),
    ],
)
def test_a_bad_identifier_costs_only_itself(field: str, raw: object, why: str) -> None:
    fields = {"user": {field: raw, "ttp" if field != "ttp" else "locale": "en"}}

    assert WEB.wire(**fields)["user"] == {"ttp" if field != "ttp" else "locale": "en"}
    assert WEB.flaws(**fields) == {f"user.{field}": why}


@pytest.mark.parametrize(
    "field",
    ["email", "phone", "external_id", "first_name", "last_name", "zip_code", "city", "state",
     "country", "ttclid", "ttp", "ip", "user_agent", "locale"],
)  # fmt: skip
@pytest.mark.parametrize("nothing", ["", " \t", None])
def test_an_empty_identifier_is_absent_and_no_flaw(field: str, nothing: object) -> None:
    fields = {"user": {field: nothing}}

    assert "user" not in WEB.wire(**fields)
    assert WEB.flaws(**fields) == {}


@pytest.mark.parametrize("field", ["email", "phone", "external_id", "first_name", "zip_code"])
def test_a_ready_made_digest_stays_in_lowercase(field: str) -> None:
    assert WEB.user(**{field: f" {DIGEST.upper()}\n"}) == {field: DIGEST}


def test_repeats_in_an_array_are_dropped_and_one_is_no_array() -> None:
    assert WEB.user(email=["ada@example.com", None, "ADA@example.com ", DIGEST]) == {
        "email": DIGEST
    }


def test_a_bad_element_costs_only_itself() -> None:
    fields = {"user": {"email": ["ada@example.com", "x", "bob@example.com"]}}

    assert WEB.wire(**fields)["user"]["email"] == [DIGEST, hashed("bob@example.com")]
    assert WEB.flaws(**fields) == {"user.email[]": "not_an_email"}


def test_an_array_without_anything_is_absent() -> None:
    assert "user" not in WEB.wire(user={"email": [], "phone": [None, ""]})


def test_an_array_is_bounded() -> None:
    fields = {"user": {"external_id": list(range(1, 100))}}

    assert len(WEB.wire(**fields)["user"]["external_id"]) == 20
    assert WEB.flaws(**fields) == {"user.external_id": "too_many"}


def test_a_national_number_is_read_in_the_nearest_country() -> None:
    german = Sending(default_country="DE")
    user = {"phone": "07700 900123", "country": "GB"}

    def phone(sending: Sending, **fields: object) -> object:
        return sending.wire(**fields).get("user", {}).get("phone")

    british = hashed("+447700900123")
    assert phone(german, user=user) == british
    assert phone(german, user={"phone": "07700 900123"}, country="uk") == british
    assert phone(german, user=user, country="DE") == hashed("+497700900123")
    assert phone(german, user={"phone": "030 123456"}) == hashed("+4930123456")
    assert phone(german, user=user, country="Narnia") == british
    assert german.flaws(user=user, country="Narnia") == {"country": "not_a_country"}
    assert german.flaws(user=user, country=" ") == {}


def test_an_advertising_id_is_sent_in_the_case_tiktok_wants() -> None:
    idfa = "ea7583cd-a667-48bc-b806-42ecb2b48606"

    assert in_app(idfa=idfa, gaid=idfa.upper()) == {"idfa": idfa.upper(), "gaid": idfa}
    assert in_app(idfa=DIGEST.upper()) == {"idfa": DIGEST}
    assert in_app(idfv=idfa.upper()) == {"idfv": idfa.upper()}


@pytest.mark.parametrize("field", ["idfa", "gaid", "idfv"])
@pytest.mark.parametrize("raw", ["00000000-0000-0000-0000-000000000000", "no id", 7, "f" * 400])
def test_what_is_no_device_id_is_dropped(field: str, raw: object) -> None:
    flaws = APP.flaws(user={field: raw})

    assert flaws == {f"user.{field}": "not_a_device_id"}


@pytest.mark.parametrize("field", ["idfa", "gaid", "idfv"])
def test_an_empty_device_id_is_absent(field: str) -> None:
    assert in_app(**{field: " "}) == {}


def test_the_attitude_to_tracking_is_one_of_tiktoks_words() -> None:
    assert in_app(att_status="authorized") == {"att_status": "AUTHORIZED"}
    assert in_app(att_status="AUTHORIZED") == {"att_status": "AUTHORIZED"}
    assert in_app(att_status="maybe") == {}
    assert in_app(att_status=["AUTHORIZED"]) == {}


def test_a_user_that_is_no_object_costs_only_itself() -> None:
    assert WEB.flaws(user="Ada") == {"user": "not_an_object"}
    assert WEB.flaws(user=[]) == {}
