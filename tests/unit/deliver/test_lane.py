"""One lane, step by step."""

from __future__ import annotations

import math

import pytest

from relay.backoff import Backoff
from relay.deliver.breaker import LaneState, Standing
from relay.deliver.codes import VerdictKind
from relay.deliver.lane import Lane
from relay.deliver.limiter import Limiter, LimiterState
from relay.deliver.plan import Again, Finished, Fresh, LanePolicy, Settle, Wait
from relay.deliver.shared.far_clock import FarClock
from relay.deliver.shared.lane_budget import LaneBudget
from relay.deliver.shared.standings import LaneRow, LaneShare, Wish
from relay.deliver.shared.tokens import Grant, Ledger, TokenShare
from relay.deliver.verdict import Verdict
from relay.deliver.work import Work
from relay.model import Outcome, Reason, Waiting

K = VerdictKind
OK = Verdict(K.DELIVERED, "OK", 0, reason=Reason.ACCEPTED)
SPLIT = Verdict(K.SPLIT, "PARAM_ERROR", 40002, reason=Reason.INVALID_PARAMS)
REJECT = Verdict(K.REJECT, "PARAM_ERROR", 40002, reason=Reason.INVALID_PARAMS)
FAILED = Verdict(K.RETRY, "SYS_ERROR", 50000)
UNREADABLE = Verdict(K.RETRY, "UNREADABLE", unknown=True, error="timeout")
THROTTLED = Verdict(K.THROTTLED, "REQUEST_TOO_FREQUENT", 40100)
MAINTENANCE = Verdict(K.RETRY, "MAINTENANCE", 60001, slow=True)
NO_TOKEN = Verdict(K.PAUSE_CREDENTIAL, "INVALID_ACCESS_TOKEN", 40105)
NO_RIGHT = Verdict(K.PAUSE_CONFIG, "PERMISSION_ERROR", 40001)

NOTHING = Waiting(0, 0, None)


def a_lane(policy: LanePolicy | None = None) -> Lane:
    return Lane(policy or LanePolicy(), Limiter(ceiling=1000, burst=1000))


def some(entries: int, oldest_at: float) -> Waiting:
    return Waiting(entries, 700 * entries, oldest_at)


def begin(lane: Lane, now: float, *seqs: int) -> Work:
    """Take what is fresh and due, and send these."""
    step = lane.plan(now, some(len(seqs), now), due_at=now)
    assert isinstance(step, Fresh)
    return lane.start(step, seqs, now)


def again(lane: Lane, now: float) -> Work:
    step = lane.plan(now, NOTHING, due_at=None)
    assert isinstance(step, Again)
    return lane.start_again(step.work, now)


def opened(lane: Lane, now: float) -> None:
    """Let the lane see two successes, so that four requests may be under way."""
    for seq in (-1, -2):
        lane.answered(begin(lane, now, seq), OK, now, 0.5)


# --- fresh entries --------------------------------------------------------------------------------


def test_an_idle_lane_waits_for_entries() -> None:
    assert a_lane().plan(0, NOTHING, due_at=None) == Wait(None, for_entries=True)


def test_fresh_entries_leave_once_they_are_due() -> None:
    lane = a_lane()

    early = lane.plan(100.0, some(3, 99.9), due_at=100.4)
    assert isinstance(early, Wait)
    assert early.until is not None
    assert 100 < early.until <= 100.4
    assert lane.plan(100.4, some(3, 99.9), due_at=100.4) == Fresh(newest=False, limit=1000)


def test_delivered_entries_settle_at_once() -> None:
    lane = a_lane()
    decision = lane.answered(begin(lane, 0, 1, 2, 3), OK, 1, 0.5)

    assert decision.settle == (Settle((1, 2, 3), Outcome.DELIVERED, Reason.ACCEPTED),)
    assert (decision.parked, decision.due_at, decision.changed) == (0, None, False)


def test_a_partial_success_settles_all_and_rejects_those_it_names() -> None:
    lane = a_lane()
    partial = Verdict(K.PARTIAL, code=20001, failed=(0, 2), reason=Reason.FAILED_IN_BATCH)

    assert lane.answered(begin(lane, 0, 7, 8, 9), partial, 1, 0.5).settle == (
        Settle((8,), Outcome.DELIVERED, Reason.ACCEPTED),
        Settle((7, 9), Outcome.REJECTED, Reason.FAILED_IN_BATCH),
    )


@pytest.mark.parametrize("failed", [(), (3,), (-1, 0)])
def test_a_partial_success_that_names_nobody_here_settles_nothing(failed: tuple[int, ...]) -> None:
    lane = a_lane()
    partial = Verdict(K.PARTIAL, code=20001, failed=failed)
    decision = lane.answered(begin(lane, 0, 7, 8, 9), partial, 1, 0.5)

    assert (decision.settle, decision.parked) == ((), 3)


def test_a_work_is_answered_once() -> None:
    lane = a_lane()
    work = begin(lane, 0, 1)
    lane.answered(work, OK, 1, 0.5)

    with pytest.raises(KeyError):
        lane.answered(work, OK, 1, 0.5)


def test_a_request_carries_at_least_one_entry() -> None:
    with pytest.raises(ValueError, match="at least one"):
        a_lane().start(Fresh(newest=False, limit=10), (), 0)


def test_a_journal_that_had_nothing_after_all_is_not_asked_at_once() -> None:
    lane = a_lane()
    assert isinstance(lane.plan(0, some(1, -9), due_at=-8), Fresh)
    lane.found_nothing(0)

    step = lane.plan(0, some(1, -9), due_at=-8)
    assert isinstance(step, Wait)
    assert step.until is not None
    assert isinstance(lane.plan(step.until, some(1, -9), due_at=-8), Fresh)


# --- how many at once -----------------------------------------------------------------------------


def test_a_new_lane_starts_with_one_request() -> None:
    lane = a_lane()
    begin(lane, 0, 1)

    assert lane.plan(0, some(5000, -60), due_at=-60) == Wait()


def test_live_traffic_has_two_requests_under_way_and_a_backlog_four() -> None:
    lane = a_lane()
    opened(lane, 0)
    begin(lane, 0.1, 1)
    begin(lane, 0.2, 2)

    live = lane.plan(0.3, some(10, 0.25), due_at=0.3)
    assert isinstance(live, Wait)

    for at in (0.4, 0.5):
        step = lane.plan(at, some(5000, -60), due_at=-60)
        assert isinstance(step, Fresh)
        lane.start(step, (int(at * 100),), at)
    assert lane.plan(0.6, some(5000, -60), due_at=-60) == Wait()


def test_the_limiter_says_when() -> None:
    lane = Lane(LanePolicy(), Limiter(ceiling=2))
    lane.answered(begin(lane, 0, 1), OK, 0.1, 0.5)

    assert lane.plan(0.1, some(1, 0), due_at=0) == Wait(0.5)
    assert lane.plan(0.2, some(1, 0), due_at=0) == Wait(0.5)
    assert isinstance(lane.plan(0.5, some(1, 0), due_at=0), Fresh)


def test_a_backlog_is_taken_from_both_ends() -> None:
    lane = a_lane()
    ends = []
    for at in range(6):
        now = at / 2
        step = lane.plan(now, some(9000, -60), due_at=-60)
        assert isinstance(step, Fresh)
        ends.append(step.newest)
        lane.answered(lane.start(step, (at,), now), OK, now, 0.5)

    assert ends == [True, False, False, False, True, False]


# --- failures -------------------------------------------------------------------------------------


def test_what_failed_is_sent_again_after_its_back_off() -> None:
    lane = a_lane()
    decision = lane.answered(begin(lane, 0, 1, 2), FAILED, 10, 0.5)

    assert (decision.settle, decision.parked, decision.due_at) == ((), 2, 10.5)
    assert lane.plan(10, NOTHING, due_at=None) == Wait(10.5, for_entries=True)
    work = again(lane, 10.5)
    assert (work.seqs, work.attempt) == ((1, 2), 2)


def test_a_retry_after_is_obeyed() -> None:
    lane = a_lane()
    asked = Verdict(K.RETRY, "UNREADABLE", status=503, retry_after_s=20.0)

    assert lane.answered(begin(lane, 0, 1), asked, 10, 0.5).due_at == 30


def test_a_request_that_may_have_arrived_is_remembered_and_sent_again() -> None:
    lane = a_lane()
    lane.answered(begin(lane, 3, 1, 2), UNREADABLE, 33, 0.5)
    work = again(lane, 40)
    assert work.unknown_since == 3
    lane.answered(work, FAILED, 41, 0.5)

    assert again(lane, 50).unknown_since == 3


def test_a_request_that_was_given_up_may_have_arrived_if_it_left() -> None:
    lane = a_lane()
    lane.abandoned(begin(lane, 3, 1), 4, sent=True)
    sent = again(lane, 5)
    lane.abandoned(sent, 6, sent=False)

    assert (sent.unknown_since, sent.seqs) == (3, (1,))
    assert again(lane, 7).unknown_since == 3


def test_after_48_hours_an_unknown_outcome_is_not_sent_again_without_saying_so() -> None:
    lane = a_lane()
    lane.answered(begin(lane, 0, 1), UNREADABLE, 30, 0.5)

    soon = lane.plan(48 * 3600 - 1, NOTHING, due_at=None)
    late = lane.plan(48 * 3600, NOTHING, due_at=None)

    assert isinstance(soon, Again)
    assert isinstance(late, Again)
    assert (soon.may_count_twice, late.may_count_twice) == (False, True)


def test_an_unknown_attempt_from_before_a_restart_is_remembered() -> None:
    lane = a_lane()
    step = lane.plan(48 * 3600, some(1, 0), due_at=0)
    assert isinstance(step, Fresh)
    work = lane.start(step, (1,), 48 * 3600, unknown_since=0)
    lane.answered(work, FAILED, 48 * 3600, 0.5)

    step_again = lane.plan(48 * 3600 + 60, NOTHING, due_at=None)
    assert isinstance(step_again, Again)
    assert step_again.may_count_twice


def test_an_outage_stops_the_lane_which_then_probes_and_opens_step_by_step() -> None:
    lane = a_lane()
    opened(lane, 0)
    works = [begin(lane, 1, 1), begin(lane, 1.1, 2)]
    assert not lane.answered(works[0], FAILED, 2, 0.5).changed
    stopped = lane.answered(works[1], FAILED, 2, 0.5)
    assert (stopped.state, stopped.changed) == (LaneState.BACKING_OFF, True)

    assert lane.plan(2, some(5000, -60), due_at=-60) == Wait(2.5)
    probe = lane.plan(2.5, some(5000, -60), due_at=-60)
    assert isinstance(probe, Again)
    work = lane.start_again(probe.work, 2.5)
    assert lane.plan(2.6, some(5000, -60), due_at=-60) == Wait()

    back = lane.answered(work, OK, 3, 0.5)
    assert (back.state, back.changed) == (LaneState.RUNNING, True)
    under_way = 0
    while isinstance(step := lane.plan(4, some(5000, -60), due_at=-60), Fresh | Again):
        under_way += 1
        if isinstance(step, Fresh):
            lane.start(step, (100 + under_way,), 4)
        else:
            lane.start_again(step.work, 4)
    assert under_way == 2


def test_probes_become_rarer_up_to_the_cap() -> None:
    lane = a_lane()
    lane.answered(begin(lane, 0, 1), FAILED, 0, 0.999)
    lane.answered(begin(lane, 0, 2), FAILED, 0, 0.999)
    now, gaps = 0.0, []
    for _ in range(9):
        step = lane.plan(now, NOTHING, due_at=None)
        assert isinstance(step, Wait)
        assert step.until is not None
        gaps.append(round(step.until - now))
        now = step.until
        lane.answered(again(lane, now), FAILED, now, 0.999)

    assert gaps == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_maintenance_stops_the_lane_at_once_and_for_longer() -> None:
    lane = a_lane()
    decision = lane.answered(begin(lane, 0, 1), MAINTENANCE, 0, 0.5)

    assert (decision.state, decision.due_at) == (LaneState.BACKING_OFF, 15)
    assert lane.plan(1, some(5, 0), due_at=0) == Wait(15)


def test_one_poisonous_event_does_not_hold_the_others_of_its_batch() -> None:
    """It makes TikTok fail each time, while everything else goes through."""
    lane = a_lane()
    lane.answered(begin(lane, 0, *range(1000)), FAILED, 0, 0.5)
    settled: set[int] = set()
    now = 0.0
    for _ in range(200):
        now += 10.0
        step = lane.plan(now, some(1, now), due_at=now)
        assert isinstance(step, Fresh | Again)
        work = (
            lane.start(step, (-1,), now)
            if isinstance(step, Fresh)
            else lane.start_again(step.work, now)
        )
        verdict = FAILED if 617 in work.seqs else OK
        for part in lane.answered(work, verdict, now, 0.5).settle:
            settled.update(part.seqs)

    assert settled == set(range(-1, 1000)) - {617}
    assert lane.status.state is LaneState.RUNNING
    assert lane.status.parked_events == 1


def test_an_outage_does_not_cut_batches_to_pieces() -> None:
    lane = a_lane()
    lane.answered(begin(lane, 0, *range(1000)), FAILED, 0, 0.5)
    lane.answered(begin(lane, 0, 1000, 1001), FAILED, 0, 0.5)
    now = 0.0
    for _ in range(100):
        now += 60
        lane.answered(again(lane, now), FAILED, now, 0.5)

    assert sorted(len(work) for work in lane.parked()) == [2, 1000]


def test_two_poisonous_events_on_a_quiet_lane_do_not_hold_a_fresh_one() -> None:
    """The lane backs off, but it asks with the fresh event, which goes through."""
    lane = a_lane()
    lane.answered(begin(lane, 0, 1), FAILED, 0, 0.5)
    lane.answered(begin(lane, 0, 2), FAILED, 0, 0.5)
    now = 0.0
    for _ in range(12):
        now += 60
        lane.answered(again(lane, now), FAILED, now, 0.5)
    now += 60

    step = lane.plan(now, some(1, now), due_at=now + 0.5)

    assert isinstance(step, Fresh)
    decision = lane.answered(lane.start(step, (3,), now), OK, now, 0.5)
    assert decision.state is LaneState.RUNNING


# --- throttles ------------------------------------------------------------------------------------


def test_a_throttle_slows_every_lane_of_the_token_but_stops_none() -> None:
    limiter = Limiter(ceiling=10)
    one, two, other = (
        Lane(LanePolicy(), limiter),
        Lane(LanePolicy(), limiter),
        Lane(LanePolicy(), Limiter()),
    )
    decision = one.answered(begin(one, 0, 1), THROTTLED, 1, 0.5)

    assert decision.state is LaneState.RUNNING
    assert decision.due_at == 1.5
    assert two.plan(1, some(1, 0), due_at=0) == Wait(1.5)
    assert isinstance(other.plan(1, some(1, 0), due_at=0), Fresh)


def test_a_moment_reserved_before_a_throttle_is_given_up() -> None:
    """Else every lane of the token would send at once when the hold ends."""
    limiter = Limiter(ceiling=10)
    one, two = Lane(LanePolicy(), limiter), Lane(LanePolicy(), limiter)
    work = begin(one, 0, 1)
    assert two.plan(0, some(1, 0), due_at=0) == Wait(0.1)
    one.answered(work, THROTTLED, 0.05, 0.5)

    assert two.plan(0.1, some(1, 0), due_at=0) == Wait(0.55)


def test_a_long_throttle_makes_the_lane_probe() -> None:
    lane = a_lane()
    blocked = Verdict(K.THROTTLED, "TOO_MANY_REQUESTS_BL", 61000, slow=True)
    decision = lane.answered(begin(lane, 0, 1), blocked, 0, 0.5)

    assert (decision.state, decision.due_at) == (LaneState.BACKING_OFF, 15)
    assert lane.status.cause is not None
    assert lane.status.cause.code == 61000


# --- pauses ---------------------------------------------------------------------------------------


def test_a_dead_token_settles_nothing_and_costs_two_requests() -> None:
    lane = a_lane()
    opened(lane, 0)
    works = [begin(lane, 1, 1, 2, 3), begin(lane, 1.01, 4, 5)]
    decisions = [lane.answered(work, NO_TOKEN, 2, 0.5) for work in works]

    assert [decision.settle for decision in decisions] == [(), ()]
    assert [decision.changed for decision in decisions] == [True, False]
    assert lane.status.state is LaneState.PAUSED_CREDENTIAL
    assert lane.status.parked_events == 5
    assert lane.plan(3, some(9000, -60), due_at=-60) == Wait(32)


def test_a_paused_lane_asks_with_one_event_at_a_time() -> None:
    """A few take turns, and slowly more: one of them may be at fault itself."""
    lane = a_lane()
    lane.answered(begin(lane, 0, *range(10)), NO_RIGHT, 0, 0.5)
    asked = []
    for round_ in range(1, 10):
        work = again(lane, 30.0 * round_)
        asked.append(work.seqs)
        assert lane.plan(30.0 * round_, some(9000, -60), due_at=-60) == Wait()
        lane.answered(work, NO_RIGHT, 30.0 * round_, 0.5)

    assert asked == [(0,), (1,), (2,), (3,), (0,), (1,), (2,), (3,), (4,)]
    assert sorted(len(work) for work in lane.parked()) == [1, 1, 1, 1, 1, 5]


def test_a_probe_that_waits_for_its_turn_cuts_no_more_events_off() -> None:
    lane = Lane(LanePolicy(), Limiter(ceiling=0.01, floor=0.01))
    lane.answered(begin(lane, 0, *range(10)), NO_RIGHT, 0, 0.5)
    for now in (30, 31, 32, 33, 34):
        assert lane.plan(now, NOTHING, due_at=None) == Wait(100)

    assert sorted(len(work) for work in lane.parked()) == [1, 9]


def test_a_paused_lane_without_parked_works_asks_with_one_fresh_event() -> None:
    lane = a_lane()
    lane.answered(begin(lane, 0, 1), NO_TOKEN, 0, 0.5)
    lane.drop([1])

    assert lane.plan(30, some(9000, -60), due_at=-60) == Fresh(newest=False, limit=1)
    assert lane.plan(30, NOTHING, due_at=None) == Wait(None, for_entries=True)


def test_a_lane_resumes_by_itself_when_the_token_works() -> None:
    lane = a_lane()
    lane.answered(begin(lane, 0, 1, 2, 3), NO_TOKEN, 0, 0.5)
    decision = lane.answered(again(lane, 30), OK, 31, 0.5)

    assert (decision.state, decision.changed) == (LaneState.RUNNING, True)
    assert again(lane, 31.1).seqs == (2, 3)


def test_a_success_from_before_the_pause_does_not_end_it() -> None:
    lane = a_lane()
    opened(lane, 0)
    slow, refused = begin(lane, 1, 1), begin(lane, 1.1, 2)
    lane.answered(refused, NO_TOKEN, 2, 0.5)
    decision = lane.answered(slow, OK, 3, 0.5)

    assert decision.settle == (Settle((1,), Outcome.DELIVERED, Reason.ACCEPTED),)
    assert decision.state is LaneState.PAUSED_CREDENTIAL


def test_a_renewed_token_is_tried_at_once_whatever_the_old_one_still_answers() -> None:
    lane = a_lane()
    lane.answered(begin(lane, 0, 1, 2, 3), NO_TOKEN, 0, 0.5)
    old = again(lane, 30)
    lane.probe_now(31)
    new = again(lane, 31)
    lane.answered(old, NO_TOKEN, 32, 0.5)
    assert lane.answered(new, OK, 33, 0.5).state is LaneState.RUNNING
    assert again(lane, 33.1).seqs in {(1,), (2,), (3,)}


def test_no_single_event_can_pause_a_lane_for_good() -> None:
    """A firewall may refuse one event's content as if a right were missing (HTTP 403)."""
    lane = a_lane()
    settled: set[int] = set()
    now = 0.0
    lane.answered(begin(lane, now, *range(64)), NO_RIGHT, now, 0.5)
    for _ in range(200):
        now += 5.0
        step = lane.plan(now, NOTHING, due_at=None)
        if not isinstance(step, Again):
            continue
        work = lane.start_again(step.work, now)
        for part in lane.answered(work, NO_RIGHT if 13 in work.seqs else OK, now, 0.5).settle:
            settled.update(part.seqs)

    assert settled == set(range(64)) - {13}
    assert lane.status.state is LaneState.RUNNING
    assert isinstance(lane.plan(now, some(3, now), due_at=now), Fresh)


def test_probes_with_an_event_that_is_at_fault_itself_are_no_busy_loop() -> None:
    """Event 1 is refused like a missing right while others pass; then TikTok fails as well."""
    lane = a_lane()
    lane.answered(begin(lane, 0, 1), NO_RIGHT, 0, 0.5)
    step = lane.plan(30, some(1, 30), due_at=30)
    assert isinstance(step, Fresh)
    lane.answered(lane.start(step, (2,), 30), OK, 30, 0.5)
    lane.answered(again(lane, 30), NO_RIGHT, 30.1, 0.5)
    lane.answered(begin(lane, 30.2, 3), FAILED, 30.2, 0.5)
    decision = lane.answered(begin(lane, 30.2, 4), FAILED, 30.2, 0.5)
    assert decision.state is LaneState.BACKING_OFF

    now, probes = 30.2, []
    while now < 60:
        step = lane.plan(now, NOTHING, due_at=None)
        if isinstance(step, Again):
            probes.append(now)
            verdict = NO_RIGHT if step.work.seqs == (1,) else FAILED
            lane.answered(lane.start_again(step.work, now), verdict, now, 0.5)
        else:
            assert isinstance(step, Wait)
            now = step.until or 60
    assert len(probes) == len(set(probes)), "two probes at once"


# --- bounds and the end ---------------------------------------------------------------------------


def test_a_lane_with_too_much_parked_takes_nothing_fresh() -> None:
    lane = a_lane(LanePolicy(max_parked_events=5, work_backoff=Backoff(base_s=100, cap_s=100)))
    lane.answered(begin(lane, 0, *range(6)), FAILED, 0, 0.5)

    step = lane.plan(1, some(9, 0), due_at=0)
    assert isinstance(step, Wait)
    assert step.until is not None


def test_entries_settled_elsewhere_are_not_sent_again() -> None:
    lane = a_lane()
    lane.answered(begin(lane, 0, 1, 2, 3), FAILED, 0, 0.5)
    lane.drop([2])
    work = again(lane, 10)
    assert work.seqs == (1, 3)
    lane.answered(work, FAILED, 10, 0.5)
    lane.drop([1, 3, 99])

    assert lane.parked() == ()
    assert lane.status.parked_events == 0


def test_a_draining_lane_flushes_what_lingers_and_leaves() -> None:
    lane = a_lane()
    lane.drain()
    step = lane.plan(100, some(3, 99.9), due_at=100.4)
    assert isinstance(step, Fresh)
    work = lane.start(step, (1, 2, 3), 100)

    assert lane.plan(100, NOTHING, due_at=None) == Wait()
    lane.answered(work, FAILED, 101, 0.5)
    assert lane.plan(101, NOTHING, due_at=None) == Finished()


def test_a_draining_lane_leaves_a_backlog_in_the_journal() -> None:
    lane = a_lane()
    lane.drain()

    assert lane.plan(100, some(9000, 10), due_at=10) == Finished()


def test_a_draining_lane_that_does_not_run_leaves_at_once() -> None:
    lane = a_lane()
    lane.answered(begin(lane, 0, 1), NO_TOKEN, 0, 0.5)
    lane.drain()

    assert lane.plan(30, some(3, 30), due_at=30) == Finished()


def test_two_lanes_share_nothing_but_the_limiter() -> None:
    limiter = Limiter(ceiling=1000)
    dead, healthy = Lane(LanePolicy(), limiter), Lane(LanePolicy(), limiter)
    dead.answered(begin(dead, 0, 1, 2), NO_TOKEN, 0, 0.5)

    assert healthy.status.state is LaneState.RUNNING
    assert healthy.status.parked_events == 0
    assert begin(healthy, 0.01, 1).work_id == 1


# --- several replicas -----------------------------------------------------------------------------


class Shared:
    """A lane whose destination and token other replicas share, by the same clock as theirs."""

    def __init__(self) -> None:
        self.clock = FarClock()
        self.clock.heard(0.0, asked_at=0.0, heard_at=0.0)
        self.token = TokenShare(lambda: None)
        self.share = LaneShare("this one")
        self.lane = Lane(LanePolicy(), LaneBudget(1, self.token, self.share, lambda: None))

    def sees(self, row: LaneRow) -> None:
        told = self.share.seen(row, self.lane.standing, self.clock)
        if told is not None:
            self.lane.told(told, 0)

    def gets(self, *moments: float) -> None:
        self.token.granted(Grant(Ledger(LimiterState(10.0)), moments, alone=True), self.clock)

    def wish(self, now: float) -> Wish | None:
        return self.share.wish(self.lane.standing, now, self.clock, probing=self.lane.probing)


def test_without_a_moment_a_lane_waits_and_asks_again_when_it_is_woken() -> None:
    shared = Shared()
    shared.sees(LaneRow(0, Standing(LaneState.RUNNING)))

    assert shared.lane.plan(0, some(3, 0), due_at=0) == Wait(math.inf)
    shared.gets(5.0)
    assert shared.lane.plan(1, some(3, 0), due_at=0) == Wait(5.0)
    assert isinstance(shared.lane.plan(5, some(3, 0), due_at=0), Fresh)


def test_before_it_is_known_what_others_found_a_lane_takes_no_moment() -> None:
    shared = Shared()
    shared.gets(0.0)

    assert shared.lane.plan(0, some(3, 0), due_at=0) == Wait(math.inf)
    assert shared.token.request(0) is None


def test_a_lane_that_was_told_to_pause_sends_nothing_without_leave_to_probe() -> None:
    finder, shared = a_lane(), Shared()
    finder.answered(begin(finder, 0, 1), NO_TOKEN, 0, 0.5)
    row = LaneRow(1, finder.standing)
    shared.sees(row)
    shared.gets(60.0)

    assert shared.lane.status.cause == finder.status.cause
    assert shared.lane.plan(60, some(3, 0), due_at=0) == Wait(math.inf)
    assert shared.wish(60) == Wish(1, probe=True)
    shared.sees(row._replace(prober="this one", prober_until=65.0))
    assert isinstance(shared.lane.plan(60.1, some(3, 0), due_at=0), Fresh)


def test_an_answer_from_before_another_replica_paused_the_lane_settles_and_says_no_more() -> None:
    finder, lane = a_lane(), a_lane()
    under_way = begin(lane, 0, 7)
    finder.answered(begin(finder, 0, 1), NO_TOKEN, 0, 0.5)
    lane.told(finder.standing, 1)

    decision = lane.answered(under_way, OK, 2, 0.5)

    assert decision.settle == (Settle((7,), Outcome.DELIVERED, Reason.ACCEPTED),)
    assert lane.status.state is LaneState.PAUSED_CREDENTIAL
    assert not lane.probing


def test_what_is_parked_goes_soon_after_another_replica_found_the_way_free() -> None:
    policy = LanePolicy(work_backoff=Backoff(base_s=900.0, cap_s=900.0, floor_s=900.0))
    prober, lane = a_lane(policy), a_lane(policy)
    for each in (prober, lane):
        for seq in (1, 2):
            each.answered(begin(each, 0, seq), FAILED, 0, 0.5)
    probe = again(prober, 100)
    assert prober.probing
    prober.answered(probe, OK, 100, 0.5)

    lane.told(prober.standing, 100)

    assert lane.status.state is LaneState.RUNNING
    assert max(work.due_at for work in lane.parked()) <= 100 + policy.backoff.cap_s
