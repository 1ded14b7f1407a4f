"""From facts to what an audit says: every check, then triage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from relay.audit.books import Books
from relay.audit.checks import CHECKS
from relay.audit.checks.check import Check, Inapplicable
from relay.audit.checks.governance import with_changes
from relay.audit.facts import Facts, Part
from relay.audit.findings import Audit, Finding, Judgement, State
from relay.audit.triage import triage

if TYPE_CHECKING:
    from relay.config.audit import Thresholds

#: What was changed is said of the findings of all others.
_LAST = "GOV-01"


def judge(facts: Facts, thresholds: Thresholds) -> Audit:
    """The audit of one advertiser. A check that lacks a part is not judged; nothing is passed that
    was not looked at. Never raises."""
    books = Books(facts)
    findings: list[Finding] = []
    judgements: list[Judgement] = []
    for check in CHECKS:
        found, judgement = _one(check, books, thresholds)
        findings += found
        judgements.append(judgement)
    return Audit(facts, _with_governance(books, findings, judgements, thresholds), judgements)


def _one(check: Check, books: Books, thresholds: Thresholds) -> tuple[Sequence[Finding], Judgement]:
    lacking = [why for part in Part if part in check.needs and (why := books.lacks(part))]
    if lacking:
        return (), Judgement(check.id, check.title, State.NOT_JUDGED, "; ".join(lacking))
    result = check.judge(books, thresholds)
    if isinstance(result, Inapplicable):
        return (), Judgement(check.id, check.title, State.NOT_APPLICABLE, result.why)
    state = State.FOUND if result else State.PASSED
    return result, Judgement(check.id, check.title, state)


def _with_governance(
    books: Books,
    findings: Sequence[Finding],
    judgements: list[Judgement],
    thresholds: Thresholds,
) -> Sequence[Finding]:
    """Attach the changes that came before, and say so in the judgement of GOV-01."""
    place = next(i for i, each in enumerate(judgements) if each.check == _LAST)
    last = judgements[place]
    if last.state is State.NOT_JUDGED:
        return triage(findings)
    told = with_changes(books, triage(findings), thresholds)
    if isinstance(told, Inapplicable):
        judgements[place] = Judgement(last.check, last.title, State.NOT_APPLICABLE, told.why)
        return triage(findings)
    state = State.FOUND if any(each.check == _LAST for each in told) else State.PASSED
    judgements[place] = Judgement(last.check, last.title, state)
    return triage(told)
