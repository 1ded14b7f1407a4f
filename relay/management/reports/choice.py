"""At once or as a task: by size. Pure.

At once is fresher (a task's data is renewed every few hours) and can include deleted objects for
sure, but TikTok gives the newest 20,000 ids only, and a page holds a thousand rows. TikTok, "Run an
asynchronous report" (1740302766489602): tasks have no limit of ids, rows or days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from relay.management.reports.metrics import By, Level
from relay.management.reports.request import MOST_DAYS, ReportRequest, Way
from relay.management.reports.slices import Slice

#: Ids in one report at once; the rest is left out without a word in the rows.
MOST_SYNC_IDS: Final = 20_000

#: Pages that take about two minutes of the rate budget.
MOST_SYNC_PAGES: Final = 1_000

_PAGE_ROWS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Choice:
    """How a report is read, and why. `objects` and `calls` are estimates, None where nobody
    counted."""

    way: Way
    reason: str
    objects: int | None = None
    calls: int | None = None


def early(request: ReportRequest) -> Choice | None:
    """What can be said without asking TikTok how many objects there are; None: ask."""
    if request.way is not Way.AUTO:
        return Choice(request.way, "as asked for")
    if request.at_once_only:
        return Choice(Way.SYNC, f"`{request.at_once_only[0]}` cannot be had of a task")
    if request.by is By.NONE and request.days > MOST_DAYS:
        return Choice(Way.TASK, "more than 365 days in one sum")
    if request.level is Level.ACCOUNT:
        return Choice(Way.SYNC, "one object", 1)
    return None


def by_size(request: ReportRequest, parts: list[Slice], objects: int, *, is_cut: bool) -> Choice:
    """Choose by the number of objects; `is_cut` says that TikTok left some out of the count."""
    if is_cut or objects >= MOST_SYNC_IDS:
        return Choice(Way.TASK, "more than 20,000 objects: TikTok would leave some out", objects)
    calls = max(len(parts), -(-objects * _rows_each(request) // _PAGE_ROWS))
    if calls > MOST_SYNC_PAGES:
        return Choice(Way.TASK, f"about {calls} pages", objects, calls)
    return Choice(Way.SYNC, f"{objects} objects, at most about {calls} calls", objects, calls)


def _rows_each(request: ReportRequest) -> int:
    if request.by is By.NONE:
        return 1
    return request.days * (24 if request.by is By.HOUR else 1)
