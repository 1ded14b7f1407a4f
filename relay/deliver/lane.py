"""The delivery of one destination: a state machine without I/O.

    match lane.plan(now, waiting, due_at=due_at):
        case Fresh():     take entries from the journal; `work = lane.start(fresh, seqs, now)`; send
        case Again():     read the work's entries; `work = lane.start_again(work, now)`; send
        case Wait():      wait until then, for an answer, or (if it says so) for an entry
        case Finished():  leave
    and for each answer:  `decision = lane.answered(work, verdict, now, roll)`; settle what it says

Every entry of a started work is settled by exactly one decision, or stays parked. Several works
may be under way at once; `plan` says when one more may start, and asking changes nothing that
matters. `now` is Unix seconds of a clock that does not step back; `roll` a random number in [0, 1).

The parts: `breaker` says whether and how much, `budget` when, `turns` what goes first, `aftermath`
what an answer leads to. Two lanes share nothing but a budget, and that only with one token. Lanes
of one destination in several replicas come to the same `standing`, see `shared`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from relay.deliver import story
from relay.deliver.aftermath import Aftermath
from relay.deliver.breaker import PAUSED, Breaker, Standing
from relay.deliver.budget import Budget
from relay.deliver.plan import (
    TIKTOK_REMEMBERS_S,
    Again,
    Decision,
    Finished,
    Fresh,
    LanePolicy,
    LaneStatus,
    Step,
    Wait,
)
from relay.deliver.turns import Turn, Turns
from relay.deliver.verdict import Verdict
from relay.deliver.work import Shelf, Work
from relay.model import Waiting

#: Enough for live traffic; so a dying token costs two requests, not `max_in_flight`.
_QUIET_IN_FLIGHT = 2

#: So many different events a paused lane asks with, in turn, to begin with.
_PROBES = 3

#: While entries wait that cannot leave yet (they linger, or no request is free), look this often.
_LOOK_AGAIN_S = 0.1


class Lane:
    """One destination's delivery. See the module for how to drive it."""

    def __init__(self, policy: LanePolicy, budget: Budget) -> None:
        self._policy = policy
        self._budget = budget
        self._breaker = Breaker(max_in_flight=policy.max_in_flight)
        self._turns = Turns(live_every_s=policy.live_every_s)
        self._shelf = Shelf()
        self._aftermath = Aftermath(policy, budget, self._breaker, self._shelf)
        self._in_flight: dict[int, Work] = {}
        self._slot: float | None = None
        self._empty_until = float("-inf")
        self._draining = False

    # --- what to do next ----------------------------------------------------------------------

    def plan(self, now: float, waiting: Waiting, *, due_at: float | None) -> Step:
        """Say what to do now.

        `waiting` holds what can be taken from the journal, `due_at` is when fresh entries are due
        (None: there are none). A `Fresh` or an `Again` is a wish: it is repeated until it is
        started, so start it, `drop` entries of it, or say `found_nothing`, before asking again.
        """
        step = self._step(now, waiting, due_at)
        if isinstance(step, Wait):
            if self._draining:
                return Wait() if self._in_flight else Finished()
            return step
        probe = not self._breaker.running
        if self._slot is None or not self._budget.still_good(self._slot, now=now, probe=probe):
            self._slot = self._budget.reserve(now, probe=probe)
        return step if self._slot <= now else Wait(self._slot)

    def _step(self, now: float, waiting: Waiting, due_at: float | None) -> Fresh | Again | Wait:
        in_flight = len(self._in_flight)
        epoch = self._breaker.epoch
        current = sum(work.epoch == epoch for work in self._in_flight.values())
        if not self._breaker.allows(in_flight, current):
            return Wait()
        if not self._breaker.running:
            return self._probe(now, waiting)
        backlog = self._has_backlog(now, waiting)
        crowded = backlog or waiting.entries >= self._policy.max_events
        if in_flight >= _QUIET_IN_FLIGHT and not crowded:
            return Wait(now + _LOOK_AGAIN_S) if waiting.entries else Wait(for_entries=True)
        again = self._shelf.first_due()
        turn = self._turns.next(
            now,
            fresh=self._fresh_is_due(now, waiting, due_at, backlog=backlog),
            again=again is not None and again.due_at <= now,
            backlog=backlog,
        )
        if turn is None:
            return self._rest(now, waiting, due_at)
        if turn is Turn.AGAIN and again is not None:
            return self._again(again, now)
        return Fresh(turn is Turn.NEWEST, self._policy.max_events)

    def _has_backlog(self, now: float, waiting: Waiting) -> bool:
        oldest_at = waiting.oldest_at
        return oldest_at is not None and now - oldest_at > self._policy.backlog_after_s

    def _fresh_is_due(
        self, now: float, waiting: Waiting, due_at: float | None, *, backlog: bool
    ) -> bool:
        if due_at is None or not self._can_take(now, waiting):
            return False
        if self._draining:
            return not backlog  # what lingers is flushed; a backlog is safe where it is
        return due_at <= now

    def _can_take(self, now: float, waiting: Waiting) -> bool:
        room = self._shelf.events < self._policy.max_parked_events
        return room and waiting.entries > 0 and now >= self._empty_until

    def _rest(self, now: float, waiting: Waiting, due_at: float | None) -> Wait:
        """Nothing is due: wait for the first that will be."""
        parked = self._shelf.first_due()
        times = [] if parked is None else [parked.due_at]
        if waiting.entries > 0:
            times.append(now + _LOOK_AGAIN_S)
        if due_at is not None and due_at > now:
            times.append(due_at)
        return Wait(min(times, default=None), for_entries=waiting.entries == 0)

    def _again(self, work: Work, now: float) -> Again:
        since = work.unknown_since
        return Again(work, since is not None and now - since >= TIKTOK_REMEMBERS_S)

    # --- one request, to see whether the lane may run again --------------------------------------

    def _probe(self, now: float, waiting: Waiting) -> Fresh | Again | Wait:
        if self._draining:
            return Wait()
        if now < self._breaker.probe_at:
            return Wait(self._breaker.probe_at)
        fresh = self._can_take(now, waiting)
        if self._breaker.state in PAUSED:
            return self._small_probe(now, fresh=fresh) or self._rest(now, waiting, None)
        work = self._shelf.least_stalled()
        if fresh and (work is None or self._breaker.wants_others):
            return Fresh(newest=False, limit=self._policy.max_events)
        return self._rest(now, waiting, None) if work is None else self._again(work, now)

    def _small_probe(self, now: float, *, fresh: bool) -> Fresh | Again | None:
        """One event is enough to ask. A few take turns, in case one of them is at fault itself;
        the more often all were refused, the more."""
        single = self._shelf.one_event()
        if single is not None and single.misses == 0:
            return self._again(single, now)
        misses = 0 if single is None else single.misses
        if self._shelf.singles() < _PROBES + misses.bit_length():
            cut = self._shelf.cut_one()
            if cut is not None:
                return self._again(cut, now)
            if fresh:
                return Fresh(newest=False, limit=1)
        return None if single is None else self._again(single, now)

    # --- a request begins -----------------------------------------------------------------------

    def start(
        self, fresh: Fresh, seqs: Sequence[int], now: float, *, unknown_since: float | None = None
    ) -> Work:
        """Entries were taken for `fresh` and are about to be sent, in this order.

        `unknown_since` is for entries of which the journal knows an attempt with an unknown
        outcome from before a restart. Raises ValueError when there are no entries.
        """
        if not seqs:
            raise ValueError("a request carries at least one entry")
        self._breaker.asked_others()
        full = 2 * len(seqs) > fresh.limit
        self._turns.took(Turn.NEWEST if fresh.newest else Turn.OLDEST, now, full=full)
        number = self._shelf.number()
        return self._launch(
            Work(
                work_id=number,
                origin=number,
                seqs=tuple(seqs),
                attempt=1,
                started_at=now,
                epoch=self._breaker.epoch,
                unknown_since=unknown_since,
            )
        )

    def start_again(self, work: Work, now: float) -> Work:
        """A parked work is about to be sent. Raises KeyError when it is not parked (any more)."""
        parked = self._shelf.pick(work.work_id)
        self._turns.took(Turn.AGAIN, now)
        return self._launch(
            replace(parked, attempt=parked.attempt + 1, started_at=now, epoch=self._breaker.epoch)
        )

    def _launch(self, work: Work) -> Work:
        self._slot = None
        self._in_flight[work.work_id] = work
        return work

    def found_nothing(self, now: float) -> None:
        """The journal had no entry to take after all: do not ask for a moment."""
        self._empty_until = now + _LOOK_AGAIN_S

    # --- an answer comes --------------------------------------------------------------------------

    def answered(self, work: Work, verdict: Verdict, now: float, roll: float) -> Decision:
        """Say what the answer means: what is settled now; the rest is parked here.

        Raises KeyError when the work is not under way.
        """
        del self._in_flight[work.work_id]
        before = self._breaker.state
        settle, due_at = self._aftermath.of(work, verdict, now, roll)
        return Decision(
            settle=settle,
            parked=len(work) - sum(len(part.seqs) for part in settle),
            due_at=due_at,
            state=self._breaker.state,
            changed=self._breaker.state is not before,
        )

    def abandoned(self, work: Work, now: float, *, sent: bool) -> None:
        """The request was given up before its answer (`sent`: after it may have left)."""
        del self._in_flight[work.work_id]
        self._aftermath.given_up(work, now, sent=sent)

    def drop(self, seqs: Iterable[int]) -> None:
        """These entries were settled elsewhere (expired, erased): parked works lose them."""
        self._shelf.drop(seqs)

    # --- works that wait long ---------------------------------------------------------------------

    def far(self, now: float) -> Iterator[Work]:
        """Works that need no attempt for so long that somebody else may look after them; once they
        are in safe hands, `drop` their entries."""
        latest = now + self._policy.far_s
        return (work for work in tuple(self._shelf) if work.due_at > latest)

    def take_back(self, told: bytes, seqs: Sequence[int], now: float) -> None:
        """A work that was laid aside is due: its story, and its entries by their present names.

        Raises ValueError when it is no story.
        """
        self._shelf.put(story.unpack(told, self._shelf.number(), seqs, now))

    # --- word from outside ------------------------------------------------------------------------

    def probe_now(self, now: float) -> None:
        """The token was renewed, or a person says "try": answers to what is under way say nothing
        about the lane any more, and one that does not run tries at once."""
        self._breaker.probe_now(now)

    def told(self, standing: Standing, now: float) -> None:
        """Another replica that drives this destination came to this standing."""
        before = self._breaker.running
        self._breaker.told(standing)
        if self._breaker.running and not before:
            self._shelf.hasten(now + self._policy.backoff.cap_s)

    def drain(self) -> None:
        """From now on send only what lingers or is due, then plan `Finished`. A backlog, later
        retries and a lane that does not run are left: the journal keeps them."""
        self._draining = True

    # --- to look at -------------------------------------------------------------------------------

    @property
    def status(self) -> LaneStatus:
        breaker = self._breaker
        return LaneStatus(
            state=breaker.state,
            since=breaker.since,
            cause=breaker.cause,
            probe_at=None if breaker.running else breaker.probe_at,
            in_flight=len(self._in_flight),
            parked_works=len(self._shelf),
            parked_events=self._shelf.events,
        )

    @property
    def standing(self) -> Standing:
        """What replicas that drive this destination must agree on."""
        return self._breaker.standing

    @property
    def probing(self) -> bool:
        """A request is under way whose answer decides whether the lane runs again."""
        epoch = self._breaker.epoch
        under_way = any(work.epoch == epoch for work in self._in_flight.values())
        return under_way and not self._breaker.running

    def parked(self) -> tuple[Work, ...]:
        """The works that wait for another attempt, for whoever looks for entries grown too old."""
        return tuple(self._shelf)
