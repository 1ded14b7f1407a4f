from __future__ import annotations

from relay.deliver.turns import Turn, Turns

NEW, OLD, AGAIN = Turn.NEWEST, Turn.OLDEST, Turn.AGAIN


def served(
    turns: Turns,
    seconds: list[float],
    *,
    fresh: bool = True,
    again: bool = True,
    backlog: bool = True,
    full: bool = False,
) -> list[Turn | None]:
    order = []
    for now in seconds:
        turn = turns.next(now, fresh=fresh, again=again, backlog=backlog)
        order.append(turn)
        if turn is not None:
            turns.took(turn, now, full=full)
    return order


def test_without_a_backlog_the_oldest_leave_first() -> None:
    assert served(Turns(live_every_s=2), [0, 1, 2], again=False, backlog=False) == [OLD, OLD, OLD]


def test_parked_works_have_every_other_request() -> None:
    assert served(Turns(live_every_s=2), [0, 1, 2, 3], backlog=False) == [OLD, AGAIN, OLD, AGAIN]


def test_a_backlog_waits_while_the_newest_are_taken_every_two_seconds() -> None:
    seconds = [0, 0.5, 1, 1.5, 2, 2.5, 3]

    assert served(Turns(live_every_s=2), seconds, again=False) == [
        NEW,
        OLD,
        OLD,
        OLD,
        NEW,
        OLD,
        OLD,
    ]


def test_while_the_newest_come_full_they_have_every_other_request() -> None:
    seconds = [0, 0.1, 0.2, 0.3, 0.4, 0.5]

    assert served(Turns(live_every_s=2), seconds, full=True) == [NEW, OLD, NEW, AGAIN, NEW, OLD]


def test_the_backlog_has_every_fourth_request_at_the_least_however_slow() -> None:
    seconds = [float(10 * index) for index in range(40)]

    assert served(Turns(live_every_s=2), seconds, full=True).count(OLD) == 10


def test_whoever_wants_alone_is_served() -> None:
    assert served(Turns(live_every_s=2), [0, 1], fresh=False) == [AGAIN, AGAIN]
    assert served(Turns(live_every_s=2), [0], fresh=False, again=False) == [None]
