"""Are the numbers true?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from relay.audit.findings import Audit, Finding, Judgement, Severity, State
from relay.audit.verdict import Answer, verdict_of
from tests.unit.audit import story


def audit(*findings: Finding, judgements: Sequence[Judgement] | None = None) -> Audit:
    made = story.judgements(findings) if judgements is None else judgements
    return Audit(story.some_facts(), findings, made)


@pytest.mark.parametrize(
    ("severity", "answer"),
    [
        (Severity.CRITICAL, Answer.NO),
        (Severity.HIGH, Answer.DOUBTFUL),
        (Severity.MEDIUM, Answer.MOSTLY),
        (Severity.LOW, Answer.YES),
        (Severity.INFO, Answer.YES),
    ],
)
def test_the_worst_finding_that_stands_decides(severity: Severity, answer: Answer) -> None:
    found = story.a_finding(severity=severity)
    silenced = replace(found, severity=Severity.CRITICAL, explained_by=["API-01"])

    assert verdict_of(audit(found, silenced)).answer is answer


def test_a_clean_run_says_yes_and_how_many_checks_passed() -> None:
    verdict = verdict_of(story.a_clean_audit())

    assert verdict.answer is Answer.YES
    assert verdict.sentence.endswith("; 6 checks passed.")


def test_where_nothing_could_be_compared_there_is_no_yes() -> None:
    """A relay that is a day old: the account is in order, and nothing is known of its numbers."""
    made = [
        replace(each, state=State.NOT_APPLICABLE) if each.check == "REC-01" else each
        for each in story.judgements([])
    ]

    verdict = verdict_of(audit(judgements=made))

    assert verdict.answer is Answer.UNKNOWN
    assert verdict.sentence.startswith("Cannot be said yet")


def test_what_could_not_be_read_is_not_held_against_the_account() -> None:
    gap = replace(story.a_finding(severity=Severity.HIGH), check="API-01")
    made = [*story.judgements([]), Judgement("DEL-03", "", State.NOT_JUDGED, "no facts")]

    assert verdict_of(audit(gap, judgements=made)).answer is Answer.UNKNOWN


def test_a_partial_run_without_findings_is_no_yes() -> None:
    verdict = verdict_of(story.a_partial_audit())

    assert verdict == (Answer.UNKNOWN, "Cannot be said: 1 check lacked facts, 6 passed.")


def test_a_partial_run_with_a_finding_says_both() -> None:
    lacking = Judgement("REC-01", "counts", State.NOT_JUDGED, "No report.")
    found = story.a_finding(severity=Severity.CRITICAL)

    verdict = verdict_of(audit(found, judgements=[lacking]))

    assert verdict.answer is Answer.NO
    assert verdict.sentence == "No: 1 critical finding stands; 1 check could not be judged."


def test_where_nothing_was_judged_nothing_is_said() -> None:
    assert verdict_of(story.an_empty_audit()).answer is Answer.UNKNOWN
    assert verdict_of(audit(judgements=[])).answer is Answer.UNKNOWN


def test_money_at_stake_is_the_largest_as_findings_may_be_about_the_same() -> None:
    one = story.a_finding(severity=Severity.HIGH, at_stake=Decimal(100))
    other = story.a_finding(severity=Severity.HIGH, at_stake=Decimal("250.5"))

    assert verdict_of(audit(one)).sentence.endswith("stands, 100.00 EUR at stake.")
    assert verdict_of(audit(one, other)).sentence.endswith("stand, up to 250.50 EUR at stake.")
