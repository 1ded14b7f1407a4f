"""Entries that share a request, and the shelf where those wait that need another one."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from relay.deliver.split import Naming, Seqs, isolate


@dataclass(frozen=True, slots=True)
class Work:
    """Entries that travel in one request: names, not bytes; the journal keeps those.

    `seqs` stand in the order of the request, and all have the same test code. `origin` is the
    number of the work it was cut from, or its own. `attempt` is the
    number of the request that carries them, or carried them last. `stalls` counts answers in a
    row that said nothing about the events, `stalled_at` is the last one's time; `blocks` and
    `blocked_at` are the same for answers about the token or a right. `outcast` marks a single event
    that got such an answer while others passed. `unknown_since` is the start of the first attempt
    that TikTok may have got without telling. `suspect` marks an entry that stands alone because a
    refusal named it.
    """

    work_id: int
    origin: int
    seqs: Seqs
    attempt: int
    started_at: float
    epoch: int
    due_at: float = 0.0
    stalls: int = 0
    stalled_at: float | None = None
    blocks: int = 0
    blocked_at: float | None = None
    outcast: bool = False
    unknown_since: float | None = None
    naming: Naming = field(default_factory=Naming)
    suspect: bool = False

    def __len__(self) -> int:
        return len(self.seqs)

    @property
    def misses(self) -> int:
        """Answers in a row that settled nothing."""
        return self.stalls + self.blocks


class Shelf:
    """Works that wait for another attempt, by number. A lane stops taking fresh entries when the
    shelf holds more than it may, so it stays small; in a batch where every event is bad it may
    hold thousands of works of one event each."""

    def __init__(self) -> None:
        self._works: dict[int, Work] = {}
        self._by_due: list[tuple[float, int]] = []  # may name works that have left: skipped
        self._numbers = 0
        self.events = 0

    def number(self) -> int:
        """A number that no other work of this lane has had."""
        self._numbers += 1
        return self._numbers

    def __iter__(self) -> Iterator[Work]:
        return iter(self._works.values())

    def __len__(self) -> int:
        return len(self._works)

    def put(self, work: Work) -> None:
        self._works[work.work_id] = work
        self.events += len(work)
        heapq.heappush(self._by_due, (work.due_at, work.work_id))

    def pick(self, work_id: int) -> Work:
        """Take it off the shelf; raises KeyError when it is not there."""
        work = self._works.pop(work_id)
        self.events -= len(work)
        return work

    def first_due(self) -> Work | None:
        """The work whose time comes, or came, first."""
        while self._by_due:
            due_at, work_id = self._by_due[0]
            work = self._works.get(work_id)
            if work is not None and work.due_at == due_at:
                return work
            heapq.heappop(self._by_due)
        return None

    def least_stalled(self) -> Work | None:
        """The one that is least likely to be at fault itself."""
        return min(self._works.values(), key=lambda work: (work.misses, work.due_at), default=None)

    def one_event(self) -> Work | None:
        """A work of one event to probe with; None when there is nothing but larger works.

        Works of one event take turns, so that none which is at fault itself holds the lane.
        """
        singles = (work for work in self._works.values() if len(work) == 1)
        return min(singles, key=lambda work: (work.misses, work.work_id), default=None)

    def singles(self) -> int:
        """How many works of one event there are."""
        return sum(len(work) == 1 for work in self._works.values())

    def cut_one(self) -> Work | None:
        """Cut one event off the smallest work of several; None when there is no such work."""
        several = (work for work in self._works.values() if len(work) > 1)
        work = min(several, key=lambda work: (len(work), work.work_id), default=None)
        if work is None:
            return None
        one, rest = isolate(self.pick(work.work_id).seqs, 0)
        self.put(replace(work, seqs=rest))
        single = replace(work, work_id=self.number(), seqs=one, stalls=0, blocks=0)
        self.put(single)
        return single

    def hasten(self, latest: float) -> None:
        """Let no work wait longer than until `latest`."""
        for work in list(self._works.values()):
            if work.due_at > latest:
                self.put(replace(self.pick(work.work_id), due_at=latest))

    def drop(self, seqs: Iterable[int]) -> None:
        """Forget entries that were settled elsewhere, and works that are empty then."""
        gone = frozenset(seqs)
        for work in list(self._works.values()):
            left = tuple(seq for seq in work.seqs if seq not in gone)
            if len(left) == len(work):
                continue
            self.pick(work.work_id)
            if left:
                self.put(replace(work, seqs=left))
