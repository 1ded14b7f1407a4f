"""The file of a report: CSV, checked to be whole before a row of it counts. Pure.

TikTok does not say how many rows a file has. What shows that one was cut: a line with other columns
than the titles, an open quotation mark, half a character, no line break at the end. The last sign
is weak, for a file may simply end so: it is reported apart.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final

#: Lines between two chances for others to run.
BATCH: Final = 500


class Broken(Exception):
    """The file is not whole; the text says why. Never leaves this package."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file that was read to its end. `ends_with_newline` False: it may have lost rows."""

    titles: tuple[str, ...]
    rows: int
    ends_with_newline: bool


class Scan:
    """Counts the lines of `file`, some at a time: `for _ in scan: ...`, then `scan.table`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.table: Table | None = None

    def __iter__(self) -> Iterator[int]:
        """Yield how many rows were seen, every `BATCH` of them. Raises `Broken`."""
        ends_with_newline = _ends_with_newline(self._file)
        lines = _lines(self._file)
        titles = next(lines, None)
        if not titles or not any(titles):
            raise Broken("it has no titles")
        rows = 0
        for line in lines:
            rows += 1
            if len(line) != len(titles):
                raise Broken(f"row {rows} has {len(line)} columns of {len(titles)}")
            if rows % BATCH == 0:
                yield rows
        self.table = Table(tuple(titles), rows, ends_with_newline)


def batches(file: IO[bytes]) -> Iterator[list[list[str]]]:
    """The rows after the titles, some at a time."""
    lines = _lines(file)
    next(lines, None)
    batch: list[list[str]] = []
    for line in lines:
        batch.append(line)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _lines(file: IO[bytes]) -> Iterator[list[str]]:
    """The lines that are not empty. Raises `Broken`."""
    file.seek(0)
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        yield from (line for line in csv.reader(text, strict=True) if line)
    except (csv.Error, UnicodeDecodeError) as problem:
        raise Broken(f"it cannot be read as CSV ({type(problem).__name__})") from None
    finally:
        text.detach()  # `file` stays open


def _ends_with_newline(file: IO[bytes]) -> bool:
    if file.seek(0, io.SEEK_END) == 0:
        raise Broken("it is empty")
    file.seek(-1, io.SEEK_END)
    return file.read(1) in (b"\n", b"\r")
