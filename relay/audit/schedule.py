"""Audits beside a running relay, every few hours.

Replicas share one journal and so one rhythm: who is due looks again, after a wait of its own,
whether another was quicker. A second audit at the same time would cost calls and nothing else.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Final

from relay.audit import archive
from relay.audit.archive import Latest
from relay.audit.collecting import Books, Collector
from relay.audit.findings import Audit, Severity
from relay.audit.gauges import Gauge
from relay.audit.run import NoAccounts, accounts_of, audit_accounts, client_of, targets_of
from relay.clock import Clock
from relay.config import Settings
from relay.errors import JournalUnavailable
from relay.management.errors import NOTHING_KNOWN, ManagementError
from relay.secrets import Secret, SecretUnavailable
from relay.telemetry import Log, Telemetry

#: It is looked so often, in seconds, whether an audit is due, and what another replica found.
_LOOK_EVERY_S: Final = 60.0

#: So long replicas wait apart, at most, in seconds: longer than an audit of most accounts.
_APART_S: Final = 300.0

#: An audit that failed is tried again after so many seconds, doubled each time: a token that was
#: renewed should not wait long.
_FIRST_RETRY_S: Final = 120.0
_LONGEST_RETRY_S: Final = 900.0

_DAY_S: Final = 86_400.0


class Schedule:
    """Runs until it is cancelled; what fails is logged and tried again."""

    def __init__(  # noqa: PLR0913  # what it works with, each once
        self,
        settings: Settings,
        token: Secret,
        books: Books,
        clock: Clock,
        *,
        telemetry: Telemetry,
        log: Log,
        roll: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._token = token
        self._books = books
        self._clock = clock
        self._telemetry = telemetry
        self._log = log
        self._roll = roll
        self._latest: Latest | None = None
        self._failures = 0
        telemetry.watch_audit(self.samples, settings.audit.every)

    def samples(self) -> Iterable[Gauge]:
        """What the last audit found, whoever made it."""
        return () if self._latest is None else self._latest.gauges

    async def run(self) -> None:
        while True:
            wait_s = _LOOK_EVERY_S
            try:
                await self._look()
            except (ManagementError, JournalUnavailable, SecretUnavailable, NoAccounts) as error:
                wait_s = self._after_failure()
                self._telemetry.audited("failed")
                about = error.about if isinstance(error, ManagementError) else NOTHING_KNOWN
                self._log.audit_failed(
                    error,
                    endpoint=about.endpoint,
                    code=about.code,
                    request_id=about.request_id,
                    retry_in_s=wait_s,
                )
            else:
                self._failures = 0
            await self._clock.sleep(wait_s)

    async def _look(self) -> None:
        if not await self._is_due():
            return
        if self._settings.journal.is_distributed:
            await self._clock.sleep(self._roll() * _APART_S)
            if not await self._is_due():
                return
        await self._audit()

    async def _is_due(self) -> bool:
        self._latest = await archive.latest(self._books) or self._latest
        latest = self._latest
        return latest is None or self._clock.now() - latest.made_at >= self._settings.audit.every

    async def _audit(self) -> None:
        began = self._clock.monotonic()
        audits = [each async for each in self._audits()]
        if not audits:
            return
        self._latest = await archive.keep(
            self._books,
            audits,
            version=self._telemetry.version,
            most=self._settings.audit.keep_reports,
        )
        self._tell(audits, self._clock.monotonic() - began)

    async def _audits(self) -> AsyncIterator[Audit]:
        settings = self._settings
        async with client_of(settings, self._token.read, self._clock) as client:
            collector = Collector(
                client, self._books, targets_of(settings), self._clock,
                rates=settings.audit.rates, lost=self._tell_lost,
            )  # fmt: skip
            async for audit in audit_accounts(
                collector,
                await accounts_of(settings, client),
                int(settings.audit.since // _DAY_S),
                settings.audit.thresholds,
            ):
                yield audit

    def _tell_lost(self, advertiser_id: str, error: ManagementError) -> None:
        about = error.about
        self._log.audit_failed(
            error,
            advertiser=advertiser_id,
            endpoint=about.endpoint,
            code=about.code,
            request_id=about.request_id,
            retry_in_s=self._settings.audit.every,
        )

    def _tell(self, audits: Sequence[Audit], seconds: float) -> None:
        partial = any(each.is_partial for each in audits)
        self._telemetry.audited("partial" if partial else "whole")
        self._log.audited(
            accounts=len(audits),
            findings=sum(len(each.standing) for each in audits),
            partial=partial,
            seconds=seconds,
        )
        for audit in audits:
            for finding in audit.standing:
                if finding.severity is Severity.CRITICAL:
                    self._log.audit_critical(
                        advertiser=audit.facts.advertiser.id,
                        check=finding.check,
                        subject=f"{finding.subject.kind} {finding.subject.id}",
                        since=finding.since.isoformat() if finding.since else None,
                    )

    def _after_failure(self) -> float:
        self._failures += 1
        return min(_LONGEST_RETRY_S, _FIRST_RETRY_S * 2.0 ** min(self._failures - 1, 8))
