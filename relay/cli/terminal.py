"""How commands speak: to a person in colours and tables, to a program in JSON.

Colours and moving bars are for terminals only; `NO_COLOR` switches the colours off.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal, NoReturn

import typer

from relay.errors import Mistake

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

EXIT_FAILED = 1
EXIT_MISTAKE = 2

RED, YELLOW, GREEN = "red", "yellow", "green"

#: Where there is no terminal to ask, lines may be so long.
_WIDTH = 160


def console(*, stderr: bool = False) -> Console:
    """A console for standard output, or standard error. Loading it takes a tenth of a second."""
    from rich.console import Console  # noqa: PLC0415  # see above

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def table(*columns: str, right: Sequence[str] = (), fold: Sequence[str] = ()) -> Table:
    """A plain table; the columns in `right` hold numbers, those in `fold` may be long."""
    from rich import box  # noqa: PLC0415  # as in `console`
    from rich.table import Table  # noqa: PLC0415  # as in `console`

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        side: Literal["right", "left"] = "right" if name in right else "left"
        made.add_column(name, justify=side, overflow="fold", no_wrap=name not in fold)
    return made


def write_json(value: object) -> None:
    """One JSON document on standard output, indented where a person reads it."""
    import orjson  # noqa: PLC0415  # only where JSON is asked for

    option = orjson.OPT_INDENT_2 if sys.stdout.isatty() else 0
    write_line(orjson.dumps(value, default=str, option=option | orjson.OPT_NON_STR_KEYS))


def write_line(line: bytes) -> None:
    """A line of a result, byte for byte."""
    sys.stdout.buffer.write(line + b"\n")


def say(text: str, *, color: str | None = None, bold: bool = False) -> None:
    """A line for a person, on standard error."""
    typer.echo(_painted(text, color, bold=bold), err=True)


def say_mistakes(mistakes: Iterable[Mistake]) -> None:
    """Every mistake, with its key and its mend."""
    found = list(mistakes)
    head = "1 mistake" if len(found) == 1 else f"{len(found)} mistakes"
    say(head, color=RED, bold=True)
    for mistake in found:
        _say_one(mistake, RED)


def say_warnings(mistakes: Iterable[Mistake]) -> None:
    """What is allowed, but probably not meant."""
    for mistake in mistakes:
        _say_one(mistake, YELLOW)


def _say_one(mistake: Mistake, color: str) -> None:
    typer.echo(f"  {_painted(mistake.key, color, bold=True)}  {mistake.problem}", err=True)
    typer.echo(f"    → {mistake.mend}", err=True)


def say_failure(failed: Exception) -> None:
    """What went wrong, in a sentence."""
    typer.echo(f"{_painted('failed', RED, bold=True)}  {failed}", err=True)


def fail(text: str, *, code: int = EXIT_FAILED) -> NoReturn:
    """Say why, and leave."""
    say(text, color=RED)
    raise typer.Exit(code)


def _painted(text: str, color: str | None, *, bold: bool) -> str:
    if not sys.stderr.isatty() or os.environ.get("NO_COLOR"):
        return text
    return typer.style(text, fg=color, bold=bold or None)
