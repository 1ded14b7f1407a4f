"""What a command that asks TikTok says meanwhile, on standard error, and the exit code of that."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from relay.cli.cells import shown
from relay.cli.lines import size
from relay.cli.terminal import EXIT_FAILED, RED, YELLOW, console, say, say_warnings
from relay.clock import SystemClock
from relay.errors import Mistake
from relay.management import Notice, Progress, Stage
from relay.management.errors import ManagementError

if TYPE_CHECKING:
    from rich.status import Status

#: Pauses that are told, and progress, in seconds: on a line that moves, and on lines that stay.
_TOLD_S: Final = 3.0
_TOLD_WITHOUT_TERMINAL_S: Final = 30.0

#: That reading begins was said by how it is read, and that it has ended is seen.
_QUIET: Final = (Stage.READING, Stage.DONE)


class Told:
    """Tells notices once, and progress where it moves; `code` is the exit code they ask for."""

    def __init__(self) -> None:
        self.code = 0
        self.clock = _TellingClock(self)
        self._notices: set[Notice] = set()
        self._status: Status | None = None
        self._stage: Stage | None = None
        self._text = ""
        self._said_at = self.clock.monotonic()

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), UTC)

    def notice(self, notice: Notice) -> None:
        """What TikTok says beside an answer; exit code 1 where rows are missing."""
        if notice in self._notices:
            return
        self._notices.add(notice)
        if notice.incomplete:
            self.code = EXIT_FAILED
            say(f"not complete  {shown(notice.text)} ({notice.endpoint})", color=YELLOW)
        else:
            say(f"  {shown(notice.text)}")

    def warn(self, mistake: Mistake) -> None:
        say_warnings([mistake])

    def lost(self, advertiser_id: str, error: ManagementError) -> None:
        """An account that cannot be read while others can."""
        self.code = EXIT_FAILED
        say(f"left out  {shown(advertiser_id)}: {shown(str(error))}", color=RED)

    def progress(self, progress: Progress) -> None:
        """Where nobody watches, another stage is worth a line, and the same one now and then."""
        text, now = _worded(progress), self.clock.monotonic()
        is_new = progress.stage is not self._stage and progress.stage not in _QUIET
        if self._status is not None:
            self._status.update(text)
        elif is_new or now - self._said_at >= _TOLD_WITHOUT_TERMINAL_S:
            say(f"  {text}")
            self._said_at = now
        self._stage, self._text = progress.stage, text

    def stage(self, what: str, advertiser_id: str) -> None:
        """What is being read now."""
        self._text = f"{shown(advertiser_id)}: {what}"
        if self._status is not None:
            self._status.update(self._text)

    def pause(self, seconds: float) -> None:
        """The client waits: for its turn, for TikTok to recover, for a report."""
        if self._status is not None and seconds >= _TOLD_S:
            self._status.update(f"{self._text}  (next call in {seconds:.0f} s)".strip())
        elif self._status is None and seconds >= _TOLD_WITHOUT_TERMINAL_S:
            say(f"  next call in {seconds:.0f} s")

    @contextmanager
    def moving(self, *, beside_output: bool) -> Iterator[None]:
        """A line that moves while the block runs, on a terminal; not where results pass through
        the same terminal as they come."""
        if not sys.stderr.isatty() or (beside_output and sys.stdout.isatty()):
            yield
            return
        with console(stderr=True).status("asking TikTok") as status:
            self._status = status
            try:
                yield
            finally:
                self._status = None


class _TellingClock(SystemClock):
    """The machine's clock, which says how long it is slept by."""

    def __init__(self, told: Told) -> None:
        self._told = told

    async def sleep(self, seconds: float) -> None:
        self._told.pause(seconds)
        await super().sleep(seconds)


def _worded(progress: Progress) -> str:
    """The sentence; of a file that comes, also how much."""
    if progress.stage is Stage.DOWNLOADING and progress.done:
        return f"{progress.text}, {size(progress.done)}"
    return progress.text
