"""When people are awake: how orders and spend lie over the hours of a day, the days of a week."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import Final

from relay.sandbox.ads.zone import HOUR_S, LocalTime, date_of

#: Of each hour of the shop's own clock: quiet at night, most at eight in the evening.
HOURS: Final = (
    0.52, 0.40, 0.34, 0.32, 0.32, 0.36, 0.48, 0.66, 0.84, 0.96, 1.04, 1.10,
    1.16, 1.12, 1.06, 1.06, 1.12, 1.24, 1.42, 1.62, 1.72, 1.60, 1.22, 0.82,
)  # fmt: skip
#: From Monday: people buy most at the end of the week.
ORDERS_OF_WEEKDAY: Final = (0.97, 0.95, 0.96, 0.98, 1.01, 1.06, 1.07)
SPEND_OF_WEEKDAY: Final = (0.96, 0.95, 0.95, 0.97, 0.99, 1.0, 1.0)


def weekday(day: int) -> int:
    """0 is Monday."""
    return date_of(day).weekday()


class DayCurve:
    """The hours of one day of the account's zone, weighted by the clock that people live by."""

    def __init__(self, day: int, account: LocalTime, people: LocalTime) -> None:
        self.starts = list(account.hours(day))
        self.weights = [HOURS[people.hour(start) % 24] for start in self.starts]
        self._sums = list(accumulate(self.weights))

    @property
    def total(self) -> float:
        return self._sums[-1]

    def moment(self, roll: float) -> float:
        """The time at which the share `roll` of the day's weight is over."""
        wanted = roll * self._sums[-1]
        place = min(bisect_right(self._sums, wanted), len(self._sums) - 1)
        weight = self.weights[place]
        return self.starts[place] + HOUR_S * (wanted - self._sums[place] + weight) / weight
