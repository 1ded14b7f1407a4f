"""A file of conversions, a line at a time, whatever its form: NDJSON or CSV, plain or gzipped.

Whatever the form, a line comes out as JSON, so that what takes it needs to know one form only.
Memory holds a line, never the file.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import orjson

from relay.cli.columns import Columns
from relay.errors import RelayError

#: A longer line is no conversion; a file without line breaks is not read into memory.
MAX_LINE_BYTES = 2 * 1024 * 1024

_HASH_STEP = 1024 * 1024


class FileUnusable(RelayError):
    """The file cannot be imported as it is."""


class Row(NamedTuple):
    """A line of the file: its number (from 1), its conversion as JSON, and how many bytes of the
    file are read. `body` is None for a line that cannot be one; `problem` says why: it is longer
    than `MAX_LINE_BYTES`, or has more cells than the header names."""

    number: int
    body: bytes | None
    read_bytes: int
    problem: str = "too_large"


@dataclass(frozen=True, slots=True)
class Table:
    """How a CSV file's rows become JSON: by the names of its columns, or as they are."""

    canonical: bool
    on_unknown: Callable[[list[str]], None]


def digest_of(path: Path, progress: Callable[[int], None]) -> str:
    """The file's SHA-256 in hex; `progress` is told the bytes of each step."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_HASH_STEP):
            digest.update(piece)
            progress(len(piece))
    return digest.hexdigest()


def is_csv(path: Path) -> bool:
    """By the file's name: `.csv` and `.tsv`, with or without `.gz`."""
    return (
        path.with_suffix("").suffix == ".csv"
        if path.suffix == ".gz"
        else (path.suffix in (".csv", ".tsv"))
    )


def json_lines(path: Path) -> Iterator[Row]:
    """The lines of an NDJSON file that hold something. Raises `FileUnusable`."""
    with path.open("rb") as raw, _plain(raw, path) as stream:
        number = 0
        while line := stream.readline(MAX_LINE_BYTES):
            number += 1
            body: bytes | None = line.strip(b" \t\r\n\0")
            if number == 1:
                body = _begun(line.removeprefix(codecs.BOM_UTF8).strip())
            if not line.endswith(b"\n") and len(line) == MAX_LINE_BYTES:
                _skip_line(stream)
                body = None
            if body is None or body:
                yield Row(number, body, raw.tell())


def _begun(line: bytes) -> bytes:
    if line.startswith(b"["):
        raise FileUnusable("the file is one JSON array: write one object a line (`jq -c '.[]'`)")
    if line == b"{":
        raise FileUnusable("its JSON runs over several lines: write one object a line (`jq -c .`)")
    return line


def _skip_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
        pass


def table_rows(path: Path, table: Table) -> Iterator[Row]:
    """The rows of a CSV file below its header; the number is that of a row's last line.

    Raises `FileUnusable`.
    """
    with path.open("rb") as raw, _plain(raw, path) as stream:
        lines = _decoded(stream)
        first = next(lines, "")
        delimiter = _delimiter(first)
        header = next(csv.reader([first], delimiter=delimiter), [])
        make = _maker(header, table)
        reader = csv.reader(lines, delimiter=delimiter)
        try:
            for row in reader:
                number = reader.line_num + 1
                if any(row[len(header) :]):  # a separator too many moves what stands behind it
                    yield Row(number, None, raw.tell(), "more_cells_than_columns")
                elif any(row):
                    yield Row(number, orjson.dumps(make(row)), raw.tell())
        except csv.Error:
            raise FileUnusable(f"line {reader.line_num + 1} cannot be read as CSV") from None


def _decoded(stream: BinaryIO) -> Iterator[str]:
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        if len(line) == MAX_LINE_BYTES:
            raise FileUnusable(f"line {number} is longer than any conversion")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            # Not `from exc`: the exception holds the bytes.
            raise FileUnusable(f"line {number} is not UTF-8: save it as CSV, UTF-8") from None


def _delimiter(header: str) -> str:
    return max(",;\t|", key=header.count)


def _maker(header: list[str], table: Table) -> Callable[[list[str]], object]:
    if not table.canonical:
        return lambda row: {name: cell for name, cell in zip(header, row, strict=False) if cell}
    columns = Columns(header)
    if columns.missing:
        missing = ", ".join(columns.missing)
        raise FileUnusable(
            f"its first line names no column {missing}; it named: {', '.join(header)}"
        )
    if columns.unknown:
        table.on_unknown(columns.unknown)
    return columns.conversion


def _plain(raw: BinaryIO, path: Path) -> BinaryIO:
    """The file's content, unzipped where it is gzipped, however it is called."""
    head = raw.read(2)
    raw.seek(0)
    if head == b"\x1f\x8b":
        return cast("BinaryIO", gzip.GzipFile(fileobj=raw))
    if path.suffix == ".gz":
        raise FileUnusable("it is called .gz and is not gzipped")
    return raw
