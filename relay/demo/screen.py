"""What a person sees of the demo: acts, lines as things happen, and tables at the end."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from relay.demo.accounts import Accounts
from relay.demo.http import Books
from relay.demo.sums import Equation
from relay.model import DeadLetter, Outcome

_WIDTH = 116

#: Outcomes in the order of the table, with their colours.
_OUTCOMES = {
    Outcome.DELIVERED: "green",
    Outcome.DUPLICATE: "cyan",
    Outcome.INVALID: "yellow",
    Outcome.WITHHELD: "yellow",
    Outcome.EXPIRED: "yellow",
    Outcome.REJECTED: "red",
}


class Screen:
    """Prints to standard output; colours and a spinner on a terminal only."""

    def __init__(self) -> None:
        width = None if sys.stdout.isatty() else _WIDTH
        self._console = Console(width=width, highlight=False, markup=False, emoji=False)
        self._act = 0

    def act(self, title: str) -> None:
        self._act += 1
        self._console.print()
        self._console.print(f"{self._act}  {title}", style="bold")

    def line(self, subject: str, text: str, *, style: str | None = None) -> None:
        table = Table.grid(padding=(0, 2))
        table.add_column(width=14, style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        table.add_row(f"   {subject}", text, style=style)
        self._console.print(table)

    def plain(self, text: str = "", *, style: str | None = None) -> None:
        self._console.print(text, style=style, soft_wrap=True)

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """A spinner while something takes its time."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(f"   {text}", spinner="dots"):
            yield

    def story(self, traces: Sequence[Mapping[str, Any]]) -> None:
        """One event's story, as `relay find` knows it."""
        self._console.print("\nOne of them, as `relay find` tells it", style="bold")
        for trace in traces:
            answers = [
                f"{attempt['code']} {attempt['verdict']} ({attempt['events']:,})"
                for attempt in trace["attempts"]
            ]
            self.line(trace["event_id"], f"{trace['event']}, receipt {trace['receipt']}")
            self.line("", " → ".join(answers))
            self.line("", f"{trace['outcome']}: {trace['reason']}")

    # --- the tables at the end --------------------------------------------------------------------

    def arrivals(self, books: Mapping[str, Books], accounts: Accounts) -> None:
        """What came in, by source, and how each arrival ended."""
        table = _table("What came in", "source", *_OUTCOMES, "arrivals", "no event", "forged")
        for source, book in books.items():
            ended = [accounts.of(source, outcome) for outcome in _OUTCOMES]
            table.add_row(
                source,
                *map(_number, [*ended, accounts.of(source), book.nothing, book.refused]),
            )
        ended = [accounts.of(outcome=outcome) for outcome in _OUTCOMES]
        nothing = sum(book.nothing for book in books.values())
        refused = sum(book.refused for book in books.values())
        table.add_section()
        table.add_row("together", *map(_number, [*ended, accounts.of(), nothing, refused]))
        for column, color in zip(table.columns[1:], _OUTCOMES.values(), strict=False):
            column.style = color
        self._console.print(table)

    def tiktok(self, codes: Mapping[str, int], effects: Mapping[str, Mapping[str, int]]) -> None:
        """What TikTok's stand-in answered and counted."""
        words = {
            "0": "accepted",
            "40002": "a field is wrong",
            "40100": "too many requests",
            "40105": "token revoked",
        }
        answers = _table("What TikTok answered", "code", "requests", "meaning")
        for code, count in sorted(codes.items(), key=lambda item: int(item[0])):
            answers.add_row(code, f"{count:,}", words.get(code, ""))
        counted = _table("What TikTok counted", "event source", "event", "events")
        for source, events in effects.items():
            for event, count in sorted(events.items()):
                counted.add_row(source, event, f"{count:,}")
        side = Table.grid(padding=(0, 6))
        side.add_row(answers, counted)
        self._console.print(side)

    def dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """What TikTok refused, in its own words."""
        table = _table("What TikTok refused, and why", "event", "event id", "code", "its words")
        for letter in letters:
            code = "" if letter.code is None else str(letter.code)
            table.add_row(letter.event or "", letter.event_id or "", code, letter.message or "")
        self._console.print(table)

    def equations(self, equations: Sequence[Equation]) -> None:
        """Each with its two numbers, and whether it holds."""
        table = Table(title="\nDoes it add up?", title_justify="left", box=None, pad_edge=False)
        table.title_style = "bold"
        table.show_header = False
        for each in equations:
            mark, style = ("✓", "green") if each.holds else ("✗", "bold red")
            sign = "=" if each.holds else "≠"
            table.add_row(
                f"   {mark}", each.says, f"{each.left:,} {sign} {each.right:,}", style=style
            )
        self._console.print(table)


def told(answers: Counter[str]) -> str:
    """What the relay's JSON answers said, as `300 accepted, 4 invalid`."""
    words = {"accepted": "accepted", "duplicates": "duplicates", "ended": "ended at once",
             "invalid": "invalid"}  # fmt: skip
    return ", ".join(f"{answers[key]:,} {word}" for key, word in words.items() if answers[key])


def _table(title: str, *columns: str) -> Table:
    table = Table(title=f"\n{title}", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.title_style = "bold"
    numbers = {*_OUTCOMES, "arrivals", "no event", "forged", "requests", "events"}
    for column in columns:
        is_number = column in numbers
        table.add_column(column, justify="right" if is_number else "left", no_wrap=is_number)
    return table


def _number(count: int) -> str:
    return f"{count:,}" if count else "·"
