"""Lanes against a TikTok that fails in every way it may, in virtual time.

Nothing is lost, every entry settles exactly once, no bound is broken, and it takes few requests.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.batch.composer import due
from relay.deliver.breaker import LaneState
from relay.deliver.lane import Lane
from relay.deliver.limiter import Limiter
from relay.deliver.plan import Again, Finished, Fresh, LanePolicy
from relay.deliver.verdict import Reply, read
from relay.deliver.work import Work
from relay.model import Outcome, Waiting

LATENCY_S = 0.2
TIMEOUT_S = 30.0


class Journal:
    """What waits, is taken, is settled; entries are numbers with a time of acceptance."""

    def __init__(self) -> None:
        self.accepted_at: dict[int, float] = {}
        self.free: list[int] = []
        self.taken: set[int] = set()
        self.settled: dict[int, Outcome] = {}

    def append(self, now: float, count: int) -> None:
        for seq in range(len(self.accepted_at), len(self.accepted_at) + count):
            self.accepted_at[seq] = now
            self.free.append(seq)

    def waiting(self) -> Waiting:
        oldest_at = self.accepted_at[self.free[0]] if self.free else None
        return Waiting(len(self.free), 700 * len(self.free), oldest_at)

    def take(self, *, newest: bool, limit: int) -> list[int]:
        cut = slice(-limit, None) if newest else slice(0, limit)
        taken = self.free[cut]
        del self.free[cut]
        self.taken.update(taken)
        return taken

    def settle(self, seqs: Iterable[int], outcome: Outcome) -> None:
        for seq in seqs:
            self.taken.remove(seq)  # raises when it settles twice, or was never taken
            self.settled[seq] = outcome


@dataclass
class Trouble:
    """Between two moments TikTok does this to every request."""

    begin: float
    end: float
    kind: str


@dataclass
class TikTok:
    """`bad` events are refused, `poison` ones make it fail; `names`: true, wrong, or none."""

    bad: frozenset[int] = frozenset()
    poison: frozenset[int] = frozenset()
    forbidden: frozenset[int] = frozenset()
    names: str = "none"
    partial: bool = False
    limit: float | None = None
    troubles: Sequence[Trouble] = ()
    events: Counter[int] = field(default_factory=Counter)
    sizes: list[int] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    _tokens: float = 1.0

    def answer(self, now: float, seqs: Sequence[int]) -> tuple[float, Reply]:
        """Seconds until the answer, and the answer."""
        gap = now - self.moments[-1] if self.moments else 0.0
        self.sizes.append(len(seqs))
        self.moments.append(now)
        for trouble in self.troubles:
            if trouble.begin <= now < trouble.end:
                return self._trouble(trouble.kind, seqs)
        if self.limit is not None:
            self._tokens = min(max(1.0, self.limit), self._tokens + gap * self.limit)
            if self._tokens < 1:
                return LATENCY_S, said(40100)
            self._tokens -= 1
        return LATENCY_S, self._judged(seqs)

    def _trouble(self, kind: str, seqs: Sequence[int]) -> tuple[float, Reply]:
        if kind == "refused":
            return 0.01, Reply(None, error="connect", sent=False)
        if kind == "reset":
            return LATENCY_S, Reply(None, error="reset")
        if kind == "silent":
            return TIMEOUT_S, Reply(None, error="timeout")
        if kind == "lost-answer":
            self._judged(seqs)
            return TIMEOUT_S, Reply(None, error="timeout")
        if kind == "html":
            return LATENCY_S, Reply(502, b"<html>")
        return LATENCY_S, said(int(kind))

    def _judged(self, seqs: Sequence[int]) -> Reply:
        if self.poison.intersection(seqs):
            return said(50000)
        if self.forbidden.intersection(seqs):
            return Reply(403, b"<html>")
        bad = [place for place, seq in enumerate(seqs) if seq in self.bad]
        if bad and not self.partial:
            return said(40002, self._naming(bad, len(seqs)))
        self.events.update(seq for seq in seqs if seq not in self.bad)
        if bad:
            return said(20001, data={"failed_events": [{"order_in_batch": at} for at in bad]})
        return said(0)

    def _naming(self, bad: list[int], events: int) -> str:
        if self.names == "true":
            return f"Batch.{bad[0]}.properties.value: Not a valid number"
        if self.names == "wrong":
            wrong = next((at for at in range(events) if at not in bad), bad[0])
            return f"Batch.{wrong}.properties.value: Not a valid number"
        return "Invalid Price Field"


def said(code: int, message: str = "said", data: object = None) -> Reply:
    return Reply(200, orjson.dumps({"code": code, "message": message, "data": data or {}}))


class World:
    """Drives one lane as the pipeline would, with a clock of its own."""

    def __init__(
        self,
        tiktok: TikTok,
        *,
        policy: LanePolicy | None = None,
        limiter: Limiter | None = None,
        arrivals: Sequence[tuple[float, int]] = (),
        seed: int = 0,
    ) -> None:
        self.now = 0.0
        self.tiktok = tiktok
        self.policy = policy or LanePolicy()
        self.lane = Lane(self.policy, limiter or Limiter())
        self.journal = Journal()
        self.settled_at: dict[int, float] = {}
        self.states: Counter[LaneState] = Counter()
        self._arrivals = sorted(arrivals)
        self._answers: list[tuple[float, int, Work, Reply]] = []
        self._random = random.Random(seed)

    def run(self, until: float) -> None:
        """Go on until that moment, or until nothing is left to happen before it."""
        busy = 0
        while self.now < until and (self._arrivals or not self._is_done()):
            wake = self._send_what_is_due(until)
            at = min(
                wake,
                self._answers[0][0] if self._answers else math.inf,
                self._arrivals[0][0] if self._arrivals else math.inf,
                until,
            )
            busy = busy + 1 if at <= self.now else 0
            assert busy < 50, "the lane is planned again and again without time passing"
            self.now = max(self.now, at)
            self._happen()

    def _is_done(self) -> bool:
        return len(self.journal.settled) == len(self.journal.accepted_at)

    def _happen(self) -> None:
        while self._arrivals and self._arrivals[0][0] <= self.now:
            self.journal.append(*self._arrivals.pop(0))
        while self._answers and self._answers[0][0] <= self.now:
            _, _, work, reply = heapq.heappop(self._answers)
            verdict = read(reply, len(work), self.now)
            decision = self.lane.answered(work, verdict, self.now, self._random.random())
            self.states[decision.state] += 1
            assert decision.parked + sum(len(part.seqs) for part in decision.settle) == len(work)
            for part in decision.settle:
                self.journal.settle(part.seqs, part.outcome)
                self.settled_at.update(dict.fromkeys(part.seqs, self.now))

    def _send_what_is_due(self, until: float) -> float:
        while True:
            waiting = self.journal.waiting()
            due_at = due(waiting, now=self.now, linger_s=0.5, max_events=self.policy.max_events)
            step = self.lane.plan(self.now, waiting, due_at=due_at)
            if isinstance(step, Finished):
                return until
            if isinstance(step, Fresh):
                taken = self.journal.take(newest=step.newest, limit=step.limit)
                assert 0 < len(taken) <= self.policy.max_events
                work = self.lane.start(step, taken, self.now)
            elif isinstance(step, Again):
                work = self.lane.start_again(step.work, self.now)
            else:
                return math.inf if step.until is None else step.until
            self._send(work)

    def _send(self, work: Work) -> None:
        seconds, reply = self.tiktok.answer(self.now, work.seqs)
        heapq.heappush(self._answers, (self.now + seconds, work.work_id, work, reply))
        assert len(self._answers) <= self.policy.max_in_flight
        assert self.lane.status.in_flight == len(self._answers)
        room = self.policy.max_parked_events + self.policy.max_in_flight * self.policy.max_events
        assert self.lane.status.parked_events <= room


def assert_conserved(world: World) -> None:
    """Every entry is in exactly one place: free, settled, parked or under way."""
    places = Counter(world.journal.free)
    places.update(world.journal.settled.keys())
    for work in world.lane.parked():
        places.update(work.seqs)
    for _, _, work, _ in world._answers:
        places.update(work.seqs)
    assert places == Counter(world.journal.accepted_at.keys())


# --- any trouble ----------------------------------------------------------------------------------


KINDS = ["refused", "reset", "silent", "lost-answer", "html"]
KINDS += ["40105", "40001", "40100", "40132", "40199", "50000", "50002", "60001", "20002"]
TROUBLES = st.lists(
    st.builds(
        lambda begin, length, kind: Trouble(begin, begin + length, kind),
        st.floats(0, 300),
        st.floats(0.1, 200),
        st.sampled_from(KINDS),
    ),
    max_size=4,
)
ARRIVALS = st.lists(st.tuples(st.floats(0, 300), st.integers(1, 60)), min_size=1, max_size=25)
SMALL = LanePolicy(max_events=20, max_parked_events=100)


@given(
    ARRIVALS,
    st.builds(
        TikTok,
        bad=st.frozensets(st.integers(0, 300), max_size=8),
        names=st.sampled_from(["none", "true", "wrong"]),
        partial=st.booleans(),
        limit=st.sampled_from([None, 2.0, 20.0]),
        troubles=TROUBLES,
    ),
    st.integers(0, 2**32),
)
def test_whatever_happens_every_entry_settles_exactly_once(
    arrivals: list[tuple[float, int]], tiktok: TikTok, seed: int
) -> None:
    bad = tiktok.bad
    world = World(tiktok, policy=SMALL, arrivals=arrivals, seed=seed)
    for moment in (50, 100, 200, 400, 500):
        world.run(moment)
        assert_conserved(world)
    world.run(100_000)

    everything = set(world.journal.accepted_at)
    assert set(world.journal.settled) == everything
    rejected = {seq for seq, how in world.journal.settled.items() if how is Outcome.REJECTED}
    assert rejected == bad & everything
    assert set(tiktok.events) == everything - bad, "delivered means that TikTok has it"
    assert world.lane.status.state is LaneState.RUNNING


@given(
    ARRIVALS,
    st.frozensets(st.integers(0, 100), max_size=3),
    st.frozensets(st.integers(0, 100), max_size=3),
    st.integers(0, 2**32),
)
@settings(max_examples=30)
def test_events_that_tiktok_fails_on_hold_nobody_but_themselves(
    arrivals: list[tuple[float, int]],
    poison: frozenset[int],
    forbidden: frozenset[int],
    seed: int,
) -> None:
    """`poison` gets 50000 each time, `forbidden` a firewall's 403; other traffic goes on."""
    traffic = [(500.0 + 5 * index, 1) for index in range(400)]
    tiktok = TikTok(poison=poison, forbidden=forbidden - poison)
    world = World(tiktok, policy=SMALL, arrivals=arrivals + traffic, seed=seed)
    world.run(3500)

    everything = set(world.journal.accepted_at)
    assert set(world.journal.settled) == everything - poison - forbidden
    assert_conserved(world)


@given(TROUBLES, st.integers(0, 2**32))
@settings(max_examples=30)
def test_what_happens_to_one_lane_never_shows_in_another(
    troubles: list[Trouble], seed: int
) -> None:
    """Beside a lane in any trouble, a lane of another token does just what it does alone."""
    arrivals = [(float(index), 5) for index in range(60)]
    alone = World(TikTok(), policy=SMALL, arrivals=arrivals)
    alone.run(1000)
    beside = World(TikTok(), policy=SMALL, arrivals=arrivals)
    troubled = World(TikTok(troubles=troubles), policy=SMALL, arrivals=arrivals, seed=seed)
    for moment in range(0, 1000, 10):
        troubled.run(moment)
        beside.run(moment)

    assert beside.settled_at == alone.settled_at
    assert beside.tiktok.moments == alone.tiktok.moments


# --- one bad event costs one event ----------------------------------------------------------------


def requests_for(events: int, bad: frozenset[int], names: str = "none") -> int:
    """How many requests one batch takes until all is settled."""
    tiktok = TikTok(bad=bad, names=names)
    world = World(tiktok, arrivals=[(0.0, events)])
    world.run(10_000)
    outcomes = Counter(world.journal.settled.values())
    assert outcomes[Outcome.REJECTED] == len(bad)
    assert outcomes[Outcome.DELIVERED] == events - len(bad)
    return len(tiktok.sizes)


@pytest.mark.parametrize("place", [0, 1, 499, 500, 617, 998, 999])
def test_one_bad_event_among_1000_costs_21_requests_at_most(place: int) -> None:
    assert requests_for(1000, frozenset({place})) <= 21


@pytest.mark.parametrize("place", [0, 617, 999])
def test_a_bad_event_that_tiktok_names_costs_three_requests(place: int) -> None:
    assert requests_for(1000, frozenset({place}), names="true") == 3


@pytest.mark.parametrize("place", [0, 617, 999])
def test_a_wrong_name_costs_two_requests_more(place: int) -> None:
    assert requests_for(1000, frozenset({place}), names="wrong") <= 23


@given(
    st.integers(1, 1000).flatmap(
        lambda events: st.tuples(
            st.just(events),
            st.frozensets(st.integers(0, events - 1), min_size=1, max_size=min(events, 40)),
        )
    )
)
@settings(max_examples=60)
def test_k_bad_events_cost_what_bisection_promises(batch: tuple[int, frozenset[int]]) -> None:
    events, bad = batch
    k = len(bad)

    assert requests_for(events, bad) <= 2 * k * math.ceil(math.log2(events / k)) + 2 * k + 1
    assert requests_for(events, bad, names="true") <= 4 * k + 1
    assert requests_for(events, bad, names="wrong") <= (
        2 * k * math.ceil(math.log2(events / k)) + 4 * k + 3
    )


def test_a_batch_in_which_every_event_is_bad_ends() -> None:
    everything = frozenset(range(200))

    assert requests_for(200, everything) == 399
    assert requests_for(200, everything, names="true") <= 399


# --- outages and rates ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["refused", "reset", "silent", "html", "50000", "40105", "60001"])
def test_a_day_of_outage_costs_few_requests_and_little_memory(kind: str) -> None:
    """The lane only probes, at most every 30 s on average, and parks next to nothing."""
    day = 86_400.0
    arrivals = [(60.0 * index, 50) for index in range(1440)]
    world = World(TikTok(troubles=[Trouble(0, day, kind)]), arrivals=arrivals)
    world.run(day)

    assert len(world.tiktok.sizes) < 4000
    assert world.lane.status.parked_events <= world.policy.max_parked_events
    assert not world.journal.settled

    world.run(day + 300)
    assert len(world.journal.settled) == len(world.journal.accepted_at)


def test_after_an_outage_requests_do_not_come_in_a_storm() -> None:
    """One probe, then two at once, then four, and never more than the limiter allows."""
    world = World(
        TikTok(troubles=[Trouble(10, 3600, "refused")]),
        arrivals=[(1.0 * index, 200) for index in range(3600)],
    )
    world.run(5000)

    moments = [moment for moment in world.tiktok.moments if moment >= 3600]
    assert moments[1] - moments[0] >= 0.99 * LATENCY_S
    for index in range(len(moments) - 11):
        assert moments[index + 11] - moments[index] > 1.0
    assert len(world.journal.settled) == len(world.journal.accepted_at)


@pytest.mark.parametrize(("rate", "per_second"), [(10.0, 200), (10.0, 2000), (2.0, 200)])
def test_live_events_pass_a_draining_backlog(rate: float, per_second: int) -> None:
    """Half a million wait from an outage: 95 % of what arrives while they drain is delivered
    within ten seconds, and the backlog still drains."""
    backlog = 500_000
    live = [(0.1 * tick, per_second // 10) for tick in range(1, 300)]
    world = World(TikTok(), limiter=Limiter(ceiling=rate), arrivals=[(-600.0, backlog), *live])
    world.run(30.0)
    drained = sum(seq < backlog for seq in world.journal.settled)
    world.run(45.0)

    journal = world.journal
    lags = sorted(
        world.settled_at.get(seq, math.inf) - at
        for seq, at in journal.accepted_at.items()
        if seq >= backlog
    )
    assert lags[int(0.95 * len(lags))] <= 10
    assert drained >= 30 * 1000 * rate * 0.6 - len(lags)


def test_a_dead_token_is_asked_twice_at_most_while_traffic_is_live() -> None:
    dies = 60.0
    arrivals = [(0.1 * tick, 20) for tick in range(1200)]
    world = World(TikTok(troubles=[Trouble(dies, 85, "40105")]), arrivals=arrivals)
    world.run(dies + 20)
    assert sum(moment >= dies for moment in world.tiktok.moments) <= 2

    renewed = world.now = 90.0
    world.lane.probe_now(renewed)
    world.run(300)

    assert min(at for at in world.settled_at.values() if at > dies + 1) <= renewed + 5
    assert len(world.journal.settled) == len(world.journal.accepted_at)
