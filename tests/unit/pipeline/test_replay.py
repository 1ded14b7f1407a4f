"""Dead letters back onto the path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from relay import assembly
from relay.journal.protocol import End
from relay.model import Attempt, Outcome, Reason, Settlement
from relay.pipeline.replay import Replayed, Replayer

Make = Callable[..., dict[str, Any]]


async def buried(house: Any, conversion: dict[str, Any], *, unknown: bool = False) -> Any:
    """The dead letter of an event that TikTok refused."""
    await house.acceptor.conversions("backend", orjson.dumps(conversion))
    entries = house.journal.take("web", End.OLDEST, lambda entry: True)
    now = house.clock.now()
    attempt = Attempt("a1", "web", 1, now, 0.1, 1, 500, "reject", 200, 40002, unknown=unknown)
    dead = Settlement(entries, Outcome.REJECTED, Reason.INVALID_PARAMS)
    await house.journal.settle("web", attempt, [dead], [entry.seq for entry in entries])
    return [letter async for letter in house.journal.dead_letters()][-1]


def replayer(house: Any) -> Replayer:
    return Replayer(house.journal, assembly.normalizers_of(house.settings), house.clock)


async def test_a_letter_waits_again_as_it_was(house: Any, event: Make) -> None:
    letter = await buried(house, event("order-1"))

    (done,) = await replayer(house).replay([letter], dry_run=False)

    assert done.result is Replayed.QUEUED
    (entry,) = house.journal.take("web", End.OLDEST, lambda entry: True)
    assert entry.body == letter.wire


async def test_a_test_event_stays_a_test_event(house: Any, event: Make) -> None:
    letter = await buried(house, event("order-1", test_event_code="TEST9"))

    await replayer(house).replay([letter], dry_run=False)

    (entry,) = house.journal.take("web", End.OLDEST, lambda entry: True)
    assert entry.test_event_code == "TEST9"


async def test_what_tiktok_may_have_taken_two_days_ago_is_not_replayed(
    house: Any, event: Make
) -> None:
    letter = await buried(house, event("order-1"), unknown=True)
    house.clock.at += 49 * 3600

    (done,) = await replayer(house).replay([letter], dry_run=False)
    (forced,) = await replayer(house).replay([letter], dry_run=True, force=True)

    assert done.result is Replayed.MAY_COUNT_TWICE
    assert forced.result is Replayed.QUEUED


async def test_a_dry_run_changes_nothing(house: Any, event: Make) -> None:
    letter = await buried(house, event("order-1"))

    await replayer(house).replay([letter], dry_run=True)

    assert house.journal.counts()["web"].waiting == 0
    assert [each.replayed_at async for each in house.journal.dead_letters()] == [None]


async def test_after_a_restart_the_journal_knows_what_tiktok_may_have(
    house: Any, event: Make
) -> None:
    await house.acceptor.conversions("backend", orjson.dumps([event("a"), event("b")]))
    first, second = house.journal.take("web", End.OLDEST, lambda entry: True)
    began = house.clock.now()
    attempt = Attempt("a1", "web", 1, began, 2.0, 1, 500, "retry", None, None, unknown=True)
    await house.journal.settle("web", attempt, [], [first.seq])

    assert house.journal.unknown_since("web", [first.seq, second.seq]) == began
    assert house.journal.unknown_since("web", [second.seq]) is None
