"""The client: everything of the Marketing API that this program reads, behind one object."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from relay.clock import Clock, SystemClock
from relay.management.budget import Budgets, Limits
from relay.management.http.accounts import AccountReads
from relay.management.http.ads import AdReads
from relay.management.http.ahead import Tasks
from relay.management.http.calls import Caller, Surroundings, Token
from relay.management.http.changes import ChangeReads
from relay.management.http.connection import Connection
from relay.management.http.events import EventReads
from relay.management.http.lists import Lists
from relay.management.notices import OnNotice, nobody
from relay.management.reports.http.parts import Story
from relay.management.reports.http.report import Report
from relay.management.reports.progress import OnProgress, unseen
from relay.management.reports.request import ReportRequest
from relay.management.reports.tasks import NoStore, TaskStore
from relay.management.retry import Patience

BASE_URL: Final = "https://business-api.tiktok.com/open_api/v1.3"

#: Chance here spreads tries, it keeps no secret.
_roll: Final = random.Random().random  # noqa: S311  # see above


class Client(AccountReads, AdReads, EventReads, ChangeReads):
    """Reads one person's ad accounts. Use it with `async with`.

        async with Client(token) as tiktok:
            async for campaign in tiktok.campaigns(advertiser_id):
                print(campaign.campaign_name, campaign.budget)

    `token` is a text, or a function that gives the present one and is asked before every call; None
    is for `exchange`, which brings the first one. `limits` is how fast it may call: clients of one
    app share them when they are given the same `budgets`. `patience` is how long it waits.
    `on_notice` is told whatever TikTok says beside its answers; listings and reports keep it too.
    `trust_env` uses the proxy of `HTTPS_PROXY`. All reads raise `ManagementError`.
    """

    def __init__(  # noqa: PLR0913  # every one has a default, and a caller names the few it needs
        self,
        token: Token | None,
        *,
        base_url: str = BASE_URL,
        clock: Clock | None = None,
        limits: Limits | None = None,
        budgets: Budgets | None = None,
        patience: Patience | None = None,
        roll: Callable[[], float] = _roll,
        on_notice: OnNotice = nobody,
        trust_env: bool = False,
    ) -> None:
        if limits is not None and budgets is not None:
            raise ValueError("give `limits` or `budgets`, for the one is part of the other")
        patience = patience or Patience()
        self._connection = Connection(base_url, connect_s=patience.connect_s, trust_env=trust_env)
        surroundings = Surroundings(
            budgets or Budgets(limits), patience, clock or SystemClock(), roll
        )
        self._caller = Caller(self._connection, token, surroundings)
        self._tasks = Tasks()
        self._lists = Lists(self._caller, self._tasks)
        self._on_notice = on_notice

    async def __aenter__(self) -> Self:
        await self._connection.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End what lists and reports that nobody read to the end have under way, and close."""
        try:
            await self._tasks.end()
        finally:
            await self._connection.__aexit__(kind, error, traceback)

    def report(
        self,
        request: ReportRequest,
        *,
        on_progress: OnProgress = unseen,
        store: TaskStore | None = None,
    ) -> Report:
        """A report; `async for` its rows. Whether it is read at once or as a task of TikTok's is
        chosen by size, unless `request.way` says.

        `store` remembers tasks, so that the same request goes on after a crash; a task is cancelled
        when whoever waits for it is.
        """
        story = Story(self._on_notice, on_progress)
        return Report(request, self._caller, self._lists, self._tasks, store or NoStore(), story)
