"""Since when what is wrong, and what was changed in the account before. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from relay.audit.facts import Edit, Facts, Period
from relay.audit.findings import Finding
from relay.audit.page.charts.drawing import picture, rectangle, segment, words
from relay.audit.page.markup import Child, Markup, tag
from relay.audit.wording import days, plain, plural, short_day

_WIDTH, _LEFT = 900.0, 190.0
_TOP, _ROW = 40.0, 26.0

#: What a picture can show; the table beside it has all.
MOST_ROWS = 40


def edits_by_day(facts: Facts) -> Mapping[date, Sequence[Edit]]:
    """Changes of the account within the period, by day of its zone, the first first."""
    found = defaultdict(list)
    for edit in sorted(facts.edits, key=changed_at):
        day = changed_at(edit).astimezone(facts.advertiser.zone).date()
        if facts.period.first <= day <= facts.period.last:
            found[day].append(edit)
    return found


def timeline(findings: Sequence[Finding], facts: Facts) -> Markup:
    """A row for each finding from its first day on, a numbered mark for each day with changes. One
    that began before the picture, or nobody knows when, says so."""
    shown, changes = findings[:MOST_ROWS], edits_by_day(facts)
    bottom = _TOP + len(shown) * _ROW + 4
    marks: list[Child] = [*_calendar(facts.period, bottom)]
    for number, (day, edits) in enumerate(changes.items(), start=1):
        marks += _change(number, _x(day, facts.period), bottom, f"{short_day(day)}: {_said(edits)}")
    for index, finding in enumerate(shown):
        marks.append(_row(finding, _TOP + index * _ROW, facts.period))
    said = "; ".join(f"{each.check} {each.severity} {_since(each)}" for each in shown)
    title = f"Findings and changes, {days(facts.period)}"
    return picture(title, said or "no findings", bottom + 8, *marks, width=_WIDTH)


def changed_at(edit: Edit) -> datetime:
    """In UTC, whether it says so or not."""
    return edit.at if edit.at.tzinfo else edit.at.replace(tzinfo=UTC)


def _x(day: date, period: Period) -> float:
    """Where a day begins."""
    length = (period.last - period.first).days + 1
    inside = min(max((day - period.first).days, 0), length)
    return _LEFT + inside / length * (_WIDTH - _LEFT)


def _calendar(period: Period, bottom: float) -> Iterator[Markup]:
    """A mark for each week, counted back from the last day."""
    length = (period.last - period.first).days
    step = max(7, length // 8 // 7 * 7)
    for back in range(0, length + 1, step):
        day = period.last - timedelta(back)
        x = _x(day, period)
        yield segment(x, _TOP - 8, x, bottom, "axis")
        place = "note end" if x > _WIDTH - 50 else "note"
        yield words(_WIDTH if place == "note end" else x, 12, short_day(day), place)


def _change(number: int, x: float, bottom: float, said: str) -> Iterator[Markup]:
    yield segment(x, _TOP - 6, x, bottom, "change")
    flag = (
        rectangle(x - 8, _TOP - 22, 16, 16, "flag", said),
        words(x, _TOP - 10, str(number), "onflag mid"),
    )
    yield tag("g", *flag)


def _row(finding: Finding, y: float, period: Period) -> Markup:
    x = _LEFT if finding.since is None else _x(finding.since, period)
    said = f"{finding.check}, {finding.severity}, {_since(finding)}: {finding.says}"
    label = f"{plain(finding.check, 10)} {finding.severity}"
    if finding.is_silenced:
        label += " (explained)"
    marks: list[Child] = [
        words(0, y + 17, label),
        rectangle(x, y + 6, max(4.0, _WIDTH - x), 13, "tone", plain(said, 200)),
    ]
    if finding.since is None:
        marks.append(words(x + 4, y + 16, "first day unknown", "onbar"))
    elif finding.since < period.first:
        marks.append(words(x + 4, y + 16, "earlier", "onbar"))
    silent = " silent" if finding.is_silenced else ""
    return tag("g", *marks, class_=f"{finding.severity}{silent}")


def _since(finding: Finding) -> str:
    return "since an unknown day" if finding.since is None else f"since {short_day(finding.since)}"


def _said(edits: Sequence[Edit]) -> str:
    first = plain(edits[0].what, 60)
    return first if len(edits) == 1 else f"{first} and {plural(len(edits) - 1, 'more change')}"
