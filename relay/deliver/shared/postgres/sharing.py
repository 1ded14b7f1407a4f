"""Keeps the lanes of this replica and the rows that all replicas share in step."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from relay.clock import Clock, Steady
from relay.deliver.breaker import LaneState
from relay.deliver.budget import Budget
from relay.deliver.lane import Lane
from relay.deliver.limiter import Limiter
from relay.deliver.shared.far_clock import FarClock
from relay.deliver.shared.lane_budget import LaneBudget
from relay.deliver.shared.postgres import rows
from relay.deliver.shared.standings import LaneRow, LaneShare, Wish, decide
from relay.deliver.shared.tokens import Grant, Report, Request, TokenShare, lease
from relay.errors import DatabaseUnavailable
from relay.postgres.database import Database

#: What replicas tell each other here: "look".
_CHANNEL = "lanes"

#: Rows are looked at this often, in seconds, whether or not somebody said that they changed.
_LOOK_S = 1.0

#: While the database is away, it is asked this often, in seconds.
_AGAIN_S = 0.25

#: Called with a lane's state as it was before it was told something, or got what it waited for.
Heard = Callable[[LaneState], None]


@dataclass(slots=True)
class _Token:
    """One token of this replica: its share, and who takes from it."""

    key: bytes
    ceiling: float
    floor: float
    share: TokenShare
    asked: asyncio.Event
    destinations: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Member:
    """One destination of this replica: what is known of its row, and its lane once there is one."""

    name: str
    share: LaneShare
    lane: Lane | None = None
    heard: Heard = lambda before: None  # until the lane is attached


class Sharing:
    """What the replicas that deliver share. Ask for a `budget` for each lane, `attach` the lane,
    and let `run` run; say `changed` after an answer or a word from outside.

    `replica` names this one; no two at a time may have the same name.
    """

    def __init__(self, database: Database, clock: Clock, *, replica: str) -> None:
        self._database = database
        self._clock = clock
        self._replica = replica
        self.steady = Steady(clock)
        self._far = FarClock()
        self._tokens: dict[bytes, _Token] = {}
        self._members: dict[str, _Member] = {}
        self._news = asyncio.Event()
        self._look_at = float("-inf")

    # --- for lanes and those who drive them -------------------------------------------------------

    def budget(self, destination: str, token: str, *, ceiling: float, floor: float) -> Budget:
        """The budget for this destination's lane. `token` is the reference of its secret;
        destinations with the same one share its rate: the lowest `ceiling` counts."""
        key = rows.token_key(token)
        kept = self._tokens.get(key)
        if kept is None:
            asked = asyncio.Event()
            kept = _Token(key, ceiling, floor, TokenShare(asked.set), asked)
            self._tokens[key] = kept
        kept.ceiling = min(kept.ceiling, ceiling)
        kept.floor = min(kept.floor, floor)
        kept.destinations.append(destination)
        member = _Member(destination, LaneShare(self._replica))
        self._members[destination] = member
        return LaneBudget(len(self._members), kept.share, member.share, self._news.set)

    def attach(self, destination: str, lane: Lane, heard: Heard) -> None:
        """This lane has the destination's budget. Its clock is `steady`."""
        member = self._members[destination]
        member.lane = lane
        member.heard = heard

    def changed(self, destination: str) -> None:
        """The lane may have found something that the other replicas have to know."""
        member = self._members[destination]
        if member.lane is not None and member.share.differs(member.lane.standing):
            self._news.set()

    # --- the tasks --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled. Waits for the database whenever it is away."""
        self._database.listen(_CHANNEL, self._told_to_look)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_members())
            for token in self._tokens.values():
                tasks.create_task(self._keep_token(token))

    def _told_to_look(self, _: str) -> None:
        self._look_at = float("-inf")
        self._news.set()

    # --- destinations -----------------------------------------------------------------------------

    async def _keep_members(self) -> None:
        while True:
            try:
                if self.steady.now() >= self._look_at:
                    self._look_at = self.steady.now() + _LOOK_S
                    await self._look()
                for member in self._members.values():
                    await self._fulfil(member)
            except DatabaseUnavailable:
                self._look_at = float("-inf")
                await self._clock.sleep(_AGAIN_S)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._news.wait()
            self._news.clear()

    async def _look(self) -> None:
        """See every row once; there is a row for what this replica has asked for."""
        async with self._database.connection() as connection:
            asked_at = self.steady.now()
            lanes = await rows.lane_rows(connection, list(self._members))
            for row in lanes:
                self._heard_time(row["now"], asked_at)
            ledgers = await rows.ledgers(connection, list(self._tokens))
        for row in lanes:
            member = self._members[row["destination"]]
            if member.lane is not None:
                self._seen(member, member.lane, rows.lane_of(row))
        for row in ledgers if lanes else ():
            self._tokens[row["token"]].share.seen(rows.ledger_of(row).limits, self._far)

    async def _fulfil(self, member: _Member) -> None:
        """Do what the lane wishes of its row, if it wishes anything."""
        lane, now = member.lane, self.steady.now()
        if lane is None:
            return
        mine = lane.standing
        wish = member.share.wish(mine, now, self._far, probing=lane.probing)
        if wish is None:
            return
        before, after = await self._decide(member.name, wish)
        if after.version != before.version:
            member.share.published(after, mine, self._far)
        else:
            self._seen(member, lane, after)
        member.heard(lane.standing.state)

    async def _decide(self, name: str, wish: Wish) -> tuple[LaneRow, LaneRow]:
        async with self._database.transaction() as connection:
            asked_at = self.steady.now()
            row = await rows.locked_lane(connection, name)
            self._heard_time(row["now"], asked_at)
            before = rows.lane_of(row)
            after = decide(before, wish, replica=self._replica, now=row["now"])
            if after != before:
                await rows.store_lane(connection, name, after)
            if after.version != before.version:
                await self._database.notify(connection, _CHANNEL, name)
        return before, after

    def _seen(self, member: _Member, lane: Lane, row: LaneRow) -> None:
        before, was_known = lane.standing, member.share.is_known
        told = member.share.seen(row, before, self._far)
        if told is not None:
            lane.told(told, self.steady.now())
        if told is not None or not was_known:
            member.heard(before.state)

    # --- tokens -----------------------------------------------------------------------------------

    async def _keep_token(self, token: _Token) -> None:
        while True:
            await token.asked.wait()
            token.asked.clear()
            request = token.share.request(self.steady.now())
            if request is None:
                continue
            try:
                grant = await self._lease(token, request)
            except DatabaseUnavailable:
                token.share.failed(request)
                token.asked.set()
                await self._clock.sleep(_AGAIN_S)
                continue
            token.share.granted(grant, self._far)
            self._wake(token)

    def _wake(self, token: _Token) -> None:
        for destination in token.destinations:
            member = self._members[destination]
            if member.lane is not None:
                member.heard(member.lane.standing.state)

    async def _lease(self, token: _Token, request: Request) -> Grant:
        limiter = Limiter(ceiling=token.ceiling, floor=token.floor)
        async with self._database.transaction() as connection:
            asked_at = self.steady.now()
            row = await rows.locked_ledger(connection, token.key, token.ceiling)
            self._heard_time(row["now"], asked_at)
            grant = lease(
                rows.ledger_of(row),
                limiter,
                request._replace(reports=self._there(request.reports)),
                lessee=self._replica,
                now=row["now"],
            )
            await rows.store_ledger(connection, token.key, grant.ledger)
            if any(report.hold_s is not None for report in request.reports):
                await self._database.notify(connection, _CHANNEL, "")
        return grant

    def _there(self, reports: tuple[Report, ...]) -> tuple[Report, ...]:
        there = self._far.there
        return tuple(
            Report(there(each.at), there(each.started_at), each.hold_s) for each in reports
        )

    def _heard_time(self, far: float, asked_at: float) -> None:
        self._far.heard(far, asked_at=asked_at, heard_at=self.steady.now())
