"""REC: how much of what an ad group claims is owed to views?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relay.audit.books import Books
from relay.audit.books.lines import about, longest_window
from relay.audit.books.totals import Totals, of_rows
from relay.audit.checks.check import Inapplicable, Result, as_percent, money, percent, survey
from relay.audit.facts import AdGroup
from relay.audit.findings import Certainty, Finding, Severity, Subject
from relay.audit.guard import more_than

if TYPE_CHECKING:
    from relay.config.audit import Thresholds


def view_share(books: Books, limits: Thresholds) -> Result:
    """(Vta + Eva) / C of an ad group over its mature days: > 50 % M, > 80 % H."""
    return survey(
        [each for line in books.lines for each in line.adgroups],
        lambda each: _viewed(books, each, limits),
        nothing="no ad group optimises for an event of a pixel",
    )


def _viewed(books: Books, adgroup: AdGroup, limits: Thresholds) -> Result:
    days = books.mature(longest_window([adgroup]))
    if days is None:
        return Inapplicable("no day is mature yet")
    reported = of_rows(books.reports.adgroup(adgroup.id, days))
    whole = reported.count("conversions")
    view, engaged = reported.count("view_through"), reported.count("engaged_view_through")
    if whole is None or view is None or engaged is None:
        return Inapplicable("TikTok does not split the conversions into clicks and views")
    if not more_than(view + engaged, whole, limits.view_share_medium, limits):
        return []
    return [_finding(books, adgroup, reported, view + engaged, limits)]


def _finding(
    books: Books, adgroup: AdGroup, reported: Totals, views: int, limits: Thresholds
) -> Finding:
    whole = reported.count("conversions") or views
    share = views / whole
    clicked = whole - views
    by_click = reported.spend / clicked if clicked > 0 else None
    high = more_than(views, whole, limits.view_share_high, limits)
    pixel = books.pixels.get(adgroup.pixel_id or "")
    return Finding(
        check="REC-02",
        severity=Severity.HIGH if high else Severity.MEDIUM,
        subject=Subject("adgroup", adgroup.id, adgroup.name),
        says=f'{views} of {whole} conversions of "{adgroup.name}" ({as_percent(share)}) are owed '
        "to views, not to clicks.",
        expected=percent("conversions without a click", limits.view_share_medium),
        found=percent("conversions without a click", share),
        do=f'Judge ad group "{adgroup.name}" ({adgroup.id}) by its cost per click-through '
        "conversion, or shorten its view windows.",
        certainty=Certainty.LIKELY,
        source="Marketing API v1.3, reports: vta_conversion, engaged_view_through_conversions",
        since=books.spending_since([adgroup]),
        at_stake=reported.spend,
        details=[money("cost per click-through conversion", by_click, books.currency)],
        concerns=about(
            adgroup=(adgroup.id,),
            pixel=() if pixel is None else (pixel.code,),
            event=(adgroup.optimization_event or "",),
        ),
    )
