"""One scenario for each check of the audit: what is planted, what is to be seen, and its like.

    scenario = SCENARIOS["DEL-03"]
    season = scenario.planted.season(seed=7)       # a world with that fault
    season = scenario.harmless.season(seed=7)      # the nearest one that is sound

A planting that names faults of the stand-in (`sandbox`) shows only through it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Final

from relay.sandbox.ads.scenarios import (
    budget,
    configuration,
    delivery,
    matching,
    reconciliation,
)
from relay.sandbox.ads.scenarios.scenario import Between, Planting, Scenario

__all__ = ["SCENARIOS", "Between", "Planting", "Scenario"]

#: By the id of the check.
SCENARIOS: Final[Mapping[str, Scenario]] = {
    scenario.check: scenario
    for scenario in chain(
        configuration.scenarios(),
        delivery.scenarios(),
        matching.scenarios(),
        reconciliation.scenarios(),
        budget.scenarios(),
    )
}
