"""What the relay knows: its ledger, its sample, its dead letters, its notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Final, NamedTuple, Protocol

from relay.audit.collecting.gathering import Gathering
from relay.audit.facts import Part, Refused, Target
from relay.journal.issues import IssueRow
from relay.journal.ledger import LedgerRow
from relay.journal.protocol import Note
from relay.journal.sample import Sample, within
from relay.model import DeadLetter

#: So many rows of the sample are held; of more, a smaller share.
_MOST_SAMPLES: Final = 100_000


class Books(Protocol):
    """The side of a journal that an audit reads, and where it leaves its notes. All of it raises
    `JournalUnavailable`."""

    def sums(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[LedgerRow]: ...

    def issues(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[IssueRow]: ...

    def samples(
        self, destination: str | None, start_hour: int, end_hour: int
    ) -> AsyncIterator[Sample]: ...

    def dead_letters(self, destination: str | None = None) -> AsyncIterator[DeadLetter]: ...

    def notes(self, prefix: str) -> AsyncIterator[Note]: ...

    async def put_note(self, key: str, value: bytes) -> None: ...

    async def drop_notes(self, prefix: str, before: str) -> None: ...


class Own(NamedTuple):
    """What the books say of some hours."""

    ledger: Sequence[LedgerRow]
    issues: Sequence[IssueRow]
    samples: Sequence[Sample]
    refused: Sequence[Refused]


async def read(
    books: Books, targets: Sequence[Target], start_hour: int, end_hour: int, gathering: Gathering
) -> Own:
    """The books of these destinations, of `start_hour <= hour < end_hour` (since 1970, UTC)."""
    names = [each.name for each in targets]

    async def sums() -> list[LedgerRow]:
        return [row for name in names async for row in books.sums(name, start_hour, end_hour)]

    async def issues() -> list[IssueRow]:
        return [row for name in names async for row in books.issues(name, start_hour, end_hour)]

    async def samples() -> list[Sample]:
        thinned = Thinned(_MOST_SAMPLES)
        for name in names:
            async for row in books.samples(name, start_hour, end_hour):
                thinned.take(row)
        return thinned.rows()

    async def letters() -> list[Refused]:
        return await _refused(books, names, start_hour * 3600.0)

    ledger = await gathering.asked(Part.LEDGER, sums) or []
    counted = await gathering.asked(Part.LEDGER, issues) or []
    gathering.note(Part.LEDGER, len(ledger))
    sampled = await gathering.asked(Part.SAMPLES, samples) or []
    gathering.note(Part.SAMPLES, len(sampled))
    refused = await gathering.asked(Part.LETTERS, letters) or []
    gathering.note(Part.LETTERS, len(refused))
    return Own(ledger, counted, sampled, refused)


async def _refused(books: Books, names: Sequence[str], since: float) -> list[Refused]:
    counts: Counter[tuple[str, int | None, str]] = Counter()
    for name in names:
        async for letter in books.dead_letters(name):
            if letter.at >= since:
                counts[name, letter.code, letter.reason.value] += 1
    return [Refused(*what, count) for what, count in sorted(counts.items(), key=str)]


class Thinned:
    """A sample in bounded memory: when there are too many rows, half of the orders and clicks go,
    by their digests, so that those that stay are whole."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._share = 1.0
        self._rows: list[Sample] = []

    def take(self, row: Sample) -> None:
        if self._share < 1.0 and not any(within([row], self._share)):
            return
        self._rows.append(row)
        if len(self._rows) > self._most:
            self._share /= 2
            self._rows = list(within(self._rows, self._share))

    def rows(self) -> list[Sample]:
        """Those that stayed; the share of each says how much of everything they are."""
        return [
            row if row.share <= self._share else row._replace(share=self._share)
            for row in self._rows
        ]
