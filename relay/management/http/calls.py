"""Calls: as many at once as the budget allows, each tried again as its failures allow, each within
its deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from relay.clock import Clock
from relay.management.budget import Budget, Budgets
from relay.management.codes import Kind
from relay.management.endpoints import Endpoint
from relay.management.envelope import Answer, Failure, opened
from relay.management.errors import (
    About,
    CredentialRefused,
    DeadlineExceeded,
    ManagementError,
    Throttled,
    TimedOut,
)
from relay.management.http.connection import Connection, Divert, Request
from relay.management.query import Hidden, Params, body_of, query_of
from relay.management.retry import Patience, error_of, wait_s

#: So often a call is made again with a newer token.
_MOST_RENEWALS = 2

#: A token, or what gives the present one: it is asked before every call.
Token = str | Callable[[], str]


@dataclass(slots=True)
class _Call:
    """One call with all its tries; times are the clock's monotonic seconds."""

    endpoint: Endpoint
    request: Request
    about: About
    secrets: tuple[Hidden, ...]
    deadline: float
    fingerprint: int
    token: Hidden | None = None
    tries: int = 0
    renewals: int = 0
    anonymous: bool = False
    divert: Divert | None = None

    def mask(self, text: str) -> str:
        for secret in (*self.secrets, self.token):
            if secret:
                text = text.replace(secret, "<hidden>")
        return text


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What calls need beside a token: how fast, how long, what time, what chance."""

    budgets: Budgets
    patience: Patience
    clock: Clock
    roll: Callable[[], float]


class Caller:
    """Makes calls with one token. Nothing here, and nothing it raises, shows the token."""

    def __init__(
        self, connection: Connection, token: Token | None, surroundings: Surroundings
    ) -> None:
        self.connection = connection
        self.patience = surroundings.patience
        self.clock = surroundings.clock
        self.roll = surroundings.roll
        self.limits = surroundings.budgets.limits
        self._budgets = surroundings.budgets
        self._token = Hidden(token) if isinstance(token, str) else token
        self._slots = asyncio.Semaphore(self.limits.in_flight)

    def token(self) -> Hidden:
        """The present token. Raises `CredentialRefused` where there is none, and what the given
        function raises."""
        if self._token is None:
            raise CredentialRefused("This client was made without a token.")
        return Hidden(self._token() if callable(self._token) else self._token)

    async def call(
        self,
        endpoint: Endpoint,
        params: Params,
        *,
        anonymous: bool = False,
        within_s: float | None = None,
        divert: Divert | None = None,
    ) -> Answer:
        """What TikTok answers. Raises a `ManagementError`.

        Texts of `params` that are `Hidden` are not shown in what TikTok says; `anonymous` sends no
        token; `within_s` is for all tries, by default `patience.call_s`. `divert` may take a
        file away that comes in place of an answer; it is asked at every try.
        """
        call = self._new(endpoint, params, self.patience.call_s if within_s is None else within_s)
        call.anonymous, call.divert = anonymous, divert
        while True:
            outcome = await self._tried(call)
            if isinstance(outcome, Answer):
                return outcome
            pause_s = self._pause_s(call, outcome)
            if pause_s is None:
                raise error_of(outcome)
            if self.clock.monotonic() + pause_s > call.deadline:
                raise self._too_late(call, outcome)
            if pause_s:
                await self.clock.sleep(pause_s)

    def _new(self, endpoint: Endpoint, params: Params, within_s: float) -> _Call:
        query = query_of(params) if endpoint.method == "GET" else {}
        body = None if endpoint.method == "GET" else body_of(params)
        advertiser_id = params.get("advertiser_id")
        return _Call(
            endpoint=endpoint,
            request=Request(endpoint.method, endpoint.path, query, body),
            about=About(endpoint.path, advertiser_id if isinstance(advertiser_id, str) else None),
            secrets=tuple(value for value in params.values() if isinstance(value, Hidden)),
            deadline=self.clock.monotonic() + within_s,
            fingerprint=hash((endpoint.path, tuple(query.items()), body)),
        )

    async def _tried(self, call: _Call) -> Answer | Failure:
        async with self._slots:
            call.token = None if call.anonymous else self.token()
            budget = self._budgets.of(call.token or "")
            await self._turn(call, budget)
            started_at = self.clock.monotonic()
            longest_s = self.patience.file_s if call.divert else self.patience.answer_s
            exchange = await self.connection.exchange(
                call.request,
                call.token,
                within_s=min(longest_s, call.deadline - started_at),
                divert=call.divert,
            )
            outcome = opened(exchange, call.about, now=self.clock.now(), mask=call.mask)
            self._learn(call, budget, outcome, started_at)
            return outcome

    async def _turn(self, call: _Call, budget: Budget) -> None:
        """Wait until the budget has a moment for this call."""
        if not budget.may_ask(call.fingerprint, self.clock.monotonic()):
            raise TimedOut(
                "Timed out twice within ten minutes; TikTok blocks whoever asks the same again",
                call.about,
            )
        own = budget.reserve_own(call.endpoint.rate, self.clock.monotonic())
        await self._until(own, call, budget)
        while True:
            moment = budget.reserve(self.clock.monotonic())
            await self._until(moment, call, budget)
            while (now := self.clock.monotonic()) < (at := budget.goes_at(now)):
                await self._until(at, call, budget)
            if budget.still_good(moment):
                return

    async def _until(self, moment: float, call: _Call, budget: Budget) -> None:
        now = self.clock.monotonic()
        if moment > call.deadline:
            if budget.held_until > call.deadline:
                raise Throttled(
                    "Too many requests for this token",
                    call.about,
                    retry_in_s=budget.held_until - now,
                )
            raise self._too_late(call, None)
        if moment > now:
            await self.clock.sleep(moment - now)

    def _learn(
        self, call: _Call, budget: Budget, outcome: Answer | Failure, started_at: float
    ) -> None:
        now = self.clock.monotonic()
        if isinstance(outcome, Answer):
            budget.succeeded(now)
            return
        kind = outcome.meaning.kind
        if kind is Kind.THROTTLED:
            budget.throttled(outcome, now, started_at=started_at, roll=self.roll())
        elif kind is Kind.TIMED_OUT:
            budget.timed_out(call.fingerprint, now)
        elif outcome.about.code is not None:
            budget.succeeded(now)

    def _pause_s(self, call: _Call, failure: Failure) -> float | None:
        """Seconds until the next try; None when there is none."""
        kind = failure.meaning.kind
        if kind is Kind.CREDENTIAL and self._is_renewed(call):
            return 0.0
        if kind is not Kind.THROTTLED:
            call.tries += 1
        return wait_s(failure, call.endpoint, call.tries, self.patience, self.roll())

    def _is_renewed(self, call: _Call) -> bool:
        """Whether there is another token now than the one that was refused."""
        if not callable(self._token) or call.token is None or self.token() == call.token:
            return False
        call.renewals += 1
        return call.renewals <= _MOST_RENEWALS

    def _too_late(self, call: _Call, failure: Failure | None) -> ManagementError:
        """Out of time; the last failure says why, where there was one."""
        if failure is None:
            return DeadlineExceeded("There is no time left for this call", call.about)
        reason = error_of(failure).args[0]
        return DeadlineExceeded(f"No time is left to try again: {reason}", failure.about)
