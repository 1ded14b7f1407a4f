"""What can go wrong, named. A docstring here is the message: it says what to do about it.

    RelayError
    ├── ConfigError            the configuration has mistakes (all of them, each with key and mend)
    ├── JournalError
    │   ├── JournalUnavailable cannot store right now: answer 503, it recovers by itself
    │   ├── JournalFull        the byte limit of waiting events is reached
    │   ├── JournalLocked      another process has the folder open
    │   ├── JournalSealed      the folder's journal was moved elsewhere
    │   └── JournalFormat      the folder was written by another version
    ├── DatabaseUnavailable    PostgreSQL does not answer: it is tried again
    │   └── DatabaseRefused    PostgreSQL answers and says no: a person has to act
    │       └── ServersSealed  the servers' journal was moved elsewhere
    ├── TopicsMissing          topics that somebody else has to create
    └── SourceError
        ├── SignatureRefused   the sender could not be verified
        ├── PayloadRefused     verified, but not something we can read
        └── UnknownSource      no source has this name

Values that are *expected* (invalid events, duplicates, refusals by TikTok) are not errors: they are
returned and counted, see `relay.model`.
"""

from __future__ import annotations

from dataclasses import dataclass


class RelayError(Exception):
    """Something went wrong in the relay."""

    def __str__(self) -> str:
        detail = super().__str__()
        return detail or (self.__doc__ or type(self).__name__).strip().splitlines()[0]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in the configuration: the key it is at, what is wrong, and how to mend it."""

    key: str
    problem: str
    mend: str

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}. {self.mend}"


class ConfigError(RelayError):
    """The configuration has mistakes; each is listed with its key and the mend."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


class JournalError(RelayError):
    """The journal cannot do what was asked."""


class JournalUnavailable(JournalError):
    """The journal cannot store right now; try again, it recovers by itself."""


class JournalFull(JournalUnavailable):
    """The journal holds as much as `journal.max_bytes` allows; it drains as TikTok accepts."""


class JournalLocked(JournalError):
    """Another relay has this journal folder open; stop it, or give this one a folder of its own."""


class JournalSealed(JournalError):
    """This journal was moved elsewhere, and would send once more what that one sends."""


class JournalFormat(JournalError):
    """The journal folder was written in a format that this version does not know."""


class DatabaseUnavailable(RelayError):
    """PostgreSQL does not answer; what was asked may have been done nevertheless."""


class DatabaseRefused(DatabaseUnavailable):
    """PostgreSQL refuses what the relay needs; the message says what to change."""


class ServersSealed(DatabaseRefused):
    """The journal of these servers was moved elsewhere, and would send once more what that one
    sends."""


class TopicsMissing(RelayError):
    """Topics are missing and may not be created from here; the message says how to create them."""


class SourceError(RelayError):
    """What a sender handed over could not be used."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SignatureRefused(SourceError):
    """The sender could not be verified. `reason` is for our counters, never for the answer."""


class PayloadRefused(SourceError):
    """The sender is known, but the body is not something this source can read."""


class UnknownSource(SourceError):
    """No source of the configuration has this name."""
