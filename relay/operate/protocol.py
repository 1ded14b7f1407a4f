"""What the operator's listener shows and does: asked of the running relay, never kept here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from relay.model import DeadLetter, Trace


@dataclass(frozen=True, slots=True)
class Health:
    """Does the relay make progress? `problems` say what does not, and call for a restart;
    `notes` what a restart would not help (a lane that waits for a token)."""

    ok: bool
    problems: Sequence[str] = ()
    notes: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What became of one dead letter: `result` is a word, `detail` says more."""

    letter_id: str
    result: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class NotesPage:
    """Some notes by key; `more` says whether there are others behind the last one."""

    notes: Mapping[str, bytes]
    more: bool


class Operations(Protocol):
    """The running relay, as its operator sees it. What is JSON-like here is JSON in `/api/`."""

    def health(self) -> Health: ...

    def ready(self) -> bool:
        """Open for senders, and able to store."""
        ...

    def metrics(self) -> bytes:
        """Prometheus' text."""
        ...

    async def find(self, token: str) -> Sequence[Trace]: ...

    async def dead_letters(self, destination: str | None, limit: int) -> Sequence[DeadLetter]: ...

    async def replay(
        self,
        letter_ids: Sequence[str] | None,
        destination: str | None,
        *,
        dry_run: bool,
        force: bool,
    ) -> Sequence[ReplayResult]:
        """Replay these dead letters, or all (of a destination) with None."""
        ...

    async def notes(self, prefix: str, behind: str) -> NotesPage:
        """Notes whose keys begin so, behind the key `behind`. Raises `JournalUnavailable`, and
        ValueError for what cannot be (the beginning of) a key, as do the next two."""
        ...

    async def put_note(self, key: str, value: bytes) -> None:
        """Durable when it returns; a note of this key is replaced."""
        ...

    async def drop_notes(self, prefix: str, before: str) -> None:
        """Forget the notes whose keys begin so and sort before `before`."""
        ...

    async def last_audit(self) -> bytes | None:
        """The report of the last audit, as JSON; None where there was none. Raises
        `JournalUnavailable`."""
        ...

    def stats(self) -> Mapping[str, Any]:
        """`{"destinations": [{"name", "accepted", "settled", "waiting", "size_bytes",
        "oldest_at", "gap"}]}`."""
        ...

    def lanes(self) -> Sequence[Mapping[str, Any]]:
        """One object a lane: state, since, cause, in flight, parked."""
        ...

    async def take_lines(
        self, source: str, file: str, first_line: int, items: Sequence[object]
    ) -> Mapping[str, Any]:
        """Part of an import: `items` are the conversions of consecutive lines of a file that is
        named by its digest. Returns `{"accepted", "known", "duplicates", "ended", "invalid":
        [{"line", "event_id", "errors"}]}`. Raises `JournalUnavailable`, `UnknownSource`."""
        ...
