"""What a receipt's name says about it."""

from __future__ import annotations

from relay.model import FROM_TOPIC, Outcome

_NEVER_AGAIN = "http:"


def may_come_again(receipt: str) -> bool:
    """Receipts of requests are never used twice; all others may be read again after a crash."""
    return not receipt.startswith(_NEVER_AGAIN)


def is_dead_letter(receipt: str, outcome: str) -> bool:
    """Whether what ended at the door is kept as a dead letter: a message of a topic that is
    invalid, because nobody was told."""
    return outcome == Outcome.INVALID and receipt.startswith(FROM_TOPIC)
