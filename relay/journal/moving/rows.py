"""The rows of a moved journal: values, and the JSON they are written as. Pure.

Every row is an object with a `kind`; `relay.contracts.journal_export` says what stands in each.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, NamedTuple

import orjson

from relay.journal import issues, ledger, sample
from relay.journal.issues import Row as IssueCounts
from relay.journal.ledger import Row as LedgerSums
from relay.journal.sample import Sample
from relay.model import Attempt, DeadLetter, FieldIssue, Outcome, Reason


class Moved(NamedTuple):
    """An arrival with its story; `outcome` is None while it waits.

    `claim` is None for what never was an event, `body` for what ended at the door. `unknown_since`
    is the time of the first attempt that TikTok may have taken without our knowing.
    """

    destination: str
    receipt: str
    source: str
    accepted_at: float
    event: str | None
    event_id: str | None
    order_id: str | None
    event_time: int | None
    test_event_code: str | None = None
    value: str | None = None
    currency: str | None = None
    match_keys: int = 0
    claim: bytes | None = None
    body: bytes | None = None
    errors: Sequence[FieldIssue] = ()
    outcome: Outcome | None = None
    reason: Reason | None = None
    settled_at: float | None = None
    unknown_since: float | None = None
    attempts: Sequence[Attempt] = ()

    @property
    def ended_at_door(self) -> bool:
        """It never waited."""
        return self.body is None or self.outcome is Outcome.DUPLICATE


class Claim(NamedTuple):
    """Who owns an event, or a receipt that may come again: a tag of the receipt, and since when.

    `destination` is None where the journal mixed it into `claim` (see `distributed.claims`).
    """

    destination: str | None
    claim: bytes
    tag: tuple[int, int]
    at: float


class Remembered(NamedTuple):
    """What a source keeps between two webhooks; of equal keys the newest holds."""

    key: bytes
    value: bytes
    at: float


class Ledger(NamedTuple):
    """Sums of one hour (since 1970, UTC), destination and event, by outcome."""

    hour: int
    destination: str
    event: str
    sums: LedgerSums


class Issues(NamedTuple):
    """What was wrong with fields, of one hour, destination and event."""

    hour: int
    destination: str
    event: str
    counts: IssueCounts


class Note(NamedTuple):
    """See `protocol.Notes`."""

    key: str
    value: bytes


class Total(NamedTuple):
    """A destination's counters, all that was forgotten since included; what is open is moved by
    its own rows."""

    destination: str
    settled: int


Row = Moved | Claim | Remembered | DeadLetter | Ledger | Issues | Sample | Note | Total


class NotARow(ValueError):
    """This line is no row of a journal."""


def pack(row: Row) -> bytes:
    """The line, without its end."""
    kind, packed = _PACKERS[type(row)]
    return orjson.dumps({"kind": kind, **packed(row)})


def unpack(line: bytes) -> Row:
    """Raises `NotARow`."""
    try:
        said = orjson.loads(line)
        row: Row = _UNPACKERS[said.pop("kind")](said)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise NotARow(f"not a row of a journal ({type(error).__name__})") from None
    return row


def kind_of(row: Row) -> str:
    return _PACKERS[type(row)][0]


def destination_of(row: Row) -> str | None:
    """Whose row it is; None for what belongs to none."""
    found: str | None = getattr(row, "destination", None)
    return found


# --- each kind ------------------------------------------------------------------------------------


def _moved(row: Moved) -> dict[str, Any]:
    """What is absent is left out: most rows lack most of it."""
    said: dict[str, Any] = {
        name: each for name, each in row._asdict().items() if each not in (None, (), [])
    }
    if row.claim is not None:
        said["claim"] = row.claim.hex()
    if row.body is not None:
        said["body"] = row.body.decode()
    if row.errors:
        said["errors"] = _pairs(row.errors)
    if row.attempts:
        said["attempts"] = [
            {name: each for name, each in asdict(attempt).items() if each is not None}
            for attempt in row.attempts
        ]
    return said


def _read_moved(said: dict[str, Any]) -> Moved:
    get = said.get
    return Moved(
        said["destination"], said["receipt"], said["source"], said["accepted_at"],
        get("event"), get("event_id"), get("order_id"), get("event_time"),
        get("test_event_code"), get("value"), get("currency"), get("match_keys", 0),
        _unhexed(get("claim")), _bytes(get("body")), _issues(get("errors", ())),
        None if get("outcome") is None else Outcome(said["outcome"]),
        None if get("reason") is None else Reason(said["reason"]),
        get("settled_at"), get("unknown_since"),
        [Attempt(**each) for each in get("attempts", ())],
    )  # fmt: skip


def _claim(row: Claim) -> dict[str, Any]:
    return {**row._asdict(), "claim": row.claim.hex()}


def _read_claim(said: dict[str, Any]) -> Claim:
    crc, adler = said["tag"]
    return Claim(said["destination"], bytes.fromhex(said["claim"]), (crc, adler), said["at"])


def _remembered(row: Remembered) -> dict[str, Any]:
    return {"key": row.key.hex(), "value": b64encode(row.value).decode(), "at": row.at}


def _read_remembered(said: dict[str, Any]) -> Remembered:
    return Remembered(bytes.fromhex(said["key"]), b64decode(said["value"]), said["at"])


def _letter(row: DeadLetter) -> dict[str, Any]:
    wire = None if row.wire is None else row.wire.decode()
    return {**asdict(row), "wire": wire, "errors": _pairs(row.errors)}


def _read_letter(said: dict[str, Any]) -> DeadLetter:
    said["wire"] = _bytes(said["wire"])
    said["errors"] = _issues(said["errors"])
    said["outcome"], said["reason"] = Outcome(said["outcome"]), Reason(said["reason"])
    return DeadLetter(**said)


def _ledger(row: Ledger) -> dict[str, Any]:
    return {**row._asdict(), "sums": orjson.Fragment(ledger.pack_row(row.sums))}


def _read_ledger(said: dict[str, Any]) -> Ledger:
    sums = ledger.unpack_row(orjson.dumps(said["sums"]))
    return Ledger(said["hour"], said["destination"], said["event"], sums)


def _issue_counts(row: Issues) -> dict[str, Any]:
    return {**row._asdict(), "counts": orjson.Fragment(issues.pack_row(row.counts))}


def _read_issue_counts(said: dict[str, Any]) -> Issues:
    counts = issues.unpack_row(orjson.dumps(said["counts"]))
    return Issues(said["hour"], said["destination"], said["event"], counts)


def _sample(row: Sample) -> dict[str, Any]:
    return {"destination": row.destination, "sample": orjson.Fragment(sample.pack(row))}


def _read_sample(said: dict[str, Any]) -> Sample:
    return sample.unpack(said["destination"], orjson.dumps(said["sample"]))


def _note(row: Note) -> dict[str, Any]:
    return {"key": row.key, "value": b64encode(row.value).decode()}


def _read_note(said: dict[str, Any]) -> Note:
    return Note(said["key"], b64decode(said["value"]))


def _total(row: Total) -> dict[str, Any]:
    return row._asdict()


def _read_total(said: dict[str, Any]) -> Total:
    return Total(said["destination"], said["settled"])


_PACKERS: Final[Mapping[type, tuple[str, Callable[[Any], dict[str, Any]]]]] = {
    Moved: ("arrival", _moved),
    Claim: ("claim", _claim),
    Remembered: ("remembered", _remembered),
    DeadLetter: ("dead_letter", _letter),
    Ledger: ("ledger", _ledger),
    Issues: ("issues", _issue_counts),
    Sample: ("sample", _sample),
    Note: ("note", _note),
    Total: ("total", _total),
}
_UNPACKERS: Final[Mapping[str, Callable[[dict[str, Any]], Row]]] = {
    "arrival": _read_moved,
    "claim": _read_claim,
    "remembered": _read_remembered,
    "dead_letter": _read_letter,
    "ledger": _read_ledger,
    "issues": _read_issue_counts,
    "sample": _read_sample,
    "note": _read_note,
    "total": _read_total,
}

#: Every kind of row, as the trailer counts them.
KINDS: Final = tuple(_UNPACKERS)


def _pairs(errors: Sequence[FieldIssue]) -> list[list[str]]:
    return [[field, reason] for field, reason in errors]


def _issues(pairs: Sequence[Sequence[str]]) -> list[FieldIssue]:
    return [FieldIssue(field, reason) for field, reason in pairs]


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def _unhexed(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)
