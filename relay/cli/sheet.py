"""Rows of a result, as they come: a table for a person, CSV for a spreadsheet, JSON for a program.

CSV and JSON are written row by row, however many there are. A table has to know its rows before it
knows its columns' widths, so it takes a number of them and says when there are more.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final, Generic, NamedTuple, TypeVar

from relay.cli.cells import Cell, csv_line, json_line, plain
from relay.cli.terminal import console, say, table, write_line
from relay.errors import ConfigError, Mistake

T = TypeVar("T")


#: Signs between two columns of a table, and so many at least of a long text.
_BETWEEN: Final = 3
_LEAST_NAME: Final = 12


class Form(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def form_of(*, as_json: bool, as_csv: bool) -> Form:
    """Raises `ConfigError` for both."""
    if as_json and as_csv:
        raise ConfigError([Mistake("--csv", "stands beside --json", "Keep one of the two")])
    return Form.JSON if as_json else Form.CSV if as_csv else Form.TABLE


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """`name` heads the column in CSV, `title` in a table. `shown` is the cell of a table, where it
    is not the value's text. `fold` is for long texts; `spare` columns give way where a terminal is
    narrow; `in_table` and `in_csv` leave the column out there."""

    name: str
    value: Callable[[T], Cell]
    shown: Callable[[T], str] | None = None
    title: str | None = None
    right: bool = False
    fold: bool = False
    spare: bool = False
    in_table: bool = True
    in_csv: bool = True

    @property
    def head(self) -> str:
        return self.title or self.name.replace("_", " ")

    def text(self, row: T) -> str:
        return self.shown(row) if self.shown else plain(self.value(row))


class _Widths(NamedTuple):
    """Of a column: numbers and ids are never broken, heads between words only, names anywhere."""

    least: int
    full: int


class Sheet(Generic[T]):
    """Takes rows until it is full, and writes them; `rows` is how many. End it."""

    def __init__(
        self,
        columns: Sequence[Column[T]],
        form: Form,
        document: Callable[[T], object],
        *,
        most_rows: int,
    ) -> None:
        self.rows = 0
        self._form = form
        self._document = document
        self._most_rows = most_rows
        self._columns = [
            each for each in columns if (each.in_csv if form is Form.CSV else each.in_table)
        ]
        self._kept: list[T] = []
        if form is Form.CSV:
            self._write(csv_line(each.name for each in self._columns))

    def add(self, row: T) -> bool:
        """False when this row has no place, and no other will have."""
        if self._form is Form.TABLE:
            if len(self._kept) == self._most_rows:
                return False
            self._kept.append(row)
        elif self._form is Form.CSV:
            self._write(csv_line(each.value(row) for each in self._columns))
        else:
            write_line(json_line(self._document(row)))
        self.rows += 1
        return True

    def end(self, noun: str, *, is_cut: bool = False) -> None:
        """Write what was kept, and say what a person may wonder about. `noun` is of one row."""
        sys.stdout.flush()
        if self.rows == 0:
            say(f"no {noun}s")
        elif self._form is Form.TABLE:
            self._print()
        if is_cut:
            say(
                f"the first {self.rows:,} rows; there are more. --rows shows so many, "
                "--csv and --json have them all"
            )

    def _print(self) -> None:
        screen = console()
        filled = [each for each in self._columns if any(map(each.text, self._kept))]
        widths = {each.name: self._widths(each) for each in filled}
        columns = _fitting(filled, widths, screen.width)
        shown = table(
            *(each.head for each in columns),
            right=[each.head for each in columns if each.right],
            fold=[each.head for each in columns],
        )
        shared = _shared([widths[each.name] for each in columns], screen.width)
        for made, width in zip(shown.columns, shared, strict=True):
            made.width = width
        for row in self._kept:
            shown.add_row(*(each.text(row) for each in columns))
        screen.print(shown)

    def _widths(self, column: Column[T]) -> _Widths:
        from rich.cells import cell_len  # noqa: PLC0415  # as in `terminal`

        words = max(map(cell_len, column.head.split()))
        cells = max(cell_len(column.text(row)) for row in self._kept)
        least = max(words, min(cells, _LEAST_NAME) if column.fold else cells)
        return _Widths(least, max(cell_len(column.head), cells))

    @staticmethod
    def _write(line: bytes) -> None:
        sys.stdout.buffer.write(line)


def _fitting(
    columns: Sequence[Column[T]], widths: Mapping[str, _Widths], most: int
) -> list[Column[T]]:
    """The columns that a line of `most` signs has room for. What is left out is said: spare columns
    first, then from the right."""
    kept, gone = list(columns), []
    for each in sorted(columns[:0:-1], key=lambda column: not column.spare):
        if sum(widths[column.name].least + _BETWEEN for column in kept) <= most:
            break
        kept.remove(each)
        gone.append(each.head)
    if gone:
        say(f"the terminal is too narrow for: {', '.join(gone)}; --csv and --json have them")
    return kept


def _shared(widths: Sequence[_Widths], most: int) -> list[int]:
    """The width of each column in a line of `most` signs: who has most to spare gives first."""
    shared = [each.full for each in widths]
    over = sum(shared) + _BETWEEN * len(shared) - most
    for _ in range(over):
        spare = [width - each.least for width, each in zip(shared, widths, strict=True)]
        if max(spare) <= 0:
            break
        shared[spare.index(max(spare))] -= 1
    return shared


def number(value: object) -> str:
    """A count or a ratio for a table; nothing where it is not known."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    return "" if value is None else plain(str(value))
