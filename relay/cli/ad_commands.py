"""The commands that ask about an ad account; `commands` takes them in."""

# ruff: noqa: PLC0415  # a command imports what it needs when it is called, so that help is quick
# ruff: noqa: PLR0913, PLR0917  # a parameter is an option

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from relay.cli.options import (
    Account,
    Accounts,
    AdGroups,
    AsCsv,
    AsJson,
    AsLines,
    Campaigns,
    Config,
    Deleted,
    JournalFolder,
    MostRows,
    ReportBy,
    ReportLevel,
    Status,
    TokenFile,
)

if TYPE_CHECKING:
    from relay.cli.ad_lists import Chosen
    from relay.cli.asking import Wanted

_PANEL = "Ad account"


def register(app: typer.Typer) -> None:
    """Add the commands, in this order."""
    for command in (login, accounts, campaigns, adgroups, ads, pixels, report, audit):
        app.command(rich_help_panel=_PANEL)(command)


def login(
    config: Config = None,
    token_file: TokenFile = None,
    app_id: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Your app at TikTok; else management.app_id, $TIKTOK_APP_ID, or you are asked.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65_535,
            help="The browser comes back here; http://127.0.0.1:PORT/callback has to be registered "
            "as a redirect URI of the app, exactly so. Else 8917.",
            metavar="PORT",
            show_default=False,
        ),
    ] = None,
    redirect_uri: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The registered redirect URI, where it is another: of this machine, or https, "
            "whose address is then pasted.",
            show_default=False,
        ),
    ] = None,
    paste: Annotated[
        bool,
        typer.Option("--paste", help="For servers: open the page anywhere, paste what comes back."),
    ] = False,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the page's address, open nothing.")
    ] = False,
    wait: Annotated[
        int, typer.Option(min=1, max=3600, metavar="SECONDS", help="For consent, so long.")
    ] = 300,
    print_it: Annotated[
        bool, typer.Option("--print", help="Show the token as the secret to set; write no file.")
    ] = False,
    status: Annotated[
        bool, typer.Option("--status", help="Say whose the token is and what it reads.")
    ] = False,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Make the token worthless, and delete its file.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Revoke without a question.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let TikTok's consent page give this machine a token to read your ad accounts with.

    The app's secret comes from management.app_secret, $TIKTOK_APP_SECRET, or is asked for; it is no
    option, for others see what is typed. The token is kept in a file that only you may read.
    """
    from relay.cli import login as command

    if status and revoke:
        raise typer.BadParameter("--status or --revoke, not both")
    if status:
        raise typer.Exit(command.status(config, token_file, as_json=as_json))
    if revoke:
        raise typer.Exit(command.revoke(config, token_file, app_id, sure=yes))
    asked = command.Asked(
        app_id=app_id,
        port=port,
        redirect_uri=redirect_uri,
        paste=paste,
        browser=not no_browser,
        wait_s=wait,
        print_it=print_it,
    )
    raise typer.Exit(command.run(config, token_file, asked))


def accounts(
    account: Account = None,
    advertiser: Accounts = None,
    business_centers: Annotated[
        bool, typer.Option("--business-centers", help="The Business Centers instead.")
    ] = False,
    status: Status = None,
    config: Config = None,
    token_file: TokenFile = None,
    rows: MostRows = 200,
    as_csv: AsCsv = False,
    as_json: AsLines = False,
) -> None:
    """List ad accounts: status, balance, currency, time zone with its real offset."""
    from relay.cli import ad_lists

    wanted = _wanted(config, token_file, account, advertiser, rows, as_csv, as_json)
    raise typer.Exit(ad_lists.accounts(wanted, status=status, business_centers=business_centers))


def campaigns(
    account: Account = None,
    advertiser: Accounts = None,
    campaign: Campaigns = None,
    status: Status = None,
    deleted: Deleted = True,
    config: Config = None,
    token_file: TokenFile = None,
    rows: MostRows = 200,
    as_csv: AsCsv = False,
    as_json: AsLines = False,
) -> None:
    """List campaigns: status, objective, budget."""
    from relay.cli import ad_lists

    wanted = _wanted(config, token_file, account, advertiser, rows, as_csv, as_json)
    raise typer.Exit(ad_lists.campaigns(wanted, _chosen(campaign, None, status, deleted)))


def adgroups(
    account: Account = None,
    advertiser: Accounts = None,
    campaign: Campaigns = None,
    adgroup: AdGroups = None,
    status: Status = None,
    deleted: Deleted = True,
    config: Config = None,
    token_file: TokenFile = None,
    rows: MostRows = 200,
    as_csv: AsCsv = False,
    as_json: AsLines = False,
) -> None:
    """List ad groups: what they optimise for, attribution windows (click/engaged view/view)."""
    from relay.cli import ad_lists

    wanted = _wanted(config, token_file, account, advertiser, rows, as_csv, as_json)
    raise typer.Exit(ad_lists.adgroups(wanted, _chosen(campaign, adgroup, status, deleted)))


def ads(
    account: Account = None,
    advertiser: Accounts = None,
    campaign: Campaigns = None,
    adgroup: AdGroups = None,
    status: Status = None,
    deleted: Deleted = True,
    config: Config = None,
    token_file: TokenFile = None,
    rows: MostRows = 200,
    as_csv: AsCsv = False,
    as_json: AsLines = False,
) -> None:
    """List ads: status, and where they lead."""
    from relay.cli import ad_lists

    wanted = _wanted(config, token_file, account, advertiser, rows, as_csv, as_json)
    raise typer.Exit(ad_lists.ads(wanted, _chosen(campaign, adgroup, status, deleted)))


def pixels(
    account: Account = None,
    advertiser: Accounts = None,
    config: Config = None,
    token_file: TokenFile = None,
    rows: MostRows = 200,
    as_csv: AsCsv = False,
    as_json: AsLines = False,
) -> None:
    """List pixels: their events, and the accounts that may use them."""
    from relay.cli import ad_lists

    wanted = _wanted(config, token_file, account, advertiser, rows, as_csv, as_json)
    raise typer.Exit(ad_lists.pixels(wanted))


def report(
    account: Account = None,
    advertiser: Accounts = None,
    level: Annotated[ReportLevel, typer.Option(help="What a row is about.")] = ReportLevel.CAMPAIGN,
    by: Annotated[
        ReportBy, typer.Option(help="A row for each day or hour, or one for the whole time.")
    ] = ReportBy.DAY,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DAYS",
            help="The last whole days of the account, `30d` or `12w`; else `7d`.",
            show_default=False,
        ),
    ] = None,
    first: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="DATE",
            help="From this day of the account on: 2026-11-01, `today`, `yesterday`.",
            show_default=False,
        ),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="DATE", help="To this day, included; else today.", show_default=False
        ),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Instead of a good beginning; `help` lists them, of --level where it is given.",
            show_default=False,
        ),
    ] = None,
    unlisted: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help="Metrics that the list does not have.", show_default=False
        ),
    ] = None,
    ids: Annotated[
        list[str] | None,
        typer.Option(metavar="ID,ID", help="These of the level only.", show_default=False),
    ] = None,
    campaign: Campaigns = None,
    include_deleted: Annotated[
        bool,
        typer.Option(
            "--include-deleted/--no-deleted", help="Deleted ones too: what they spent is spent."
        ),
    ] = True,
    sync: Annotated[
        bool | None,
        typer.Option(
            "--sync/--async",
            help="At once, or as a file that TikTok makes; else by size, which is told.",
            show_default=False,
        ),
    ] = None,
    config: Config = None,
    token_file: TokenFile = None,
    rows: MostRows = 200,
    as_csv: AsCsv = False,
    as_json: AsLines = False,
) -> None:
    """Report spend, clicks, conversions and their value, in days of the account's zone.

    Rows are written as they come. A file that TikTok makes is cancelled by Ctrl-C; after a crash
    the same command goes on with it. Exits 1 when rows are missing.
    """
    from relay.cli import report as command
    from relay.cli import report_options as options

    wanted = _wanted(config, token_file, account, advertiser, rows, as_csv, as_json)
    if metrics == "help":
        raise typer.Exit(command.list_metrics(options.LEVELS[level], wanted.form))
    query = options.Query(
        level=options.LEVELS[level],
        by=options.BYS[by],
        days=options.Days(since, first, last),
        metrics=options.metrics_of(metrics, options.LEVELS[level]),
        unlisted=options.listed(unlisted),
        ids=options.ids_of(ids),
        campaigns=options.ids_of(campaign),
        include_deleted=include_deleted,
        way=options.WAYS[sync],
    )
    raise typer.Exit(command.run(wanted, query))


def _wanted(
    config: Path | None,
    token_file: Path | None,
    account: str | None,
    advertiser: list[str] | None,
    rows: int,
    as_csv: bool,
    as_json: bool,
) -> Wanted:
    from relay.cli.asking import Wanted
    from relay.cli.report_options import ids_of
    from relay.cli.sheet import form_of

    advertisers = ids_of([*([account] if account else []), *(advertiser or [])])
    form = form_of(as_json=as_json, as_csv=as_csv)
    return Wanted(config, token_file, advertisers, form, rows)


def _chosen(
    campaign: list[str] | None, adgroup: list[str] | None, status: str | None, deleted: bool
) -> Chosen:
    from relay.cli.ad_lists import Chosen
    from relay.cli.report_options import ids_of

    return Chosen(ids_of(campaign), ids_of(adgroup), status, deleted)


def audit(
    config: Config = None,
    journal: JournalFolder = None,
    advertiser: Accounts = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DAYS",
            help="How far back: `30d`, today included; else audit.since.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a page with pictures, too.", show_default=False),
    ] = None,
    token_file: TokenFile = None,
) -> None:
    """Say whether the money spent matches the conversions that really happened.

    Compares what the relay delivered with what TikTok counts, reports and charges; names what is
    wrong, since when, what it costs and what to do. Exit 3 when a critical finding stands.
    """
    from relay.cli import audit as command

    asked = command.Asked(
        tuple(advertiser or ()), command.days_of(since), as_json=as_json, html=html
    )
    raise typer.Exit(command.run(config, journal, token_file, asked))
