"""What a line of an export says: records of one kind, with all that they refer to. Pure.

`pack` makes the JSON object of a line, `unpack` the group again; `unpack` raises ValueError for
what no release wrote. The contract is `schemas/journal_export.schema.json`.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import InvalidOperation
from typing import Any, NamedTuple, cast

import orjson

from relay.journal import ledger, sample
from relay.journal.claim_keys import tag_number, tag_pair
from relay.journal.issues import IssueRow
from relay.journal.ledger import LedgerRow
from relay.journal.sample import Sample
from relay.model import Attempt, Entry, FieldIssue, Outcome, Reason

Json = dict[str, Any]


class End(NamedTuple):
    """How an event ended, and when (Unix seconds)."""

    outcome: Outcome
    reason: Reason
    at: float


class MovedEvent(NamedTuple):
    """An event with its story. `entry.seq` is nothing that outlives its journal: 0. `claim` has 16
    bytes; `attempts` are places in its group's; `end` is None while it waits. `unknown_since` is
    when TikTok may first have taken it without our having read its answer."""

    entry: Entry
    claim: bytes
    attempts: Sequence[int] = ()
    unknown_since: float | None = None
    end: End | None = None


class MovedRefusal(NamedTuple):
    """An arrival that ended at the door, `at` (Unix seconds)."""

    at: float
    receipt: str
    source: str
    name: str | None
    event_id: str | None
    order_id: str | None
    event_time: int | None
    outcome: Outcome
    reason: Reason
    errors: Sequence[FieldIssue]


class MovedMessage(NamedTuple):
    """A message of a topic that nobody has claimed yet: its key, value and head."""

    key: bytes
    value: bytes
    head: bytes


class MovedClaim(NamedTuple):
    """A claim, since when it holds, and the tag of the receipt that owns it."""

    claim: bytes
    at: float
    tag: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one destination: settled ones, or ones that wait."""

    destination: str
    attempts: Sequence[Attempt]
    events: Sequence[MovedEvent]
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class Refusals:
    """Arrivals of one destination that ended at the door."""

    destination: str
    refusals: Sequence[MovedRefusal]


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages of one destination's topic that nobody has claimed yet."""

    destination: str
    messages: Sequence[MovedMessage]


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims of what is settled. `destination` None: each is `claim_keys.key_of` its destination,
    which nobody knows any more."""

    destination: str | None
    claims: Sequence[MovedClaim]


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: as `model.DeadLetter`, with what the journals keep beside it."""

    letter_id: str
    at: float
    destination: str
    entry: Entry
    outcome: Outcome
    reason: Reason
    attempt: Attempt | None
    replayed_at: float | None
    unknown_since: float | None
    refused: bool
    errors: Sequence[FieldIssue]
    name: str | None = None
    event_id: str | None = None
    event_time: int | None = None


@dataclass(frozen=True, slots=True)
class Letters:
    letters: Sequence[Letter]


@dataclass(frozen=True, slots=True)
class SumRows:
    rows: Sequence[LedgerRow]


@dataclass(frozen=True, slots=True)
class IssueRows:
    rows: Sequence[IssueRow]


@dataclass(frozen=True, slots=True)
class Samples:
    rows: Sequence[Sample]


@dataclass(frozen=True, slots=True)
class NoteRows:
    """Notes: keys and values."""

    rows: Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Remembered:
    """What sources remember: key, value, and since when (Unix seconds)."""

    rows: Sequence[tuple[bytes, bytes, float]]


@dataclass(frozen=True, slots=True)
class Erasures:
    """Digests (64 hex) of people who asked to be forgotten, and when (Unix seconds)."""

    rows: Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """So many arrivals of a destination are settled and past their retention: counted, no more."""

    destination: str
    settled: int


Group = (
    Events | Refusals | Messages | Claims | Letters | SumRows | IssueRows | Samples | NoteRows
    | Remembered | Erasures | Forgotten
)  # fmt: skip


def size_of(group: Group) -> int:
    """How many records it holds."""
    return len(_rows_of(group))


def _rows_of(group: Group) -> Sequence[object]:
    match group:
        case Events(events=found):
            return found
        case Refusals(refusals=refused):
            return refused
        case Messages(messages=messages):
            return messages
        case Claims(claims=claims):
            return claims
        case Letters(letters=letters):
            return letters
        case Forgotten():
            return (group,)
        case _:
            return group.rows


def kind_of(group: Group) -> str:
    """The word that the file has for it."""
    if isinstance(group, Events):
        return "waiting" if group.waiting else "settled"
    return _KINDS[type(group)][0]


def pack(group: Group) -> Json:
    """The line's JSON object."""
    return {"kind": kind_of(group), **_KINDS[type(group)][1](group)}


def unpack(line: Mapping[str, Any]) -> Group:
    """Raises ValueError when it is no group."""
    try:
        return _READERS[line["kind"]](line)
    except (KeyError, TypeError, LookupError, InvalidOperation, AttributeError) as error:
        raise ValueError("not a line of an export") from error


# --- events ---------------------------------------------------------------------------------------

_ENTRY = Entry._fields[1:-1]  # without seq and body


def entry_row(entry: Entry) -> Json:
    """An entry's fields, the body as text."""
    return {**dict(zip(_ENTRY, entry[1:-1], strict=True)), "body": entry.body.decode()}


def row_entry(row: Mapping[str, Any]) -> Entry:
    """Raises LookupError and AttributeError when it is none."""
    return Entry._make((0, *[row[name] for name in _ENTRY], row["body"].encode()))


def _event_row(event: MovedEvent) -> Json:
    row = entry_row(event.entry)
    row["claim"] = event.claim.hex()
    if event.attempts:
        row["attempts"] = list(event.attempts)
    if event.unknown_since is not None:
        row["unknown_since"] = event.unknown_since
    if event.end is not None:
        row["end"] = list(event.end)
    return row


def _row_event(row: Mapping[str, Any]) -> MovedEvent:
    end = row.get("end")
    return MovedEvent(
        row_entry(row),
        bytes.fromhex(row["claim"]),
        row.get("attempts", ()),
        row.get("unknown_since"),
        None if end is None else End(Outcome(end[0]), Reason(end[1]), end[2]),
    )


def _events_line(group: Events) -> Json:
    return {
        "destination": group.destination,
        "attempts": [asdict(each) for each in group.attempts],
        "rows": [_event_row(each) for each in group.events],
    }


def _line_events(line: Mapping[str, Any]) -> Events:
    return Events(
        line["destination"],
        [Attempt(**each) for each in line["attempts"]],
        [_row_event(each) for each in line["rows"]],
        line["kind"] == "waiting",
    )


# --- arrivals that ended at the door, and messages nobody has claimed -----------------------------


def _pairs(errors: Sequence[FieldIssue]) -> list[list[str]]:
    return [list(error) for error in errors]


def _issues(pairs: Sequence[Sequence[str]]) -> list[FieldIssue]:
    return [FieldIssue(field, reason) for field, reason in pairs]


def _refusals_line(group: Refusals) -> Json:
    rows = [{**each._asdict(), "errors": _pairs(each.errors)} for each in group.refusals]
    return {"destination": group.destination, "rows": rows}


def _line_refusals(line: Mapping[str, Any]) -> Refusals:
    return Refusals(line["destination"], [_row_refusal(each) for each in line["rows"]])


def _row_refusal(row: Mapping[str, Any]) -> MovedRefusal:
    fields = {name: row[name] for name in MovedRefusal._fields}
    fields |= {
        "outcome": Outcome(row["outcome"]),
        "reason": Reason(row["reason"]),
        "errors": _issues(row["errors"]),
    }
    return MovedRefusal(**fields)


def _messages_line(group: Messages) -> Json:
    rows = [
        {"key": each.key.hex(), "value": each.value.decode(), "head": orjson.loads(each.head)}
        for each in group.messages
    ]
    return {"destination": group.destination, "rows": rows}


def _line_messages(line: Mapping[str, Any]) -> Messages:
    rows = [
        MovedMessage(bytes.fromhex(row["key"]), row["value"].encode(), orjson.dumps(row["head"]))
        for row in line["rows"]
    ]
    return Messages(line["destination"], rows)


# --- claims ---------------------------------------------------------------------------------------


def _claims_line(group: Claims) -> Json:
    rows = [[claim.hex(), at, tag_number(tag)] for claim, at, tag in group.claims]
    return {"destination": group.destination, "rows": rows}


def _line_claims(line: Mapping[str, Any]) -> Claims:
    rows = [MovedClaim(bytes.fromhex(claim), at, tag_pair(tag)) for claim, at, tag in line["rows"]]
    return Claims(line["destination"], rows)


# --- dead letters ---------------------------------------------------------------------------------


def _letters_line(group: Letters) -> Json:
    return {"rows": [_letter_row(each) for each in group.letters]}


def _letter_row(letter: Letter) -> Json:
    row: Json = {
        "id": letter.letter_id, "at": letter.at, "destination": letter.destination,
        **entry_row(letter.entry), "outcome": letter.outcome, "reason": letter.reason,
        "attempt": None if letter.attempt is None else asdict(letter.attempt),
        "replayed_at": letter.replayed_at, "unknown_since": letter.unknown_since,
        "errors": _pairs(letter.errors),
    }  # fmt: skip
    if letter.refused:
        row |= {
            "body": None, "name": letter.name, "event_id": letter.event_id,
            "event_time": letter.event_time,
        }  # fmt: skip
    return row


def _line_letters(line: Mapping[str, Any]) -> Letters:
    return Letters([_row_letter(row) for row in line["rows"]])


def _row_letter(row: Mapping[str, Any]) -> Letter:
    refused = row["body"] is None
    blank = {
        "body": row["body"] or "", "name": row["name"] or "", "event_id": row["event_id"] or "",
        "event_time": row["event_time"] or 0,
    }  # fmt: skip
    return Letter(
        row["id"], row["at"], row["destination"], row_entry({**row, **blank}),
        Outcome(row["outcome"]), Reason(row["reason"]),
        None if row["attempt"] is None else Attempt(**row["attempt"]),
        row["replayed_at"], row["unknown_since"], refused, _issues(row["errors"]),
        row["name"], row["event_id"], row["event_time"],
    )  # fmt: skip


# --- books ----------------------------------------------------------------------------------------


def _sums_line(group: SumRows) -> Json:
    rows = [
        [hour, destination, event, outcome, orjson.loads(ledger.pack_row({outcome: sums}))[outcome]]
        for hour, destination, event, outcome, sums in group.rows
    ]
    return {"rows": rows}


def _line_sums(line: Mapping[str, Any]) -> SumRows:
    return SumRows(
        [
            LedgerRow(
                hour, destination, event, Outcome(outcome),
                ledger.unpack_row(orjson.dumps({outcome: sums}))[outcome],
            )
            for hour, destination, event, outcome, sums in line["rows"]
        ]
    )  # fmt: skip


def _issues_line(group: IssueRows) -> Json:
    return {"rows": [list(asdict(each).values()) for each in group.rows]}


def _line_issues(line: Mapping[str, Any]) -> IssueRows:
    return IssueRows([IssueRow(*row) for row in line["rows"]])


def _samples_line(group: Samples) -> Json:
    rows = [[each.destination, *orjson.loads(sample.pack(each))] for each in group.rows]
    return {"rows": rows}


def _line_samples(line: Mapping[str, Any]) -> Samples:
    return Samples([sample.unpack(row[0], orjson.dumps(row[1:])) for row in line["rows"]])


# --- the rest -------------------------------------------------------------------------------------


def _text(value: bytes) -> str:
    return b64encode(value).decode()


def _notes_line(group: NoteRows) -> Json:
    return {"rows": [[key, _text(value)] for key, value in group.rows]}


def _line_notes(line: Mapping[str, Any]) -> NoteRows:
    return NoteRows([(key, b64decode(value, validate=True)) for key, value in line["rows"]])


def _remembered_line(group: Remembered) -> Json:
    return {"rows": [[_text(key), _text(value), at] for key, value, at in group.rows]}


def _line_remembered(line: Mapping[str, Any]) -> Remembered:
    return Remembered(
        [
            (b64decode(key, validate=True), b64decode(value, validate=True), at)
            for key, value, at in line["rows"]
        ]
    )


def _erasures_line(group: Erasures) -> Json:
    return {"rows": [list(row) for row in group.rows]}


def _line_erasures(line: Mapping[str, Any]) -> Erasures:
    return Erasures([(digest, at) for digest, at in line["rows"]])


def _forgotten_line(group: Forgotten) -> Json:
    return {"destination": group.destination, "settled": group.settled}


def _line_forgotten(line: Mapping[str, Any]) -> Forgotten:
    return Forgotten(line["destination"], line["settled"])


def _packing(pack_one: Callable[[Any], Json]) -> Callable[[Group], Json]:
    return cast("Callable[[Group], Json]", pack_one)


#: By type: the word in the file, and what packs it. `Events` has two words, see `kind_of`.
_KINDS: dict[type, tuple[str, Callable[[Group], Json]]] = {
    Events: ("settled", _packing(_events_line)),
    Refusals: ("door", _packing(_refusals_line)),
    Messages: ("unread", _packing(_messages_line)),
    Claims: ("claims", _packing(_claims_line)),
    Letters: ("letters", _packing(_letters_line)),
    SumRows: ("sums", _packing(_sums_line)),
    IssueRows: ("issues", _packing(_issues_line)),
    Samples: ("samples", _packing(_samples_line)),
    NoteRows: ("notes", _packing(_notes_line)),
    Remembered: ("remembered", _packing(_remembered_line)),
    Erasures: ("erasures", _packing(_erasures_line)),
    Forgotten: ("forgotten", _packing(_forgotten_line)),
}

_READERS: dict[str, Callable[[Mapping[str, Any]], Group]] = {
    "settled": _line_events,
    "waiting": _line_events,
    "door": _line_refusals,
    "unread": _line_messages,
    "claims": _line_claims,
    "letters": _line_letters,
    "sums": _line_sums,
    "issues": _line_issues,
    "samples": _line_samples,
    "notes": _line_notes,
    "remembered": _line_remembered,
    "erasures": _line_erasures,
    "forgotten": _line_forgotten,
}

#: Every word that a line of records may have, in the order in which a file has them.
KINDS = ("erasures", "forgotten", "settled", "door", "waiting", "unread", "claims", "letters",
         "sums", "issues", "samples", "notes", "remembered")  # fmt: skip

#: Counts by kind.
Counts = Counter[str]
