"""A header first, a trailer last, and a digest of all between. Pure.

    {"kind": "header", "format": …, "version": 1, "made_at": …, "relay": …, "mode": …,
     "destinations": […], "journals": […], "salt": …}
    rows, see `rows`
    {"kind": "end", "rows": …, "counts": {…}, "contents": …, "sha256": …}

`contents` is the SHA-256 of the rows alone, which names an import; `sha256` that of every byte
before the trailer.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from relay.errors import RelayError
from relay.journal.moving.rows import Row, kind_of, pack

FORMAT: Final = "tiktok-conversions-relay/journal"
VERSION: Final = 1

_END: Final = b'{"kind":"end"'
_DAMAGED: Final = "it is damaged: what it holds is not what its trailer says; copy it once more"


class FileUnusable(RelayError):
    """This file cannot be imported: it is no whole, sound export of a journal."""


class Header(NamedTuple):
    """Whose journal it is: `mode` is `embedded` or `distributed`, `journals` names it and those
    that were moved into it, `salt` is that of its samples, None where nothing was ever sampled."""

    made_at: float
    relay: str
    mode: str
    destinations: Sequence[str]
    journals: Sequence[str]
    salt: bytes | None


class Trailer(NamedTuple):
    """How many rows there are, by kind, and what they are known by."""

    rows: int
    counts: Mapping[str, int]
    contents: str


class Framer:
    """Makes the lines of a file, each with its end."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._whole = hashlib.sha256()
        self._rows = hashlib.sha256()

    def header(self, header: Header) -> bytes:
        salt = None if header.salt is None else header.salt.hex()
        said = {"kind": "header", "format": FORMAT, "version": VERSION, **header._asdict()}
        line = orjson.dumps({**said, "salt": salt}) + b"\n"
        self._whole.update(line)
        return line

    def row(self, row: Row) -> bytes:
        line = pack(row) + b"\n"
        self.take(line, kind_of(row))
        return line

    def take(self, line: bytes, kind: str) -> None:
        self.counts[kind] += 1
        self._whole.update(line)
        self._rows.update(line)

    def take_header(self, line: bytes) -> None:
        self._whole.update(line)

    def trailer(self) -> Trailer:
        return Trailer(self.counts.total(), dict(sorted(self.counts.items())), self._contents())

    def _contents(self) -> str:
        return self._rows.hexdigest()

    def end(self) -> bytes:
        rows, counts, contents = self.trailer()
        said = {
            "kind": "end", "rows": rows, "counts": counts, "contents": contents,
            "sha256": self._whole.hexdigest(),
        }  # fmt: skip
        return orjson.dumps(said) + b"\n"


def read_header(line: bytes) -> Header:
    """Raises `FileUnusable`."""
    said = _object(line)
    if said is None or said.get("format") != FORMAT or said.get("kind") != "header":
        raise FileUnusable("it is no export of a journal; `relay journal export` makes one")
    if said.get("version") != VERSION:
        raise FileUnusable(
            f"it has version {said.get('version')}, this relay knows {VERSION}: use the release "
            "that made it, or a newer one"
        )
    try:
        salt = said["salt"]
        return Header(
            float(said["made_at"]), str(said["relay"]), str(said["mode"]),
            [str(each) for each in said["destinations"]],
            [str(each) for each in said["journals"]],
            None if salt is None else bytes.fromhex(salt),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        raise FileUnusable(_DAMAGED) from None


def check(lines: Iterable[bytes]) -> tuple[Header, Trailer]:
    """Read a file to its end, and say what it holds. Raises `FileUnusable` for any that is not
    what was written, to the last byte."""
    reading = iter(lines)
    first = next(reading, b"")
    header = read_header(first)
    framer = Framer()
    framer.take_header(first)
    for line in reading:
        if line.startswith(_END):
            if line != framer.end() or next(reading, None) is not None:
                raise FileUnusable(_DAMAGED)
            return header, framer.trailer()
        framer.take(line, _kind(line))
    raise FileUnusable("it ends before its trailer: it was cut off; export or copy it once more")


def rows_of(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a file that was checked, without header and trailer."""
    reading = iter(lines)
    next(reading, None)
    for line in reading:
        if line.startswith(_END):
            return
        yield line


def _kind(line: bytes) -> str:
    """Of a row as `rows.pack` writes it, where the kind comes first."""
    begin, _, rest = line.partition(b'{"kind":"')
    if begin or not rest:
        raise FileUnusable(_DAMAGED)
    return rest[:32].partition(b'"')[0].decode(errors="replace")


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return said if isinstance(said, dict) else None
