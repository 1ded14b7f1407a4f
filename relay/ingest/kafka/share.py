"""Whether too many of a partition's messages are invalid. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

WINDOW: Final = 200
LEAST: Final = 50


@dataclass(slots=True)
class Share:
    """The last messages of one partition: which were invalid."""

    most: float
    _last: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _invalid: int = 0

    @property
    def invalid(self) -> int:
        return self._invalid

    @property
    def seen(self) -> int:
        return len(self._last)

    def exceeded_by(self, messages: Iterable[bool]) -> bool:
        """Take more messages, True for an invalid one; whether one of them, an invalid one, made
        it too many."""
        for invalid in messages:
            if len(self._last) == WINDOW:
                self._invalid -= self._last[0]
            self._last.append(invalid)
            self._invalid += invalid
            if invalid and len(self._last) >= LEAST and self._is_too_many():
                return True
        return False

    def _is_too_many(self) -> bool:
        return self._invalid > self.most * len(self._last)
