"""What an audit says. Values only; `relay.audit.document` is their JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from relay.audit.facts import Facts


class Family(StrEnum):
    """Which layer a check looks at, in the order of triage: what fails in an earlier one explains
    what fails in a later one. `GOV` is no layer: it says what was changed before it began."""

    API = "API"
    CFG = "CFG"
    DEL = "DEL"
    DUP = "DUP"
    MAT = "MAT"
    VAL = "VAL"
    REC = "REC"
    BUD = "BUD"
    GOV = "GOV"


class Severity(StrEnum):
    """How bad: money burns or nobody can see (critical) … worth knowing (info)."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)


class Certainty(StrEnum):
    """How sure: TikTok states it or counts that must agree do not (`certain`); a rule of thumb with
    figures behind it (`likely`); one explanation among others (`hint`)."""

    CERTAIN = "certain"
    LIKELY = "likely"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its name and its unit: a currency code, `events`, `%`, `hours`, `days`,
    `ratio` or another word. `value` is None where there is none to give, and a text for what is no
    number (a pixel code, an attribution window)."""

    label: str
    value: Decimal | int | str | None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about: `kind` is `account`, `campaign`, `adgroup`, `ad`, `pixel`,
    `destination`, `event` or `custom_conversion`."""

    kind: str
    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    `says` is a sentence with its numbers, `expected` and `found` are those two numbers; `since` the
    first day of it in the account's zone; `at_stake` money in the account's currency, of the days
    looked at; `do` what a person should do; `source` who says that this is wrong. `explained_by`
    are the checks whose findings are the cause of this one: then it is silenced. `points_to` are
    checks that may be part of the cause, but whose findings are milder than this one: it stands.
    `concerns` is what it is about besides its subject, as `kind:id`: triage looks for causes there.
    """

    check: str
    severity: Severity
    subject: Subject
    says: str
    expected: Figure
    found: Figure
    do: str
    certainty: Certainty
    source: str
    since: date | None = None
    at_stake: Decimal | None = None
    details: Sequence[Figure] = ()
    explained_by: Sequence[str] = ()
    changed_before: Sequence[str] = ()
    points_to: Sequence[str] = ()
    concerns: frozenset[str] = frozenset()

    @property
    def family(self) -> Family:
        return Family(self.check.partition("-")[0])

    @property
    def is_silenced(self) -> bool:
        return bool(self.explained_by)


class State(StrEnum):
    """What became of one check: `not_judged` lacked facts, `not_applicable` had nothing to judge
    (no value-optimised ad group, too few events, no mature day)."""

    PASSED = "passed"
    FOUND = "found"
    NOT_JUDGED = "not_judged"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One check and what became of it; `why` is a sentence where it neither passed nor found."""

    check: str
    title: str
    state: State
    why: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit of one advertiser: its facts, and what follows from them. `findings` are in order
    of triage and severity, silenced ones last."""

    facts: Facts
    findings: Sequence[Finding]
    judgements: Sequence[Judgement]

    @property
    def is_partial(self) -> bool:
        """Were facts missing, so that some checks could not be judged?"""
        return any(each.state is State.NOT_JUDGED for each in self.judgements) or any(
            each.problem for each in self.facts.gathered.values()
        )

    @property
    def standing(self) -> Sequence[Finding]:
        """Those that nothing explains."""
        return [each for each in self.findings if not each.is_silenced]

    @property
    def worst(self) -> Severity | None:
        return min((each.severity for each in self.standing), key=lambda s: s.rank, default=None)
