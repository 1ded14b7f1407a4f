"""Rows of a report, as values.

TikTok writes every metric as a text. `-`, null and what is missing is None: not known, never 0.
`<5` is None too, and noticed. The day and hour are the account's, without an offset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, Final

from relay.management.errors import About, AnswerUnreadable
from relay.management.fields import MOST_KNOWN, NO_VALUE, Record, decimal_of
from relay.management.reports.metrics import MetricKind
from relay.management.reports.request import ReportRequest

Value = Decimal | int | str | None

#: What TikTok writes for numbers too small to be told.
_MASKED: Final = "<"

#: Stands for such a number; known by its identity.
_TOO_SMALL: Final = "too small to be told"


@dataclass(frozen=True, slots=True)
class ReportRow:
    """`dimensions` are the object's id and, by day or hour, `stat_time_day` as TikTok writes it
    (`2026-11-01 00:00:00`). `metrics` has every metric that was asked for."""

    dimensions: dict[str, str]
    metrics: dict[str, Value]


class RowReader:
    """Reads the rows of one request; `on_masked` is told of metrics that came as `<5`."""

    def __init__(self, request: ReportRequest, on_masked: Callable[[str], None]) -> None:
        self._dimensions = request.dimensions
        self._metrics = [
            (metric.name, metric.kind, _READ[metric.kind]) for metric in request.columns
        ]
        self._on_masked = on_masked

    def row(self, record: Record) -> ReportRow:
        """A row of a page. Raises `AnswerUnreadable`."""
        dimensions, metrics = record.record("dimensions"), record.record("metrics")
        if dimensions is None:
            raise record.unreadable("dimensions", "is missing")
        return ReportRow(
            {name: dimensions.id(name) for name in self._dimensions},
            self.values(metrics) if metrics else dict.fromkeys(name for name, *_ in self._metrics),
        )

    def values(self, metrics: Record) -> dict[str, Value]:
        """The metrics that were asked for. Raises `AnswerUnreadable`."""
        raw = metrics.raw
        found: dict[str, Value] = {}
        for name, kind, read in self._metrics:
            said = raw.get(name)
            try:
                # Written out: it runs for every number of a report.
                is_short = type(said) is str and len(said) <= _SHORT
                value = read(said) if is_short else _read(said, kind)
            except ValueError:
                problem = "is not a text" if kind is MetricKind.TEXT else "is not a number"
                raise metrics.unreadable(name, problem) from None
            found[name] = value if value is not _TOO_SMALL else self._none(name)
        return found

    def columns(self, titles: Sequence[str], about: About) -> dict[str, int]:
        """Where the fields stand in a file with these titles. Raises `AnswerUnreadable` where one
        that was asked for is missing."""
        places = {title.strip(): place for place, title in enumerate(titles)}
        for name in (*self._dimensions, *(name for name, *_ in self._metrics)):
            if name not in places:
                field = f"file.{name}"
                raise AnswerUnreadable(f"{field} is missing", about, field=field)
        return places

    def lines(
        self, lines: Iterator[list[str]], places: Mapping[str, int], about: About
    ) -> Iterator[ReportRow]:
        """The rows of a file. Raises `AnswerUnreadable`."""
        dimensions = [(name, places[name]) for name in self._dimensions]
        metrics = [(name, kind, places[name]) for name, kind, _ in self._metrics]
        for line in lines:
            found: dict[str, Value] = {}
            for name, kind, place in metrics:
                try:
                    found[name] = self._value(name, kind, line[place])
                except ValueError:
                    field = f"file.{name}"
                    raise AnswerUnreadable(f"{field} is not a number", about, field=field) from None
            yield ReportRow({name: line[place] for name, place in dimensions}, found)

    def _value(self, name: str, kind: MetricKind, raw: str) -> Value:
        """Raises ValueError for what is not of this kind."""
        found = _READ[kind](raw) if len(raw) <= _SHORT else _read(raw, kind)
        return found if found is not _TOO_SMALL else self._none(name)

    def _none(self, name: str) -> Value:
        """Of a number too small to be told; whoever listens is told."""
        self._on_masked(name)
        return None


def _read(raw: Any, kind: MetricKind) -> Value:
    """`_TOO_SMALL` for a number too small to be told. Raises ValueError for what is not of this
    kind."""
    if raw is None or (type(raw) is str and raw in NO_VALUE):
        return None
    if kind is MetricKind.TEXT:
        return _text(raw)
    if type(raw) is str and raw.startswith(_MASKED):
        return _TOO_SMALL
    number = decimal_of(raw)
    if number is None:
        if kind is MetricKind.UNKNOWN and type(raw) is str:
            return raw
        raise ValueError
    if kind in _WHOLE and number == (whole := int(number)):
        return whole
    return number


_WHOLE: Final = (MetricKind.COUNT, MetricKind.PEOPLE)

#: Texts of this length are remembered with what they say: few of a report's many differ.
_SHORT: Final = 24
_READ: Final = {
    kind: lru_cache(maxsize=0 if kind is MetricKind.TEXT else MOST_KNOWN)(partial(_read, kind=kind))
    for kind in MetricKind
}


def _text(raw: object) -> str:
    """Ids come as numbers, too."""
    if type(raw) is str:
        return raw
    if type(raw) is int or type(raw) is float:
        return str(raw)
    raise ValueError


def key_of(request: ReportRequest) -> Callable[[Mapping[str, Any]], tuple[str, ...]]:
    """What tells one row of a page from another."""
    names = request.dimensions

    def key(row: Mapping[str, Any]) -> tuple[str, ...]:
        dimensions = row.get("dimensions")
        if not isinstance(dimensions, dict):
            about = About("/report/integrated/get/", request.advertiser_id)
            raise AnswerUnreadable(
                "list[].dimensions is not an object", about, field="list[].dimensions"
            )
        return tuple(str(dimensions.get(name)) for name in names)

    return key


def added(
    sums: dict[str, Value] | None, request: ReportRequest, totals: Mapping[str, Value] | None
) -> dict[str, Value] | None:
    """Totals of one part more; only what adds up, and a part without a value leaves none."""
    if sums is None or totals is None:
        return None
    for metric in request.columns:
        if metric.kind in _ADDING:
            before, more = sums.get(metric.name, 0), totals.get(metric.name)
            sums[metric.name] = _sum(before, more)
    return sums


_ADDING: Final = (MetricKind.MONEY, MetricKind.COUNT)


def _sum(before: Value, more: Value) -> Value:
    if isinstance(before, Decimal | int) and isinstance(more, Decimal | int):
        return before + more
    return None
