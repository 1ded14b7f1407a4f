"""Notes in the folder: written with the group, read by prefix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rocksdict import WriteBatch

from relay.journal import layout
from relay.journal.rocksdb.folder import NOTES, Folder
from relay.journal.rocksdb.scan import pass_by, rows


@dataclass(frozen=True, slots=True)
class NoteJob:
    """A note to be kept."""

    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class DropNotesJob:
    """Notes to be forgotten: those whose keys begin so and sort before `before`."""

    prefix: str
    before: str


def write(folder: Folder, job: NoteJob | DropNotesJob, batch: WriteBatch) -> None:
    """Put the job into `batch`."""
    handle = folder.handle(NOTES)
    if isinstance(job, NoteJob):
        batch.put(job.key.encode(), job.value, handle)
        return
    start, stop = layout.note_range(job.prefix, job.before)
    if start < stop:
        batch.delete_range(start, stop, handle)


def read(folder: Folder, prefix: str, *, behind: str = "") -> Iterator[tuple[str, bytes]]:
    """In the order of their keys, those behind the key `behind`."""
    start, stop = layout.note_range(prefix)
    if NOTES not in folder.names:
        return
    if behind:
        start = max(start, behind.encode() + b"\0")
    for key, value in rows(folder.family(NOTES), start, stop, pass_by):
        yield key.decode(), value
