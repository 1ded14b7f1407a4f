"""What can be typed about the journal as a whole."""

# ruff: noqa: PLC0415  # a command imports what it needs when it is called

from __future__ import annotations

from typing import Annotated

import typer

from relay.cli.help import Sections
from relay.cli.options import AsJson, Config, JournalFolder

journal = typer.Typer(
    cls=Sections,
    help="What waits, whether all is sound, and how it moves to another place.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@journal.command("stats")
def journal_stats(
    config: Config = None, journal: JournalFolder = None, as_json: AsJson = False
) -> None:
    """Say what waits for each destination, since when, and whether the sums hold."""
    from relay.cli.journal import stats

    stats(config, journal, as_json=as_json)


@journal.command("verify")
def journal_verify(
    config: Config = None, journal: JournalFolder = None, as_json: AsJson = False
) -> None:
    """Read every row of the journal's folder; exit 1 when something is wrong. Changes nothing."""
    from relay.cli.journal import verify_journal

    raise typer.Exit(verify_journal(config, journal, as_json=as_json))


@journal.command("migrate")
def journal_migrate(config: Config = None, as_json: AsJson = False) -> None:
    """Bring PostgreSQL's tables up to date and make the topics, before a new version is rolled out.

    Every relay does so when it starts; this does it once, alone, and says what it did. It may be
    repeated.
    """
    from relay.cli.journal import migrate

    migrate(config, as_json=as_json)


@journal.command("export")
def journal_export(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="`.gz` is compressed; `-` is standard output."),
    ],
    config: Config = None,
    journal: JournalFolder = None,
    seal: Annotated[
        bool, typer.Option("--seal", help="Let no relay start on this journal any more.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is there.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write all of a journal into a file, to be imported into another one.

    No relay may run on it. Nothing in the journal is changed, but by --seal.
    """
    from relay.cli.journal_export import Wanted, export

    wanted = Wanted(file, overwriting=overwrite, sealing=seal)
    export(wanted, config, journal, as_json=as_json)


@journal.command("import")
def journal_import(
    file: Annotated[str, typer.Argument(metavar="FILE", help="`-` is standard input.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Take in what `export` wrote; interrupted or repeated, nothing counts twice.

    Into the journal of the configuration. Relays may run on Kafka and PostgreSQL meanwhile, not on
    a folder.
    """
    from relay.cli.journal_import import take_in

    raise typer.Exit(take_in(file, config, as_json=as_json))


@journal.command("seal")
def journal_seal(config: Config = None, journal: JournalFolder = None) -> None:
    """Let no relay start on a journal whose export was imported elsewhere. May be repeated.

    What waits in it would be sent here and there.
    """
    from relay.cli.journal_seal import seal

    seal(config, journal)


@journal.command("unseal")
def journal_unseal(config: Config = None, journal: JournalFolder = None) -> None:
    """Let a relay start on a journal that was sealed, or whose import was cut off."""
    from relay.cli.journal_seal import unseal

    raise typer.Exit(unseal(config, journal))
