"""The arithmetic of the benchmark, and how figures are shown. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of all are not above; 0 when there are none.

    `ordered` is sorted, smallest first. A value that was measured, never one between two.
    """
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def ratio(value: float, yardstick: float) -> float:
    """How often `yardstick` fits into `value`; 0 when it is 0."""
    return value / yardstick if yardstick else 0.0


def median_ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """The median of (value, yardstick) ratios: each value is held against what was measured right
    beside it, so that a machine that slows down between two pairs does not count."""
    return median(ratio(value, yardstick) for value, yardstick in pairs)


def per_million(cpu_s: float, events: int) -> float:
    """CPU seconds for a million events; 0 when there were none."""
    return ratio(cpu_s * 1e6, events)


def middle_rate(samples: Sequence[tuple[float, int]], *, skip: float = 0.02) -> float:
    """Units per second of a count that grows, from its first growth to its end.

    `samples` are (time in seconds, count). The first and last `skip` (a share) of the growth are
    left out: single probes come before the first. 0 when too few samples are left to tell.
    """
    if not samples:
        return 0.0
    first, last = samples[0][1], samples[-1][1]
    margin = (last - first) * skip
    middle = [sample for sample in samples if first + margin < sample[1] <= last - margin]
    if len(middle) < 2:
        return 0.0
    return ratio(middle[-1][1] - middle[0][1], middle[-1][0] - middle[0][0])


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table, as it is shown. `met` is None where nothing is aimed at."""

    name: str
    measured: str
    beside: str = ""
    ratio: str = ""
    aim: str = ""
    met: bool | None = None
    cpu: str = ""


@dataclass(slots=True)
class Report:
    """What one line of the benchmark found: rows, the figures behind them, and what to know.

    A line that `failed` did not do its work (events lost, refused or sent twice): then its figures
    mean nothing.
    """

    rows: list[Row] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def count(value: float) -> str:
    """`41 234`: digits in threes."""
    return f"{value:,.0f}".replace(",", " ")


def in_seconds(value: float) -> str:
    return f"{value:.2f} s"


def milliseconds(value_s: float) -> str:
    return f"{value_s * 1000:.1f} ms"


def megabytes(size_bytes: float) -> str:
    return f"{size_bytes / 1e6:.0f} MB"
