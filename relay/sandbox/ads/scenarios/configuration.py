"""CFG: how the account is set up."""

from __future__ import annotations

from collections.abc import Iterator

from relay.sandbox.ads.market import Market
from relay.sandbox.ads.model import CustomConversion, Suggestion
from relay.sandbox.ads.scenarios.scenario import (
    Between,
    Plant,
    Planting,
    Scenario,
    adgroups,
    another_adgroup,
    first_group,
    old_pixel,
    pixels,
)
from relay.sandbox.ads.zone import DAY_S

_NO_CREDIT = frozenset({"DEL-01", "DEL-02", "BUD-02", "REC-01", "REC-03", "VAL-03"})
_SLOW = {"latency_median_s": 6 * 3600.0, "latency_sigma": 1.6}
_FEATURES_OFF = pixels(
    advanced_matching_fields={"email": False, "phone_number": False},
    automatic_advanced_matching_fields={"email": False, "phone_number": False},
    enable_first_party_cookies=False,
)


def scenarios() -> Iterator[Scenario]:
    yield from _of_events()
    yield from _of_pixels()
    yield from _of_windows()
    yield from _of_advice()


def _of_events() -> Iterator[Scenario]:
    yield Scenario(
        "CFG-01",
        "critical",
        Planting(
            "an ad group optimises for registrations, which nobody reports",
            account=[adgroups(0, optimization_event="ON_WEB_REGISTER")],
            expected={"adgroup.optimization_event": "ON_WEB_REGISTER", "adgroup.C": Between(0, 0)},
        ),
        Planting(
            "an ad group optimises for views of products, which the browser reports alone",
            account=[adgroups(0, optimization_event="ON_WEB_DETAIL")],
            expected={
                "adgroup.optimization_event": "ON_WEB_DETAIL",
                "adgroup.C": Between(200, 1e5),
            },
        ),
        _NO_CREDIT,
    )
    yield Scenario(
        "CFG-05",
        "medium",
        Planting(
            "an ad group optimises for an event that its pixel marks as deprecated",
            account=[
                adgroups(0, optimization_event="INITIATE_ORDER"),
                _deprecate("INITIATE_ORDER"),
            ],
            expected={"adgroup.optimization_event": "INITIATE_ORDER"},
        ),
        Planting(
            "an ad group that was deleted optimised for the deprecated click on a button",
            account=[another_adgroup("DELETE", optimization_event="BUTTON")],
            expected={"adgroup.optimization_event": "SHOPPING"},
        ),
    )


def _of_pixels() -> Iterator[Scenario]:
    yield Scenario(
        "CFG-02",
        "critical",
        Planting(
            "an ad group uses a pixel that the relay does not feed",
            account=[old_pixel(lambda pixel_id: adgroups(0, pixel_id=pixel_id))],
            expected={"adgroup.C": Between(0, 0)},
        ),
        Planting(
            "an ad group that is paused uses a pixel that the relay does not feed",
            account=[old_pixel(lambda pixel_id: another_adgroup("DISABLE", pixel_id=pixel_id))],
            expected={"adgroup.C": Between(100, 1e5)},
        ),
        _NO_CREDIT,
    )
    yield Scenario(
        "CFG-03",
        "critical",
        Planting(
            "an ad group for conversions on a website has no pixel",
            account=[adgroups(0, pixel_id=None)],
            expected={"adgroup.pixel_id": None, "adgroup.C": Between(0, 0)},
        ),
        Planting(
            "an ad group for clicks has no pixel",
            account=[
                adgroups(0, pixel_id=None, optimization_goal="CLICK", optimization_event=None)
            ],
            expected={"adgroup.pixel_id": None, "adgroup.optimization_goal": "CLICK"},
        ),
        _NO_CREDIT | {"MAT-06"},
    )
    yield Scenario(
        "CFG-04",
        "critical",
        Planting(
            "the pixel is in the Business Centre, and no longer linked to the account",
            account=[
                adgroups(0, secondary_status="ADGROUP_STATUS_PIXEL_UNBIND"),
                pixels(asset_relation_status="UNBOUND", linked_advertisers=set()),
            ],
            expected={"adgroup.secondary_status": "ADGROUP_STATUS_PIXEL_UNBIND"},
        ),
        Planting(
            "the pixel belongs to another Business Centre that shares and links it",
            account=[pixels(asset_relation_status="SHARED")],
            expected={"adgroup.secondary_status": "ADGROUP_STATUS_DELIVERY_OK"},
        ),
        frozenset({"BUD-03"}),
    )
    yield Scenario(
        "CFG-12",
        "low",
        Planting(
            "advanced matching and cookies are off, and the shop sends no e-mail and no phone",
            quirks={"without_contact": True},
            account=[_FEATURES_OFF],
            expected={"email/Rd": Between(0, 0), "phone/Rd": Between(0, 0)},
        ),
        Planting(
            "advanced matching and cookies are off, and the shop sends e-mail and phone",
            account=[_FEATURES_OFF],
            expected={"email/Rd": Between(0.4, 1), "phone/Rd": Between(0.2, 1)},
        ),
        frozenset({"MAT-02"}),
    )


def _of_windows() -> Iterator[Scenario]:
    one_day = adgroups(click_attribution_window="ONE_DAY")
    yield Scenario(
        "CFG-06",
        "medium",
        Planting(
            "one of two ad groups counts one day after a click, the other seven",
            account=[adgroups(0, click_attribution_window="ONE_DAY")],
            expected={"adgroup.click_attribution_window": "ONE_DAY"},
        ),
        Planting(
            "an ad group that is paused counts otherwise than the others",
            account=[another_adgroup("DISABLE", click_attribution_window="ONE_DAY")],
            expected={"adgroup.click_attribution_window": "SEVEN_DAYS"},
        ),
    )
    yield Scenario(
        "CFG-07",
        "high",
        Planting(
            "one buyer in five takes longer than the day that counts after a click",
            plan=_SLOW,
            account=[one_day],
            expected={"latency p90 h": Between(36, 60), "late buyers": Between(0.15, 0.25)},
        ),
        Planting(
            "the same buyers, with seven days after a click",
            plan=_SLOW,
            expected={"latency p90 h": Between(36, 60), "late buyers": Between(0, 0.05)},
        ),
        frozenset({"MAT-05"}),
    )
    yield Scenario(
        "CFG-08",
        "high",
        Planting(
            "a view counts for seven days, a click for one",
            account=[one_day, adgroups(view_attribution_window="SEVEN_DAYS")],
            expected={"adgroup.view_attribution_window": "SEVEN_DAYS"},
        ),
        Planting(
            "a view counts for one day, and so does a click",
            account=[one_day],
            expected={"adgroup.view_attribution_window": "ONE_DAY"},
        ),
    )
    once = adgroups(attribution_event_count="ONCE")
    yield Scenario(
        "CFG-09",
        "medium",
        Planting(
            "of what a buyer buys the first counts, and one in eight buys twice",
            plan={"repeat_share": 0.13},
            account=[once],
            expected={"repeat buyers": Between(0.09, 0.16)},
        ),
        Planting(
            "of what a buyer buys the first counts, and hardly anybody buys twice",
            account=[once],
            expected={"repeat buyers": Between(0, 0.04)},
        ),
    )


def _of_advice() -> Iterator[Scenario]:
    yield Scenario(
        "CFG-10",
        "high",
        Planting(
            "an ad group uses a custom conversion without recent activity",
            account=[_asleep, _uses_custom_conversion],
        ),
        Planting(
            "a custom conversion without recent activity that no ad group uses",
            account=[_asleep],
        ),
    )
    yield Scenario(
        "CFG-11",
        "high",
        Planting(
            "TikTok's diagnosis says that the pixel was silent for seven days",
            account=[_suggest("EVENT_TRACK", "PIXEL")],
        ),
        Planting(
            "TikTok's diagnosis suggests another budget",
            account=[_suggest("BID_AND_BUDGET", "SUGGEST_BUDGET")],
        ),
    )


def _deprecate(code: str) -> Plant:
    def plant(market: Market) -> None:
        for pixel in market.account.pixels.values():
            for event in pixel.events:
                event.deprecated = event.deprecated or event.optimization_event == code

    return plant


def _custom_conversion(market: Market) -> CustomConversion:
    return next(iter(market.account.custom_conversions.values()))


def _asleep(market: Market) -> None:
    _custom_conversion(market).active_status = "NO_RECENT_ACTIVITY"


def _uses_custom_conversion(market: Market) -> None:
    first_group(market).custom_conversion_id = _custom_conversion(market).custom_conversion_id


def _suggest(category: str, issue: str) -> Plant:
    def plant(market: Market) -> None:
        pixel = next(iter(market.account.pixels.values()))
        market.account.suggestions.append(
            Suggestion(
                first_group(market).adgroup_id,
                category,
                issue,
                pixel.pixel_id,
                pixel.pixel_code,
                at=market.plan.started_at + 29 * DAY_S,
            )
        )

    return plant
