"""The rows of a moved journal, for `journal_export.schema.json`: what a line may be.

`relay.journal.moving` writes these as plain dicts, because that is quick; tests hold what it writes
against them.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter

# pydantic asks for the backport's TypedDict below Python 3.12, and brings the package itself.
from typing_extensions import TypedDict

from relay.journal.moving.framing import FORMAT, VERSION
from relay.model import Outcome, Reason

_CLOSED: Final = ConfigDict(extra="forbid")

At = Annotated[float, Field(ge=0, description="Unix seconds")]
Hour = Annotated[int, Field(ge=0, description="hours since 1970, UTC")]
Count = Annotated[int, Field(ge=0)]
Hex = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2})*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
JournalId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Claimed = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Base64 = Annotated[str, Field(json_schema_extra={"contentEncoding": "base64"})]
Wire = Annotated[str, Field(description="the event as TikTok gets it, byte for byte")]
Errors = Annotated[
    list[Annotated[list[str], Field(min_length=2, max_length=2)]],
    Field(description="a field and what is wrong with it, never its value"),
]


class Header(TypedDict):
    """The first line."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's documented way for a TypedDict

    kind: Literal["header"]
    format: Annotated[str, Field(json_schema_extra={"const": FORMAT})]
    version: Annotated[int, Field(json_schema_extra={"const": VERSION})]
    made_at: At
    relay: Annotated[str, Field(description="the release that made it")]
    mode: Literal["embedded", "distributed"]
    destinations: list[str]
    journals: Annotated[
        list[JournalId],
        Field(min_length=1, description="this journal, then those that were moved into it"),
    ]
    salt: Annotated[Hex | None, Field(description="of the digests in samples")]


class Attempt(TypedDict):
    """One call to TikTok; it may have carried other arrivals, too."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # as above

    attempt_id: str
    destination: str
    number: int
    started_at: At
    seconds: float
    events: Count
    size_bytes: Count
    verdict: str
    unknown: Annotated[bool, Field(description="TikTok may have taken the events")]
    status: NotRequired[int]
    code: NotRequired[int]
    message: NotRequired[str]
    request_id: NotRequired[str]
    error: NotRequired[str]


class Arrival(TypedDict):
    """An arrival with its story; without `outcome` it waits."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # as above

    kind: Literal["arrival"]
    destination: str
    receipt: str
    source: str
    accepted_at: At
    event: NotRequired[str]
    event_id: NotRequired[str]
    order_id: NotRequired[str]
    event_time: NotRequired[int]
    test_event_code: NotRequired[str]
    value: NotRequired[str]
    currency: NotRequired[str]
    match_keys: Count
    claim: NotRequired[Claimed]
    body: NotRequired[Wire]
    errors: NotRequired[Errors]
    outcome: NotRequired[Outcome]
    reason: NotRequired[Reason]
    settled_at: NotRequired[At]
    unknown_since: NotRequired[At]
    attempts: NotRequired[list[Attempt]]


class Claim(TypedDict):
    """Who owns an event or a receipt; without a destination that is mixed into `claim`."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # as above

    kind: Literal["claim"]
    destination: str | None
    claim: Claimed
    tag: Annotated[list[Count], Field(min_length=2, max_length=2)]
    at: At


class Remembered(TypedDict):
    """What a source keeps between two webhooks."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # as above

    kind: Literal["remembered"]
    key: Hex
    value: Base64
    at: At


class DeadLetter(TypedDict):
    """What was given up on."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # as above

    kind: Literal["dead_letter"]
    letter_id: str
    at: At
    receipt: str
    source: str
    destination: str
    event: str | None
    event_id: str | None
    order_id: str | None
    event_time: int | None
    accepted_at: At
    outcome: Outcome
    reason: Reason
    code: int | None
    message: str | None
    request_id: str | None
    attempts: Count
    replayed_at: At | None
    unknown_since: At | None
    wire: Wire | None
    test_event_code: str | None
    errors: Errors


class Ledger(TypedDict):
    """Sums by outcome, as the ledger keeps them."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # as above

    kind: Literal["ledger"]
    hour: Hour
    destination: str
    event: str
    sums: dict[Outcome, dict[str, Any]]


class Issues(TypedDict):
    """How often a field had which issue."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # as above

    kind: Literal["issues"]
    hour: Hour
    destination: str
    event: str
    counts: dict[str, dict[str, Count]]


class Sample(TypedDict):
    """A sampled delivery, as the journal keeps it: salted digests, no person."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # as above

    kind: Literal["sample"]
    destination: str
    sample: Annotated[list[Any], Field(min_length=12, max_length=12)]


class Note(TypedDict):
    """What an audit saw."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # as above

    kind: Literal["note"]
    key: str
    value: Base64


class Total(TypedDict):
    """How many arrivals of a destination ended, those that were forgotten since included."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # as above

    kind: Literal["total"]
    destination: str
    settled: Count


class End(TypedDict):
    """The last line: without it, or where it does not fit, the file is refused."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # as above

    kind: Literal["end"]
    rows: Count
    counts: dict[str, Count]
    contents: Annotated[Sha256, Field(description="of the rows: what an import is known by")]
    sha256: Annotated[Sha256, Field(description="of every byte before this line")]


Line = Annotated[
    Header | Arrival | Claim | Remembered | DeadLetter | Ledger | Issues | Sample | Note | Total
    | End,
    Field(discriminator="kind"),
]  # fmt: skip


def schema() -> dict[str, Any]:
    """Of one line; the first is a header, the last an end."""
    made = TypeAdapter(Line).json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of a moved journal",
        **made,
    }
