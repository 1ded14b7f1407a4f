"""Any sequence of calls, crashes and days, compared with a journal that is a few dictionaries."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from relay.journal.protocol import End
from relay.model import Answer, Arrival, Counts, Entry, Event, Outcome, Reason
from tests.contract.journals import (
    DAY,
    DELIVERED,
    EXPIRED,
    HOUR,
    REJECTED,
    OpenJournal,
    OwnClock,
    a_refusal,
    an_event,
    arriving,
    settle,
    take,
    upkeep,
)

WINDOWS = {"web": 2 * DAY, "crm": DAY}
RETENTION_S = 3 * DAY
ENDS = [DELIVERED, REJECTED, EXPIRED, (Outcome.WITHHELD, Reason.ERASED)]
_T = TypeVar("_T")


@dataclass
class Known:
    """What the model knows of one arrival."""

    receipt: str
    event_id: str | None
    at: float
    outcome: Outcome | None
    taken: bool = False


@dataclass
class Lane:
    """One destination of the model: its entries in the order in which they came."""

    window_s: float
    entries: list[Known] = field(default_factory=list)
    at_door: list[Known] = field(default_factory=list)
    owners: dict[str, Known] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)

    def append(self, arrival: Arrival, now: float) -> Answer:
        receipt, event_id = arrival.receipt, arrival.result.event_id
        if receipt in self.seen and not receipt.startswith("http:"):
            return Answer(None, None, known=True)
        self.seen[receipt] = now
        if not isinstance(arrival.result, Event):
            self.at_door.append(Known(receipt, event_id, now, arrival.result.outcome))
            return Answer(arrival.result.outcome, arrival.result.reason)
        owner = self.owners.get(arrival.result.event_id)
        if owner is not None and now - owner.at < self.window_s:
            self.at_door.append(Known(receipt, event_id, now, Outcome.DUPLICATE))
            return Answer(Outcome.DUPLICATE, Reason.SAME_EVENT)
        self.entries.append(Known(receipt, event_id, now, None))
        self.owners[arrival.result.event_id] = self.entries[-1]
        return Answer(None, None)

    def settle(self, seq: int, outcome: Outcome) -> None:
        known = self.entries[seq]
        known.outcome, known.taken = outcome, False
        if outcome is not Outcome.DELIVERED and self.owners.get(known.event_id or "") is known:
            del self.owners[known.event_id or ""]

    def place(self, entry: Entry) -> int:
        return [known.receipt for known in self.entries].index(entry.receipt)

    def free(self) -> list[int]:
        return [
            seq for seq, known in enumerate(self.entries) if not known.taken and not known.outcome
        ]

    def newest_free(self) -> list[int]:
        free = self.free()
        run = free[-1:]
        while run and run[0] - 1 in free:
            run.insert(0, run[0] - 1)
        return run

    @property
    def everything(self) -> list[Known]:
        return [*self.entries, *self.at_door]

    def counts(self) -> Counts:
        waiting = sum(known.outcome is None for known in self.entries)
        return Counts(len(self.everything), len(self.everything) - waiting, waiting)


class JournalMachine(RuleBasedStateMachine):
    """The journal beside the model."""

    new_storage: Callable[[OwnClock], OpenJournal]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = OwnClock()
        self.storage = type(self).new_storage(self.clock)
        self.lanes = {name: Lane(window_s) for name, window_s in WINDOWS.items()}
        self.taken: dict[str, list[Entry]] = {name: [] for name in WINDOWS}
        self.requests = 0
        self.open()

    def open(self) -> None:
        self.journal = self.run(self.storage(dedupe_windows_s=WINDOWS, retention_s=RETENTION_S))

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self.runner.run(work)

    # --- what may happen --------------------------------------------------------------------------

    @rule(
        ids=st.lists(
            st.tuples(st.sampled_from(sorted(WINDOWS)), st.integers(0, 9)), min_size=1, max_size=6
        ),
        kind=st.sampled_from(["http", "kafka"]),
        refused=st.sets(st.integers(0, 5), max_size=2),
    )
    def append(self, ids: Sequence[tuple[str, int]], kind: str, refused: set[int]) -> None:
        self.requests += 1
        arrivals = []
        for index, (destination, number) in enumerate(ids):
            result = a_refusal(f"e{number}") if index in refused else an_event(f"e{number}")
            receipt = f"{kind}:{self.requests}/{index}"
            arrivals.append(arriving(result, receipt, destination))
        self.store(arrivals)

    @precondition(lambda self: any(lane.everything for lane in self.lanes.values()))
    @rule(data=st.data())
    def read_again(self, data: st.DataObject) -> None:
        """A sender hands over what it handed over before, with the same receipt."""
        now = self.clock.now()
        recent = [
            (name, known)
            for name, lane in self.lanes.items()
            for known in lane.everything
            if known.receipt.startswith("kafka:") and now - known.at < lane.window_s
        ]
        if recent:
            chosen = data.draw(st.lists(st.sampled_from(recent), min_size=1, max_size=3))
            self.store(
                [arriving(an_event(known.event_id or ""), known.receipt, name)
                 for name, known in chosen]
            )  # fmt: skip

    def store(self, arrivals: Sequence[Arrival]) -> None:
        answers = self.run(self.journal.append(arrivals))

        now = self.clock.now()
        expected = [self.lanes[arrival.destination].append(arrival, now) for arrival in arrivals]
        assert list(answers) == expected

    @rule(
        destination=st.sampled_from(sorted(WINDOWS)),
        count=st.integers(1, 8),
        end=st.sampled_from(End),
    )
    def take(self, destination: str, count: int, end: End) -> None:
        entries = take(self.journal, count, end, destination)

        lane = self.lanes[destination]
        expected = (lane.free() if end is End.OLDEST else lane.newest_free())[:count]
        assert [lane.place(entry) for entry in entries] == expected
        for seq in expected:
            lane.entries[seq].taken = True
        self.taken[destination] += entries

    @precondition(lambda self: any(self.taken.values()))
    @rule(data=st.data(), ended=st.sampled_from([*ENDS, None]))
    def end_some(self, data: st.DataObject, ended: tuple[Outcome, Reason] | None) -> None:
        """Settle some of the taken entries, or give them back."""
        name = data.draw(st.sampled_from([name for name, taken in self.taken.items() if taken]))
        chosen = data.draw(st.lists(st.sampled_from(self.taken[name]), min_size=1, unique=True))
        self.taken[name] = [entry for entry in self.taken[name] if entry not in chosen]
        if ended is None:
            self.journal.give_back(name, [entry.seq for entry in chosen])
            for entry in chosen:
                lane = self.lanes[name]
                lane.entries[lane.place(entry)].taken = False
            return
        assert sorted(self.journal.read(name, [entry.seq for entry in chosen])) == sorted(chosen)
        self.run(settle(self.journal, chosen, ended, destination=name))
        for entry in chosen:
            self.lanes[name].settle(self.lanes[name].place(entry), ended[0])

    @rule()
    def crash(self) -> None:
        """What was taken is forgotten, what was stored is not."""
        self.run(self.journal.close())
        self.open()
        for name, lane in self.lanes.items():
            self.taken[name].clear()
            for known in lane.entries:
                known.taken = False

    @rule(hours=st.floats(0.1, 30))
    def time_passes(self, hours: float) -> None:
        self.clock.advance(hours * HOUR)
        self.run(upkeep(self.journal))

    # --- what always holds ------------------------------------------------------------------------

    @invariant()
    def the_counts_are_those_of_the_model(self) -> None:
        counts = self.journal.counts()
        for name, lane in self.lanes.items():
            assert counts.get(name, Counts(0, 0, 0)) == lane.counts()
            assert self.journal.available(name).entries == len(lane.free())
            oldest = min([known.at for known in lane.entries if not known.outcome], default=None)
            assert self.journal.waiting(name).oldest_at == oldest

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def find(self, data: st.DataObject) -> None:
        """What came within retention is found, with its outcome."""
        number = data.draw(st.integers(0, 9))
        now = self.clock.now()

        traces = self.run(self.journal.find(f"e{number}"))

        found = {(trace.destination, trace.receipt): trace.outcome for trace in traces}
        for name, lane in self.lanes.items():
            for known in lane.everything:
                if known.event_id == f"e{number}" and now - known.at < RETENTION_S:
                    assert found[name, known.receipt] == known.outcome

    def teardown(self) -> None:
        async def sums() -> Counter[Outcome]:
            rows = [row async for row in self.journal.sums(None, 0, 2**32 - 1)]
            return sum((Counter({row.outcome: row.sums.count}) for row in rows), Counter())

        booked = self.run(sums())
        self.run(self.journal.close())
        self.runner.close()
        known = [known for lane in self.lanes.values() for known in lane.everything]
        assert booked == Counter(each.outcome for each in known if each.outcome)


def test_a_journal_does_what_a_few_dictionaries_would(
    new_storage: Callable[[OwnClock], OpenJournal], examples: int
) -> None:
    class Machine(JournalMachine):
        pass

    Machine.new_storage = staticmethod(new_storage)

    run_state_machine_as_test(
        Machine, settings=settings(max_examples=examples, stateful_step_count=30, deadline=None)
    )
