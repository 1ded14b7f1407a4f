"""Claims, dead letters, books and notes of a folder as groups of an export. Nothing is passed by:
what cannot be read raises `Damaged`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from relay.journal import issues, layout, ledger, sample
from relay.journal.issues import IssueRow
from relay.journal.ledger import LedgerRow
from relay.journal.moving.gathering import gathered
from relay.journal.moving.groups import (
    Claims,
    Group,
    IssueRows,
    Letter,
    Letters,
    MovedClaim,
    NoteRows,
    Remembered,
    Samples,
    SumRows,
)
from relay.journal.queue import Queue
from relay.journal.rocksdb import attempt_rows
from relay.journal.rocksdb.append import NO_ENTRY
from relay.journal.rocksdb.folder import CLAIMS, DEAD, ISSUES, LEDGER, NOTES, SAMPLES, Folder
from relay.journal.rocksdb.scan import rows
from relay.journal.sample import Sample
from relay.model import Attempt, Entry, FieldIssue, Outcome, Reason

_CLAIMS_AT_ONCE = 1000


def claims(folder: Folder, queues: Sequence[Queue]) -> Iterator[Group]:
    """Those of what is settled; what waits brings its own."""
    for day in folder.days(CLAIMS):
        for queue in queues:
            yield from gathered(
                _claims_of(folder, queue, day),
                lambda found, name=queue.destination: Claims(name, found),  # type: ignore[misc]
                most=_CLAIMS_AT_ONCE,
            )


def _claims_of(folder: Folder, queue: Queue, day: str) -> Iterator[MovedClaim]:
    start, stop = layout.claim_key(queue.number, b""), layout.claim_key(queue.number + 1, b"")
    for key, value in rows(folder.family(CLAIMS + day), start, stop):
        seq, at, tag = layout.unpack_claim(value)
        if seq == NO_ENTRY or seq in queue.settled:
            yield MovedClaim(key[2:], at, tag)


# --- dead letters ---------------------------------------------------------------------------------


def letters(folder: Folder, queues: Sequence[Queue]) -> Iterator[Group]:
    by_lane = {queue.number: queue for queue in queues}
    found = (
        _letter(folder, by_lane[layout.dead_lane(key)], key, layout.parse(value))
        for key, value in _all(folder, DEAD)
        if layout.dead_lane(key) in by_lane
    )
    return gathered(found, Letters, lambda letter: len(letter.entry.body))


def _letter(folder: Folder, queue: Queue, key: bytes, stored: Mapping[str, Any]) -> Letter:
    refused = "body" not in stored
    attempt = stored.get("attempt")
    entry = Entry(
        0, stored["accepted_at"], stored["receipt"], stored["source"], stored["name"] or "",
        stored["event_id"] or "", stored["event_time"] or 0, stored["order_id"],
        stored.get("test_event_code"), stored.get("value"), stored.get("currency"),
        stored.get("match_keys", 0), stored.get("body", "").encode(),
    )  # fmt: skip
    if refused or "unknown_since" in stored:
        since = stored.get("unknown_since")
    else:
        since = attempt_rows.unknown_since(folder, queue, [layout.dead_seq(key)])
    return Letter(
        key.hex(), stored.get("at", stored["accepted_at"]), queue.destination, entry,
        Outcome(stored["outcome"]), Reason(stored["reason"]),
        None if attempt is None else Attempt(**attempt), stored["replayed_at"], since, refused,
        [FieldIssue(field, why) for field, why in stored.get("errors", ())],
        stored["name"], stored["event_id"], stored["event_time"],
    )  # fmt: skip


# --- books, notes, what sources remember ----------------------------------------------------------


def books(folder: Folder, queues: Sequence[Queue]) -> Iterator[Group]:
    names = {queue.number: queue.destination for queue in queues}
    yield from gathered(_sums(folder, names), SumRows)
    yield from gathered(_issues(folder, names), IssueRows)
    yield from gathered(_samples(folder, names), Samples)
    notes = ((key.decode(), value) for key, value in _all(folder, NOTES))
    yield from gathered(notes, NoteRows, lambda note: len(note[1]))
    yield from gathered(_remembered(folder), Remembered, lambda row: len(row[1]))


def _sums(folder: Folder, names: Mapping[int, str]) -> Iterator[LedgerRow]:
    for key, value in _all(folder, LEDGER):
        hour, lane, event = layout.ledger_place(key)
        if lane in names:
            for outcome, sums in ledger.unpack_row(value).items():
                yield LedgerRow(hour, names[lane], event, Outcome(outcome), sums)


def _issues(folder: Folder, names: Mapping[int, str]) -> Iterator[IssueRow]:
    for key, value in _all(folder, ISSUES):
        hour, lane, event = layout.ledger_place(key)
        if lane in names:
            for (field, reason), count in issues.unpack_row(value).items():
                yield IssueRow(hour, names[lane], event, field, reason, count)


def _samples(folder: Folder, names: Mapping[int, str]) -> Iterator[Sample]:
    for key, value in _all(folder, SAMPLES):
        name = names.get(layout.sample_lane(key))
        if name is not None:
            yield sample.unpack(name, value)


def _remembered(folder: Folder) -> Iterator[tuple[bytes, bytes, float]]:
    start = layout.REMEMBERED
    for day in folder.days(CLAIMS):
        for key, value in rows(folder.family(CLAIMS + day), start, start + b"\xff" * 64):
            yield key.removeprefix(start), value, layout.day_start(day)


def _all(folder: Folder, family: str) -> Iterator[tuple[bytes, bytes]]:
    """Every row; of a family that an earlier release did not know, none."""
    if family not in folder.names:
        return iter(())
    return rows(folder.family(family), layout.FIRST, layout.BEHIND_ALL)
