"""The shape of the document; `schemas/audit.schema.json` is made of it. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter

# pydantic asks for the backport's TypedDict below Python 3.12, and brings the package itself.
from typing_extensions import TypedDict

from relay.audit.facts import Part
from relay.audit.findings import Certainty, Family, Severity, State
from relay.audit.verdict import Answer
from relay.model import EventSource, Outcome

Amount = Annotated[
    str, Field(pattern=r"^-?\d+(\.\d+)?$", description="money in the account's currency")
]
Ratio = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$", description="a decimal number")]
#: Both are patterns, not formats: readers check a format only when told to.
Moment = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d(:\d\d)?$",
        description="ISO 8601, with the offset",
    ),
]
Date = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
Count = Annotated[int, Field(ge=0)]


class Days(TypedDict):
    """Both included, days of the account's zone."""

    first: Date
    last: Date


class Account(TypedDict):
    id: str
    name: str
    currency: str
    time_zone: Annotated[str, Field(description="TikTok's name of it; its sign may be turned")]
    utc_offset: Annotated[str, Field(pattern=r"^[+-]\d\d:\d\d$", description="at the audit")]
    status: str
    balance: Amount | None


class Said(TypedDict):
    """Are the numbers true?"""

    answer: Answer
    sentence: str


class PartRead(TypedDict):
    """What was gathered; `problem` is null when it is complete."""

    part: Part
    at: Moment
    rows: Count
    problem: str | None
    code: Annotated[int | None, Field(description="TikTok's, where it said one")]


class Three(TypedDict):
    """By what TikTok reports, by what was delivered with a click id, by all that was delivered."""

    platform: Ratio | None
    verified: Ratio | None
    blended: Ratio | None


class MoneySums(TypedDict):
    """`reported` is by the day of the click or view, `reported_by_event_day` by that of the event,
    as are those that were delivered; `clicked` are delivered with a click id."""

    spend: Amount | None
    reported: int | None
    reported_by_event_day: int | None
    reported_value: Amount | None
    delivered: int | None
    clicked: int | None
    delivered_value: Amount | None
    clicked_value: Amount | None


class MoneyDay(MoneySums):
    day: Date
    mature: Annotated[bool, Field(description="TikTok adds no more conversions to this day")]


class Ratios(TypedDict):
    """Of mature days only. `claimed` is the share of delivered conversions that TikTok reports, by
    the day of the event."""

    days: Annotated[Days | None, Field(description="null: no day is mature")]
    cpa: Three
    roas: Three
    claimed: Ratio | None


class RunningDay(TypedDict):
    """Seven mature days, this one the last."""

    day: Date
    cpa: Three
    roas: Three


class MoneyPart(TypedDict):
    """`events` and `destinations` are what counts as a conversion here. `window_days` is the
    longest click window, which decides what is mature. `unconvertible` are currencies without a
    rate."""

    events: list[str]
    destinations: list[str]
    window_days: Count
    immature: Days | None
    total: MoneySums
    mature: MoneySums
    ratios: Ratios
    days: list[MoneyDay]
    running: list[RunningDay]
    unconvertible: list[str]


class Source(TypedDict):
    """`id` is null for what ad groups spend without a pixel that could be read."""

    id: str | None
    kind: EventSource | None
    name: str
    destinations: Annotated[list[str], Field(description="of the relay; none feeds it when empty")]


class FunnelSums(TypedDict):
    """`counted` is TikTok's total of server and browser before it merges what came both ways;
    `reported` and `spend` are of the ad groups that optimise for this event."""

    arrivals: int | None
    delivered: int | None
    server: int | None
    browser: int | None
    counted: int | None
    attributed: int | None
    reported: int | None
    spend: Amount | None


class FunnelDay(FunnelSums):
    """A day of UTC for the counts, of the account's zone for `reported` and `spend`."""

    day: Date


class Funnel(TypedDict):
    event_source: Source
    event: str
    optimised_for: Annotated[bool, Field(description="an ad group optimises for this event")]
    total: FunnelSums
    days: list[FunnelDay]


class KeyCoverage(TypedDict):
    """Of `delivered` events, how many carried each key."""

    event_source: Source
    delivered: Count
    keys: dict[str, Count]


class NotDelivered(TypedDict):
    destination: str
    outcome: Outcome
    reason: Annotated[str, Field(description="empty where none was kept")]
    count: Count


class DeadLetters(TypedDict):
    destination: str
    code: int | None
    reason: str
    count: Count


class FigureSaid(TypedDict):
    """A number as a decimal string, or a text where it is no number."""

    label: str
    value: str | None
    unit: str


class About(TypedDict):
    kind: str
    id: str
    name: str


class FindingSaid(TypedDict):
    """`explained_by` are the checks whose findings are the cause: it is silenced unless empty."""

    check: str
    family: Family
    severity: Severity
    certainty: Certainty
    silenced: bool
    subject: About
    says: str
    expected: FigureSaid
    found: FigureSaid
    do: str
    source: str
    since: Date | None
    at_stake: Amount | None
    details: list[FigureSaid]
    explained_by: list[str]
    changed_before: list[str]


class CheckSaid(TypedDict):
    check: str
    title: str
    state: State
    why: str


class Change(TypedDict):
    """Somebody changed something in the ad account."""

    at: Moment
    kind: str
    id: str
    what: str


class AdvertiserAudit(TypedDict):
    account: Account
    period: Days
    verdict: Said
    worst: Severity | None
    partial: Annotated[bool, Field(description="facts were missing: not everything was judged")]
    money: MoneyPart
    funnels: list[Funnel]
    coverage: list[KeyCoverage]
    not_delivered: list[NotDelivered]
    dead_letters: list[DeadLetters]
    findings: Annotated[list[FindingSaid], Field(description="worst first, silenced ones last")]
    checks: list[CheckSaid]
    changes: list[Change]
    gathered: list[PartRead]


class AuditDocument(TypedDict):
    """Whether the money spent matches the conversions that happened, one account each."""

    format: Annotated[int, Field(description="grows when a reader has to change")]
    version: Annotated[str, Field(description="of the relay")]
    made_at: Moment
    audits: list[AdvertiserAudit]


_ADAPTER: Final[TypeAdapter[Any]] = TypeAdapter(AuditDocument)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document, for `schemas/audit.schema.json`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Audit of conversions against spend",
        "description": "What `relay audit --json` writes. null: nothing can be said, never 0. "
        "Readers pass over fields that they do not know; `format` grows when one has to change.",
        **_ADAPTER.json_schema(),
    }
