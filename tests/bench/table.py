"""The table as a person reads it, and the exit code as a script does."""

from __future__ import annotations

from collections.abc import Mapping

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from tests.bench.figures import Report, Row

_COLUMNS = ("", "relay", "beside it", "ratio", "aim", "", "CPU s/million")


def show(console: Console, facts: Mapping[str, str], reports: Mapping[str, Report]) -> None:
    """Print the machine, the table, and below it what there is to know about single lines."""
    console.print(", ".join(f"{name} {value}" for name, value in facts.items()))
    console.print("Rates are events per second; in brackets the CPU time of what stands beside.")
    table = Table(box=SIMPLE, pad_edge=False)
    for column in _COLUMNS:
        table.add_column(column, no_wrap=True)
    for report in reports.values():
        for row in report.rows:
            mark = _mark(row, report)
            table.add_row(row.name, row.measured, row.beside, row.ratio, row.aim, mark, row.cpu)
    console.print(table)
    for name, report in reports.items():
        for note in report.notes:
            console.print(f"{name}: {note}")
        for problem in dict.fromkeys(report.failed):
            console.print(f"[red]{name}: {problem}[/red]")


def _mark(row: Row, report: Report) -> str:
    if report.failed:
        return "[red]FAILED[/red]"
    if row.met is None:
        return ""
    return "[green]ok[/green]" if row.met else "[yellow]missed[/yellow]"


def exit_code(reports: Mapping[str, Report], *, strict: bool) -> int:
    """1 when a line failed, or (`strict`) an aim was missed; else 0."""
    failed = any(report.failed for report in reports.values())
    missed = any(row.met is False for report in reports.values() for row in report.rows)
    return int(failed or (strict and missed))
