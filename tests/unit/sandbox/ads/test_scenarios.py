"""Each scenario shows what it says, and its harmless like does not."""

from __future__ import annotations

import re

import pytest

from relay.sandbox.ads.scenarios import SCENARIOS, Between, Planting
from relay.sandbox.plan import FaultPlan
from tests.unit.sandbox.ads.fast_forward import live_planting, symbol

FAMILIES = {
    "CFG": 12,
    "DEL": 9,
    "DUP": 3,
    "MAT": 6,
    "VAL": 4,
    "REC": 9,
    "BUD": 4,
    "GOV": 1,
    "API": 2,
}
PLANTINGS = {
    f"{check}-{kind}": planting
    for check, scenario in SCENARIOS.items()
    for kind, planting in (("planted", scenario.planted), ("harmless", scenario.harmless))
}


def test_there_is_one_for_each_of_the_fifty_checks() -> None:
    expected = {
        f"{family}-{number:02}"
        for family, count in FAMILIES.items()
        for number in range(1, count + 1)
    }

    assert set(SCENARIOS) == expected
    assert all(check == scenario.check for check, scenario in SCENARIOS.items())
    assert all(set(scenario.also) <= expected for scenario in SCENARIOS.values())


#: Where people take weeks.
SLOW = {"BUD-04", "CFG-07", "MAT-05", "REC-07"}


def days_for(name: str) -> int:
    """All its days where something happens on one of them; else fewer show the same."""
    planting = PLANTINGS[name]
    timed = any("day" in quirk for quirk in planting.quirks)
    if timed or name[:6] in SLOW:
        return planting.days
    return 15 if planting.account else 9


# The ordinary run sees them through the checks, in `tests/audit`.
@pytest.mark.soak
@pytest.mark.parametrize(
    "name",
    [
        name
        for name, planting in PLANTINGS.items()
        if any(isinstance(expected, Between) for expected in planting.expected.values())
    ],
)
def test_what_a_scenario_says_is_to_be_seen(name: str) -> None:
    planting = PLANTINGS[name]
    lived = live_planting(planting, days=days_for(name), seed=11)

    for wanted, expected in planting.expected.items():
        if isinstance(expected, Between):
            found = symbol(wanted, lived)
            assert expected.holds(found), (wanted, found, expected)


@pytest.mark.parametrize("name", PLANTINGS)
def test_the_account_is_as_the_scenario_says(name: str) -> None:
    planting = PLANTINGS[name]
    group = next(iter(planting.season().market.account.adgroups.values()))

    for wanted, expected in planting.expected.items():
        if not isinstance(expected, Between):
            assert getattr(group, wanted.removeprefix("adgroup.")) == expected


@pytest.mark.parametrize("check", SCENARIOS)
def test_numbers_of_the_fault_are_not_those_of_its_like(check: str) -> None:
    planted, harmless = SCENARIOS[check].planted, SCENARIOS[check].harmless
    differ = [
        wanted
        for wanted, expected in planted.expected.items()
        if isinstance(expected, Between)
        and isinstance(like := harmless.expected.get(wanted), Between)
        and (expected.low > like.high or like.low > expected.high)
    ]

    assert differ or planted.account != harmless.account or planted.sandbox != harmless.sandbox


@pytest.mark.parametrize("name", PLANTINGS)
def test_every_planting_says_what_it_is_in_a_line(name: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9].{15,110}", PLANTINGS[name].says)


@pytest.mark.parametrize(
    "planting", [each for each in PLANTINGS.values() if each.sandbox], ids=lambda each: each.says
)
def test_faults_of_the_stand_in_are_faults_that_it_knows(planting: Planting) -> None:
    plan = FaultPlan.model_validate({"faults": list(planting.sandbox)})

    assert len(plan.faults) == len(planting.sandbox)
