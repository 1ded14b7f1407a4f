"""`relay dead-letters list`, `show` and `replay`."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from relay.cli import archive, workshop
from relay.cli import settings as configuration
from relay.cli.lines import counted, issues, moment
from relay.cli.operator_http import RunningRelay
from relay.cli.terminal import EXIT_FAILED, console, fail, say, table, write_json
from relay.config import Settings
from relay.errors import JournalLocked
from relay.journal.protocol import Archive
from relay.model import DeadLetter
from relay.operations import choose
from relay.operations import replay as replay_letters
from relay.pipeline.replay import Replayed

#: Letters that one request to a running relay names.
_AT_ONCE = 200

_DONE = {Replayed.QUEUED, Replayed.ALREADY, Replayed.DUPLICATE}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters: those `ids`, or all of a destination, the oldest `limit`."""

    ids: tuple[str, ...]
    destination: str | None
    limit: int | None


# --- looking --------------------------------------------------------------------------------------


def list_them(
    config: Path | None,
    journal: Path | None,
    *,
    destination: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """The newest, oldest first. Raises `ConfigError`, `JournalUnavailable`."""
    letters: deque[DeadLetter] = deque(maxlen=limit)

    async def collect(asked: Archive) -> None:
        async for each in asked.dead_letters(destination):
            letters.append(each)

    archive.ask(config, journal, collect)
    if as_json:
        write_json([as_document(letter) for letter in letters])
        return
    if not letters:
        say("there are no dead letters")
        return
    columns = ("id", "at", "destination", "event", "event id", "reason", "code", "replayed")
    shown = table(*columns, fold=("event id", "reason"))
    for letter in letters:
        shown.add_row(
            letter.letter_id,
            moment(letter.at),
            letter.destination,
            letter.event or "",
            letter.event_id or letter.receipt,
            f"{letter.outcome} {letter.reason}",
            "" if letter.code is None else str(letter.code),
            moment(letter.replayed_at),
        )
    console().print(shown)


def show(letter_id: str, config: Path | None, journal: Path | None, *, as_json: bool) -> None:
    """One of them. Raises `ConfigError`, `JournalUnavailable`."""
    letter = archive.ask(config, journal, lambda each: each.dead_letter(letter_id))
    if letter is None:
        fail("there is no dead letter of this id; `relay dead-letters list` shows them")
    if as_json:
        write_json(as_document(letter))
        return
    screen = console()
    name = letter.event or "no event name"
    screen.print(f"{name}  {letter.event_id or 'no event id'}", style="bold")
    for name, value in _lines(letter):
        if value:
            screen.print(f"  {name:<12} ", end="", style="dim")
            screen.print(value)
    if letter.wire is not None:
        screen.print_json(letter.wire.decode())


def _lines(letter: DeadLetter) -> Sequence[tuple[str, str]]:
    return (
        ("ended", f"{letter.outcome} ({letter.reason}), {moment(letter.at)}"),
        ("errors", issues(letter.errors)),
        ("way", f"{letter.source} → {letter.destination}"),
        ("receipt", letter.receipt),
        ("order", letter.order_id or ""),
        ("happened", moment(letter.event_time)),
        ("accepted", moment(letter.accepted_at)),
        ("TikTok said", f"{letter.code} {letter.message or ''}" if letter.code is not None else ""),
        ("request id", letter.request_id or ""),
        ("attempts", str(letter.attempts)),
        ("uncertain", _uncertain(letter)),
        ("replayed", moment(letter.replayed_at)),
    )


def _uncertain(letter: DeadLetter) -> str:
    if letter.unknown_since is None:
        return ""
    return f"since {moment(letter.unknown_since)}: an attempt got no answer, TikTok may have it"


def as_document(letter: DeadLetter) -> dict[str, object]:
    """The letter as JSON is made of."""
    return {
        **asdict(letter),
        "errors": [error._asdict() for error in letter.errors],
        "wire": None if letter.wire is None else orjson.loads(letter.wire),
    }


# --- replaying ------------------------------------------------------------------------------------


def replay(
    selection: Selection, config: Path | None, *, dry_run: bool, force: bool, as_json: bool
) -> int:
    """Replay, tell what became of each, and return the exit code.

    Raises `ConfigError` and the journal's errors.
    """
    settings = configuration.for_dry_run(config)

    async def name(asked: Archive) -> list[str]:
        chosen = choose(asked, selection.ids or None, selection.destination, selection.limit)
        return [each if isinstance(each, str) else each.letter_id async for each in chosen]

    ids = archive.ask(config, None, name)
    try:
        results = asyncio.run(_replay_here(settings, ids, dry_run=dry_run, force=force))
    except JournalLocked:
        results = _replay_there(settings, ids, dry_run=dry_run, force=force)
    if as_json:
        write_json(results)
    else:
        _tell(results, dry_run=dry_run)
    return 0 if all(each["result"] in _DONE for each in results) else EXIT_FAILED


async def _replay_here(
    settings: Settings, ids: list[str], *, dry_run: bool, force: bool
) -> list[Mapping[str, str]]:
    """No relay runs: into the journal, to be sent when one does."""
    async with workshop.own_journal(settings) as journal:
        replayer = workshop.replayer(settings, journal)
        chosen = choose(journal, ids, None)
        return [
            asdict(each)
            async for each in replay_letters(replayer, chosen, dry_run=dry_run, force=force)
        ]


def _replay_there(
    settings: Settings, ids: list[str], *, dry_run: bool, force: bool
) -> list[Mapping[str, str]]:
    relay = RunningRelay(settings)
    results: list[Mapping[str, str]] = []
    for start in range(0, len(ids), _AT_ONCE):
        results += relay.replay(ids[start : start + _AT_ONCE], dry_run=dry_run, force=force)
    relay.close()
    return results


_SENTENCES = {
    Replayed.QUEUED: "queued",
    Replayed.ALREADY: "replayed before",
    Replayed.DUPLICATE: "came in again meanwhile",
    Replayed.MAY_COUNT_TWICE: "may count twice: TikTok may have it, and forgot (--force sends it)",
    Replayed.REFUSED: "would be refused at the door",
    Replayed.NOTHING_TO_SEND: "is an invalid message: mend it where it came from, and send it anew",
    Replayed.NO_DESTINATION: "its destination is not configured any more",
    "unknown_id": "there is no dead letter of this id",
}


def _tell(results: Sequence[Mapping[str, str]], *, dry_run: bool) -> None:
    if not results:
        say("there are no dead letters to replay")
        return
    for each in results:
        if each["result"] != Replayed.QUEUED:
            sentence = _SENTENCES.get(each["result"], each["result"])
            detail = f" ({each['detail']})" if each["detail"] else ""
            say(f"  {each['letter_id']}  {sentence}{detail}")
    queued = Counter(each["result"] for each in results)[Replayed.QUEUED]
    verb = "would be queued" if dry_run else "queued"
    say(f"{counted(queued, 'dead letter')} {verb}, of {len(results):,}")
