"""How a command asks TikTok, and how it tells what that failed at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from relay.cli import ad_account
from relay.cli.ad_account import Access
from relay.cli.cells import shown
from relay.cli.sheet import Form
from relay.cli.terminal import EXIT_FAILED, RED, say
from relay.cli.told import Told
from relay.errors import ConfigError, Mistake
from relay.management import Level
from relay.management.errors import ManagementError, RequestInvalid

#: What the fields of a refused request are called on the command line.
_OPTIONS: Final = {
    "advertiser_id": "--advertiser",
    "advertiser_ids": "--advertiser",
    "campaign_ids": "--campaign",
    "adgroup_ids": "--adgroup",
    "first": "--from",
    "last": "--to",
    "metrics": "--metrics",
    "ids": "--ids",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose token, which accounts (none: all of the token), and how to write what is found."""

    config: Path | None
    token_file: Path | None
    advertisers: tuple[str, ...]
    form: Form
    most_rows: int

    def access(self) -> Access:
        """Raises `ConfigError`."""
        return ad_account.find_access(self.config, self.token_file)


#: What the library calls things, and what they are called here.
_WORDS: Final = (
    ("`unlisted`", "--unlisted"),
    ("Way.TASK", "--async"),
    ("`first`", "--from"),
    *((f"Level.{each.name}", f"--level {each.name.lower()}") for each in Level),
    ("by DAY", "--by day"),
)


def asked(access: Access, job: Callable[[Told], Coroutine[Any, Any, None]]) -> int:
    """Do it, and return the exit code. Errors of TikTok are told with what to do about them; a
    request that was never sent is wrong usage. Raises `ConfigError`."""
    told = Told()
    try:
        asyncio.run(job(told))
    except RequestInvalid as invalid:
        raise in_options(invalid) from None
    except ManagementError as error:
        text = ad_account.with_mend(error, access.origin)
        say("\n".join(map(shown, f"failed  {text}".splitlines())), color=RED)
        return EXIT_FAILED
    return told.code


def in_options(invalid: RequestInvalid) -> ConfigError:
    """A refused request, in the words of the command line."""
    problem, mend = invalid.problem, invalid.mend.removesuffix(".")
    for ours, theirs in _WORDS:
        problem, mend = problem.replace(ours, theirs), mend.replace(ours, theirs)
    key = _OPTIONS.get(invalid.field, invalid.field)
    return ConfigError([Mistake(key, problem, mend)])
