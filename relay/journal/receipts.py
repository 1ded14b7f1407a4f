"""What a receipt's name says about it."""

from __future__ import annotations

_NEVER_AGAIN = "http:"


def may_come_again(receipt: str) -> bool:
    """Receipts of requests are never used twice; all others may be read again after a crash."""
    return not receipt.startswith(_NEVER_AGAIN)
