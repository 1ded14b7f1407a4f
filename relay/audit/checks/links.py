"""CFG: may the ad groups use what they point to, and does it live? Pixel links, custom conversions,
TikTok's own diagnosis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from relay.audit.books import Books
from relay.audit.books.lines import about, feeding
from relay.audit.checks.check import Result, named, survey, text
from relay.audit.facts import AdGroup, Advice, CustomConversion, Pixel
from relay.audit.findings import Certainty, Finding, Severity, Subject

if TYPE_CHECKING:
    from relay.config.audit import Thresholds


def pixel_unbound(books: Books, _: Thresholds) -> Result:
    """*_PIXEL_UNBIND of an ad group or ad that is switched on; a pixel in use whose relation is
    UNBOUND, or that the account is not linked to."""
    using: defaultdict[str, list[AdGroup]] = defaultdict(list)
    for each in books.facts.adgroups:
        if each.pixel_id and each.operation_status == "ENABLE":
            using[each.pixel_id].append(each)
    found = [
        finding
        for pixel in books.facts.pixels
        if using.get(pixel.id) or feeding(pixel.code, books.facts.targets)
        for finding in _unlinked(books, pixel, using.get(pixel.id, []))
    ]
    told = {concern for each in found for concern in each.concerns}
    return found + [each for each in _unbound(books) if not each.concerns & told]


def _unlinked(books: Books, pixel: Pixel, adgroups: Sequence[AdGroup]) -> Iterator[Finding]:
    if pixel.relation_status == "UNBOUND":
        state = "asset_relation_status is UNBOUND"
    elif pixel.linked is False:
        state = "the ad account is not among those linked to it"
    else:
        return
    yield Finding(
        check="CFG-04",
        severity=Severity.CRITICAL,
        subject=Subject("pixel", pixel.code, pixel.name),
        says=f"Pixel {pixel.code} cannot be used by this account: {state}; {len(adgroups)} ad "
        "groups that are switched on use it.",
        expected=text("pixel", "linked to the ad account"),
        found=text("pixel", state),
        do=f"Link pixel {pixel.code} to ad account {books.facts.advertiser.id} in the Business "
        "Center (shared with the Business Center is not linked to the account).",
        certainty=Certainty.CERTAIN,
        source="Marketing API v1.3, /pixel/list/: asset_ownership; /bc/pixel/link/get/",
        since=books.spending_since(adgroups),
        at_stake=books.spend(adgroups),
        concerns=about(
            pixel=(pixel.code,),
            adgroup=(each.id for each in adgroups),
            destination=feeding(pixel.code, books.facts.targets),
        ),
    )


def _unbound(books: Books) -> Iterator[Finding]:
    """Ad groups, and ads whose ad group says nothing of it."""
    told = set()
    for each in books.facts.adgroups:
        if each.operation_status == "ENABLE" and _says_unbound(each.secondary_status):
            told.add(each.id)
            subject = Subject("adgroup", each.id, each.name)
            yield _unbinding(books, subject, str(each.secondary_status), each.id)
    for ad in books.facts.ads:
        if ad.adgroup_id in told or ad.operation_status != "ENABLE":
            continue
        # TikTok writes AD_STAUS_PIXEL_UNBIND.
        if _says_unbound(ad.secondary_status):
            subject = Subject("ad", ad.id, ad.name)
            yield _unbinding(books, subject, str(ad.secondary_status), ad.adgroup_id)


def _says_unbound(status: str | None) -> bool:
    return status is not None and status.endswith("_PIXEL_UNBIND")


def _unbinding(books: Books, subject: Subject, status: str, adgroup_id: str) -> Finding:
    adgroup = books.adgroups.get(adgroup_id)
    pixel = books.pixels.get(adgroup.pixel_id or "") if adgroup is not None else None
    concerned = [] if adgroup is None else [adgroup]
    return Finding(
        check="CFG-04",
        severity=Severity.CRITICAL,
        subject=subject,
        says=f'"{subject.name}" does not deliver: its status is {status}.',
        expected=text("status", "delivering"),
        found=text("status", status),
        do=f'Link the pixel of "{subject.name}" ({subject.id}) to ad account '
        f"{books.facts.advertiser.id} in the Business Center.",
        certainty=Certainty.CERTAIN,
        source="Marketing API v1.3, secondary_status",
        since=books.spending_since(concerned),
        at_stake=books.spend(concerned),
        concerns=about(adgroup=(adgroup_id,), pixel=() if pixel is None else (pixel.code,)),
    )


_ASLEEP = {
    "WAITING_FOR_ACTIVITY": "has seen no event in 90 days",
    "NO_RECENT_ACTIVITY": "has seen no event in 7 days",
}


def conversion_asleep(books: Books, _: Thresholds) -> Result:
    """active_status ∈ {WAITING_FOR_ACTIVITY, NO_RECENT_ACTIVITY} of one that active ad groups
    use."""
    using: defaultdict[str, list[AdGroup]] = defaultdict(list)
    for each in books.active:
        if each.custom_conversion_id:
            using[each.custom_conversion_id].append(each)
    return survey(
        [each for each in books.facts.custom_conversions if using.get(each.id)],
        lambda each: _asleep(books, each, using[each.id]),
        nothing="no active ad group optimises for a custom conversion that is known",
    )


def _asleep(books: Books, conversion: CustomConversion, adgroups: Sequence[AdGroup]) -> Result:
    how = _ASLEEP.get(conversion.active_status)
    if how is None:
        return []
    return [
        Finding(
            check="CFG-10",
            severity=Severity.HIGH,
            subject=Subject("custom_conversion", conversion.id, conversion.name),
            says=f'Custom conversion "{conversion.name}" {how}, and '
            f"{named(each.name for each in adgroups)} optimise for it.",
            expected=text("active_status", "ACTIVE"),
            found=text("active_status", conversion.active_status),
            do=f'Correct the rules of "{conversion.name}" (address, value, content_id) so that '
            "events match them, or choose a standard event in these ad groups.",
            certainty=Certainty.CERTAIN,
            source="Marketing API v1.3, /custom_conversion/list/: active_status",
            since=books.spending_since(adgroups),
            at_stake=books.spend(adgroups),
            concerns=about(adgroup=(each.id for each in adgroups)),
        )
    ]


def diagnosis(books: Books, _: Thresholds) -> Result:
    """TikTok's EVENT_TRACK diagnosis of an ad group says PIXEL: silent for 7 days."""
    groups: defaultdict[str, list[Advice]] = defaultdict(list)
    for each in books.facts.advice:
        if each.category.upper() == "EVENT_TRACK" and each.issue.upper() == "PIXEL":
            groups[each.pixel_code or _code_of(books, each)].append(each)
    return [_silent(books, code, advice) for code, advice in sorted(groups.items())]


def _code_of(books: Books, advice: Advice) -> str:
    adgroup = books.adgroups.get(advice.adgroup_id)
    pixel = books.pixels.get(adgroup.pixel_id or "") if adgroup is not None else None
    return "" if pixel is None else pixel.code


def _silent(books: Books, code: str, advice: Sequence[Advice]) -> Finding:
    ids = sorted({each.adgroup_id for each in advice})
    adgroups = [books.adgroups[each] for each in ids if each in books.adgroups]
    names = named([each.name for each in adgroups] or ids)
    return Finding(
        check="CFG-11",
        severity=Severity.HIGH,
        subject=Subject("pixel", code or "unknown", f"pixel {code or 'of these ad groups'}"),
        says=f"TikTok says that pixel {code or '(not named)'} was silent for 7 days; {names} "
        "depend on it.",
        expected=text("activity in 7 days", "some"),
        found=text("activity in 7 days", "none"),
        do=f"See that the relay's destination of pixel {code} delivers, and that {names} use the "
        "pixel that the shop sends to.",
        certainty=Certainty.CERTAIN,
        source="Marketing API v1.3, /tool/diagnosis/get/: event_track PIXEL",
        since=books.spending_since(adgroups),
        at_stake=books.spend(adgroups),
        concerns=about(pixel=(code,) if code else (), adgroup=ids),
    )
