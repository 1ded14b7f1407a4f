"""REC: what fell suddenly, and in which layer first?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from relay.audit.books import Books
from relay.audit.books.calendar import Span, days_of, moved, span
from relay.audit.books.lines import Line
from relay.audit.books.sampled import median
from relay.audit.books.totals import Totals
from relay.audit.checks.arrival import utc_days
from relay.audit.checks.check import Inapplicable, Result, as_percent, events, number, survey
from relay.audit.findings import Certainty, Figure, Finding, Severity
from relay.audit.guard import below

if TYPE_CHECKING:
    from relay.config.audit import Thresholds


class _Layer(NamedTuple):
    """One count by day. Days outside `days` are not to be judged; within, a day that is not there
    had none."""

    name: str
    counts: Mapping[date, int]
    days: Span | None


class _Drop(NamedTuple):
    layer: str
    first: date
    found: int
    usual: float


def sudden_drop(books: Books, limits: Thresholds) -> Result:
    """Rd, Srv, Att, Crt or C below the median of the same weekdays of 28 days by 50 % on two days
    running, or 80 % on one; on mature (Rd, Srv: settled) days whose spend is within ±30 % of its
    own median."""
    return survey(
        [line for line in books.lines if line.destinations],
        lambda line: _dropped(books, line, limits),
        nothing="no ad group optimises for an event that the relay feeds",
    )


def _dropped(books: Books, line: Line, limits: Thresholds) -> Result:
    reports = books.days_of(line)
    weeks = days_of(limits.drop_history) // 7
    steady = _Steady(books.period, weeks, reports, limits)
    layers = _layers(books, line, reports, limits)
    if not any(steady.can_judge(each.days) for each in layers):
        return Inapplicable("too few weeks lie before the days that could be judged")
    drops = [drop for each in layers if (drop := steady.drop(each)) is not None]
    return [_finding(books, line, drops)] if drops else []


def _layers(
    books: Books, line: Line, reports: Mapping[date, Totals], limits: Thresholds
) -> Sequence[_Layer]:
    """In the order in which an event passes them."""
    live: dict[date, int] = {}
    for name in line.destinations:
        for day, booked in books.deliveries.days((name, line.event)).items():
            live[day] = live.get(day, 0) + booked.live
    settled = span(
        books.period.first, min(books.period.last, books.calendar.settled(limits.settle))
    )
    mature = books.mature(line.window)
    whole_utc = books.calendar.whole_utc_days(books.period, limits.settle)
    mature_utc = None
    if mature is not None and whole_utc is not None:
        mature_utc = span(whole_utc.first, min(whole_utc.last, mature.last))
    rows = utc_days(books, line.code, line.event, books.period)
    return [
        _Layer("delivered by the relay", live, settled),
        _Layer("server events of TikTok", {r.day: r.server for r in rows}, whole_utc),
        _Layer("events that TikTok attributed", {r.day: r.attributed for r in rows}, mature_utc),
        _Layer("conversions by event day", _known(reports, "conversions_by_event_day"), mature),
        _Layer("conversions", _known(reports, "conversions"), mature),
    ]


def _known(reports: Mapping[date, Totals], name: str) -> Mapping[date, int]:
    counts = {day: totals.count(name) for day, totals in reports.items()}
    return {day: count for day, count in counts.items() if count is not None}


class _Steady:
    """Looks for drops on days on which the spend was as usual."""

    def __init__(
        self, period: Span, weeks: int, reports: Mapping[date, Totals], limits: Thresholds
    ) -> None:
        self._period, self._weeks, self._reports, self._limits = period, weeks, reports, limits

    def can_judge(self, days: Span | None) -> bool:
        return days is not None and len(self._weekdays(days.last)) >= self._least

    @property
    def _least(self) -> int:
        """So many same weekdays make a median: one may be missing."""
        return max(2, self._weeks - 1)

    def _weekdays(self, day: date) -> Sequence[date]:
        before = (moved(day, -7 * week) for week in range(1, self._weeks + 1))
        return [each for each in before if each in self._period]

    def drop(self, layer: _Layer) -> _Drop | None:
        """The last one of a layer."""
        if layer.days is None or not layer.counts:
            return None
        limits, last = self._limits, layer.days.last
        fallen: _Drop | None = None
        day = last
        while day in layer.days and len(self._weekdays(day)) >= self._least:
            half = self._fell(layer, day, 1 - limits.drop_two_days)
            before = moved(day, -1)
            if (
                half
                and before in layer.days
                and self._fell(layer, before, 1 - limits.drop_two_days)
            ):
                fallen = self._fell(layer, before, 1 - limits.drop_two_days)
            elif fallen is not None and fallen.first != day:
                return fallen
            elif fallen is None and (deep := self._fell(layer, day, 1 - limits.drop_one_day)):
                return deep
            day = before
        return fallen

    def _fell(self, layer: _Layer, day: date, factor: float) -> _Drop | None:
        weekdays = self._weekdays(day)
        if len(weekdays) < self._least or not self._spends_as_usual(day, weekdays):
            return None
        usual = median(layer.counts.get(each, 0) for each in weekdays) or 0.0
        found = layer.counts.get(day, 0)
        if not below(found, usual, factor, self._limits):
            return None
        return _Drop(layer.name, day, found, usual)

    def _spends_as_usual(self, day: date, weekdays: Sequence[date]) -> bool:
        totals = self._reports.get(day)
        before = [self._reports[each].spend for each in weekdays if each in self._reports]
        usual = median(map(float, before))
        if totals is None or not usual:
            return False
        return abs(float(totals.spend) - usual) <= self._limits.spend_stable * usual


def _finding(books: Books, line: Line, drops: Sequence[_Drop]) -> Finding:
    first = drops[0]
    fall = 1 - first.found / first.usual
    since = min(each.first for each in drops)
    return Finding(
        check="REC-05",
        severity=Severity.CRITICAL,
        subject=line.subject,
        says=f"On {first.first} there were {first.found} {books.called(line.event)} "
        f"{first.layer}, usual for this weekday are {first.usual:.0f} ({as_percent(fall)} fewer), "
        "while the spend stayed the same.",
        expected=number(first.layer, first.usual, "events"),
        found=events(first.layer, first.found),
        do=f"Begin at the first layer that fell, {first.layer}; see what was changed before "
        f"{since} in the shop, in the relay and in the ad groups of pixel {line.code}.",
        certainty=Certainty.LIKELY,
        source="the relay's ledger, event statistics and reports against the weeks before",
        since=since,
        at_stake=books.spend(line.adgroups, Span(since, max(since, books.period.last))),
        details=[
            Figure(f"{each.layer} on {each.first}, usual {each.usual:.0f}", each.found, "events")
            for each in drops
        ],
        concerns=line.concerns,
    )
