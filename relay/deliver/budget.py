"""The request budget of a token, as a lane sees it: its own relay's, or one that replicas share."""

from __future__ import annotations

from typing import Protocol


class Budget(Protocol):
    """Says when a request may begin. All times are seconds of the lane's clock.

    `limiter.Limiter` is the one of a relay that has its tokens for itself; `probe` and `now` mean
    something only to a budget that replicas share, see `shared`.
    """

    @property
    def streak(self) -> int:
        """Throttles in a row without a success between them."""

    def reserve(self, now: float, *, probe: bool) -> float:
        """The moment to send at, which belongs to the caller. `inf`: there is none yet; the lane is
        woken when there may be one. `probe`: the lane does not run, and asks whether it may."""

    def still_good(self, moment: float, *, now: float, probe: bool) -> bool:
        """False for a moment that must not be used any more: reserve another."""

    def succeeded(self, now: float) -> None:
        """A request was not throttled."""

    def throttled(self, now: float, *, started_at: float, hold_s: float) -> None:
        """A request that began at `started_at` was throttled: nobody sends for `hold_s`."""
