"""How far an import is, kept in the journal it goes into. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from relay.journal.moving.rows import Moved, Total


@dataclass(slots=True)
class Standing:
    """`rows` of the file are in the journal, all of it when `done`. `journals` are those that the
    file holds. `found` counts what became of the rows by a word, `settled` the ended arrivals by
    destination. `keeps_samples` says whether the digests of the file's samples mean here what they
    meant there."""

    rows: int = 0
    done: bool = False
    keeps_samples: bool = True
    journals: Sequence[str] = ()
    found: Counter[str] = field(default_factory=Counter)
    settled: Counter[str] = field(default_factory=Counter)

    def pack(self) -> bytes:
        return orjson.dumps(
            {
                "rows": self.rows,
                "done": self.done,
                "keeps_samples": self.keeps_samples,
                "journals": list(self.journals),
                "found": dict(self.found),
                "settled": dict(self.settled),
            }
        )

    def copy(self) -> Standing:
        return unpack(self.pack())

    # --- counting ---------------------------------------------------------------------------------

    def ended(self, moved: Moved) -> None:
        self.found["settled"] += 1
        self.settled[moved.destination] += 1

    def forgotten(self, total: Total) -> int:
        """Arrivals that ended and are past their time: no row tells of them."""
        return max(0, total.settled - self.settled[total.destination])


def unpack(value: bytes) -> Standing:
    said: dict[str, Any] = orjson.loads(value)
    return Standing(
        said["rows"],
        said["done"],
        said["keeps_samples"],
        tuple(said["journals"]),
        Counter(said["found"]),
        Counter(said["settled"]),
    )
