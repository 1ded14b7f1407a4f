"""How far a source is in its partitions, and when one is stalled."""

from __future__ import annotations

from relay.ingest.kafka.standing import Partition, Sample, Standing

ONE, TWO = Partition("orders", 0), Partition("orders", 1)


def standing() -> Standing:
    made = Standing(stalled_after_s=120.0)
    made.assigned([ONE, TWO], 0.0)
    return made


def samples(one: int, two: int, *, end: int = 100, answered: int = 0) -> list[Sample]:
    return [Sample(ONE, one, end, answered), Sample(TWO, two, end, answered)]


def test_the_lag_is_summed_by_topic() -> None:
    house = standing()

    house.sampled([Sample(ONE, 90, 100, 1), Sample(TWO, 100, 100, 1)], 1.0)

    assert house.lag() == {"orders": 10}


def test_of_partitions_that_nobody_looked_at_no_lag_is_told() -> None:
    house = standing()
    assert house.lag() == {}

    house.sampled([Sample(ONE, 100, 100, 1)], 1.0)

    assert house.lag() == {"orders": 0}


def test_a_partition_that_has_messages_and_gives_none_is_stalled() -> None:
    house = standing()
    for second in range(121):
        house.sampled(samples(50, second, answered=second), second)
    assert house.stalled(120.0) == []

    house.sampled(samples(50, 121, end=200, answered=121), 121)

    assert house.stalled(121.0) == [ONE]
    assert str(ONE) == "orders/0"


def test_one_that_has_nothing_is_not() -> None:
    house = standing()
    house.sampled(samples(100, 100, answered=1), 1.0)
    house.sampled(samples(100, 100, answered=2), 500.0)
    house.sampled(samples(100, 100, end=101, answered=3), 500.5)

    assert house.stalled(501.0) == []


def test_a_rebalance_does_not_end_a_stall_and_moving_does() -> None:
    house = standing()
    house.sampled(samples(50, 100, answered=1), 1.0)
    house.assigned([ONE, TWO], 100.0)
    house.sampled(samples(50, 100, answered=2), 130.0)
    assert house.stalled(130.0) == [ONE]

    house.sampled(samples(51, 100, answered=3), 131.0)

    assert house.stalled(131.0) == []


def test_a_partition_that_is_gone_is_somebody_else_s() -> None:
    house = standing()
    house.sampled(samples(50, 50, answered=1), 1.0)

    house.assigned([TWO], 2.0)

    assert house.lag() == {"orders": 50}


def test_brokers_that_do_not_answer_are_away_and_no_partition_is_to_blame() -> None:
    house = standing()
    house.sampled(samples(50, 50, answered=1), 1.0)

    for second in range(2, 200):
        house.sampled(samples(50, 50, answered=1), second)

    assert house.stalled(200.0) == ()
