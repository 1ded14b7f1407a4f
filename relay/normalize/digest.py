"""SHA-256 digests: made here, recognised when they arrive ready-made, refused when they are poison.

A poison digest is the digest of what software writes for "nothing" ("undefined", "null", the empty
string). It is well formed, TikTok accepts it with code 0, and it makes all people without a value
look like one.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from relay.normalize.fields import Flaw, Flawed, dropped, words

#: What software writes for nothing.
PLACEHOLDERS: Final = words(
    """
    undefined Undefined UNDEFINED null Null NULL (null) <null> none None NONE (none) nil <nil>
    nan NaN NAN n/a N/A [object [object]
    """
) | {"", "+", "-", "[object Object]", "{}", "[]"}

#: As an identifier of a person also 0: shops number guests 0.
NO_ONE: Final = PLACEHOLDERS | {"0"}

#: Digests of these: refused as ready-made input, and never made.
POISON: Final = frozenset(sha256(word.encode()).hexdigest() for word in NO_ONE)

DIGEST_LENGTH: Final = 64
_HEX: Final = re.compile(r"[0-9a-fA-F]{64}\Z").match


def digest(text: str) -> str:
    """The lowercase hex SHA-256 of `text` in UTF-8."""
    return sha256(text.encode()).hexdigest()


def identifying(text: str) -> str | Flawed:
    """The digest of an identifier of a person, unless it stands for no one."""
    return dropped(Flaw.PLACEHOLDER) if text in NO_ONE else sha256(text.encode()).hexdigest()


def is_digest(text: str) -> bool:
    """Whether `text` is a SHA-256 in hex, in either case."""
    return len(text) == DIGEST_LENGTH and _HEX(text) is not None


def ready_made(text: str) -> str | Flawed:
    """A digest that arrived as one: never hashed again, in lowercase, refused when it is poison."""
    lowered = text.lower()
    return dropped(Flaw.POISON_DIGEST) if lowered in POISON else lowered
