"""The JSON document: valid by its schema, exact, and what it says is what the audit says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from relay.audit.document import document, schema
from relay.audit.document.values import amount, ratio
from relay.audit.findings import Audit, Figure
from relay.audit.page import page
from relay.journal.sample import Sample
from tests.unit.audit import story

AUDITS = {
    "with faults": story.an_audit,
    "clean": story.a_clean_audit,
    "partial": story.a_partial_audit,
    "empty": story.an_empty_audit,
}


def closed(value: object) -> Any:
    """The schema without room for fields that it does not name."""
    if isinstance(value, list):
        return [closed(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {key: closed(each) for key, each in value.items()}
    return {"additionalProperties": False, **made} if "properties" in made else made


VALIDATOR = Draft202012Validator(closed(schema()))


def made(*audits: Audit) -> dict[str, Any]:
    """As a program reads it."""
    text = orjson.dumps(document(audits, version="0.1.0", made_at=story.NOW))
    read: dict[str, Any] = json.loads(text)
    return read


def only(audit: Audit) -> dict[str, Any]:
    (found,) = made(audit)["audits"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", AUDITS)
def test_a_document_is_valid_by_the_schema(name: str) -> None:
    VALIDATOR.validate(made(AUDITS[name]()))


def test_several_accounts_and_none_are_valid_too() -> None:
    VALIDATOR.validate(made(*(audit() for audit in AUDITS.values())))
    VALIDATOR.validate(made())


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("made_at",), "2026-10-01T06:30:00"),
        (("made_at",), 1_790_000_000),
        (("audits", 0, "money", "total", "spend"), 4628.4),
        (("audits", 0, "money", "total", "spend"), "4,628.40"),
        (("audits", 0, "findings", 0, "severity"), "terrible"),
        (("audits", 0, "findings", 0, "since"), "12.09.2026"),
        (("audits", 0, "verdict", "answer"), "perhaps"),
        (("audits", 0, "coverage", 0, "delivered"), -1),
        (("audits", 0, "unknown"), 1),
    ],
)
def test_what_is_not_so_is_not_valid(path: tuple[str | int, ...], wrong: object) -> None:
    broken = made(story.an_audit())
    here: Any = broken
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = wrong

    assert not VALIDATOR.is_valid(broken)


def test_money_is_decimal_text_and_unknown_is_null() -> None:
    whole, partial = only(story.an_audit()), only(story.a_partial_audit())

    assert whole["money"]["total"]["spend"] == "4628.40"
    assert whole["money"]["total"]["reported"] == 315
    assert partial["money"]["total"]["spend"] is None
    assert partial["money"]["ratios"]["cpa"]["platform"] is None
    assert partial["partial"] is True


def test_times_carry_the_offset_of_the_account() -> None:
    found = only(story.an_audit())

    at = datetime.fromisoformat(found["gathered"][0]["at"])
    assert at.timestamp() == story.NOW - 60
    assert at.utcoffset() == datetime.fromtimestamp(story.NOW, story.ZONE).utcoffset()
    assert found["account"]["utc_offset"] == "+02:00"


def test_every_finding_and_every_check_is_in_it() -> None:
    audit = story.an_audit()
    found = only(audit)

    assert [each["check"] for each in found["findings"]] == [f.check for f in audit.findings]
    assert [each["silenced"] for each in found["findings"]] == [False] * 4 + [True] * 2
    assert [each["check"] for each in found["checks"]] == [j.check for j in audit.judgements]
    first = found["findings"][0]
    assert first["expected"] == {"label": "delivered", "value": "543", "unit": "events"}
    assert first["at_stake"] == "2497.00"


def test_funnels_add_up_in_the_document_as_well() -> None:
    for funnel in only(story.an_audit())["funnels"]:
        days = funnel["days"]
        assert len(days) == 30
        assert sum(day["delivered"] for day in days) == funnel["total"]["delivered"]


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("0.5", "EUR", "0.50"),
        ("1E+3", "EUR", "1000.00"),
        ("12.345", "EUR", "12.345"),
        ("1200", "JPY", "1200"),
        ("1.5", "KWD", "1.500"),
        ("-0.00", "EUR", "0.00"),
        ("123456789012345678901234567890.12", "EUR", "123456789012345678901234567890.12"),
    ],
)
def test_amounts_are_written_plainly_and_not_rounded(value: str, currency: str, text: str) -> None:
    assert amount(Decimal(value), currency) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20,
                   places=12))  # fmt: skip
def test_an_amount_is_read_back_as_it_was_and_a_ratio_to_four_digits(value: Decimal) -> None:
    written, short = amount(value, "EUR"), ratio(value)

    assert written is not None
    assert Decimal(written) == value
    assert short is not None
    assert abs(Decimal(short) - value) <= Decimal("0.00005")


@given(st.text() | st.just("\ud800 half"))
def test_any_name_can_be_written_and_read(name: str) -> None:
    finding = story.a_finding(says=name, found=Figure(name, name, name))
    facts = story.an_empty_audit().facts
    hostile = replace(facts, advertiser=replace(facts.advertiser, name=name))

    found = only(Audit(hostile, [finding], []))

    kept = name.encode("utf-8", "replace").decode()
    assert found["account"]["name"] == kept
    assert found["findings"][0]["says"] == kept


def test_nothing_of_the_samples_gets_out() -> None:
    """They are digests of people's orders: not for what goes round."""
    digest = 1234567890123456789
    sample = Sample(
        "web-eu", "Purchase", digest, 0, 0.0, digest, digest, digest, None, None, 0, True, 1.0
    )
    audit = story.an_audit()
    audit = replace(audit, facts=replace(audit.facts, samples=[sample]))

    assert str(digest) not in json.dumps(made(audit))
    assert str(digest) not in page([audit], version="0.1.0", made_at=story.NOW)
