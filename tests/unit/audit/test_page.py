"""The page: well formed, whole, alone, and harmless whatever anything is called."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.audit.facts import Edit, Period
from relay.audit.findings import Audit, Figure, Subject
from relay.audit.page import page
from relay.audit.page.markup import Markup, join, tag, text
from relay.audit.page.style import STYLE
from relay.audit.summary import summarise
from relay.audit.wording import amount, count, day, figure, percent, plain, ratio
from tests.unit.audit import story

VOID = {"meta", "br", "col"}

#: What can load or run something.
FORBIDDEN = {
    "script", "link", "img", "image", "iframe", "object", "embed", "base", "form", "use", "audio",
    "video", "source", "foreignobject", "animate", "set",
}  # fmt: skip


class Strict(HTMLParser):
    """Every element is closed in its order; nothing loads, nothing runs."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.headings: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in FORBIDDEN
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice"
        given = dict(attrs)
        assert not any(name.startswith("on") or name in {"src", "style"} for name in names)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []
        self.tags.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)


def read(html: str) -> Strict:
    parser = Strict()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


def made(*audits: Audit) -> str:
    return page(audits, version="0.1.0", made_at=story.NOW)


def words(parser: Strict) -> str:
    return " ".join(" ".join(parser.text).split())


AUDITS = [story.an_audit, story.a_clean_audit, story.a_partial_audit, story.an_empty_audit]


@pytest.mark.parametrize("audit", AUDITS)
def test_a_page_is_well_formed_and_its_headings_skip_no_level(audit: object) -> None:
    assert callable(audit)
    parser = read(made(audit()))

    assert parser.headings[0] == 1
    steps = zip(parser.headings, parser.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps)
    assert len(parser.ids) == len(set(parser.ids))


def test_several_accounts_have_a_table_that_leads_to_each() -> None:
    parser = read(made(*(audit() for audit in AUDITS)))

    assert parser.links == ["#account-1", "#account-2", "#account-3", "#account-4"]
    assert {link[1:] for link in parser.links} <= set(parser.ids)
    assert read(made()).headings == [1]


def test_nothing_comes_from_outside() -> None:
    html = made(story.an_audit())

    assert "://" not in html
    assert "url(" not in html
    assert "@import" not in html
    assert "javascript:" not in html
    assert "default-src 'none'; style-src 'unsafe-inline'" in html
    assert html.index("Content-Security-Policy") < html.index("<style>")


def test_every_finding_is_told_with_all_that_it_says() -> None:
    audit = story.an_audit()
    found = words(read(made(audit)))

    for finding in audit.findings:
        for said in (finding.check, finding.says, finding.do, finding.source):
            assert said in found
        assert figure(finding.expected) in found
        assert figure(finding.found) in found
    assert "2,497.00 EUR" in found
    assert "12 Sep 2026" in found
    assert "Explained by DEL-03" in found
    assert "Changed shortly before: 11 Sep 2026, 16:02: pixel of Purchases 1" in found


def cells(html: str) -> set[str]:
    """What stands in the cells of tables."""
    return {re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", html)}


def test_every_number_of_the_pictures_is_in_a_table() -> None:
    audit = story.an_audit()
    summary, found = summarise(audit.facts), cells(made(audit))

    for flow in summary.flows:
        for passage in (flow.total, *flow.days.values()):
            numbers = (passage.arrivals, passage.delivered, passage.server, passage.browser)
            more = (passage.counted, passage.attributed, passage.reported)
            assert {count(each) for each in (*numbers, *more)} <= found
            assert amount(passage.spend, "EUR") in found
    for money in (summary.settled, *(money for _, money in summary.running)):
        assert {amount(each, "EUR") for each in money.cpa} <= found
        assert {ratio(each) for each in money.roas} <= found
    for coverage in summary.coverage:
        assert {count(each) for each in coverage.keys.values()} <= found
    assert {day(when) for when in summary.days} <= found
    assert percent(summary.settled.claimed) in found


def test_every_check_and_every_part_is_listed_with_what_became_of_it() -> None:
    audit = story.a_partial_audit()
    found = words(read(made(audit)))

    for each in audit.judgements:
        assert each.check in found
        assert each.why in found
    assert "Partial run." in found
    assert "account report: throttled after page 3 of 9" in found
    assert "not judged: facts are missing" in found


def test_a_whole_run_does_not_say_that_it_is_partial() -> None:
    assert "Partial run." not in words(read(made(story.an_audit())))


def test_pictures_say_what_they_show_and_leave_unknown_numbers_out() -> None:
    html = made(story.an_audit())

    assert html.count("<svg") == html.count('role="img"') == html.count("<desc>")
    assert html.count("<svg") >= 11
    assert not re.search(r'(?:x|y|width|height|d)="[^"]*(?:nan|inf|None|-\d+\.?\d*e)', html)


def test_days_too_young_are_named_and_drawn_apart() -> None:
    html = made(story.an_audit())

    assert "Left out: 24 \N{EN DASH} 30 Sep 2026" in words(read(html))
    assert html.count('class="young"') >= 7 + 2


def test_changes_of_the_account_are_marked_by_day_in_its_zone() -> None:
    late = Edit(datetime(2026, 9, 5, 23, 30, tzinfo=UTC), "ad", "1", "switched off")
    outside = Edit(datetime(2025, 1, 1, tzinfo=UTC), "ad", "1", "long ago")
    audit = story.an_audit()
    audit = replace(audit, facts=replace(audit.facts, edits=[late, outside]))

    found = words(read(made(audit)))

    assert "6 Sep 2026 01:30 UTC+02:00" in found
    assert "switched off" in found
    assert "long ago" not in found


@pytest.mark.parametrize("length", [1, 2, 6, 7, 8, 400])
def test_any_length_of_time_can_be_drawn(length: int) -> None:
    facts = story.some_facts()
    period = Period(story.LAST - timedelta(length - 1), story.LAST)
    read(made(Audit(replace(facts, period=period), story.some_findings(), [])))


def test_a_thousand_findings_are_all_there() -> None:
    many = [
        story.a_finding(subject=Subject("adgroup", str(number), f"group {number}"))
        for number in range(1000)
    ]
    parser = read(made(Audit(story.some_facts(), many, [])))

    assert parser.tags.count("li") == 1000
    assert "group 999" in words(parser)


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style></svg><b>",
    "' onmouseover='x",
    "<!--",
    "]]>",
    "&lt;b&gt;&amp;",
    "\u202egnihton",
    "W" * 500,
    "\U0001f600" * 50,
    "\x00\x1b[2J",
    "\ud800",
    "{{7*7}}",
]


def called(name: str) -> Audit:
    """An audit in which everything that others name is called so."""
    audit = story.an_audit()
    facts = audit.facts
    finding = story.a_finding(
        subject=Subject(name, name, name), says=name, do=name, source=name,
        expected=Figure(name, name, name), found=Figure(name, None, name),
        details=[Figure(name, Decimal(1), name)], changed_before=[name],
    )  # fmt: skip
    targets = [replace(each, name=f"{name}{each.name}") for each in facts.targets]
    facts = replace(
        facts,
        period=Period(story.LAST - timedelta(9), story.LAST),
        advertiser=replace(facts.advertiser, name=name, display_timezone=name),
        pixels=[replace(each, name=name) for each in facts.pixels],
        targets=targets,
        ledger=[
            row._replace(destination=f"{name}{row.destination}", event=row.event + name)
            for row in facts.ledger
        ],
        edits=[Edit(each.at, name, name, name) for each in facts.edits],
        gathered=story.gathered(ADS=name),
    )
    judgements = [replace(each, title=name, why=name) for each in audit.judgements]
    return Audit(facts, [finding], judgements)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_and_do_nothing(name: str) -> None:
    parser = read(made(called(name)))

    # "&amp;" is text here, and so is any tag.
    assert plain(name)[:60].strip() in words(parser) or not plain(name).strip()
    assert parser.tags.count("html") == 1
    assert parser.tags.count("b") == 0


@settings(max_examples=15)
@given(st.text(min_size=1, max_size=80))
def test_no_name_changes_the_page_s_elements(name: str) -> None:
    assert kinds_of_tags(name) == kinds_of_plain_tags()


def kinds_of_tags(name: str) -> list[str]:
    return sorted(set(read(made(called(name))).tags))


@cache
def kinds_of_plain_tags() -> list[str]:
    return kinds_of_tags("plain")


class Told(HTMLParser):
    """What a reader of HTML makes of a piece."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.attributes: list[tuple[str, str | None]] = []
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.said.append(data)


@given(st.text(), st.text())
def test_what_is_not_markup_is_text(child: str, attribute: str) -> None:
    html = tag("p", child, title=attribute)

    parser = Told()
    parser.feed(html)
    parser.close()

    assert parser.attributes == [("title", plain(attribute))]
    assert "".join(parser.said).strip() == plain(child)


def test_markup_is_not_escaped_twice() -> None:
    once = tag("b", "a & b")

    assert once == "<b>a &amp; b</b>"
    assert join(once, " & ", None) == "<b>a &amp; b</b> &amp; "
    assert text(Markup("<i>")) == "<i>"
    assert tag("meta", http_equiv="x", class_=None) == '<meta http-equiv="x">'
    assert tag("rect", x=1.0, width=0.126) == '<rect x="1" width="0.13"></rect>'


def test_every_class_that_is_drawn_has_a_style() -> None:
    """A bar without a colour is black: nobody would know what it means."""
    html = made(story.an_audit(), story.a_partial_audit())

    used = {name for value in re.findall(r'class="([^"]*)"', html) for name in value.split()}
    styled = set(re.findall(r"\.([a-z]+)", STYLE))
    assert used - styled <= {"n", "name", "account", "findings", "top", "do"}
