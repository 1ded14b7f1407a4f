"""A search of every byte that the relay wrote for identifiers as people write them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from relay.demo.payloads import FRAGMENTS
from relay.demo.sums import Searched
from relay.journal.rocksdb.folder import Folder
from relay.journal.rocksdb.scan import rows

_BEHIND_ALL = b"\xff" * 24


def search(journal: Path, log: Path, *, identifiers: int) -> Searched:
    """Files as they are, and the journal's rows once more, because its files are compressed.

    Every identifier of the demo's people holds one of `FRAGMENTS`; so few can be looked for in
    megabytes.
    """
    found = size = 0
    wanted = [fragment.lower().encode() for fragment in FRAGMENTS]
    for piece in (*_files(journal), log.read_bytes(), *_rows(journal)):
        size += len(piece)
        lowered = piece.lower()
        found += sum(lowered.count(fragment) for fragment in wanted)
    return Searched(identifiers, found, size)


def _files(journal: Path) -> Iterator[bytes]:
    for path in sorted(journal.rglob("*")):
        if path.is_file():
            yield path.read_bytes()


def _rows(journal: Path) -> Iterator[bytes]:
    folder = Folder(journal, read_only=True)
    try:
        for name in sorted(folder.names):
            for key, value in rows(folder.family(name), b"", _BEHIND_ALL):
                yield key + value
    finally:
        folder.close()
