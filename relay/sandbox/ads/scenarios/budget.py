"""BUD and API: what is spent and cannot be, and whether the numbers can be read at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from relay.sandbox.ads.scenarios.scenario import Between, Planting, Scenario, paused

_REPORT: Final = "*/report/integrated/get/"
_PAUSED_ON: Final = 20.6


def scenarios() -> Iterator[Scenario]:
    yield from _of_budgets()
    yield from _of_standstill()
    yield from _of_reading()


def _of_budgets() -> Iterator[Scenario]:
    yield Scenario(
        "BUD-01",
        "high",
        Planting(
            "a day's spend is 30 % above the budget",
            quirks={"overspend": 1.3},
            expected={"Sp/budget": Between(1.28, 1.32)},
        ),
        Planting(
            "a day's spend is 5 % above the budget",
            quirks={"overspend": 1.05},
            expected={"Sp/budget": Between(1.03, 1.07)},
        ),
    )
    yield Scenario(
        "BUD-02",
        "medium",
        Planting(
            "sixty orders a day are spread over twelve ad groups",
            orders=60.0,
            plan={"campaigns": 3, "adgroups": 4},
            expected={"weekly conversions": Between(10, 24)},
        ),
        Planting(
            "sixty orders a day are one ad group's",
            orders=60.0,
            expected={"weekly conversions": Between(120, 350)},
        ),
    )


def _of_standstill() -> Iterator[Scenario]:
    yield Scenario(
        "BUD-03",
        "high",
        Planting(
            "the balance is nine tenths of a day's spend",
            plan={"balance_days": 0.85},
            expected={"days of balance": Between(0.8, 0.98)},
        ),
        Planting(
            "the balance is one and a half days' spend",
            plan={"balance_days": 1.5},
            expected={"days of balance": Between(1.3, 1.7)},
        ),
    )
    yield Scenario(
        "BUD-04",
        "medium",
        Planting(
            "an ad group goes on spending after it was paused",
            quirks={"spends_when_paused": True},
            account=[paused(0, _PAUSED_ON)],
            expected={"spend after the pause": Between(10, 1e6)},
        ),
        Planting(
            "an ad group was paused in the afternoon, and had spent until then",
            account=[paused(0, _PAUSED_ON)],
            expected={"spend after the pause": Between(0, 0)},
        ),
    )


def _of_reading() -> Iterator[Scenario]:
    yield Scenario(
        "API-01",
        "high",
        Planting(
            "reports stop answering: the account is no longer granted",
            sandbox=[{"kind": "code", "codes": [40001], "path": _REPORT}],
        ),
        Planting(
            "one report fails once, and answers when asked again",
            sandbox=[{"kind": "code", "codes": [50000], "path": _REPORT, "count": 1}],
        ),
    )
    yield Scenario(
        "API-02",
        "high",
        Planting(
            "the metric that is called a rate is one",
            quirks={"value_is_rate": True},
            expected={"V/(P x value)": Between(0, 0.5)},
        ),
        Planting(
            "the average value is half a percent off",
            quirks={"value_per_error": 0.005},
            expected={"V/(P x value)": Between(0.99, 1.0)},
        ),
        frozenset({"VAL-03", "REC-03"}),
    )
