"""The budget of a lane where replicas share it: a moment of the token, and leave to probe."""

from __future__ import annotations

import math
from collections.abc import Callable

from relay.deliver.shared.standings import LaneShare
from relay.deliver.shared.tokens import TokenShare


class LaneBudget:
    """A `budget.Budget`. `number` tells the lanes of a token apart; `ask` is called when something
    is wanted of the destination's row."""

    def __init__(
        self, number: int, token: TokenShare, share: LaneShare, ask: Callable[[], None]
    ) -> None:
        self._number = number
        self._token = token
        self._share = share
        self._ask = ask

    @property
    def streak(self) -> int:
        return self._token.streak

    def reserve(self, now: float, *, probe: bool) -> float:
        if not self._share.is_known or (probe and not self._share.may_probe(now)):
            self._ask()
            return math.inf
        return self._token.take(self._number, now)

    def still_good(self, moment: float, *, now: float, probe: bool) -> bool:
        if probe and not self._share.may_probe(now):
            return False
        return self._token.still_good(moment, now)

    def succeeded(self, now: float) -> None:
        self._token.succeeded(now)

    def throttled(self, now: float, *, started_at: float, hold_s: float) -> None:
        self._token.throttled(now, started_at=started_at, hold_s=hold_s)
