"""The commands that ask about an ad account; `commands` takes them in."""

# ruff: noqa: PLC0415  # a command imports what it needs when it is called, so that help is quick
# ruff: noqa: PLR0913, PLR0917  # a parameter is an option

from __future__ import annotations

from typing import Annotated

import typer

from relay.cli.options import AsJson, Config, TokenFile

_PANEL = "Ad account"


def register(app: typer.Typer) -> None:
    """Add the commands, in this order."""
    for command in (login,):
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
            help="The browser comes back here: http://127.0.0.1:PORT/callback has to be registered "
            "as a redirect URI of the app, exactly so.",
            metavar="PORT",
            show_default="8917",
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
