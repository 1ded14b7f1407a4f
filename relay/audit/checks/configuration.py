"""CFG: is the ad account set up for the events that the relay sends? Pixels and events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from relay.audit.books import Books
from relay.audit.books.calendar import Span, days_of, moved
from relay.audit.books.deliveries import code_of
from relay.audit.books.lines import CONVERSION_GOALS, about, feeding, is_delivering
from relay.audit.checks.check import Inapplicable, Result, events, named, survey, text
from relay.audit.facts import AdGroup, Pixel, PixelEvent
from relay.audit.findings import Certainty, Figure, Finding, Severity, Subject
from relay.audit.guard import too_few
from relay.event_names import BY_OPTIMIZATION_EVENT

if TYPE_CHECKING:
    from relay.config.audit import Thresholds

_ADGROUPS = "Marketing API v1.3, ad group fields"


def event_not_sent(books: Books, limits: Thresholds) -> Result:
    """An event that delivering ad groups optimise for ∉ (relay's ∪ pixel's with Tot > 0), 7
    days."""
    groups: defaultdict[tuple[str, str], list[AdGroup]] = defaultdict(list)
    for each in books.active:
        if each.pixel_id and not each.custom_conversion_id and is_delivering(each):
            for event in {each.optimization_event, each.deep_event} - {None, ""}:
                groups[each.pixel_id, str(event)].append(each)
    last = books.today
    days = Span(moved(last, 1 - days_of(limits.event_seen_within)), last)
    return survey(
        sorted(groups.items(), key=lambda item: item[0]),
        lambda item: _unsent(books, item[0], item[1], days),
        nothing="no delivering ad group optimises for an event of a pixel",
    )


def _unsent(books: Books, pair: tuple[str, str], adgroups: Sequence[AdGroup], days: Span) -> Result:
    pixel, event = books.pixels.get(pair[0]), pair[1]
    code = pair[0] if pixel is None else pixel.code
    targets = feeding(code, books.facts.targets)
    # A deep event may come from an offline or CRM set: any destination of the account counts.
    if any(each.deep_event == event for each in adgroups):
        targets = sorted(books.destinations)
    sent = books.deliveries.of(targets, event, days).live
    counted = books.event_counts.get((code, event), {})
    if sent or any(each.total for day, each in counted.items() if day in days):
        return []
    known = BY_OPTIMIZATION_EVENT.get(event)
    name = event if known is None else known.event or known.legacy or event
    return [
        Finding(
            check="CFG-01",
            severity=Severity.CRITICAL,
            subject=Subject("event", f"{code}/{event}", f"{event} of pixel {code}"),
            says=f"{named(each.name for each in adgroups)} optimise for {event} ({name}), but in "
            f"{days.days} days the relay sent 0 of it to pixel {code} and TikTok counted 0.",
            expected=events(f"{name} sent or counted", 1),
            found=events(f"{name} sent or counted", 0),
            do=f"Let a source of the relay send `{name}` to the destination of pixel {code}, or "
            "choose another optimisation event in these ad groups.",
            certainty=Certainty.CERTAIN,
            source=f"{_ADGROUPS}: optimization_event; event statistics of the pixel",
            since=_spending(books, adgroups, days),
            at_stake=books.spend(adgroups, days),
            concerns=about(pixel=(code,), event=(event,), adgroup=(each.id for each in adgroups)),
        )
    ]


def _spending(books: Books, adgroups: Iterable[AdGroup], days: Span | None = None) -> date | None:
    first = books.spending_since(adgroups)
    return first if days is None or first is None else max(first, days.first)


def wrong_pixel(books: Books, _: Thresholds) -> Result:
    """The pixel code of active conversion ad groups ∉ event_source_id of the web destinations."""
    if not books.web_targets:
        return Inapplicable("no web destination of the relay belongs to this account")
    groups: defaultdict[str, list[AdGroup]] = defaultdict(list)
    for each in books.active:
        if each.pixel_id and each.optimization_goal in CONVERSION_GOALS:
            groups[each.pixel_id].append(each)
    return survey(
        sorted(groups.items()),
        lambda item: _unfed(books, item[0], item[1]),
        nothing="no active ad group optimises for conversions of a pixel",
    )


def _unfed(books: Books, pixel_id: str, adgroups: Sequence[AdGroup]) -> Result:
    pixel = books.pixels.get(pixel_id)
    code = None if pixel is None else pixel.code
    fed = sorted({each.event_source_id for each in books.web_targets})
    if code in fed:
        return []
    shown = code or f"with the id {pixel_id}"
    do = (
        f"Choose the pixel {' or '.join(fed)} in these ad groups, or add a destination with "
        f'event_source_id = "{code or "the code of that pixel"}" to the relay.'
    )
    if pixel_id in fed:
        do = (
            f"{pixel_id} is the pixel's numeric id: write its code, "
            f'event_source_id = "{code or "as Events Manager shows it"}", into the destination.'
        )
    return [
        Finding(
            check="CFG-02",
            severity=Severity.CRITICAL,
            subject=Subject("pixel", code or pixel_id, "" if pixel is None else pixel.name),
            says=f"{named(each.name for each in adgroups)} "
            f"{'optimises' if len(adgroups) == 1 else 'optimise'} for pixel {shown}, but the "
            f"relay feeds {', '.join(fed)}.",
            expected=text("pixels that the relay feeds", ", ".join(fed)),
            found=text("pixel of the ad groups", code or pixel_id),
            do=do,
            certainty=Certainty.CERTAIN,
            source=f"{_ADGROUPS}: pixel_id; /pixel/list/: pixel_code is the event_source_id",
            since=_spending(books, adgroups),
            at_stake=books.spend(adgroups),
            concerns=about(pixel=(code or pixel_id,), adgroup=(each.id for each in adgroups)),
        )
    ]


def no_pixel(books: Books, _: Thresholds) -> Result:
    """optimization_goal ∈ {CONVERT, VALUE}, promotion_type WEBSITE, pixel_id null; active."""
    concerned = [
        each
        for each in books.active
        if each.optimization_goal in CONVERSION_GOALS and each.promotion_type == "WEBSITE"
    ]
    return survey(
        concerned,
        lambda each: [] if each.pixel_id else [_pixelless(books, each)],
        nothing="no active ad group optimises for conversions of a website",
    )


def _pixelless(books: Books, adgroup: AdGroup) -> Finding:
    return Finding(
        check="CFG-03",
        severity=Severity.CRITICAL,
        subject=Subject("adgroup", adgroup.id, adgroup.name),
        says=f'"{adgroup.name}" optimises for {adgroup.optimization_goal} on a website without a '
        "pixel.",
        expected=text("pixel", "one that the relay feeds"),
        found=Figure("pixel", None),
        do=f'Set the pixel of ad group "{adgroup.name}" ({adgroup.id}), or pause it.',
        certainty=Certainty.CERTAIN,
        source=f"{_ADGROUPS}: optimization_goal, promotion_type, pixel_id",
        since=_spending(books, [adgroup]),
        at_stake=books.spend([adgroup]),
        concerns=about(adgroup=(adgroup.id,)),
    )


def deprecated_event(books: Books, _: Thresholds) -> Result:
    """optimization_event ∈ {ON_WEB_ORDER, BUTTON}, or the pixel says that it is deprecated."""
    groups: defaultdict[tuple[str, str], list[AdGroup]] = defaultdict(list)
    for each in books.active:
        if each.optimization_event:
            groups[each.pixel_id or "", each.optimization_event].append(each)
    return survey(
        sorted(groups.items(), key=lambda item: item[0]),
        lambda item: _deprecated(books, item[0][0], item[0][1], item[1]),
        nothing="no active ad group optimises for an event",
    )


def _deprecated(books: Books, pixel_id: str, event: str, adgroups: Sequence[AdGroup]) -> Result:
    known = BY_OPTIMIZATION_EVENT.get(event)
    pixel = books.pixels.get(pixel_id)
    of_pixel = [] if pixel is None else [each for each in pixel.events if _is(each, event)]
    if not (known is not None and known.deprecated) and not any(e.deprecated for e in of_pixel):
        return []
    code = pixel_id if pixel is None else pixel.code
    instead = {"ON_WEB_ORDER": "SHOPPING", "BUTTON": "FORM"}.get(event, "a standard event")
    return [
        Finding(
            check="CFG-05",
            severity=Severity.MEDIUM,
            subject=Subject("event", f"{code}/{event}", f"{event} of pixel {code}"),
            says=f"{named(each.name for each in adgroups)} optimise for {event}, which is "
            "deprecated.",
            expected=text("optimisation event", instead),
            found=text("optimisation event", event),
            do=f"Move {named(each.name for each in adgroups)} to {instead}.",
            certainty=Certainty.CERTAIN,
            source="Marketing API v1.3, optimisation events; /pixel/list/: events[].deprecated",
            since=_spending(books, adgroups),
            at_stake=books.spend(adgroups),
            concerns=about(pixel=(code,), event=(event,), adgroup=(each.id for each in adgroups)),
        )
    ]


def _is(pixel_event: PixelEvent, event: str) -> bool:
    return pixel_event.optimization_event == event or code_of(pixel_event.name) == event


def matching_features_off(books: Books, limits: Thresholds) -> Result:
    """Advanced matching or first-party cookies off, while the relay sends neither e-mail nor
    phone."""
    return survey(
        [each for each in books.facts.pixels if feeding(each.code, books.facts.targets)],
        lambda each: _featureless(books, each, limits),
        nothing="the relay feeds no pixel of this account",
    )


def _featureless(books: Books, pixel: Pixel, limits: Thresholds) -> Result:
    feeds = feeding(pixel.code, books.facts.targets)
    deliveries = books.deliveries
    sent = [
        deliveries.of(feeds, code, books.period)
        for code in sorted({code for name, code in deliveries.feeds if name in feeds})
    ]
    live = sum(each.live for each in sent)
    if too_few(live, limits):
        return Inapplicable(f"fewer than {limits.min_count} events went to pixel {pixel.code}")
    keyed = sum(each.keys["email"] + each.keys["phone"] for each in sent)
    off = sorted(key for key, on in pixel.advanced_matching.items() if not on)
    off += ["first-party cookies"] if pixel.first_party_cookies is False else []
    if keyed or not off:
        return []
    return [
        Finding(
            check="CFG-12",
            severity=Severity.LOW,
            subject=Subject("pixel", pixel.code, pixel.name),
            says=f"Pixel {pixel.code} has {', '.join(off)} switched off, and of {live} events of "
            "the relay 0 carry an e-mail address or a phone number.",
            expected=events("events with an e-mail address or a phone number", live),
            found=events("events with an e-mail address or a phone number", 0),
            do=f"Switch {', '.join(off)} on in the settings of pixel {pixel.code}, or let the "
            "shop send `user.email` and `user.phone`.",
            certainty=Certainty.CERTAIN,
            source="Marketing API v1.3, /pixel/list/: advanced_matching_fields",
            concerns=about(pixel=(pixel.code,), destination=feeds),
        )
    ]
