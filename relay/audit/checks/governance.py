"""GOV: what was changed before it began?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from relay.audit.books import Books
from relay.audit.books.calendar import moved, seconds_of
from relay.audit.checks.check import Inapplicable, Result, text
from relay.audit.findings import Certainty, Figure, Finding, Severity

if TYPE_CHECKING:
    from relay.config.audit import Thresholds

#: Of one finding, so many changes are told.
_MOST = 5


def none_by_itself(_: Books, __: Thresholds) -> Result:
    """What it says is attached to the findings of all others, see `with_changes`."""
    return []


class _Change(NamedTuple):
    at: float
    what: str
    adgroups: frozenset[str] | None
    """Those that it concerns; None: perhaps all."""


def with_changes(
    books: Books, findings: Sequence[Finding], limits: Thresholds
) -> Sequence[Finding] | Inapplicable:
    """An edit, or a group's `modify_time`, ≤ 48 h before the first day of a C or H finding (or on
    it)."""
    grave = (Severity.CRITICAL, Severity.HIGH)
    dated = [each for each in findings if each.severity in grave and each.since is not None]
    if not dated:
        return Inapplicable("no critical or high finding has a beginning")
    changes = sorted(_changes(books), key=lambda each: -each.at)
    told: list[Finding] = []
    for finding in findings:
        since = finding.since if finding.severity in grave else None
        before = () if since is None else _before(books, finding, since, changes, limits)
        told.append(replace(finding, changed_before=tuple(before[:_MOST])) if before else finding)
        if before and since is not None and not finding.is_silenced:
            told.append(_told(books, finding, since, before, limits))
    return told


def _changes(books: Books) -> Iterator[_Change]:
    groups_of: defaultdict[str, set[str]] = defaultdict(set)
    for each in books.facts.adgroups:
        groups_of[each.campaign_id].add(each.id)
        groups_of[each.id].add(each.id)
    for ad in books.facts.ads:
        groups_of[ad.id].add(ad.adgroup_id)
    edited: Mapping[str, set[str]] = groups_of
    for edit in books.facts.edits:
        concerned = edited.get(edit.object_id)
        known = None if concerned is None else frozenset(concerned)
        at = seconds_of(edit.at)
        yield _Change(at, f"{_when(books, at)}: {edit.what} ({edit.kind} {edit.object_id})", known)
    for each in books.facts.adgroups:
        if each.modified_at is not None:
            at = seconds_of(each.modified_at)
            what = f'{_when(books, at)}: ad group "{each.name}" ({each.id}) was changed'
            yield _Change(at, what, frozenset({each.id}))


def _when(books: Books, at: float) -> str:
    return books.calendar.local(at).strftime("%Y-%m-%d %H:%M")


def _before(
    books: Books,
    finding: Finding,
    since: date,
    changes: Sequence[_Change],
    limits: Thresholds,
) -> Sequence[str]:
    """Newest first; a finding that names ad groups hears of changes of these only."""
    ends = books.calendar.begins(moved(since, 1))
    earliest = books.calendar.begins(since) - limits.changed_within
    ids = {each[8:] for each in finding.concerns if each.startswith("adgroup:")}
    return [
        each.what
        for each in changes
        if earliest <= each.at < ends
        and (not ids or each.adgroups is None or not ids.isdisjoint(each.adgroups))
    ]


def _told(
    books: Books, finding: Finding, since: date, before: Sequence[str], limits: Thresholds
) -> Finding:
    hours = round(limits.changed_within / 3600)
    return Finding(
        check="GOV-01",
        severity=Severity.INFO,
        subject=finding.subject,
        says=f"{finding.check} began on {since}; in the {hours} hours before, {len(before)} "
        f"changes were made: {'; '.join(before[:_MOST])}.",
        expected=Figure("changes before it began", 0, "changes"),
        found=Figure("changes before it began", len(before), "changes"),
        do=f"Ask who made these changes whether {finding.check} was meant to follow.",
        certainty=Certainty.HINT,
        source="Marketing API v1.3: change log, modify_time",
        since=since,
        details=[text("finding", finding.check)],
        concerns=finding.concerns,
    )
