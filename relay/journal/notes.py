"""What a note's key and value may be. Pure."""

from __future__ import annotations

from typing import Final

MAX_KEY_BYTES: Final = 512
MAX_VALUE_BYTES: Final = 16 * 2**20


def check_note(key: str, value: bytes) -> None:
    """Raises ValueError for a note that no journal could keep."""
    check_key(key)
    if not key:
        raise ValueError("a note needs a key")
    if len(value) > MAX_VALUE_BYTES:
        raise ValueError(f"a note has at most {MAX_VALUE_BYTES} bytes")


def check_key(key: str) -> None:
    """Of a key, or the beginning of one."""
    if "\0" in key:
        raise ValueError("a note's key holds no NUL")
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        raise ValueError("a note's key is text") from None
    if length > MAX_KEY_BYTES:
        raise ValueError(f"a note's key has at most {MAX_KEY_BYTES} bytes")
