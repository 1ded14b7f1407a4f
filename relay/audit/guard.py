"""When two counts are too small, or too close, to be told apart.

Counts of independent events scatter by their root. `sigma` roots of the larger count are the margin
within which nothing is said.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relay.config.audit import Thresholds


def enough(a: float, b: float, limits: Thresholds) -> bool:
    """Is at least one side large enough for a ratio to mean something?"""
    return max(a, b) >= limits.min_count


def too_few(count: float, limits: Thresholds) -> bool:
    """Is there too little of a sample to say anything? Of nothing nothing can be said."""
    return count < max(1, limits.min_count)


def apart(a: float, b: float, limits: Thresholds) -> bool:
    """|a − b| > sigma · √max(a, b), and not both are small."""
    return enough(a, b, limits) and abs(a - b) > limits.sigma * sqrt(max(a, b, 0.0))


def below(a: float, b: float, factor: float, limits: Thresholds) -> bool:
    """a < factor · b, of counts that are apart."""
    return a < factor * b and apart(a, b, limits)


def above(a: float, b: float, factor: float, limits: Thresholds) -> bool:
    """a > factor · b, of counts that are apart."""
    return a > factor * b and apart(a, b, limits)


def more_than(found: float, total: float, share: float, limits: Thresholds) -> bool:
    """found > share · total, by more than chance makes of that share."""
    allowed = share * total
    return (
        found > allowed
        and enough(found, total, limits)
        and found - allowed > limits.sigma * sqrt(max(found, allowed, 0.0))
    )


def less_than(found: float, total: float, share: float, limits: Thresholds) -> bool:
    """found < share · total, by more than chance makes of that share."""
    wanted = share * total
    return (
        found < wanted
        and enough(found, total, limits)
        and wanted - found > limits.sigma * sqrt(max(found, wanted, 0.0))
    )
