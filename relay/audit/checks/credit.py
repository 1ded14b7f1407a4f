"""MAT: does TikTok give ads credit for what they brought?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from relay.audit.books import Books
from relay.audit.books.calendar import DAY_S, Span, days_of
from relay.audit.books.lines import Line, about, feeding
from relay.audit.books.reports import AdSums
from relay.audit.books.sampled import median
from relay.audit.checks.arrival import UtcDay, utc_days
from relay.audit.checks.check import (
    Inapplicable,
    Result,
    as_percent,
    events,
    named,
    percent,
    survey,
)
from relay.audit.facts import Ad
from relay.audit.findings import Certainty, Figure, Finding, Severity, Subject
from relay.audit.guard import less_than, more_than, too_few

if TYPE_CHECKING:
    from relay.config.audit import Thresholds


def attributed_share(books: Books, limits: Thresholds) -> Result:
    """Att / Tot by event: the last 3 mature days of UTC > 30 % below the median of the 14
    before."""
    return survey(
        sorted(books.event_counts),
        lambda pair: _attributed(books, pair, limits),
        nothing="TikTok counted no events",
    )


def _attributed(books: Books, pair: tuple[str, str], limits: Thresholds) -> Result:
    line = books.line_of.get(pair)
    mature = books.mature(books.account_window if line is None else line.window)
    days = mature and books.calendar.whole_utc_days(mature, limits.settle)
    if days is None:
        return Inapplicable("no day is mature yet")
    history = days_of(limits.attributed_history)
    recent = days.latest(days_of(limits.attributed_recent))
    before = [row for row in utc_days(books, *pair, recent.before(history)) if row.total]
    rows = utc_days(books, *pair, recent)
    if len(before) < history // 2:
        return Inapplicable("too few days lie before the last mature ones")
    usual = median(row.attributed / row.total for row in before) or 0.0
    total, attributed = sum(r.total for r in rows), sum(r.attributed for r in rows)
    if not less_than(attributed, total, usual * (1 - limits.attributed_drop), limits):
        return []
    return [_uncredited(books, pair, rows, recent, usual)]


def _uncredited(
    books: Books, pair: tuple[str, str], rows: Sequence[UtcDay], recent: Span, usual: float
) -> Finding:
    pixel, event = pair
    total, attributed = sum(r.total for r in rows), sum(r.attributed for r in rows)
    line = books.line_of.get(pair)
    adgroups = () if line is None else line.adgroups
    return Finding(
        check="MAT-04",
        severity=Severity.MEDIUM,
        subject=Subject("event", f"{pixel}/{event}", f"{books.called(event)} of pixel {pixel}"),
        says=f"TikTok attributed {attributed} of {total} {books.called(event)} events of pixel "
        f"{pixel} ({as_percent(attributed / total)}) in the last {recent.days} mature days; usual "
        f"are {as_percent(usual)}.",
        expected=percent("attributed", usual),
        found=percent("attributed", attributed / total),
        do=f"See whether click ids or other match keys of {books.called(event)} got fewer "
        "(MAT-01, MAT-02), or whether campaigns changed their audience.",
        certainty=Certainty.HINT,
        source="Marketing API v1.3, /pixel/event/stats/: attributed_count",
        since=recent.first,
        at_stake=books.spend(adgroups, recent) if line else None,
        details=[events("attributed", attributed), events("in all", total)],
        concerns=about(
            pixel=(pixel,),
            event=(event,),
            destination=feeding(pixel, books.facts.targets),
            adgroup=(each.id for each in adgroups),
        ),
    )


def stale_clicks(books: Books, limits: Thresholds) -> Result:
    """Age of the click id at the event > click window: > 10 % of the sampled events with one."""
    return survey(
        [line for line in books.lines if line.active and line.destinations],
        lambda line: _stale(books, line, limits),
        nothing="no active ad group optimises for an event that the relay feeds",
    )


def _stale(books: Books, line: Line, limits: Thresholds) -> Result:
    window = max((each.click_window or 0 for each in line.active), default=0)
    rows = books.sampled.clicks(line.destinations, line.event)
    old = [row for row in rows if (books.sampled.click_age_s(row) or 0) > window * DAY_S]
    if not window or too_few(len(rows), limits):
        return Inapplicable(f"{len(rows)} sampled events with a click id are too few")
    if not more_than(len(old), len(rows), limits.stale_clicks, limits):
        return []
    share = len(old) / len(rows)
    return [
        Finding(
            check="MAT-05",
            severity=Severity.LOW,
            subject=line.subject,
            says=f"{len(old)} of {len(rows)} sampled {books.called(line.event)} events "
            f"({as_percent(share)}) carry a click id older than the click window of {window} days.",
            expected=percent("events with an old click id", limits.stale_clicks),
            found=percent("events with an old click id", share),
            do=f"Expect no attribution of these; keep a click id in the shop for {window} days "
            "only, and replace it with each new click.",
            certainty=Certainty.LIKELY,
            source="TikTok Events API: a ttclid is valid for the click window; the relay's sample",
            since=books.calendar.day(min(row.event_time for row in old)),
            details=[Figure("click window", window, "days")],
            concerns=line.concerns,
        )
    ]


def lost_landings(books: Books, limits: Thresholds) -> Result:
    """total_landing_page_view / clicks < 0.5 with clicks > 100, by landing page. It is the pixel
    that sees a landing: ads without one have none."""
    pages: defaultdict[str, list[Ad]] = defaultdict(list)
    sums = books.reports.ads
    for ad in books.facts.ads:
        seen = ad.id in sums and sums[ad.id].landings is not None
        if ad.landing_page_url and seen and _has_pixel(books, ad):
            pages[_page(ad.landing_page_url)].append(ad)
    return survey(
        sorted(pages.items()),
        lambda item: _lost(books, item[0], item[1], limits),
        nothing="TikTok tells landing page views of no ad with a landing page",
    )


def _has_pixel(books: Books, ad: Ad) -> bool:
    adgroup = books.adgroups.get(ad.adgroup_id)
    return adgroup is None or adgroup.pixel_id is not None


def _codes(books: Books, ads: Sequence[Ad]) -> set[str]:
    """The pixels of the ads' ad groups."""
    groups = (books.adgroups.get(ad.adgroup_id) for ad in ads)
    pixels = (books.pixels.get(each.pixel_id or "") for each in groups if each is not None)
    return {each.code for each in pixels if each is not None}


def _page(url: str) -> str:
    """The address without what differs from ad to ad."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _lost(books: Books, page: str, ads: Sequence[Ad], limits: Thresholds) -> Result:
    sums: Sequence[AdSums] = [books.reports.ads[ad.id] for ad in ads]
    clicks = sum(each.clicks for each in sums)
    landings = sum(each.landings or 0 for each in sums)
    if clicks <= limits.landing_clicks:
        return Inapplicable(f"no landing page has more than {limits.landing_clicks} clicks")
    if not less_than(landings, clicks, limits.landing_share, limits):
        return []
    share = landings / clicks
    spend = sum((each.spend for each in sums), start=Decimal(0))
    most = max(ads, key=lambda ad: (books.reports.ads[ad.id].clicks, ad.id))
    return [
        Finding(
            check="MAT-06",
            severity=Severity.HIGH,
            subject=Subject("ad", most.id, most.name),
            says=f"Of {clicks} clicks on {named(ad.name for ad in ads)}, {landings} "
            f"({as_percent(share)}) became a view of {page}.",
            expected=percent("landing page views by clicks", limits.landing_share),
            found=percent("landing page views by clicks", share),
            do=f"Open {page} from TikTok's in-app browser: look for a redirect that drops the "
            "query (and ttclid with it), a slow page, and a pixel that loads only after consent.",
            certainty=Certainty.LIKELY,
            source="Marketing API v1.3, reports: total_landing_page_view, clicks",
            since=books.period.first,
            at_stake=spend,
            details=[Figure("ads with this landing page", len(ads), "ads")],
            concerns=about(adgroup={ad.adgroup_id for ad in ads}, pixel=_codes(books, ads)),
        )
    ]
