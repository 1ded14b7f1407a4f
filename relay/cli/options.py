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
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        help="The file with the token; else management.access_token of the configuration, else "
        "$TIKTOK_ACCESS_TOKEN, else the file that `relay login` wrote.",
        show_default=False,
    ),
]
AsLines = Annotated[
    bool, typer.Option("--json", help="JSON on standard output, an object a line; nothing is cut.")
]
AsCsv = Annotated[
    bool,
    typer.Option(
        "--csv",
        help="CSV on standard output, nothing is cut; no text in it is a formula to a spreadsheet.",
    ),
]
Account = Annotated[
    str | None,
    typer.Argument(
        metavar="ADVERTISER",
        help="An ad account's id; else all of the token.",
        show_default=False,
    ),
]
Accounts = Annotated[
    list[str] | None,
    typer.Option(
        "--advertiser", metavar="ID", help="This account; may be repeated.", show_default=False
    ),
]
Campaigns = Annotated[
    list[str] | None,
    typer.Option(
        "--campaign", metavar="ID", help="Of this campaign; may be repeated.", show_default=False
    ),
]
AdGroups = Annotated[
    list[str] | None,
    typer.Option(
        "--adgroup", metavar="ID", help="Of this ad group; may be repeated.", show_default=False
    ),
]
Status = Annotated[
    str | None,
    typer.Option(
        metavar="WORD",
        help="Of this status only: `enable`, `delivery_ok`, `pixel_unbind`, …",
        show_default=False,
    ),
]
Deleted = Annotated[bool, typer.Option("--deleted/--no-deleted", help="Deleted ones, too.")]
MostRows = Annotated[
    int, typer.Option("--rows", min=1, max=10_000, help="Of a table, the first so many rows.")
]
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


class ReportLevel(StrEnum):
    """What a row of a report is about."""

    ACCOUNT = "account"
    CAMPAIGN = "campaign"
    ADGROUP = "adgroup"
    AD = "ad"


class ReportBy(StrEnum):
    """What time a row of a report is of."""

    DAY = "day"
    HOUR = "hour"
    NONE = "none"
