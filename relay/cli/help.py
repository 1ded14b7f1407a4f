"""Help in sections, plain and quick: rich's panels take longer to load than all the rest."""

from __future__ import annotations

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup


class Sections(TyperGroup):
    """A command whose help lists its commands by `rich_help_panel`."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # typer vendors click's types
        """Write a heading and the commands below it, each with its first sentence."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            panel = getattr(command, "rich_help_panel", None)
            heading = panel if isinstance(panel, str) else "Commands"
            sections.setdefault(heading, []).append((name, command.get_short_help_str(500)))
        for heading, rows in sections.items():
            with formatter.section(_bold(heading)):
                formatter.write_dl(rows)


def _bold(text: str) -> str:
    plain = not sys.stdout.isatty() or os.environ.get("NO_COLOR")
    return text if plain else typer.style(text, bold=True)
