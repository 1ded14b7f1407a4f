"""Each of the fifty checks finds its fault with the right numbers, and not the fault's double."""

from __future__ import annotations

import pytest

from relay.audit.checks import CHECKS
from relay.audit.findings import Severity, State
from relay.sandbox.ads.scenarios import SCENARIOS
from tests.audit.proofs import PROOFS
from tests.audit.staging import Staged

planted, harmless = (
    pytest.mark.parametrize(
        "staged", [(check, kind) for check in SCENARIOS], indirect=True, ids=SCENARIOS
    )
    for kind in ("planted", "harmless")
)
GRAVE = {Severity.CRITICAL, Severity.HIGH}


def test_every_check_has_its_scenario_and_its_proof() -> None:
    ids = [each.id for each in CHECKS]

    assert len(ids) == len(set(ids)) == 50
    assert set(SCENARIOS) == set(ids)
    assert set(PROOFS) == set(ids)


@planted
def test_a_check_finds_what_was_planted(staged: Staged) -> None:
    check = staged.scenario.check
    found = staged.findings(check)

    assert staged.judgement(check).state is State.FOUND
    worst = min(found, key=lambda each: each.severity.rank)
    assert worst.severity.rank <= Severity(staged.scenario.severity).rank
    PROOFS[check](found, staged)


@planted
def test_nothing_grave_stands_beside_it_that_it_has_nothing_to_do_with(staged: Staged) -> None:
    related = {staged.scenario.check, *staged.scenario.also}

    strangers = [each for each in staged.audit.standing if each.check not in related]

    assert [each for each in strangers if each.severity in GRAVE] == []


@harmless
def test_a_check_is_silent_about_what_only_looks_like_it(staged: Staged) -> None:
    check = staged.scenario.check

    assert staged.findings(check) == []
    assert staged.judgement(check).state in {State.PASSED, State.NOT_APPLICABLE}


@harmless
def test_what_only_looks_like_a_fault_is_nothing_grave_at_all(staged: Staged) -> None:
    related = staged.scenario.also

    strangers = [each for each in staged.audit.standing if each.check not in related]

    assert [each for each in strangers if each.severity in GRAVE] == []
