"""MAT and VAL: whom events name, and what they say they are worth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from relay.sandbox.ads.scenarios.scenario import Between, Planting, Scenario, adgroups

_CLAIMS: Final = frozenset({"REC-01", "REC-03", "VAL-03"})
_FOR_VALUE: Final = adgroups(optimization_goal="VALUE")


def scenarios() -> Iterator[Scenario]:
    yield from _of_clicks()
    yield from _of_keys()
    yield from _of_values()
    yield from _of_value_sums()


def _of_clicks() -> Iterator[Scenario]:
    yield Scenario(
        "MAT-01",
        "medium",
        Planting(
            "the click id of every fifth visit from TikTok gets lost in the shop",
            plan={"click_lost_share": 0.2},
            expected={"click ids from TikTok": Between(0.75, 0.85)},
        ),
        Planting(
            "the click id of every twentieth visit from TikTok gets lost in the shop",
            plan={"click_lost_share": 0.05},
            expected={"click ids from TikTok": Between(0.92, 0.98)},
        ),
    )
    yield Scenario(
        "MAT-05",
        "low",
        Planting(
            "many come back with a click id from weeks ago",
            quirks={"stale_click_share": 0.4},
            expected={"late buyers": Between(0.12, 0.4)},
        ),
        Planting(
            "some come back with a click id from weeks ago",
            quirks={"stale_click_share": 0.08},
            expected={"late buyers": Between(0.02, 0.09)},
        ),
        frozenset({"CFG-07", *_CLAIMS}),
    )
    yield Scenario(
        "MAT-06",
        "high",
        Planting(
            "a redirect loses the parameters of the address, for 60 % of landings",
            quirks={"query_lost_share": 0.6},
            expected={"landings/clicks": Between(0.34, 0.38)},
        ),
        Planting(
            "a redirect loses the parameters of the address, for 40 % of landings",
            quirks={"query_lost_share": 0.4},
            expected={"landings/clicks": Between(0.52, 0.56)},
        ),
        frozenset({"MAT-01", *_CLAIMS}),
    )


def _of_keys() -> Iterator[Scenario]:
    yield Scenario(
        "MAT-02",
        "medium",
        Planting(
            "the shop knows e-mail or phone of few",
            plan={"email_share": 0.2, "phone_share": 0.1},
            expected={"email/Rd": Between(0.05, 0.25), "phone/Rd": Between(0.02, 0.2)},
        ),
        Planting(
            "the shop knows the e-mail of most, and the phone of few",
            plan={"email_share": 0.75, "phone_share": 0.1},
            expected={"email/Rd": Between(0.35, 0.8), "phone/Rd": Between(0.02, 0.2)},
        ),
    )
    yield Scenario(
        "MAT-03",
        "high",
        Planting(
            "one event in twenty has its e-mail hashed wrongly, no phone and a private address",
            quirks={"bad_keys_share": 0.05},
            expected={"bad keys": Between(0.04, 0.06)},
        ),
        Planting(
            "one event in two hundred has its e-mail hashed wrongly",
            quirks={"bad_keys_share": 0.005},
            expected={"bad keys": Between(0.002, 0.008)},
        ),
    )
    yield Scenario(
        "MAT-04",
        "medium",
        Planting(
            "on the last three days TikTok attributes half of what it did",
            orders=150.0,
            quirks={"credited_share": 0.5, "credited_from_day": 27},
            expected={"Att/Tot on the last days": Between(0.13, 0.2)},
        ),
        Planting(
            "on the last three days TikTok attributes a sixth less",
            orders=150.0,
            quirks={"credited_share": 0.85, "credited_from_day": 27},
            expected={"Att/Tot on the last days": Between(0.22, 0.32)},
        ),
    )


def _of_values() -> Iterator[Scenario]:
    yield Scenario(
        "VAL-01",
        "high",
        Planting(
            "one purchase in fifty has neither value nor currency",
            quirks={"without_value_share": 0.02},
            expected={"without value": Between(0.015, 0.025)},
        ),
        Planting(
            "one purchase in three hundred has neither value nor currency",
            quirks={"without_value_share": 0.003},
            expected={"without value": Between(0.001, 0.005)},
        ),
    )
    yield Scenario(
        "VAL-02",
        "critical",
        Planting(
            "one way of paying sends its value in cents, as if they were euros",
            quirks={"cents_share": 0.05},
            expected={"hundredfold values": Between(0.04, 0.06)},
        ),
        Planting(
            "one order is worth fifty others",
            quirks={"big_order_day": 20},
            expected={"hundredfold values": Between(0, 0)},
        ),
    )
    yield Scenario(
        "VAL-04",
        "high",
        Planting(
            "ad groups optimise for value, and every order is worth the same",
            quirks={"one_value": True},
            account=[_FOR_VALUE],
            expected={"distinct values": Between(1, 1), "adgroup.optimization_goal": "VALUE"},
        ),
        Planting(
            "ad groups optimise for value, and orders differ",
            account=[_FOR_VALUE],
            expected={"distinct values": Between(20, 1e4), "adgroup.optimization_goal": "VALUE"},
        ),
    )


def _of_value_sums() -> Iterator[Scenario]:
    yield Scenario(
        "VAL-03",
        "critical",
        Planting(
            "the browser reports three times the value of each order",
            quirks={"browser_value_factor": 3.0},
            expected={"V/Rval": Between(1.2, 1.7)},
        ),
        Planting(
            "the browser reports values with shipping, the relay without",
            quirks={"browser_value_factor": 1.05},
            expected={"V/Rval": Between(0.5, 0.65)},
        ),
    )
