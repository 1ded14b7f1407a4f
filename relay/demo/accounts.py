"""What the journal holds, read row by row from its files: every arrival, and how it ended.

Nothing here asks the relay: it could be wrong about itself. It may run meanwhile.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from relay.journal.rocksdb import listing as listing_of
from relay.model import Counts, DeadLetter

#: How an arrival ended; "waiting" where it has not.
WAITING = "waiting"


@dataclass(slots=True)
class Accounts:
    """`outcomes` counts arrivals by (source, outcome), `receipts` those of a source by the request
    (or file) that brought them; `counts` are the journal's own counters."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    receipts: Counter[tuple[str, str]] = field(default_factory=Counter)
    counts: list[Counts] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)

    def of(self, source: str | None = None, outcome: str | None = None) -> int:
        """How many arrivals, of this source, that ended so."""
        return sum(
            count
            for (its_source, its_outcome), count in self.outcomes.items()
            if source in (None, its_source) and outcome in (None, its_outcome)
        )


def read(path: Path) -> Accounts:
    """Every arrival of the journal at `path`. Raises `JournalError`."""
    listing = listing_of.read(path)
    accounts = Accounts(counts=list(listing.counts.values()), dead_letters=listing.dead_letters)
    for receipt, source, _, outcome in listing.arrivals:
        accounts.outcomes[source, outcome or WAITING] += 1
        accounts.receipts[source, receipt.rpartition("/")[0]] += 1
    return accounts
