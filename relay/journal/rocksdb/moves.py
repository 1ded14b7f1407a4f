"""Which journals a folder holds: its own, and those that were imported; how far each import is."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rocksdict import WriteBatch

from relay.errors import MoveRefused
from relay.journal import layout
from relay.journal.moving.stream import Header
from relay.journal.rocksdb.folder import META, Folder
from relay.journal.rocksdb.trouble import reachable

_KEY = b"moves"
_ID_LETTERS = 32


@dataclass(slots=True)
class Move:
    """An import: the journals it brings, so many lines of the file that are stored, and how many
    samples, what was known already, and what ended as a duplicate."""

    journals: list[str]
    began_at: float
    lines: int = 0
    finished: bool = False
    samples: int = 0
    told: dict[str, int] = field(default_factory=dict)


def own_id(path: Path) -> str:
    """What names this folder's journal among all others. Raises `JournalUnavailable`."""
    with reachable():
        identity = (path / "db" / "IDENTITY").read_bytes()
    return hashlib.sha256(identity.strip()).hexdigest()[:_ID_LETTERS]


def read(folder: Folder) -> dict[str, Move]:
    """By export."""
    stored = layout.parse(folder.get(META, _KEY) or b"{}")
    return {export: Move(**move) for export, move in stored.items()}


def store(folder: Folder, moves: dict[str, Move], batch: WriteBatch) -> None:
    said = {export: asdict(move) for export, move in moves.items()}
    batch.put(_KEY, layout.json(said), folder.handle(META))


def journals(folder: Folder) -> list[str]:
    """The journals whose content is here, its own first."""
    found = [own_id(folder.path)]
    for move in read(folder).values():
        found += [each for each in move.journals if each not in found]
    return found


def check(header: Header, known: dict[str, Move], held: list[str]) -> None:
    """Raises `MoveRefused` where some of the export is here already, but not by this very import."""
    if header.export in known:
        return
    if any(not move.finished for move in known.values()):
        raise MoveRefused(
            "an import of another file is unfinished: finish that first, with the same command and "
            "that file"
        )
    refuse_held(header, held)


def refuse_held(header: Header, held: list[str]) -> None:
    """Raises `MoveRefused` where the target holds some of the export already."""
    if set(header.journals) & set(held):
        raise MoveRefused(
            "this journal holds some of it already (an earlier export, or the journal that was "
            "exported): its sums would count twice. Import into a new journal"
        )
