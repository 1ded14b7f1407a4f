"""Causes before effects; what is missing is not passed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from relay.audit.checks import CHECKS
from relay.audit.facts import Day, Part
from relay.audit.findings import Certainty, Family, Figure, Finding, Severity, State, Subject
from relay.audit.triage import EXPLAINS, triage
from tests.unit.audit.test_delivery_checks import no_conversions
from tests.unit.audit.world import World, a_pixel, found, only, why


def a_finding(check: str, *concerns: str, severity: Severity = Severity.HIGH) -> Finding:
    figure = Figure("x", 1)
    return Finding(
        check, severity, Subject("account", "1"), "says", figure, figure, "do", Certainty.CERTAIN,
        "source", concerns=frozenset(concerns),
    )  # fmt: skip


def explained(*findings: Finding) -> dict[str, tuple[str, ...]]:
    return {each.check: tuple(each.explained_by) for each in triage(findings)}


@pytest.mark.parametrize("part", Part)
@pytest.mark.parametrize("problem", [None, "throttled"])
def test_what_needs_a_part_that_is_missing_is_not_judged(part: Part, problem: str | None) -> None:
    audit = World(problems={part: problem}).audit() if problem else World(missing=(part,)).audit()

    needing = {each.id for each in CHECKS if part in each.needs}
    states = {each.check: each.state for each in audit.judgements}
    assert {name for name, each in states.items() if each is State.NOT_JUDGED} == needing
    assert all(part.value in why(audit, check) for check in needing)
    assert not needing & {each.check for each in audit.findings}
    assert audit.is_partial is (bool(needing) or problem is not None)


def test_the_names_of_the_table_are_checks_and_causes_come_first() -> None:
    order = {each.id: place for place, each in enumerate(CHECKS)}
    families = list(Family)

    for cause, effects in EXPLAINS.items():
        assert cause in order
        for effect in effects:
            assert effect in order
            assert families.index(Family(cause[:3])) <= families.index(Family(effect[:3]))


def test_a_wrong_pixel_explains_that_nothing_is_counted() -> None:
    world = World(pixels=[a_pixel(), a_pixel(id="2", code="OTHER", name="Old shop")])
    world.each_group(pixel_id="2")
    world.each_day(no_conversions)

    audit = world.audit()

    assert [each.check for each in audit.standing if each.severity is Severity.CRITICAL] == [
        "CFG-02"
    ]
    for check in ("CFG-01", "DEL-01", "REC-01"):
        assert {tuple(each.explained_by) for each in found(audit, check)} == {("CFG-02",)}


def test_a_wrong_pixel_of_one_ad_group_explains_nothing_of_another() -> None:
    world = World(pixels=[a_pixel(), a_pixel(id="2", code="OTHER", name="Old shop")])
    world.adgroups[1] = replace(world.adgroups[1], pixel_id="2")
    world.each_day(no_conversions)

    silenced = {each.subject.id: each.is_silenced for each in found(world.audit(), "DEL-01")}

    assert silenced == {"OTHER/SHOPPING": True, "C0PIXELCODE0EXAMPLE0/SHOPPING": False}


def test_test_codes_explain_what_tiktok_does_not_count() -> None:
    world = World()
    world.each_sums(
        lambda each: replace(each, count=each.count + 4, tests=4, keys=Counter(each.keys))
    )
    world.each_count(lambda each: replace(each, server=20, total=20))
    world.each_day(lambda row: replace(row, conversions_by_event_day=1))

    audit = world.audit()

    assert only(audit, "DEL-03").explained_by == ("DEL-07",)
    assert only(audit, "REC-01").explained_by == ("DEL-07",)


def test_a_cause_of_a_cause_is_named_itself() -> None:
    assert explained(
        a_finding("DEL-01", "adgroup:1", "pixel:A"),
        a_finding("CFG-01", "adgroup:1", "pixel:A"),
        a_finding("CFG-02", "adgroup:1"),
    ) == {"CFG-02": (), "CFG-01": ("CFG-02",), "DEL-01": ("CFG-02",)}


def test_a_cause_shares_every_kind_of_thing_that_both_name() -> None:
    cause = a_finding("CFG-02", "adgroup:1", "pixel:A")

    assert explained(cause, a_finding("DEL-01", "adgroup:1", "pixel:B"))["DEL-01"] == ()
    assert explained(cause, a_finding("DEL-01", "event:X"))["DEL-01"] == ()
    assert explained(cause, a_finding("DEL-01", "pixel:A", "event:X"))["DEL-01"] == ("CFG-02",)


def test_a_mild_finding_is_pointed_to_but_hides_nothing() -> None:
    low = a_finding("MAT-05", "pixel:A", severity=Severity.LOW)
    critical = a_finding("REC-01", "pixel:A", severity=Severity.CRITICAL)

    told = {each.check: each for each in triage([low, critical])}

    assert not told["REC-01"].is_silenced
    assert told["REC-01"].points_to == ("MAT-05",)


def test_findings_come_layer_by_layer_the_worst_first_and_the_silenced_last() -> None:
    told = triage(
        [
            a_finding("BUD-03", "adgroup:9"),
            a_finding("REC-02", "adgroup:1", severity=Severity.MEDIUM),
            a_finding("REC-05", "adgroup:5"),
            a_finding("DEL-01", "adgroup:1"),
            a_finding("CFG-02", "adgroup:1"),
        ]
    )

    assert [each.check for each in told] == ["CFG-02", "REC-05", "REC-02", "BUD-03", "DEL-01"]


def test_an_audit_of_half_the_account_passes_nothing_that_it_did_not_see() -> None:
    needless = {each.id for each in CHECKS if not each.needs}
    audit = World(missing=tuple(Part)).audit()

    assert {e.check for e in audit.judgements if e.state is not State.NOT_JUDGED} == needless


def test_money_at_stake_is_of_the_days_looked_at() -> None:
    def odd(row: Day) -> Day:
        return replace(no_conversions(row), spend=Decimal(100))

    world = World()
    world.each_day(odd)

    assert only(world.audit(), "DEL-01").at_stake == 35 * 200
