"""Group commit, on a group that fails on command."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

import pytest

from relay.errors import JournalUnavailable
from relay.journal.rocksdb.commit import GroupCommit


class Disk:
    """A group that notes what it is told, and whose syncs can be held up or fail."""

    def __init__(self) -> None:
        self.groups: list[list[object]] = []
        self.durable: list[object] = []
        self.syncs = 0
        self.fail_write: Exception | None = None
        self.fail_sync: Exception | None = None
        self.may_sync = threading.Event()
        self.may_sync.set()

    def write(self, jobs: Sequence[object]) -> Sequence[object]:
        if self.fail_write is not None:
            raise self.fail_write
        self.groups.append(list(jobs))
        return [ValueError(job) if job == "poison" else f"{job} done" for job in jobs]

    def sync(self) -> None:
        assert self.may_sync.wait(10)
        if self.fail_sync is not None:
            raise self.fail_sync
        self.syncs += 1

    def synced(self) -> None:
        self.durable += self.groups[-1]


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def failures() -> list[Exception]:
    return []


@pytest.fixture
async def commit(disk: Disk, failures: list[Exception]) -> AsyncIterator[GroupCommit]:
    commit = GroupCommit(disk, failures.append)
    yield commit
    disk.may_sync.set()
    await commit.close("the test is over")


async def turn() -> None:
    """Let what is ready run."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_what_comes_in_one_turn_of_the_loop_shares_a_write_and_a_sync(
    disk: Disk, commit: GroupCommit
) -> None:
    results = await asyncio.gather(*[commit.submit(at) for at in range(5)])

    assert results == [f"{at} done" for at in range(5)]
    assert (disk.groups, disk.syncs) == ([[0, 1, 2, 3, 4]], 1)


async def test_what_comes_during_a_sync_forms_the_next_group_and_waits_for_its_own(
    disk: Disk, commit: GroupCommit
) -> None:
    disk.may_sync.clear()
    first = commit.submit("a")
    await turn()
    later = [commit.submit(name) for name in "bc"]
    await turn()
    assert disk.groups == [["a"]]
    assert not first.done()

    disk.may_sync.set()
    await asyncio.gather(first, *later)

    assert (disk.groups, disk.syncs) == ([["a"], ["b", "c"]], 2)


async def test_a_job_that_cannot_be_written_fails_alone(disk: Disk, commit: GroupCommit) -> None:
    good, poison = commit.submit("good"), commit.submit("poison")

    assert await good == "good done"
    with pytest.raises(ValueError, match="poison"):
        await poison
    assert await commit.submit("next") == "next done"


@pytest.mark.parametrize("where", ["write", "sync"])
async def test_after_a_failure_nobody_gets_a_receipt_until_it_is_mended(
    disk: Disk, commit: GroupCommit, failures: list[Exception], where: str
) -> None:
    error = OSError("input/output error")
    if where == "write":
        disk.fail_write = error
    else:
        disk.fail_sync = error
    disk.may_sync.clear()
    first = commit.submit("a")
    await turn()
    if where == "sync":
        second = commit.submit("b")  # its group has not begun
        disk.may_sync.set()
        with pytest.raises(JournalUnavailable):
            await second
    with pytest.raises(JournalUnavailable):
        await first
    with pytest.raises(JournalUnavailable, match="input/output"):
        commit.submit("c")
    assert failures == [error]
    assert error.__traceback__ is None
    assert disk.durable == []

    disk.fail_write = disk.fail_sync = None
    disk.may_sync.set()
    commit.restart()
    assert await commit.submit("d") == "d done"


async def test_a_job_whose_caller_went_away_is_written_all_the_same(
    disk: Disk, commit: GroupCommit
) -> None:
    disk.may_sync.clear()
    gone, stays = commit.submit("gone"), commit.submit("stays")
    await turn()
    gone.cancel()
    disk.may_sync.set()

    assert await stays == "stays done"
    assert disk.durable == ["gone", "stays"]


async def test_a_failure_seen_elsewhere_stops_it_unless_a_sync_is_under_way(
    disk: Disk, commit: GroupCommit, failures: list[Exception]
) -> None:
    disk.may_sync.clear()
    first = commit.submit("a")
    await turn()
    commit.fail(OSError("ignored: the sync will tell"))
    disk.may_sync.set()
    assert await first == "a done"

    waiting = commit.submit("b")
    commit.fail(OSError("gone"))
    commit.fail(OSError("told once"))
    with pytest.raises(JournalUnavailable):
        await waiting
    assert [str(error) for error in failures] == ["gone"]


async def test_closing_finishes_what_was_taken_and_takes_nothing_more(
    disk: Disk, commit: GroupCommit
) -> None:
    disk.may_sync.clear()
    taken = [commit.submit("a")]
    await turn()
    taken.append(commit.submit("b"))
    closing = asyncio.ensure_future(commit.close("closed"))
    await turn()
    with pytest.raises(JournalUnavailable, match="closed"):
        commit.submit("c")
    disk.may_sync.set()

    assert await asyncio.gather(*taken) == ["a done", "b done"]
    await asyncio.wait_for(closing, 10)


async def test_work_in_the_thread_is_waited_for_on_closing(disk: Disk, commit: GroupCommit) -> None:
    done = threading.Event()
    may_end = threading.Event()

    def work() -> str:
        assert may_end.wait(10)
        done.set()
        return "reopened"

    working = asyncio.ensure_future(commit.in_thread(work))
    await turn()
    working.cancel()
    closing = asyncio.ensure_future(commit.close("closed"))
    await turn()
    assert not closing.done()

    may_end.set()
    await asyncio.wait_for(closing, 10)
    assert done.is_set()
