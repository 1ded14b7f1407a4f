"""Are the numbers true? One word and one sentence. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from relay.audit.findings import Audit, Finding, Severity, State
from relay.audit.wording import money, plural, tally


class Answer(StrEnum):
    """`unknown`: nothing was found, but too little could be judged to say yes."""

    YES = "yes"
    MOSTLY = "mostly"
    DOUBTFUL = "doubtful"
    NO = "no"
    UNKNOWN = "unknown"


class Verdict(NamedTuple):
    answer: Answer
    sentence: str


_BY_WORST = {
    Severity.CRITICAL: (Answer.NO, "No"),
    Severity.HIGH: (Answer.DOUBTFUL, "Doubtful"),
    Severity.MEDIUM: (Answer.MOSTLY, "Mostly"),
}


#: One of these has to have compared something, else there is no yes.
_COMPARISONS = frozenset({"DEL-03", "REC-01", "VAL-03"})

#: It says that TikTok did not answer, not that anything is wrong with the account.
_NOT_READ = "API-01"


def verdict_of(audit: Audit) -> Verdict:
    """A partial run that found nothing has no answer: what was not judged may be wrong. Neither has
    one in which nothing could be compared."""
    worst = min((each.severity for each in _wrong(audit)), key=lambda s: s.rank, default=None)
    if worst in _BY_WORST:
        answer, word = _BY_WORST[worst]
        return Verdict(answer, f"{word}: {_found(audit)}{_left_out(audit)}.")
    if audit.is_partial or not _passed(audit):
        return Verdict(Answer.UNKNOWN, f"Cannot be said: {_unknown(audit)}.")
    if not any(
        each.check in _COMPARISONS and each.state is State.PASSED for each in audit.judgements
    ):
        return Verdict(
            Answer.UNKNOWN,
            "Cannot be said yet: on the days that could be compared the relay delivered too "
            f"little; {plural(_passed(audit), 'check')} of the rest passed.",
        )
    return Verdict(
        Answer.YES,
        f"Yes: what TikTok counts, reports and charges fits what was delivered; "
        f"{plural(_passed(audit), 'check')} passed.",
    )


def number(audit: Audit, state: State) -> int:
    """How many checks ended so."""
    return sum(each.state is state for each in audit.judgements)


def _wrong(audit: Audit) -> list[Finding]:
    return [each for each in audit.standing if each.check != _NOT_READ]


def _passed(audit: Audit) -> int:
    return number(audit, State.PASSED)


def _found(audit: Audit) -> str:
    standing = [each for each in _wrong(audit) if each.severity in _BY_WORST]
    noun = "finding stands" if len(standing) == 1 else "findings stand"
    return f"{tally(standing)} {noun}{_at_stake(audit, standing)}"


def _at_stake(audit: Audit, standing: list[Finding]) -> str:
    """The largest: findings may be about the same money, so that a sum would count it twice."""
    amounts = [each.at_stake for each in standing if each.at_stake]
    if not amounts:
        return ""
    currency = audit.facts.advertiser.currency
    return f", {'' if len(amounts) == 1 else 'up to '}{money(max(amounts), currency)} at stake"


def _left_out(audit: Audit) -> str:
    missing = number(audit, State.NOT_JUDGED)
    return f"; {plural(missing, 'check')} could not be judged" if missing else ""


def _unknown(audit: Audit) -> str:
    missing, passed = number(audit, State.NOT_JUDGED), _passed(audit)
    if not passed:
        return "no check could be judged"
    lacking = f"{plural(missing, 'check')} lacked facts" if missing else "facts are missing"
    return f"{lacking}, {passed:,} passed"
