"""REC and GOV: what TikTok claims, against what happened."""

from __future__ import annotations

from collections.abc import Iterator

from relay.sandbox.ads.market import Market
from relay.sandbox.ads.model import Change
from relay.sandbox.ads.scenarios.scenario import Between, Plant, Planting, Scenario, first_group
from relay.sandbox.ads.zone import DAY_S

_DROP_DAY = 31


def scenarios() -> Iterator[Scenario]:
    yield from _of_counts()
    yield from _of_shares()
    yield from _of_time()
    yield from _of_spend()
    yield _of_changes()


def _of_counts() -> Iterator[Scenario]:
    yield Scenario(
        "REC-01",
        "critical",
        Planting(
            "the relay is given 40 % of orders, and the browser reports most: TikTok claims more",
            quirks={"missing_share": 0.6},
            expected={"Crt/Rd": Between(1.08, 1.4)},
        ),
        Planting(
            "the relay is given 90 % of orders",
            quirks={"missing_share": 0.1},
            expected={"Crt/Rd": Between(0.5, 0.7)},
        ),
        frozenset({"REC-03", "VAL-03", "DUP-02"}),
    )
    yield Scenario(
        "REC-03",
        "medium",
        Planting(
            "TikTok credits 40 % of what it should: by its count a buyer costs twice as much",
            quirks={"credited_share": 0.4},
            expected={"Rclk/C": Between(2.02, 2.5)},
        ),
        Planting(
            "TikTok credits two thirds of what it should",
            quirks={"credited_share": 0.66},
            expected={"Rclk/C": Between(1.15, 1.6)},
        ),
        frozenset({"REC-01", "VAL-03", "BUD-02"}),
    )


def _of_shares() -> Iterator[Scenario]:
    yield Scenario(
        "REC-02",
        "medium",
        Planting(
            "most conversions follow a view",
            plan={"click_share": 0.22, "view_share": 0.45},
            expected={"views/C": Between(0.52, 0.7)},
        ),
        Planting(
            "less than half of conversions follow a view",
            plan={"click_share": 0.33, "view_share": 0.3},
            expected={"views/C": Between(0.33, 0.47)},
        ),
        frozenset({"REC-03", "VAL-03"}),
    )
    yield Scenario(
        "REC-04",
        "info",
        Planting(
            "TikTok models a fifth of conversions",
            plan={"modelled_share": 0.35},
            expected={"modelled/C": Between(0.13, 0.27)},
        ),
        Planting(
            "TikTok models one conversion in twenty",
            plan={"modelled_share": 0.08},
            expected={"modelled/C": Between(0.02, 0.09)},
        ),
    )


def _of_time() -> Iterator[Scenario]:
    yield Scenario(
        "REC-05",
        "critical",
        Planting(
            "three quarters of the shop's people stay away from one day on, spend goes on",
            orders=150.0,
            days=40,
            quirks={"drop_from_day": _DROP_DAY, "drop_share": 0.75},
            expected={"Rd left": Between(0.2, 0.3)},
        ),
        Planting(
            "a quarter of the shop's people stay away from one day on",
            orders=150.0,
            days=40,
            quirks={"drop_from_day": _DROP_DAY, "drop_share": 0.25},
            expected={"Rd left": Between(0.69, 0.82)},
        ),
        frozenset({"BUD-02", "REC-03"}),
    )
    yield Scenario(
        "REC-06",
        "medium",
        Planting(
            "reports follow a zone whose sign is the other way round",
            orders=150.0,
            plan={"timezone": "Etc/GMT-4", "display_timezone": "Asia/Dubai"},
            quirks={"reports_zone": "Etc/GMT+4"},
            expected={"lag h": Between(-8, -8)},
        ),
        Planting(
            "reports follow the account's zone, which has no daylight saving while people have",
            orders=150.0,
            plan={"timezone": "Etc/GMT+8", "display_timezone": "America/Los_Angeles"},
            expected={"lag h": Between(0, 0)},
        ),
    )
    yield Scenario(
        "REC-07",
        "info",
        Planting(
            "the account is four days old: no day is mature",
            days=4,
            expected={"mature days": Between(0, 0)},
        ),
        Planting(
            "the account is thirty days old",
            expected={"mature days": Between(20, 23)},
        ),
    )


def _of_spend() -> Iterator[Scenario]:
    yield Scenario(
        "REC-08",
        "low",
        Planting(
            "spend of a day grows by 2 % on the fifth day after",
            quirks={"restated": 0.02},
            expected={"restated": Between(0.015, 0.025)},
        ),
        Planting(
            "spend of a day grows by half a percent on the fifth day after",
            quirks={"restated": 0.005},
            expected={"restated": Between(0.002, 0.008)},
        ),
    )
    yield Scenario(
        "REC-09",
        "medium",
        Planting(
            "2 % of the account's spend belongs to no campaign that reports show",
            quirks={"account_only_spend": 0.02},
            expected={"account/ads": Between(1.018, 1.022)},
        ),
        Planting(
            "0.3 % of the account's spend belongs to no campaign that reports show",
            quirks={"account_only_spend": 0.003},
            expected={"account/ads": Between(1.002, 1.004)},
        ),
    )


def _of_changes() -> Scenario:
    drop = {"drop_from_day": _DROP_DAY, "drop_share": 0.75}
    return Scenario(
        "GOV-01",
        "info",
        Planting(
            "half a day before the numbers fell somebody changed the targeting",
            orders=150.0,
            days=40,
            quirks=drop,
            account=[_changed(_DROP_DAY - 0.5)],
            expected={"Rd left": Between(0.2, 0.3)},
        ),
        Planting(
            "six days before the numbers fell somebody changed the targeting",
            orders=150.0,
            days=40,
            quirks=drop,
            account=[_changed(_DROP_DAY - 6)],
            expected={"Rd left": Between(0.2, 0.3)},
        ),
        frozenset({"REC-05", "BUD-02", "REC-03"}),
    )


def _changed(day: float) -> Plant:
    def plant(market: Market) -> None:
        group, at = first_group(market), market.plan.started_at + DAY_S * day
        group.modify_time = at
        market.account.changes.append(
            Change(
                group.advertiser_id,
                at,
                "TARGETING",
                "ADGROUP",
                group.adgroup_id,
                "age: 25-44 to 55+",
            )
        )

    return plant
