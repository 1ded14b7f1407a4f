"""A destination's standing that replicas share: findings have versions, and one asks for all."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.deliver.breaker import Cause, LaneState, Standing
from relay.deliver.shared.far_clock import FarClock
from relay.deliver.shared.standings import LEASE_S, LaneRow, LaneShare, Wish, decide

RUNNING = Standing(LaneState.RUNNING)
DEAD_TOKEN = Cause("INVALID_ACCESS_TOKEN", 40105)


def paused(at: float, probe_at: float) -> Standing:
    return Standing(LaneState.PAUSED_CREDENTIAL, at, DEAD_TOKEN, probe_at)


# --- the row ------------------------------------------------------------------------------------


def test_a_finding_counts_when_it_rests_on_the_present_version() -> None:
    found = paused(10, 40)
    row = decide(LaneRow(7, RUNNING), Wish(7, found), replica="a", now=10)

    assert row == LaneRow(8, found)


def test_a_finding_that_rests_on_an_older_version_is_void() -> None:
    row = LaneRow(8, RUNNING)

    assert decide(row, Wish(7, paused(10, 40)), replica="a", now=10) == row


def test_one_replica_may_probe_when_it_is_time_and_no_other_until_its_lease_ends() -> None:
    row = LaneRow(3, paused(10, 40))
    early = decide(row, Wish(3, probe=True), replica="a", now=39)
    first = decide(row, Wish(3, probe=True), replica="a", now=40)
    second = decide(first, Wish(3, probe=True), replica="b", now=41)
    renewed = decide(first, Wish(3, probe=True), replica="a", now=42)
    after_its_death = decide(first, Wish(3, probe=True), replica="b", now=40 + LEASE_S)

    assert early == row
    assert (first.prober, first.prober_until) == ("a", 40 + LEASE_S)
    assert second == first
    assert renewed.prober_until == 42 + LEASE_S
    assert after_its_death.prober == "b"


def test_nobody_leases_the_probe_of_a_lane_that_runs() -> None:
    row = LaneRow(3, RUNNING)

    assert decide(row, Wish(3, probe=True), replica="a", now=10) == row


def test_a_finding_ends_the_lease_but_one_that_is_due_at_once_takes_it() -> None:
    row = LaneRow(3, paused(10, 40), "a", 45)
    failed = decide(row, Wish(3, paused(10, 70)), replica="a", now=41)
    renewed_token = decide(row, Wish(3, paused(10, 41), at_once=True), replica="b", now=41)

    assert failed.prober is None
    assert renewed_token.prober == "b"


# --- several replicas -----------------------------------------------------------------------------


@dataclass
class Member:
    """A replica with a clock of its own, and what its lane stands at."""

    name: str
    ahead_s: float
    share: LaneShare = field(init=False)
    clock: FarClock = field(default_factory=FarClock)
    standing: Standing = RUNNING

    def __post_init__(self) -> None:
        self.share = LaneShare(self.name)

    def now(self, world: World) -> float:
        return world.now + self.ahead_s


@dataclass
class World:
    """The row, its clock, and what has happened."""

    members: list[Member]
    now: float = 1000.0
    row: LaneRow = field(default_factory=lambda: LaneRow(0, RUNNING))

    def act(self, member: Member) -> None:
        """One round of the member's task: a wish, if it has one, and what came of it."""
        here = member.now(self)
        member.clock.heard(self.now, asked_at=here, heard_at=here)
        wish = member.share.wish(member.standing, here, member.clock, probing=False)
        if wish is None:
            self.look(member)
            return
        mine, before = member.standing, self.row
        self.row = decide(before, wish, replica=member.name, now=self.now)
        if self.row.version != before.version:
            member.share.published(self.row, mine, member.clock)
        else:
            self.look(member)

    def look(self, member: Member) -> None:
        told = member.share.seen(self.row, member.standing, member.clock)
        if told is not None:
            member.standing = told

    def may_probe(self) -> list[str]:
        return [each.name for each in self.members if each.share.may_probe(each.now(self))]


def world_of(*ahead_s: float) -> World:
    return World([Member(f"r{number}", ahead) for number, ahead in enumerate(ahead_s)])


Deed = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["act", "pause", "fail", "resume", "renew", "want", "wait"]),
    st.floats(0, 8),
)


def do(world: World, member: Member, deed: str, seconds: float) -> None:
    here = member.now(world)
    stopped = member.standing.state is not LaneState.RUNNING
    match deed:
        case "act":
            world.act(member)
        case "pause" if not stopped and member.share.is_known:
            member.standing = paused(here, here + seconds)
        case "fail" if stopped and member.share.may_probe(here):
            member.standing = member.standing._replace(probe_at=here + seconds)
        case "resume" if stopped and member.share.may_probe(here):
            member.standing = Standing(LaneState.RUNNING, here)
        case "renew" if stopped:
            member.standing = member.standing._replace(probe_at=here)
        case "want" if stopped:
            member.share.may_probe(here)
        case "wait":
            world.now += seconds


@given(st.lists(Deed, max_size=120))
def test_replicas_come_to_one_standing_and_no_two_may_probe(
    deeds: list[tuple[int, str, float]],
) -> None:
    world = world_of(0.0, 300.0, -7.5)
    for number, deed, seconds in deeds:
        do(world, world.members[number], deed, seconds)
        holders = world.may_probe()
        # A renewed token takes the lease over: its old holder learns that at its next look.
        assert len(holders) <= 1 or world.row.prober in holders

    for _ in range(3):
        for member in world.members:
            world.act(member)
    states = {each.standing.state for each in world.members}
    assert states == {world.row.standing.state}
    causes = {each.standing.cause for each in world.members}
    assert causes == {world.row.standing.cause}
    assert len(world.may_probe()) <= 1


def test_before_its_row_was_seen_a_replica_knows_nothing_and_asks() -> None:
    member = Member("a", 0.0)

    assert not member.share.is_known
    wish = member.share.wish(RUNNING, 0.0, member.clock, probing=False)
    assert wish == Wish(None)


def test_a_replica_that_starts_while_the_lane_is_paused_is_told_the_cause_by_its_own_clock() -> (
    None
):
    world = world_of(0.0, 300.0)
    world.row = LaneRow(5, paused(990, 1030))
    late = world.members[1]

    world.act(late)

    assert late.standing.state is LaneState.PAUSED_CREDENTIAL
    assert late.standing.cause == DEAD_TOKEN
    assert late.standing.probe_at == pytest.approx(1330)


def test_a_lease_is_renewed_while_the_probe_is_under_way_and_left_when_nobody_wants_it() -> None:
    world = world_of(0.0)
    [member] = world.members
    world.row = LaneRow(5, paused(990, 999))
    world.act(member)
    member.share.may_probe(world.now)
    world.act(member)
    assert world.may_probe() == ["r0"]

    def wish(at: float, *, probing: bool) -> Wish | None:
        return member.share.wish(member.standing, at, member.clock, probing=probing)

    assert wish(world.now + 0.5, probing=True) is None
    assert wish(world.now + 1.5, probing=True) == Wish(5, probe=True)
    assert wish(world.now + 4.0, probing=False) is None
    assert math.isclose(world.row.prober_until, world.now + LEASE_S)


def test_while_another_holds_the_lease_nobody_writes_to_the_row() -> None:
    world = world_of(0.0)
    [member] = world.members
    world.row = LaneRow(5, paused(990, 999), "other", world.now + 4)
    world.act(member)

    member.share.may_probe(world.now)
    asked = member.share.wish(member.standing, world.now, member.clock, probing=False)
    member.share.may_probe(world.now + 4)
    later = member.share.wish(member.standing, world.now + 4, member.clock, probing=False)

    assert asked is None
    assert later == Wish(5, probe=True)
