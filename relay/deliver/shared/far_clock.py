"""The clock of a server, seen through questions that take time. All times are seconds."""

from __future__ import annotations

import math

#: A contradiction as small as that is none: clocks drift, and tell their time in steps.
_SLACK_S = 0.001


class FarClock:
    """How far the server's clock is ahead of the own one, between two bounds.

    Every answered question narrows them: what the server said was true at some time between asking
    and hearing. An answer that contradicts what is known counts alone: a clock was set.
    """

    def __init__(self) -> None:
        self._least = -math.inf
        self._most = math.inf

    def heard(self, far: float, *, asked_at: float, heard_at: float) -> None:
        """The server said `far` to a question of that time."""
        least, most = far - heard_at, far - asked_at
        if least > self._most + _SLACK_S or most < self._least - _SLACK_S:
            self._least, self._most = least, most
        else:
            self._least, self._most = max(least, self._least), min(most, self._most)

    def not_before(self, far: float) -> float:
        """The own time at which the server's is `far` or later.

        All three raise ValueError before the server's first word.
        """
        self._check()
        return far - self._least

    def not_after(self, far: float) -> float:
        """The own time at which the server's is `far` or earlier."""
        self._check()
        return far - self._most

    def there(self, here: float) -> float:
        """The server's time for an own one, `not_before` turned round."""
        self._check()
        return here + self._least

    def _check(self) -> None:
        if math.isinf(self._least):
            raise ValueError("the server has not said its time yet")
