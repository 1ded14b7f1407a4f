"""The benchmark's arithmetic: what the table says must be what was measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.figures import (
    Report,
    Row,
    count,
    in_seconds,
    median_ratio,
    megabytes,
    middle_rate,
    milliseconds,
    per_million,
    percentile,
    ratio,
)
from tests.bench.table import exit_code

_values = st.lists(st.floats(0, 1e6), min_size=1, max_size=200).map(sorted)


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, 1.0), (0.01, 1.0), (0.5, 50.0), (0.501, 51.0), (0.99, 99.0), (1.0, 100.0)],
)
def test_a_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    assert percentile([float(n) for n in range(1, 101)], share) == expected


@given(_values, st.floats(0, 1))
def test_a_percentile_was_measured_and_so_many_are_not_above_it(
    ordered: list[float], share: float
) -> None:
    found = percentile(ordered, share)

    assert found in ordered
    assert sum(value <= found for value in ordered) >= share * len(ordered)


def test_there_is_no_percentile_of_nothing() -> None:
    assert percentile([], 0.99) == 0.0


def test_pairs_are_compared_one_by_one_so_that_a_slower_machine_does_not_count() -> None:
    """The machine is half as fast from the second pair on; the relay is always at 0.7."""
    pairs = [(700.0, 1000.0), (350.0, 500.0), (350.0, 500.0)]

    assert median_ratio(pairs) == pytest.approx(0.7)


@pytest.mark.parametrize("disturbed", [(1.0, 10.0), (7.0, 1.0)])
def test_one_disturbed_pair_does_not_move_the_median(disturbed: tuple[float, float]) -> None:
    assert median_ratio([(7.0, 10.0), disturbed, (7.0, 10.0)]) == pytest.approx(0.7)


def test_what_cannot_be_divided_is_0() -> None:
    assert ratio(5.0, 0.0) == 0.0
    assert per_million(1.0, 0) == 0.0
    assert median_ratio([(5.0, 0.0)]) == 0.0


def test_cpu_is_per_million_events() -> None:
    assert per_million(4.2, 100_000) == pytest.approx(42.0)


def test_a_drain_is_timed_while_it_runs_not_while_it_is_probed() -> None:
    """Two seconds of single probes, then 10 000 a second, then a pause before the last event."""
    probes = [(0.0, 100), (1.0, 101), (2.0, 102)]
    running = [(2.1 + n / 10, 1102 + n * 1000) for n in range(20)]
    last = [(9.0, running[-1][1] + 1)]

    assert middle_rate(probes + running + last) == pytest.approx(10_000)


@pytest.mark.parametrize("samples", [[], [(0.0, 5)], [(0.0, 5), (1.0, 5)], [(0.0, 0), (1.0, 1000)]])
def test_a_drain_that_was_hardly_seen_has_no_rate(samples: list[tuple[float, int]]) -> None:
    assert middle_rate(samples) == 0.0


def test_figures_are_shown_as_people_read_them() -> None:
    assert count(1234567.4) == "1 234 567"
    assert milliseconds(0.0123) == "12.3 ms"
    assert in_seconds(0.456) == "0.46 s"
    assert megabytes(79_600_000) == "80 MB"


def test_a_failed_line_fails_the_run_and_a_missed_aim_only_when_asked() -> None:
    good = Report([Row("a", "1", met=True), Row("b", "1")])
    missed = Report([Row("a", "1", met=False)])
    failed = Report([Row("a", "1", met=True)], failed=["5 were accepted, 4 arrived"])

    assert exit_code({"good": good}, strict=True) == 0
    assert exit_code({"good": good, "missed": missed}, strict=False) == 0
    assert exit_code({"good": good, "missed": missed}, strict=True) == 1
    assert exit_code({"good": good, "failed": failed}, strict=False) == 1
