"""The demo from its first line to its exit code."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from relay.clock import SystemClock
from relay.demo import accounts, audit
from relay.demo.acts import Acts
from relay.demo.http import Senders
from relay.demo.relay_process import RelayProcess
from relay.demo.screen import Screen
from relay.demo.search import search
from relay.demo.sums import Equation, Promised, Received, equations
from relay.errors import ConfigError, Mistake
from relay.sandbox.http import Running, running

_CLOCK = SystemClock()

_FAILED = 1
_ENDED = 143  # as the shell says of SIGTERM


def run(folder: Path | None, *, keep: bool) -> int:
    """Tell the story; 0 when everything adds up.

    `folder` has to be new or empty (`ConfigError`); without one everything is in a temporary one,
    which is deleted, unless it is to `keep` running. Raises `RelayError` when the story breaks off.
    """
    if folder is not None and folder.exists() and (folder.is_file() or any(folder.iterdir())):
        raise ConfigError([Mistake("--folder", "is not empty", "Name a new or an empty folder")])
    own = folder or Path(tempfile.mkdtemp(prefix="relay-demo-"))
    own.mkdir(parents=True, exist_ok=True)
    try:
        return asyncio.run(_until_told(_tell(own.absolute(), keep=keep)))
    finally:
        if folder is None and not keep:
            shutil.rmtree(own, ignore_errors=True)


async def _until_told(story: Coroutine[None, None, int]) -> int:
    """SIGTERM ends it as Ctrl-C does: nothing that it started stays behind."""
    task, ended = asyncio.ensure_future(story), asyncio.Event()

    def end() -> None:
        ended.set()
        task.cancel()

    with contextlib.suppress(NotImplementedError):  # Windows knows Ctrl-C only
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end)
    try:
        return await task
    except asyncio.CancelledError:
        if ended.is_set():
            return _ENDED
        raise


async def _tell(folder: Path, *, keep: bool) -> int:
    began = _CLOCK.monotonic()
    screen = Screen()
    screen.plain("relay demo", style="bold")
    screen.plain(f"everything happens on this machine, in {folder}", style="dim")
    async with _stage(folder) as (sandbox, relay, senders):
        acts = Acts(screen, sandbox, relay, senders)
        await acts.play()
        wrong = [each.says for each in await _account(acts, screen) if not each.holds]
        if not await audit.audit(relay, screen):
            wrong.append("the audit finds what is wrong with the ad account")
        seconds = _CLOCK.monotonic() - began
        if wrong:
            screen.plain(f"\nIt does not add up: {'; '.join(wrong)}", style="bold red")
        else:
            screen.plain(f"\nIt adds up, in {seconds:.0f} s.", style="bold green")
        if keep:
            await _keep_running(screen, sandbox, relay)
    return _FAILED if wrong else 0


@asynccontextmanager
async def _stage(folder: Path) -> AsyncIterator[tuple[Running, RelayProcess, Senders]]:
    """The stand-in, the relay (not yet started) and the senders; nothing of them stays behind."""
    ads = audit.ad_account(_CLOCK.now())
    async with (
        running(audit.SANDBOX, _CLOCK, ads=ads) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        relay = RelayProcess(folder, sandbox.base_url)
        relay.write_config()
        try:
            yield sandbox, relay, Senders(relay, session)
        finally:
            await relay.stop()


async def _account(acts: Acts, screen: Screen) -> list[Equation]:
    """Count everything, show it, and return the equations."""
    relay, senders, received = acts.relay, acts.senders, acts.sandbox.world.received
    screen.story(await senders.ask("/api/find?id=poison-0"))
    held = await asyncio.to_thread(accounts.read, relay.journal)
    written = (relay.journal, relay.folder / "relay.log")
    searched = await asyncio.to_thread(search, *written, identifiers=acts.identifiers)
    promised = Promised(
        {name: book.sent for name, book in senders.books.items()},
        {name: book.acknowledged for name, book in senders.books.items()},
        frozenset(senders.receipts),
        acts.planted,
    )
    effects: dict[str, dict[str, int]] = {}
    for (source, event), count in received.effects.items():
        effects.setdefault(source, {})[event] = count
    sums = equations(promised, held, Received(received.totals.effects), searched, json="backend")
    screen.arrivals(senders.books, held)
    screen.tiktok(received.codes, effects)
    screen.dead_letters(held.dead_letters)
    screen.equations(sums)
    return list(sums)


async def _keep_running(screen: Screen, sandbox: Running, relay: RelayProcess) -> None:
    screen.plain("\nStill running, until Ctrl-C:")
    screen.line("senders", f"{relay.url}/v1/events")
    screen.line("their key", relay.environ["DEMO_KEY_BACKEND"])
    screen.line("operator", f"{relay.operator_url}/metrics   /healthz   /api/lanes")
    screen.line("TikTok", f"{sandbox.url}/sandbox")
    screen.line("the audit", str(relay.folder / "audit.html"))
    screen.line("look", f"relay find poison-0 --journal {relay.journal}")
    screen.line("folder", str(relay.folder))
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
