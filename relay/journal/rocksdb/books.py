"""Sums, field issues, samples and notes, read from an open journal or a read-only one.

Everything here reads the disk: beside an event loop it belongs into a thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from relay.journal import issues, layout, ledger, sample
from relay.journal.issues import IssueRow
from relay.journal.ledger import LedgerRow
from relay.journal.rocksdb import notes
from relay.journal.rocksdb.folder import ISSUES, LEDGER, META, SAMPLES
from relay.journal.rocksdb.scan import pass_by, rows
from relay.journal.rocksdb.state import State
from relay.journal.sample import Sample
from relay.journal.sampling import Sampler
from relay.model import Outcome

#: A sample, and the key of its row.
Keyed = tuple[bytes, Sample]


class Books:
    """Hours count from 1970, UTC; `start_hour <= hour < end_hour`. A folder that an earlier release
    made, opened read-only, lacks what that did not know: then there is nothing."""

    def __init__(self, state: State) -> None:
        self._state = state

    def sums(self, destination: str | None, start_hour: int, end_hour: int) -> Iterator[LedgerRow]:
        """By hour."""
        for hour, name, event, value in self._tallies(LEDGER, destination, start_hour, end_hour):
            for outcome, sums in ledger.unpack_row(value).items():
                yield LedgerRow(hour, name, event, Outcome(outcome), sums)

    def issues(self, destination: str | None, start_hour: int, end_hour: int) -> Iterator[IssueRow]:
        """By hour."""
        for hour, name, event, value in self._tallies(ISSUES, destination, start_hour, end_hour):
            for (field, reason), count in issues.unpack_row(value).items():
                yield IssueRow(hour, name, event, field, reason, count)

    def _tallies(
        self, family: str, destination: str | None, start_hour: int, end_hour: int
    ) -> Iterator[tuple[int, str, str, bytes]]:
        names = self._names()
        start, stop = layout.ledger_key(start_hour, 0, ""), layout.ledger_key(end_hour, 0, "")
        if family not in self._state.folder.names:
            return
        for key, value in rows(self._state.folder.family(family), start, stop, pass_by):
            hour, lane, event = layout.ledger_place(key)
            name = names.get(lane)
            if name is not None and destination in (None, name):
                yield hour, name, event, value

    def _names(self) -> dict[int, str]:
        return {queue.number: name for name, queue in list(self._state.queues.items())}

    # --- samples ----------------------------------------------------------------------------------

    def samples(
        self, destination: str | None, start_hour: int, end_hour: int, *, behind: bytes = b""
    ) -> Iterator[Keyed]:
        """By hour of the event; those behind the key `behind`. What cannot be read is left out."""
        names = self._names()
        start = max(layout.sample_key(start_hour, 0, 0), behind + b"\0" if behind else b"")
        stop = layout.sample_key(end_hour, 0, 0)
        if SAMPLES not in self._state.folder.names:
            return
        for key, value in rows(self._state.folder.family(SAMPLES), start, stop, pass_by):
            name = names.get(layout.sample_lane(key))
            if name is not None and destination in (None, name):
                with suppress(ValueError):
                    yield key, sample.unpack(name, value)

    def sampler(self) -> Sampler | None:
        """Makes the digests of these samples; None where nothing was sampled yet."""
        salt = self._state.folder.get(META, b"salt")
        return None if salt is None else Sampler(salt)

    # --- notes ------------------------------------------------------------------------------------

    def notes(self, prefix: str, *, behind: str = "") -> Iterator[tuple[str, bytes]]:
        """In the order of their keys, those behind the key `behind`."""
        return notes.read(self._state.folder, prefix, behind=behind)
