"""Thirty clean days, whoever lives them and wherever: not one finding that is more than info."""

from __future__ import annotations

from itertools import product

import pytest

from relay.audit.findings import Audit, Severity, State
from tests.audit.clean import CURRENCIES, SEEDS, VOLUMES, ZONES, Clean

EVERY = [Clean(*each) for each in product(SEEDS, ZONES, CURRENCIES, VOLUMES)]
#: Each seed once; every zone meets every currency and every volume, and those each other.
SOME = [
    Clean(
        seed,
        list(ZONES)[place % 3],
        list(CURRENCIES)[place // 3 % 2],
        list(VOLUMES)[place // 6 % 2],
    )
    for place, seed in enumerate(SEEDS)
]  # fmt: skip


def test_there_are_240_of_them_and_the_few_meet_each_other() -> None:
    assert len(EVERY) == len(set(EVERY)) == 240
    assert {each.seed for each in SOME} == set(SEEDS)
    assert {each[1:] for each in SOME} == {each[1:] for each in EVERY}


def is_clean(clean: Clean, audit: Audit) -> None:
    loud = [each for each in audit.findings if each.severity is not Severity.INFO]
    unjudged = [each for each in audit.judgements if each.state is State.NOT_JUDGED]

    assert loud == [], clean
    assert unjudged == [], clean
    assert not audit.is_partial


@pytest.mark.parametrize("clean_audit", SOME, indirect=True, ids=str)
def test_clean_days(clean_audit: tuple[Clean, Audit]) -> None:
    is_clean(*clean_audit)


@pytest.mark.soak
@pytest.mark.parametrize("clean_audit", EVERY, indirect=True, ids=str)
def test_all_clean_days(clean_audit: tuple[Clean, Audit]) -> None:
    is_clean(*clean_audit)


@pytest.mark.parametrize("clean_audit", SOME[-2:], indirect=True, ids=str)
def test_most_checks_had_something_to_judge(clean_audit: tuple[Clean, Audit]) -> None:
    """A clean bill that nothing was asked for proves nothing."""
    clean, audit = clean_audit
    passed = {each.check for each in audit.judgements if each.state is State.PASSED}

    assert len(passed) >= (38 if clean.volume == "high" else 25)
