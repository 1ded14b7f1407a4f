"""DEL and DUP: whether events reach TikTok, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from relay.sandbox.ads.scenarios.scenario import Between, Planting, Scenario

_TRACK: Final = "*/event/track/"
_CLAIMS: Final = frozenset({"REC-01", "REC-03", "VAL-03"})
#: Most buyers come by an ad, and hardly a browser is blocked: what is counted twice shows.
_MOSTLY_ADS: Final = {"click_share": 0.62, "view_share": 0.1, "blocked_share": 0.05}


def scenarios() -> Iterator[Scenario]:
    yield from _of_silence()
    yield from _of_loss()
    yield from _of_payload()
    yield from _of_repeats()


def _of_silence() -> Iterator[Scenario]:
    yield Scenario(
        "DEL-01",
        "critical",
        Planting(
            "TikTok credits nothing, while people come by its clicks and buy",
            quirks={"credited_share": 0.0},
            expected={"C": Between(0, 0), "Rclk": Between(200, 2000), "Sp": Between(1000, 1e6)},
        ),
        Planting(
            "TikTok credits a fifth of what it should",
            quirks={"credited_share": 0.2},
            expected={"C/Rd": Between(0.07, 0.16), "Rclk": Between(200, 2000)},
        ),
        _CLAIMS | {"BUD-02"},
    )
    yield Scenario(
        "DEL-02",
        "critical",
        Planting(
            "nobody gets through the checkout: neither the relay nor the browser has anything",
            quirks={"drop_from_day": 0, "drop_share": 1.0},
            expected={"C": Between(0, 0), "Rd": Between(0, 0), "Sp": Between(1000, 1e6)},
        ),
        Planting(
            "the relay is given nothing, and the browser reports purchases",
            quirks={"missing_share": 1.0},
            expected={"C": Between(200, 2000), "Rd": Between(0, 0)},
        ),
        frozenset({"BUD-02", "CFG-01", "MAT-06"}),
    )
    yield Scenario(
        "DEL-05",
        "critical",
        Planting(
            "the shop hands over nothing for the last twelve hours",
            orders=150.0,
            quirks={"silent_from_day": 29.5},
            expected={"hours silent": Between(11.5, 12.6)},
        ),
        Planting(
            "the shop hands over nothing for the last five minutes",
            orders=150.0,
            quirks={"silent_from_day": 30 - 5 / 1440},
            expected={"hours silent": Between(0.08, 0.6)},
        ),
        frozenset({"REC-05"}),
    )


def _of_loss() -> Iterator[Scenario]:
    yield Scenario(
        "DEL-03",
        "medium",
        Planting(
            "of what it accepted TikTok does not count 8 %",
            orders=150.0,
            quirks={"uncounted_share": 0.08},
            expected={"Srv/Rd": Between(0.915, 0.925)},
        ),
        Planting(
            "of what it accepted TikTok does not count 4 %",
            orders=150.0,
            quirks={"uncounted_share": 0.04},
            expected={"Srv/Rd": Between(0.955, 0.965)},
        ),
    )
    yield Scenario(
        "DEL-04",
        "medium",
        Planting(
            "a plugin of the shop reports purchases from the server, too, under ids of its own",
            orders=150.0,
            quirks={"foreign_share": 0.3},
            expected={"Srv/Rd": Between(1.18, 1.3)},
        ),
        Planting(
            "a plugin of the shop reports one purchase in twenty-five",
            orders=150.0,
            quirks={"foreign_share": 0.04},
            expected={"Srv/Rd": Between(1.02, 1.05)},
        ),
        _CLAIMS | {"DUP-02"},
    )
    yield Scenario(
        "DEL-06",
        "medium",
        Planting(
            "TikTok refuses 5 % of events for what is in them",
            sandbox=[{"kind": "poison", "path": _TRACK, "rule": {"share": 0.05}}],
            expected={"Rfail/Rtry": Between(0.03, 0.07)},
        ),
        Planting(
            "TikTok refuses 1 % of events for what is in them",
            sandbox=[{"kind": "poison", "path": _TRACK, "rule": {"share": 0.01}}],
            expected={"Rfail/Rtry": Between(0.003, 0.018)},
        ),
    )


def _of_payload() -> Iterator[Scenario]:
    yield Scenario(
        "DEL-07",
        "critical",
        Planting(
            "one order in twenty carries a test event code",
            quirks={"test_code_share": 0.05},
            expected={"test orders": Between(30, 200)},
        ),
        Planting(
            "somebody tries a page view with a test event code each day",
            quirks={"test_views": True},
            plan={"relayed": ("Purchase", "InitiateCheckout", "AddToCart", "ViewContent")},
            expected={"test orders": Between(0, 0)},
        ),
    )
    yield Scenario(
        "DEL-08",
        "low",
        Planting(
            "8 % of events are handed over two hours late",
            quirks={"late_share": 0.08},
            expected={"late events": Between(0.07, 0.09)},
        ),
        Planting(
            "3 % of events are handed over two hours late",
            quirks={"late_share": 0.03},
            expected={"late events": Between(0.02, 0.04)},
        ),
    )
    yield Scenario(
        "DEL-09",
        "high",
        Planting(
            "one of the shop's ten servers has its clock an hour ahead",
            quirks={"clock_ahead_s": 3600.0, "clock_share": 0.1},
            expected={"refused as future": Between(0.08, 0.11)},
        ),
        Planting(
            "one of the shop's ten servers has its clock five minutes ahead",
            quirks={"clock_ahead_s": 300.0, "clock_share": 0.1},
            expected={"refused as future": Between(0, 0)},
        ),
    )


def _of_repeats() -> Iterator[Scenario]:
    yield Scenario(
        "DUP-01",
        "medium",
        Planting(
            "one order in twenty is sent twice, under two event ids",
            orders=150.0,
            quirks={"two_ids_share": 0.05},
            expected={"Rd/orders": Between(1.045, 1.055)},
        ),
        Planting(
            "one order in a hundred is sent twice, under two event ids",
            orders=150.0,
            quirks={"two_ids_share": 0.01},
            expected={"Rd/orders": Between(1.005, 1.015)},
        ),
    )
    yield Scenario(
        "DUP-02",
        "high",
        Planting(
            "browser and relay report each purchase under different ids",
            plan=_MOSTLY_ADS,
            quirks={"browser_other_id_share": 1.0},
            expected={"Att/orders": Between(1.15, 1.6)},
        ),
        Planting(
            "browser and relay report one purchase in twenty under different ids",
            plan=_MOSTLY_ADS,
            quirks={"browser_other_id_share": 0.05},
            expected={"Att/orders": Between(0.65, 0.9)},
        ),
        _CLAIMS,
    )
    yield Scenario(
        "DUP-03",
        "high",
        Planting(
            "the shop sends no event ids, and the browser reports the same events",
            quirks={"without_id": True},
            expected={"without event_id": Between(1, 1), "Brw": Between(300, 1e5)},
        ),
        Planting(
            "the shop sends no event ids, and has no pixel in its pages",
            quirks={"without_id": True, "browser_silent": True},
            expected={"without event_id": Between(1, 1), "Brw": Between(0, 0)},
        ),
        _CLAIMS | {"DUP-02"},
    )
