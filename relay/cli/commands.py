"""What can be typed. A command imports what it needs when it is called, so that help is quick."""

# ruff: noqa: PLC0415  # see above

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relay.cli import ad_commands, journal_commands
from relay.cli.help import Sections
from relay.cli.options import (
    AsJson,
    Config,
    DestinationName,
    EventSourceName,
    FileFormat,
    JournalFolder,
)
from relay.role import Role

app = typer.Typer(
    name="relay",
    cls=Sections,
    help="A conversions relay for TikTok's Events API v1.3: takes purchases, sign-ups, carts and "
    "leads, hashes every personal identifier, delivers each event once, or says exactly why not.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 a critical finding of "
    "`audit` stands. Begin with `relay demo`.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
dead_letters = typer.Typer(
    cls=Sections,
    help="What TikTok refused or grew too old, with its reason.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
journal = typer.Typer(
    cls=Sections,
    help="What waits, whether the journal is sound, and moving it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(dead_letters, name="dead-letters", rich_help_panel="Looking")
app.add_typer(journal_commands.journal, name="journal", rich_help_panel="Looking")


def _version(wanted: bool) -> None:
    if wanted:
        from relay.cli.version import version

        typer.echo(version())
        raise typer.Exit


@app.callback()
def _relay(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    pass


# --- running --------------------------------------------------------------------------------------


@app.command(rich_help_panel="Running")
def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave it running until Ctrl-C, and print the addresses.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Keep journal, configuration and logs here; must be new or empty.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """See the whole story on this machine in half a minute; nothing to configure.

    Starts a stand-in for TikTok and a relay with a fresh journal; sends shop webhooks, JSON events
    and a file through duplicates, throttling, a refused event, a revoked token and a crash; and
    ends with a table in which every arrival is accounted for. Exits 0 only if it adds up.
    """
    from relay.demo.story import run

    raise typer.Exit(run(folder, keep=keep))


@app.command(rich_help_panel="Running")
def serve(
    config: Config = None,
    role: Annotated[
        Role,
        typer.Option(
            help="`ingest` accepts, `deliver` sends, apart (with a journal on Kafka); `all`: both."
        ),
    ] = Role.ALL,
) -> None:
    """Run the relay until SIGTERM or Ctrl-C, which drain it; a second one cuts that short."""
    from relay.cli.serve import run

    raise typer.Exit(run(config, role))


@app.command(rich_help_panel="Running")
def health(
    config: Config = None,
    ready: Annotated[
        bool, typer.Option("--ready", help="Does it take events now? Else: does it get on?")
    ] = False,
) -> None:
    """Ask the relay that runs here how it is; exit 1 when it is not well, or not there."""
    from relay.cli.health import run

    raise typer.Exit(run(config, ready=ready))


@app.command(rich_help_panel="Running")
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: any free one.")] = 8090,
    host: Annotated[str, typer.Option(help="It shows what it receives to whoever asks.")] = (
        "127.0.0.1"
    ),
    faults: Annotated[
        str | None,
        typer.Option(
            metavar="PROFILE|FILE",
            help="What goes wrong: profiles (`real,limit`), or a JSON or TOML file of faults.",
            show_default=False,
        ),
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(
            metavar="CHECK",
            help="What is wrong with its ad account: the check that has to find it (`CFG-02`).",
            show_default=False,
        ),
    ] = None,
    light: Annotated[
        bool, typer.Option("--light", help="Count only, for measuring: no checks, nothing kept.")
    ] = False,
) -> None:
    """Run a strict local stand-in for TikTok's API, with faults on demand.

    It plays the Events API, and an ad account for the Marketing API whose ads have run for a month:
    people click and buy, and what a relay delivers to it is counted and attributed.
    """
    from relay.cli.sandbox import run

    run(host, port, faults=faults, scenario=scenario, light=light)


# --- configuring ----------------------------------------------------------------------------------


@app.command(rich_help_panel="Configuring")
def check(
    config: Config = None,
    online: Annotated[
        bool,
        typer.Option(
            "--online", help="Ask TikTok about each token, and the servers; sends no event."
        ),
    ] = False,
    without_secrets: Annotated[
        bool,
        typer.Option(
            "--without-secrets",
            help="Look at what is written alone: where no secret is, or not yet.",
        ),
    ] = False,
    role: Annotated[
        Role,
        typer.Option(
            help="With --online: ask what `ingest` or `deliver` speaks to, where they run apart."
        ),
    ] = Role.ALL,
    as_json: AsJson = False,
) -> None:
    """Say every mistake in the configuration, each with its mend; exit 2 if there is any."""
    from relay.cli.check import run

    raise typer.Exit(
        run(config, online=online, as_json=as_json, without_secrets=without_secrets, role=role)
    )


@app.command(rich_help_panel="Configuring")
def normalize(  # noqa: PLR0913, PLR0917  # a parameter is an option
    file: Annotated[
        str, typer.Argument(metavar="[FILE]", help="NDJSON or JSON; `-` is standard input.")
    ] = "-",
    config: Config = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Read FILE as one body of this source: a webhook, or what a mapping is for.",
            show_default=False,
        ),
    ] = None,
    destination: DestinationName = None,
    headers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The webhook's headers: lines of `Name: value`, or a JSON object.",
            show_default=False,
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option("-H", metavar="'NAME: VALUE'", help="One more header.", show_default=False),
    ] = None,
    event_source: Annotated[
        EventSourceName | None,
        typer.Option(help="Without a configuration: for such a destination.", show_default="web"),
    ] = None,
    country: Annotated[
        str | None,
        typer.Option(
            metavar="CC", help="Without a configuration: of national phones.", show_default=False
        ),
    ] = None,
) -> None:
    """Dry run: conversions in, the events TikTok would get out, or the reasons why not.

    One JSON object a line. Nothing is stored or sent, no secret is read, no signature checked.
    """
    from relay.cli.normalize import Asked, run

    asked = Asked(
        file=file,
        source=source,
        destination=destination,
        headers_file=headers,
        headers=tuple(header or ()),
    )
    run(asked, config, event_source=event_source, country=country)


# --- events ---------------------------------------------------------------------------------------


@app.command("import", rich_help_panel="Events")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="NDJSON or CSV, maybe gzipped.")],
    source: Annotated[
        str, typer.Option(metavar="NAME", help="A source of kind canonical or custom.")
    ],
    config: Config = None,
    file_format: Annotated[
        FileFormat | None,
        typer.Option("--format", help="Else by the file's name.", show_default=False),
    ] = None,
    allow_invalid: Annotated[
        bool, typer.Option("--allow-invalid", help="Exit 0 although lines are invalid.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take the conversions of a file; interrupted or repeated, no line counts twice.

    A CSV file's first line names the columns: `event`, `event_time`, `user.email`,
    `properties.value`, `properties.contents.0.content_id`, …; for a source with a mapping, whatever
    the mapping reads.
    """
    from relay.cli.imports import run

    raise typer.Exit(
        run(
            file, source, config, file_format=file_format, strict=not allow_invalid, as_json=as_json
        )
    )


@app.command(rich_help_panel="Looking")
def find(
    wanted: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="An event id, order id, receipt or SHA-256 digest; an e-mail address is hashed.",
        ),
    ],
    config: Config = None,
    journal: JournalFolder = None,
    as_json: AsJson = False,
) -> None:
    """Tell all that is known of an event: what came, what was sent, every answer."""
    from relay.cli.find import run

    raise typer.Exit(run(wanted, config, journal, as_json=as_json))


@dead_letters.command("list")
def dead_letters_list(
    config: Config = None,
    journal: JournalFolder = None,
    destination: DestinationName = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest last."""
    from relay.cli.dead_letters import list_them

    list_them(config, journal, destination=destination, limit=limit, as_json=as_json)


@dead_letters.command("show")
def dead_letters_show(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    config: Config = None,
    journal: JournalFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show one dead letter: the event as it was sent, and TikTok's answer."""
    from relay.cli.dead_letters import show

    show(letter_id, config, journal, as_json=as_json)


@dead_letters.command("replay")
def dead_letters_replay(  # noqa: PLR0913, PLR0917  # a parameter is an option
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]…", help="Those; else all.", show_default=False),
    ] = None,
    config: Config = None,
    destination: DestinationName = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="The oldest so many.", show_default=False)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Also those that TikTok may have and has forgotten: may count twice."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put dead letters back into the queue, after what was wrong with them was mended.

    An event whose delivery is uncertain for more than 48 hours is left: TikTok forgets repeats
    after that. The queue sends at its own rate.
    """
    from relay.cli.dead_letters import Selection, replay

    selection = Selection(tuple(ids or ()), destination, limit)
    raise typer.Exit(replay(selection, config, dry_run=dry_run, force=force, as_json=as_json))


# --- the journal and the ad account: in files of their own ---------------------------------------

ad_commands.register(app)
