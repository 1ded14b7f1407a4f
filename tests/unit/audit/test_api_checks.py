"""API: can the facts be relied on?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from relay.audit.checks import CHECKS
from relay.audit.facts import Gathered, Level, Part
from relay.audit.findings import Family, Severity, State
from relay.audit.judge import judge
from relay.config.audit import Thresholds
from tests.unit.audit.world import World, found, state, why


def test_there_are_fifty_checks_in_the_order_of_triage() -> None:
    ids = [each.id for each in CHECKS]
    numbers = {family: [each for each in ids if each.startswith(family)] for family in Family}

    assert len(ids) == len(set(ids)) == 50
    families = [Family(each[:3]) for each in ids]
    assert families == sorted(families, key=list(Family).index)
    for family, of_family in numbers.items():
        assert of_family == [f"{family}-{n:02d}" for n in range(1, len(of_family) + 1)]


def test_api_01_names_each_incomplete_part() -> None:
    world = World(problems={Part.AD_REPORT: "cut at 20 000 ids"})
    facts = world.facts()
    gathered = {
        **facts.gathered,
        Part.DIAGNOSIS: Gathered(Part.DIAGNOSIS, world.now, 7, "lost the account", 40001),
    }

    audit = judge(replace(facts, gathered=gathered), Thresholds())

    assert {each.found.value for each in found(audit, "API-01")} == {1, 7}
    assert all(each.severity is Severity.HIGH for each in found(audit, "API-01"))
    assert any("40001" in each.do for each in found(audit, "API-01"))
    assert audit.is_partial


def test_a_part_that_nobody_asked_for_is_missing_but_no_fault() -> None:
    audit = World(missing=(Part.AD_REPORT,)).audit()

    assert found(audit, "API-01") == []
    assert state(audit, "REC-09") is State.NOT_JUDGED
    assert "ad report" in why(audit, "REC-09")
    assert audit.is_partial


def test_api_02_fires_when_the_value_is_no_value() -> None:
    world = World()
    world.each_day(
        lambda row: replace(row, values={"SHOPPING": Decimal(4)}, purchase_roas=Decimal("3.33"))
    )

    audit = world.audit()

    by_count, by_roas = found(audit, "API-02")
    assert by_count.found.value == Decimal("336.00")  # 2 ad groups, 42 days, 4
    assert by_count.expected.value == Decimal("50400.00")
    assert by_roas.expected.value == Decimal("50349.60")


def test_api_02_allows_for_rounding() -> None:
    world = World()
    world.each_day(
        lambda row: replace(
            row,
            spend=Decimal("0.60") if row.level is not Level.ACCOUNT else Decimal("1.20"),
            counts={"SHOPPING": 3},
            values={"SHOPPING": Decimal("0.02")},
            value_per_purchase=Decimal("0.01"),  # 0.0067
            purchase_roas=Decimal("0.03"),  # 0.033
        )
    )

    assert found(world.audit(), "API-02") == []
