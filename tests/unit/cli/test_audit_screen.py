"""The audit in a terminal: one screen, no colour where none is wanted, what is left out counted."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from relay.audit.findings import Audit, Severity, Subject
from relay.cli.audit_screen import show
from tests.unit.audit import story


def shown(*audits: Audit, width: int = 80, color: bool = False) -> str:
    stream = StringIO()
    console = Console(
        file=stream, width=width, height=40, markup=False, highlight=False, emoji=False,
        force_terminal=color, color_system="standard" if color else None,
    )  # fmt: skip
    show(console, audits)
    return stream.getvalue()


def many(count: int) -> Audit:
    found = [
        story.a_finding(
            severity=[*Severity][number % 5],
            subject=Subject("adgroup", str(number), f"group {number} " + "long name " * 9),
            says=f"Ad group {number} " + "is wrong in many words " * 12,
            do="Do this. " * 40,
        )
        for number in range(count)
    ]
    return Audit(story.some_facts(), found, story.judgements(found))


def flat(text: str) -> str:
    return " ".join(text.split())


AUDITS = [
    story.an_audit(), story.a_clean_audit(), story.a_partial_audit(), story.an_empty_audit(),
    many(3), many(200),
]  # fmt: skip


@pytest.mark.parametrize("audit", AUDITS)
def test_an_account_fits_a_screen_of_80_by_40(audit: Audit) -> None:
    lines = shown(audit).splitlines()

    assert len(lines) < 40
    assert max(cell_len(line) for line in lines) <= 80


def test_it_says_whether_the_numbers_are_true_and_what_they_are() -> None:
    text = flat(shown(story.an_audit()))

    for said in (
        "Northwind Coffee 7123456789012345678",
        "1 \N{EN DASH} 30 Sep 2026, Europe/Berlin, UTC+02:00, EUR",
        "No: 1 critical, 1 high and 1 medium findings stand, 2,497.00 EUR at stake.",
        "spend 4,628.40 EUR; Purchase: 1,128 delivered, 315 reported, 26.7 % claimed",
        "CPA 13.87 7.73 4.10",
        "ROAS 4.12 7.34 13.76",
        "24 \N{EN DASH} 30 Sep 2026 too young",
        "web-eu 915 807 443 807 311 208 3,654.70",
        "CRITICAL DEL-03 TikTok counts 180 of 543 purchases",
        "> Compare the pixel code of web-eu",
        "42 not delivered: 18 consent_denied (web-uk)",
        "5 passed, 0 not judged, 1 had nothing to judge; 2 findings explained by others",
    ):
        assert said in text
    assert "PARTIAL" not in text
    assert "REC-01" not in text


def test_a_partial_run_is_said_loudly_and_unknown_is_no_0() -> None:
    text = flat(shown(story.a_partial_audit()))

    assert "PARTIAL RUN: account report: throttled after page 3 of 9." in text
    assert "spend \N{EN DASH}; Purchase: 1,128 delivered, \N{EN DASH} reported" in text
    assert "1 not judged" in text


def test_a_clean_run_says_so_and_one_without_facts_does_not() -> None:
    assert "Nothing is wrong that could be seen." in shown(story.a_clean_audit())
    assert "Nothing is wrong" not in shown(story.an_empty_audit())
    assert "Nothing is wrong" not in shown(story.a_partial_audit())


def test_where_not_all_findings_fit_the_worst_come_first_and_the_rest_is_counted() -> None:
    lines = shown(many(200)).splitlines()

    tags = [line.split()[0] for line in lines if "REC-03" in line]
    assert len(tags) >= 6
    assert set(tags) == {"CRITICAL"}
    (rest,) = [line for line in lines if line.startswith("and ")]
    assert f"{40 - len(tags)} critical, 40 high, 40 medium, 40 low and 40 info more" in rest


@pytest.mark.parametrize("factor", [100, 10_000, 100_000])
def test_large_numbers_push_nothing_off_the_screen(factor: int) -> None:
    facts = story.some_facts()
    rows = [row._replace(sums=replace(row.sums, count=row.sums.count * factor))
            for row in facts.ledger]  # fmt: skip
    reports = [replace(each, spend=(each.spend or Decimal(0)) * factor) for each in facts.days]
    found = shown(replace(story.an_audit(), facts=replace(facts, ledger=rows, days=reports)))

    lines = found.splitlines()
    assert max(cell_len(line) for line in lines) <= 80
    assert f"{Decimal('3654.70') * factor:,.2f}" in found
    assert any(line.startswith("web-eu ") for line in lines)


def test_a_finding_in_short_still_has_both_numbers() -> None:
    (line, *_) = [line for line in shown(many(200)).splitlines() if "REC-03" in line]

    assert "platform 19.11 EUR, verified 9.10 EUR" in line


def test_several_accounts_are_a_table_and_the_worst_of_each() -> None:
    other = replace(story.ADVERTISER, name="Southwind Tea", id="7999")
    clean = story.a_clean_audit()
    clean = replace(clean, facts=replace(clean.facts, advertiser=other))

    text = shown(story.an_audit(), clean, story.a_partial_audit())

    lines = text.splitlines()
    assert max(cell_len(line) for line in lines) <= 80
    assert "DEL-03" in text
    assert "DEL-06" not in text
    assert text.index("Southwind") < text.index("DEL-03")
    assert "unknown*" in text
    assert "partial run" in text


def test_colours_are_for_terminals_only() -> None:
    audit = story.an_audit()

    assert "\x1b" not in shown(audit)
    assert "\x1b[" in shown(audit, color=True)


@pytest.mark.parametrize("width", [80, 100, 160])
def test_wider_screens_are_used_up_to_what_can_be_read(width: int) -> None:
    lines = shown(story.an_audit(), width=width).splitlines()

    assert max(cell_len(line) for line in lines) <= min(width, 120)


@settings(max_examples=30)
@given(st.text(min_size=1, max_size=600))
def test_no_name_steers_the_terminal_or_breaks_the_screen(name: str) -> None:
    audit = story.an_audit()
    advertiser = replace(audit.facts.advertiser, name=name, display_timezone=name)
    finding = story.a_finding(says=name, do=name, subject=Subject("ad", name, name))
    hostile = Audit(replace(audit.facts, advertiser=advertiser), [finding], [])

    for text in (shown(hostile), shown(hostile, hostile)):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert max(cell_len(line) for line in text.split("\n")) <= 80
    assert len(shown(hostile).split("\n")) <= 40


@pytest.mark.parametrize(
    "name",
    ["\x1b[2J\x1b]0;owned\x07", "\u202e\u2066", "咖啡" * 100, "咖啡" * 25, "\U0001f600" * 300],
)
def test_hostile_names(name: str) -> None:
    audit = story.an_audit()
    advertiser = replace(audit.facts.advertiser, name=name)
    text = shown(replace(audit, facts=replace(audit.facts, advertiser=advertiser)))

    assert not any(char in text for char in "\x1b\x07\u202e\u2066")
    assert max(cell_len(line) for line in text.splitlines()) <= 80
