"""A bar for work that takes rows, one or many at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from relay.cli.terminal import console

#: Rows between two looks at the bar.
_EVERY = 1000


@contextmanager
def rows_bar(total: int | None) -> Iterator[Callable[[int], None]]:
    """What is to be called with the rows that were taken; a bar where somebody watches."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield lambda count: None
        return
    from rich import progress  # noqa: PLC0415  # only where somebody waits

    columns: list[Any] = [
        progress.TextColumn("rows"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
    ]
    with progress.Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("rows", total=total)
        waiting = 0

        def move(count: int) -> None:
            nonlocal waiting
            waiting += count
            if waiting >= _EVERY:
                bar.advance(task, waiting)
                waiting = 0

        yield move
        bar.advance(task, waiting)
