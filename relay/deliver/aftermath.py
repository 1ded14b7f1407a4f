"""What an answer leads to: entries settle or are parked, and the lane slows down, stops or goes on.

About the events (delivered, partial, refused): they settle, or a refused batch is cut in parts.
About TikTok (failed, too fast): the same entries again, later. About us (token, rights): the lane
pauses, and nothing settles.
"""

from __future__ import annotations

from dataclasses import replace

from relay.backoff import delay
from relay.deliver.breaker import Breaker, Cause, LaneState
from relay.deliver.budget import Budget
from relay.deliver.codes import VerdictKind
from relay.deliver.plan import LanePolicy, Settle
from relay.deliver.split import Seqs, halves, isolate
from relay.deliver.verdict import Verdict
from relay.deliver.work import Shelf, Work
from relay.model import Outcome, Reason

Settled = tuple[Settle, ...]

_PAUSES = {
    VerdictKind.PAUSE_CREDENTIAL: LaneState.PAUSED_CREDENTIAL,
    VerdictKind.PAUSE_CONFIG: LaneState.PAUSED_CONFIG,
}


class Aftermath:
    """Applies verdicts to one lane's breaker, budget and shelf."""

    def __init__(self, policy: LanePolicy, budget: Budget, breaker: Breaker, shelf: Shelf) -> None:
        self._policy = policy
        self._budget = budget
        self._breaker = breaker
        self._shelf = shelf
        self._judged_at = float("-inf")

    def of(
        self, work: Work, verdict: Verdict, now: float, roll: float
    ) -> tuple[Settled, float | None]:
        """Return what settles, and when at the earliest the rest is sent again (None: no rest)."""
        if verdict.unknown:
            work = _unknown(work)
        kind = verdict.kind
        if kind in _PAUSES:
            return (), self._pause(work, verdict, now, roll)
        if kind is VerdictKind.THROTTLED:
            return (), self._slow_down(work, verdict, now, roll)
        if kind is VerdictKind.RETRY:
            return (), self._retry(work, verdict, now, roll)
        return self._judge(work, verdict, now)

    def given_up(self, work: Work, now: float, *, sent: bool) -> None:
        """Nobody waits for the answer any more; whether there was one is not known."""
        self._park(_unknown(work) if sent else work, work.seqs, due_at=now)

    def _park(self, work: Work, seqs: Seqs, *, due_at: float) -> float:
        """Put `seqs`, all or some of the work's entries, on the shelf; returns `due_at`."""
        number = work.work_id if seqs is work.seqs else self._shelf.number()
        self._shelf.put(replace(work, work_id=number, seqs=seqs, due_at=due_at))
        return due_at

    def _park_halves(self, work: Work, now: float) -> float:
        for half in halves(work.seqs):
            self._park(work, half, due_at=now)
        return now

    # --- about the events ---------------------------------------------------------------------

    def _judge(self, work: Work, verdict: Verdict, now: float) -> tuple[Settled, float | None]:
        self._judged_at = now
        self._budget.succeeded(now)
        if self._breaker.answered(work.epoch, now):
            self._shelf.hasten(now + self._policy.backoff.cap_s)
        if verdict.kind is VerdictKind.DELIVERED:
            self._acquit(work, guilty=False)
            reason = verdict.reason or Reason.ACCEPTED
            return (Settle(work.seqs, Outcome.DELIVERED, reason),), None
        if verdict.kind is VerdictKind.PARTIAL and _is_readable(verdict, len(work)):
            return self._partial(work, verdict), None
        if len(work) > 1:
            return (), self._split(work, verdict, now)
        self._acquit(work, guilty=True)
        return (Settle(work.seqs, Outcome.REJECTED, verdict.reason or Reason.REFUSED),), None

    def _acquit(self, work: Work, *, guilty: bool) -> None:
        if work.suspect:
            work.naming.judged(guilty=guilty)

    def _partial(self, work: Work, verdict: Verdict) -> Settled:
        failed = frozenset(verdict.failed)
        self._acquit(work, guilty=bool(failed))
        bad = tuple(seq for place, seq in enumerate(work.seqs) if place in failed)
        good = tuple(seq for place, seq in enumerate(work.seqs) if place not in failed)
        parts = (
            Settle(good, Outcome.DELIVERED, Reason.ACCEPTED),
            Settle(bad, Outcome.REJECTED, verdict.reason or Reason.FAILED_IN_BATCH),
        )
        return tuple(part for part in parts if part.seqs)

    def _split(self, work: Work, verdict: Verdict, now: float) -> float:
        judged = replace(work, stalls=0, stalled_at=None)
        culprit = verdict.culprit
        if culprit is None or culprit >= len(work) or not work.naming.trusted:
            return self._park_halves(judged, now)
        alone, rest = isolate(work.seqs, culprit)
        work.naming.accuse()
        self._park(replace(judged, suspect=True), alone, due_at=now)
        return self._park(judged, rest, due_at=now)

    # --- about TikTok -------------------------------------------------------------------------

    def _retry(self, work: Work, verdict: Verdict, now: float, roll: float) -> float:
        policy, breaker, asked = self._policy, self._breaker, verdict.retry_after_s
        lane_backoff = policy.slow_backoff if verdict.slow else policy.backoff
        lane_wait_s = delay(breaker.failures + 1, lane_backoff, roll, asked)
        cause = _cause(verdict)
        if verdict.slow:
            breaker.back_off(work.epoch, now, wait_s=lane_wait_s, cause=cause)
        else:
            breaker.failed(work.origin, work.epoch, now, wait_s=lane_wait_s, cause=cause)
        others_fared_better = work.stalled_at is not None and self._judged_at > work.stalled_at
        stalled = replace(work, stalls=work.stalls + 1, stalled_at=now)
        if len(work) > 1 and stalled.stalls >= policy.patience and others_fared_better:
            # One event may make TikTok fail each time, and must not hold the others. One more
            # failure, while others succeed, cuts a half again.
            return self._park_halves(replace(stalled, stalls=policy.patience - 1), now)
        work_backoff = policy.slow_backoff if verdict.slow else policy.work_backoff
        due_at = now + delay(stalled.stalls, work_backoff, roll, asked)
        return self._park(stalled, stalled.seqs, due_at=due_at)

    def _slow_down(self, work: Work, verdict: Verdict, now: float, roll: float) -> float:
        policy = self._policy
        backoff = policy.slow_backoff if verdict.slow else policy.throttle_backoff
        hold_s = delay(self._budget.streak + 1, backoff, roll, verdict.retry_after_s)
        self._budget.throttled(now, started_at=work.started_at, hold_s=hold_s)
        if verdict.slow or not self._breaker.running:
            self._breaker.back_off(work.epoch, now, wait_s=hold_s, cause=_cause(verdict))
        return self._park(work, work.seqs, due_at=now + hold_s)

    # --- about us -----------------------------------------------------------------------------

    def _pause(self, work: Work, verdict: Verdict, now: float, roll: float) -> float:
        """Hold the lane. But no event can break a right for all others: a work that is told so
        again, although others went through since, is held back itself."""
        others_pass = work.blocked_at is not None and self._judged_at > work.blocked_at
        work = replace(work, blocks=work.blocks + 1, blocked_at=now)
        if verdict.kind is VerdictKind.PAUSE_CONFIG and (others_pass or work.outcast):
            self._breaker.inconclusive(work.epoch, now, wait_s=self._policy.backoff.base_s)
            if len(work) > 1:
                return self._park_halves(work, now)
            wait_s = delay(work.blocks, self._policy.work_backoff, roll)
            return self._park(replace(work, outcast=True), work.seqs, due_at=now + wait_s)
        self._breaker.pause(
            _PAUSES[verdict.kind],
            work.epoch,
            now,
            wait_s=self._policy.probe_every_s,
            cause=_cause(verdict),
        )
        return self._park(work, work.seqs, due_at=now)


def _unknown(work: Work) -> Work:
    if work.unknown_since is not None:
        return work
    return replace(work, unknown_since=work.started_at)


def _is_readable(verdict: Verdict, events: int) -> bool:
    """A partial success names at least one event, and only events of the request."""
    failed = verdict.failed
    return bool(failed) and min(failed) >= 0 and max(failed) < events


def _cause(verdict: Verdict) -> Cause:
    return Cause(verdict.name, verdict.code, verdict.status, verdict.message, verdict.error)
