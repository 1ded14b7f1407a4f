"""Numbers, days and names as people read them."""

from __future__ import annotations

import unicodedata
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.audit import wording
from relay.audit.facts import Period
from relay.audit.findings import Figure, Severity
from tests.unit.audit import story


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "\N{EN DASH}"),
        (Decimal(0), "0.0 %"),
        (Decimal("0.5"), "50.0 %"),
        (Decimal("0.99999"), "99.9 %"),
        (Decimal(1), "100.0 %"),
        (Decimal("1.2345"), "123.4 %"),
    ],
)
def test_what_is_not_all_never_reads_as_all(share: Decimal | None, text: str) -> None:
    assert wording.percent(share) == text


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Figure("x", Decimal("1234.5"), "EUR"), "1,234.50 EUR"),
        (Figure("x", Decimal("1234"), "JPY"), "1,234 JPY"),
        (Figure("x", Decimal("3.70"), "%"), "3.7 %"),
        (Figure("x", Decimal("100"), "%"), "100 %"),
        (Figure("x", Decimal("2.1"), "ratio"), "2.1"),
        (Figure("x", 1234, "events"), "1,234 events"),
        (Figure("x", "C0DE"), "C0DE"),
        (Figure("x", None, "events"), "\N{EN DASH}"),
    ],
)
def test_a_figure_is_written_with_its_unit(figure: Figure, text: str) -> None:
    assert wording.figure(figure) == text


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 9, 1), date(2026, 9, 1), "1 Sep 2026"),
        (date(2026, 9, 1), date(2026, 9, 30), "1 \N{EN DASH} 30 Sep 2026"),
        (date(2026, 8, 1), date(2026, 9, 30), "1 Aug \N{EN DASH} 30 Sep 2026"),
        (date(2025, 12, 1), date(2026, 1, 9), "1 Dec 2025 \N{EN DASH} 9 Jan 2026"),
    ],
)
def test_days_say_the_month_and_the_year_once(first: date, last: date, text: str) -> None:
    assert wording.days(Period(first, last)) == text


def test_a_zone_is_said_with_its_offset_as_its_name_may_mislead() -> None:
    assert wording.zone(story.ADVERTISER, story.NOW) == "Europe/Berlin, UTC+02:00"


@pytest.mark.parametrize(
    ("severities", "text"),
    [
        ([], ""),
        ([Severity.HIGH], "1 high"),
        ([Severity.HIGH, Severity.CRITICAL, Severity.HIGH], "1 critical and 2 high"),
        ([*Severity], "1 critical, 1 high, 1 medium, 1 low and 1 info"),
    ],
)
def test_findings_are_counted_worst_first(severities: list[Severity], text: str) -> None:
    assert wording.tally([story.a_finding(severity=each) for each in severities]) == text


@given(st.text(), st.integers(1, 80))
def test_a_name_is_one_line_that_steers_nothing(name: str, limit: int) -> None:
    shown = wording.plain(name, limit)

    assert len(shown) <= limit
    assert shown.encode().decode() == shown
    for char in shown:
        assert char == "\u200d" or unicodedata.category(char) not in {"Cc", "Cf", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("a\r\nb", "a b"),
        ("\u202eevil\u202c", "evil"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("קפה", "קפה"),
    ],
)
def test_hostile_names(name: str, shown: str) -> None:
    assert wording.plain(name) == shown
