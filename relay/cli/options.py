"""Options that several commands have, and the words that options may be."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The configuration; else $RELAY_CONFIG, else ./relay.toml.",
        show_default=False,
    ),
]
JournalFolder = Annotated[
    Path | None,
    typer.Option(
        "--journal",
        metavar="FOLDER",
        help="The journal's folder; else that of the configuration.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
DestinationName = Annotated[
    str | None,
    typer.Option(
        "--destination", metavar="NAME", help="This destination only.", show_default=False
    ),
]


class EventSourceName(StrEnum):
    """TikTok's event sources, for `normalize` without a configuration."""

    WEB = "web"
    APP = "app"
    OFFLINE = "offline"
    CRM = "crm"


class FileFormat(StrEnum):
    """What `import` reads."""

    NDJSON = "ndjson"
    CSV = "csv"
