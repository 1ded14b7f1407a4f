"""CFG: the windows that TikTok attributes by, and how it counts repeats."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from relay.audit.books import PURCHASE, Books
from relay.audit.books.calendar import DAY_S
from relay.audit.books.lines import Line, about
from relay.audit.books.sampled import quantile
from relay.audit.checks.check import (
    Inapplicable,
    Result,
    as_percent,
    cents,
    named,
    number,
    percent,
    survey,
    text,
)
from relay.audit.facts import AdGroup
from relay.audit.findings import Certainty, Figure, Finding, Severity, Subject
from relay.audit.guard import more_than, too_few

if TYPE_CHECKING:
    from relay.config.audit import Thresholds

_SOURCE = "Marketing API v1.3, ad group fields: attribution windows"


def shown(days: int | None) -> str:
    return "unknown" if days is None else "off" if days == 0 else f"{days} d"


def inconsistent_windows(books: Books, _: Thresholds) -> Result:
    """> 1 distinct (click, engaged, view, counting) among the active ad groups of one objective."""
    groups: defaultdict[str, list[AdGroup]] = defaultdict(list)
    for each in books.active:
        campaign = books.campaigns.get(each.campaign_id)
        if campaign is not None and each.pixel_id and each.click_window is not None:
            groups[campaign.objective].append(each)
    return survey(
        sorted(groups.items()),
        lambda item: _distinct(books, item[0], item[1]),
        nothing="no active ad group of a pixel tells its windows",
    )


def _distinct(books: Books, objective: str, adgroups: Sequence[AdGroup]) -> Result:
    kinds = Counter(
        f"click {shown(each.click_window)}, engaged view {shown(each.engaged_view_window)}, view "
        f"{shown(each.view_window)}, {each.counting or 'counting unset'}"
        for each in adgroups
    )
    if len(kinds) < 2:
        return []
    most = kinds.most_common()
    return [
        Finding(
            check="CFG-06",
            severity=Severity.MEDIUM,
            subject=Subject("account", books.facts.advertiser.id, f"objective {objective}"),
            says=f"{len(adgroups)} active ad groups of {objective} are counted in {len(kinds)} "
            f"different ways: {'; '.join(f'{count} × {kind}' for kind, count in most[:4])}.",
            expected=Figure("ways of counting", 1, "ways"),
            found=Figure("ways of counting", len(kinds), "ways"),
            do=f"Give the ad groups of {objective} the same windows ({most[0][0]}), or compare "
            "them per window only.",
            certainty=Certainty.CERTAIN,
            source=_SOURCE,
            details=[Figure(kind, count, "ad groups") for kind, count in most],
            concerns=about(adgroup=(each.id for each in adgroups)),
        )
    ]


def window_too_short(books: Books, limits: Thresholds) -> Result:
    """p90(event_time − first sighting of the click) > click window, of purchases with a click."""
    return survey(
        [line for line in books.lines if line.active and line.event == PURCHASE],
        lambda line: _too_short(books, line, limits),
        nothing="no active ad group optimises for purchases of a pixel",
    )


def _too_short(books: Books, line: Line, limits: Thresholds) -> Result:
    rows = books.sampled.clicks(line.destinations, line.event)
    ages = [age / DAY_S for row in rows if (age := books.sampled.click_age_s(row)) is not None]
    if too_few(len(ages), limits):
        return Inapplicable(f"{len(ages)} sampled purchases with a click are too few")
    slow = quantile(ages, limits.latency_quantile)
    short = [each for each in line.active if each.click_window and slow > each.click_window]
    if not short:
        return []
    window = min(each.click_window or 0 for each in short)
    outside = sum(age > window for age in ages) / len(ages)
    at = f"{limits.latency_quantile:.0%}"
    return [
        Finding(
            check="CFG-07",
            severity=Severity.HIGH,
            subject=line.subject,
            says=f"{at} of {len(ages)} sampled purchases come within {slow:.1f} days of the "
            f"click, but {named(each.name for each in short)} count {window} days: "
            f"{as_percent(outside)} of the purchases fall outside.",
            expected=number("purchase latency", slow, "days"),
            found=Figure("click window", window, "days"),
            do=f"Lengthen the click window of {named(each.name for each in short)} to at least "
            f"{slow:.0f} days (a change is not retroactive).",
            certainty=Certainty.LIKELY,
            source=f"{_SOURCE}; latencies of the relay's sample",
            since=books.spending_since(short),
            at_stake=cents(books.spend(short) * Decimal(str(round(outside, 4)))),
            details=[percent("purchases outside the window", outside)],
            concerns=line.concerns,
        )
    ]


def view_driven(books: Books, _: Thresholds) -> Result:
    """click = OFF, or (click = ONE_DAY and view = SEVEN_DAYS), of active ad groups."""
    return survey(
        [each for each in books.active if each.click_window is not None and each.pixel_id],
        lambda each: [_view_driven(books, each)] if _is_view_driven(each) else [],
        nothing="no active ad group of a pixel tells its click window",
    )


def _is_view_driven(adgroup: AdGroup) -> bool:
    click, view = adgroup.click_window, adgroup.view_window
    return click == 0 or (click == 1 and view == 7)


def _view_driven(books: Books, adgroup: AdGroup) -> Finding:
    click, view = shown(adgroup.click_window), shown(adgroup.view_window)
    return Finding(
        check="CFG-08",
        severity=Severity.HIGH,
        subject=Subject("adgroup", adgroup.id, adgroup.name),
        says=f'"{adgroup.name}" counts clicks for {click} and views for {view}: what it reports is '
        "driven by views.",
        expected=text("view window", "no longer than the click window"),
        found=text("click window / view window", f"{click} / {view}"),
        do=f'Set the click window of ad group "{adgroup.name}" ({adgroup.id}) to 7 days and its '
        "view window to 1 day (TikTok's defaults), or judge it by the relay's clicks.",
        certainty=Certainty.LIKELY,
        source=_SOURCE,
        since=books.spending_since([adgroup]),
        at_stake=books.spend([adgroup]),
        concerns=about(adgroup=(adgroup.id,)),
    )


def counted_once(books: Books, limits: Thresholds) -> Result:
    """ONCE (ad group or pixel event), while > 5 % of the sampled buyers bought more than once."""
    return survey(
        [line for line in books.lines if line.active and line.event == PURCHASE],
        lambda line: _counted_once(books, line, limits),
        nothing="no active ad group optimises for purchases of a pixel",
    )


def _once(line: Line) -> Sequence[AdGroup]:
    pixel_events = () if line.pixel is None else line.pixel.events
    if any(e.statistic_type == "ONCE" for e in pixel_events if e.optimization_event == line.event):
        return line.active
    return [each for each in line.active if each.counting == "ONCE"]


def _counted_once(books: Books, line: Line, limits: Thresholds) -> Result:
    once = _once(line)
    if not once:
        return []
    orders: defaultdict[int, set[int]] = defaultdict(set)
    for row in books.sampled.of(line.destinations, line.event):
        if row.buyer is not None:
            orders[row.buyer].add(row.event_id if row.order is None else row.order)
    again = sum(len(each) > 1 for each in orders.values())
    if too_few(len(orders), limits):
        return Inapplicable(f"{len(orders)} sampled buyers are too few")
    if not more_than(again, len(orders), limits.repeat_buyers, limits):
        return []
    share = again / len(orders)
    return [
        Finding(
            check="CFG-09",
            severity=Severity.MEDIUM,
            subject=line.subject,
            says=f"{named(each.name for each in once)} count a person's purchases once, but "
            f"{again} of {len(orders)} sampled buyers ({as_percent(share)}) bought more than once.",
            expected=percent("buyers with more than one purchase", limits.repeat_buyers),
            found=percent("buyers with more than one purchase", share),
            do=f"Set the counting of {named(each.name for each in once)} (and of "
            f"{books.called(line.event)} of pixel {line.code}) to EVERY, or compare with unique "
            "buyers.",
            certainty=Certainty.LIKELY,
            source="Marketing API v1.3: attribution_event_count, statistic_type",
            since=books.spending_since(once),
            concerns=line.concerns,
        )
    ]
