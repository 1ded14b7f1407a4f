"""What RocksDB says went wrong, in our words.

`rocksdict` raises a bare `Exception` with RocksDB's text for everything, so the text decides.
"""

from __future__ import annotations

from relay.errors import JournalUnavailable

_LONGEST = 300


class Damaged(JournalUnavailable):
    """Records on disk are not what was written; `mend` makes the rest usable again."""


def translated(error: Exception) -> JournalUnavailable:
    """The error to raise in place of RocksDB's: `Damaged`, or just unavailable.

    Only what RocksDB itself calls a corruption is damage. An input/output error may be gone with
    the next attempt, and a file that is missing may come back with its folder.
    """
    if isinstance(error, JournalUnavailable):
        return error
    text = str(error)[:_LONGEST]
    if "Corruption" in text or "rocksdict-config.json" in text:
        return Damaged(f"the journal is damaged: {text}")
    return JournalUnavailable(f"the journal's database says: {text}")
