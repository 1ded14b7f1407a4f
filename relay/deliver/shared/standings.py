"""One destination's standing: whose finding counts, and who may probe. Pure.

The row (`LaneRow`) is by the database's clock; `decide` is what a replica does there, alone at that
time. `LaneShare` is what one replica knows of it, by its own clock.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from relay.deliver.breaker import LaneState, Standing
from relay.deliver.shared.far_clock import FarClock

#: So long a replica may probe alone, in seconds; renewed while it does.
LEASE_S = 5.0

#: A lease for one with reason to probe at once, in seconds: short, as it may have nothing to send.
_AT_ONCE_S = 2.0

#: A lease is renewed when it is older than that, in seconds.
_RENEW_AFTER_S = 1.0

#: A lane that wants to probe says so at least this often, in seconds.
_WANTED_FOR_S = 2.5


class LaneRow(NamedTuple):
    """What all replicas know of a destination. Times by the database's clock."""

    version: int
    standing: Standing
    prober: str | None = None
    prober_until: float = -math.inf


class Wish(NamedTuple):
    """What a replica wants of the row: that its finding counts (`standing`, by the database's
    clock; with `at_once` it may probe itself, too), or to probe. All of it rests on `version`."""

    version: int | None
    standing: Standing | None = None
    at_once: bool = False
    probe: bool = False


def decide(row: LaneRow, wish: Wish, *, replica: str, now: float) -> LaneRow:
    """The row after `replica` wished this, at the database's `now`."""
    if wish.version != row.version:
        return row
    if wish.standing is not None:
        found = LaneRow(row.version + 1, wish.standing)
        if wish.at_once:
            return found._replace(prober=replica, prober_until=now + _AT_ONCE_S)
        return found
    if wish.probe and _may_have_lease(row, replica, now):
        return row._replace(prober=replica, prober_until=now + LEASE_S)
    return row


def _may_have_lease(row: LaneRow, replica: str, now: float) -> bool:
    if row.standing.state is LaneState.RUNNING:
        return False
    if row.prober == replica:
        return True
    return row.standing.probe_at <= now and row.prober_until <= now


class LaneShare:
    """What one replica knows of a destination's row. Times by the own clock.

    Until the row was seen for the first time nothing may be sent: the lane might be paused.
    """

    def __init__(self, replica: str) -> None:
        self._replica = replica
        self._version: int | None = None
        self._agreed = Standing(LaneState.RUNNING)
        self._lease_until = -math.inf
        self._taken_until = -math.inf
        self._wanted_at = -math.inf

    @property
    def is_known(self) -> bool:
        return self._version is not None

    def may_probe(self, now: float) -> bool:
        """Has this replica the lease? Asking says that it is wanted."""
        self._wanted_at = now
        return now < self._lease_until

    def differs(self, standing: Standing) -> bool:
        """This replica found something that the others do not know."""
        return standing != self._agreed

    def wish(
        self, standing: Standing, now: float, clock: FarClock, *, probing: bool
    ) -> Wish | None:
        """What to do in the row now; None: nothing. `standing` and `probing` are the lane's."""
        if self._version is None:
            return Wish(None)
        stopped = standing.state is not LaneState.RUNNING
        if self.differs(standing):
            at_once = stopped and standing.probe_at <= now
            return Wish(self._version, _there(standing, clock), at_once=at_once)
        if stopped and self._wants_lease(now, probing=probing):
            return Wish(self._version, probe=True)
        return None

    def _wants_lease(self, now: float, *, probing: bool) -> bool:
        wanted = probing or now - self._wanted_at < _WANTED_FOR_S
        due = now >= self._agreed.probe_at and now >= self._taken_until
        fresh = now < self._lease_until - (LEASE_S - _RENEW_AFTER_S)
        holds = now < self._lease_until
        return wanted and not fresh and (holds or due)

    def seen(self, row: LaneRow, mine: Standing, clock: FarClock) -> Standing | None:
        """The row says this. Returns what the lane, whose standing is `mine`, must be told.

        After a wish came true, `mine` is the standing that the wish was made for.
        """
        own = row.prober == self._replica
        self._lease_until = clock.not_after(row.prober_until) if own else -math.inf
        self._taken_until = -math.inf if own else clock.not_before(row.prober_until)
        if row.version == self._version:
            return None
        self._version = row.version
        self._agreed = _here(row.standing, clock)
        return None if self._agreed == mine else self._agreed

    def published(self, row: LaneRow, mine: Standing, clock: FarClock) -> None:
        """The row says what this replica found, the standing `mine`."""
        self._version = row.version
        self._agreed = mine
        self.seen(row, mine, clock)


def _there(standing: Standing, clock: FarClock) -> Standing:
    since = standing.since
    return standing._replace(
        since=None if since is None else clock.there(since),
        probe_at=clock.there(standing.probe_at),
    )


def _here(standing: Standing, clock: FarClock) -> Standing:
    since = standing.since
    return standing._replace(
        since=None if since is None else clock.not_before(since),
        probe_at=clock.not_before(standing.probe_at),
    )
