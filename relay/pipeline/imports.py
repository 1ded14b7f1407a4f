"""Conversions of a file onto the path, some lines at a time.

A line's receipt is `import:<file>/<line>`, `file` being the file's digest: taken again, in this
run or a later one, a line is known and nothing of it is written twice. That makes an import that
was interrupted, or whose answer was lost, one to simply repeat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

import orjson

from relay.clock import Clock
from relay.errors import PayloadRefused, UnknownSource
from relay.journal.protocol import Intake
from relay.model import Answer, Arrival, FieldIssue, Outcome, Reason, Refusal
from relay.pipeline.accept import Acceptor, Route
from relay.sources.canonical import KIND as CANONICAL
from relay.sources.custom import KIND as CUSTOM
from relay.sources.protocol import Conversions
from relay.telemetry import Telemetry
from relay.traces import OFF, Moment, Traces

#: Kinds whose lines say by themselves what they are; a webhook's topic is in its headers.
KINDS: Final = (CANONICAL, CUSTOM)


class Fate(StrEnum):
    """What became of a line, over all its destinations."""

    ACCEPTED = "accepted"
    KNOWN = "known"  # taken by an earlier import of the same file
    DUPLICATE = "duplicate"
    WITHHELD = "withheld"
    EXPIRED = "expired"
    INVALID = "invalid"
    LEFT_OUT = "left_out"  # the mapping's `when` said no


#: A line with several destinations counts as the first of these that one of them gave it.
_RANKS: Final = tuple(Fate)


class InvalidLine(NamedTuple):
    """A line that nobody will deliver: fields and why, never what stood there."""

    line: int
    event_id: str | None
    errors: Sequence[FieldIssue]


@dataclass(slots=True)
class Imported:
    """How many lines became what, and which are invalid."""

    counts: Counter[Fate] = field(default_factory=Counter)
    invalid: list[InvalidLine] = field(default_factory=list)


class Importer:
    """Takes the lines of files for the sources of `routes`."""

    def __init__(
        self,
        routes: Mapping[str, Route],
        acceptor: Acceptor,
        journal: Intake,
        *,
        clock: Clock,
        telemetry: Telemetry,
        traces: Traces = OFF,
    ) -> None:
        self._traces = traces
        self._routes = routes
        self._acceptor = acceptor
        self._journal = journal
        self._clock = clock
        self._telemetry = telemetry

    async def take(
        self, source: str, file: str, first_line: int, items: Sequence[object]
    ) -> Imported:
        """Store consecutive lines, durable when it returns. `file` is the beginning of the file's
        digest; `items` are the lines' JSON values.

        Raises `JournalUnavailable`, and `UnknownSource` for one that takes no files.
        """
        began = Moment(self._clock.now(), self._clock.monotonic())
        route = self._routes.get(source)
        if route is None or route.source.kind not in KINDS:
            raise UnknownSource("unknown_source")
        result = Imported()
        conversions: list[object] = []
        receipts: list[str] = []
        for number, item in enumerate(items, first_line):
            found = self._conversions(route, item)
            if not found:
                result.counts[Fate.LEFT_OUT] += 1
            several = len(found) > 1
            receipts += [
                f"import:{file}/{number}.{index}" if several else f"import:{file}/{number}"
                for index in range(len(found))
            ]
            conversions += found
        arrivals = [
            arrival._replace(receipt=receipts[int(arrival.receipt)])
            for arrival in self._acceptor.arrivals(route, conversions, "")
        ]
        if arrivals:
            answers = await self._journal.append(arrivals)
            self._telemetry.arrived(source, sum(not answer.known for answer in answers))
            for arrival, answer in zip(arrivals, answers, strict=True):
                self._acceptor.count(arrival, answer)
            _sum_up(result, arrivals, answers)
            if self._traces.is_on:
                pairs = list(zip(arrivals, answers, strict=True))
                self._traces.imported(pairs, (began, self._clock.monotonic()))
        return result

    def _conversions(self, route: Route, item: object) -> Sequence[object]:
        """A line's conversions: one, or as many as a mapping makes of it."""
        if route.source.kind == CANONICAL:
            return (item,)
        now = self._clock.now()
        try:
            body = orjson.dumps(item)
            reading = route.source.read(body, {}, now=now, recall=lambda key: None)
        except PayloadRefused as refused:
            errors = (FieldIssue("", refused.reason),)
            return (Refusal(Outcome.INVALID, Reason.UNMAPPABLE, None, None, None, None, errors),)
        return reading.items if isinstance(reading, Conversions) else ()


def _sum_up(result: Imported, arrivals: Sequence[Arrival], answers: Sequence[Answer]) -> None:
    best: dict[int, Fate] = {}
    for arrival, answer in zip(arrivals, answers, strict=True):
        number = int(arrival.receipt.rpartition("/")[2].partition(".")[0])
        fate = _fate(arrival, answer)
        best[number] = min(best.get(number, fate), fate, key=_RANKS.index)
        if fate is Fate.INVALID and isinstance(arrival.result, Refusal):
            refusal = arrival.result
            errors = refusal.errors or (FieldIssue("", refusal.reason.value),)
            result.invalid.append(InvalidLine(number, refusal.event_id, errors))
    result.counts.update(best.values())


def _fate(arrival: Arrival, answer: Answer) -> Fate:
    """A refusal is told each time, so that what is wrong in a file can be seen again."""
    if isinstance(arrival.result, Refusal):
        return Fate(arrival.result.outcome)
    if answer.known:
        return Fate.KNOWN
    return Fate.ACCEPTED if answer.outcome is None else Fate(answer.outcome)
