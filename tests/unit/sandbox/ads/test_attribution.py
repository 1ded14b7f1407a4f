"""Whose merit a conversion is: windows, precedence, counting, and the day it stands in."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from relay.sandbox.ads.life import LivingWorld
from relay.sandbox.ads.model import AdGroup, Row
from relay.sandbox.ads.person import Kind, Person, Touch
from relay.sandbox.ads.plan import WorldPlan
from relay.sandbox.ads.zone import DAY_S, HOUR_S, date_of

#: Nobody is there but whom a test puts there.
EMPTY = {"orders_per_day": 0.0, "browsers_per_day": 0.0, "modelled_share": 0.0}


class Stage:
    """A world without people, and what happens on it. Times are seconds since its first day."""

    def __init__(self, **options: Any) -> None:
        self.plan = WorldPlan(**{**EMPTY, "adgroups": 2, **options})
        self.world = LivingWorld(self.plan)
        self.market = self.world.markets[self.plan.advertiser_id]
        self.groups = list(self.market.account.adgroups.values())
        self.now = 0.0

    def ad(self, group: int = 0) -> str:
        wanted = self.groups[group].adgroup_id
        return [ad.ad_id for ad in self.market.account.ads.values() if ad.adgroup_id == wanted][-1]

    def meets(self, *touches: tuple[float, Kind, int], mail: str = "ada@mail.example") -> None:
        """Somebody whom TikTok knows by e-mail meets ads of these ad groups."""
        found = [
            Touch(
                self.plan.started_at + at,
                kind,
                self.ad(group),
                f"click-{at}" if kind is Kind.CLICK else None,
            )
            for at, kind, group in touches
        ]
        person = Person(
            number=hash(mail), touches=found, steps=(), email=mail, phone=None, external_id="c1",
            ttp="ttp-1", ip="91.20.0.1", user_agent="x", knows_contact=True, has_click_id=True,
            has_address=True, blocks=False, denies=False, matchable=True, roll=0.5,
        )  # fmt: skip
        self.market._attribution.meet([person])

    def sends(self, at: float, *, arrives: float | None = None, **event: Any) -> None:
        """The relay delivers a purchase."""
        self.now = self.plan.started_at + (at if arrives is None else arrives)
        wire = {
            "event": "Purchase",
            "event_time": int(self.plan.started_at + at),
            "event_id": f"order-{at}",
            "user": {"email": sha256(b"ada@mail.example").hexdigest()},
            "properties": {"value": 40.0, "currency": "EUR"},
            **event,
        }
        self.world.receive("web", self.market.pixel_code, [wire], self.now)

    def rows(self, level: str = "AUCTION_ADGROUP", by: str | None = None) -> list[Row]:
        first = date_of(self.market.first_day)
        last = date_of(self.market.first_day + 60)
        now = self.plan.started_at + 70 * DAY_S
        found = self.world.rows(self.plan.advertiser_id, level, first, last, by=by, now=now)
        return [row for row in found if row.metrics["conversion"] or row.metrics["result"]]

    def credited(self) -> dict[str, int]:
        """Conversions by what led to them, over all ad groups."""
        names = ("conversion", "cta_conversion", "engaged_view_through_conversions",
                 "vta_conversion")  # fmt: skip
        return {name: sum(int(row.metrics[name]) for row in self.rows()) for name in names}

    def total(self) -> int:
        return self.credited()["conversion"]


def change(group: AdGroup, **values: object) -> None:
    for name, value in values.items():
        setattr(group, name, value)


@pytest.mark.parametrize(
    ("kind", "field", "window", "days"),
    [
        (Kind.CLICK, "click_attribution_window", "ONE_DAY", 1),
        (Kind.CLICK, "click_attribution_window", "SEVEN_DAYS", 7),
        (Kind.CLICK, "click_attribution_window", "FOURTEEN_DAYS", 14),
        (Kind.CLICK, "click_attribution_window", "TWENTY_EIGHT_DAYS", 28),
        (Kind.CLICK, "click_attribution_window", "THIRTY_DAYS", 30),
        (Kind.CLICK, "click_attribution_window", "THIRTY_TWO_DAYS", 32),
        (Kind.ENGAGED, "engaged_view_attribution_window", "ONE_DAY", 1),
        (Kind.ENGAGED, "engaged_view_attribution_window", "SEVEN_DAYS", 7),
        (Kind.VIEW, "view_attribution_window", "ONE_DAY", 1),
        (Kind.VIEW, "view_attribution_window", "SEVEN_DAYS", 7),
    ],
)
def test_a_conversion_counts_until_the_window_ends(
    kind: Kind, field: str, window: str, days: int
) -> None:
    stage = Stage()
    for group in stage.groups:
        change(group, **{field: window})
    stage.meets((HOUR_S, kind, 0))

    stage.sends(HOUR_S + days * DAY_S, event_id="in time")
    stage.sends(HOUR_S + days * DAY_S + 1, event_id="too late")

    assert stage.total() == 1


@pytest.mark.parametrize("kind", [Kind.CLICK, Kind.VIEW])
def test_a_window_that_is_off_counts_nothing(kind: Kind) -> None:
    stage = Stage()
    for group in stage.groups:
        change(group, click_attribution_window="OFF", view_attribution_window="OFF")
    stage.meets((HOUR_S, kind, 0))

    stage.sends(2 * HOUR_S)

    assert stage.total() == 0


def test_what_happened_before_the_click_is_not_its_merit() -> None:
    stage = Stage()
    stage.meets((2 * HOUR_S, Kind.CLICK, 0))

    stage.sends(HOUR_S)

    assert stage.total() == 0


@pytest.mark.parametrize(
    ("touches", "winner", "split"),
    [
        ([(100.0, Kind.CLICK, 0), (200.0, Kind.CLICK, 1)], 1, "cta_conversion"),
        ([(200.0, Kind.CLICK, 0), (100.0, Kind.CLICK, 1)], 0, "cta_conversion"),
        ([(100.0, Kind.CLICK, 0), (200.0, Kind.ENGAGED, 1)], 0, "cta_conversion"),
        ([(100.0, Kind.CLICK, 0), (200.0, Kind.VIEW, 1)], 0, "cta_conversion"),
        ([(100.0, Kind.ENGAGED, 0), (200.0, Kind.VIEW, 1)], 0, "engaged_view_through_conversions"),
        ([(100.0, Kind.VIEW, 0), (200.0, Kind.VIEW, 1)], 1, "vta_conversion"),
    ],
)
def test_the_last_click_wins_then_the_last_engaged_view_then_the_last_view(
    touches: list[tuple[float, Kind, int]], winner: int, split: str
) -> None:
    stage = Stage()
    stage.meets(*touches)

    stage.sends(HOUR_S)

    (row,) = stage.rows()
    assert row.id == stage.groups[winner].adgroup_id
    assert row.metrics[split] == 1
    assert sum(count for name, count in stage.credited().items() if name != "conversion") == 1


def test_a_click_outside_its_window_leaves_the_merit_to_a_view() -> None:
    stage = Stage()
    change(stage.groups[0], click_attribution_window="ONE_DAY")
    stage.meets((0.0, Kind.CLICK, 0), (2 * DAY_S, Kind.VIEW, 1))

    stage.sends(2 * DAY_S + HOUR_S)

    assert stage.credited()["vta_conversion"] == 1


@pytest.mark.parametrize(
    ("user", "page", "found"),
    [
        ({"ttclid": "click-100.0"}, None, True),
        ({}, {"url": "https://shop.example/thanks?a=1&ttclid=click-100.0"}, True),
        ({"email": sha256(b"ada@mail.example").hexdigest()}, None, True),
        ({"email": ["0" * 64, sha256(b"ada@mail.example").hexdigest()]}, None, True),
        ({"external_id": sha256(b"c1").hexdigest()}, None, True),
        ({"ttp": "ttp-1"}, None, True),
        ({"email": sha256(b"grace@mail.example").hexdigest()}, None, False),
        ({"ttclid": "click-of-nobody"}, None, False),
        ({}, {"url": "https://shop.example/thanks"}, False),
    ],
)
def test_a_person_is_known_by_the_click_or_by_any_key(
    user: dict[str, Any], page: dict[str, str] | None, found: bool
) -> None:
    stage = Stage()
    stage.meets((100.0, Kind.CLICK, 0))

    stage.sends(HOUR_S, user=user, page=page)

    assert stage.total() == found


def test_an_ad_group_counts_events_of_its_own_pixel_only() -> None:
    stage = Stage()
    other = list(stage.market.account.pixels)[1]
    change(stage.groups[0], pixel_id=other)
    stage.meets((100.0, Kind.CLICK, 0))

    stage.sends(HOUR_S)

    assert stage.total() == 0


@pytest.mark.parametrize(("counting", "counted"), [("EVERY", 2), ("ONCE", 1)])
def test_every_purchase_of_a_person_counts_or_the_first(counting: str, counted: int) -> None:
    stage = Stage()
    change(stage.groups[0], attribution_event_count=counting)
    stage.meets((100.0, Kind.CLICK, 0))

    stage.sends(HOUR_S)
    stage.sends(2 * HOUR_S)

    assert stage.total() == counted


def test_a_conversion_counts_on_the_day_of_the_click_and_in_real_time_on_its_own() -> None:
    stage = Stage()
    stage.meets((12 * HOUR_S, Kind.CLICK, 0))

    stage.sends(3 * DAY_S)

    first, fourth = stage.rows(by="stat_time_day")[0], stage.rows("AUCTION_AD", "stat_time_day")
    assert (first.at, first.metrics["conversion"]) == ("2026-09-01 00:00:00", 1)
    assert first.metrics["real_time_conversion"] == 0
    assert len(fourth) == 1
    real_time = [
        row.at
        for row in stage.world.rows(
            stage.plan.advertiser_id, "AUCTION_AD", date_of(stage.market.first_day),
            date_of(stage.market.first_day + 9), by="stat_time_day",
            now=stage.plan.started_at + 70 * DAY_S,
        )
        if row.metrics["real_time_conversion"]
    ]  # fmt: skip
    assert real_time == ["2026-09-04 00:00:00"]


def test_a_value_is_converted_to_the_currency_of_the_account() -> None:
    stage = Stage(currency="EUR", rates={"USD": Decimal("0.9")})
    stage.meets((100.0, Kind.CLICK, 0))

    stage.sends(HOUR_S, properties={"value": 49.99, "currency": "USD"})
    stage.sends(2 * HOUR_S, properties={"value": 10, "currency": "XXX"})

    (row,) = stage.rows()
    assert row.metrics["complete_payment"] == 2
    assert row.metrics["total_complete_payment_rate"] == Decimal("44.99")


def test_yen_have_no_decimals() -> None:
    stage = Stage(currency="JPY")
    stage.meets((100.0, Kind.CLICK, 0))

    stage.sends(HOUR_S, properties={"value": 6400, "currency": "JPY"})

    (row,) = stage.rows()
    assert str(row.metrics["total_complete_payment_rate"]) == "6400"


def test_an_event_that_no_ad_group_optimises_for_is_counted_but_is_no_conversion() -> None:
    stage = Stage()
    stage.meets((100.0, Kind.CLICK, 0))

    stage.sends(HOUR_S, event="AddToCart")

    rows = stage.world.rows(
        stage.plan.advertiser_id, "AUCTION_ADVERTISER", date_of(stage.market.first_day),
        date_of(stage.market.first_day), by=None, now=stage.plan.started_at + 9 * DAY_S,
    )  # fmt: skip
    (row,) = rows
    assert (row.metrics["web_event_add_to_cart"], row.metrics["conversion"]) == (1, 0)


# --- repeats --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later_s", "counted"), [(1, 1), (299, 1), (48 * HOUR_S - 1, 1), (48 * HOUR_S, 2)]
)
def test_a_repeat_counts_again_after_48_hours(later_s: int, counted: int) -> None:
    stage = Stage()
    stage.meets((100.0, Kind.CLICK, 0))

    stage.sends(HOUR_S, event_id="one")
    stage.sends(HOUR_S, event_id="one", arrives=HOUR_S + later_s)

    assert stage.total() == counted
    assert server_count(stage) == counted


def server_count(stage: Stage) -> int:
    first, last = date_of(stage.market.first_day - 1), date_of(stage.market.first_day + 30)
    pixel = next(iter(stage.market.account.pixels))
    found = stage.world.statistics(pixel, first, last, stage.plan.started_at + 70 * DAY_S)
    return sum(each.server_event_total_count for each in found)


def test_what_a_repeat_knows_of_the_person_is_added_within_five_minutes() -> None:
    nobody = {"external_id": "0" * 64}
    for later_s, credited in ((200, 1), (400, 0)):
        stage = Stage()
        stage.meets((100.0, Kind.CLICK, 0))

        stage.sends(HOUR_S, event_id="one", user=nobody)
        stage.sends(HOUR_S, event_id="one", arrives=HOUR_S + later_s)

        assert stage.total() == credited


def test_events_without_an_id_are_known_by_the_cookie_or_by_nothing() -> None:
    stage = Stage()
    stage.meets((100.0, Kind.CLICK, 0))

    for user in ({"ttp": "ttp-1"}, {"ttp": "ttp-1"}, {"ttclid": "click-100.0"}):
        stage.sends(HOUR_S, event_id=None, user=user)

    assert stage.total() == 2


def test_other_sources_and_other_pixels_do_not_enter() -> None:
    stage = Stage()
    event = {"event": "Purchase", "event_time": int(stage.plan.started_at + 60), "event_id": "1"}

    stage.world.receive("offline", "7300000000000000009", [event], stage.plan.started_at + 60)
    stage.world.receive("web", "CUNKNOWN", [event], stage.plan.started_at + 60)

    assert server_count(stage) == 0
