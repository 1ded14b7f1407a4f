"""Arguments in, exit code out; the only room that talks to a person.

    commands        what can be typed: every command with its help; `options`, `help`
    terminal        how results, mistakes and failures are told; `lines`
    settings        the configuration, with the checks that a command needs
    journal_folder  the journal, for reading beside a running relay
    workshop        the journal, for writing where no relay runs
    operator_http   the API of a running relay
    rows, columns   files of conversions
    ad_commands     what can be typed about an ad account; `journal_commands`: about the journal
    ad_account      its token, a client, which accounts; `token_file`; `asking`, `told`: what is
                    said meanwhile, and what failed
    sheet           rows as a table, CSV or JSON, as they come; `cells`, `ad_columns`
    consent         TikTok's consent page and the way back from it; `consent_http`

One file a command: serve, health, sandbox, check, normalize, imports, find, dead_letters, journal,
journal_moves (`moved_file`: its file), login, report (`report_options`); ad_lists has accounts,
campaigns, ad groups, ads and pixels.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted.

Decisions, and why:

* **A command brings its own imports**, when it is called: `relay --help` must not load a database.
* **Who reads never disturbs.** Reading commands open the journal's folder read-only, beside a
  running relay. What changes something goes through the running relay where there is one, because
  a folder has one writer.
* **An ad account needs no relay.** Its commands read two tables of a configuration, or none.
* **A secret is never an option**: others see what is typed. Tokens come from files, variables or a
  prompt, and go into files that only their owner reads.
* **A number is never cut.** A table that does not fit leaves columns out and says which; a long one
  is cut with a note. CSV and JSON have everything, as it comes.
* **Cells of CSV are no formulas** (see `cells`): the apostrophe changes a name that begins with a
  formula's sign, and who needs it exact takes the JSON.
* **Standard output is for results, standard error for what is said about them**: a pipe gets the
  former alone, and nothing of it is coloured.
"""

from __future__ import annotations

import sys

from relay.cli.commands import app
from relay.cli.terminal import EXIT_FAILED, EXIT_MISTAKE, say_failure, say_mistakes
from relay.errors import ConfigError, RelayError

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a test's stream may have none
        if reconfigure is not None:
            reconfigure(errors="replace")  # a mark that a terminal lacks must not end a command
    try:
        app(prog_name="relay")
    except ConfigError as mistaken:
        say_mistakes(mistaken.mistakes)
        sys.exit(EXIT_MISTAKE)
    except RelayError as failed:
        say_failure(failed)
        sys.exit(EXIT_FAILED)
