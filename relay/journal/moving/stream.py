"""An export as a stream of lines: header, groups, trailer. Pure.

The trailer holds the SHA-256 of everything before it and of itself without that digest, so a file
that was cut off, or changed in a single byte, is told from a whole one.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson

from relay.errors import MoveRefused
from relay.journal.moving import groups
from relay.journal.moving.groups import Group

FORMAT: Final = "relay-journal-export"
VERSION: Final = 1

_HEADER, _TRAILER = "header", "trailer"
_CUT_OFF = "it is cut off, or still being written: export once more"
_DAMAGED = "it is damaged: it is not what was exported. Copy it again, or export once more"


@dataclass(frozen=True, slots=True)
class Lane:
    """What a destination's counters said when the export began."""

    accepted: int
    settled: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Header:
    """`export` names this export, `journals` every journal whose content it holds, the first one
    being the one it was made of; `salt` is that of the digests in samples; `made_at` Unix
    seconds."""

    export: str
    made_at: float
    relay: str
    journal: str
    journals: tuple[str, ...]
    salt: str | None
    destinations: Mapping[str, Lane]


@dataclass(frozen=True, slots=True)
class Trailer:
    """How many lines came before, how many records of each kind, and whether the journal that they
    came from was sealed before this was written."""

    lines: int
    counts: Mapping[str, int]
    sealed: bool


@dataclass(frozen=True, slots=True)
class Whole:
    """What is known of an export that was read to its end and is sound."""

    header: Header
    trailer: Trailer


class Writer:
    """Makes the bytes of an export: `begin`, `line` for each group, `end`."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._lines = 0
        self.counts: Counter[str] = Counter()

    def begin(self, header: Header) -> bytes:
        said = {"kind": _HEADER, "format": FORMAT, "version": VERSION, **asdict(header)}
        return self._said(said)

    def line(self, group: Group) -> bytes:
        self.counts[groups.kind_of(group)] += groups.size_of(group)
        return self._said(groups.pack(group))

    def _said(self, said: Mapping[str, Any]) -> bytes:
        line = _dumps(said)
        self._digest.update(line)
        self._lines += 1
        return line

    def end(self, *, sealed: bool) -> bytes:
        return _sealed(self._digest, Trailer(self._lines, dict(self.counts), sealed))


def _sealed(digest: Any, trailer: Trailer) -> bytes:
    said = {"kind": _TRAILER, **asdict(trailer)}
    whole = digest.copy()
    whole.update(_dumps(said))
    return _dumps({**said, "sha256": whole.hexdigest()})


def _dumps(said: Mapping[str, Any]) -> bytes:
    return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)


def check(lines: Iterable[bytes]) -> Whole:
    """Read an export to its end. Raises `MoveRefused` unless it is whole and sound."""
    digest = hashlib.sha256()
    count = 0
    header: Header | None = None
    last = b""
    for line in lines:
        if header is None:
            header = _header(line)
        else:
            digest.update(last)
            count += 1  # of those before this one
        last = line
    if header is None:
        raise MoveRefused("it is empty: it is no export of a journal")
    trailer = _trailer(last)
    if trailer.lines != count or _sealed(digest, trailer) != last:
        raise MoveRefused(_DAMAGED)
    return Whole(header, trailer)


def read(lines: Iterable[bytes]) -> Iterator[tuple[int, Group]]:
    """The groups of an export that is sound, numbered from 1. Raises `MoveRefused`."""
    number = 0
    for line in lines:
        said = _loads(line)
        if said.get("kind") in (_HEADER, _TRAILER):
            continue
        number += 1
        try:
            yield number, groups.unpack(said)
        except ValueError:
            raise MoveRefused(
                f"its line {number + 1} cannot be read: a newer release wrote it, import with that"
            ) from None


def _header(line: bytes) -> Header:
    try:
        said = orjson.loads(line)
        if said["format"] != FORMAT:
            raise KeyError
    except (ValueError, LookupError, TypeError):
        raise MoveRefused("it is no export of a journal") from None
    if said["version"] != VERSION:
        raise MoveRefused(
            f"it has version {said['version']}, this relay reads {VERSION}: use the release that "
            f"wrote it ({said.get('relay')})"
        )
    try:
        lanes = {name: Lane(**lane) for name, lane in said["destinations"].items()}
        return Header(
            said["export"], said["made_at"], said["relay"], said["journal"],
            tuple(said["journals"]), said["salt"], lanes,
        )  # fmt: skip
    except (LookupError, TypeError, AttributeError):
        raise MoveRefused(_DAMAGED) from None


def _trailer(line: bytes) -> Trailer:
    if not line.endswith(b"\n"):
        raise MoveRefused(_CUT_OFF)
    said = _loads(line)
    if said.get("kind") != _TRAILER:
        raise MoveRefused(_CUT_OFF)
    try:
        return Trailer(said["lines"], said["counts"], said["sealed"])
    except LookupError:
        raise MoveRefused(_DAMAGED) from None


def _loads(line: bytes) -> Mapping[str, Any]:
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise MoveRefused(_DAMAGED) from None
    if not isinstance(said, dict):
        raise MoveRefused(_DAMAGED)
    return said
