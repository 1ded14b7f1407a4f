"""`relay check`: every mistake of the configuration, what is doubtful, and what TikTok says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import starmap
from pathlib import Path
from typing import NamedTuple

from relay.cli import servers_on_trial
from relay.cli import settings as configuration
from relay.cli.lines import counted
from relay.cli.servers_on_trial import Asked
from relay.cli.terminal import (
    EXIT_FAILED,
    EXIT_MISTAKE,
    GREEN,
    RED,
    say,
    say_mistakes,
    say_warnings,
    write_json,
)
from relay.clock import SystemClock
from relay.config import Settings, warnings
from relay.deliver import request, verdict
from relay.deliver.http import Sender
from relay.deliver.verdict import VerdictKind
from relay.errors import ConfigError, Mistake
from relay.role import Role

#: Answers that are about the events, of which there are none: token and rights were accepted.
_ABOUT_EVENTS = {
    VerdictKind.DELIVERED,
    VerdictKind.PARTIAL,
    VerdictKind.REJECT,
    VerdictKind.SPLIT,
}


class Tried(NamedTuple):
    """What TikTok said about one destination's token: a mistake, or whether it answered at all."""

    destination: str
    code: int | None
    accepted: bool
    mistake: Mistake | None = None
    problem: str | None = None


def run(
    config: Path | None,
    *,
    online: bool,
    as_json: bool,
    without_secrets: bool = False,
    role: Role = Role.ALL,
) -> int:
    """Check, tell, and return the exit code. Asks those that a process of this role speaks to:
    another may not be let out to the rest."""
    now = SystemClock().now()
    try:
        settings = _read(config, online=online, without_secrets=without_secrets)
        configuration.for_role(settings, role)
    except ConfigError as mistaken:
        _tell(mistaken.mistakes, (), ((), ()), as_json=as_json)
        return EXIT_MISTAKE
    doubts = warnings(settings, now=now)
    tried = asyncio.run(_try_tokens(settings)) if online and role.delivers else []
    asked = asyncio.run(servers_on_trial.ask(settings, role)) if online else []
    mistakes = [each.mistake for each in tried if each.mistake is not None]
    _tell(mistakes, doubts, (tried, asked), as_json=as_json)
    if not mistakes and not as_json:
        parts = (len(settings.destinations), "destination"), (len(settings.sources), "source")
        say(f"the configuration is sound: {', '.join(starmap(counted, parts))}", color=GREEN)
    if mistakes:
        return EXIT_MISTAKE
    well = all(each.accepted for each in tried) and not any(each.problem for each in asked)
    return 0 if well else EXIT_FAILED


def _read(config: Path | None, *, online: bool, without_secrets: bool) -> Settings:
    """The configuration, with every check that can be made. Raises `ConfigError`."""
    if not without_secrets:
        return configuration.for_running(config)
    if online:
        problem = "TikTok and the servers are asked with secrets"
        raise ConfigError([Mistake("--online", problem, "Leave it, or --without-secrets")])
    return configuration.for_checking_without_secrets(config)


# --- asking TikTok --------------------------------------------------------------------------------


async def _try_tokens(settings: Settings) -> list[Tried]:
    """Send each destination's token with a request that holds no event.

    There is no official way to try a token. TikTok looks at the token (40104, 40105) and the right
    to the pixel (40001) before it looks at `data`, whose emptiness it refuses (40002).
    """
    timeout_s = min(15.0, settings.tiktok.timeout)
    async with Sender(settings.tiktok.base_url, total_timeout_s=timeout_s) as sender:
        tries = [_try_one(sender, settings, index) for index in range(len(settings.destinations))]
        return list(await asyncio.gather(*tries))


async def _try_one(sender: Sender, settings: Settings, index: int) -> Tried:
    destination = settings.destinations[index]
    body = request.body(
        destination.event_source,
        destination.event_source_id,
        [b""],  # nothing, where an event would stand
        partner_name=destination.partner_name,
    )
    reply = await sender.send(destination.access_token.read(), body)
    read = verdict.read(reply, 1, SystemClock().now())
    name, code = destination.name, read.code
    if read.kind in _ABOUT_EVENTS and code is not None:
        return Tried(name, code, accepted=True)
    key = f"destinations[{index}]"
    if read.kind is VerdictKind.PAUSE_CREDENTIAL:
        problem = f"TikTok does not take this token ({code} {read.name})"
        mend = "Make a new one in Events Manager, under the pixel's settings"
        return Tried(name, code, False, Mistake(f"{key}.access_token", problem, mend))
    if read.kind is VerdictKind.PAUSE_CONFIG:
        problem = f"the token has no right to it ({code} {read.name})"
        mend = "Compare the id, and let an admin of its ad account make the token"
        return Tried(name, code, False, Mistake(f"{key}.event_source_id", problem, mend))
    said = f"{code} {read.name}" if code is not None else _unanswered(reply)
    return Tried(name, code, accepted=False, problem=f"cannot be tried now ({said})")


def _unanswered(reply: verdict.Reply) -> str:
    return f"HTTP {reply.status}" if reply.status is not None else f"no answer: {reply.error}"


# --- telling --------------------------------------------------------------------------------------


def _tell(
    mistakes: Sequence[Mistake],
    doubts: Sequence[Mistake],
    answers: tuple[Sequence[Tried], Sequence[Asked]],
    *,
    as_json: bool,
) -> None:
    tried, asked = answers
    if as_json:
        write_json(
            {
                "mistakes": [_as_dict(each) for each in mistakes],
                "warnings": [_as_dict(each) for each in doubts],
                "tokens": [
                    {"destination": each.destination, "accepted": each.accepted, "code": each.code}
                    for each in tried
                ],
                "servers": [each._asdict() for each in asked],
            }
        )
        return
    if mistakes:
        say_mistakes(mistakes)
    say_warnings(doubts)
    for each in tried:
        if each.accepted:
            say(f"  {each.destination}  TikTok takes the token", color=GREEN)
        elif each.problem is not None:
            say(f"  {each.destination}  {each.problem}", color=RED)
    for server in asked:
        said = server.problem or "answers"
        say(f"  {server.name}  {said}", color=RED if server.problem else GREEN)


def _as_dict(mistake: Mistake) -> dict[str, str]:
    return {"key": mistake.key, "problem": mistake.problem, "mend": mistake.mend}
